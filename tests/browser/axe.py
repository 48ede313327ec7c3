"""axe-core on a page: what it finds that is serious."""

from typing import Any

from playwright.sync_api import Page

from tests.npm import node_modules

SERIOUS = ("serious", "critical")
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
  ({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.slice(0, 5).map(({ html, target, any }) =>
    ({ html: html.slice(0, 200), target, why: any.map(({ message }) => message) })) }))"""


def serious_findings(page: Page) -> list[dict[str, Any]]:
    """Violations of serious or critical impact; [] on a page that all can use."""
    source = (node_modules("axe-core@4") / "axe-core" / "axe.min.js").read_text()
    page.evaluate(source)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [violation for violation in found if violation["impact"] in SERIOUS]
