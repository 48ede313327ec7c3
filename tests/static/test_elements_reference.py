"""The reference page of the elements has every attribute and custom property that their modules look at."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/elements.md").read_text()
OF_PLOTS = {"image", "picture", "plot", "waveform", "stripchart", "theme", "plot-style", "image-style"}
MODULES = [path for path in sorted((ROOT / "static/elements").glob("*.js")) if path.stem not in OF_PLOTS]
ATTRIBUTE = re.compile(r"""(?:get|has)Attribute\("(?!data-|role|title|aria-)([\w-]+)"\)""")
PROPERTY = re.compile(r"var\((--epics-[\w-]*[a-z])[,)]")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_all_that_a_page_can_set_is_told(module: Path) -> None:
    source = module.read_text()
    used = {*ATTRIBUTE.findall(source), *PROPERTY.findall(source)}
    assert {name for name in used if f"`{name}`" not in PAGE} == set()


def test_every_element_has_a_section_or_a_row() -> None:
    names = re.findall(r'"(epics-\w+)": Epics', (ROOT / "static/epics-elements.js").read_text())
    plots = {"epics-stripchart", "epics-waveform", "epics-image"}
    assert [name for name in names if name not in plots and f"[`{name}`](#" not in PAGE] == []
