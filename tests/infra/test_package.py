"""Packing: the same zip for the same binary, and no binary that Amazon Linux 2023 could not run."""

import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import yaml

from .template import FUNCTIONS, INFRA, Loader, load

sys.path.insert(0, str(INFRA))
import package

# As `objdump -T` prints undefined symbols.
SYMBOLS = """
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.2.5) getenv
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.34) pthread_create
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.9)  pipe2
0000000000000000  w   DF *UND*  0000000000000000  Base        __cxa_finalize
"""


class Package(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def binary(self, machine: int = 62) -> Path:
        path = self.folder / "program"
        path.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + b"the rest")
        return path

    def test_versions_are_compared_as_numbers(self):
        self.assertEqual(package.glibc(SYMBOLS), (2, 34))
        self.assertGreater(package.glibc(SYMBOLS + "(GLIBC_2.38) __isoc23_strtol"), package.NEWEST_GLIBC)
        self.assertLess(package.glibc("(GLIBC_2.9) pipe2"), package.NEWEST_GLIBC)

    def test_zips_of_the_same_binary_are_the_same_and_executable(self):
        binary = self.binary()
        for name in ("a.zip", "b.zip"):
            package.pack(binary, self.folder / name)
        self.assertEqual((self.folder / "a.zip").read_bytes(), (self.folder / "b.zip").read_bytes())
        (entry,) = zipfile.ZipFile(self.folder / "a.zip").infolist()
        self.assertEqual(entry.filename, "bootstrap")
        self.assertEqual(entry.external_attr >> 16, 0o100755)

    def test_a_binary_of_another_machine_is_refused(self):
        with self.assertRaisesRegex(package.Unfit, "no program for arm64"):
            package.check(self.binary(), "arm64")
        text = self.folder / "text"
        text.write_text("#!/bin/sh")
        with self.assertRaisesRegex(package.Unfit, "no program for x86_64"):
            package.check(text, "x86_64")

    def test_a_missing_binary_is_named(self):
        with self.assertRaisesRegex(package.Unfit, "nowhere` is not there"):
            package.check(self.folder / "nowhere", "x86_64")

    def test_nothing_is_packed_when_a_binary_is_unfit(self):
        command = [sys.executable, INFRA / "package.py", "--architecture", "x86_64", "--out", self.folder, "a=/nowhere"]
        outcome = subprocess.run(command, check=False, capture_output=True, text=True)
        self.assertEqual(outcome.returncode, 1)
        self.assertTrue(outcome.stderr.startswith("package: "))
        self.assertFalse((self.folder / "template.yaml").exists())

    def test_the_packed_template_differs_in_nothing_but_the_code(self):
        made = yaml.load(package.template((INFRA / "template.yaml").read_text(), "x86_64"), Loader)
        self.assertEqual(made["Parameters"]["Architecture"]["Default"], "x86_64")
        source = load("template.yaml")
        for name, resource in source["Resources"].items():
            packed = made["Resources"][name]
            if name in FUNCTIONS:
                self.assertNotIn("Metadata", packed)
                self.assertEqual(packed["Properties"]["CodeUri"], f"{FUNCTIONS[name]}.zip")
                packed = {**packed, "Metadata": resource["Metadata"]}
                packed["Properties"] = {**packed["Properties"], "CodeUri": resource["Properties"]["CodeUri"]}
            self.assertEqual(packed, resource, name)
        self.assertEqual(set(made["Resources"]), set(source["Resources"]))
        self.assertEqual(made["Metadata"], source["Metadata"])

    def test_every_skipped_check_has_a_reason(self):
        lines = (INFRA / "checkov.yaml").read_text().splitlines()
        skipped = [index for index, line in enumerate(lines) if line.startswith("  - CKV")]
        self.assertGreater(len(skipped), 0)
        for index in skipped:
            self.assertTrue(lines[index - 1].startswith("  # "), lines[index])


if __name__ == "__main__":
    unittest.main()
