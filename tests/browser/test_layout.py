"""The page's layout in its address: what is written is read back, and whatever is typed there is read as something."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.browser.live_page import LivePage
from tests.browser.test_modules import blank, call

__all__ = ["blank"]

PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.map(str.strip).filter(bool)
SPANS = st.integers(5, 604_800)
TIMES = st.floats(0, 4e9, allow_nan=False)
CHARTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["strip", "wave"]),
        "pvs": st.lists(NAMES, unique=True, min_size=1, max_size=5),
        "span": SPANS,
        "scale": st.sampled_from(["linear", "log"]),
        "zoom": st.none() | st.lists(TIMES, min_size=2, max_size=2, unique=True).map(sorted),
    }
)
EVENTS = st.fixed_dictionaries(
    {
        "open": st.just(True),
        "kind": st.sampled_from(["all", "alarm", "connection"]),
        "find": TEXTS,
        "mine": st.booleans(),
    }
)
CLOSED = {"open": False, "kind": "all", "find": "", "mine": False}
LAYOUTS = st.fixed_dictionaries(
    {
        "pvs": st.lists(NAMES, unique=True, max_size=6),
        "selected": st.none() | NAMES,
        "span": SPANS,
        "charts": st.lists(CHARTS, max_size=4),
        "filter": TEXTS,
        "trouble": st.booleans(),
        "sort": st.fixed_dictionaries(
            {"by": st.sampled_from(["added", "name", "value", "state", "time"]), "down": st.booleans()}
        ),
        "events": st.just(CLOSED) | EVENTS,
        "view": st.sampled_from(["list", "charts", "detail", "events"]),
    }
)
EMPTY: dict[str, Any] = {
    "pvs": [],
    "selected": None,
    "span": 60,
    "charts": [],
    "filter": "",
    "trouble": False,
    "sort": {"by": "added", "down": False},
    "events": CLOSED,
    "view": "list",
}
ANYTHING = st.lists(
    st.tuples(st.sampled_from(["pv", "plot", "span", "chart", "filter", "only", "sort", "events", "view", "x"]), TEXTS)
).map(lambda parts: "#" + "&".join(f"{key}={text}" for key, text in parts))


def read(live: LivePage, fragment: str) -> Any:
    return call(live, "js/fragment", "m.readFragment(x)", fragment)


@PROPERTY
@given(layout=LAYOUTS)
def test_what_is_written_is_read_back(blank: LivePage, layout: dict[str, Any]) -> None:
    assert call(blank, "js/fragment", "m.readFragment(m.writeFragment(x))", layout) == layout


@PROPERTY
@given(layout=LAYOUTS)
def test_an_address_keeps_what_is_written(blank: LivePage, layout: dict[str, Any]) -> None:
    script = "((url) => { url.hash = m.writeFragment(x); return m.readFragment(url.hash); })(new URL(location.href))"
    assert call(blank, "js/fragment", script, layout) == layout


@PROPERTY
@given(fragment=ANYTHING)
def test_whatever_is_typed_is_a_layout(blank: LivePage, fragment: str) -> None:
    first = read(blank, fragment)
    assert first.keys() == EMPTY.keys()
    assert call(blank, "js/fragment", "m.readFragment(m.writeFragment(x))", first) == first


def test_links_of_old(blank: LivePage) -> None:
    assert read(blank, "#pv=A:B,C.VAL%24&plot=A:B") == EMPTY | {"pvs": ["A:B", "C.VAL$"], "selected": "A:B"}
    assert read(blank, "#pv=A:B,,100%,A:B") == EMPTY | {"pvs": ["A:B", "100%"]}
    assert read(blank, "") == EMPTY


def test_a_link_written_by_hand(blank: LivePage) -> None:
    layout = read(
        blank, "#pv=A&chart=A,B;span=300;scale=log&chart=&chart=C;span=nonsense&sort=-value&events=alarm;find=T"
    )
    usual = {"kind": "strip", "span": 60, "scale": "linear", "zoom": None}
    assert layout["charts"] == [usual | {"pvs": ["A", "B"], "span": 300, "scale": "log"}, usual | {"pvs": ["C"]}]
    assert layout["sort"] == {"by": "value", "down": True}
    assert layout["events"] == {"open": True, "kind": "alarm", "find": "T", "mine": False}


def test_a_layout_is_bounded(blank: LivePage) -> None:
    charts = "&".join(f"chart={','.join(f'P{i}' for i in range(50))}" for _ in range(50))
    layout = read(blank, f"#pv={','.join(map(str, range(20_000)))}&{charts}&span=1e99")
    assert len(layout["pvs"]) == 10_000
    assert [len(chart["pvs"]) for chart in layout["charts"]] == [16] * 12
    assert layout["span"] == 60


def test_edits(blank: LivePage) -> None:
    def edit(layout: Any, name: str, *rest: Any) -> Any:
        return call(blank, "js/layout", "m[x[1]](x[0], ...x[2])", [layout, name, rest])

    layout = edit(EMPTY, "addPvs", ["A", "B", "A"])
    layout = edit(layout, "select", "A")
    layout = edit(layout, "addToChart", 0, ["A", "B"], "strip")
    layout = edit(layout, "addToChart", 0, ["C"], "wave")
    layout = edit(layout, "changeChart", 1, layout["charts"][1] | {"span": 300})
    assert layout["pvs"] == ["A", "B"]
    assert [(chart["pvs"], chart["span"]) for chart in layout["charts"]] == [(["A", "B"], 60), (["C"], 300)]
    layout = edit(edit(layout, "changeChart", 1, layout["charts"][1] | {"pvs": []}), "removePv", "A")
    assert (layout["pvs"], layout["selected"], len(layout["charts"])) == (["B"], None, 1)
    assert edit(layout, "removeChart", 0)["charts"] == []
