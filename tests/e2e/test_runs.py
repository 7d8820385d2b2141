"""From a change in the organization to a finding, and back."""

import unittest

from e2e.base import CONTROL_IDS, PARTNER, PARTNER_CONTROL, PipelineTest
from harness import events
from harness.checker import BUCKET

RESOLVED = {"Status": "RESOLVED"}


class RunTest(PipelineTest):
    def test_the_first_run_makes_a_finding_for_every_account_and_control(self):
        done = self.check_all()
        findings = self.checker.findings()
        self.assertEqual(len(findings), self.expected)
        self.assertEqual(self.statuses(), self.decided(self.latest_snapshot()))
        self.assertEqual(set(self.cloud.writes().values()), {1})
        self.assertEqual((self.checker.requests(), self.checker.holder()), ([], None))
        steps = self.checker.steps(done)
        self.assertEqual(steps.count("Publish"), 3, steps)
        for (account, control), finding in findings.items():
            self.assertEqual(finding["ProductName"], "SES data perimeter")
            self.assertIn(account, finding["Resources"][0]["Id"])
            if finding["Compliance"]["Status"] == "FAILED":
                self.assertTrue(finding["Description"], (account, control))

    def test_a_second_run_writes_nothing(self):
        self.check_all()
        self.checker.events()
        before = self.checker.findings()
        self.cloud.forget_calls()
        self.check_all()
        calls = self.cloud.calls()
        for operation in ("BatchImportFindings", "BatchUpdateFindings"):
            self.assertEqual(calls[f"securityhub:{operation}"], 0)
        self.assertEqual(self.checker.findings(), before)
        self.assertEqual(self.checker.events(), [])

    def test_a_weakened_policy_fails_its_finding_and_a_mended_one_resolves_it(self):
        self.check_all()
        self.assertEqual(self.status(), "PASSED")
        first = self.checker.findings()
        self.checker.events()
        self.cloud.forget_calls()

        done = self.checker.run(self.change(weak=True))
        self.assert_succeeded(done)
        finding = self.checker.findings()[PARTNER, PARTNER_CONTROL]
        self.assertEqual((finding["Compliance"]["Status"], finding["RecordState"]), ("FAILED", "ACTIVE"))
        self.assertEqual(finding["Workflow"], {"Status": "NEW"})
        self.assertIn("iam:TagRole", finding["Description"])
        self.assertGreater(finding["UpdatedAt"], first[PARTNER, PARTNER_CONTROL]["UpdatedAt"])
        for kept in ("Id", "CreatedAt"):
            self.assertEqual(finding[kept], first[PARTNER, PARTNER_CONTROL][kept])
        # The problem is new, although the finding is not.
        self.assertEqual(finding["FirstObservedAt"], finding["UpdatedAt"])
        observed = finding["FirstObservedAt"]
        # Nothing else was touched, and one event tells of it.
        others = lambda findings: {key: found for key, found in findings.items() if key != (PARTNER, PARTNER_CONTROL)}
        self.assertEqual(others(self.checker.findings()), others(first))
        [event] = self.checker.events()
        told = event["detail"]
        self.assertEqual((told["accountId"], told["controlId"], told["before"], told["after"]),
                         (PARTNER, PARTNER_CONTROL, "PASSED", "FAILED"))
        self.assertEqual(told["findingId"], finding["Id"])
        # An event about one policy costs at most three calls of Organizations.
        made = {name: count for name, count in self.cloud.calls().items()
                if name.startswith("organizations:") and name != "organizations:UpdatePolicy"}
        # The test itself has read the policy once to weaken it.
        made["organizations:DescribePolicy"] -= 1
        self.assertLessEqual(sum(made.values()), 3, made)

        self.assert_succeeded(self.checker.run(self.change(weak=False)))
        finding = self.checker.findings()[PARTNER, PARTNER_CONTROL]
        self.assertEqual((finding["Compliance"]["Status"], finding["Workflow"]), ("PASSED", RESOLVED))
        self.assertEqual(finding["FirstObservedAt"], observed)
        self.assertEqual([event["detail"]["after"] for event in self.checker.events()], ["PASSED"])
        self.assertEqual(others(self.checker.findings()), others(first))

        # And once more: a finding that was resolved opens again.
        self.assert_succeeded(self.checker.run(self.change(weak=True)))
        finding = self.checker.findings()[PARTNER, PARTNER_CONTROL]
        self.assertEqual((finding["Compliance"]["Status"], finding["Workflow"]["Status"]), ("FAILED", "NEW"))

    def test_an_account_that_leaves_archives_its_findings(self):
        self.check_all()
        self.organizations.remove_account_from_organization(AccountId=PARTNER)
        event = events.organizations("RemoveAccountFromOrganization", {"accountId": PARTNER})
        self.assert_succeeded(self.checker.run(event))
        states = {key: finding["RecordState"] for key, finding in self.checker.findings().items()}
        gone = {key for key, state in states.items() if state == "ARCHIVED"}
        self.assertEqual(gone, {(PARTNER, control) for control in CONTROL_IDS})

    def test_an_account_that_moves_and_one_that_joins_are_decided_anew(self):
        self.check_all()
        parent = "ou-exam-security"
        self.organizations.move_account(AccountId="666666666666", SourceParentId="ou-exam-regulated",
                                        DestinationParentId=parent)
        self.assert_succeeded(self.checker.run(events.organizations("MoveAccount", {
            "accountId": "666666666666", "sourceParentId": "ou-exam-regulated", "destinationParentId": parent})))
        self.assertEqual(self.status("666666666666", "SESDP.3"), "FAILED")
        made = self.organizations.create_account(AccountName="newcomer", Email="newcomer@quillmark.example")
        account = made["CreateAccountStatus"]["AccountId"]
        self.assert_succeeded(self.checker.run(events.organizations(
            "CreateAccountResult", None, eventType="AwsServiceEvent", serviceEventDetails={
                "createAccountStatus": {"id": "car-1", "state": "SUCCEEDED", "accountId": account}})))
        self.assertEqual(self.statuses(), self.decided(self.latest_snapshot()))
        self.assertEqual(self.status(account, "SESDP.3"), "FAILED")

    def test_what_customers_set_on_a_finding_stays(self):
        self.check_all()
        finding = self.checker.findings()[PARTNER, PARTNER_CONTROL]
        note = {"Text": "accepted until spring", "UpdatedBy": "someone"}
        self.cloud.client("securityhub").batch_update_findings(
            FindingIdentifiers=[{"Id": finding["Id"], "ProductArn": finding["ProductArn"]}],
            Workflow={"Status": "SUPPRESSED"}, Note=note, UserDefinedFields={"ticket": "MAIL-7"})
        for weak in (True, False):
            self.assert_succeeded(self.checker.run(self.change(weak)))
            finding = self.checker.findings()[PARTNER, PARTNER_CONTROL]
            self.assertEqual(finding["Compliance"]["Status"], "FAILED" if weak else "PASSED")
            self.assertEqual(finding["Workflow"], {"Status": "SUPPRESSED"})
            self.assertEqual((finding["Note"], finding["UserDefinedFields"]), (note, {"ticket": "MAIL-7"}))

    def test_a_lost_record_is_rebuilt_from_the_findings(self):
        self.check_all()
        before = self.checker.findings()
        for key in self.checker.keys("published/"):
            self.cloud.client("s3").delete_object(Bucket=BUCKET, Key=key)
        self.assert_succeeded(self.checker.run(self.change(weak=True)))
        self.check_all()
        after = self.checker.findings()
        self.assertEqual(set(after), set(before))
        self.assertEqual(self.status(), "FAILED")
        self.assertEqual({key: finding["CreatedAt"] for key, finding in after.items()},
                         {key: finding["CreatedAt"] for key, finding in before.items()})


class ManyShardsTest(PipelineTest):
    settings = {"evaluate_scps": {"SHARDS": "45"}}

    def test_more_than_forty_shards_go_through_the_distributed_map(self):
        done = self.check_all()
        self.assertIn("PublishMany", self.checker.steps(done))
        self.assertEqual(len(self.checker.findings()), self.expected)
        self.assertEqual(self.statuses(), self.decided(self.latest_snapshot()))
        self.assertEqual(set(self.cloud.writes().values()), {1})


if __name__ == "__main__":
    unittest.main()
