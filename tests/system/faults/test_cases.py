"""Every case is named by tests that exist, and stands in the table of the docs with all of them."""

import ast
import re

import pytest

from tests.iocs import ROOT
from tests.system.faults.cases import CASES, Case

PAGE = ROOT / "docs" / "reference" / "reliability.md"


def names_in(file: str) -> set[str]:
    """What that file below tests/ defines."""
    tree = ast.parse((ROOT / "tests" / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {node.name for node in tree.body if isinstance(node, kinds)} | assigned


def test_there_are_twenty_six() -> None:
    assert list(CASES) == list(range(1, 27))


@pytest.mark.parametrize("case", CASES.values(), ids=map(str, CASES))
def test_tests_of_a_case_exist(case: Case) -> None:
    assert case.tests and len(set(case.tests)) == len(case.tests)
    for test in case.tests:
        file, _, name = test.partition("::")
        assert name in names_in(file), f"{test} is no test"


def test_docs_name_the_tests_of_each_case() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", PAGE.read_text(), flags=re.MULTILINE)
    for number, cell in rows:
        named = re.findall(r"`(\w+)`", cell)
        known = {test.partition("::")[2] for test in CASES[int(number)].tests}
        assert named and set(named) <= known, f"case {number}"
    assert {int(number) for number, _ in rows} == set(CASES)
