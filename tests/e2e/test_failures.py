"""What goes wrong: a clear error, a failed execution, no finding touched, nothing forgotten."""

import json
import unittest

from e2e.base import PARTNER, PARTNER_CONTROL, PipelineTest
from harness.checker import READER, SENDER


class BadInputTest(PipelineTest):
    def refused(self, function: str, payload, *words: str) -> None:
        outcome = self.emulator.invoke(function, payload)
        self.assertEqual(outcome.error, "Unhandled", outcome)
        for word in words:
            self.assertIn(word, f"{outcome.json['errorType']}: {outcome.json['errorMessage']}")
        self.assertEqual((self.checker.executions(), self.checker.requests()), ([], []))

    def test_what_is_no_json_is_refused(self):
        for function in ("fetch-scps", "evaluate-scps", "publish-findings", "start-check"):
            with self.subTest(function):
                self.refused(function, b"full check please")

    def test_an_unknown_version_is_refused_by_its_number(self):
        for function in ("fetch-scps", "start-check"):
            with self.subTest(function):
                self.refused(function, {"schemaVersion": 99}, "InputError", "99")

    def test_unknown_fields_and_ids_are_refused_by_name(self):
        self.refused("start-check", {"account": "222222222222"}, "InputError", "`account`")
        self.refused("start-check", {"accounts": ["12"]}, "InputError", "`12`")
        self.refused("start-check", {"controls": ["SESDP.99"]}, "InputError", "`SESDP.99`")

    def test_settings_that_are_missing_are_named(self):
        for function in ("fetch-scps", "evaluate-scps", "publish-findings", "start-check"):
            with self.subTest(function):
                self.checker.configure(**{function.replace("-", "_"): {"BUCKET": ""}})
                self.refused(function, {}, "SettingsError", "`BUCKET`")

    def test_a_bucket_that_is_not_there_is_named(self):
        self.checker.configure(start_check={"BUCKET": "no-such-bucket"}, fetch_scps={"BUCKET": "no-such-bucket"})
        self.refused("start-check", {}, "no-such-bucket")
        self.refused("fetch-scps", {"runId": "20261125T000000000Z-0a1b2c3d"}, "no-such-bucket")


class FailureTest(PipelineTest):
    """Each starts from a complete check and a change; the change must come through once all is well."""

    def setUp(self):
        super().setUp()
        self.check_all()
        self.checker.events()
        self.before = self.checker.findings()

    def assert_kept(self, execution: dict, *words: str) -> None:
        """The run failed with these words, no finding was touched, and what asked for it is kept."""
        self.assert_failed(execution, *words)
        self.assertEqual(self.checker.findings(), self.before)
        self.assertEqual(self.checker.events(), [])
        self.assertEqual(len(self.checker.requests()), 1)
        self.assertIsNone(self.checker.holder())

    def assert_mended(self) -> None:
        """The next trigger, whatever it is, answers what was kept."""
        self.check_all()
        self.assertEqual(self.status(), "FAILED")
        self.assertEqual(self.statuses(), self.decided(self.latest_snapshot()))
        self.assertEqual((self.checker.requests(), self.checker.holder()), ([], None))

    def test_a_denied_call_is_named_with_its_permission(self):
        event = self.change(weak=True)
        with self.cloud.failing("organizations:DescribePolicy", code="AccessDeniedException"):
            done = self.checker.run(event)
        if done["status"] == "SUCCEEDED":
            # What cannot be read is a gap: everything it bears on is undecided, nothing passed.
            self.assertEqual(self.status(), "WARNING")
            finding = self.checker.findings()[PARTNER, PARTNER_CONTROL]
            self.assertIn("DescribePolicy", json.dumps(finding))
        else:
            self.assert_kept(done, "PermissionError", "organizations:DescribePolicy")
        self.assert_succeeded(self.checker.run({"full": True}))
        self.assert_mended()

    def test_a_denied_list_of_accounts_ends_the_run(self):
        self.change(weak=True)
        with self.cloud.failing("organizations:ListRoots", code="AccessDeniedException"):
            done = self.checker.run({"full": True})
        self.assert_kept(done, "PermissionError", "organizations:ListRoots")
        self.assert_mended()

    def test_a_denied_import_is_named_with_its_permission(self):
        with self.cloud.failing("securityhub:BatchImportFindings", code="AccessDeniedException", status=403):
            done = self.checker.run(self.change(weak=True))
        self.assert_kept(done, "ShardsFailed")
        self.assertIn("securityhub:BatchImportFindings", self.emulator.log("publish-findings"))
        self.assert_mended()

    def test_throttled_calls_are_tried_again(self):
        event = self.change(weak=True)
        with self.cloud.failing("organizations:DescribePolicy", code="TooManyRequestsException", times=2), \
                self.cloud.failing("securityhub:BatchImportFindings", code="LimitExceededException", status=429, times=1):
            self.assert_succeeded(self.checker.run(event))
        self.assertEqual(self.status(), "FAILED")

    def test_security_hub_switched_off_is_told_and_made_up_for(self):
        hub = self.cloud.client("securityhub")
        event = self.change(weak=True)
        hub.disable_security_hub()
        done = self.checker.run(event)
        self.assert_failed(done, "ShardsFailed")
        self.assertIn("SecurityHubOffError", self.emulator.log("publish-findings") + json.dumps(
            [call.outcome.json for call in self.emulator.of("publish-findings")[-8:]]))
        self.assertEqual(len(self.checker.requests()), 1)
        hub.enable_security_hub()
        self.assert_mended()

    def test_a_damaged_snapshot_is_noticed_before_anything_is_decided(self):
        with self.cloud.holding("lambda:Invoke", match="evaluate-scps") as reached:
            outcome = self.checker.start(self.change(weak=True)).json
            reached()
            key = f"runs/{outcome['runId']}/snapshot.json"
            self.checker.put(key, self.checker.bytes(key).replace(b"p-partnertag1", b"p-partnertag2"))
        done = self.finished()
        self.assert_kept(done, "DamagedObjectError", key)
        self.assert_mended()

    def test_damaged_results_are_noticed_before_anything_is_published(self):
        with self.cloud.holding("lambda:Invoke", match="publish-findings") as reached:
            outcome = self.checker.start(self.change(weak=True)).json
            reached()
            for key in self.checker.keys(f"runs/{outcome['runId']}/results/"):
                self.checker.put(key, self.checker.bytes(key).replace(b"FAILED", b"PASSED"))
        self.assert_kept(self.finished(), "ShardsFailed")
        self.assert_mended()

    def test_a_perimeter_that_cannot_be_read_ends_the_run(self):
        whole = self.checker.bytes("config/perimeter.toml")
        self.checker.put("config/perimeter.toml", b"[trusted]\nrecipients = 'everyone'\n")
        done = self.checker.run(self.change(weak=True))
        self.assert_kept(done, "config/perimeter.toml", "recipients")
        self.checker.put("config/perimeter.toml", whole)
        self.assert_mended()

    def finished(self) -> dict:
        last = self.checker.settle()[-1]
        return self.cloud.client("stepfunctions").describe_execution(executionArn=last["executionArn"])


class FirstRunTest(PipelineTest):
    hub = False

    def test_without_security_hub_nothing_is_written_and_the_next_run_writes_all(self):
        done = self.checker.run({})
        self.assert_failed(done, "ShardsFailed")
        self.assertEqual(self.checker.findings(), {})
        self.assertEqual(len(self.checker.requests()), 1)
        self.cloud.client("securityhub").enable_security_hub()
        self.check_all()
        self.assertEqual(len(self.checker.findings()), self.expected)


class CrashTest(PipelineTest):
    """`kill -9` in the midst of a run: the state machine tries again, and nothing is written twice."""

    # Function, the call in which it dies, and which of these calls.
    MOMENTS = (
        ("fetch-scps", "organizations:ListPolicies", ""),
        ("fetch-scps", "s3:PutObject", "snapshot.json"),
        ("evaluate-scps", "s3:PutObject", "/results/"),
        ("publish-findings", "s3:PutObject", "published/"),
        ("publish-findings", "securityhub:BatchImportFindings", ""),
        ("publish-findings", "events:PutEvents", ""),
        ("start-check", "s3:DeleteObject", "requests/"),
    )

    def test_a_crash_of_any_function_loses_and_repeats_nothing(self):
        for function, operation, match in self.MOMENTS:
            with self.subTest(function=function, operation=operation, match=match):
                self.afresh()
                with self.cloud.holding(operation, match=match) as reached:
                    self.checker.start({})
                    reached()
                    self.assertGreater(self.emulator.kill(function), 0)
                last = self.checker.settle()[-1]
                self.assertEqual(last["status"], "SUCCEEDED", self.checker.logs())
                self.assertEqual(self.statuses(), self.decided(self.latest_snapshot()))
                self.assertEqual(set(self.cloud.writes().values()), {1})
                self.assertEqual((self.checker.requests(), self.checker.holder()), ([], None))


class DigestTest(PipelineTest):
    def test_the_digest_arrives(self):
        self.check_all()
        [mail] = self.cloud.mails()
        self.assertEqual(mail["source"], SENDER)
        self.assertIn(READER, json.dumps(mail["to"]))
        self.assertIn(f"SES data perimeter of {self.snapshot['organization']['id']}", mail["subject"])
        self.assertTrue(mail["body"] or mail["raw"])

    def test_no_digest_is_sent_where_nobody_asked_for_one(self):
        self.checker.configure(publish_findings={"DIGEST_FROM": "", "DIGEST_TO": ""})
        self.check_all()
        self.assertEqual(self.cloud.mails(), [])
        self.assertEqual(self.cloud.calls()["ses:SendEmail"], 0)

    def test_a_refused_digest_is_logged_and_fails_nothing(self):
        with self.cloud.failing("ses:SendEmail", code="AccessDenied", status=403,
                                message="explicit deny in a service control policy"):
            self.check_all()
        self.assertEqual(self.cloud.mails(), [])
        self.assertIn("explicit deny in a service control policy", self.emulator.log("publish-findings"))
        self.assertEqual(len(self.checker.findings()), self.expected)


if __name__ == "__main__":
    unittest.main()
