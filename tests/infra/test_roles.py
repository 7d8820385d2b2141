"""Each role may do what its code does, and nothing else."""

import unittest

from .template import (
    FUNCTIONS,
    TEMPLATES,
    branches,
    listed,
    load,
    of_type,
    permissions,
    role_statements,
    rust,
    statements,
    text,
    walk,
)

ROLES = {
    "fetch-scps": "FetchRole", "evaluate-scps": "EvaluateRole", "publish-findings": "PublishRole", "start-check": "StartRole",
    "read-exposure": "ReadExposureRole",
}
MACHINE_ROLES = ("StateMachineRole", "ExposureMachineRole")
# What Lambda does with a function's role on its own account: logs, traces, what failed for good.
PLATFORM = {
    "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "sqs:SendMessage",
}
# Actions that know no resource, or none that could be named in advance: the organization and its
# policies belong to the management account. Of SES and EC2, what the Service Authorization Reference
# lists without a resource type.
WITHOUT_RESOURCE = {
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "ses:GetAccount", "ses:GetAccountSendingEnabled", "ses:GetIdentityPolicies", "ses:GetSendQuota", "ses:GetSendStatistics",
    "ses:ListEmailIdentities", "ses:ListIdentityPolicies", "ses:ListIngressPoints", "ses:ListRelays", "ses:ListRuleSets",
    "ec2:DescribeVpcEndpoints",
}
# Roles in other accounts by their templates.
MEMBER_ROLES = ("member-role.yaml", "exposure-role.yaml")


def actions(role: dict) -> set[str]:
    return {action for statement in role_statements(role) for action in listed(statement["Action"])}


def in_accounts() -> set[str]:
    """The actions that the code names for the role in accounts: the one list that is no function's."""
    (name,) = set(permissions()) - set(ROLES)
    return set(permissions()[name])


class Roles(unittest.TestCase):
    def setUp(self):
        self.template = load("template.yaml")
        self.roles = of_type(self.template, "AWS::IAM::Role")

    def every_role(self):
        for name in TEMPLATES:
            for role, value in of_type(load(name), "AWS::IAM::Role").items():
                with self.subTest(template=name, role=role):
                    yield value

    def test_no_action_is_a_pattern(self):
        for role in self.every_role():
            for action in actions(role):
                self.assertRegex(action, r"^[a-z0-9-]+:[A-Za-z0-9]+$")

    def test_no_statement_grants_by_exclusion(self):
        for role in self.every_role():
            for statement in role_statements(role):
                self.assertEqual(set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}, set())

    def test_no_role_has_a_managed_policy(self):
        for role in self.every_role():
            self.assertNotIn("ManagedPolicyArns", role["Properties"])

    def test_functions_use_these_roles(self):
        for function, binary in FUNCTIONS.items():
            role = self.template["Resources"][function]["Properties"]["Role"]
            self.assertEqual(role, {"Fn::GetAtt": [ROLES[binary], "Arn"]})
            self.assertNotIn("Policies", self.template["Resources"][function]["Properties"])

    def test_each_role_has_the_actions_that_its_code_names(self):
        named = permissions()
        self.assertLessEqual(set(ROLES), set(named))
        for binary, role in ROLES.items():
            # What read-exposure does through the roles in accounts is not its own role's to allow.
            there = in_accounts() if binary == "read-exposure" else set()
            with self.subTest(function=binary):
                self.assertEqual(sorted(actions(self.roles[role]) - PLATFORM), sorted(set(named[binary]) - there))

    def test_the_role_that_reads_in_accounts_has_the_actions_that_the_code_names(self):
        (role,) = of_type(load("exposure-role.yaml"), "AWS::IAM::Role").values()
        self.assertEqual(sorted(actions(role)), sorted(in_accounts()))

    def test_the_role_that_reads_in_accounts_only_reads(self):
        (role,) = of_type(load("exposure-role.yaml"), "AWS::IAM::Role").values()
        self.assertGreater(len(actions(role)), 10)
        for action in actions(role):
            self.assertRegex(action, r"^(ses:(Get|List)|ec2:Describe|account:List)[A-Za-z]+$")
        # Nothing that shows a mail, a message of an archive, or a contact.
        self.assertFalse({it for it in actions(role) if any(word in it for word in ("Archive", "Contact", "Message", "Suppressed"))})

    def test_accounts_are_entered_through_one_role_of_the_own_organization_with_the_external_id(self):
        parameters = self.template["Parameters"]
        for role, other, name in (("ReadExposureRole", "exposure-role.yaml", "ReadRoleName"), ("PublishRole", "member-role.yaml", "MemberRoleName")):
            with self.subTest(role):
                assuming = [it for it in role_statements(self.roles[role]) if it["Action"] == "sts:AssumeRole"]
                self.assertEqual([it["Resource"] for it in assuming], [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::*:role/${{{name}}}"}])
                self.assertEqual(assuming[0]["Condition"], {
                    "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}, "aws:ResourceOrgID": "${aws:PrincipalOrgID}"},
                })
                entered = {it: load(other)["Parameters"][it]["Default"] for it in ("RoleName", "ExternalId")}
                self.assertEqual(entered, {"RoleName": parameters[name]["Default"], "ExternalId": parameters["ExternalId"]["Default"]})

    def test_other_accounts_forward_events_of_organizations_alone(self):
        (policy,) = of_type(self.template, "AWS::Events::EventBusPolicy").values()
        statement = policy["Properties"]["Statement"]
        self.assertEqual((statement["Effect"], statement["Action"]), ("Allow", "events:PutEvents"))
        sources = load("forwarding.yaml")["Resources"]["OrganizationsRule"]["Properties"]["EventPattern"]["source"]
        self.assertEqual([statement["Condition"]], [{"StringEquals": {"events:source": source}} for source in sources])

    def test_readings_are_all_that_who_reads_writes(self):
        written = [it for it in role_statements(self.roles["ReadExposureRole"]) if "s3:PutObject" in listed(it["Action"])]
        self.assertEqual([it["Resource"] for it in written], [{"Fn::Sub": "${Bucket.Arn}/exposure/*"}])
        for name, role in self.roles.items():
            if name != "ReadExposureRole":
                for statement in role_statements(role):
                    if "s3:PutObject" in listed(statement["Action"]):
                        self.assertNotIn("exposure", text(statement["Resource"]))

    def test_every_resource_is_named_where_the_service_allows(self):
        for role in self.every_role():
            for statement in role_statements(role):
                if "*" in listed(statement["Resource"]):
                    free = {
                        action for action in listed(statement["Action"])
                        if action not in WITHOUT_RESOURCE and not action.startswith("organizations:")
                    }
                    self.assertEqual(free, set())

    def test_organizations_is_only_read(self):
        for role in self.every_role():
            for action in actions(role):
                if action.startswith("organizations:"):
                    self.assertRegex(action, r":(Describe|List)")

    def test_nobody_but_people_writes_the_perimeter(self):
        for role in self.roles.values():
            for statement in role_statements(role):
                if {"s3:PutObject", "s3:DeleteObject"} & set(listed(statement["Action"])):
                    for resource in listed(statement["Resource"]):
                        self.assertRegex(resource["Fn::Sub"], r"^\$\{Bucket\.Arn\}/(runs|requests|state|published|contents|exposure)")
        policy = statements(self.template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"])
        guard = next(it for it in policy if it["Resource"] == {"Fn::Sub": "${Bucket.Arn}/config/*"})
        self.assertEqual(guard["Effect"], "Deny")
        arns = [arn for entry in guard["Condition"]["ArnEquals"]["aws:PrincipalArn"] for arn in branches(entry)]
        self.assertEqual({arn["Fn::GetAtt"][0] for arn in arns}, {*ROLES.values(), *MACHINE_ROLES})

    def test_who_decides_publishes_nothing_and_who_publishes_reads_no_perimeter(self):
        self.assertFalse({it for it in actions(self.roles["EvaluateRole"]) if not it.startswith(("s3:", "kms:", "logs:", "xray:"))})
        self.assertNotIn("config/", text(self.roles["PublishRole"]["Properties"]["Policies"]))
        for name in ("FetchRole", "EvaluateRole", "StartRole", "ReadExposureRole"):
            self.assertNotIn("securityhub:", text(self.roles[name]))

    def test_findings_are_imported_for_the_own_account_only(self):
        seen = 0
        for role in self.every_role():
            for statement in role_statements(role):
                if "securityhub:BatchImportFindings" in listed(statement["Action"]):
                    seen += 1
                    self.assertEqual(statement["Condition"], {"StringEquals": {"securityhub:TargetAccount": {"Ref": "AWS::AccountId"}}})
                    self.assertIn("product/${AWS::AccountId}/default", text(statement["Resource"]))
        self.assertEqual(seen, 2)

    def test_findings_are_updated_to_resolved_and_in_no_other_way(self):
        seen = 0
        for role in self.every_role():
            for statement in role_statements(role):
                if "securityhub:BatchUpdateFindings" in listed(statement["Action"]):
                    seen += 1
                    condition = statement["Condition"]
                    self.assertEqual(
                        condition["ForAnyValue:StringEquals"], {"securityhub:ASFFSyntaxPath/Workflow.Status": "RESOLVED"}
                    )
                    absent = {key.split("/")[1].split(".")[0] for key, value in condition["Null"].items() if value == "true"}
                    self.assertLessEqual({"Note", "UserDefinedFields", "VerificationState", "Severity"}, absent)
        self.assertEqual(seen, 2)

    def test_events_carry_the_source_of_the_checker(self):
        statement = next(it for it in role_statements(self.roles["PublishRole"]) if it["Action"] == "events:PutEvents")
        source = statement["Condition"]["StringEquals"]["events:source"]
        self.assertIn(f'EVENT_SOURCE: &str = "{source}"', rust("shared/pipeline/src/wire.rs"))

    def test_the_key_is_used_through_the_bucket_only(self):
        for name in (*ROLES.values(), *MACHINE_ROLES):
            for statement in role_statements(self.roles[name]):
                if any(action.startswith("kms:") for action in listed(statement["Action"])):
                    self.assertIn("kms:ViaService", text(statement["Condition"]))

    def test_services_assume_roles_for_this_account_only(self):
        for name in (*MACHINE_ROLES, "ScheduleRole", "ExposureScheduleRole"):
            trust = self.roles[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            for statement in trust:
                self.assertEqual(statement["Condition"], {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})

    def test_a_member_trusts_one_role_of_the_organization_with_the_external_id(self):
        for name in MEMBER_ROLES:
            with self.subTest(template=name):
                (role,) = of_type(load(name), "AWS::IAM::Role").values()
                (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
                self.assertEqual((statement["Effect"], statement["Action"]), ("Allow", "sts:AssumeRole"))
                account = {"Fn::Select": [4, {"Fn::Split": [":", {"Ref": "CheckerRoleArn"}]}]}
                self.assertEqual(statement["Principal"], {"AWS": account})
                self.assertEqual(statement["Condition"], {
                    "ArnEquals": {"aws:PrincipalArn": {"Ref": "CheckerRoleArn"}},
                    "StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}, "sts:ExternalId": {"Ref": "ExternalId"}},
                })

    def test_a_member_lets_the_checker_write_no_more_than_findings(self):
        (role,) = of_type(load("member-role.yaml"), "AWS::IAM::Role").values()
        self.assertLessEqual(actions(role), set(permissions()["publish-findings"]))

    def test_the_member_templates_have_nothing_that_a_stack_set_refuses(self):
        for name in MEMBER_ROLES:
            template = load(name)
            self.assertNotIn("Transform", template)
            for path, value in walk(template):
                self.assertNotIn("Fn::Transform", path)
                self.assertNotEqual(value, "AWS::CloudFormation::Stack")


if __name__ == "__main__":
    unittest.main()
