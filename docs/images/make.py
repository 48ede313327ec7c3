"""Take the pictures of this folder anew: python docs/images/make.py [FOLDER]. Needs Chromium and the test requirements.

Each is a screenshot of the page of `pycaserver demo`, taken when its strip chart has run for a while.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
RECORDS = "ALARM DOUBLE COUNTER:FAST STATE T1 MOTOR:RBV SINE NOISE IMAGE LONG_STRING LATIN1 NAN READ_ONLY NO:SUCH:PV"
SECONDS_OF_CHART = 55
# File: colour scheme, size, scale, record that is plotted, seconds to wait.
PICTURES = {
    "page.png": ("dark", (1280, 760), 1.0, "ALARM", SECONDS_OF_CHART),
    "page-phone.png": ("light", (390, 844), 1.5, "ALARM", SECONDS_OF_CHART),
}


@contextmanager
def demo() -> Iterator[str]:
    """The address of a running demo."""
    command = [sys.executable, "-m", "pycaserver", "demo", "--port=0"]
    process = subprocess.Popen(command, cwd=HERE.parent.parent, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = (re.search(r"open (http://\S+)", line) for line in process.stdout)
        yield next(found[1] for found in lines if found)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def take(browser: Browser, url: str, file: Path) -> None:
    """One picture."""
    scheme, (width, height), scale, plotted, seconds = PICTURES[file.name]
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
    )
    page = context.new_page()
    page.goto(f"{url}#pv={','.join(f'SIM:{record}' for record in RECORDS.split())}&plot=SIM:{plotted}")
    page.wait_for_timeout(seconds * 1000)
    page.wait_for_selector('tr[data-pv="SIM:ALARM"][data-severity="MAJOR"]')
    page.screenshot(path=file)
    context.close()


def main(folder: Path) -> None:
    """Take them all."""
    path = os.environ.get("PYCASERVER_TEST_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name in PICTURES:
            take(browser, url, folder / name)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
