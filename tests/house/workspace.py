"""The workspace as its Cargo.toml files tell it."""

import tomllib
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@cache
def manifest(folder: str) -> dict:
    return tomllib.loads((REPOSITORY / folder / "Cargo.toml").read_text(encoding="utf-8"))


def members() -> list[str]:
    """Folders of crates, `shared/policy` say."""
    return manifest(".")["workspace"]["members"]


def own_crates() -> dict[str, str]:
    """The folder of each crate that others may depend on, by its name."""
    shared = manifest(".")["workspace"]["dependencies"]
    return {name: it["path"] for name, it in shared.items() if isinstance(it, dict) and "path" in it}


def uses(folder: str) -> set[str]:
    """The names of own crates that a crate depends on, tests aside."""
    return set(manifest(folder).get("dependencies", {})) & set(own_crates())


def text(path: str) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")
