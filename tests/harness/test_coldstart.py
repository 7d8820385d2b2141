"""The measurement of cold starts measures what it says, shown with a function of a few lines."""

import sys
import tempfile
import unittest
from pathlib import Path

from harness.coldstart import measure
from harness.emulator import Emulator

STANDIN = Path(__file__).with_name("standin.py")


class ColdStartTest(unittest.TestCase):
    def test_a_start_is_timed_up_to_the_question_and_up_to_the_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            binary = Path(folder) / "function"
            binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STANDIN}"\n')
            binary.chmod(0o755)
            with Emulator(Path(folder)) as emulator:
                asked, answered, peak, kind = measure(emulator, "function", binary)
        self.assertTrue(0 < asked < answered, (asked, answered))
        self.assertGreater(peak, 1000)
        self.assertEqual(kind, "an answer")


if __name__ == "__main__":
    unittest.main()
