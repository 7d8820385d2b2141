"""Measures an older commit beside the present one in one run: `beside.py REV [ORGANIZATION ...]`.

Both are built with the release profile, and both read the organizations that the present generator makes (`generate`
says which there are). They run in turns, and what is printed are medians, with the ratios of the two.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "target" / "beside"
FORMATS = ["text", "jsonl"]


def build(source: Path, target: Path) -> Path:
    """The folder of the release programs of a checkout."""
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    # Without live access, whose SDK takes most of a build.
    program = ["--package", "ses-perimeter-cli", "--no-default-features"]
    if "\nmimalloc = " in (source / "functions" / "cli" / "Cargo.toml").read_text():
        program += ["--features", "mimalloc"]
    for arguments in (["--package", "bench", "--examples"], program):
        subprocess.run(["cargo", "build", "--quiet", "--release", *arguments], cwd=source, env=environment, check=True)
    return target / "release"


def checkout(revision: str) -> Path:
    """A working tree of the commit, made where it is not there yet."""
    name = subprocess.run(
        ["git", "rev-parse", "--short", "--verify", f"{revision}^{{commit}}"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    ).stdout.strip()
    folder = FOLDER / name
    if not folder.exists():
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(folder), name], cwd=REPOSITORY, check=True)
    return folder


def verdicts(programs: Path, organization: Path) -> dict[str, float]:
    """Seconds and megabytes of one `measure`."""
    command = [programs / "examples" / "measure", organization / "snapshot.json", organization / "perimeter.toml"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {"verdicts, s": float(re.search(r"^check: ([\d.]+) s$", printed, re.MULTILINE)[1])}
    if memory := re.search(r"^VmHWM:\s*(\d+) kB$", printed, re.MULTILINE):
        found["verdicts, MB"] = int(memory[1]) / 1000
    return found


def output(programs: Path, organization: Path, form: str) -> dict[str, float]:
    """Seconds of CPU and megabytes of one `check`, written into a file."""
    command = [programs / "ses-perimeter", "check", "--format", form, "--snapshot", organization / "snapshot.json",
               "--perimeter", organization / "perimeter.toml"]
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1, 3):
        sys.exit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return {f"{form}, s of CPU": used.ru_utime + used.ru_stime, f"{form}, MB": used.ru_maxrss / 1000}


def run(programs: Path, organization: Path) -> dict[str, float]:
    found = verdicts(programs, organization)
    for form in FORMATS:
        found |= output(programs, organization, form)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision", help="the older commit")
    parser.add_argument("organizations", nargs="*", default=["largest", "diverse"], help="as `generate` calls them")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median counts")
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    now = build(REPOSITORY, REPOSITORY / "target")
    old = build(checkout(arguments.revision), FOLDER / "target")
    print(f"| what | {arguments.revision} | now | ratio |\n|---|---|---|---|")
    for name in arguments.organizations:
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            organization = Path(folder)
            subprocess.run([now / "examples" / "generate", name, organization], check=True)
            found: dict[str, list[list[float]]] = {}
            for _ in range(arguments.runs):
                for side, programs in enumerate((old, now)):
                    for what, value in run(programs, organization).items():
                        found.setdefault(what, [[], []])[side].append(value)
            for what, (before, after) in found.items():
                one, other = statistics.median(before), statistics.median(after)
                print(f"| {name}: {what} | {one:.2f} | {other:.2f} | {one / other:.1f} |", flush=True)
    print(f"\nmedians of {arguments.runs} runs, {time.strftime('%Y-%m-%d')}")


if __name__ == "__main__":
    main()
