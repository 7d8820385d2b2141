"""The deployment and its driver, shown with four functions of a few lines in place of the real ones.

They keep to the shapes of the state machine and decide one thing: whether a policy has a statement.
"""

import json
import tempfile
import unittest
from pathlib import Path

from harness import events
from harness.checker import BUCKET, Checker, definition, function_arn
from harness.cloud import REPOSITORY, Cloud, until
from harness.emulator import ACCOUNT, Emulator, Failure
from harness.test_hub import finding

SNAPSHOT = json.loads((REPOSITORY / "examples/organization/snapshot.json").read_text())
POLICY = "p-staffonly01"


class Pretended:
    """A checker of a few lines, over the same calls that the real one makes."""

    def __init__(self, cloud: Cloud, checker: Checker):
        self.cloud, self.checker = cloud, checker
        self.moments = 0

    def start(self, given):
        if "finish" in given:
            self.checker.put("state/run.json", json.dumps({"runId": None}).encode())
            return {"outcome": "finished"}
        if given.get("detail", {}).get("errorCode"):
            return {"outcome": "ignored", "reason": "the call failed"}
        self.moments += 1
        run = f"run-{self.moments}"
        self.checker.put("state/run.json", json.dumps({"runId": run}).encode())
        self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.checker.machine, name=run,
            input=json.dumps({"debounceSeconds": 0, "fetch": {"runId": run}}))
        return {"outcome": "started", "runId": run}

    def fetch(self, given):
        return {"runId": given["runId"], "done": True}

    def evaluate(self, given):
        shard = {"runId": given["runId"], "shard": 0, "shards": 1}
        return {"dryRun": False, "bucket": BUCKET, "manifest": {"key": "m"}, "shardCount": 1, "shards": [shard],
                "scope": {}, "summary": {}}

    def publish(self, given):
        if "report" in given:
            return {}
        content = json.loads(self.cloud.client("organizations").describe_policy(PolicyId=POLICY)["Policy"]["Content"])
        status = "PASSED" if content["Statement"] else "FAILED"
        made = finding(Id="ses-perimeter/o-quillmark7/222222222222/SESDP.1", Compliance={"Status": status},
                       UpdatedAt=f"2026-11-23T00:00:0{self.moments}Z", AwsAccountId=ACCOUNT)
        self.cloud.client("securityhub").batch_import_findings(Findings=[made])
        self.cloud.client("events").put_events(Entries=[
            {"Source": "ses-perimeter", "DetailType": "changed", "Detail": json.dumps({"after": status})}])
        return {"done": True, "failed": []}


class CheckerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.emulator = Emulator(Path(folder.name))
        cls.addClassCleanup(cls.emulator.close)
        cls.cloud = Cloud(cls.emulator.endpoint, Path(folder.name))
        cls.addClassCleanup(cls.cloud.close)

    def setUp(self):
        self.checker = Checker(self.cloud, self.emulator)
        self.checker.deploy(SNAPSHOT, "# nothing", real=False)
        pretended = Pretended(self.cloud, self.checker)
        self.emulator.script("start-check", pretended.start)
        self.emulator.script("fetch-scps", pretended.fetch)
        self.emulator.script("evaluate-scps", pretended.evaluate)
        self.emulator.script("publish-findings", pretended.publish)

    def test_the_definition_is_filled_in_and_nothing_else_is_changed(self):
        filled = definition()
        self.assertNotIn("${", filled)
        for function in ("fetch-scps", "evaluate-scps", "publish-findings", "start-check"):
            self.assertIn(function_arn(function), filled)
        json.loads(filled)

    def test_a_run_leaves_findings_events_and_steps(self):
        done = self.checker.run({})
        self.assertEqual(done["status"], "SUCCEEDED", done)
        [found] = self.checker.findings().items()
        self.assertEqual((found[0], found[1]["Compliance"]["Status"]), (("222222222222", "SESDP.1"), "PASSED"))
        self.assertEqual([event["detail"]["after"] for event in self.checker.events()], ["PASSED"])
        self.assertEqual(self.checker.events(), [])
        self.assertEqual(self.checker.steps(done)[-1], "Done")
        self.assertEqual(self.checker.keys("state/"), ["state/run.json"])

    def test_a_change_shows_in_the_next_run(self):
        self.checker.run({})
        self.cloud.client("organizations").update_policy(PolicyId=POLICY, Content='{"Statement": []}')
        self.checker.run(events.policy_updated(POLICY))
        self.assertEqual(self.checker.findings()["222222222222", "SESDP.1"]["Compliance"]["Status"], "FAILED")
        self.assertEqual(set(self.cloud.writes().values()), {2})

    def test_a_trigger_that_starts_nothing_is_told_apart(self):
        outcome = self.checker.start(events.policy_updated(POLICY, errorCode="AccessDenied"))
        self.assertEqual(outcome.json["outcome"], "ignored")
        self.assertEqual(self.checker.executions(), [])

    def test_a_failed_execution_is_given_with_its_error(self):
        def denied(_):
            raise Failure("PermissionError", "grant it")

        self.emulator.script("fetch-scps", denied)
        done = self.checker.run({})
        self.assertEqual((done["status"], done["error"]), ("FAILED", "PermissionError"))

    def test_held_runs_are_seen_and_settle(self):
        with self.cloud.holding("lambda:Invoke", match="evaluate-scps") as reached:
            self.checker.start({})
            reached()
            self.assertEqual([execution["status"] for execution in self.checker.executions()], ["RUNNING"])
        self.assertEqual([execution["status"] for execution in self.checker.settle()], ["SUCCEEDED"])

    def test_waiting_has_an_end(self):
        self.assertRaises(AssertionError, until, "nothing", lambda: False, seconds=0.05)


if __name__ == "__main__":
    unittest.main()
