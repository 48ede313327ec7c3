"""The figures of a soak over time, as a picture where matplotlib is installed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.soak.samples import Sample
from tests.stress.plan import Fault

PANELS: Final[Sequence[tuple[str, dict[str, Callable[[Sample], float]]]]] = (
    ("resident memory, MB", {"": lambda sample: sample.memory / 1e6}),
    (
        "held",
        {
            "descriptors": lambda sample: sample.descriptors,
            "sessions": lambda sample: sample.sessions,
            "threads": lambda sample: sample.threads,
        },
    ),
    ("lag of the event loop, ms", {"": lambda sample: 1000 * sample.lag}),
    (
        "values a second",
        {"from the IOC": lambda sample: sample.updates_in, "to sessions": lambda sample: sample.updates_out},
    ),
    ("processor cores", {"": lambda sample: sample.cpu}),
)


def plot(file: Path, title: str, samples: Sequence[Sample], faults: Sequence[Fault] = ()) -> bool:
    """A panel for each kind of figure, a line where the IOC was away; False, and no file, without matplotlib."""
    try:
        import matplotlib  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(len(PANELS), 1, figsize=(9, 9), sharex=True, layout="constrained")
    minutes = [sample.seconds / 60 for sample in samples]
    for axes, (name, lines) in zip(panels, PANELS, strict=True):
        _draw(axes, minutes, samples, lines)
        axes.set_title(name, fontsize=9, loc="left")
        for fault in faults:
            axes.axvspan(fault.at / 60, (fault.at + fault.seconds) / 60, color="tab:red", alpha=0.3)
    panels[-1].set_xlabel("minutes; red: the IOC is killed, stopped or hangs")
    figure.suptitle(title, fontsize=10)
    figure.savefig(file, dpi=100)
    pyplot.close(figure)
    return True


def _draw(axes: Any, minutes: Sequence[float], samples: Sequence[Sample], lines: dict[str, Any]) -> None:
    for label, figure in lines.items():
        axes.plot(minutes, [figure(sample) for sample in samples], linewidth=1, label=label or None)
    axes.set_ylim(bottom=0)
    if len(lines) > 1:
        axes.legend(fontsize=8, loc="lower right")
