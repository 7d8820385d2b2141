"""How SES stands in accounts, read by the real function in the real state machine, against `harness.ses`.

What is in the bucket afterwards must be the world that the accounts were, with every gap at its call.
"""

import copy
import json
import re
import unittest

from e2e.base import PipelineTest
from harness.ses import Ses
from harness.test_ses import POLICY, QUOTA, gap, identity, region

# Regions that have all of SES, Mail Manager included.
REGIONS = ("us-east-1", "eu-west-1")
PARTS = 64
MANAGEMENT, SENDER, DENIED, HIDDEN, OFF = "111111111111", "444455556666", "222222222222", "333333333333", "444444444444"
EMPTY = {"available": True, "relays": [], "ruleSets": [], "ingressPoints": []}


def plain(**parts) -> dict:
    return region(**({"mailManager": copy.deepcopy(EMPTY)} | parts))


def sender() -> dict:
    """A Region with something of everything."""
    actions = [{"rule": "out", "action": "relay", "relay": "rl-1"}, {"rule": "in", "action": "send", "recipients": ["a@quillmark.example"]},
               {"rule": "any", "action": "send"}]
    return plain(
        sending={"enabled": True, "productionAccess": True, "enforcementStatus": "HEALTHY", "quota": QUOTA}, sentLastTwoWeeks=412,
        identities=[
            identity("news.quillmark.example", policies=[f"policy-{number:02}" for number in range(21)]),
            identity("people@quillmark.example", "EMAIL_ADDRESS", False), identity("shop.quillmark.example", policies=["one"]),
        ],
        mailManager={
            "available": True, "relays": [{"id": f"rl-{n}", "name": f"relay-{n}", "serverName": "mx.quillmark.example", "serverPort": 25} for n in (1, 2, 3)],
            "ruleSets": [{"id": "rs-1", "name": "set", "actions": actions}, {"id": "rs-2", "name": "none", "actions": []}],
            "ingressPoints": [{"id": "inp-1", "name": "point", "status": "ACTIVE"}],
        },
        vpcEndpoints=[
            {"id": "vpce-a", "service": "com.amazonaws.us-east-1.email-smtp", "vpc": "vpc-1", "state": "available", "policy": POLICY},
            {"id": "vpce-b", "service": "com.amazonaws.us-east-1.email", "vpc": "vpc-1", "state": "available"},
        ],
    )


def statement(status: dict) -> dict:
    """A Region as far as a world determines it: a reason is the reader's own words, and null is as good as absent."""
    def cleaned(value):
        if isinstance(value, dict):
            if set(value) == {"gap"}:
                return {"gap": value["gap"]["call"]}
            return {key: cleaned(item) for key, item in value.items() if item is not None}
        return [cleaned(item) for item in value] if isinstance(value, list) else value

    return cleaned({key: value for key, value in status.items() if key != "region"})


class ExposureTest(PipelineTest):
    settings = {"evaluate_scps": {"EXPOSURE": "on", "EXPOSURE_USABLE_HOURS": "72"}}
    terse = False
    regions = REGIONS
    # Variables of read-exposure beside those of every test.
    reading: dict[str, str] = {}

    def setUp(self):
        super().setUp()
        self.active = [account["id"] for account in self.snapshot["accounts"] if account["state"] == "ACTIVE"]
        self.world = self.made()
        self.ses = Ses(self.world, terse=self.terse, speed=self.checker.speed)
        self.addCleanup(self.ses.close)
        self.checker.turn_exposure_on(self.ses, EXPOSURE_REGIONS=",".join(self.regions), **self.reading)
        # Readings read the accounts of the latest snapshot.
        self.check_all()

    def made(self) -> dict:
        world = {account: {name: plain() for name in REGIONS} for account in self.active}
        world[SENDER]["us-east-1"] = sender()
        world[DENIED] = {name: {"status": "denied", "call": "sts:AssumeRole"} for name in REGIONS}
        world[HIDDEN] = {name: {"status": "denied", "call": "account:ListRegions"} for name in REGIONS}
        world[OFF]["eu-west-1"] = {"status": "regionDisabled"}
        world[MANAGEMENT]["us-east-1"] = plain(
            mailManager=gap("ses:ListRuleSets"), vpcEndpoints=gap("ec2:DescribeVpcEndpoints"),
            identities=[identity("quillmark.example", policies=gap("ses:ListIdentityPolicies"))],
        )
        return world

    # What is there afterwards

    def parts(self) -> dict[str, dict]:
        """The accounts that are in the bucket, each from the one part that has it."""
        found = {}
        for key in self.checker.keys("exposure/latest/"):
            if match := re.fullmatch(r"exposure/latest/(\d{3})\.jsonl", key):
                self.assertLess(int(match[1]), PARTS)
                head, section = map(json.loads, self.checker.bytes(key).splitlines())
                self.assertEqual(head["part"], int(match[1]))
                for account in section["accounts"]:
                    self.assertNotIn(account["account"], found, "an account is in two parts")
                    found[account["account"]] = account
        return found

    def assert_read(self, expected: dict | None = None) -> None:
        """The bucket holds the world: every account, every Region, every part."""
        expected, found = expected or self.world, self.parts()
        self.assertEqual(sorted(found), sorted(expected))
        for account, regions in expected.items():
            there = {entry["region"]: statement(entry) for entry in found[account]["regions"]}
            self.assertEqual(there, {name: statement(status) for name, status in regions.items()}, account)

    def assert_well_behaved(self) -> None:
        """Nothing but what reading needs was called, and nothing sooner than AWS allows."""
        self.assertEqual(self.ses.refused, [])
        self.assertEqual(self.ses.too_fast(), [])


class ReadingTest(ExposureTest):
    def test_the_parts_in_the_bucket_are_the_world(self):
        before = len(self.emulator.of("start-check"))
        done = self.checker.read()
        self.assert_succeeded(done)
        self.assert_read()
        self.assert_well_behaved()
        asked = [invocation.json for invocation in self.emulator.of("start-check")[before:]]
        self.assertEqual(asked.count({}), 1, asked)
        self.assert_succeeded(self.checker.executions()[-1])
        output = json.loads(done["output"])
        self.assertEqual((output["accounts"], output["regions"]), (len(self.active), len(self.active) * len(REGIONS)))
        self.assertEqual(output["runId"], f"run-{done['name']}")
        # The check that followed decides by what was read.
        findings = self.checker.findings()
        self.assertEqual(findings[MANAGEMENT, "SESDP.23"]["Compliance"]["Status"], "FAILED")
        self.assertEqual(findings[DENIED, "SESDP.19"]["Compliance"]["Status"], "WARNING")
        graded = findings[DENIED, "SESDP.8"]
        self.assertEqual(graded["ProductFields"]["ses-perimeter/exposureLevel"], "UNKNOWN")
        self.assertIn(graded["ProductFields"]["ses-perimeter/severityRule"], graded["Description"])

    def test_what_is_denied_is_there_as_denied_and_nothing_else_is_asked_there(self):
        self.checker.read()
        found = self.parts()
        for account, call, calls in (
            (DENIED, "sts:AssumeRole", {"sts:AssumeRole"}), (HIDDEN, "account:ListRegions", {"sts:AssumeRole", "account:ListRegions"}),
        ):
            for entry in found[account]["regions"]:
                self.assertEqual((entry["status"], entry["call"]), ("denied", call))
            self.assertEqual({asked.api for asked in self.ses.log() if asked.account == account}, calls)
        self.assertEqual([call for call in self.ses.log() if (call.account, call.region) == (OFF, "eu-west-1")], [])


class LaterReadingTest(ExposureTest):
    def test_a_second_reading_reads_only_what_is_due(self):
        self.checker.read()
        self.ses.forget()
        self.assertEqual(self.checker.steps(self.checker.read())[-1], "NothingDue")
        self.assertEqual(self.ses.counts(), {})
        self.checker.read({"full": True, "accounts": [SENDER]})
        self.assertEqual({call.account for call in self.ses.log()}, {SENDER})
        self.assert_read()
        self.assert_well_behaved()

    def test_a_change_in_an_account_is_there_after_the_next_full_reading(self):
        self.checker.read()
        self.world[SENDER]["us-east-1"] = plain()
        self.world[DENIED] = {name: plain() for name in REGIONS}
        self.checker.read({"full": True})
        self.assert_read()


class FaultTest(ExposureTest):
    def test_throttles_and_slow_or_lost_answers_change_nothing(self):
        for api in ("sts:AssumeRole", "account:ListRegions", "ses:GetAccount", "ses:ListEmailIdentities", "ses:GetIdentityPolicies",
                    "ses:GetRelay", "ses:ListIngressPoints", "ec2:DescribeVpcEndpoints"):
            self.ses.fail(api, "throttle", times=3)
        self.ses.fail("ses:GetSendStatistics", "error", times=2)
        self.ses.fail("ses:ListRelays", "hang up", times=2)
        self.ses.fail("ses:ListRuleSets", "slow", times=3, seconds=0.5)
        self.assert_succeeded(self.checker.read())
        self.assert_read()
        self.assert_well_behaved()

    def test_what_keeps_failing_is_a_gap_at_its_call(self):
        self.ses.fail("ses:GetSendStatistics", "deny", account=SENDER)
        self.ses.fail("ses:GetIdentityPolicies", "deny", about="shop.quillmark.example")
        self.ses.fail("ses:GetRelay", "gone", about="rl-3")
        self.assert_succeeded(self.checker.read())
        expected = copy.deepcopy(self.world)
        for name in REGIONS:
            expected[SENDER][name]["sentLastTwoWeeks"] = gap("ses:GetSendStatistics")
        here = expected[SENDER]["us-east-1"]
        here["identities"][2]["policies"] = gap("ses:GetIdentityPolicies")
        # What is gone between the list and the call that describes it is gone.
        here["mailManager"]["relays"] = here["mailManager"]["relays"][:2]
        self.assert_read(expected)


class FailureTest(ExposureTest):
    def test_a_batch_that_fails_ends_as_gaps_and_is_read_again(self):
        self.checker.put("exposure/run-damaged/000000/work.json", b"{")
        self.assert_succeeded(self.checker.read(name="damaged"))
        found = self.parts()
        self.assertEqual(sorted(found), sorted(self.active))
        failed = [entry for account in found.values() for entry in account["regions"] if entry["status"] == "failed"]
        self.assertGreater(len(failed), 0)
        for entry in failed:
            self.assertIn("batch 0", entry["reason"])
        self.assert_succeeded(self.checker.read())
        self.assert_read()

    def test_a_reading_of_a_killed_function_is_whole(self):
        with self.cloud.holding("s3:PutObject", match="/work.json") as reached:
            client = self.cloud.client("stepfunctions")
            client.start_execution(stateMachineArn=self.checker.reading, name="killed", input="{}")
            reached()
            self.assertGreater(self.emulator.kill("read-exposure"), 0)
        arn = self.checker.reading.replace(":stateMachine:", ":execution:") + ":killed"
        self.assert_succeeded(self.checker.read_to_the_end(arn))
        self.assert_read()

    def test_an_unknown_wish_is_refused_by_name(self):
        self.assert_failed(self.checker.read({"accountIds": [SENDER]}), "InputError", "accountIds")
        self.assertEqual(self.ses.counts(), {})


class TerseTest(ExposureTest):
    """GetAccount promises none of its fields; what it leaves out is asked for."""

    terse = True

    def test_what_the_account_leaves_out_is_asked_for(self):
        self.assert_succeeded(self.checker.read())
        self.assert_read()
        self.assert_well_behaved()
        self.assertGreater(self.ses.counts()["ses:GetSendQuota"], 0)


if __name__ == "__main__":
    unittest.main()
