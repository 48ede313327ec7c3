"""Take the pictures of the documentation anew: python docs/images/make.py [NAME ...]. Needs Chromium and the test
requirements, and some minutes.

All are screenshots of one running `pycaserver demo`: of its page, of the page that the tutorial makes, and of the
gallery. Meanwhile the simulated machine is made to do something, so that there is something to see.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, sync_playwright

from pycaserver.demo import DASHBOARD

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EXAMPLES = ROOT / "static" / "examples"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-page.md"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SETTLE_SECONDS = 10  # in which a page has its values and draws them
WARM_UP_SECONDS = 60
# What happens meanwhile: a PV, a value, and the seconds that pass before it is written.
SCRIPT = (
    ("RECIPE:DURATIONS", [6.0, 9.0, 8.0, 6.0], 0.0),
    ("RECIPE:RUNNING", 1, 0.0),
    ("ENERGY", 9.2, 6.0),
    ("MOTOR", 42.5, 4.0),
    ("VALVE", 1, 6.0),
    ("ENERGY", 8.1, 8.0),
    ("VALVE", 0, 2.0),
    ("MOTOR", -17.0, 8.0),
)


class Picture(NamedTuple):
    """One file: where it goes, what it shows, and how."""

    file: Path
    path: str
    """Of the demo's."""
    size: tuple[int, int]
    scheme: str = "dark"
    scale: float = 1.0

    @property
    def name(self) -> str:
        """For the command line."""
        return self.file.stem


PICTURES = (
    *(
        Picture(EXAMPLES / "pictures" / f"{page}.jpg", f"static/examples/{page}.html", (1280, 800), scale=0.5)
        for page in ("beamline", "scope", "camera", "chart", "recipe", "wall")
    ),
    Picture(HERE / "page.png", DASHBOARD, (1360, 900)),
    Picture(HERE / "page-phone.png", DASHBOARD, (390, 844), "light", 1.5),
    Picture(HERE / "tutorial.png", "pages/", (840, 720)),
    Picture(HERE / "gallery.png", "static/examples/index.html", (1280, 800)),
)
"""The gallery comes last: it shows the pictures of the examples."""


@contextmanager
def demo(pages: str) -> Iterator[str]:
    """The address of a running demo."""
    command = [sys.executable, "-m", "pycaserver", "demo", "--port=0", f"--pages={pages}"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = (re.search(r"open (http://\S+)", line) for line in process.stdout)
        yield next(found[1] for found in lines if found)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def put(url: str, record: str, value: object) -> None:
    """Write a PV of the demo, and wait for nothing."""
    body = json.dumps({"value": value, "wait": False}).encode()
    urlopen(Request(f"{url}api/pv/SIM:{record}", body, {"Content-Type": "application/json"}, method="PUT")).close()


def play(url: str, ended: Event) -> None:
    """Let the machine do something, again and again."""
    for record, value, seconds in cycle(SCRIPT):
        if ended.wait(seconds):
            break
        put(url, record, value)


@contextmanager
def playing(url: str) -> Iterator[None]:
    """The machine does something, and has done so for a while."""
    ended = Event()
    player = Thread(target=play, args=(url, ended))
    player.start()
    try:
        time.sleep(WARM_UP_SECONDS)
        yield
    finally:
        ended.set()
        player.join()


def tutorial_page() -> str:
    """The whole page, with which the tutorial ends."""
    return re.findall(r"^```html\n(.*?)^```$", TUTORIAL.read_text(), flags=re.MULTILINE | re.DOTALL)[-1]


def take(browser: Browser, url: str, picture: Picture) -> None:
    """One picture."""
    width, height = picture.size
    context = browser.new_context(
        color_scheme=picture.scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": height},
        device_scale_factor=picture.scale,
    )
    page = context.new_page()
    page.goto(url + picture.path)
    page.wait_for_timeout(SETTLE_SECONDS * 1000)
    picture.file.parent.mkdir(exist_ok=True)
    quality = {"quality": 85} if picture.file.suffix == ".jpg" else {}
    page.screenshot(path=picture.file, **quality)  # type: ignore[arg-type]
    context.close()


def main(names: list[str]) -> None:
    """Take those of these names, or all."""
    path = os.environ.get("PYCASERVER_TEST_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    with tempfile.TemporaryDirectory() as pages, demo(pages) as url, sync_playwright() as playwright:
        Path(pages, "index.html").write_text(tutorial_page(), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        with playing(url):
            for picture in PICTURES:
                if not names or picture.name in names:
                    take(browser, url, picture)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
