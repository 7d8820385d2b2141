"""The faster clock of the functions, shown with Python's view of the same clock."""

import json
import subprocess
import sys
import unittest

from harness import clock

# What a program measures while it waits for a second of its clock, and before and after that by the time of day.
MEASURE = """
import json, select, time
began, day = time.monotonic(), time.time()
select.epoll().poll(1.0)
print(json.dumps([time.monotonic() - began, time.time() - day]))
"""


@unittest.skipUnless(sys.platform == "linux", "the clock is the usual one elsewhere")
class ClockTest(unittest.TestCase):
    def measured(self, speed: int) -> tuple[float, float]:
        done = subprocess.run([sys.executable, "-c", MEASURE], env=clock.environment(speed), capture_output=True, check=True)
        waited, day = json.loads(done.stdout)
        return waited, day

    def test_a_second_of_the_fast_clock_passes_sooner_and_is_whole(self):
        self.assertIsNotNone(clock.library(), "cc is needed, as for linking Rust")
        waited, day = self.measured(10)
        self.assertGreaterEqual(waited, 1.0)
        self.assertAlmostEqual(waited / day, 10, delta=1)

    def test_without_a_speed_the_clock_is_the_usual_one(self):
        self.assertEqual(clock.environment(1), {})
        waited, day = self.measured(1)
        self.assertGreaterEqual(day, 0.9)
        self.assertAlmostEqual(waited / day, 1, delta=0.1)


if __name__ == "__main__":
    unittest.main()
