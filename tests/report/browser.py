"""Chromium without a window, and reports of the built program to show in it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples" / "organization"
# The example's own day, so that its expiry dates mean the same tomorrow.
NOW = "2026-11-23T00:00:00Z"
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --window-size=1280,1000""".split()


def program() -> Path:
    """The built program."""
    named = os.environ.get("SES_PERIMETER_BINARIES")
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    folder = Path(named) if named else (REPOSITORY / target / "debug").resolve()
    return folder / "ses-perimeter"


def check(snapshot: Path, *options: str) -> bytes:
    """What `check` writes for a snapshot."""
    command = [program(), "check", "--snapshot", snapshot, "--now", NOW, "--quiet", *options]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(done.stderr.decode())
    return done.stdout


def find_browser() -> tuple[str, str]:
    """Driver and browser, or the tests are skipped; with the variable set they fail instead."""
    found = [shutil.which(name) for name in ("chromedriver", "chromium")]
    if None not in found:
        return found[0], found[1]
    message = (
        "needs chromedriver and chromium on PATH; on Debian: apt-get install chromium chromium-driver"
    )
    if os.environ.get("SES_PERIMETER_REQUIRE_BROWSER") == "1":
        raise RuntimeError(message)
    # unittest tells why a module was skipped only where it is asked to.
    print(f"tests/report skipped: {message}", file=sys.stderr)
    raise unittest.SkipTest(message)


class Browser:
    """A browser with a profile of its own, which is gone afterwards."""

    def __init__(self):
        driver, chromium = find_browser()
        self.folder = tempfile.TemporaryDirectory(prefix="ses-perimeter-report-")
        options = Options()
        options.binary_location = chromium
        for flag in [*FLAGS, f"--user-data-dir={self.folder.name}/profile"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))

    def close(self) -> None:
        self.driver.quit()
        self.folder.cleanup()

    def write(self, name: str, report: bytes) -> str:
        """The URL of a report in a file."""
        path = Path(self.folder.name, name)
        path.write_bytes(report)
        return path.as_uri()

    def open(self, url: str) -> None:
        """Loads a page anew, even where only the fragment differs."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def run(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def size(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, theme: str, media: str = "") -> None:
        """What the system prefers, and the medium."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def console(self) -> list[str]:
        """What the page complained about since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """What was asked for since the last call."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
