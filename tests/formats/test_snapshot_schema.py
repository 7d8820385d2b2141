"""The schema of snapshots against what the program reads."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import typing
import unittest

import jsonschema
import referencing

from formats.edits import REMOVED, changed

REPOSITORY = pathlib.Path(__file__).parents[2]
PROGRAM = REPOSITORY / "target/debug/ses-perimeter"
SCHEMAS = REPOSITORY / "docs/schema"
CASES = REPOSITORY / "tests/cases/organization"
EXAMPLES = ("organization", "exposure")
PERIMETER = REPOSITORY / "examples/organization/perimeter.toml"
# What a schema cannot say: what is there twice, ids that lead nowhere, loops, words that are nearly others.
BEYOND = {
    "account-parent-near-miss",
    "account-twice",
    "attachment-policy-missing",
    "attachment-target-account-missing",
    "attachment-target-missing",
    "duplicate-key",
    "duplicate-key-at-the-top",
    "loop-of-two",
    "more-than-are-shown",
    "one-long-line",
    "policy-twice",
    "policy-type-near-miss",
    "unit-own-parent",
    "unit-parent-missing",
    "unit-twice",
}
# How the reader says the same of ids.
LEADS_NOWHERE = "is not in the snapshot"
SMALL = {
    "schemaVersion": 1,
    "fetchedAt": "2026-11-23T00:00:00Z",
    "partition": "aws",
    "organization": {"id": "o-exampleorgid", "managementAccountId": "111111111111", "featureSet": "ALL"},
    "root": {
        "id": "r-exam",
        "name": "Root",
        "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}],
    },
    "organizationalUnits": [{"id": "ou-exam-workload", "name": "Workloads", "parentId": "r-exam"}],
    "accounts": [
        {
            "id": "222222222222",
            "name": "shop",
            "email": "aws+shop@example.com",
            "state": "ACTIVE",
            "status": "ACTIVE",
            "parentId": "ou-exam-workload",
        }
    ],
    "policies": [
        {
            "id": "p-FullAWSAccess",
            "name": "FullAWSAccess",
            "type": "SERVICE_CONTROL_POLICY",
            "awsManaged": True,
            "content": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
        }
    ],
    "attachments": [{"policyId": "p-FullAWSAccess", "targetId": "r-exam"}],
    "gaps": [
        {
            "targetId": "222222222222",
            "policyId": "p-FullAWSAccess",
            "operation": "ListPoliciesForTarget",
            "reason": "AccessDeniedException",
        }
    ],
    "exposure": {
        "exposureVersion": 1,
        "accounts": [
            {
                "account": "222222222222",
                "readAt": "2026-11-23T00:00:00Z",
                "regions": [{"region": "us-east-1", "status": "notOptedIn"}],
            }
        ],
    },
}


def snapshot_validator() -> jsonschema.Draft202012Validator:
    """Finds the exposure section's schema as a tool does that is given the file: beside it."""
    schema = json.loads((SCHEMAS / "snapshot.schema.json").read_text("utf-8"))
    beside = json.loads((SCHEMAS / "exposure.schema.json").read_text("utf-8"))
    resource = referencing.Resource.from_contents(beside)
    registry = referencing.Registry().with_resource("exposure.schema.json", resource)
    return jsonschema.Draft202012Validator(schema, registry=registry)


def refusal(snapshot: str | bytes) -> str | None:
    """What the program says of a snapshot that it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "snapshot.json")
        path.write_bytes(snapshot if isinstance(snapshot, bytes) else snapshot.encode())
        arguments = ["check", "--quiet", "--snapshot", path, "--perimeter", PERIMETER, "--control", "SESDP.2"]
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1, 2, 3):
        raise AssertionError(done.stderr)
    return done.stderr if done.returncode == 2 else None


def refusals(snapshots: list[str | bytes]) -> list[str | None]:
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(refusal, snapshots))


def places(value: object, path: tuple = ()) -> typing.Iterator[tuple]:
    """The path to every value inside, lists' elements among them."""
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    else:
        inside = ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


def shown(path: tuple, value: object) -> str:
    return ".".join(map(str, path)) + (" removed" if value is REMOVED else f" = {json.dumps(value)}")


class SnapshotSchema(unittest.TestCase):
    def setUp(self) -> None:
        self.validator = snapshot_validator()

    def test_it_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(self.validator.schema)

    def test_the_example_snapshots_are_valid(self) -> None:
        for name in EXAMPLES:
            with self.subTest(name):
                text = (REPOSITORY / "examples" / name / "snapshot.json").read_text("utf-8")
                self.validator.validate(json.loads(text))

    def test_what_the_reader_takes_is_valid(self) -> None:
        cases = sorted((CASES / "ok").glob("*.json"))
        self.assertGreaterEqual(len(cases), 15)
        for case, refused in zip(cases, refusals([case.read_bytes() for case in cases]), strict=True):
            with self.subTest(case.name):
                self.assertIsNone(refused)
                self.validator.validate(json.loads(case.read_text("utf-8-sig")))

    def test_what_the_reader_refuses_is_invalid(self) -> None:
        cases = sorted((CASES / "err").glob("*.json"))
        self.assertGreaterEqual(len(cases), 40)
        self.assertLessEqual(BEYOND, {case.stem for case in cases})
        for case, refused in zip(cases, refusals([case.read_bytes() for case in cases]), strict=True):
            with self.subTest(case.name):
                self.assertIsNotNone(refused)
                try:
                    snapshot = json.loads(case.read_text("utf-8"))
                except json.JSONDecodeError:
                    continue
                self.assertEqual(self.validator.is_valid(snapshot), case.stem in BEYOND)

    def test_a_snapshot_with_one_thing_wrong_is_invalid_and_refused(self) -> None:
        unit, account, policy = ("organizationalUnits", 0), ("accounts", 0), ("policies", 0)
        region = ("exposure", "accounts", 0, "regions", 0)
        wrong = [
            (("schemaVersion",), 2),
            (("partition",), "AWS"),
            (("organization", "id"), "o-short"),
            (("organization", "managementAccountId"), "11111111111"),
            (("organization", "featureSet"), "all"),
            (("root", "id"), "r-" + "a" * 33),
            (("root", "policyTypes", 0, "status"), REMOVED),
            ((*unit, "id"), "ou-exam-short"),
            ((*unit, "parentId"), "222222222222"),
            ((*account, "id"), "2222 2222 2222"),
            ((*account, "parentId"), REMOVED),
            ((*policy, "id"), "p-Full-AWSAccess"),
            ((*policy, "awsManaged"), "true"),
            (("attachments", 0, "targetId"), "shop"),
            (("attachments", 0, "policyId"), "FullAWSAccess"),
            (("gaps", 0, "reason"), ["AccessDeniedException"]),
            (("exposure",), None),
            (("exposure", "exposureVersion"), 2),
            (("exposure", "account"), []),
            ((*region, "status"), "optedOut"),
            ((*region, "call"), "ses:GetAccount"),
        ]
        snapshots = [changed(SMALL, path, value) for path, value in wrong]
        told = refusals([json.dumps(snapshot) for snapshot in snapshots])
        for (path, value), snapshot, refused in zip(wrong, snapshots, told, strict=True):
            with self.subTest(shown(path, value)):
                self.assertFalse(self.validator.is_valid(snapshot))
                self.assertIsNotNone(refused)

    def test_schema_and_reader_agree_on_the_bounds_of_every_id(self) -> None:
        texts, expected = [], []
        for known, prefix, letters, shortest, longest in (
            ("o-exampleorgid", "o-", "a", 10, 32),
            ("r-exam", "r-", "9", 4, 32),
            ("ou-exam-workload", "ou-exam-", "z", 6, 32),
            ("p-FullAWSAccess", "p-", "_", 8, 128),
            ("222222222222", "", "0", 12, 12),
        ):
            for length in (shortest - 1, shortest, longest, longest + 1):
                texts.append(json.dumps(SMALL).replace(f'"{known}"', json.dumps(prefix + letters * length)))
                expected.append(shortest <= length <= longest)
        self.assertEqual([self.validator.is_valid(json.loads(text)) for text in texts], expected)
        self.assertEqual([refused is None for refused in refusals(texts)], expected)

    def test_schema_and_reader_agree_on_every_value_of_another_type(self) -> None:
        values = (REMOVED, None, False, 1.5, "", [], {}, [None])
        edits = [(path, value) for path in places(SMALL) for value in values]
        self.assertGreater(len(edits), 400)
        snapshots = [changed(SMALL, path, value) for path, value in edits]
        told = refusals([json.dumps(snapshot) for snapshot in [SMALL, *snapshots]])
        self.assertIsNone(told[0])
        self.validator.validate(SMALL)
        surprises = []
        for (path, value), snapshot, refused in zip(edits, snapshots, told[1:], strict=True):
            valid = self.validator.is_valid(snapshot)
            words = " ".join((refused or "").replace("│", " ").split())
            if valid != (refused is None or LEADS_NOWHERE in words):
                surprises.append((shown(path, value), valid, refused))
        self.assertEqual(surprises, [])


if __name__ == "__main__":
    unittest.main()
