"""Starts the process that is AWS, and talks to it."""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import boto3
from botocore.config import Config

from .emulator import ACCOUNT, REGION

TESTS = Path(__file__).resolve().parent.parent
REPOSITORY = TESTS.parent
DEADLINE_SECONDS = 60.0

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class TooLate(AssertionError):
    """Something that should have happened did not."""


def until(what: str, condition, seconds: float = DEADLINE_SECONDS, log=lambda: "", pause: float = 0.02):
    """Asks `condition` until it gives something true, and returns that; fails after a while."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TooLate(f"waited {seconds:.0f} s for {what}\n{log()}")
        time.sleep(pause)


class Cloud:
    """moto in a process of its own, with the front before it. A context manager."""

    def __init__(self, functions: str, logs: Path, time_scale: float = 0.02):
        logs.mkdir(parents=True, exist_ok=True)
        self.log_path = logs / "cloud.log"
        self._log = self.log_path.open("wb")
        environment = {
            "PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(TESTS), "HOME": str(logs), **CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.server", "--functions", functions, "--time-scale", str(time_scale)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )
        atexit.register(self.close)
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(f"moto did not start:\n{self.log()}")
        self.endpoint = f"http://127.0.0.1:{int(line)}"
        self._clients = {}

    def __enter__(self) -> "Cloud":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process; safe to call twice."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            stream.close()
        atexit.unregister(self.close)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def client(self, service: str, **credentials):
        """A boto3 client of a service, of the management account unless credentials say otherwise."""
        key = (service, tuple(sorted(credentials.items())))
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service, endpoint_url=self.endpoint, region_name=REGION,
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
                **({"aws_access_key_id": "testing", "aws_secret_access_key": "testing"} | credentials),
            )
        return self._clients[key]

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to take this for AWS."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
                "AWS_EC2_METADATA_DISABLED": "true", **CREDENTIALS}

    def reset(self) -> None:
        """Empties everything: the services, the faults, the counts."""
        self.ask("clear")
        self._post("/moto-api/reset")

    def calls(self) -> Counter:
        """How often each operation was called since they were last forgotten."""
        return Counter(self.ask("calls"))

    def forget_calls(self) -> None:
        self.ask("forget-calls")

    def findings(self, account: str = ACCOUNT) -> dict[str, dict]:
        """The findings in Security Hub by id."""
        return {finding["Id"]: finding for finding in self.ask("findings", account=account)["findings"]}

    def writes(self, account: str = ACCOUNT) -> Counter:
        """How often each finding was written."""
        return Counter(self.ask("findings", account=account)["writes"])

    def runs(self, machine: str) -> bool:
        """Whether an execution of this state machine runs, told as soon as none does or a second later."""
        return self.ask("running", machine=machine, seconds=1)

    def mails(self) -> list[dict]:
        return self.ask("mails")

    @contextlib.contextmanager
    def failing(self, operation: str, **fault):
        """Lets an operation (`service:Operation`) fail inside the block."""
        self.ask("fail", operation=operation, **fault)
        try:
            yield
        finally:
            self.ask("mend", operation=operation)

    @contextlib.contextmanager
    def holding(self, operation: str, **which):
        """Lets an operation wait inside the block; gives a function that waits until it is reached."""
        self.ask("hold", operation=operation, **which)

        def reached():
            until(f"a call of {operation}", lambda: self.ask("held", operation=operation)["held"], log=self.log)

        try:
            yield reached
        finally:
            self.ask("release", operation=operation)

    def ask(self, verb: str, **wish):
        return self._post(f"/harness/{verb}", wish)

    def _post(self, path: str, wish: dict | None = None):
        request = urllib.request.Request(self.endpoint + path, data=json.dumps(wish or {}).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.read().decode(errors='replace')}") from error
