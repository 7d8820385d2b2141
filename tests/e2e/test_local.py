"""The program on live access: `fetch`, `check` without a snapshot, `doctor`."""

import json
import tempfile
import unittest
from pathlib import Path

from e2e.base import PipelineTest, perimeter
from harness.checker import BUCKET, SENDER


class LocalTest(PipelineTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "perimeter.toml").write_text(perimeter())

    def test_fetch_saves_what_the_collector_collects(self):
        self.check_all()
        path = self.folder / "snapshot.json"
        done = self.program("fetch", "--out", str(path), "--organizations-share", "1", live=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        mine, theirs = json.loads(path.read_bytes()), json.loads(self.latest_snapshot())
        for snapshot in (mine, theirs):
            snapshot.pop("fetchedAt")
            snapshot.pop("oldestContentAt")
        self.assertEqual(mine, theirs)
        # And both are the organization that was made.
        ids = lambda rows: {row["id"] for row in rows}
        for part in ("accounts", "organizationalUnits", "policies"):
            self.assertEqual(ids(mine[part]), ids(self.snapshot[part]))
        attached = lambda snapshot: {(row["policyId"], row["targetId"]) for row in snapshot["attachments"]}
        self.assertEqual(attached(mine), attached(self.snapshot))
        self.assertEqual(mine.get("gaps", []), [])

    def test_check_without_a_snapshot_decides_the_live_organization(self):
        self.check_all()
        done = self.program("check", "--format", "json", "--perimeter", str(self.folder / "perimeter.toml"), live=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        results = {(row["accountId"], row["controlId"]): row["status"] for row in json.loads(done.stdout)["results"]}
        self.assertEqual({account for account, _ in results}, {account["id"] for account in self.snapshot["accounts"]})
        self.assertEqual(sum(status == "FAILED" for status in results.values()),
                         sum(status == "FAILED" for status in self.statuses().values()))

    def test_live_access_that_is_denied_decides_nothing(self):
        with self.cloud.failing("organizations:ListRoots", code="AccessDeniedException"):
            done = self.program("check", "--perimeter", str(self.folder / "perimeter.toml"), live=True)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("organizations:ListRoots", done.stderr)
        self.assertEqual(done.stdout, "")

    def doctor(self, code: int) -> dict[str, dict]:
        """What `doctor` reports, by check; it must exit with `code`."""
        done = self.program("doctor", "--bucket", BUCKET, "--digest-from", SENDER, "--format", "json", live=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return {check["check"]: check for check in json.loads(done.stdout)["checks"]}

    def missing(self) -> str:
        """All that `doctor` says of what is missing."""
        return json.dumps([check for check in self.doctor(1).values() if check["status"] == "missing"])

    def test_doctor_finds_a_working_deployment_well_and_leaves_no_trace(self):
        self.check_all()
        findings, keys = self.checker.findings(), self.checker.keys()
        checks = self.doctor(0)
        self.assertEqual({check["status"] for check in checks.values()} - {"untried"}, {"ok"})
        self.assertEqual((self.checker.findings(), self.checker.keys()), (findings, keys))

    def test_doctor_names_the_permission_that_is_missing(self):
        with self.cloud.failing("organizations:ListTargetsForPolicy", code="AccessDeniedException"):
            self.assertIn("organizations:ListTargetsForPolicy", self.missing())
        with self.cloud.failing("s3:GetObject", code="AccessDenied", status=403):
            self.assertIn("s3:GetObject", self.missing())

    def test_doctor_says_when_security_hub_is_off(self):
        self.cloud.client("securityhub").disable_security_hub()
        self.assertIn("Security Hub", self.missing())

    def test_doctor_says_when_service_control_policies_are_off(self):
        self.organizations.disable_policy_type(RootId="r-exam", PolicyType="SERVICE_CONTROL_POLICY")
        self.assertIn("SERVICE_CONTROL_POLICY", self.missing())

    def test_doctor_without_credentials_says_so(self):
        nobody = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
        done = self.program("doctor", live=True, environment=nobody)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("credentials", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
