"""The schema of the exposure section against the cases of its reader."""

import json
import pathlib
import unittest

import jsonschema

REPOSITORY = pathlib.Path(__file__).parents[2]
CASES = REPOSITORY / "tests/cases/exposure"
SCHEMA = REPOSITORY / "docs/schema/exposure.schema.json"
# What a schema cannot say: what is there twice.
BEYOND = {"account-twice", "key-twice", "region-twice"}


class ExposureSchema(unittest.TestCase):
    def setUp(self) -> None:
        schema = json.loads(SCHEMA.read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def test_what_the_reader_takes_is_valid(self) -> None:
        cases = sorted((CASES / "ok").glob("*.json"))
        self.assertGreaterEqual(len(cases), 2)
        for case in cases:
            with self.subTest(case.name):
                self.validator.validate(json.loads(case.read_text("utf-8")))

    def test_what_the_reader_refuses_is_invalid(self) -> None:
        cases = sorted((CASES / "err").glob("*.json"))
        self.assertGreaterEqual(len(cases), 20)
        for case in cases:
            try:
                section = json.loads(case.read_text("utf-8"))
            except json.JSONDecodeError:
                continue
            with self.subTest(case.name):
                self.assertEqual(self.validator.is_valid(section), case.stem in BEYOND)


if __name__ == "__main__":
    unittest.main()
