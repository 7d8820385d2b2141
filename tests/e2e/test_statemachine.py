"""The definition of the state machine takes every way that it should, with functions of a few lines.

What the functions really do is in the other files of this folder.
"""

import json
import tempfile
import threading
import unittest
from pathlib import Path

from harness.checker import Checker
from harness.cloud import REPOSITORY, Cloud, until
from harness.emulator import Emulator, Failure

SNAPSHOT = json.loads((REPOSITORY / "examples/organization/snapshot.json").read_text())
RUN = "20261125T000000000Z-0a1b2c3d"


class Script:
    """The four functions, with answers that a test may change."""

    def __init__(self, shards: int = 3):
        self.shards = shards
        self.dry_run = False
        self.checkpoints = 0
        # By (function, shard): failures still to come.
        self.failures: dict = {}
        self.unfinished: dict[int, int] = {}
        self.refused: set[int] = set()
        self.finished: list[dict] = []
        self.published: list[int] = []
        self.lock = threading.Lock()

    def _fail(self, key) -> None:
        with self.lock:
            kinds = self.failures.get(key, [])
            if kinds:
                raise Failure(kinds.pop(0), "told to by the test")

    def fetch(self, given):
        self._fail("fetch")
        self.checkpoints -= 1
        return {"schemaVersion": 1, "runId": given["runId"], "done": self.checkpoints < 0, "dryRun": self.dry_run,
                "scope": {}, "calls": 1, "throttled": 0, "gaps": 0}

    def evaluate(self, given):
        self._fail("evaluate")
        assert given["done"]
        shards = [self.shard(number) for number in range(self.shards)]
        return {"schemaVersion": 1, "runId": given["runId"], "dryRun": self.dry_run, "scope": {}, "bucket": "shards",
                "manifest": {"key": "manifest.json", "digest": "sha256:00"}, "shardCount": self.shards,
                "shards": shards if self.shards <= 40 else [], "changed": 0, "unknownActions": [], "unknownActionCount": 0,
                "summary": {"passed": 1, "failed": 0, "undecided": 0, "notApplicable": 0}}

    def shard(self, number):
        return {"runId": RUN, "shard": number, "shards": self.shards}

    def publish(self, given):
        if "report" in given:
            self._fail("report")
            return {"schemaVersion": 1, "runId": given["report"]["runId"]}
        number = given["shard"]["shard"]
        assert given == {"shard": self.shard(number)}, given
        self._fail(("publish", number))
        with self.lock:
            left = self.unfinished.get(number, 0)
            self.unfinished[number] = left - 1
            if left <= 0:
                self.published.append(number)
        failed = [{"id": "x", "code": "InternalError", "message": "m"}] if number in self.refused else []
        return {"schemaVersion": 1, "runId": RUN, "done": left <= 0, "written": 0, "archived": 0, "resolved": 0,
                "unchanged": 0, "failed": failed}

    def start(self, given):
        self._fail("finish")
        self.finished.append(given["finish"])
        return {"outcome": "finished"}


class StateMachineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.emulator = Emulator(Path(folder.name))
        cls.addClassCleanup(cls.emulator.close)
        cls.cloud = Cloud(cls.emulator.endpoint, Path(folder.name))
        cls.addClassCleanup(cls.cloud.close)
        cls.checker = Checker(cls.cloud, cls.emulator)
        cls.checker.deploy(SNAPSHOT, "", real=False)
        cls.cloud.client("s3").create_bucket(Bucket="shards")
        cls.number = 0

    def execute(self, script: Script, given: dict | None = None) -> dict:
        manifest = json.dumps([script.shard(number) for number in range(script.shards)])
        self.cloud.client("s3").put_object(Bucket="shards", Key="manifest.json", Body=manifest.encode())
        self.emulator.script("fetch-scps", script.fetch)
        self.emulator.script("evaluate-scps", script.evaluate)
        self.emulator.script("publish-findings", script.publish)
        self.emulator.script("start-check", script.start)
        given = {"debounceSeconds": 1, "fetch": {"runId": RUN}} if given is None else given
        type(self).number += 1
        client = self.cloud.client("stepfunctions")
        arn = client.start_execution(
            stateMachineArn=self.checker.machine, name=f"test-{self.number}", input=json.dumps(given)
        )["executionArn"]
        return until("the end of the execution", lambda: (
            found := client.describe_execution(executionArn=arn))["status"] != "RUNNING" and found, log=self.cloud.log)

    def assert_succeeded(self, script: Script, done: dict) -> None:
        self.assertEqual(done["status"], "SUCCEEDED", done)
        self.assertEqual(script.finished, [{"runId": RUN, "succeeded": True, "scope": {}}])

    def assert_failed(self, script: Script, done: dict, error: str) -> None:
        self.assertEqual((done["status"], done.get("error")), ("FAILED", error), done)
        self.assertEqual(script.finished, [{"runId": RUN, "succeeded": False}])

    def test_a_run_goes_through_every_step_once(self):
        script = Script()
        done = self.execute(script)
        self.assert_succeeded(script, done)
        self.assertEqual(sorted(script.published), [0, 1, 2])
        steps = self.checker.steps(done)
        for step in ("Debounce", "Fetch", "Evaluate", "PublishFew", "Report", "Finish"):
            self.assertEqual(steps.count(step), 1, steps)

    def test_fetching_goes_on_from_checkpoints(self):
        script = Script()
        script.checkpoints = 3
        done = self.execute(script)
        self.assert_succeeded(script, done)
        self.assertEqual(self.checker.steps(done).count("FetchMore"), 3)

    def test_a_shard_that_is_not_done_is_given_again(self):
        script = Script()
        script.unfinished = {1: 2}
        self.assert_succeeded(script, self.execute(script))
        self.assertEqual(sorted(script.published), [0, 1, 2])

    def test_a_dry_run_publishes_nothing_and_finishes_nothing(self):
        script = Script()
        script.dry_run = True
        done = self.execute(script)
        self.assertEqual(done["status"], "SUCCEEDED")
        self.assertEqual((script.published, script.finished), ([], []))

    def test_many_shards_are_read_from_the_manifest(self):
        script = Script(shards=45)
        script.unfinished = {44: 1}
        done = self.execute(script)
        self.assert_succeeded(script, done)
        self.assertEqual(sorted(script.published), list(range(45)))
        self.assertIn("PublishMany", self.checker.steps(done))

    def test_what_may_pass_is_tried_again(self):
        script = Script()
        script.failures = {"fetch": ["RetryableError", "Sandbox.Timedout"], "evaluate": ["RetryableError"],
                           ("publish", 1): ["RetryableError"], "report": ["RetryableError"], "finish": ["RetryableError"]}
        self.assert_succeeded(script, self.execute(script))
        self.assertEqual(sorted(script.published), [0, 1, 2])

    def test_a_function_whose_process_died_is_tried_again(self):
        script = Script()
        script.failures = {"fetch": ["Runtime.ExitError"], ("publish", 2): ["Runtime.ExitError"]}
        self.assert_succeeded(script, self.execute(script))

    def test_what_will_not_pass_ends_the_run_at_once(self):
        kinds = {"fetch": ("PermissionError", "SettingsError"), "evaluate": ("DamagedObjectError", "InputError"),
                 "report": ("CallError",)}
        for step, of_step in kinds.items():
            for kind in of_step:
                with self.subTest(step, kind=kind):
                    script = Script()
                    script.failures = {step: [kind] * 20}
                    self.assert_failed(script, self.execute(script), kind)
                    self.assertEqual(len(script.failures[step]), 19)

    def test_a_failed_shard_stops_neither_the_others_nor_goes_unnoticed(self):
        for shards in (3, 45):
            with self.subTest(shards=shards):
                script = Script(shards)
                script.failures = {("publish", 1): ["SecurityHubOffError"]}
                self.assert_failed(script, self.execute(script), "ShardsFailed")
                self.assertEqual(sorted(script.published), [number for number in range(shards) if number != 1])

    def test_refused_findings_fail_the_run_after_the_other_shards(self):
        script = Script()
        script.refused = {0}
        self.assert_failed(script, self.execute(script), "ShardsFailed")
        self.assertEqual(sorted(script.published), [0, 1, 2])

    def test_a_run_that_cannot_be_finished_fails(self):
        script = Script()
        script.failures = {"finish": ["PermissionError"]}
        done = self.execute(script)
        self.assertEqual((done["status"], done["error"]), ("FAILED", "PermissionError"))

    def test_input_without_a_run_is_refused(self):
        for given in ({}, {"fetch": {"runId": RUN}}, {"debounceSeconds": 0, "fetch": {"runId": ""}}):
            with self.subTest(given):
                script = Script()
                done = self.execute(script, given)
                self.assertEqual((done["status"], done["error"]), ("FAILED", "InputRefused"))


if __name__ == "__main__":
    unittest.main()
