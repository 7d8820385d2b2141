"""The accounts of `ses.py`, read by boto3, which knows the protocols from AWS's own descriptions."""

import time
import unittest
from unittest import mock

import boto3
import botocore.model
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from harness.ses import EXTERNAL_ID, MOMENT, ROLE, SESSION, Ses, check

FULL, SMALL, CLOSED, HIDDEN = "222222222222", "333333333333", "444444444444", "555555555555"
POLICY = '{"Version":"2012-10-17",\r\n "Statement":[{"Sid":"<&>\\u00fc","Effect":"Allow"}]}'
NOTHING = {"available": False}
QUOTA = {"max24Hour": 50000, "maxSendRate": 14, "sentLast24Hours": 31}


def region(**parts) -> dict:
    """A Region in which nothing is set up, but for what is given."""
    return {
        "status": "read", "sentLastTwoWeeks": 0, "identities": [], "mailManager": NOTHING, "vpcEndpoints": [],
        "sending": {"enabled": True, "productionAccess": False, "enforcementStatus": "HEALTHY",
                    "quota": {"max24Hour": 200, "maxSendRate": 1, "sentLast24Hours": 0}},
    } | parts


def gap(call: str) -> dict:
    return {"gap": {"call": call, "reason": "denied"}}


def identity(name: str, kind: str = "DOMAIN", verified: bool = True, policies=()) -> dict:
    if not isinstance(policies, dict):
        policies = [{"name": policy, "text": POLICY} for policy in policies]
    return {"name": name, "kind": kind, "verified": verified, "policies": policies}


def world() -> dict:
    relays = [{"id": f"rl-{n}", "name": f"relay {n}", "serverName": f"mx{n}.example.com", "serverPort": 25 + n} for n in range(3)]
    actions = [
        {"rule": "out", "action": "relay", "relay": "rl-0"}, {"rule": "out", "action": "relay", "relay": "rl-1"},
        {"rule": "some", "action": "send", "recipients": ["a@example.com", "b@example.com"]},
        {"rule": "any", "action": "send"},
    ]
    full = region(
        sending={"enabled": True, "productionAccess": True, "enforcementStatus": "PROBATION", "quota": QUOTA},
        sentLastTwoWeeks=412,
        identities=[
            identity("a.example.com", policies=[f"policy-{n:02}" for n in range(23)]), identity("b@example.com", "EMAIL_ADDRESS", False),
            identity("c.example.com", policies=["one"]), identity("d.example.com", policies=gap("ses:ListIdentityPolicies")),
            identity("e.example.com", "MANAGED_DOMAIN"),
        ],
        mailManager={
            "available": True, "relays": relays,
            "ruleSets": [{"id": "rs-1", "name": "set", "actions": actions}, {"id": "rs-2", "name": "none", "actions": []}],
            "ingressPoints": [{"id": f"inp-{n}", "name": f"point {n}", "status": "ACTIVE"} for n in range(3)],
        },
        vpcEndpoints=[
            {"id": "vpce-1", "service": "com.amazonaws.us-east-1.email-smtp", "vpc": "vpc-1", "state": "available", "policy": POLICY},
            {"id": "vpce-2", "service": "com.amazonaws.us-east-1.email", "vpc": "vpc-1", "state": "pending", "policy": None},
        ],
    )
    denied = region(
        sending=gap("ses:GetAccount"), sentLastTwoWeeks=gap("ses:GetSendStatistics"), identities=gap("ses:ListEmailIdentities"),
        mailManager=gap("ses:ListRelays"), vpcEndpoints=gap("ec2:DescribeVpcEndpoints"),
    )
    return {
        FULL: {"us-east-1": full, "eu-central-1": region(), "us-west-2": denied, "af-south-1": {"status": "notOptedIn"}},
        SMALL: {"us-east-1": region(), "ap-south-1": {"status": "regionDisabled"}},
        CLOSED: {"us-east-1": {"status": "roleMissing"}},
        HIDDEN: {"us-east-1": {"status": "denied", "call": "account:ListRegions"}},
    }


class Reader:
    """A client as slow and plain as it can be, which reads a Region in the words of a world."""

    def __init__(self, ses: Ses, account: str, **wish):
        self.ses = ses
        self.sts = self.client("sts", "us-east-1", aws_access_key_id="checker", aws_secret_access_key="checker")
        wish = {"RoleArn": f"arn:aws:iam::{account}:role/{ROLE}", "RoleSessionName": SESSION, "ExternalId": EXTERNAL_ID} | wish
        made = self.sts.assume_role(**wish)["Credentials"]
        self.keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"],
                     "aws_session_token": made["SessionToken"]}

    def client(self, service: str, region: str, **keys):
        config = Config(retries={"total_max_attempts": 1}, read_timeout=5)
        return boto3.client(service, region_name=region, endpoint_url=self.ses.endpoint, config=config, **(keys or self.keys))

    def regions(self) -> dict[str, str]:
        pages = self.client("account", "us-east-1").get_paginator("list_regions").paginate()
        return {item["RegionName"]: item["RegionOptStatus"] for page in pages for item in page["Regions"]}

    def part(self, call: str, read):
        try:
            return read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"):
                raise
            return gap(call)

    def region(self, name: str) -> dict:
        v1, v2 = self.client("ses", name), self.client("sesv2", name)
        points = lambda: sum(point["DeliveryAttempts"] for point in v1.get_send_statistics()["SendDataPoints"])
        return {
            "status": "read",
            "sending": self.part("ses:GetAccount", lambda: self.sending(v1, v2)),
            "sentLastTwoWeeks": self.part("ses:GetSendStatistics", points),
            "identities": self.part("ses:ListEmailIdentities", lambda: self.identities(v1, v2)),
            "mailManager": self.part("ses:ListRelays", lambda: self.mail_manager(self.client("mailmanager", name))),
            "vpcEndpoints": self.part("ec2:DescribeVpcEndpoints", lambda: self.endpoints(self.client("ec2", name), name)),
        }

    def sending(self, v1, v2) -> dict:
        account = v2.get_account()
        quota = account.get("SendQuota") or v1.get_send_quota()
        enabled = account["SendingEnabled"] if "SendingEnabled" in account else v1.get_account_sending_enabled()["Enabled"]
        return {
            "enabled": enabled, "productionAccess": account["ProductionAccessEnabled"], "enforcementStatus": account["EnforcementStatus"],
            "quota": {"max24Hour": quota["Max24HourSend"], "maxSendRate": quota["MaxSendRate"], "sentLast24Hours": quota["SentLast24Hours"]},
        }

    def identities(self, v1, v2) -> list:
        found = [item for page in paged(v2.list_email_identities) for item in page["EmailIdentities"]]
        return sorted(({
            "name": item["IdentityName"], "kind": item["IdentityType"], "verified": item["VerificationStatus"] == "SUCCESS",
            "policies": self.part("ses:ListIdentityPolicies", lambda: self.policies(v1, item["IdentityName"])),
        } for item in found), key=lambda item: item["name"])

    def policies(self, v1, name: str) -> list:
        names = sorted(v1.list_identity_policies(Identity=name)["PolicyNames"])
        found = {}
        for start in range(0, len(names), 20):
            found |= v1.get_identity_policies(Identity=name, PolicyNames=names[start : start + 20])["Policies"]
        return [{"name": policy, "text": found[policy]} for policy in names]

    def mail_manager(self, client) -> dict:
        try:
            relays = [item["RelayId"] for page in paged(client.list_relays) for item in page["Relays"]]
        except HTTPClientError:
            return NOTHING
        sets = [item["RuleSetId"] for page in paged(client.list_rule_sets) for item in page["RuleSets"]]
        points = [item for page in paged(client.list_ingress_points) for item in page["IngressPoints"]]
        relays = [client.get_relay(RelayId=relay) for relay in sorted(relays)]
        sets = [client.get_rule_set(RuleSetId=rule_set) for rule_set in sorted(sets)]
        return {
            "available": True,
            "relays": [{"id": it["RelayId"], "name": it["RelayName"], "serverName": it["ServerName"], "serverPort": it["ServerPort"]}
                       for it in relays],
            "ruleSets": [{"id": it["RuleSetId"], "name": it["RuleSetName"], "actions": outgoing(it["Rules"])} for it in sets],
            "ingressPoints": sorted(({"id": it["IngressPointId"], "name": it["IngressPointName"], "status": it["Status"]}
                                     for it in points), key=lambda it: it["id"]),
        }

    def endpoints(self, client, region: str) -> list:
        names = [f"com.amazonaws.{region}.{end}" for end in ("email", "email-smtp", "mail-manager", "mail-manager-smtp.*")]
        wanted = lambda **more: client.describe_vpc_endpoints(Filters=[{"Name": "service-name", "Values": names}], **more)
        found = [item for page in paged(wanted) for item in page["VpcEndpoints"]]
        return [{"id": it["VpcEndpointId"], "service": it["ServiceName"], "vpc": it["VpcId"], "state": it["State"],
                 "policy": it.get("PolicyDocument")} for it in found]


def paged(call):
    """The pages of an operation, some of them without a paginator in boto3."""
    page = call()
    yield page
    while token := page.get("NextToken"):
        page = call(NextToken=token)
        yield page


def outgoing(found: list) -> list:
    """The actions of rules that let mail out, in the words of a world."""
    actions = []
    for rule in found:
        recipients = None
        for action in rule["Actions"]:
            (kind, settings), = action.items()
            if kind == "Relay":
                actions.append({"rule": rule["Name"], "action": "relay", "relay": settings["Relay"].split("/")[-1]})
            elif kind == "ReplaceRecipient":
                recipients = settings["ReplaceWith"]
            elif kind == "Send":
                actions.append({"rule": rule["Name"], "action": "send"} | ({"recipients": recipients} if recipients else {}))
    return actions


class SesTest(unittest.TestCase):
    def open(self, **settings) -> Ses:
        ses = Ses(world(), **settings)
        self.addCleanup(ses.close)
        return ses

    def refused(self, code: str, call, *given, **wish) -> None:
        with self.assertRaises(ClientError) as caught:
            call(*given, **wish)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_another_client_reads_the_world_as_it_is(self):
        for settings in ({}, {"terse": True}, {"page": 1000}):
            ses = self.open(**settings)
            reader = Reader(ses, FULL)
            self.assertEqual(reader.regions(), {
                "us-east-1": "ENABLED_BY_DEFAULT", "eu-central-1": "ENABLED_BY_DEFAULT", "us-west-2": "ENABLED_BY_DEFAULT",
                "af-south-1": "DISABLED",
            })
            for name in ("us-east-1", "eu-central-1", "us-west-2"):
                self.assertEqual(reader.region(name), ses.world[FULL][name], name)
            self.assertEqual(Reader(ses, SMALL).region("us-east-1"), ses.world[SMALL]["us-east-1"])
            self.assertEqual(ses.refused, [])

    def test_both_protocols_of_mail_manager_say_the_same(self):
        ses = self.open()
        reader = Reader(ses, FULL)
        # boto3 takes the one, the SDK for Rust the other.
        for protocol in ("json", "smithy-rpc-v2-cbor"):
            with mock.patch.object(botocore.model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", [protocol]):
                client = reader.client("mailmanager", "us-east-1")
                self.assertEqual(client.meta.service_model.resolved_protocol, protocol)
                self.assertEqual(reader.mail_manager(client), ses.world[FULL]["us-east-1"]["mailManager"])
                self.assertEqual(client.get_relay(RelayId="rl-1")["CreatedTimestamp"].timestamp(), MOMENT.timestamp())
                self.refused("ResourceNotFoundException", client.get_relay, RelayId="rl-9")
                self.assertRaises(ClientError, client.list_archives)
        self.assertEqual(len(ses.refused), 2)

    def test_only_the_checker_gets_into_an_account_and_only_where_the_role_is(self):
        ses = self.open()
        Reader(ses, FULL)
        for account, wish in (
            (CLOSED, {}), ("999999999999", {}), (FULL, {"ExternalId": "other"}), (FULL, {"RoleSessionName": "other"}),
            (FULL, {"RoleArn": f"arn:aws:iam::{FULL}:role/Other"}),
        ):
            self.refused("AccessDenied", Reader, ses, account, **wish)
        self.refused("AccessDeniedException", Reader(ses, HIDDEN).regions)

    def test_credentials_are_good_for_their_account_their_time_and_nothing_else(self):
        ses = self.open(session_seconds=0.2)
        reader = Reader(ses, SMALL)
        self.assertEqual(set(reader.regions()), {"us-east-1", "ap-south-1"})
        time.sleep(0.3)
        self.refused("ExpiredToken", reader.client("ses", "us-east-1").get_send_quota)
        reader.keys["aws_session_token"] = "another"
        self.refused("InvalidClientTokenId", reader.client("ses", "us-east-1").get_send_quota)
        reader.keys = {"aws_access_key_id": "checker", "aws_secret_access_key": "checker"}
        self.refused("InvalidClientTokenId", reader.client("ses", "us-east-1").get_send_quota)
        self.assertEqual(len(ses.refused), 3)

    def test_nothing_is_answered_in_a_region_that_is_off_or_not_there(self):
        ses = self.open()
        for account, region_name in ((SMALL, "ap-south-1"), (FULL, "af-south-1"), (SMALL, "eu-central-1")):
            for service, call in (("ses", "get_send_quota"), ("sesv2", "get_account"), ("ec2", "describe_vpc_endpoints")):
                client = Reader(ses, account).client(service, region_name)
                self.refused("UnrecognizedClientException", getattr(client, call))
        self.assertEqual(len(ses.refused), 9)

    def test_every_other_operation_is_refused_and_told(self):
        ses = self.open()
        reader = Reader(ses, FULL)
        for service, call, wish in (
            ("ses", "list_identities", {}), ("ses", "delete_identity", {"Identity": "a.example.com"}),
            ("sesv2", "delete_email_identity", {"EmailIdentity": "a.example.com"}), ("sesv2", "list_configuration_sets", {}),
            ("mailmanager", "delete_relay", {"RelayId": "rl-0"}), ("mailmanager", "list_archives", {}),
            ("ec2", "describe_vpcs", {}), ("account", "disable_region", {"RegionName": "us-east-1"}), ("sts", "get_caller_identity", {}),
        ):
            ses.forget()
            with self.assertRaises(ClientError, msg=call):
                getattr(reader.client(service, "us-east-1"), call)(**wish)
            self.assertEqual(len(ses.refused), 1, call)

    def test_requests_that_aws_refuses_are_refused(self):
        reader = Reader(self.open(), FULL)
        v1, ec2 = reader.client("ses", "us-east-1"), reader.client("ec2", "us-east-1")
        names = [f"policy-{n:02}" for n in range(21)]
        self.refused("ValidationError", v1.get_identity_policies, Identity="a.example.com", PolicyNames=names)
        self.refused("InvalidParameterValue", ec2.describe_vpc_endpoints, Filters=[{"Name": "servicename", "Values": ["x"]}])
        self.refused("InvalidParameterValue", ec2.describe_vpc_endpoints, MaxResults=4)
        self.refused("InvalidNextToken", ec2.describe_vpc_endpoints, NextToken="3")
        other = reader.client("mailmanager", "us-east-1").list_relays()["NextToken"]
        self.refused("InvalidNextTokenException", reader.client("sesv2", "us-east-1").list_email_identities, NextToken=other)
        self.refused("ValidationException", reader.client("mailmanager", "us-east-1").list_relays, NextToken="x")

    def test_endpoints_of_other_services_are_there_and_pages_may_be_empty(self):
        reader = Reader(self.open(), FULL)
        client = reader.client("ec2", "us-east-1")
        everything = [item for page in paged(client.describe_vpc_endpoints) for item in page["VpcEndpoints"]]
        self.assertEqual(len(everything), 6)
        wanted = lambda **more: client.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": ["vpc-1"]}], **more)
        sizes = [len(page["VpcEndpoints"]) for page in paged(wanted)]
        self.assertEqual((sum(sizes), 0 in sizes), (2, True))

    def test_faults_hold_where_and_as_often_as_the_test_says(self):
        ses = self.open()
        here, there = Reader(ses, FULL), Reader(ses, SMALL)
        ses.fail("ses:GetAccount", "throttle", account=FULL, region="us-east-1", times=2)
        for _ in range(2):
            self.refused("TooManyRequestsException", here.client("sesv2", "us-east-1").get_account)
        here.client("sesv2", "us-east-1").get_account()
        there.client("sesv2", "us-east-1").get_account()
        for api, kind, service, call, code in (
            ("ses:GetSendQuota", "throttle", "ses", "get_send_quota", "Throttling"), ("ses:GetSendQuota", "deny", "ses", "get_send_quota", "AccessDenied"),
            ("ses:ListRelays", "throttle", "mailmanager", "list_relays", "ThrottlingException"),
            ("ses:ListRelays", "error", "mailmanager", "list_relays", "InternalServerException"),
            ("ec2:DescribeVpcEndpoints", "throttle", "ec2", "describe_vpc_endpoints", "RequestLimitExceeded"),
            ("account:ListRegions", "throttle", "account", "list_regions", "TooManyRequestsException"),
        ):
            with ses.failing(api, kind):
                self.refused(code, getattr(here.client(service, "us-east-1"), call))
        with ses.failing("sts:AssumeRole", "throttle", account=FULL):
            self.refused("Throttling", Reader, ses, FULL)
            Reader(ses, SMALL)
        with ses.failing("ses:GetRelay", "gone", about="rl-1"):
            self.refused("ResourceNotFoundException", here.client("mailmanager", "us-east-1").get_relay, RelayId="rl-1")
            here.client("mailmanager", "us-east-1").get_relay(RelayId="rl-2")
        with ses.failing("ses:GetSendQuota", "hang up"), self.assertRaises(HTTPClientError):
            here.client("ses", "us-east-1").get_send_quota()
        began = time.monotonic()
        with ses.failing("ses:GetSendQuota", "slow", seconds=0.2):
            here.client("ses", "us-east-1").get_send_quota()
        self.assertGreater(time.monotonic() - began, 0.2)
        self.assertRaises(ValueError, ses.fail, "ses:GetAccount", "gone")
        self.assertEqual(ses.refused, [])

    def test_the_log_tells_who_was_asked_what_and_which_calls_came_too_soon(self):
        ses = self.open()
        reader, other = Reader(ses, FULL), Reader(ses, SMALL)
        client = reader.client("sesv2", "us-east-1")
        client.get_account()
        other.client("sesv2", "us-east-1").get_account()
        reader.client("sesv2", "eu-central-1").get_account()
        reader.client("ec2", "us-east-1").describe_vpc_endpoints()
        reader.client("ec2", "us-east-1").describe_vpc_endpoints()
        self.assertEqual(ses.too_fast(), [])
        time.sleep(0.3)
        client.get_account()
        self.assertEqual(ses.too_fast(0.3), [])
        (found,) = ses.too_fast(60)
        self.assertIn(f"ses:GetAccount in {FULL}/us-east-1 after", found)
        self.assertEqual(ses.counts()["ses:GetAccount"], 4)
        self.assertEqual([call.account for call in ses.log() if call.api == "sts:AssumeRole"], [FULL, SMALL])
        ses.fail("ses:GetAccount", "throttle")
        self.refused("TooManyRequestsException", client.get_account)
        self.assertEqual(ses.log()[-1].outcome, "TooManyRequestsException")

    def test_calls_that_come_too_soon_are_throttled_where_a_pace_is_set(self):
        client = Reader(self.open(pace=0.3), FULL).client("ses", "us-east-1")
        client.get_send_quota()
        self.refused("Throttling", client.get_send_quota)
        client.get_send_statistics()
        time.sleep(0.35)
        client.get_send_quota()

    def test_a_world_that_cannot_be_is_refused(self):
        send = lambda **more: {"rule": "r", "action": "send"} | more
        manager = lambda actions: {"available": True, "relays": [], "ingressPoints": [], "ruleSets": [{"id": "rs", "name": "s", "actions": actions}]}
        for regions in (
            {"us-east-1": {"status": "roleMissing"}, "us-west-2": region()}, {"us-east-1": {"status": "failed", "reason": "x"}},
            {"us-east-1": {"status": "denied", "call": "ses:GetAccount"}}, {"us-east-1": region(extra=1)},
            {"us-east-1": region(sending=gap("ses:GetSendQuota"))}, {"us-east-1": region(mailManager=gap("ses:GetRelay"))},
            {"us-east-1": region(mailManager=manager([send(recipients=["a@example.com"]), send()]))},
        ):
            self.assertRaises(ValueError, check, {FULL: regions})
        self.assertRaises(ValueError, check, {"12": {}})


if __name__ == "__main__":
    unittest.main()
