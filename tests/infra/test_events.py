"""What starts a run, and what must not."""

import re
import unittest

from .template import REPOSITORY, load, of_type, text


def matches(pattern: dict, event: dict) -> bool:
    """Whether an event fits a pattern, for the forms that our rules use: values and `exists`."""
    for key, wanted in pattern.items():
        if isinstance(wanted, dict):
            if not isinstance(event.get(key), dict) or not matches(wanted, event[key]):
                return False
            continue
        found = event.get(key)
        values = found if isinstance(found, list) else [found]
        if not any(
            (it["exists"] == (key in event)) if isinstance(it, dict) and "exists" in it else it in values
            for it in wanted
        ):
            return False
    return True


def call(name: str, **changes) -> dict:
    """An event of an Organizations call, as CloudTrail sends it."""
    detail = {"eventSource": "organizations.amazonaws.com", "eventName": name, "eventType": "AwsApiCall", "readOnly": False}
    event = {"source": "aws.organizations", "detail-type": "AWS API Call via CloudTrail", "resources": [], "detail": detail}
    detail.update(changes.pop("detail", {}))
    return {**event, **changes}


class Events(unittest.TestCase):
    def setUp(self):
        self.rules = of_type(load("template.yaml"), "AWS::Events::Rule")
        self.pattern = self.rules["OrganizationsRule"]["Properties"]["EventPattern"]
        self.names = self.pattern["detail"]["eventName"]

    def test_the_rule_has_the_events_that_the_code_knows(self):
        code = (REPOSITORY / "shared/pipeline/src/start/events.rs").read_text()
        table = re.search(r"const EVENTS: \[[^=]*= \[(.*?)\n\];", code, re.DOTALL)
        known = re.findall(r'^\s*\("(\w+)",', table[1], re.MULTILINE)
        self.assertGreater(len(known), 20)
        self.assertEqual(self.names, known)

    def test_the_forwarding_rule_has_the_same_pattern(self):
        forwarding = load("forwarding.yaml")["Resources"]["OrganizationsRule"]["Properties"]["EventPattern"]
        self.assertEqual(forwarding, self.pattern)

    def test_the_pattern_is_within_the_quota(self):
        self.assertLess(len(text(self.pattern)), 2048)

    def test_changes_start_a_run_under_every_detail_type(self):
        for detail_type in (
            "AWS API Call via CloudTrail", "AWS Service Event via CloudTrail", "Amazon API Call via CloudTrail",
        ):
            for name in self.names:
                self.assertTrue(matches(self.pattern, call(name, **{"detail-type": detail_type})), name)

    def test_refused_calls_and_reads_start_nothing(self):
        self.assertFalse(matches(self.pattern, call("AttachPolicy", detail={"errorCode": "AccessDeniedException"})))
        self.assertFalse(matches(self.pattern, call("ListAccounts", detail={"readOnly": True})))

    def test_events_of_others_start_nothing(self):
        self.assertFalse(matches(self.pattern, call("AttachPolicy", source="somebody")))
        self.assertFalse(matches(self.pattern, call("AttachPolicy", detail={"eventSource": "iam.amazonaws.com"})))

    def test_imported_findings_start_nothing(self):
        action = self.rules["CustomActionRule"]["Properties"]["EventPattern"]
        (arn,) = action["resources"]
        chosen = {"source": "aws.securityhub", "detail-type": "Security Hub Findings - Custom Action", "resources": [arn]}
        self.assertTrue(matches(action, chosen))
        imported = {**chosen, "detail-type": "Security Hub Findings - Imported"}
        for name, rule in self.rules.items():
            self.assertFalse(matches(rule["Properties"]["EventPattern"], imported), name)
            self.assertNotIn("Imported", text(rule["Properties"]["EventPattern"]))
            self.assertNotIn("ses-perimeter", rule["Properties"]["EventPattern"]["source"])

    def test_the_perimeter_and_no_other_object_starts_a_run(self):
        pattern = self.rules["PerimeterRule"]["Properties"]["EventPattern"]
        objects = (REPOSITORY / "shared/pipeline/src/objects.rs").read_text()
        (key,) = re.findall(r'PERIMETER: &str = "([^"]*)"', objects)
        (bucket,) = pattern["detail"]["bucket"]["name"]
        for detail_type in ("Object Created", "Object Deleted"):
            written = {
                "source": "aws.s3", "detail-type": detail_type,
                "detail": {"bucket": {"name": bucket}, "object": {"key": key}},
            }
            self.assertTrue(matches(pattern, written))
            other = {**written, "detail": {"bucket": {"name": bucket}, "object": {"key": "state/latest.json"}}}
            self.assertFalse(matches(pattern, other))

    def test_the_custom_action_is_the_one_that_the_command_creates(self):
        (arn,) = self.rules["CustomActionRule"]["Properties"]["EventPattern"]["resources"]
        action = arn["Fn::Sub"].rsplit("/", 1)[1]
        self.assertRegex(action, r"^[A-Za-z0-9]{1,20}$")
        command = load("template.yaml")["Outputs"]["CustomActionCommand"]["Value"]["Fn::Sub"]
        self.assertIn(f"--id {action}", command)
        (name,) = re.findall(r"--name '([^']*)'", command)
        self.assertLessEqual(len(name), 20)
        operations = (REPOSITORY / "docs/operations.md").read_text()
        self.assertIn(f"--id {action}", operations)
        self.assertIn(name, operations)


if __name__ == "__main__":
    unittest.main()
