"""Checks of the peer by itself: published facts with known answers."""

import datetime
import json
import pathlib
import unittest

import witness
from compare import judge
from language import ADDRESS, ANY, representatives
from peer import EACH, WHOLE, Atom, Facts, Organization

FACTS = Facts(pathlib.Path(__file__).parents[2] / "shared/ses-perimeter/data/ses-actions.json")
NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.timezone.utc)
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
        "accounts": [{"id": "222222222222", "name": "a", "email": "a@ex.io", "state": "ACTIVE", "parentId": "r-exam"}],
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


if __name__ == "__main__":
    unittest.main()
