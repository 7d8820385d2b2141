"""A clock on which functions wait less: what `clock.c` in front of the C library makes of the monotonic one.

The binaries stay as they are, and so do their waits in proportion: a call a second is a call in a fifth of
a second. Where the library cannot be built (no compiler, no Linux), the clock is the usual one.
"""

import functools
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
TARGET = Path(__file__).resolve().parents[2] / os.environ.get("CARGO_TARGET_DIR", "target")
# Higher would turn pauses of a busy machine into time-outs of calls, which take 20 seconds of this clock.
SPEED = 5


@functools.cache
def library() -> Path | None:
    """The built library, made where it is not there yet; processes that make it at the same time make the same."""
    if sys.platform != "linux":
        return None
    made = TARGET / f"clock-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    if made.exists():
        return made
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET) as folder:
        draft = Path(folder) / made.name
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(draft), str(SOURCE), "-ldl"]
        try:
            subprocess.run(command, check=True)
        except FileNotFoundError:
            return None
        draft.replace(made)
    return made


def speed() -> int:
    """How many seconds of a function's clock pass in one."""
    return SPEED if library() else 1


def environment(seconds: int) -> dict[str, str]:
    """What lets so many seconds pass in one, for a program that is started with it."""
    if seconds == 1:
        return {}
    return {"LD_PRELOAD": str(library()), "SES_PERIMETER_CLOCK_SPEED": str(seconds)}
