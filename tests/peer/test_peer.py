"""Checks of the peer by itself: published facts with known answers."""

import datetime
import json
import pathlib
import tempfile
import unittest

import cases
import generate
import language
import witness
from compare import judge
from keys import kind_of
from language import ADDRESS, ANY, ARN, QUOTED, REGIONS, TooLarge, matches, representatives
from peer import CONTROLS, EACH, WHOLE, Atom, Facts, Organization, Unsupported, paths

FACTS = Facts(pathlib.Path(__file__).parents[2] / "shared/ses-perimeter/data/ses-actions.json")
NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
PERIMETER = '[trusted]\nrecipients = ["*@ex.io"]\n[[exemptions]]\nprincipal_tag = { key = "out", value = "true" }\nreason = "r"\n'


def organization(statements, perimeter=PERIMETER, **extra):
    documents = [[ALLOW], [ALLOW], statements]
    policies = [
        {"id": f"p-{n:08d}", "name": f"n{n}", "type": "SERVICE_CONTROL_POLICY", "awsManaged": False,
         "content": json.dumps({"Version": "2012-10-17", "Statement": d})}
        for n, d in enumerate(documents)
    ]
    snapshot = {
        "schemaVersion": 1, "fetchedAt": "2026-11-23T00:00:00Z", "partition": "aws",
        "organization": {"id": "o-exampleorgid", "managementAccountId": "111111111111", "featureSet": "ALL"},
        "root": {"id": "r-exam", "name": "Root", "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
        "organizationalUnits": [],
        "accounts": [
            {"id": "111111111111", "name": "m", "email": "m@ex.io", "state": "ACTIVE", "parentId": "r-exam"},
            {"id": "222222222222", "name": "a", "email": "a@ex.io", "state": "ACTIVE", "parentId": "r-exam"},
        ],
        "policies": policies,
        "attachments": [
            {"policyId": "p-00000000", "targetId": "r-exam"}, {"policyId": "p-00000001", "targetId": "222222222222"},
            {"policyId": "p-00000002", "targetId": "222222222222"},
        ],
        **extra,
    }
    return Organization(snapshot, perimeter, FACTS, NOW)


def deny(actions, condition=None, **other):
    return {"Effect": "Deny", "Action": actions, "Resource": "*", **({"Condition": condition} if condition else {}), **other}


TAG = {"StringNotEqualsIfExists": {"aws:PrincipalTag/out": "true"}}


def recipients(version):
    return {"ForAnyValue:StringNotLike": {"ses:Recipients": ["*@ex.io"]}, "StringEquals": {"ses:ApiVersion": version}, **TAG}


V1 = ["ses:SendBulkTemplatedEmail", "ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail"]
EXAMPLE = [deny(V1, recipients("1")), deny("ses:SendEmail", recipients("2")), deny("ses:SendCustomVerificationEmail", TAG)]


class Language(unittest.TestCase):
    def test_every_combination_is_found_and_no_other(self):
        texts = representatives(ADDRESS, frozenset({("ilike", "*@ex.io"), ("like", "*@ex.io"), ("like", "a*")}))
        seen = {(t.lower().endswith("@ex.io"), t.endswith("@ex.io"), t.startswith("a")) for t in texts}
        self.assertEqual(seen, {(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1) if a or not b})

    def test_question_mark_takes_exactly_one(self):
        texts = representatives(ANY, frozenset({("like", "?"), ("like", "??"), ("equals", "?")}))
        self.assertEqual(sorted((len(t) == 1, len(t) == 2, t == "?") for t in texts),
                         [(False, False, False), (False, True, False), (True, False, False), (True, False, True)])


    def test_shapes(self):
        for shape, right, wrong in (
            (language.TAG, ("a b/c:d=e+f-g@h_i.j",), ("a*", "$", "?", "")),
            (QUOTED, ('"a b"@ex.io', "a@ex.io", '"@"@ex.io'), ('"a"b@ex.io', '"a@ex.io', '""@ex.io')),
            (ARN, ("arn:aws:iam::1:role/a", "arn:a:b:c:d:e:f"), ("arn:aws:iam::1", "arn:aws:iam::1:", "*")),
            (REGIONS["aws"], ("us-east-1", "ap-east-1", "us-govern-west-1"), (
                "us-gov-west-1", "cn-north-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1", "us-east", "us-east-12", "us--1")),
            (REGIONS["aws-us-gov"], ("us-gov-west-1",), ("us-east-1",)),
            (REGIONS["aws-eusc"], ("eusc-de-east-1",), ("eusc-1",)),
        ):
            for text in right:
                self.assertTrue(matches(shape, text), text)
            for text in wrong:
                self.assertFalse(matches(shape, text), text)


class Operators(unittest.TestCase):
    def truth(self, operator, key, values, value, readings=EACH):
        return Atom(operator, key, values).truth(readings, value)

    def test_missing_keys(self):
        for operator, expected in {
            "StringEquals": 0, "StringNotLike": 1, "StringLikeIfExists": 1, "ForAnyValue:StringNotLike": 0,
            "ForAllValues:StringLike": 1,
        }.items():
            self.assertEqual(self.truth(operator, "ses:Recipients" if ":" in operator else "aws:PrincipalTag/x", ["a"], None),
                             EACH.of(expected), operator)

    def test_open_points_stay_open(self):
        self.assertEqual(self.truth("StringLike", "ses:Recipients", ["*"], ("a@b.c",)), EACH.open)
        self.assertEqual(self.truth("ForAnyValue:StringLikeIfExists", "ses:Recipients", ["*"], None), EACH.open)
        self.assertEqual(self.truth("ArnLike", "aws:PrincipalArn", ["*"], "arn:aws:iam::1:root"), EACH.open)
        low, high = self.truth("ArnNotLike", "aws:PrincipalArn", ["*"], "arn:aws:iam::1:root", WHOLE)
        self.assertEqual(low, high)
        self.assertNotIn(low, (0, WHOLE.full))


class Controls(unittest.TestCase):
    def verdicts(self, statements, controls, **other):
        o = organization(statements, **other)
        return {c: o.decide("222222222222", c)[0] for c in controls}

    def test_the_published_example_leaves_its_known_holes(self):
        got = self.verdicts(EXAMPLE, range(1, 10))
        self.assertEqual(got, {c: "FAILED" if c in (6, 8, 9) else "PASSED" for c in range(1, 10)})

    def test_without_version_and_with_null_everything_closes(self):
        send = [*V1, "ses:SendBulkEmail"]
        closed = [
            deny(V1, {"ForAnyValue:StringNotLike": {"ses:Recipients": "*@ex.io"}, **TAG}),
            deny(V1, {"Null": {"ses:Recipients": "true"}, **TAG}), deny("ses:SendBulkEmail", TAG),
        ]
        self.assertEqual(set(self.verdicts(closed, (1, 2, 3, 4, 6, 8, 9, 13)).values()), {"PASSED"})
        self.assertEqual(self.verdicts([deny(send)], (15,))[15], "PASSED")
        worst = PERIMETER + '[assumptions]\nundocumented = "worst-case"\n'
        self.assertEqual(self.verdicts(closed[:1], (1, 2), perimeter=worst), {1: "FAILED", 2: "PASSED"})

    def test_all_values_lets_a_trusted_copy_cover_for_the_rest(self):
        statement = deny(V1, {"ForAllValues:StringNotLike": {"ses:Recipients": "*@ex.io"}})
        self.assertEqual(self.verdicts([statement], (2,))[2], "FAILED")

    def test_bare_multivalued_key_is_undecided(self):
        self.assertEqual(self.verdicts([deny(V1, {"StringNotLike": {"ses:Recipients": "*@ex.io"}})], (2,))[2], "UNDECIDED")

    def test_disabled_type_fails_and_a_gap_leaves_undecided(self):
        gap = [{"targetId": "222222222222", "operation": "x", "reason": "y"}]
        self.assertEqual(self.verdicts([deny("*")], (2,), gaps=gap)[2], "UNDECIDED")
        root = {"id": "r-exam", "name": "Root", "policyTypes": []}
        self.assertEqual(self.verdicts([deny("*")], (2,), gaps=gap, root=root)[2], "FAILED")

    def test_foreign_resource_needs_the_organization_condition(self):
        own = deny("ses:*", {"StringNotEqualsIfExists": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}})
        self.assertEqual(self.verdicts([own], (17,))[17], "PASSED")
        self.assertEqual(self.verdicts([], (17,))[17], "FAILED")

    def test_without_a_resource_the_account_key_is_open_where_present_and_certain_where_absent(self):
        verify = ["ses:VerifyEmailIdentity", "ses:VerifyEmailAddress", "ses:CreateEmailIdentity"]

        def ten(operator, *more):
            return self.verdicts([deny(verify, {operator: {"aws:ResourceAccount": "222222222222"}}), *more], (10,))[10]

        self.assertEqual(ten("StringEquals"), "FAILED")
        absent = deny(verify, {"Null": {"aws:ResourceAccount": "true"}})
        self.assertEqual(ten("StringEquals", absent), "UNDECIDED")
        self.assertEqual(ten("StringNotEquals", absent, deny("ses:CreateEmailIdentity")), "UNDECIDED")
        self.assertEqual(ten("StringEqualsIfExists"), "UNDECIDED")

    def test_network_control_wants_every_way_in_closed(self):
        net = PERIMETER.replace("[[ex", 'networks = { vpcs = ["vpc-1"], cidrs = ["203.0.113.0/24"] }\n[[ex')
        own = deny("ses:*", {"NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"},
                             "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"}, "Bool": {"aws:ViaAWSService": "false"}})
        self.assertEqual(self.verdicts([own], (18,), perimeter=net)[18], "PASSED")
        narrow = deny("ses:*", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringEquals": {"aws:SourceVpc": "vpc-2"}})
        self.assertEqual(self.verdicts([narrow], (18,), perimeter=net)[18], "FAILED")
        self.assertEqual(self.verdicts([], (18,))[18], "NOT_APPLICABLE")


WORST = '[assumptions]\nundocumented = "worst-case"\n'
NETWORKS = PERIMETER.replace("[[ex", 'networks = { vpce_org = true, cidrs = ["203.0.113.0/24"] }\n[[ex')
ARNS = '[trusted]\nrecipients = ["*@ex.io"]\n[[exemptions]]\nprincipal_arn = "arn:aws:iam::*:role/mail/*"\nreason = "r"\n'
OUT = ["iam:TagRole", "iam:TagUser", "iam:CreateRole", "iam:CreateUser"]


def null(key, absent="true"):
    return {"Null": {key: absent}}


def unless(operator, key, value):
    """Only that value of the key gets through, and no request without it."""
    return [deny("*", {operator: {key: value}}), deny("*", null(key))]


# What the rule says, its control, the statements, the status and the perimeter.
RULES = [
    # Free keys: a condition on them stops nobody who may choose.
    ("a global key of 2026 is free", 2, unless("Bool", "aws:ViaAWSMCPService", "false"), "FAILED"),
    ("the key of a Glue job's session is free", 2, [deny("*", {"StringNotEquals": {"glue:CredentialIssuingService": "glue.amazonaws.com"}})], "FAILED"),
    ("sub of an identity provider is free", 2, [deny("*", {"StringNotLike": {"token.actions.githubusercontent.com:sub": "repo:a/*"}})], "FAILED"),
    ("amr of an identity provider holds several values", 2, [deny("*", {"StringLike": {"idp.ex.io:amr": "*"}}), deny("*", null("idp.ex.io:amr"))], "UNDECIDED"),
    ("saml:sub is free", 2, unless("StringEquals", "saml:sub", "a"), "FAILED"),
    ("a token's time is free", 2, [deny("*", null("aws:TokenIssueTime"))], "FAILED"),
    ("a session's ARN is an ARN", 2,
     [deny("*", {"ArnLike": {"lambda:SourceFunctionArn": "arn:*:*:*:*:*"}}), deny("*", null("lambda:SourceFunctionArn"))], "PASSED"),
    # Open keys: in no request, or free.
    ("an unknown global key may be in no request", 2, [deny("*", null("aws:NewThing"))], "UNDECIDED"),
    ("an unknown key that stays away lets through", 2, [deny("*", null("aws:NewThing", "false"))], "FAILED"),
    ("an unknown key stops everything under both readings", 2, [deny("*", null("corp:Thing")), deny("*", null("corp:Thing", "false"))], "PASSED"),
    ("a key of an unknown service is open", 2, [deny("*", {"StringNotEquals": {"corp:Thing": "a"}})], "UNDECIDED"),
    ("an unknown key has the type its operator wants", 2, [deny("*", {"NumericNotEquals": {"corp:Count": "5"}})], "UNDECIDED"),
    ("an unknown key has several values where a set operator asks", 2, [deny("*", {"ForAllValues:StringEquals": {"corp:Groups": ["a"]}})], "UNDECIDED"),
    ("an unknown key without a prefix is open", 2, [deny("*", null("thing"))], "UNDECIDED"),
    ("another claim of a provider is open", 2, [deny("*", null("accounts.google.com:email"))], "UNDECIDED"),
    ("an unknown SES key is open", 9, [deny("*", null("ses:NewThing"))], "UNDECIDED"),
    ("a variable of an open key is open", 2, [deny("*", {"StringNotEquals": {"aws:PrincipalAccount": "${corp:Thing}"}})], "UNDECIDED"),
    # Never.
    ("a key of another service is never there", 2, [deny("*", null("s3:prefix"))], "PASSED"),
    ("a key of service principals is never there", 2, [deny("*", null("aws:SourceOwner"))], "PASSED"),
    ("the MCP service's own key is never there", 2, [deny("*", null("aws:IsMcpServiceAction"))], "PASSED"),
    # Network.
    ("an endpoint's owner may be in no organization", 2, [deny("*", null("aws:SourceIp", "false")), deny("*", null("aws:VpceOrgID", "false"))], "FAILED"),
    ("one sort of network keys, or a forwarded call", 2, [deny("*", null("aws:SourceIp", "false")), deny("*", null("aws:SourceVpce", "false"))], "FAILED"),
    ("only a forwarded call has no network key", 2, [
        deny("*", null("aws:SourceIp", "false")), deny("*", null("aws:SourceVpce", "false")), deny("*", {"Bool": {"aws:ViaAWSService": "true"}})], "PASSED"),
    ("an endpoint call has all three keys", 2,
     [deny("*", null("aws:SourceIp", "false")), deny("*", null("aws:VpcSourceIp", "false")), deny("*", {"Bool": {"aws:ViaAWSService": "true"}})], "PASSED"),
    ("two statements by sort leave an endpoint of nobody", 18, [
        deny("ses:*", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}, **null("aws:SourceIp", "false"), "Bool": {"aws:ViaAWSService": "false"}}),
        deny("ses:*", {"StringNotEquals": {"aws:VpceOrgID": "o-exampleorgid"}, **null("aws:VpceOrgID", "false"), "Bool": {"aws:ViaAWSService": "false"}}),
    ], "FAILED", NETWORKS),
    ("SES fills no aws:VpceAccount", 2, [deny("*", null("aws:VpceAccount"))], "PASSED"),
    ("SES may come to fill aws:VpceAccount", 2, [deny("*", null("aws:VpceAccount"))], "FAILED", PERIMETER + WORST),
    ("only on an endpoint", 2, [deny("*", null("aws:VpceAccount")), deny("*", null("aws:SourceIp"))], "PASSED", PERIMETER + WORST),
    ("IAM fills aws:VpceAccount", 16, [deny(OUT, null("aws:VpceAccount")), deny("sts:*")], "FAILED"),
    ("STS fills no aws:SourceVpcArn", 16, [deny("sts:*", null("aws:SourceVpcArn")), deny("iam:*")], "PASSED"),
    ("STS fills aws:VpceOrgPaths", 16, [deny("sts:*", null("aws:VpceOrgPaths")), deny("iam:*")], "FAILED"),
    # Principals, tags.
    ("a service-linked role is no principal", 2, [deny("*", {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-service-role/*"}})], "PASSED"),
    ("an empty tag value is open", 2, [deny("*", {"StringLike": {"aws:PrincipalTag/team": "?*"}}), deny("*", null("aws:PrincipalTag/team"))], "UNDECIDED"),
    ("no tag value holds a star", 2, [deny("*", {"StringNotEquals": {"aws:PrincipalTag/team": "a*"}})], "PASSED"),
    ("a tag value holds a slash", 2, [deny("*", {"StringNotEquals": {"aws:PrincipalTag/team": "a/b @-"}})], "FAILED"),
    ("request tags and tag keys agree", 10, [
        deny("*", null("aws:RequestTag/a")), deny("*", {"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": "A"}}),
        deny(["ses:VerifyEmailIdentity", "ses:VerifyEmailAddress"])], "PASSED"),
    # Time, Regions.
    ("nobody sends in the past", 2, [deny("*", {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-11-23T00:00:00Z"}})], "PASSED"),
    ("the moment of the evaluation itself counts", 2, [deny("*", {"DateGreaterThan": {"aws:CurrentTime": "2026-11-23T00:00:00Z"}})], "FAILED"),
    ("a token may be old", 2, [deny("*", {"DateGreaterThanIfExists": {"aws:TokenIssueTime": "2020-01-01"}}), deny("*", null("aws:TokenIssueTime"))], "FAILED"),
    ("no SES in a Region without endpoint", 2, [deny("*", {"StringNotEquals": {"aws:RequestedRegion": "ap-east-1"}})], "PASSED"),
    ("SES may come to any Region", 2, [deny("*", {"StringNotEquals": {"aws:RequestedRegion": "ap-east-1"}})], "FAILED", PERIMETER + WORST),
    ("a Region is no planet", 2, [deny("*", {"StringNotEquals": {"aws:RequestedRegion": "mars-north-1"}})], "PASSED", PERIMETER + WORST),
    ("a Region of another partition is none", 2, [deny("*", {"StringNotLike": {"aws:RequestedRegion": "us-gov-*"}})], "PASSED", PERIMETER + WORST),
    ("no SMTP in Milan", 8, [deny("*", {"StringNotEquals": {"aws:RequestedRegion": "eu-south-1"}})], "PASSED"),
    ("the API is there", 6, [deny("*", {"StringNotEquals": {"aws:RequestedRegion": "eu-south-1"}})], "FAILED"),
    ("IAM is called in one Region", 16, [deny(OUT, {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), deny("sts:*")], "PASSED"),
    ("STS is called in any", 16, [deny("sts:*", {"StringNotEquals": {"aws:RequestedRegion": "ap-east-1"}}), deny("iam:*")], "FAILED"),
    # Own and other resources.
    ("an own resource is of the own organization", 7,
     [deny("*", {"StringEquals": {"aws:ResourceOrgID": "o-exampleorgid"}}), deny("*", null("aws:ResourceOrgID"))], "PASSED"),
    ("and below the own path", 7, [deny("*", {"ForAllValues:StringEquals": {"aws:ResourceOrgPaths": "o-exampleorgid/r-exam/"}})], "PASSED"),
    ("a variable is the request's own value", 2, [deny("*", {"StringNotEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}})], "FAILED"),
    ("a tag that equals the identity", 2, [
        {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:ses:*:*:identity/${aws:PrincipalTag/domain}"]}], "FAILED"),
    ("an account of the organization is no other one", 17, [
        {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:ses:*:111111111111:*"}], "PASSED"),
    ("v1 mail needs its template", 4, [{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:ses:*:*:template/*"}], "PASSED"),
    ("v2 mail may carry its own", 9, [{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:ses:*:*:template/*"}], "FAILED"),
    # Keys by action.
    ("raw v2 mail may name a tenant", 6, [deny("*", null("ses:TenantName"))], "FAILED"),
    ("so may SMTP", 8, [deny("*", null("ses:TenantName"))], "FAILED"),
    ("and its identity may be tagged", 8, [deny("*", {"StringNotEquals": {"aws:ResourceTag/team": "mail"}})], "FAILED"),
    ("v1 mail names none", 3, [deny("*", null("ses:TenantName"))], "PASSED"),
    ("tags in v1 are not documented", 3, [deny("*", null("aws:ResourceTag/team"))], "PASSED"),
    ("tags in v1 may count", 3, [deny("*", null("aws:ResourceTag/team"))], "FAILED", PERIMETER + WORST),
    ("for a bounce as well", 11, [deny("*", null("aws:ResourceTag/team"))], "FAILED", PERIMETER + WORST),
    ("UpdateIngressPoint may carry the type", 12, [
        deny(["ses:*Relay", "ses:*RuleSet", "ses:CreateIngressPoint"]), deny("*", null("ses:MailManagerIngressPointType"))], "FAILED"),
    ("CreateRelay does not", 12, [deny("ses:*IngressPoint"), deny("*", null("ses:MailManagerIngressPointType"))], "PASSED"),
    ("the From address is a plain one", 2, [deny("*", {"StringNotLike": {"ses:FromAddress": "@*"}})], "PASSED"),
    ("recipients are plain", 2, [deny("*", {"ForAnyValue:StringNotLike": {"ses:Recipients": '"*'}})], "PASSED"),
    ("a local part may be quoted", 2, [deny("*", {"ForAnyValue:StringNotLike": {"ses:Recipients": '"*'}})], "FAILED", PERIMETER + WORST),
    # SMTP.
    ("SMTP is for users", 8, [deny("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}})], "PASSED"),
    ("or root", 8, [deny("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}})], "FAILED", PERIMETER + WORST),
    ("SMTP has no token", 8, [deny("*", null("aws:TokenIssueTime"))], "PASSED"),
    ("nor a second factor", 8, [deny("*", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})], "PASSED"),
    ("nor a provider", 8, [deny("*", null("accounts.google.com:email"))], "PASSED"),
    ("and is never forwarded", 8, [deny("*", {"Bool": {"aws:ViaAWSService": "false"}})], "PASSED"),
    ("an unknown key is open in SMTP too", 8, [deny("*", null("aws:NewThing"))], "UNDECIDED"),
    # Paths.
    ("Pinpoint's CreateEmailIdentity may be version 1", 10, [deny("ses:Verify*"), deny("*", {"StringEquals": {"ses:ApiVersion": "2"}})], "FAILED"),
    ("or carry none", 10, [deny("ses:Verify*"), deny("*", null("ses:ApiVersion", "false"))], "FAILED", PERIMETER + WORST),
    ("no version is not documented", 10, [deny("ses:Verify*"), deny("*", null("ses:ApiVersion", "false"))], "PASSED"),
    ("feedback of Pinpoint counts", 15,
     [deny(V1, {"StringEquals": {"ses:ApiVersion": "2"}}), deny(V1, recipients("1")), deny("*", null("ses:FeedbackAddress"))], "FAILED"),
    ("an action that nobody reviewed names a resource", 17, [{"Effect": "Deny", "NotAction": "ses:SendBounce", "Resource": "*"}], "FAILED"),
    ("an action that nobody reviewed is called from anywhere", 18,
     [{"Effect": "Deny", "NotAction": "ses:GetArchiveMessageContent", "Resource": "*"}], "FAILED", NETWORKS),
    ("making a role that is let out", 24, [], "FAILED", ARNS),
    ("taking one over", 24, [deny("iam:CreateRole")], "FAILED", ARNS),
    ("nobody makes or takes over", 24, [deny(["iam:CreateRole", "iam:UpdateAssumeRolePolicy"])], "PASSED", ARNS),
    ("only what is let out counts", 24, [{"Effect": "Deny", "Action": "iam:*", "Resource": "arn:aws:iam::*:role/mail/*"}], "PASSED", ARNS),
    ("no principal of the account is let out", 24, [], "NOT_APPLICABLE", ARNS.replace("::*:", "::999999999999:")),
    ("nor by a tag", 24, [], "NOT_APPLICABLE"),
    # Readings.
    ("a bare multivalued key that is absent may match", 9, [deny("*", {"StringNotLike": {"ses:Recipients": "a"}})], "UNDECIDED"),
    ("a positive one does not", 9, [deny("*", {"StringLike": {"ses:Recipients": "*"}})], "FAILED"),
    ("leading zeros are open", 2,
     [deny("*", {"NotIpAddress": {"aws:SourceIp": "203.010.113.0/24"}}), deny("*", {"IpAddress": {"aws:SourceIp": "203.10.113.0/24"}})], "UNDECIDED"),
    ("so are those of a prefix length", 2, [
        deny("*", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/024"}}), deny("*", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], "UNDECIDED"),
    ("two stars may end at a colon", 2, [{**deny("*"), "Resource": "**"}], "UNDECIDED"),
    ("a placeholder leaves its statement undecided", 2, [deny("*", {"StringNotEquals": {"aws:PrincipalTag/x": "${NAME}"}})], "UNDECIDED"),
    ("one key twice", 2, [deny("*", {"StringEquals": {"aws:PrincipalTag/x": "a", "AWS:PrincipalTag/X": "b"}})], "UNDECIDED"),
    ("no resource element", 2, [{"Effect": "Deny", "Action": "*"}], "UNDECIDED"),
    ("both resource elements", 2, [{**deny("*"), "NotResource": "*"}], "UNDECIDED"),
    ("a number that is none", 2,
     [deny("*", {"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "soon"}}), deny("*", null("aws:MultiFactorAuthAge"))], "UNDECIDED"),
]


class Requests(unittest.TestCase):
    def test_every_rule(self):
        for name, control, statements, status, *perimeter in RULES:
            with self.subTest(name):
                made = organization(statements, *(perimeter or [PERIMETER]))
                found, example = made.decide("222222222222", control)
                self.assertEqual(found, status)
                if found == "FAILED":
                    request = witness.complete(made, "222222222222", *example)
                    self.assertEqual(witness.problems(made, "222222222222", control, request), [])

    def test_every_request_found_keeps_the_rules(self):
        snapshot, perimeter = generate.generate("own requests", 20)
        made, checked = Organization(snapshot, perimeter, FACTS, NOW), 0
        for account in made.accounts:
            for control in CONTROLS:
                try:
                    status, example = made.decide(account, control)
                except (Unsupported, TooLarge):
                    continue
                if status == "FAILED":
                    checked += 1
                    self.assertEqual(witness.problems(made, account, control, witness.complete(made, account, *example)), [])
        self.assertGreater(checked, 50)

    def test_what_is_known_of_a_key(self):
        path = next(p for p in paths(FACTS, 2, False))
        for key, presence in {
            "aws:username": "free", "aws:calledvia": "free", "identitystore:userid": "free", "saml:iss": "open", "sts:externalid": "absent",
            "ec2:vpc": "absent", "graph.facebook.com:sub": "free", "a.b:amr": "free", "graph.facebook.com:id": "open", "ses:tenantname": "absent",
            "sesv2:thing": "open", "aws:requesttag/a": "absent", "iam:resourcetag/a": "absent",
        }.items():
            self.assertEqual(kind_of(path, key)[0], presence, key)


REQUEST = {
    "action": "ses:SendRawEmail", "resource": "arn:aws:ses:us-east-1:222222222222:identity/ex.io", "sendPath": "smtp",
    "principalArn": "arn:aws:iam::222222222222:user/app",
    "context": {
        "aws:CurrentTime": "2026-11-23T00:00:00Z", "aws:EpochTime": "1795392000", "aws:PrincipalAccount": "222222222222",
        "aws:PrincipalArn": "arn:aws:iam::222222222222:user/app", "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalOrgID": "o-exampleorgid", "aws:PrincipalOrgPaths": ["o-exampleorgid/r-exam/"],
        "aws:PrincipalType": "User", "aws:RequestedRegion": "us-east-1", "aws:SecureTransport": "true",
        "aws:SourceIp": "198.51.100.10", "aws:ViaAWSService": "false", "aws:userid": "x", "ses:ApiVersion": "2",
        "ses:Recipients": ["a@untrusted.invalid"],
    },
}


class Rows(unittest.TestCase):
    """What the program may not say."""

    def setUp(self):
        self.organization = organization(EXAMPLE)

    def fault(self, control, **row):
        made = {"decidedBy": [], "assumptions": [], "obstacles": [], **row}
        return judge(self.organization, "222222222222", control, made)[0]

    def test_a_right_row_is_taken(self):
        self.assertIsNone(self.fault(8, status="FAILED", witness=REQUEST))

    def test_a_wrong_status_is_noticed(self):
        for status in ("PASSED", "UNDECIDED", "NOT_APPLICABLE"):
            self.assertIn("peer FAILED", self.fault(8, status=status))

    def test_a_wrong_witness_is_noticed(self):
        for key, value in {
            "ses:Recipients": ["a@ex.io"], "ses:ApiVersion": "1", "aws:PrincipalTag/OUT": "true", "aws:SourceVpc": "vpc-1",
            "aws:RequestedRegion": "eu-west-1", "aws:PrincipalType": "AssumedRole", "aws:RequestTag/a": "b", "aws:EpochTime": "1", "aws:TokenIssueTime": "1",
        }.items():
            changed = {**REQUEST, "context": {**REQUEST["context"], key: value}}
            self.assertIn("witness", self.fault(8, status="FAILED", witness=changed) or "", key)
        self.assertIn("resources", " ".join(witness.problems(
            self.organization, "222222222222", 8, {**REQUEST, "additionalResources": ["arn:aws:ses:us-east-1:222222222222:template/a"]})))

    def test_a_request_that_is_denied_is_no_witness(self):
        denied = {**REQUEST, "action": "ses:SendEmail", "sendPath": "v1-send", "context": {**REQUEST["context"], "ses:ApiVersion": "1"}}
        self.assertTrue(any("not permitted" in p for p in witness.problems(self.organization, "222222222222", 2, denied)))

    def test_a_proof_needs_the_statements_that_carry_it(self):
        entry = {"policyId": "p-00000002", "policyName": "n2", "targetId": "222222222222", "sid": None, "statementIndex": 0}
        self.assertIsNone(self.fault(2, status="PASSED", decidedBy=[entry]))
        for wrong in ({"statementIndex": 1}, {"statementIndex": 7}, {"targetId": "r-exam"}, {"sid": "Other"}):
            self.assertIn("decidedBy", self.fault(2, status="PASSED", decidedBy=[{**entry, **wrong}]))
        self.assertIn("decidedBy", self.fault(2, status="PASSED", decidedBy=[]))

    def test_an_assumption_is_said_only_where_it_matters(self):
        said = ["undocumented"]
        entry = {"policyId": "p-00000002", "policyName": "n2", "targetId": "222222222222", "sid": None, "statementIndex": 0}
        self.assertIn("assumptions", self.fault(2, status="PASSED", decidedBy=[entry], assumptions=said))
        self.assertIsNone(self.fault(3, status="PASSED", decidedBy=[entry], assumptions=said))
        self.assertIn("assumptions", self.fault(3, status="PASSED", decidedBy=[entry]))


class CaseTest(unittest.TestCase):
    def test_a_change_of_a_base_that_changes_nothing_is_refused(self):
        base = pathlib.Path(__file__).parents[1] / "cases/control/closed-documented.json"
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "case.json")

            def levels(statements, **more):
                file.write_text(json.dumps({"base": str(base), "statements": statements, **more}), encoding="utf-8")
                return json.dumps(cases.whole(file)["levels"])

            self.assertNotIn("Bounces", levels({"Bounces": []}))
            self.assertIn("SentBounces", levels({"Bounces": [{"Sid": "SentBounces"}, {"Sid": "Bounced"}]}))
            for wrong in ({}, {"NoSuchSid": []}, {"Bounces": [{}]}, {"Bounces": [{"Effect": "Deny"}]}):
                with self.subTest(wrong), self.assertRaises(ValueError):
                    levels(wrong)
            with self.assertRaises(ValueError):
                levels({"Bounces": []}, perimeter="")


if __name__ == "__main__":
    unittest.main()
