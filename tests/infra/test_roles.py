"""Each role may do what its code does, and nothing else."""

import unittest

from .template import (
    FUNCTIONS, TEMPLATES, listed, load, of_type, permissions, role_statements, rust, statements, text, walk,
)

ROLES = {"fetch-scps": "FetchRole", "evaluate-scps": "EvaluateRole", "publish-findings": "PublishRole", "start-check": "StartRole"}
# What Lambda does with a function's role on its own account: logs, traces, what failed for good.
PLATFORM = {
    "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "sqs:SendMessage",
}
# Actions that know no resource, or none that could be named in advance: the organization and its
# policies belong to the management account.
WITHOUT_RESOURCE = {
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
}


def actions(role: dict) -> set[str]:
    return {action for statement in role_statements(role) for action in listed(statement["Action"])}


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
        self.assertEqual(set(named), set(ROLES))
        for binary, role in ROLES.items():
            with self.subTest(function=binary):
                self.assertEqual(sorted(actions(self.roles[role]) - PLATFORM), sorted(named[binary]))

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
                        self.assertRegex(resource["Fn::Sub"], r"^\$\{Bucket\.Arn\}/(runs|requests|state|published|contents)")
        policy = statements(self.template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"])
        guard = next(it for it in policy if it["Resource"] == {"Fn::Sub": "${Bucket.Arn}/config/*"})
        self.assertEqual(guard["Effect"], "Deny")
        barred = {arn["Fn::GetAtt"][0] for arn in guard["Condition"]["ArnEquals"]["aws:PrincipalArn"]}
        self.assertEqual(barred, {*ROLES.values(), "StateMachineRole"})

    def test_who_decides_publishes_nothing_and_who_publishes_reads_no_perimeter(self):
        self.assertFalse({it for it in actions(self.roles["EvaluateRole"]) if not it.startswith(("s3:", "kms:", "logs:", "xray:"))})
        self.assertNotIn("config/", text(self.roles["PublishRole"]["Properties"]["Policies"]))
        for name in ("FetchRole", "EvaluateRole", "StartRole"):
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
        for name in (*ROLES.values(), "StateMachineRole"):
            for statement in role_statements(self.roles[name]):
                if any(action.startswith("kms:") for action in listed(statement["Action"])):
                    self.assertIn("kms:ViaService", text(statement["Condition"]))

    def test_services_assume_roles_for_this_account_only(self):
        for name in ("StateMachineRole", "ScheduleRole"):
            trust = self.roles[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            for statement in trust:
                self.assertEqual(statement["Condition"], {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})

    def test_a_member_trusts_one_role_of_the_organization_with_the_external_id(self):
        (role,) = of_type(load("member-role.yaml"), "AWS::IAM::Role").values()
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(statement["Condition"]["ArnEquals"], {"aws:PrincipalArn": {"Ref": "CheckerRoleArn"}})
        self.assertEqual(
            statement["Condition"]["StringEquals"],
            {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}, "sts:ExternalId": {"Ref": "ExternalId"}},
        )
        self.assertLessEqual(actions(role), set(permissions()["publish-findings"]))

    def test_the_member_template_has_nothing_that_a_stack_set_refuses(self):
        template = load("member-role.yaml")
        self.assertNotIn("Transform", template)
        for path, value in walk(template):
            self.assertNotIn("Fn::Transform", path)
            self.assertNotEqual(value, "AWS::CloudFormation::Stack")


if __name__ == "__main__":
    unittest.main()
