"""How the benchmark's records are called."""


def scalar_stem(prefix: str) -> str:
    """What the names of the scalar records begin with; an index follows."""
    return f"{prefix}d"


def waveform_stem(prefix: str, elements: int) -> str:
    """What the names of the waveforms of that length begin with; an index follows."""
    return f"{prefix}w{elements}_"
