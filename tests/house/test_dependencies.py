"""What `make audit` asks of dependencies, as far as it can be asked without cargo-deny: licences, bans, sources, and whether each is used.

`deny.toml` is the one list of what is allowed."""

import json
import re
import subprocess
import tomllib
import unittest

from .workspace import REPOSITORY, manifest, members, text

RULES = tomllib.loads(text("deny.toml"))


def cargo(*words: str) -> str:
    return subprocess.run(["cargo", *words, "--locked"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout


def packages() -> list[dict]:
    """Every package of Cargo.lock, whether something is built from it or not."""
    return json.loads(cargo("metadata", "--format-version", "1"))["packages"]


def built() -> set[str]:
    """The names of what is built, with every feature and for any system."""
    return set(cargo("tree", "--workspace", "--all-features", "--target", "all", "--prefix", "none", "--format", "{lib}").split())


def allows(licence: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met with allowed licences alone; a slash is an old way to write OR."""
    tokens = re.findall(r"[()]|[^\s()/]+|/", licence)

    def term() -> bool:
        token = tokens.pop(0)
        if token == "(":
            met = either()
            tokens.pop(0)
            return met
        if tokens[:1] == ["WITH"]:
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return token in allowed

    def both() -> bool:
        met = term()
        while tokens[:1] == ["AND"]:
            tokens.pop(0)
            met = term() and met
        return met

    def either() -> bool:
        met = both()
        while tokens[:1] in (["OR"], ["/"]):
            tokens.pop(0)
            met = both() or met
        return met

    return either()


class DependenciesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.foreign = [it for it in packages() if it["source"] is not None]

    def test_every_licence_is_allowed(self):
        allowed = set(RULES["licenses"]["allow"])
        refused = {it["name"]: it["license"] for it in self.foreign if not allows(it["license"] or "none", allowed)}
        self.assertEqual(refused, {})

    def test_every_allowed_licence_is_one_that_something_has(self):
        written = " ".join(it["license"] for it in self.foreign)
        self.assertEqual([it for it in RULES["licenses"]["allow"] if it not in written], [])

    def test_nothing_banned_is_there_and_everything_comes_from_the_registry(self):
        names = built()
        self.assertIn("serde_json", names)
        self.assertEqual([it["crate"] for it in RULES["bans"]["deny"] if it["crate"].replace("-", "_") in names], [])
        sources = {it["source"] for it in self.foreign}
        self.assertTrue(len(sources) == 1 and min(sources).startswith("registry+"), sources)

    def test_every_dependency_is_named_in_the_sources(self):
        for folder in members():
            sources = "\n".join(file.read_text(encoding="utf-8") for file in (REPOSITORY / folder).rglob("*.rs"))
            for kind in ("dependencies", "dev-dependencies", "build-dependencies"):
                for name in manifest(folder).get(kind, {}):
                    with self.subTest(f"{folder}: {name}"):
                        self.assertTrue(re.search(rf"\b{name.replace('-', '_')}\b", sources), "nothing uses it")

    def test_every_shared_version_is_one_that_a_crate_takes(self):
        taken = {name for folder in members() for kind in ("dependencies", "dev-dependencies", "build-dependencies") for name in manifest(folder).get(kind, {})}
        shared = {name for name, it in manifest(".")["workspace"]["dependencies"].items() if not (isinstance(it, dict) and "path" in it)}
        self.assertEqual(shared - taken, set())


class LicenceTest(unittest.TestCase):
    def test_an_expression_is_met_as_spdx_says(self):
        allowed = {"MIT", "ISC", "Apache-2.0 WITH LLVM-exception"}
        for licence, wanted in (
            ("MIT", True), ("GPL-3.0", False), ("GPL-3.0 OR MIT", True), ("GPL-3.0/MIT", True), ("MIT AND GPL-3.0", False),
            ("ISC AND (GPL-3.0 OR MIT)", True), ("ISC AND (GPL-3.0 OR LGPL-3.0)", False), ("GPL-3.0 OR ISC AND MIT", True),
            ("Apache-2.0 WITH LLVM-exception", True), ("MIT WITH LLVM-exception", False), ("none", False),
        ):
            with self.subTest(licence):
                self.assertEqual(allows(licence, allowed), wanted)


if __name__ == "__main__":
    unittest.main()
