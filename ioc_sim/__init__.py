"""A simulated IOC: process variables of every kind. Run it with `python -m ioc_sim --prefix SIM:`."""


def pv_names(prefix: str) -> list[str]:
    """The names of all PVs that the IOC serves under `prefix`, in the order of its table."""
    from ioc_sim.group import DESCRIPTIONS

    return [prefix + name for name in DESCRIPTIONS]
