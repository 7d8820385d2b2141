"""What starts a check, what does not, and what each asks for."""

import unittest

from e2e.base import PARTNER, PARTNER_CONTROL, PARTNER_POLICY, PipelineTest
from harness import events

OTHER = "666666666666"


class TriggerTest(PipelineTest):
    def ignored(self, trigger) -> None:
        outcome = self.checker.start(trigger)
        self.assertIsNone(outcome.error, outcome)
        self.assertEqual(outcome.json["outcome"], "ignored", outcome)
        self.assertTrue(outcome.json["reason"])
        self.assertEqual((self.checker.executions(), self.checker.requests()), ([], []))

    def test_a_call_that_failed_starts_nothing(self):
        self.ignored(events.policy_updated(PARTNER_POLICY, errorCode="AccessDenied", errorMessage="no"))

    def test_the_checkers_own_findings_start_nothing(self):
        self.check_all()
        before = len(self.checker.executions())
        finding = self.checker.findings()[PARTNER, PARTNER_CONTROL]
        outcome = self.checker.start(events.imported(finding))
        self.assertEqual(outcome.json["outcome"], "ignored")
        for event in self.checker.events()[:1]:
            self.assertEqual(self.checker.start(event).json["outcome"], "ignored")
        self.assertEqual((len(self.checker.executions()), self.checker.requests()), (before, []))

    def test_a_call_that_only_reads_starts_nothing(self):
        self.ignored(events.organizations("ListAccounts", {}, readOnly=True))

    def test_the_schedule_starts_a_run_in_each_of_its_forms(self):
        for trigger in (events.scheduled(), {"schemaVersion": 1, "source": "schedule"}):
            self.assert_succeeded(self.checker.run(trigger))

    def test_duplicates_and_reordered_events_harm_nothing(self):
        self.check_all()
        weak, mended = self.change(weak=True), self.change(weak=False)
        self.weaken()
        weak_again = events.policy_updated(PARTNER_POLICY)
        before = len(self.checker.executions())
        for event in (weak_again, mended, weak, weak, weak_again):
            self.assertIn(self.checker.start(event).json["outcome"], ("started", "waiting"))
        self.checker.settle()
        self.assertLessEqual(len(self.checker.executions()) - before, 5)
        self.assertEqual(self.status(), "FAILED")
        self.assertEqual(self.statuses(), self.decided(self.latest_snapshot()))
        # One change of a verdict is one write and one event, however often it is told.
        self.assertEqual(self.cloud.writes()[self.checker.findings()[PARTNER, PARTNER_CONTROL]["Id"]], 2)
        changes = [event["detail"] for event in self.checker.events() if event["detail"].get("before")]
        self.assertEqual([(change["before"], change["after"]) for change in changes], [("PASSED", "FAILED")])
        self.assertEqual((self.checker.requests(), self.checker.holder()), ([], None))

    def test_a_change_during_a_run_is_picked_up_by_the_next(self):
        self.check_all()
        before = len(self.checker.executions())
        # The run under way has read everything and is about to publish.
        with self.cloud.holding("lambda:Invoke", match="evaluate-scps") as reached:
            first = self.checker.start({"full": True}).json
            reached()
            second = self.checker.start(self.change(weak=True)).json
        self.assertEqual((first["outcome"], second["outcome"]), ("started", "waiting"))
        self.assertEqual(second["runId"], first["runId"])
        self.checker.settle()
        self.assertEqual(len(self.checker.executions()) - before, 2)
        self.assertEqual(self.status(), "FAILED")
        self.assertEqual((self.checker.requests(), self.checker.holder()), ([], None))

    def test_a_change_while_a_run_reads_is_not_lost(self):
        self.check_all()
        with self.cloud.holding("organizations:ListPolicies") as reached:
            self.checker.start({"full": True})
            reached()
            self.checker.start(self.change(weak=True))
        self.checker.settle()
        self.assertEqual(self.status(), "FAILED")
        self.assertEqual((self.checker.requests(), self.checker.holder()), ([], None))


class DemandTest(PipelineTest):
    """Each starts from a change that nothing has told of, so that its reach shows."""

    def setUp(self):
        super().setUp()
        self.check_all()
        self.weaken()
        # The guard of the partners is one policy, the one of the regulated accounts another.
        self.weaken("p-tagguard001")
        self.cloud.forget_calls()
        self.checker.events()

    def changed(self) -> set[tuple[str, str]]:
        return {key for key, finding in self.checker.findings().items()
                if self.cloud.writes()[finding["Id"]] > 1}

    def test_the_custom_action_checks_the_accounts_of_the_selected_findings_only(self):
        finding = self.checker.findings()[PARTNER, "SESDP.1"]
        self.assert_succeeded(self.checker.run(events.custom_action([finding])))
        self.assertEqual(self.changed(), {(PARTNER, PARTNER_CONTROL)})

    def test_the_custom_action_for_findings_of_others_starts_nothing(self):
        finding = self.checker.findings()[PARTNER, "SESDP.1"] | {"Id": "arn:aws:securityhub:::control/EC2.1/finding/1"}
        outcome = self.checker.start(events.custom_action([finding]))
        self.assertEqual(outcome.json["outcome"], "ignored")

    def test_accounts_can_be_asked_for(self):
        self.assert_succeeded(self.checker.run({"accounts": [PARTNER], "full": True}))
        self.assertEqual(self.changed(), {(PARTNER, PARTNER_CONTROL)})

    def test_controls_can_be_asked_for(self):
        self.assert_succeeded(self.checker.run({"controls": ["SESDP.1"], "full": True}))
        self.assertEqual(self.changed(), set())
        self.assert_succeeded(self.checker.run({"controls": [PARTNER_CONTROL], "full": True}))
        self.assertIn((PARTNER, PARTNER_CONTROL), self.changed())
        self.assertIn((OTHER, PARTNER_CONTROL), self.changed())

    def test_a_full_check_reads_everything_again(self):
        self.assert_succeeded(self.checker.run({"full": True}))
        self.assertEqual(self.cloud.calls()["organizations:DescribePolicy"], len(self.snapshot["policies"]))
        self.assertEqual(self.status(), "FAILED")
        self.assertEqual(self.status(OTHER), "FAILED")
        self.assertEqual(self.statuses(), self.decided(self.latest_snapshot()))

    def test_a_dry_run_changes_nothing(self):
        before = self.checker.findings()
        latest = self.checker.object("state/latest.json")
        self.assert_succeeded(self.checker.run({"dryRun": True, "full": True}))
        self.assertEqual(self.checker.findings(), before)
        self.assertEqual(self.checker.object("state/latest.json"), latest)
        self.assertEqual((self.checker.events(), self.checker.requests()), ([], []))
        self.assertEqual(self.cloud.calls()["securityhub:BatchImportFindings"], 0)
        # The change is still there to be found.
        self.assert_succeeded(self.checker.run({"full": True}))
        self.assertEqual(self.status(), "FAILED")
        self.assertEqual(len(self.checker.findings()), self.expected)


if __name__ == "__main__":
    unittest.main()
