"""Waiting for what a page's scripts know."""

from typing import Any

from playwright.sync_api import Page

from tests.timing import wait_for

PAGE_SECONDS = 15.0


def wait_until(page: Page, expression: str, arg: Any = None) -> None:
    """Until the expression or function is true.

    Page.wait_for_function evaluates it in the page itself, which the page's CSP forbids, unless it is true at once.
    """
    wait_for(lambda: page.evaluate(expression, arg), PAGE_SECONDS, expression)
