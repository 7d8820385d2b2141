"""The map and the arrows of ARCHITECTURE.md are those of the Cargo.toml files."""

import re
import unittest

from .workspace import REPOSITORY, manifest, members, own_crates, text, uses

ARCHITECTURE = text("ARCHITECTURE.md")


def block(heading: str) -> str:
    """The first drawing below a heading."""
    return ARCHITECTURE.split(f"\n## {heading}\n")[1].split("```text\n")[1].split("```")[0]


def drawn() -> dict[str, set[str]]:
    """What each folder of a crate may use as drawn; `functions/*` stands for those without a line."""
    arrows, wild = {}, set()
    for line in block("The arrows").splitlines():
        left, right = (part.strip() for part in line.split("→"))
        names = set() if right == "none of ours" else {part.split()[0] for part in right.split(";")[0].split(", ")}
        if left == "functions/*":
            wild = names
        else:
            arrows[left if "/" in left else own_crates()[left]] = names
    functions = [folder for folder in members() if folder.startswith("functions/")]
    return dict.fromkeys(functions, wild) | arrows


class ArrowsTest(unittest.TestCase):
    def test_what_a_crate_uses_is_drawn_and_what_is_drawn_is_used(self):
        product = [folder for folder in members() if not folder.startswith("tests/")]
        self.assertEqual(set(drawn()), set(product))
        for folder, names in drawn().items():
            with self.subTest(folder):
                self.assertEqual(sorted(names), sorted(uses(folder)))

    def test_what_needs_a_feature_says_so(self):
        said = {
            name for line in block("The arrows").splitlines() if line.startswith("functions/cli")
            for name in re.findall(r"([\w-]+) \(feature live\)", line)
        }
        live = {name.removeprefix("dep:") for name in manifest("functions/cli")["features"]["live"]}
        self.assertEqual(said, live & set(own_crates()))

    def test_what_tests_share_is_used_by_tests_alone_and_uses_none_of_ours(self):
        self.assertEqual(uses("tests/support"), set())
        self.assertEqual([folder for folder in members() if "support" in uses(folder)], [])
        self.assertGreater(len([folder for folder in members() if "support" in manifest(folder).get("dev-dependencies", {})]), 8)

    def test_only_what_drives_the_world_knows_the_sdk(self):
        for folder in members():
            sdk = [name for name in manifest(folder).get("dependencies", {}) if name.startswith("aws-")]
            with self.subTest(folder):
                self.assertTrue(folder == "shared/aws" or not sdk, sdk)


class MapTest(unittest.TestCase):
    def test_every_crate_is_on_the_map_and_every_place_of_the_map_is_there(self):
        places = {
            place for line in block("The map").splitlines()
            for place in re.findall(r"[\w-]+(?:/[\w-]+)*", re.split(r" {2,}", line)[0])
        }
        self.assertEqual(set(members()) - places, set())
        self.assertEqual([place for place in sorted(places) if not (REPOSITORY / place).is_dir()], [])

    def test_every_module_of_the_map_is_there(self):
        for crate in ARCHITECTURE.split("\n## The arrows")[0].split("\n### ")[1:]:
            folder = crate.split("\n")[0]
            rows = re.findall(r"(?m)^\| (`.*?) \|", crate)
            self.assertTrue(rows, folder)
            for name in re.findall(r"`([\w/]+)`", " ".join(rows)):
                with self.subTest(f"{folder} {name}"):
                    self.assertTrue((REPOSITORY / folder / "src" / f"{name}.rs").is_file())


if __name__ == "__main__":
    unittest.main()
