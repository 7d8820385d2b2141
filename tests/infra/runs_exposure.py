"""The definition of readings, run by moto's interpreter with scripted functions in place of the real ones.

As runs_statemachine.py does it for runs; needs moto (tests/requirements-e2e.txt).
"""

import itertools
import json
import logging
import os
import re
import threading
import time
import unittest
from unittest import mock

import boto3
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from .runs_statemachine import ACCOUNT, BUCKET, SETTINGS, failure
from .template import INFRA

numbers = itertools.count()
FAILED_EVER = [failure("CallError")] * 99


def definition(concurrency: int = 3) -> str:
    """The definition with names of functions in it, and with retries that do not take minutes."""
    text = (INFRA / "exposure.asl.json").read_text().replace("${Partition}", "aws")
    text = text.replace("${Concurrency}", str(concurrency))
    text = re.sub(r"\$\{(\w+)FunctionArn\}", rf"arn:aws:lambda:us-east-1:{ACCOUNT}:function:\1", text)
    return re.sub(r'"MaxAttempts": \d', '"MaxAttempts": 1', re.sub(r'"IntervalSeconds": \d', '"IntervalSeconds": 1', text))


def merged(part: int = 64, done: bool = True) -> dict:
    return {"done": done, "part": part, "accounts": 3, "regions": 6, "gaps": 0}


class Script:
    """What the functions answer, call by call; the last answer stays."""

    def __init__(self, batches: int = 2, read=None, merge=None, plan=None, start=({"outcome": "Started"},)):
        self.batches = batches
        # By batch: answers still to come before it is done.
        self.read = read or {}
        self.answers = {"plan": list(plan or [None]), "merge": list(merge or [merged()]), "Start": list(start)}
        self.calls = []
        self.at_once, self.most_at_once = 0, 0
        self.lock = threading.Lock()

    def __call__(self, name: str, payload: dict) -> dict:
        kind = "Start" if name == "Start" else next(iter(payload))
        with self.lock:
            self.calls.append((kind, payload))
            if kind == "batch":
                self.at_once += 1
                self.most_at_once = max(self.at_once, self.most_at_once)
        if kind == "batch":
            time.sleep(0.02)
            with self.lock:
                self.at_once -= 1
                waiting = self.read.get(payload["batch"]["batch"], [])
                return waiting.pop(0) if waiting else self.progress(payload["batch"], True)
        answers = self.answers[kind]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if kind == "plan":
            return answer or self.planned(payload["plan"]["runId"])
        if kind == "merge" and "errorType" not in answer:
            answer = answer | {"schemaVersion": 1, "runId": payload["merge"]["runId"]}
        return answer

    def planned(self, run: str) -> dict:
        key = f"exposure/{run}/manifest.json"
        batches = [{"schemaVersion": 1, "runId": run, "batch": number} for number in range(self.batches)]
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(batches))
        return {
            "schemaVersion": 1, "runId": run, "bucket": BUCKET, "manifest": {"key": key, "digest": "sha256:0"},
            "batches": self.batches, "regions": 6, "estimatedCalls": 42, "estimatedSeconds": 9,
        }

    @staticmethod
    def progress(batch: dict, done) -> dict:
        return {"schemaVersion": 1, "runId": batch.get("runId"), "batch": batch.get("batch"), "done": done,
                "regionsLeft": 0 if done else 3, "calls": 7, "throttled": 0}

    def of(self, kind: str) -> list[dict]:
        return [payload for called, payload in self.calls if called == kind]

    def read_batches(self) -> list[int]:
        return sorted(payload["batch"]["batch"] for payload in self.of("batch"))


class Readings(unittest.TestCase):
    def setUp(self):
        # The interpreter logs every failure that a test is about.
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        credentials = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
        for context in (mock.patch.dict(os.environ, credentials), mock_aws(config=SETTINGS)):
            context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
        boto3.client("s3").create_bucket(Bucket=BUCKET)

    def run_with(self, script: Script, given: dict | None = None, concurrency: int = 3) -> dict:
        """Runs the machine to its end, and gives the execution."""

        def invoke(_, function_name, _qualifier, body, _headers, response_headers):
            answer = script(function_name.split(":function:")[-1].split(":")[0], json.loads(body))
            if "errorType" in answer:
                response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(answer).encode()

        client = boto3.client("stepfunctions")
        name = f"reading-{next(numbers)}"
        with mock.patch.object(LambdaSimpleBackend, "invoke", invoke):
            machine = client.create_state_machine(
                name=name, definition=definition(concurrency), roleArn=f"arn:aws:iam::{ACCOUNT}:role/any"
            )["stateMachineArn"]
            execution = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given or {}))["executionArn"]
            while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
                time.sleep(0.05)
        return found

    def assert_failed(self, execution: dict, script: Script, error: str):
        self.assertEqual((execution["status"], execution["error"]), ("FAILED", error))
        self.assertEqual(script.of("Start"), [])

    def assert_succeeded(self, execution: dict, script: Script):
        self.assertEqual(execution["status"], "SUCCEEDED", execution)
        self.assertEqual(script.of("Start"), [{}])

    def test_a_reading_plans_reads_merges_and_has_it_checked(self):
        script = Script()
        done = self.run_with(script)
        self.assert_succeeded(done, script)
        run = f"run-{done['name']}"
        self.assertEqual(script.of("plan"), [{"plan": {"runId": run}}])
        self.assertEqual(script.read_batches(), [0, 1])
        self.assertEqual(script.of("merge"), [{"merge": {"runId": run}}])
        self.assertEqual(json.loads(done["output"]), merged() | {"schemaVersion": 1, "runId": run})

    def test_what_somebody_asks_for_reaches_the_plan(self):
        for given in ({"accounts": ["222222222222"]}, {"full": True}, {"accounts": ["222222222222"], "full": False}):
            script = Script()
            done = self.run_with(script, given)
            self.assert_succeeded(done, script)
            self.assertEqual(script.of("plan"), [{"plan": given | {"runId": f"run-{done['name']}"}}])

    def test_an_input_of_another_shape_is_refused_before_anything_is_called(self):
        for given in ({"accounts": []}, {"accounts": "222222222222"}, {"accounts": [2]}, {"full": "yes"}, {"runId": "latest"}):
            script = Script()
            self.assert_failed(self.run_with(script, given), script, "InputRefused")
            self.assertEqual(script.calls, [], given)

    def test_where_nothing_is_due_nothing_is_read_and_nothing_follows(self):
        script = Script(batches=0)
        self.assertEqual(self.run_with(script)["status"], "SUCCEEDED")
        self.assertEqual([kind for kind, _ in script.calls], ["plan"])

    def test_a_batch_is_given_again_with_the_same_input_until_it_is_done(self):
        unfinished = Script.progress({}, False)
        script = Script(read={1: [unfinished] * 3})
        self.assert_succeeded(self.run_with(script), script)
        again = [payload for payload in script.of("batch") if payload["batch"]["batch"] == 1]
        self.assertEqual(len(again), 4)
        self.assertEqual(len({json.dumps(payload) for payload in again}), 1)

    def test_a_failed_batch_stops_no_other_and_the_merge_follows(self):
        script = Script(batches=4, read={0: FAILED_EVER[:], 3: [failure("DamagedObjectError")] * 9})
        self.assert_succeeded(self.run_with(script), script)
        self.assertEqual(set(script.read_batches()), set(range(4)))
        self.assertEqual(len(script.of("merge")), 1)

    def test_where_every_batch_fails_the_merge_still_makes_gaps_of_them(self):
        script = Script(read={0: FAILED_EVER[:], 1: FAILED_EVER[:]})
        self.assert_succeeded(self.run_with(script), script)
        self.assertEqual(len(script.of("merge")), 1)

    def test_an_answer_without_done_is_a_failed_batch_and_no_endless_one(self):
        for answer in ({"batch": 0}, Script.progress({}, None), Script.progress({}, "yes")):
            script = Script(batches=1, read={0: [answer] * 99})
            self.run_with(script)
            self.assertEqual(len(script.of("batch")), 1, answer)

    def test_what_may_succeed_later_is_tried_again(self):
        retryable = failure("RetryableError")
        script = Script(read={0: [retryable]}, plan=[retryable, None], merge=[retryable, merged()], start=[retryable, {}])
        done = self.run_with(script)
        self.assertEqual(done["status"], "SUCCEEDED", done)
        for kind in ("plan", "merge", "Start"):
            self.assertEqual(len(script.of(kind)), 2, kind)
        self.assertEqual(script.read_batches(), [0, 0, 1])

    def test_merging_goes_on_at_the_part_where_it_stopped(self):
        script = Script(merge=[merged(20, False), merged(41, False), merged()])
        self.assert_succeeded(self.run_with(script), script)
        self.assertEqual([payload["merge"].get("part") for payload in script.of("merge")], [None, 20, 41])
        self.assertEqual(len({payload["merge"]["runId"] for payload in script.of("merge")}), 1)

    def test_a_failed_plan_or_merge_fails_the_reading_and_nothing_is_checked(self):
        for script in (Script(plan=[failure("PermissionError")]), Script(merge=[failure("PermissionError")]),
                       Script(merge=[merged(3, False), failure("PermissionError")])):
            execution = self.run_with(script)
            self.assert_failed(execution, script, "PermissionError")
            self.assertIn("a scripted PermissionError", execution["cause"])

    def test_a_check_that_cannot_be_started_fails_the_reading(self):
        script = Script(start=[failure("CallError")])
        execution = self.run_with(script)
        self.assertEqual((execution["status"], execution["error"]), ("FAILED", "CallError"))

    def test_no_more_batches_are_read_at_once_than_the_parameter_says(self):
        script = Script(batches=6)
        self.assert_succeeded(self.run_with(script, concurrency=2), script)
        self.assertEqual(script.read_batches(), list(range(6)))
        self.assertLessEqual(script.most_at_once, 2)


if __name__ == "__main__":
    unittest.main()
