"""Packs built functions into zips, and the template with them. Called by package.sh."""

import argparse
import re
import subprocess
import sys
import zipfile
from pathlib import Path

INFRA = Path(__file__).resolve().parent
# The C library of Amazon Linux 2023, on which provided.al2023 runs.
NEWEST_GLIBC = (2, 34)
# Lambda takes 250 MB unpacked; ours are far below, and a jump should be noticed.
MOST_BYTES = 50 * 1024 * 1024
MACHINES = {"x86_64": 62, "arm64": 183}


class Unfit(Exception):
    """A binary that would not run."""


def glibc(symbols: str) -> tuple[int, ...]:
    """The newest version of the C library that `objdump -T` shows a need for."""
    versions = [tuple(map(int, found.split("."))) for found in re.findall(r"\bGLIBC_(\d+(?:\.\d+)+)\b", symbols)]
    return max(versions, default=(0,))


def check(binary: Path, architecture: str) -> tuple[int, ...]:
    """The C library that a binary needs; Unfit where Lambda could not run it."""
    if not binary.is_file():
        raise Unfit(f"`{binary}` is not there")
    head = binary.read_bytes()[:20]
    if head[:4] != b"\x7fELF" or int.from_bytes(head[18:20], "little") != MACHINES[architecture]:
        raise Unfit(f"`{binary}` is no program for {architecture}")
    try:
        symbols = subprocess.run(["objdump", "-T", binary], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise Unfit("`objdump` is not installed (package binutils), so the C library cannot be checked") from None
    found = glibc(symbols)
    if found > NEWEST_GLIBC:
        needs, has = (".".join(map(str, version)) for version in (found, NEWEST_GLIBC))
        raise Unfit(
            f"`{binary}` needs GLIBC_{needs}, and Amazon Linux 2023 has {has}: build on an older system, "
            f"or with cargo-lambda"
        )
    return found


def pack(binary: Path, archive: Path) -> None:
    """A zip with the binary as `bootstrap`, the same for the same binary."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(entry, binary.read_bytes(), compresslevel=9)


def template(source: str, architecture: str) -> str:
    """The template with zips beside it in place of what is to be built."""
    lines, inside = [], False
    for line in source.splitlines(keepends=True):
        # The metadata of a function tells `sam build` to build it.
        if line == "    Metadata:\n":
            inside = True
            continue
        if inside and line.startswith("      "):
            continue
        inside = False
        lines.append(re.sub(r"CodeUri: \.\./functions/(\S+)", r"CodeUri: \1.zip", line))
    made, count = re.subn(
        r"(  Architecture:\n    Type: String\n    Default: )\w+", rf"\g<1>{architecture}", "".join(lines)
    )
    if count != 1:
        raise Unfit("the template has no parameter `Architecture` any more")
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=sorted(MACHINES), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("functions", nargs="+", metavar="NAME=BINARY")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        for function in arguments.functions:
            name, _, binary = function.partition("=")
            needs = check(Path(binary), arguments.architecture)
            archive = arguments.out / f"{name}.zip"
            pack(Path(binary), archive)
            size, unpacked = archive.stat().st_size, Path(binary).stat().st_size
            if size > MOST_BYTES:
                raise Unfit(f"`{archive}` has {size} bytes, and Lambda takes {MOST_BYTES}")
            version = ".".join(map(str, needs))
            print(f"{archive}  {size / 2**20:.2f} MiB ({unpacked / 2**20:.2f} unpacked)  GLIBC_{version}")
        made = template((INFRA / "template.yaml").read_text(), arguments.architecture)
        (arguments.out / "template.yaml").write_text(made)
        for definition in INFRA.glob("*.asl.json"):
            (arguments.out / definition.name).write_text(definition.read_text())
    except Unfit as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.out / 'template.yaml'}: deploy with `sam deploy --guided --template {arguments.out / 'template.yaml'}`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
