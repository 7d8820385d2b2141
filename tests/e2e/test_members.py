"""Findings in the member accounts themselves, written through a role there."""

import unittest

from e2e.base import CONTROLS, PARTNER, PARTNER_CONTROL, PipelineTest
from harness.emulator import ACCOUNT

ROLE = "SesPerimeterFindings"


class MemberTest(PipelineTest):
    settings = {"publish_findings": {"MODE": "member", "MEMBER_ROLE_NAME": ROLE, "EXTERNAL_ID": "ses-perimeter"}}

    def setUp(self):
        super().setUp()
        self.members = [account["id"] for account in self.snapshot["accounts"]
                        if account["id"] != ACCOUNT and account["state"] == "ACTIVE"]
        for member in self.members:
            self.hub(member).enable_security_hub()

    def hub(self, account: str):
        """Security Hub as the member's own administrator sees it."""
        session = self.cloud.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="test")["Credentials"]
        return self.cloud.client("securityhub", aws_access_key_id=session["AccessKeyId"],
                                 aws_secret_access_key=session["SecretAccessKey"],
                                 aws_session_token=session["SessionToken"])

    def test_every_member_gets_its_own_findings(self):
        self.check_all()
        for member in self.members:
            findings = self.cloud.findings(member).values()
            self.assertEqual(len(findings), CONTROLS, member)
            self.assertEqual({finding["AwsAccountId"] for finding in findings}, {member})
        central = self.cloud.findings(ACCOUNT).values()
        self.assertEqual({finding["Id"].split("/")[-2] for finding in central} - {ACCOUNT}, set())

    def test_a_change_reaches_the_member(self):
        self.check_all()
        for weak, status, workflow in ((True, "FAILED", "NEW"), (False, "PASSED", "RESOLVED")):
            self.assert_succeeded(self.checker.run(self.change(weak)))
            finding = next(finding for finding in self.cloud.findings(PARTNER).values()
                           if finding["Id"].endswith(f"/{PARTNER_CONTROL}"))
            self.assertEqual((finding["Compliance"]["Status"], finding["Workflow"]["Status"]), (status, workflow))

    def test_a_member_without_the_role_is_given_up_by_name_and_the_others_get_theirs(self):
        with self.cloud.failing("sts:AssumeRole", code="AccessDenied", status=403, match=PARTNER):
            self.assert_succeeded(self.checker.run({}))
        log = self.emulator.log("publish-findings")
        self.assertIn(f"arn:aws:iam::{PARTNER}:role/{ROLE}", log)
        self.assertEqual(self.cloud.findings(PARTNER), {})
        self.assertGreater(sum(len(self.cloud.findings(member)) == CONTROLS for member in self.members), 0)
        self.check_all()
        self.assertEqual(len(self.cloud.findings(PARTNER)), CONTROLS)

    def test_a_role_that_is_missing_everywhere_fails_the_run(self):
        with self.cloud.failing("sts:AssumeRole", code="AccessDenied", status=403):
            done = self.checker.run({})
        self.assert_failed(done, "SecurityHubOffError", "member-role.yaml")
        self.check_all()


if __name__ == "__main__":
    unittest.main()
