"""The whole checker on one machine, without AWS: `make demo`.

Deploys the real state machine and the built functions into moto, and tells a story in an
organization that is made up: a first check, a policy that somebody weakens, and its repair.
"""

import json
import os
import shutil
import sys
import tempfile
import textwrap
import time
from collections import Counter
from pathlib import Path

from . import events
from .checker import FUNCTIONS, Checker, binaries
from .cloud import REPOSITORY, Cloud
from .emulator import Emulator

EXAMPLE = REPOSITORY / "examples/organization"
POLICY, ACTION = "p-staffonly01", "ses:SendRawEmail"
ACCOUNT, CONTROL = "666666666666", "SESDP.8"
SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]
COLOURS = {"FAILED": 31, "PASSED": 32, "RESOLVED": 32, "WARNING": 33, "CRITICAL": 31}
ROWS = 12


class Stage:
    """Where the story is told: a terminal, or a file or pipe that gets plain lines."""

    def __init__(self, stream=sys.stdout):
        self.stream = stream
        self.live = stream.isatty()
        self.colours = self.live and not os.environ.get("NO_COLOR")
        self.width = max(60, min(110, shutil.get_terminal_size((100, 24)).columns if self.live else 100))
        self.shown = False

    def say(self, text: str = "", indent: int = 2) -> None:
        self.calm()
        for line in text.split("\n"):
            folded = textwrap.wrap(line, self.width - indent, break_long_words=False, break_on_hyphens=False) or [""]
            for part in folded:
                print((" " * indent + part).rstrip(), file=self.stream, flush=True)

    def row(self, text: str) -> None:
        self.calm()
        print(("  " + text).rstrip(), file=self.stream, flush=True)

    def head(self, number: int, text: str) -> None:
        self.calm()
        title = f"{number}. {text}"
        print(f"\n{self.paint(title, 1)}\n", file=self.stream, flush=True)

    def progress(self, text: str) -> None:
        """What happens right now, on a terminal only; the next line takes its place."""
        if self.live:
            print(f"\r\x1b[K  ... {text}", end="", file=self.stream, flush=True)
            self.shown = True

    def calm(self) -> None:
        if self.shown:
            print("\r\x1b[K", end="", file=self.stream, flush=True)
            self.shown = False

    def paint(self, text: str, code: int | None) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours and code else text

    def word(self, text: str, width: int = 0) -> str:
        """A status or severity in its colour, padded to a width."""
        return self.paint(text.ljust(width), COLOURS.get(text))


class Demo:
    def __init__(self, stage: Stage, checker: Checker):
        self.stage, self.checker, self.cloud = stage, checker, checker.cloud
        self.snapshot = json.loads((EXAMPLE / "snapshot.json").read_text())
        self.names = {account["id"]: account["name"] for account in self.snapshot["accounts"]}
        # Without the day on which an exemption ends, the story is the same on any day.
        self.perimeter = "".join(
            line for line in (EXAMPLE / "perimeter.toml").read_text().splitlines(True)
            if not line.startswith("expires = 2027")
        )

    def play(self) -> None:
        self.deploy()
        self.first_check()
        self.weaken()
        self.mend()
        self.nothing_new()

    def deploy(self) -> None:
        stage = self.stage
        stage.head(1, "Deploy")
        self.checker.deploy(self.snapshot, self.perimeter)
        head, count = self.snapshot["organization"], lambda part: len(self.snapshot[part])
        for what, text in (
            ("organization", f"{head['id']}, made up: {count('accounts')} accounts, "
                             f"{count('organizationalUnits')} units, {count('policies')} policies"),
            ("bucket", "with the perimeter, config/perimeter.toml"),
            ("functions", ", ".join(FUNCTIONS)),
            ("state machine", "infra/statemachine.asl.json"),
            ("Security Hub", "enabled; SES with a verified sender; a queue for the checker's own events"),
        ):
            stage.row(f"{what:<15}{text}")

    def run(self, trigger: dict, shown: str) -> dict:
        """Hands a trigger to start-check, follows the execution, and prints its steps."""
        self.stage.row(f"$ start-check {shown}")
        outcome = self.checker.start(trigger)
        if outcome.error:
            raise SystemExit(f"start-check failed: {outcome.body.decode()}")
        name = outcome.json["runId"]
        states = self.cloud.client("stepfunctions")
        arn = self.checker.machine.replace(":stateMachine:", ":execution:") + f":{name}"
        began = time.monotonic()
        while True:
            found = states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                break
            entered = self.checker.steps(found)
            self.stage.progress(f"{entered[-1] if entered else 'starting'} ({time.monotonic() - began:.1f} s)")
            time.sleep(0.1)
        counted = Counter(self.checker.steps(found))
        steps = [step if count == 1 else f"{step} x{count}" for step, count in counted.items()]
        self.stage.row(f"execution {name}")
        self.stage.say(" > ".join(steps), indent=4)
        self.stage.row(f"  {found['status']} in {time.monotonic() - began:.1f} s")
        if found["status"] != "SUCCEEDED":
            raise SystemExit(f"the execution failed: {found.get('error')}: {found.get('cause')}\n{self.checker.logs()}")
        self.checker.settle()
        return found

    def first_check(self) -> None:
        stage = self.stage
        stage.head(2, "The first check")
        self.run({}, "{}")
        findings = self.checker.findings()
        stage.row("")
        stage.row(f"{len(findings)} findings in Security Hub, by account:")
        stage.row("")
        order = ["PASSED", "FAILED", "WARNING", "NOT_AVAILABLE"]
        stage.row(f"{'account':<24}" + "".join(f"{name:>15}" for name in order))
        for account, name in self.names.items():
            own = [finding for (owner, _), finding in findings.items() if owner == account]
            counts = Counter(finding["Compliance"]["Status"] for finding in own)
            stage.row(f"{name:<24}" + "".join(f"{counts[status] or '-':>15}" for status in order))
        failed = [finding for finding in findings.values() if finding["Compliance"]["Status"] == "FAILED"]
        failed.sort(key=lambda finding: (SEVERITIES.index(severity(finding)), finding["Title"]))
        stage.row("")
        self.table(failed[:ROWS])
        if len(failed) > ROWS:
            stage.row(f"... and {len(failed) - ROWS} more that failed")
        self.checker.events()

    def table(self, findings: list[dict]) -> None:
        stage = self.stage
        stage.row(f"{'status':<9}{'severity':<15}title")
        for finding in findings:
            status = finding["Compliance"]["Status"]
            lines = textwrap.wrap(finding["Title"], stage.width - 26)
            stage.row(f"{stage.word(status, 9)}{stage.word(severity(finding), 15)}{lines[0]}")
            for line in lines[1:]:
                stage.row(" " * 24 + line)

    def changes(self) -> None:
        stage = self.stage
        told = sorted((event["detail"] for event in self.checker.events()),
                      key=lambda change: (change["accountId"], int(change["controlId"].split(".")[1])))
        stage.row("")
        stage.row(f"{len(told)} verdicts changed, each with an event of its own on the bus:")
        for change in told:
            stage.row(f"  {change['accountName']:<18}{change['controlId']:<10}{stage.word(str(change['before']))} -> "
                      f"{stage.word(change['after'])}")

    def show(self) -> None:
        finding = self.checker.findings()[ACCOUNT, CONTROL]
        self.stage.row("")
        self.stage.row(f"the finding {finding['Id']}")
        status, workflow = finding["Compliance"]["Status"], finding["Workflow"]["Status"]
        self.stage.row(f"  status    {self.stage.word(status)}, workflow {self.stage.word(workflow)}, "
                       f"severity {severity(finding)}")
        for name, text in (("title", finding["Title"]), ("says", finding["Description"])):
            lines = textwrap.wrap(" ".join(text.split()), self.stage.width - 14,
                                  break_long_words=False, break_on_hyphens=False)
            for number, line in enumerate(lines):
                self.stage.row(f"  {name if number == 0 else '':<10}{line}")

    def weaken(self) -> None:
        self.stage.head(3, "Somebody weakens a policy")
        client = self.cloud.client("organizations")
        content = json.loads(client.describe_policy(PolicyId=POLICY)["Policy"]["Content"])
        for statement in content["Statement"]:
            if ACTION in statement["Action"]:
                statement["Action"].remove(ACTION)
        name = client.update_policy(PolicyId=POLICY, Content=json.dumps(content))["Policy"]["PolicySummary"]["Name"]
        self.stage.say(f"{name} no longer denies {ACTION}. CloudTrail records UpdatePolicy, and EventBridge hands the "
                       "event on.")
        self.stage.row("")
        self.run(events.policy_updated(POLICY), f"<the event: UpdatePolicy {POLICY}>")
        self.changes()
        self.show()

    def mend(self) -> None:
        self.stage.head(4, "It is mended")
        content = next(policy["content"] for policy in self.snapshot["policies"] if policy["id"] == POLICY)
        self.cloud.client("organizations").update_policy(PolicyId=POLICY, Content=content)
        self.run(events.policy_updated(POLICY), f"<the event: UpdatePolicy {POLICY}>")
        self.changes()
        self.show()

    def nothing_new(self) -> None:
        self.stage.head(5, "A check after which nothing is new")
        before = sum(self.cloud.writes().values())
        self.run({}, "{}")
        self.stage.row(f"{sum(self.cloud.writes().values()) - before} findings written")
        digests = self.cloud.mails()
        self.stage.row(f"{len(digests)} digest mails sent in all")
        if digests:
            self.stage.row(f"the first: {digests[0]['subject']}")


def severity(finding: dict) -> str:
    return finding.get("Severity", {}).get("Label", "?")


def main() -> int:
    missing = [name for name in FUNCTIONS if not (binaries() / name).exists()]
    if missing:
        print(f"not built: {', '.join(missing)} in {binaries()}; `make demo` builds them", file=sys.stderr)
        return 2
    stage = Stage()
    stage.say("ses-perimeter, the live pipeline, without AWS: moto plays AWS on a loopback port, its Step Functions "
              "runs the real state machine, and the functions are the built binaries.", indent=0)
    with tempfile.TemporaryDirectory(prefix="ses-perimeter-demo-") as folder:
        logs = Path(folder)
        with Emulator(logs) as emulator, Cloud(emulator.endpoint, logs) as cloud:
            Demo(stage, Checker(cloud, emulator)).play()
    stage.say("\nEverything is stopped.", indent=0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
