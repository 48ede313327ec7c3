"""The PV of an element that writes is another one while somebody is at it: nothing goes to the wrong PV."""

from playwright.sync_api import expect

from tests.browser.element_page import ElementPage
from tests.browser.test_elements_write import expect_value, puts, show, value_of
from tests.browser.waiting import wait_until
from tests.iocs import CIOC

END_THE_SESSION = """async () => {
  const { sharedClient } = await import(new URL("pycaserver.js", location.href));
  window.refused = [];
  addEventListener("epics-refused", ({ detail }) => refused.push(detail));
  sharedClient().close();
}"""
DRAG = """(host, places) => {
  const control = host.shadowRoot.querySelector("[part=control]");
  for (const place of places) {
    control.value = place;
    control.dispatchEvent(new Event("input"));
  }
}"""


def change(elements: ElementPage, tag: str, record: str) -> None:
    """Another PV, and wait until its value is shown."""
    elements.host(tag).evaluate("(element, pv) => { element.pv = pv; }", f"{elements.prefix}{record}")
    wait_until(
        elements.page,
        "([tag, pv]) => { const { update } = document.getElementById(tag);"
        " return update.pv === pv && update.condition === 'live'; }",
        arg=[tag, f"{elements.prefix}{record}"],
    )


def test_what_was_typed_for_one_pv_is_not_written_to_another(elements: ElementPage, elements_ioc: CIOC) -> None:
    field = show(elements, "input", "level")
    field.fill("7")
    change(elements, "input", "other")
    expect(field).to_have_value("2.0")
    field.press("Enter")
    wait_until(elements.page, "window.told.length === 1")
    assert (value_of(elements_ioc, "level"), value_of(elements_ioc, "other")) == ("2.5", "2")


def test_value_that_nobody_edits_is_written_with_all_its_digits(elements: ElementPage, elements_ioc: CIOC) -> None:
    elements_ioc.shell(f"dbpf {elements.prefix}level 2.5678")
    field = show(elements, "input", "level")
    expect(field).to_have_value("2.57")
    field.press("Enter")
    wait_until(elements.page, "window.told.length === 1")
    assert elements.told() == [["epics-written", "input", 2.5678]]
    assert value_of(elements_ioc, "level") == "2.5678"


def test_write_that_goes_on_is_not_shown_at_another_pv(elements: ElementPage, elements_ioc: CIOC) -> None:
    field = show(elements, "input", "endless", 'min="0" max="1"')
    field.fill("12.5")
    field.press("Enter")
    expect(elements.part("input", "state").locator(".word")).to_have_text("writing")
    change(elements, "input", "level")
    expect(field).to_have_value("2.50")
    expect(elements.host("input")).not_to_have_attribute("data-pending", "")
    expect(elements.part("input", "state").locator(".word")).to_have_text("")
    field.fill("3")
    field.press("Enter")
    expect_value(elements_ioc, "level", "3")
    change(elements, "input", "endless")
    expect(elements.host("input")).to_have_attribute("data-pending", "")
    change(elements, "input", "level")
    elements.page.evaluate(END_THE_SESSION)
    alert = elements.host("input").get_by_role("alert")
    expect(alert).to_contain_text(f"{elements.prefix}endless: ")
    told = elements.page.evaluate("refused.map(({ pv, value }) => [pv, value])")
    assert told == [[f"{elements.prefix}endless", 12.5]]


def test_slider_moves_another_pv_while_the_write_to_the_first_goes_on(
    elements: ElementPage, elements_ioc: CIOC
) -> None:
    show(elements, "slider", "endless", 'min="-10" max="10"')
    elements.host("slider").evaluate(DRAG, ["5"])
    expect(elements.host("slider")).to_have_attribute("data-pending", "")
    change(elements, "slider", "other")
    elements.host("slider").evaluate(DRAG, ["3"])
    expect_value(elements_ioc, "other", "3")


def test_momentary_button_is_let_go_at_the_pv_at_which_it_was_pressed(
    elements: ElementPage, elements_ioc: CIOC
) -> None:
    show(elements, "button", "valve", 'release-value="0"').hover()
    elements.page.mouse.down()
    expect_value(elements_ioc, "valve", "Open")
    change(elements, "button", "gate")
    elements.page.mouse.up()
    expect_value(elements_ioc, "valve", "Closed")
    wait_until(elements.page, "window.told.length === 2")
    assert [request["pv"] for request in elements.requests if request["action"] == "put"] == [
        f"{elements.prefix}valve"
    ] * 2


def test_slider_writes_to_another_pv_only_where_it_is_dragged_to_then(
    elements: ElementPage, elements_ioc: CIOC
) -> None:
    show(elements, "slider", "level", 'rate="0.1" min="-10" max="10"')
    elements.host("slider").evaluate(DRAG, ["1", "5"])  # the second has to wait
    change(elements, "slider", "other")
    expect(elements.part("slider", "value")).to_have_text("2.0")
    wait_until(elements.page, "window.told.length === 1")
    elements.host("slider").evaluate(DRAG, ["3"])
    expect_value(elements_ioc, "other", "3")
    wait_until(elements.page, "window.told.length === 2")
    assert [value for _, _, value in elements.told()] == [1, 3]


def test_question_about_one_pv_is_gone_with_it(elements: ElementPage) -> None:
    show(elements, "slider", "level", 'confirm min="-10" max="10"').press("ArrowRight")
    dialog = elements.page.get_by_role("dialog")
    expect(dialog).to_have_count(1)
    change(elements, "slider", "other")
    expect(dialog).to_have_count(0)
    expect(elements.part("slider", "value")).to_have_text("2.0")
    elements.part("slider", "control").press("ArrowRight")
    expect(dialog).to_have_count(1)
    assert puts(elements) == 0


def test_confirmation_shows_exactly_what_would_be_written(elements: ElementPage) -> None:
    field = show(elements, "input", "text", 'confirm="Write {value}?"')
    field.fill("a$&b$$")
    field.press("Enter")
    expect(elements.page.get_by_role("dialog")).to_have_accessible_name("Write a$&b$$?")
    elements.page.keyboard.press("Escape")


def test_enum_shows_a_value_that_is_no_state(elements: ElementPage) -> None:
    show(elements, "enum", "odd")
    expect(elements.part("enum", "value")).to_have_text("5")
    expect(elements.part("enum", "value")).to_be_visible()
    change(elements, "enum", "mode")
    expect(elements.part("enum", "value")).to_be_hidden()
