"""The elements that write: by pointer and keys, pending, refused, read-only, asked before."""

import re
import time

from playwright.sync_api import Locator, expect

from tests.browser.element_page import ElementPage
from tests.browser.pixels import box_of
from tests.iocs import CIOC
from tests.timing import wait_for

READ_ONLY = "Read-only: you may not write this PV"


def value_of(ioc: CIOC, record: str) -> str:
    """What the IOC has, as its shell prints it."""
    found = re.search(r"\s*(?:DBF_\w+|DBR_\w+):?\s+(.*\S)\s*$", ioc.shell(f"dbgf {ioc.prefix}{record}"), re.MULTILINE)
    assert found is not None
    return found[1].split(" = ")[-1].strip('"')


def expect_value(ioc: CIOC, record: str, value: str) -> None:
    wait_for(lambda: value_of(ioc, record) == value, what=f"{record} to be {value}, not {value_of(ioc, record)}")


def write_by(elements: ElementPage, tag: str) -> None:
    """Do what a person does to write `1` (an input: 1, a slider: one step) with the element of this tag."""
    control = elements.part(tag, "control").first
    if tag == "input":
        control.fill("1")
    if tag == "enum":
        control.press("ArrowDown")
    control.press({"input": "Enter", "slider": "ArrowRight", "enum": "Enter"}.get(tag, " "))


def show(elements: ElementPage, tag: str, record: str, attributes: str = "") -> Locator:
    """The control of one element, alone on its page."""
    show_all(elements, {tag: record}, attributes)
    return elements.part(tag, "control").first


def show_all(elements: ElementPage, records: dict[str, str], attributes: str = "") -> None:
    """An element of each tag, on its record."""
    html = '<p><epics-{tag} id="{tag}" pv="$(P){record}" label="It" value="1" {attributes}></epics-{tag}></p>'
    elements.show(
        "".join(html.format(tag=tag, record=record, attributes=attributes) for tag, record in records.items())
    )
    elements.expect_live(*records)


def puts(elements: ElementPage) -> int:
    """How many the page has asked for; an answer of the page comes after all that it has told before."""
    elements.page.evaluate("0")
    return [request["action"] for request in elements.requests].count("put")


RECORDS = {"input": "other", "button": "gate", "toggle": "valve", "slider": "level", "enum": "mode"}
WRITTEN = {"input": "1", "button": "Open", "toggle": "Open", "slider": "2.51", "enum": "Medium"}


def test_keys_write(elements: ElementPage, elements_ioc: CIOC) -> None:
    show_all(elements, RECORDS)
    for tag, record in RECORDS.items():
        write_by(elements, tag)
        expect_value(elements_ioc, record, WRITTEN[tag])
    wait_for(lambda: len(elements.told()) == len(RECORDS), what="an event of each")
    assert [told[:2] for told in elements.told()] == [["epics-written", tag] for tag in RECORDS]


def test_pending_is_shown_until_the_put_is_completed(elements: ElementPage, elements_ioc: CIOC) -> None:
    show_all(elements, RECORDS)
    elements_ioc.pause()
    try:
        for tag in RECORDS:
            write_by(elements, tag)
            expect(elements.host(tag)).to_have_attribute("data-pending", "")
        for tag in RECORDS:
            expect(elements.part(tag, "state").locator(".word")).to_have_text("writing")
        assert elements.told() == []
    finally:
        elements_ioc.resume()
    for tag in RECORDS:
        expect(elements.host(tag)).not_to_have_attribute("data-pending", "")
        expect(elements.part(tag, "state").locator(".word")).to_have_text("")
    assert {name for name, _, _ in elements.told()} == {"epics-written"}


def test_refusal_is_shown_in_the_servers_words_until_dismissed(elements: ElementPage) -> None:
    show_all(elements, dict.fromkeys(["input", "button", "toggle", "slider"], "broken"), 'min="0" max="1"')
    for tag in ("input", "button", "toggle", "slider"):
        write_by(elements, tag)
        alert = elements.host(tag).get_by_role("alert")
        expect(alert).to_contain_text("Channel Access")
        expect(elements.host(tag)).to_have_attribute("data-refused", "put_failed")
        assert elements.told()[-1][:2] == ["epics-refused", tag]
        alert.get_by_role("button", name="Dismiss").click()
        expect(alert).to_have_text("")
        expect(elements.host(tag)).not_to_have_attribute("data-refused", re.compile(""))


def test_refusal_stays_in_view_at_the_right_edge(elements: ElementPage) -> None:
    elements.page.set_viewport_size({"width": 390, "height": 844})
    control = show(elements, "button", "broken")
    elements.host("button").evaluate("(button) => { button.style.marginLeft = '240px'; }")
    control.click()
    alert = elements.host("button").get_by_role("alert")
    expect(alert).to_contain_text("Channel Access")
    box = box_of(alert)
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert elements.page.evaluate("document.documentElement.scrollWidth") <= 390
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_text("")


def test_read_only_is_told_and_writes_nothing(elements: ElementPage) -> None:
    fixed = dict.fromkeys(RECORDS, "fixed") | {"enum": "fixed_mode"}
    show_all(elements, fixed)
    for tag in fixed:
        control = elements.part(tag, "control").first
        expect(elements.host(tag)).to_have_attribute("data-access", "read")
        expect(control).to_have_attribute("aria-disabled", "true")
        expect(control).to_have_accessible_description(READ_ONLY)
        expect(elements.part(tag, "lock")).to_be_visible()
        if tag != "input":
            write_by(elements, tag)
    field = elements.part("input", "control")
    expect(field).not_to_be_editable()
    field.press("1")
    field.press("Enter")
    expect(elements.host("input")).to_have_attribute("data-refused", "read_only")
    assert puts(elements) == 0


def test_what_the_page_disables_cannot_be_written(elements: ElementPage) -> None:
    show_all(elements, RECORDS, "disabled")
    for tag in RECORDS:
        expect(elements.part(tag, "control").first).to_have_attribute("aria-disabled", "true")
        expect(elements.part(tag, "control").first).to_have_accessible_description("Disabled on this page")
        elements.host(tag).evaluate("(element) => element.write(1)")
        expect(elements.host(tag)).to_have_attribute("data-refused", "read_only")
    assert puts(elements) == 0


def test_confirmation_is_asked_before_a_write(elements: ElementPage, elements_ioc: CIOC) -> None:
    show_all(elements, RECORDS, 'confirm="Really {value}?"')
    dialog = elements.page.get_by_role("dialog")
    for tag, record in RECORDS.items():
        before = value_of(elements_ioc, record)
        write_by(elements, tag)
        expect(dialog).to_have_accessible_name(re.compile(r"Really (1|Open|2\.51|Medium)( V| mm)?\?"))
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        elements.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        assert value_of(elements_ioc, record) == before
        write_by(elements, tag)
        dialog.get_by_role("button", name="Write").click()
        expect_value(elements_ioc, record, WRITTEN[tag])
    assert puts(elements) == len(RECORDS)


def test_choice_that_is_not_confirmed_is_taken_back_at_once(elements: ElementPage) -> None:
    """However late the next frame and the dialog's event are: another step would begin where nothing is."""
    control = show(elements, "enum", "mode", 'confirm="Really {value}?"')
    before = control.input_value()
    elements.page.evaluate("window.requestAnimationFrame = () => 1")
    elements.host("enum").evaluate("host => host.shadowRoot.addEventListener('close', e => e.stopPropagation(), true)")
    write_by(elements, "enum")
    dialog = elements.page.get_by_role("dialog")
    expect(dialog).to_have_count(1)
    elements.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert control.input_value() == before


def test_input_keeps_what_is_typed_and_escape_takes_it_back(elements: ElementPage, elements_ioc: CIOC) -> None:
    field = show(elements, "input", "level")
    expect(field).to_have_value("2.50")
    field.focus()
    elements.page.keyboard.press("7")
    expect(elements.host("input")).to_have_attribute("data-editing", "")
    elements_ioc.shell(f"dbpf {elements.prefix}level 3.5")
    expect(elements.part("input", "readback")).to_have_text("now 3.50")
    expect(field).to_have_value("7")
    field.press("Escape")
    expect(field).to_have_value("3.50")
    expect(elements.host("input")).not_to_have_attribute("data-editing", "")
    elements.page.keyboard.press("8")
    field.blur()
    expect(field).to_have_value("3.50")
    assert elements.told() == []


def test_input_shows_what_the_record_made_of_the_value(elements: ElementPage, elements_ioc: CIOC) -> None:
    field = show(elements, "input", "level")
    field.fill("99")
    field.press("Enter")
    expect_value(elements_ioc, "level", "10")
    expect(field).to_have_value("10.00")


def test_input_takes_each_type(elements: ElementPage, elements_ioc: CIOC) -> None:
    records = ["text", "mode", "level"]
    elements.show("".join(f'<epics-input id="{record}" pv="$(P){record}"></epics-input>' for record in records))
    elements.expect_live(*records)
    for record, typed, value in (
        ("text", "two words", "two words"),
        ("mode", "High", "High"),
        ("mode", "1", "Medium"),
        ("level", "-1e0", "-1"),
        ("level", "-0x5", "-5"),
    ):
        elements.part(record, "control").fill(typed)
        elements.part(record, "control").press("Enter")
        expect_value(elements_ioc, record, value)


def test_input_takes_integers_of_64_bits_and_arrays(elements: ElementPage) -> None:
    elements.show(
        '<epics-input id="big" pv="loc://big<VLong>(1)"></epics-input>'
        '<epics-input id="array" pv="loc://array(1, 2)"></epics-input>'
    )
    elements.expect_live("big", "array")
    for name, typed, shown in (("big", "-0x1fffffffffffff", "-9007199254740991"), ("array", "3 4.5", "3, 4.5")):
        field = elements.part(name, "control")
        field.fill(typed)
        field.press("Enter")
        expect(field).to_have_value(shown)


def test_input_keeps_what_was_refused(elements: ElementPage) -> None:
    elements.show(
        "".join(f'<epics-input id="{record}" pv="$(P){record}"></epics-input>' for record in ("level", "text"))
    )
    elements.expect_live("level", "text")
    for record, typed, why in (
        ("level", "much", '"much" is not a number'),
        ("level", "", "A number is missing"),
        ("text", "x" * 40, "39 are possible"),
    ):
        field = elements.part(record, "control")
        field.fill(typed)
        field.press("Enter")
        expect(elements.host(record).get_by_role("alert")).to_contain_text(why)
        expect(elements.host(record)).to_have_attribute("data-refused", "bad_value")
        expect(field).to_have_value(typed)
        field.press("Escape")
        expect(elements.host(record).get_by_role("alert")).to_have_text("")
    assert puts(elements) == 1


def test_input_keeps_what_is_typed_while_it_asks(elements: ElementPage, elements_ioc: CIOC) -> None:
    field = show(elements, "input", "level", "confirm")
    dialog = elements.page.get_by_role("dialog")
    field.fill("7")
    field.press("Enter")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(field).to_have_value("7")
    expect(field).to_be_focused()
    elements_ioc.pause()
    try:
        field.press("Enter")
        dialog.get_by_role("button", name="Write").click()
        expect(elements.part("input", "state").locator(".word")).to_have_text("writing")
        expect(field).to_have_value("7")
    finally:
        elements_ioc.resume()
    expect_value(elements_ioc, "level", "7")
    expect(field).to_have_value("7.00")
    expect(elements.host("input")).not_to_have_attribute("data-editing", "")


def test_input_keeps_what_was_refused_after_it_asked(elements: ElementPage) -> None:
    field = show(elements, "input", "broken", "confirm")
    field.fill("7")
    field.press("Enter")
    elements.page.get_by_role("dialog").get_by_role("button", name="Write").click()
    expect(elements.host("input")).to_have_attribute("data-refused", "put_failed")
    expect(field).to_have_value("7")
    field.press("Escape")
    expect(field).not_to_have_value("7")


def test_momentary_button_writes_both_ways(elements: ElementPage, elements_ioc: CIOC) -> None:
    button = show(elements, "button", "valve", 'release-value="0"')
    button.hover()
    elements.page.mouse.down()
    expect_value(elements_ioc, "valve", "Open")
    elements.page.mouse.move(0, 0)
    elements.page.mouse.up()
    expect_value(elements_ioc, "valve", "Closed")
    elements.page.keyboard.down(" ")
    expect_value(elements_ioc, "valve", "Open")
    button.blur()
    expect_value(elements_ioc, "valve", "Closed")
    elements.page.keyboard.up(" ")


def test_momentary_button_is_let_go_when_it_leaves_the_page(elements: ElementPage, elements_ioc: CIOC) -> None:
    button = show(elements, "button", "valve", 'release-value="0"')
    button.hover()
    elements.page.mouse.down()
    expect_value(elements_ioc, "valve", "Open")
    elements.host("button").evaluate("(button) => button.remove()")
    expect_value(elements_ioc, "valve", "Closed")
    elements.page.mouse.up()


def test_momentary_button_is_let_go_while_what_it_began_goes_on(elements: ElementPage, elements_ioc: CIOC) -> None:
    button = show(elements, "button", "jog", 'release-value="0"')
    button.hover()
    elements.page.mouse.down()
    expect_value(elements_ioc, "jog", "1")
    elements.page.mouse.up()
    expect_value(elements_ioc, "jog", "0")
    wait_for(elements.told, what="the release")
    assert elements.told() == [["epics-written", "button", 0]]
    expect(elements.host("button")).to_have_attribute("data-pending", "")


def test_momentary_button_tells_why_its_press_was_refused_when_it_is_let_go(elements: ElementPage) -> None:
    show(elements, "button", "broken", 'release-value="0"').hover()
    elements.page.mouse.down()
    expect(elements.host("button")).to_have_attribute("data-refused", "put_failed")
    elements.page.mouse.up()
    wait_for(lambda: len(elements.told()) == 2, what="two events")
    assert [name for name, _, _ in elements.told()] == ["epics-refused", "epics-written"]
    expect(elements.host("button").get_by_role("alert")).to_contain_text("Channel Access")


def test_momentary_button_tells_a_release_value_that_is_none(elements: ElementPage) -> None:
    button = show(elements, "button", "level", 'release-value="up"')
    button.click()
    expect(elements.host("button").get_by_role("alert")).to_contain_text('"up" is not a number')


def test_button_that_cannot_work_says_why(elements: ElementPage) -> None:
    elements.show(
        '<epics-button id="none" pv="$(P)valve">Open</epics-button>'
        '<epics-button id="both" pv="$(P)valve" value="1" release-value="0" confirm>Open</epics-button>'
    )
    elements.expect_live("none", "both")
    expect(elements.part("none", "control")).to_have_accessible_description("The attribute value is missing")
    expect(elements.part("both", "control")).to_have_accessible_description(re.compile("exclude each other"))


def test_toggle_is_a_switch_between_named_values(elements: ElementPage, elements_ioc: CIOC) -> None:
    control = show(elements, "toggle", "mode", 'on-value="High" off-value="Low"')
    expect(elements.page.get_by_role("switch", name="It")).not_to_be_checked()
    control.click()
    expect(elements.page.get_by_role("switch")).to_be_checked()
    expect_value(elements_ioc, "mode", "High")
    control.click()
    expect(elements.page.get_by_role("switch")).not_to_be_checked()
    expect_value(elements_ioc, "mode", "Low")


def test_toggle_is_a_switch_of_integers_of_64_bits(elements: ElementPage) -> None:
    elements.show('<epics-toggle id="toggle" pv="loc://switch<VLong>(1)"></epics-toggle>')
    control, text = elements.part("toggle", "control"), elements.part("toggle", "value")
    expect(text).to_have_text("On")
    expect(control).to_be_checked()
    control.click()
    expect(text).to_have_text("Off")
    control.click()
    expect(text).to_have_text("On")
    wait_for(lambda: len(elements.told()) == 2, what="two events")


def test_enum_arrows_step_and_enter_writes(elements: ElementPage, elements_ioc: CIOC) -> None:
    choice = show(elements, "enum", "mode")
    choice.press("ArrowDown")
    choice.press("ArrowDown")
    expect(choice).to_have_value("2")
    expect(elements.part("enum", "readback")).to_have_text("now Low")
    expect(choice).to_have_css("border-top-style", "dashed")
    choice.press("ArrowUp")
    choice.press("ArrowUp")
    expect(elements.part("enum", "readback")).to_have_text("")
    choice.press("ArrowDown")
    expect(elements.part("enum", "readback")).to_have_text("now Low")
    choice.press("Escape")
    expect(choice).to_have_value("0")
    expect(elements.part("enum", "readback")).to_be_hidden()
    choice.press("ArrowDown")
    choice.press("ArrowDown")
    choice.press("Enter")
    expect_value(elements_ioc, "mode", "High")
    wait_for(elements.told, what="the event")
    assert [value for _, _, value in elements.told()] == [2]


def test_enum_writes_nothing_where_no_state_was_reached(elements: ElementPage) -> None:
    choice = show(elements, "enum", "odd")
    choice.press("x")
    choice.press("Enter")
    expect(elements.host("enum")).not_to_have_attribute("data-editing", "")
    assert puts(elements) == 0


def test_enum_is_chosen_in_the_open_list(elements: ElementPage, elements_ioc: CIOC) -> None:
    choice = show(elements, "enum", "mode")
    choice.select_option("Medium")
    expect_value(elements_ioc, "mode", "Medium")
    choice.press(" ")
    elements.page.keyboard.press("ArrowDown")
    elements.page.keyboard.press("Enter")
    expect_value(elements_ioc, "mode", "High")
    wait_for(lambda: len(elements.told()) == 2, what="two events")
    assert [value for _, _, value in elements.told()] == [1, 2]


def test_enum_as_buttons_and_as_text(elements: ElementPage, elements_ioc: CIOC) -> None:
    elements.show(
        '<epics-enum id="buttons" pv="$(P)mode" as="buttons"></epics-enum>'
        '<epics-enum id="text" pv="$(P)mode" readonly></epics-enum>'
    )
    states = elements.host("buttons").get_by_role("button")
    expect(states).to_have_text(["Low", "Medium", "High"])
    expect(states.nth(0)).to_have_attribute("aria-pressed", "true")
    states.nth(2).click()
    expect_value(elements_ioc, "mode", "High")
    expect(states.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(elements.part("text", "value")).to_have_text("High")
    expect(elements.host("text").get_by_role("combobox")).to_have_count(0)


def test_slider_writes_while_dragged_no_more_often_than_its_rate(elements: ElementPage, elements_ioc: CIOC) -> None:
    control = show(elements, "slider", "level", 'rate="20"')
    assert [control.get_attribute(end) for end in ("min", "max", "step")] == ["-10", "10", "0.01"]
    box = control.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    began = time.monotonic()
    elements.page.mouse.move(box["x"] + box["width"] / 2, middle)
    elements.page.mouse.down()
    elements.page.mouse.move(box["x"] + box["width"] + 5, middle, steps=100)
    elements.page.mouse.up()
    expect_value(elements_ioc, "level", "10")
    wait_for(lambda: [value for _, _, value in elements.told()][-1:] == [10], what="the last write")
    assert len(elements.told()) <= 20 * (time.monotonic() - began) + 2
    expect(elements.page.get_by_role("slider", name="It")).to_have_attribute("aria-valuetext", "10.00 mm")


def drag(elements: ElementPage, control: Locator, fraction: float, value: str) -> None:
    """Move the pressed pointer to this place between the slider's ends, where it has this value."""
    box = box_of(control)
    elements.page.mouse.move(box["x"] + box["width"] * fraction, box["y"] + box["height"] / 2)
    expect(control).to_have_value(value)


def test_slider_that_is_dragged_away_and_back_follows_its_pv(elements: ElementPage, elements_ioc: CIOC) -> None:
    elements_ioc.shell(f"dbpf {elements.prefix}level 0")
    control = show(elements, "slider", "level", 'step="5"')
    control.hover()
    elements.page.mouse.down()
    drag(elements, control, 0.75, "5")
    drag(elements, control, 0.5, "0")
    elements.page.mouse.up()
    wait_for(lambda: [value for _, _, value in elements.told()][-1:] == [0], what="the last write")
    elements_ioc.shell(f"dbpf {elements.prefix}level 5")
    expect(elements.part("slider", "value")).to_have_text("5.00")
    expect(control).to_have_value("5")


def test_slider_shows_its_pv_when_it_is_let_go_and_may_not_write_any_more(
    elements: ElementPage, elements_ioc: CIOC
) -> None:
    elements_ioc.shell(f"dbpf {elements.prefix}level 0")
    control = show(elements, "slider", "level", 'step="5"')
    control.hover()
    elements.page.mouse.down()
    elements.host("slider").evaluate("(slider) => slider.toggleAttribute('disabled', true)")
    expect(control).to_have_attribute("aria-disabled", "true")
    drag(elements, control, 1, "10")
    expect(elements.host("slider")).to_have_attribute("data-refused", "read_only")
    elements.page.mouse.up()
    expect(control).to_have_value("0")
    expect(elements.part("slider", "value")).to_have_text("0.00")
    assert value_of(elements_ioc, "level") == "0"


def test_slider_stays_where_it_was_let_go_while_it_asks(elements: ElementPage, elements_ioc: CIOC) -> None:
    control = show(elements, "slider", "level", "confirm")
    control.hover()
    elements.page.mouse.down()
    drag(elements, control, 1, "10")
    elements.page.mouse.up()
    dialog = elements.page.get_by_role("dialog")
    expect(dialog).to_have_accessible_name(re.compile(r"Write 10(\.00)? mm"))
    elements_ioc.shell(f"dbpf {elements.prefix}level 3")
    wait_for(lambda: elements.host("slider").evaluate("(slider) => slider.update.value") == 3, what="the new value")
    elements.host("slider").evaluate("(slider) => new Promise((done) => requestAnimationFrame(() => done()))")
    expect(control).to_have_value("10")
    dialog.get_by_role("button", name="Cancel").click()
    expect(control).to_have_value("3")


def test_slider_without_limits_says_so(elements: ElementPage) -> None:
    control = show(elements, "slider", "count")
    expect(control).to_have_accessible_description(re.compile("No limits"))
    expect(control).to_have_attribute("aria-disabled", "true")
