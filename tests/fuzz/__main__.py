"""`python -m tests.fuzz TARGET [option of libFuzzer ...]`: fuzz one decoder with atheris, beginning with its corpus.

What it finds new goes into the folder of the corpus; -runs=N and -max_total_time=SECONDS bound it. A failure is written
to the working directory as crash-... and ends it with an exit code.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

BYTE = "\\x{:02x}"

with atheris.instrument_imports(include=["pycaserver"]):
    from tests.fuzz.corpus import folder_of, plant
    from tests.fuzz.targets import DICTIONARY, TARGETS


def entry(word: bytes) -> str:
    """The line of a word in a dictionary of libFuzzer."""
    return f'"{"".join(map(BYTE.format, word))}"\n' if word else ""


def main() -> None:
    """Fuzz until the bound or the first failure."""
    target, *options = sys.argv[1:] or sys.exit(f"usage: python -m tests.fuzz {{{','.join(TARGETS)}}} [options]")
    plant(target)
    with TemporaryDirectory() as folder:
        words = Path(folder) / "words"
        words.write_text("".join(map(entry, DICTIONARY)))
        atheris.Setup([sys.argv[0], str(folder_of(target)), f"-dict={words}", *options], TARGETS[target])
        atheris.Fuzz()


main()
