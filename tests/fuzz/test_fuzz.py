"""Every input that fuzzing has found worth keeping."""

import pytest

from tests.fuzz.corpus import folder_of, inputs
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_all_that_was_found(target: str) -> None:
    assert len(list(folder_of(target).iterdir())) >= 10
    for data in inputs(target):
        TARGETS[target](data)
