"""How long a function takes to start, and how much memory: one line a function.

    python -m harness.coldstart target/release [--times 10]

From the start of the process to its first question for an event (`/next`), and to its first
answer, on an input that needs no network: the answer is the refusal of an unknown version. Peak
memory is the process's VmHWM after that answer. Settings are those of the tests.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from .checker import SETTINGS
from .cloud import CREDENTIALS
from .emulator import ACCOUNT, REGION, Emulator

# A version that no function knows: refused before any call is made.
INPUT = {"schemaVersion": 1_000_000}
NOWHERE = "http://127.0.0.1:9"
ENVIRONMENT = {
    "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, **CREDENTIALS, "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_EC2_METADATA_DISABLED": "true",
    "STATE_MACHINE_ARN": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ses-perimeter",
}


def measure(emulator: Emulator, name: str, binary: Path) -> tuple[float, float, int, str]:
    """Milliseconds to the first `/next` and to the first answer, peak memory in KiB, and what was answered."""
    emulator.deploy(name, [binary], ENVIRONMENT | SETTINGS.get(name, {}))
    outcome = emulator.invoke(name, INPUT)
    answered = time.monotonic()
    process = emulator.functions[name].processes[0]
    if process.first_next is None:
        raise SystemExit(f"{name} never asked for an event: {outcome.body.decode()}\n{emulator.log(name)}")
    peak = peak_kib(process.pid)
    emulator.retire(name)
    kind = outcome.json.get("errorType", "an answer") if isinstance(outcome.json, dict) else "an answer"
    return 1000 * (process.first_next - process.started), 1000 * (answered - process.started), peak, kind


def peak_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise SystemExit("this system does not tell the peak memory of a process")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path, help="where the binaries are, for instance target/release")
    arguments.add_argument("--times", type=int, default=10)
    chosen = arguments.parse_args()
    missing = [name for name in SETTINGS if not (chosen.folder / name).exists()]
    if missing:
        print(f"not there: {', '.join(missing)} in {chosen.folder}; build them first", file=sys.stderr)
        return 2
    print(f"medians of {chosen.times} starts")
    print(f"{'function':<18}{'size':>10}{'first /next':>14}{'first answer':>15}{'peak memory':>14}   answer")
    with tempfile.TemporaryDirectory() as folder, Emulator(Path(folder)) as emulator:
        for name in SETTINGS:
            binary = chosen.folder / name
            # The first start reads the binary from the disk and does not count.
            measure(emulator, name, binary)
            runs = [measure(emulator, name, binary) for _ in range(chosen.times)]
            asked, answered, peak = (statistics.median(run[column] for run in runs) for column in range(3))
            print(f"{name:<18}{binary.stat().st_size / 1e6:>7.1f} MB{asked:>11.1f} ms{answered:>12.1f} ms"
                  f"{peak / 1024:>10.1f} MiB   {runs[0][3]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
