"""The log-in page: a token in, a cookie that no script sees, and the live table as somebody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import Server
from tests.tokens import token_section

TOKEN = "a token of anna"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("settings") / "pycaserver.toml"
    file.write_text(token_section("anna", TOKEN, ["operators", "<b>experts</b>"]))
    return file


@pytest.fixture(scope="module")
def server(ioc: CIOC, config: Path) -> Iterator[Server]:
    with Server(ioc.env(), {"config": config}) as server:
        yield server


@pytest.fixture(scope="module")
def strict(ioc: CIOC, config: Path) -> Iterator[Server]:
    with Server(ioc.env(), {"config": config, "auth-required": "true"}) as server:
        yield server


def log_in(page: Page, token: str = TOKEN) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()


def test_logging_in_and_out(live: LivePage, ioc: CIOC) -> None:
    name, page = f"{ioc.prefix}ai", live.page
    live.open(name)
    page.get_by_role("link", name="Log in").click()
    expect(page.locator("#who")).to_have_text("You are not logged in.")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    log_in(page)
    expect(live.row(name)).to_have_attribute("data-condition", "live")
    expect(page.get_by_role("link", name="anna")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    assert TOKEN not in page.url

    other = page.context.new_page()
    other.goto(f"{live.url}static/login.html")
    expect(other.locator("#who")).to_have_text("You are anna (operators, <b>experts</b>).")
    expect(other.get_by_label("Token")).to_be_hidden()
    other.get_by_role("button", name="Log out").click()
    expect(other.locator("#who")).to_have_text("You are not logged in.")
    expect(page.locator("#banner")).to_contain_text("The log-in has ended")
    page.get_by_role("button", name="Try now").click()
    expect(live.row(name)).to_have_attribute("data-condition", "live")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_a_wrong_token_is_said_to_be_wrong(live: LivePage) -> None:
    live.page.goto(f"{live.url}static/login.html")
    log_in(live.page, "wrong")
    expect(live.page.get_by_role("alert")).to_have_text("The token is not known.")
    expect(live.page.get_by_label("Token")).to_have_value("")
    live.expect_complaints("401 (Unauthorized)")


def test_where_an_identity_is_required_the_page_asks_for_it(browser: Browser, strict: Server, ioc: CIOC) -> None:
    for live in live_page(browser, strict.url):
        live.open(f"{ioc.prefix}ai")
        expect(live.page.locator("#who")).to_have_text("You are not logged in.")
        log_in(live.page)
        expect(live.cell(f"{ioc.prefix}ai", "value")).to_have_text("21.500")
        live.complaints = [text for text in live.complaints if "unauthenticated" not in text and "401" not in text]
