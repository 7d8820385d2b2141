"""What the tests of the pipeline share: one cloud for all of them, the example organization, the program."""

import copy
import functools
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import clock, events
from harness.checker import Checker, binaries
from harness.cloud import REPOSITORY, Cloud
from harness.emulator import Emulator

EXAMPLE = REPOSITORY / "examples/organization"
CONTROL_IDS = tuple(f"SESDP.{number}" for number in (*range(1, 19), 24))
CONTROLS = len(CONTROL_IDS)
# The account and the policy of its own that the tests weaken and mend.
PARTNER, PARTNER_POLICY, PARTNER_CONTROL = "888888888888", "p-partnertag1", "SESDP.16"
STATUSES = {"PASSED": "PASSED", "FAILED": "FAILED", "UNDECIDED": "WARNING", "NOT_APPLICABLE": "NOT_AVAILABLE"}


@functools.cache
def cloud() -> tuple[Emulator, Cloud]:
    """Started for the first test that needs them; they end with the process."""
    folder = Path(tempfile.mkdtemp(prefix="ses-perimeter-e2e-"))
    emulator = Emulator(folder)
    return emulator, Cloud(emulator.endpoint, folder)


def perimeter() -> str:
    """The example's perimeter, made independent of the day: what is valid stays so."""
    text = (EXAMPLE / "perimeter.toml").read_text()
    valid = "expires = 2027-06-30\n"
    assert valid in text
    return text.replace(valid, "")


def snapshot() -> dict:
    """The example's organization; the account of the partners has a guard of its own for the exemption's tag."""
    made = json.loads((EXAMPLE / "snapshot.json").read_text())
    guard = next(policy for policy in made["policies"] if policy["id"] == "p-tagguard001")
    made["policies"].append(copy.deepcopy(guard) | {"id": PARTNER_POLICY, "name": "mail-exemption-tag-guard-partners"})
    made["attachments"].append({"policyId": PARTNER_POLICY, "targetId": PARTNER})
    return made


class PipelineTest(unittest.TestCase):
    """A test with the checker deployed in the example organization and nothing done yet."""

    settings: dict[str, dict[str, str]] = {}

    # Whether Security Hub is on when the checker is deployed.
    hub = True

    def setUp(self):
        self.emulator, self.cloud = cloud()
        self.checker = Checker(self.cloud, self.emulator)
        self.checker.speed = clock.speed()
        self.snapshot = snapshot()
        self.addCleanup(self.cloud.ask, "clear")
        self.afresh()

    def afresh(self) -> None:
        """An organization and a deployment without a past."""
        self.checker.deploy(self.snapshot, perimeter(), hub=self.hub)
        self.checker.configure(**self.settings)

    @property
    def expected(self) -> int:
        """How many findings there are: none for accounts that are suspended, which send nothing."""
        return sum(account["state"] == "ACTIVE" for account in self.snapshot["accounts"]) * CONTROLS

    @property
    def organizations(self):
        return self.cloud.client("organizations")

    def content(self, policy: str) -> dict:
        return json.loads(self.organizations.describe_policy(PolicyId=policy)["Policy"]["Content"])

    def weaken(self, policy: str = PARTNER_POLICY) -> None:
        """Takes tagging of roles out of what the guard denies."""
        content = self.content(policy)
        content["Statement"][0]["Action"].remove("iam:TagRole")
        self.organizations.update_policy(PolicyId=policy, Content=json.dumps(content))

    def mend(self, policy: str = PARTNER_POLICY) -> None:
        content = next(known["content"] for known in self.snapshot["policies"] if known["id"] == policy)
        self.organizations.update_policy(PolicyId=policy, Content=content)

    def change(self, weak: bool) -> dict:
        """Weakens or mends the partners' policy, and gives the event about it."""
        (self.weaken if weak else self.mend)()
        return events.policy_updated(PARTNER_POLICY)

    def check_all(self) -> dict:
        """A run over everything, from which most tests start."""
        done = self.checker.run({})
        self.assert_succeeded(done)
        return done

    def assert_succeeded(self, execution: dict) -> None:
        self.assertEqual(execution["status"], "SUCCEEDED", f"{execution}\n{self.checker.logs()}")

    def assert_failed(self, execution: dict, *words: str) -> None:
        """The execution failed, and its error and cause say all of this."""
        self.assertEqual(execution["status"], "FAILED", self.checker.logs())
        said = f"{execution.get('error')} {execution.get('cause')}"
        for word in words:
            self.assertIn(word, said)

    def status(self, account: str = PARTNER, control: str = PARTNER_CONTROL) -> str:
        return self.checker.findings()[account, control]["Compliance"]["Status"]

    def statuses(self) -> dict[tuple[str, str], str]:
        """The statuses of all active findings by account and control."""
        return {key: finding["Compliance"]["Status"] for key, finding in self.checker.findings().items()
                if finding["RecordState"] == "ACTIVE"}

    def latest_snapshot(self) -> bytes:
        """The snapshot of the last complete run, in the bucket."""
        latest = self.checker.object("state/latest.json")
        return self.checker.bytes(latest["snapshot"]["key"])

    def program(self, *arguments: str, live=False, environment=None) -> subprocess.CompletedProcess:
        """Runs `ses-perimeter`; with `live` it takes the harness for AWS."""
        known = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NO_COLOR": "1"}
        known |= self.cloud.environment | clock.environment(self.checker.speed) if live else {}
        return subprocess.run([binaries() / "ses-perimeter", *arguments], env=known | (environment or {}),
                              capture_output=True, text=True, timeout=120, check=False)

    def decided(self, snapshot_text: bytes, *more: str) -> dict[tuple[str, str], str]:
        """What `ses-perimeter check` decides about a snapshot, as findings say it, for accounts that are active."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            (path / "snapshot.json").write_bytes(snapshot_text)
            (path / "perimeter.toml").write_text(perimeter())
            done = self.program("check", "--snapshot", str(path / "snapshot.json"), "--format", "json", *more)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        results = json.loads(done.stdout)["results"]
        active = {account["id"] for account in json.loads(snapshot_text)["accounts"] if account["state"] == "ACTIVE"}
        return {(result["accountId"], result["controlId"]): STATUSES[result["status"]]
                for result in results if result["accountId"] in active}

    def writes(self) -> int:
        """How many findings were written since the deployment."""
        return sum(self.cloud.writes().values())
