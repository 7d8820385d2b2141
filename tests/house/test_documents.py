"""Links of the documents lead somewhere, and the steps of recipes name what is there."""

import re
import subprocess
import unittest
from functools import cache
from pathlib import Path

from .workspace import REPOSITORY, text

RECIPES = "CONTRIBUTING.md"
TARGETS = set(re.findall(r"(?m)^([a-z-]+):", text("Makefile")))


@cache
def files(pattern: str) -> list[str]:
    """The files of a place or of a pattern, as git knows them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.splitlines() if (REPOSITORY / name).is_file()]


def without_code(page: str) -> str:
    return re.sub(r"(?ms)^```.*?^```", "", page)


def anchors(page: str) -> set[str]:
    """What headings can be linked by."""
    headings = re.findall(r"(?m)^#+ (.*)$", without_code(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_path(word: str) -> bool:
    """Whether a word is a place in this repository: it has a slash, or the ending of a file that stands at the root."""
    return bool(re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word)) and ("/" in word or bool(re.search(r"\.(md|toml|lock)$|^Makefile$", word)))


def holds(path: Path, item: str) -> bool:
    """Whether an item occurs in a file, as a whole word or as the beginning of one that ends in `_`."""
    end = "" if item.endswith("_") else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(item)}{end}", path.read_text(encoding="utf-8")) is not None


def steps() -> list[tuple[str, str]]:
    """Recipe and text of each numbered step."""
    found = []
    for recipe in without_code(text(RECIPES)).split("\n## Recipes\n")[1].split("\n## ")[0].split("\n### ")[1:]:
        title, body = recipe.split("\n", 1)
        for step in re.findall(r"(?ms)^\d+\. (.*?)(?=^\d+\. |\n\n|\Z)", body):
            found.append((title, " ".join(step.split())))
    return found


def faults(step: str) -> list[str]:
    """What a step names and is not there: paths, targets of make, and items that are in none of the files that it names."""
    words = re.findall(r"`([^`]+)`", step)
    wrong, used = [], 0
    places = [place for word in words if is_path(word) for place in files(word)]
    for word in words:
        if word.startswith("make "):
            wrong += [f"make {name}" for name in word.split()[1:] if name not in TARGETS]
            used += 1
        elif is_path(word):
            used += 1
            if not files(word):
                wrong.append(word)
        elif not any(holds(REPOSITORY / place, word) for place in places):
            wrong.append(f"{word} in {', '.join(places[:3]) or 'no file'}")
    return wrong if used else [*wrong, "the step names no place"]


class RecipesTest(unittest.TestCase):
    def test_every_step_names_what_is_there(self):
        self.assertGreater(len(steps()), 30)
        for title, step in steps():
            with self.subTest(f"{title}: {step[:60]}"):
                self.assertEqual(faults(step), [])

    def test_every_recipe_that_a_newcomer_needs_is_there(self):
        titles = {title for title, _ in steps()}
        wanted = {"A condition operator", "A control", "An SES action", "A condition key", "A report format", "A function"}
        self.assertEqual(wanted - titles, set())

    def test_what_is_not_there_is_noticed(self):
        self.assertEqual(faults("`shared/policy/src/nowhere.rs`: write it"), ["shared/policy/src/nowhere.rs"])
        self.assertEqual(faults("`deny.toml`: `no_such_item`"), ["no_such_item in deny.toml"])
        self.assertEqual(faults("`make nothing`"), ["make nothing"])
        self.assertEqual(faults("think hard"), ["the step names no place"])
        self.assertEqual(faults("`Cargo.toml`: `members`, then `make check`"), [])


class PagesTest(unittest.TestCase):
    def test_every_shared_crate_has_a_page_with_an_example_that_runs(self):
        for page in files("shared/*/src/lib.rs"):
            with self.subTest(page):
                lines = [line.removeprefix("//!").strip() for line in text(page).splitlines() if line.startswith("//!")]
                self.assertGreater(len(lines), 10)
                self.assertIn("```", lines)
                self.assertFalse([line for line in lines if re.match(r"```(ignore|no_run|should_panic|compile_fail|text)", line)])


class LinksTest(unittest.TestCase):
    def test_every_link_between_documents_leads_somewhere(self):
        pages = files("*.md")
        self.assertIn("README.md", pages)
        for page in pages:
            folder = (REPOSITORY / page).parent
            for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text(page))):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = folder / path if path else REPOSITORY / page
                with self.subTest(f"{page}: {target}"):
                    self.assertTrue(there.exists())
                    if anchor and there.suffix == ".md":
                        self.assertIn(anchor, anchors(there.read_text(encoding="utf-8")))

    def test_the_first_page_ends_before_it_tires(self):
        self.assertLessEqual(len(text("README.md").splitlines()), 200)


if __name__ == "__main__":
    unittest.main()
