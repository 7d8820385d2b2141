"""Peak memory of each function over a whole run of a large organization, without AWS.

    cargo run --release --package bench --example generate -- large DIRECTORY
    SES_PERIMETER_BINARIES=../target/release python -m harness.memory DIRECTORY

Organizations' rates are kept, so a run of 10,000 accounts takes some minutes. Peak memory is the
largest VmHWM of a process of the function.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from .checker import FUNCTIONS, Checker
from .cloud import Cloud
from .coldstart import peak_kib
from .emulator import ACCOUNT, Emulator


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path, help="where snapshot.json and perimeter.toml are")
    arguments.add_argument("--shards", default="16", help="as in the template")
    chosen = arguments.parse_args()
    text = (chosen.folder / "snapshot.json").read_text()
    # The functions run in the harness's account, which has to be the management account.
    snapshot = json.loads(text.replace(json.loads(text)["organization"]["managementAccountId"], ACCOUNT))
    for account in snapshot["accounts"]:
        account.setdefault("email", f"{account['id']}@example.com")
    perimeter = (chosen.folder / "perimeter.toml").read_text()
    peaks = dict.fromkeys(FUNCTIONS, 0)
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        with Emulator(logs) as emulator, Cloud(emulator.endpoint, logs) as cloud:
            checker = Checker(cloud, emulator)
            # As the template has it: so many findings keep the hub busy for longer than in tests.
            checker.timeout_seconds = 900
            # moto's queues take the longer the more they hold, minutes for ten events in the end.
            checker.deploy(snapshot, perimeter, tap=False)
            checker.configure(evaluate_scps={"SHARDS": chosen.shards})
            began = time.monotonic()
            outcome = checker.start({})
            if outcome.error:
                raise SystemExit(f"start-check failed: {outcome.body.decode()}")
            while True:
                for name in FUNCTIONS:
                    for process in emulator.functions[name].processes:
                        try:
                            peaks[name] = max(peaks[name], peak_kib(process.pid))
                        except (OSError, SystemExit):
                            # It ended meanwhile.
                            continue
                (execution,) = checker.executions()
                if execution["status"] != "RUNNING":
                    break
                time.sleep(0.5)
            took = time.monotonic() - began
            written = len(checker.findings())
            if execution["status"] != "SUCCEEDED":
                told = cloud.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
                print(told.get("error"), told.get("cause"))
                for name in FUNCTIONS:
                    lines = emulator.log(name).splitlines()
                    print(*[line for line in lines if '"ERROR"' in line or "panicked" in line][-5:], sep="\n")
    print(f"{len(snapshot['accounts']):,} accounts: {execution['status']} in {took:.0f} s, {written:,} findings")
    for name, peak in peaks.items():
        print(f"{name:<18}{peak / 1024:>8.1f} MiB")
    return 0 if execution["status"] == "SUCCEEDED" else 1


if __name__ == "__main__":
    raise SystemExit(main())
