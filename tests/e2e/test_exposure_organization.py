"""An organization of 200 accounts in five Regions, read by the real function in the real state machine.

First while nothing fails, and again with every kind of fault. What is in the bucket must be the same, or
have a gap at the call that failed. Calls of one API are a second apart by the clock of the function, as for AWS.
"""

import copy
import random
import unittest

from e2e.test_exposure import ExposureTest, plain, sender
from harness.ses import GAPS
from harness.test_ses import QUOTA, gap, identity

REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-northeast-1", "eu-south-1")
ACCOUNTS = 200
# Accounts in which something goes wrong for good; nothing else distinguishes them.
UNTRUSTING, SILENT, UNDESCRIBED, UNLISTED = "600000000003", "600000000005", "600000000007", "600000000009"
# The Region that loses its Mail Manager.
LOST = "eu-south-1"
# Every call that reading may make, each of which is throttled now and then.
CALLS = ("sts:AssumeRole", "account:ListRegions", "ses:GetAccount", "ses:GetSendStatistics", "ses:ListEmailIdentities",
         "ses:ListIdentityPolicies", "ses:GetIdentityPolicies", "ses:ListRelays", "ses:GetRelay", "ses:ListRuleSets",
         "ses:GetRuleSet", "ses:ListIngressPoints", "ec2:DescribeVpcEndpoints")


def used(number: int, chance: random.Random) -> dict:
    """A Region in which some account has set something up."""
    name = f"shop{number}.quillmark.example"
    identities = [identity(f"{label}.{name}", policies=[f"policy-{n}" for n in range(chance.randrange(3))])
                  for label in "abc"[:chance.randrange(4)]]
    production = chance.random() < 0.5
    sending = {"enabled": chance.random() < 0.9, "productionAccess": production, "enforcementStatus": "HEALTHY", "quota": QUOTA}
    parts = {"identities": identities, "sending": sending, "sentLastTwoWeeks": chance.randrange(1000) if production else 0}
    if chance.random() < 0.3:
        parts["mailManager"] = sender()["mailManager"]
    if chance.random() < 0.3:
        parts["vpcEndpoints"] = sender()["vpcEndpoints"]
    return plain(**parts)


class OrganizationTest(ExposureTest):
    regions = REGIONS
    # So that there are some batches, which are read side by side.
    reading = {"EXPOSURE_BATCH_SECONDS": "20"}

    def afresh(self):
        accounts = self.snapshot["accounts"]
        model = next(account for account in accounts if account["parentId"].startswith("ou-"))
        for number in range(ACCOUNTS - sum(account["state"] == "ACTIVE" for account in accounts)):
            account = f"6{number:011}"
            accounts.append(model | {"id": account, "name": f"shop-{number}", "email": f"shop{number}@quillmark.example"})
        super().afresh()

    def check_all(self):
        # Reading needs the accounts of a run and no findings, which would take minutes.
        self.emulator.script("publish-findings", lambda _: {"done": True, "failed": []})
        return super().check_all()

    def made(self) -> dict:
        chance = random.Random(20261125)
        world = {}
        for number, account in enumerate(self.active):
            world[account] = {region: plain() for region in REGIONS}
            if chance.random() < 0.2:
                for region in chance.sample(REGIONS, 2):
                    world[account][region] = used(number, chance)
            if chance.random() < 0.2:
                world[account][chance.choice(REGIONS)] = {"status": "regionDisabled"}
        return world

    def go_wrong(self) -> dict:
        """Every kind of fault; what must be read all the same, with its gaps."""
        expected = copy.deepcopy(self.world)
        self.ses.fail("sts:AssumeRole", "deny", account=UNTRUSTING)
        expected[UNTRUSTING] = {region: {"status": "denied", "call": "sts:AssumeRole"} for region in REGIONS}
        self.ses.fail("account:ListRegions", "deny", account=UNLISTED)
        expected[UNLISTED] = {region: {"status": "denied", "call": "account:ListRegions"} for region in REGIONS}
        for account, api, part in ((SILENT, "ses:GetSendStatistics", "sentLastTwoWeeks"),
                                   (UNDESCRIBED, "ec2:DescribeVpcEndpoints", "vpcEndpoints")):
            self.ses.fail(api, "deny", account=account)
            for status in expected[account].values():
                if status["status"] == "read":
                    status[part] = gap(api)
        for api in GAPS["mailManager"]:
            self.ses.fail(api, "hang up", region=LOST)
        for regions in expected.values():
            if regions[LOST]["status"] == "read":
                regions[LOST]["mailManager"] = gap("ses:ListRelays")
        # Of the faults that a call meets, the first one in this order happens.
        for api in CALLS:
            self.ses.fail(api, "throttle", times=8)
        for api in ("ses:GetAccount", "ses:ListIdentityPolicies", "ses:ListRelays", "ec2:DescribeVpcEndpoints"):
            self.ses.fail(api, "error", times=4)
        for api in ("account:ListRegions", "ses:ListEmailIdentities", "ses:ListRuleSets"):
            self.ses.fail(api, "hang up", times=2)
        for api in ("sts:AssumeRole", "ses:GetSendStatistics", "ses:ListIngressPoints"):
            self.ses.fail(api, "slow", times=20, seconds=0.7)
        # What is switched off meanwhile is off, whatever was known.
        off = next(account for account, regions in expected.items() if regions["us-east-1"]["status"] == "read")
        self.world[off]["us-east-1"] = {"status": "regionDisabled"}
        expected[off]["us-east-1"] = {"status": "regionDisabled"}
        return expected

    def test_faults_change_nothing_but_gaps_at_their_calls(self):
        self.assertEqual(len(self.active), ACCOUNTS)
        self.assert_succeeded(self.checker.read(name="sound"))
        batches = {key.split("/")[2] for key in self.checker.keys("exposure/run-sound/")} - {"manifest.json"}
        self.assertGreater(len(batches), 1)
        self.assert_read()
        self.assert_well_behaved()
        calls = len(self.ses.log())
        expected = self.go_wrong()
        self.ses.forget()
        # A process keeps its sessions, so one that is still warm would not ask for a denied role again.
        self.emulator.retire("read-exposure")
        self.assert_succeeded(self.checker.read({"full": True}))
        self.assert_read(expected)
        self.assert_well_behaved()
        self.assertGreater(len(self.ses.log()), calls * 0.9)
        self.assertEqual(self.ses.to_come(), [])


if __name__ == "__main__":
    unittest.main()
