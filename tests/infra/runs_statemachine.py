"""The real definition, run by moto's interpreter with scripted functions in place of the real ones.

Needs moto (tests/requirements-e2e.txt); tests/harness runs it with the real functions. Here is what
these seldom do: fail, go on in pieces, refuse some findings.
"""

import itertools
import json
import logging
import os
import re
import time
import unittest
from unittest import mock

import boto3
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from .template import INFRA

ACCOUNT = "123456789012"
RUN = "20261123T000000000Z-0a1b2c3d"
BUCKET, MANIFEST = "the-bucket", f"runs/{RUN}/manifest.json"
SETTINGS = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
numbers = itertools.count()


def definition() -> str:
    """The definition with names of functions in it, and with retries that do not take minutes."""
    text = (INFRA / "statemachine.asl.json").read_text().replace("${Partition}", "aws")
    text = re.sub(r"\$\{(\w+)FunctionArn\}", rf"arn:aws:lambda:us-east-1:{ACCOUNT}:function:\1", text)
    return re.sub(r'"MaxAttempts": \d', '"MaxAttempts": 1', re.sub(r'"IntervalSeconds": \d', '"IntervalSeconds": 1', text))


def failure(kind: str) -> dict:
    return {"errorType": kind, "errorMessage": f"a scripted {kind}"}


def fetched(done: bool = True) -> dict:
    return {"schemaVersion": 1, "runId": RUN, "done": done, "dryRun": False, "scope": {}, "calls": 1, "throttled": 0, "gaps": 0}


def shards(count: int) -> list[dict]:
    return [{"runId": RUN, "shard": number, "shards": count} for number in range(count)]


def evaluated(count: int, dry_run: bool = False) -> dict:
    return {
        "schemaVersion": 1, "runId": RUN, "dryRun": dry_run, "scope": {}, "bucket": BUCKET, "shardCount": count,
        "manifest": {"key": MANIFEST, "digest": "sha256:0"}, "shards": shards(count) if count <= 40 else [],
        "summary": {}, "changed": 0, "unknownActions": [], "unknownActionCount": 0,
    }


class Script:
    """What each function answers, call by call; the last answer stays."""

    def __init__(self, fetch=None, evaluate=None, finish=({},), report=({"failed": []},), publish=None):
        self.answers = {
            "Fetch": list(fetch or [fetched()]), "Evaluate": list(evaluate or [evaluated(2)]),
            "Start": list(finish), "Report": list(report),
        }
        self.publish = publish or {}
        self.calls = []

    def __call__(self, name: str, payload: dict) -> dict:
        if name == "Publish" and "report" in payload:
            name = "Report"
        self.calls.append((name, payload))
        if name == "Publish":
            answers = self.publish.get(payload["shard"]["shard"], [])
            return answers.pop(0) if answers else {"done": True, "failed": []}
        answers = self.answers[name]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def of(self, name: str) -> list[dict]:
        return [payload for called, payload in self.calls if called == name]

    def published(self) -> set[int]:
        return {payload["shard"]["shard"] for payload in self.of("Publish")}


class Runs(unittest.TestCase):
    def setUp(self):
        # The interpreter logs every failure that a test is about.
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        credentials = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
        for context in (mock.patch.dict(os.environ, credentials), mock_aws(config=SETTINGS)):
            context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)

    def run_with(self, script: Script, given: dict | None = None) -> dict:
        """Runs the machine to its end, and gives the execution."""

        def invoke(_, function_name, _qualifier, body, _headers, response_headers):
            name = function_name.split(":function:")[-1].split(":")[0]
            answer = script(name, json.loads(body))
            if "errorType" in answer:
                response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(answer).encode()

        given = given or {"debounceSeconds": 0, "fetch": {"schemaVersion": 1, "runId": RUN}}
        client = boto3.client("stepfunctions")
        name = f"run-{next(numbers)}"
        with mock.patch.object(LambdaSimpleBackend, "invoke", invoke):
            role = f"arn:aws:iam::{ACCOUNT}:role/any"
            machine = client.create_state_machine(name=name, definition=definition(), roleArn=role)["stateMachineArn"]
            execution = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))["executionArn"]
            while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
                time.sleep(0.05)
        return found

    def assert_failed(self, execution: dict, script: Script, error: str):
        self.assertEqual((execution["status"], execution["error"]), ("FAILED", error))
        self.assertEqual(script.of("Start"), [{"finish": {"runId": RUN, "succeeded": False}}])

    def assert_succeeded(self, execution: dict, script: Script):
        self.assertEqual(execution["status"], "SUCCEEDED")
        self.assertEqual(script.of("Start"), [{"finish": {"runId": RUN, "succeeded": True, "scope": {}}}])

    def test_collecting_goes_on_at_each_checkpoint(self):
        script = Script(fetch=[fetched(False), fetched(False), fetched()])
        self.assert_succeeded(self.run_with(script), script)
        self.assertEqual([payload.get("done") for payload in script.of("Fetch")], [None, False, False])
        self.assertEqual(script.of("Evaluate"), [fetched()])

    def test_a_shard_is_published_with_the_same_input_until_it_is_done(self):
        script = Script(publish={1: [{"done": False, "failed": []}, {"done": False, "failed": []}]})
        self.assert_succeeded(self.run_with(script), script)
        again = [payload for payload in script.of("Publish") if payload["shard"]["shard"] == 1]
        self.assertEqual(again, [{"shard": shards(2)[1]}] * 3)

    def test_a_failed_shard_stops_no_other_and_fails_the_run_after_the_report(self):
        script = Script(evaluate=[evaluated(6)], publish={0: [failure("DamagedObjectError")] * 2})
        self.assert_failed(self.run_with(script), script, "ShardsFailed")
        self.assertEqual(script.published(), set(range(6)))
        self.assertEqual(script.of("Report"), [{"report": {"runId": RUN}}])

    def test_the_only_shard_counts_when_it_fails(self):
        script = Script(evaluate=[evaluated(1)], publish={0: [failure("CallError")] * 2})
        self.assert_failed(self.run_with(script), script, "ShardsFailed")

    def test_refused_findings_fail_the_run(self):
        refused = {"done": True, "failed": [{"id": "x", "code": "InvalidInput", "message": "no"}]}
        script = Script(publish={1: [refused]})
        self.assert_failed(self.run_with(script), script, "ShardsFailed")

    def test_no_shards_are_no_failure(self):
        script = Script(evaluate=[evaluated(0)])
        self.assert_succeeded(self.run_with(script), script)

    def test_a_dry_run_publishes_and_finishes_nothing(self):
        script = Script(evaluate=[evaluated(2, dry_run=True)])
        self.assertEqual(self.run_with(script)["status"], "SUCCEEDED")
        self.assertEqual({name for name, _ in script.calls}, {"Fetch", "Evaluate"})

    def test_what_may_succeed_later_is_tried_again(self):
        script = Script(fetch=[failure("RetryableError"), fetched()])
        self.assert_succeeded(self.run_with(script), script)
        self.assertEqual(len(script.of("Fetch")), 2)

    def test_what_cannot_succeed_later_is_not_tried_again(self):
        script = Script(fetch=[failure("PermissionError")])
        self.assert_failed(self.run_with(script), script, "PermissionError")
        self.assertEqual(len(script.of("Fetch")), 1)
        self.assertEqual(script.of("Evaluate"), [])

    def test_a_failed_report_fails_the_run(self):
        script = Script(report=[failure("CallError")])
        self.assert_failed(self.run_with(script), script, "CallError")

    def test_a_run_that_cannot_be_finished_fails(self):
        script = Script(finish=[failure("CallError")])
        execution = self.run_with(script)
        self.assertEqual((execution["status"], execution["error"]), ("FAILED", "CallError"))

    def test_an_input_without_a_run_is_refused_before_anything_is_called(self):
        script = Script()
        execution = self.run_with(script, {"fetch": {}})
        self.assertEqual((execution["status"], execution["error"]), ("FAILED", "InputRefused"))
        self.assertEqual(script.calls, [])

    def test_many_shards_come_from_the_manifest(self):
        store = boto3.client("s3")
        store.create_bucket(Bucket=BUCKET)
        store.put_object(Bucket=BUCKET, Key=MANIFEST, Body=json.dumps(shards(41)))
        script = Script(evaluate=[evaluated(41)], publish={3: [{"done": False, "failed": []}]})
        self.assert_succeeded(self.run_with(script), script)
        self.assertEqual(script.published(), set(range(41)))
        script = Script(evaluate=[evaluated(41)], publish={3: [failure("CallError")] * 2})
        self.assert_failed(self.run_with(script), script, "ShardsFailed")
        self.assertEqual(script.published(), set(range(41)))


if __name__ == "__main__":
    unittest.main()
