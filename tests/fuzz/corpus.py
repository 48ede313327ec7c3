"""The inputs that are kept: one file each, in found/TARGET/, named by what they hold."""

from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path
from typing import Final

from tests.fuzz.targets import seeds

FOUND: Final = Path(__file__).parent / "found"


def folder_of(target: str) -> Path:
    """Where the inputs of a target are."""
    return FOUND / target


def inputs(target: str) -> Iterator[bytes]:
    """The seeds, and all that was found."""
    yield from seeds(target)
    for file in sorted(folder_of(target).iterdir()):
        yield file.read_bytes()


def plant(target: str) -> None:
    """Write the seeds to where the fuzzer begins, named as it names what it finds."""
    folder_of(target).mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (folder_of(target) / sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
