"""The schema of results against what the program writes."""

import copy
import json
import pathlib
import subprocess
import tempfile
import unittest

import jsonschema

from formats.edits import REMOVED, changed

REPOSITORY = pathlib.Path(__file__).parents[2]
PROGRAM = REPOSITORY / "target/debug/ses-perimeter"
SCHEMA = REPOSITORY / "docs/schema/result.schema.json"
CASES = REPOSITORY / "tests/cases/organization/ok"
EXAMPLES = ("organization", "exposure")
NOW = "2026-11-23T12:00:00Z"
STATUSES = {"FAILED", "UNDECIDED", "PASSED", "NOT_APPLICABLE"}
EXPOSURE_CONTROLS = {f"SESDP.{number}" for number in range(19, 24)}


def check(snapshot: pathlib.Path, perimeter: pathlib.Path, form: str, *arguments: str) -> str:
    """The verdicts; checks end with 0, 1 or 3."""
    files = ["--snapshot", snapshot, "--perimeter", perimeter]
    command = [PROGRAM, "check", "--quiet", *files, "--now", NOW, "--format", form, *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1, 3):
        raise AssertionError(done.stderr)
    return done.stdout


def check_example(example: str, form: str, *arguments: str) -> str:
    folder = REPOSITORY / "examples" / example
    return check(folder / "snapshot.json", folder / "perimeter.toml", form, *arguments)


def closed(schema: object) -> object:
    """The schema without room for fields that it does not name."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {key: closed(inner) for key, inner in schema.items()}
    return {"additionalProperties": False, **inside} if schema.get("type") == "object" else inside


def definition(schema: dict, entry: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{entry}"})


def is_exposure(result: dict) -> bool:
    return result["controlId"] in EXPOSURE_CONTROLS


class ResultSchema(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.schema = json.loads(SCHEMA.read_text("utf-8"))
        cls.documents = {example: json.loads(check_example(example, "json")) for example in EXAMPLES}
        cls.results = [result for document in cls.documents.values() for result in document["results"]]

    def setUp(self) -> None:
        self.validator = jsonschema.Draft202012Validator(self.schema)
        self.closed = jsonschema.Draft202012Validator(closed(self.schema))
        self.entry = definition(self.schema, "result")

    def result(self, **wanted: object) -> dict:
        """A copy of the first result with these values; `exposure` says whether of a control about exposure."""
        exposure = wanted.pop("exposure", False)
        for result in self.results:
            if is_exposure(result) == exposure and all(
                (key in result) == value if isinstance(value, bool) else result.get(key) == value
                for key, value in wanted.items()
            ):
                return copy.deepcopy(result)
        raise AssertionError(f"no example has such a result: {wanted}")

    def test_it_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_what_is_written_of_the_examples_is_valid(self) -> None:
        for example, document in self.documents.items():
            with self.subTest(example):
                self.validator.validate(document)

    def test_the_examples_have_every_status_of_both_kinds_of_controls(self) -> None:
        self.assertEqual({result["status"] for result in self.results if is_exposure(result)}, STATUSES)
        self.assertEqual({result["status"] for result in self.results if not is_exposure(result)}, STATUSES)
        self.assertTrue(any("severity" in result for result in self.results))

    def test_nothing_is_written_that_the_schema_does_not_name(self) -> None:
        for example, document in self.documents.items():
            with self.subTest(example):
                self.closed.validate(document)

    def test_selected_accounts_and_controls_are_valid(self) -> None:
        for arguments in (
            ("--control", "SESDP.8"),
            ("--control", "SESDP.19"),
            ("--account", "111111111111"),
            ("--account", "222222222222", "--control", "SESDP.23"),
        ):
            with self.subTest(arguments):
                self.validator.validate(json.loads(check_example("exposure", "json", *arguments)))

    def test_what_is_written_of_unusual_organizations_is_valid(self) -> None:
        """Gaps, unreadable policies, switched-off policies, suspended accounts."""
        perimeter = REPOSITORY / "examples/organization/perimeter.toml"
        for case in sorted(CASES.glob("*.json")):
            with self.subTest(case.name):
                self.closed.validate(json.loads(check(case, perimeter, "json")))

    def test_what_is_written_of_an_exposure_that_tells_nothing_is_valid(self) -> None:
        folder = REPOSITORY / "examples/exposure"
        snapshot = json.loads((folder / "snapshot.json").read_text("utf-8"))
        snapshot["exposure"]["accounts"] = []
        with tempfile.TemporaryDirectory() as temporary:
            path = pathlib.Path(temporary, "snapshot.json")
            path.write_text(json.dumps(snapshot), encoding="utf-8")
            document = json.loads(check(path, folder / "perimeter.toml", "json"))
        self.closed.validate(document)
        self.assertEqual({r["severity"]["level"] for r in document["results"] if "severity" in r}, {"UNKNOWN"})

    def test_lines_are_the_results_and_valid(self) -> None:
        for example, document in self.documents.items():
            lines = [json.loads(line) for line in check_example(example, "jsonl").splitlines()]
            self.assertEqual(lines, document["results"])
            for line in lines:
                with self.subTest(example, account=line["accountId"], control=line["controlId"]):
                    self.entry.validate(line)

    def test_a_document_with_one_thing_wrong_is_invalid(self) -> None:
        for path, value in (
            (("schemaVersion",), "1"),
            (("tool", "name"), "other"),
            (("organizationId",), "quillmark"),
            (("snapshotDigest",), "sha256:"),
            (("evaluatedAt",), "2026-11-23"),
            (("summary", "undecided"), REMOVED),
            (("summary", "passed"), -1),
            (("notes",), []),
            (("uncheckedFields",), REMOVED),
            (("uncheckedFields", 0, "status"), "PASSED"),
            (("results",), REMOVED),
            (("results", 0, "status"), "passed"),
        ):
            document = changed(self.documents["exposure"], path, value)
            with self.subTest(path=path):
                self.assertFalse(self.validator.is_valid(document))

    def test_a_result_with_one_thing_wrong_is_invalid(self) -> None:
        failed = self.result(status="FAILED", severity=True)
        passed = self.result(status="PASSED")
        undecided = self.result(status="UNDECIDED")
        left_out = self.result(status="NOT_APPLICABLE")
        lent = self.result(status="FAILED", exposure=True, witness=True)
        in_use = self.result(status="FAILED", exposure=True, witness=False)
        in_order = self.result(status="PASSED", exposure=True)
        unread = self.result(status="UNDECIDED", exposure=True)
        fault, severity, witness = lent["faults"][0], failed["severity"], failed["witness"]
        for name, result, path, value in (
            ("an account's id has twelve digits", failed, ("accountId",), "22222222222"),
            ("a path begins at the root", failed, ("path",), failed["path"][1:]),
            ("there is no control 24", failed, ("controlId",), "SESDP.25"),
            ("there is no control 0", failed, ("controlId",), "SESDP.0"),
            ("a status is one of four", failed, ("status",), "OPEN"),
            ("lists are there when empty", failed, ("assumptions",), REMOVED),
            ("FAILED has a witness", failed, ("witness",), REMOVED),
            ("FAILED has its witness in words", failed, ("witnessText",), REMOVED),
            ("FAILED has a cause", failed, ("cause",), REMOVED),
            ("FAILED is decided by no statement", failed, ("decidedBy",), passed["decidedBy"]),
            ("FAILED has no obstacles", failed, ("obstacles",), undecided["obstacles"]),
            ("FAILED has no reason", failed, ("reason",), "because"),
            ("what policies decide has no faults", failed, ("faults",), [fault]),
            ("a witness has an action", failed, ("witness", "action"), REMOVED),
            ("a context has texts", failed, ("witness", "context", "aws:SecureTransport"), True),
            ("a severity is one of five", failed, ("severity", "label"), "GRAVE"),
            ("a severity has the control's own", failed, ("severity", "own"), REMOVED),
            ("a level is one of six", failed, ("severity", "level"), "SENT"),
            ("a severity has its rule", failed, ("severity", "rule"), REMOVED),
            ("PASSED is decided by something", passed, ("decidedBy",), []),
            ("PASSED has no witness", passed, ("witness",), witness),
            ("PASSED has no severity", passed, ("severity",), severity),
            ("PASSED by policies has no reason", passed, ("reason",), "because"),
            ("a decider has a target", passed, ("decidedBy", 0, "targetId"), REMOVED),
            ("a decider is a statement or an implicit deny", passed, ("decidedBy", 0), {"targetId": "r-exam"}),
            ("UNDECIDED has obstacles", undecided, ("obstacles",), []),
            ("UNDECIDED has no witness", undecided, ("witness",), witness),
            ("UNDECIDED has no severity", undecided, ("severity",), severity),
            ("an obstacle says what it is", undecided, ("obstacles", 0, "message"), ""),
            ("NOT_APPLICABLE has a reason", left_out, ("reason",), REMOVED),
            ("NOT_APPLICABLE has no witness", left_out, ("witness",), witness),
            ("FAILED about exposure has faults", in_use, ("faults",), REMOVED),
            ("faults are never empty", in_use, ("faults",), []),
            ("a fault has a Region", in_use, ("faults", 0, "region"), REMOVED),
            ("a fault has a subject", in_use, ("faults", 0, "subject"), REMOVED),
            ("a fault has a message", in_use, ("faults", 0, "message"), REMOVED),
            ("a fault without a request shows none", in_use, ("witness",), witness),
            ("a request of the first fault is the witness", lent, ("witness",), REMOVED),
            ("what else is at fault is named", lent, ("faults",), [fault, fault]),
            ("one fault has no others", lent, ("cause",), "also at fault: `a` in us-east-1"),
            ("what policies do not decide has no severity", lent, ("severity",), severity),
            ("PASSED about exposure has a reason", in_order, ("reason",), REMOVED),
            ("PASSED about exposure has no faults", in_order, ("faults",), [fault]),
            ("PASSED about exposure is decided by no statement", in_order, ("decidedBy",), passed["decidedBy"]),
            ("UNDECIDED about exposure has obstacles", unread, ("obstacles",), []),
            ("UNDECIDED about exposure has no faults", unread, ("faults",), [fault]),
            ("UNDECIDED about exposure has no reason", unread, ("reason",), "because"),
        ):
            with self.subTest(name):
                self.entry.validate(result)
                self.assertFalse(self.entry.is_valid(changed(result, path, value)))

    def test_a_result_that_lacks_what_every_result_has_is_invalid(self) -> None:
        for field in self.schema["$defs"]["result"]["required"]:
            for result in self.results[:: len(self.results) // 20]:
                with self.subTest(field, control=result["controlId"]):
                    self.assertFalse(self.entry.is_valid(changed(result, (field,), REMOVED)))


if __name__ == "__main__":
    unittest.main()
