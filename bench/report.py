"""The rows of the result, as a table, as JSON and, where matplotlib is installed, as a plot."""

import json
import math
import os
import platform
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pycaserver
from bench.processes import Json
from bench.runs import Run


@dataclass(frozen=True)
class Row:
    """One figure of pycaserver beside that of a baseline."""

    scenario: str
    case: str
    unit: str
    baseline: str
    """Whose figure the other is: "naive", "epics.PV", "C"; empty when there is none."""
    theirs: float | None
    ours: float | None
    _: KW_ONLY
    more_is_better: bool = False
    floor: float | None = None
    """The ratio that should be reached."""
    limit: float | None = None
    """What the figure itself should not exceed."""
    runs: Mapping[str, Run | None] = field(default_factory=dict)
    """What was measured, by whose it is."""

    @property
    def ratio(self) -> float | None:
        """How many times better than the baseline."""
        if not self.theirs or not self.ours:
            return None
        return self.ours / self.theirs if self.more_is_better else self.theirs / self.ours

    @property
    def reached(self) -> bool | None:
        """Whether the target is; None without one."""
        if self.floor is not None:
            return self.ratio is not None and self.ratio >= self.floor
        if self.limit is not None:
            return self.ours is not None and self.ours <= self.limit
        return None

    def as_json(self) -> Json:
        """All of it."""
        runs = {name: run and run.as_json() for name, run in self.runs.items()}
        figures = {name: getattr(self, name) for name in ("scenario", "case", "unit", "baseline", "theirs", "ours")}
        return {**figures, "ratio": self.ratio, "floor": self.floor, "limit": self.limit, "reached": self.reached,
                "runs": runs}  # fmt: skip


def conditions() -> Json:
    """On what it was measured."""
    packages = ("tornado", "pyepics", "numpy", "msgspec", "epicscorelibs")
    model = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "pycaserver": pycaserver.__version__,
        **{name: version(name) for name in packages},
    }


HEAD: Final = ("scenario", "case", "unit", "baseline", "pycaserver", "ratio", "target")


def table(rows: Sequence[Row]) -> str:
    """For people, and for the documentation: Markdown."""
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    theirs = f"{number(row.theirs)} ({row.baseline})" if row.baseline else ""
    ratio = f"{number(row.ratio)} x" if row.ratio else ""
    return (row.scenario, row.case, row.unit, theirs, number(row.ours), ratio, _target(row))


def _target(row: Row) -> str:
    if row.reached is None:
        return ""
    wanted = f"at least {row.floor:.3g} x" if row.floor is not None else f"at most {row.limit:g}"
    return f"{wanted}: {'yes' if row.reached else 'NO'}"


def number(value: float | None) -> str:
    """Three digits, thousands apart."""
    if value is None:
        return "none"
    rounded = float(f"{value:.3g}")
    digits = max(0, 2 - math.floor(math.log10(abs(rounded)))) if rounded else 0
    return f"{rounded:,.{digits}f}"


def write_json(file: Path, rows: Sequence[Row], seconds: float) -> None:
    """Everything that was measured."""
    document = {"conditions": conditions(), "seconds": seconds, "rows": [row.as_json() for row in rows]}
    file.write_text(json.dumps(document, indent=1))


def plot(file: Path, rows: Sequence[Row]) -> bool:
    """Ratios to a baseline as bars, else how a figure grows; False, and no file, without matplotlib."""
    try:
        import matplotlib  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with_ratio = [row for row in rows if row.ratio]
    if with_ratio:
        _draw_bars(pyplot, with_ratio)
    else:
        _draw_growth(pyplot, rows)
    pyplot.savefig(file)
    return True


def _draw_bars(pyplot: Any, rows: Sequence[Row]) -> None:
    _, axes = pyplot.subplots(figsize=(9, 1 + 0.25 * len(rows)), layout="constrained")
    names = [f"{row.scenario}: {row.case}, {row.unit} ({row.baseline})" for row in rows]
    colours = [_COLOURS[row.reached] for row in rows]
    axes.barh(names, [(row.ratio or 1) - 1 for row in rows], left=1, color=colours)
    axes.plot([row.floor or math.nan for row in rows], names, "k|", markersize=12)
    axes.set(xscale="log", xlabel="times better than the baseline in brackets; a line marks the target")
    axes.margins(y=0.01)
    axes.invert_yaxis()


def _draw_growth(pyplot: Any, rows: Sequence[Row]) -> None:
    """A panel for each kind of case; what is counted comes first in its name."""
    panels: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        amount, _, what = row.case.partition(" ")
        if amount.isdigit() and row.ours is not None:
            panels.setdefault(f"{what}\n{row.unit}", []).append((float(amount), row.ours))
    figure, _ = pyplot.subplots(1, max(1, len(panels)), figsize=(2.6 * len(panels), 2.6), layout="constrained")
    for each, (title, points) in zip(figure.axes, panels.items(), strict=True):
        each.plot(*zip(*points, strict=True), "o-", color="tab:green")
        each.set_title(title, fontsize=9)
        each.set_ylim(bottom=0)


_COLOURS: Final = {None: "tab:gray", True: "tab:green", False: "tab:red"}
