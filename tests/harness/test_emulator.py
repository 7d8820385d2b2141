"""The emulator behaves as Lambda does, shown with a function of a few lines."""

import json
import os
import signal
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from harness.cloud import until
from harness.emulator import PAYLOAD_LIMIT, Emulator, function_name

STANDIN = [sys.executable, str(Path(__file__).with_name("standin.py"))]


class EmulatorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.emulator = Emulator(Path(folder.name))
        self.addCleanup(self.emulator.close)

    def deploy(self, **settings):
        environment = settings.pop("environment", {})
        self.emulator.deploy("standin", STANDIN, environment, **settings)

    def invoke(self, **payload):
        return self.emulator.invoke("standin", payload)

    def post(self, target: str, body: bytes, **headers):
        url = f"{self.emulator.endpoint}/2015-03-31/functions/{target}/invocations"
        return urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=20)

    def test_an_answer_comes_back_with_what_lambda_tells_a_function(self):
        self.deploy(timeout_seconds=30)
        before = time.time()
        outcome = self.invoke(do="echo", word="straße")
        self.assertIsNone(outcome.error)
        self.assertEqual(outcome.json["event"], {"do": "echo", "word": "straße"})
        self.assertEqual(outcome.json["name"], "standin")
        self.assertEqual(function_name(outcome.json["arn"]), "standin")
        self.assertAlmostEqual(outcome.json["deadline"] / 1000, before + 30, delta=20)

    def test_a_process_serves_one_invocation_after_the_other(self):
        self.deploy()
        first, second = self.invoke(do="count").json, self.invoke(do="count").json
        self.assertEqual((first["count"], second["count"]), (1, 2))
        self.assertEqual(first["pid"], second["pid"])

    def test_an_error_keeps_its_type_and_the_process_lives_on(self):
        self.deploy()
        outcome = self.invoke(do="fail", errorType="Throttled", errorMessage="slow down")
        self.assertEqual(outcome.error, "Unhandled")
        self.assertEqual(outcome.json, {"errorType": "Throttled", "errorMessage": "slow down"})
        self.assertEqual(self.invoke(do="count").json["count"], 2)

    def test_a_process_that_exits_is_an_exit_error_and_is_replaced(self):
        self.deploy()
        outcome = self.invoke(do="exit", status=3)
        self.assertEqual(outcome.error, "Unhandled")
        self.assertEqual(outcome.json["errorType"], "Runtime.ExitError")
        self.assertIn("exit status 3", outcome.json["errorMessage"])
        self.assertEqual(self.invoke(do="count").json["count"], 1)

    def test_a_kill_in_mid_invocation_is_an_exit_error(self):
        self.deploy()
        found = []
        caller = threading.Thread(target=lambda: found.append(self.invoke(do="hang")))
        caller.start()
        until("the process", lambda: any(process.first_next and process.busy and process.waiting is None
                                         for process in self.emulator.functions["standin"].processes))
        self.assertEqual(self.emulator.kill("standin"), 1)
        caller.join(20)
        self.assertEqual(found[0].json["errorType"], "Runtime.ExitError")
        self.assertIn("SIGKILL", found[0].json["errorMessage"])
        self.assertEqual(self.invoke(do="count").json["count"], 1)

    def test_a_kill_between_invocations_goes_unnoticed(self):
        self.deploy(concurrency=1)
        self.invoke(do="count")
        os.kill(self.emulator.functions["standin"].processes[0].pid, signal.SIGKILL)
        until("its death", lambda: self.emulator.functions["standin"].processes[0].dead)
        self.assertEqual(self.invoke(do="count").json["count"], 1)

    def test_an_invocation_that_overruns_its_time_is_ended(self):
        self.deploy(timeout_seconds=0.5)
        outcome = self.invoke(do="hang")
        self.assertEqual(outcome.json["errorType"], "Sandbox.Timedout")
        self.assertIn("timed out after 0.50 seconds", outcome.json["errorMessage"])

    def test_an_error_at_start_up_is_the_answer_to_the_invocation(self):
        self.deploy(environment={"STANDIN_INIT": "fail"})
        outcome = self.invoke(do="echo")
        self.assertEqual(outcome.error, "Unhandled")
        self.assertEqual(outcome.json, {"errorType": "SettingsError", "errorMessage": "BUCKET is not set"})

    def test_invocations_at_the_same_time_get_processes_of_their_own_up_to_the_limit(self):
        self.deploy(concurrency=2, timeout_seconds=2)
        callers = [threading.Thread(target=self.invoke, kwargs={"do": "hang"}) for _ in range(3)]
        for caller in callers:
            caller.start()
        until("two processes", lambda: len(self.emulator.functions["standin"].processes) == 2)
        self.emulator.kill("standin")
        for caller in callers:
            caller.join(20)
        self.assertEqual(len(self.emulator.of("standin")), 3)

    def test_a_new_deployment_replaces_the_processes(self):
        self.deploy()
        before = self.invoke(do="count").json["pid"]
        self.deploy()
        self.assertNotEqual(self.invoke(do="count").json["pid"], before)

    def test_what_a_function_prints_is_in_its_log(self):
        self.deploy()
        self.invoke(do="print", text="a line for the log")
        self.assertIn("a line for the log", self.emulator.log("standin"))

    def test_closing_ends_every_process(self):
        self.deploy()
        pid = self.invoke(do="count").json["pid"]
        self.emulator.close()
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)

    def test_the_endpoint_takes_names_and_arns_and_marks_errors_in_a_header(self):
        self.deploy()
        arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A111111111111%3Afunction%3Astandin%3A%24LATEST"
        for target in ("standin", arn):
            with self.post(target, b'{"do": "count"}') as answer:
                self.assertIsNone(answer.headers["X-Amz-Function-Error"])
                self.assertEqual(answer.status, 200)
        with self.post("standin", b'{"do": "fail", "errorType": "Odd"}') as answer:
            self.assertEqual(answer.headers["X-Amz-Function-Error"], "Unhandled")
            self.assertEqual(json.load(answer)["errorType"], "Odd")

    def test_the_endpoint_refuses_unknown_functions_and_oversized_payloads(self):
        self.deploy()
        with self.assertRaises(urllib.error.HTTPError) as unknown:
            self.post("nobody", b"{}")
        self.assertEqual(unknown.exception.headers["x-amzn-ErrorType"], "ResourceNotFoundException")
        unknown.exception.close()
        with self.assertRaises(urllib.error.HTTPError) as large:
            self.post("standin", b'"' + b"x" * PAYLOAD_LIMIT + b'"')
        self.assertEqual(large.exception.code, 413)
        large.exception.close()

    def test_an_asynchronous_invocation_is_accepted_at_once(self):
        self.deploy()
        with self.post("standin", b'{"do": "print", "text": "later"}', **{"X-Amz-Invocation-Type": "Event"}) as answer:
            self.assertEqual(answer.status, 202)
        until("the invocation", lambda: "later" in self.emulator.log("standin"))


if __name__ == "__main__":
    unittest.main()
