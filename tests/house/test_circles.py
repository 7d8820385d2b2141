"""No two files of a crate use each other, directly or over others."""

import tempfile
import unittest
from pathlib import Path

from .rust import Crate, circles
from .workspace import REPOSITORY, members


def names(folder: str | Path) -> list[str]:
    """The circles of a crate, each as the names of its modules."""
    crate = Crate(REPOSITORY / folder / "src")
    found = circles({module: crate.used(module) for module in crate.files})
    return [" ".join("/".join(module) or "crate" for module in circle) for circle in found]


class CirclesTest(unittest.TestCase):
    def test_there_is_no_circle(self):
        for folder in members():
            with self.subTest(folder):
                self.assertEqual(
                    names(folder), [],
                    "these files use each other: move what they share to a file of its own, or to the one that needs no other",
                )


class ReaderTest(unittest.TestCase):
    """What counts as a use."""

    def circles(self, **files: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            for name, source in files.items():
                file = Path(folder, "src", name.replace("__", "/") + ".rs")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(source)
            return names(folder)

    def test_two_files_that_name_each_other_are_a_circle(self):
        self.assertEqual(self.circles(lib="mod a;\nmod b;", a="use crate::b::B;", b="fn f() { crate::a::f() }"), ["a b"])
        self.assertEqual(self.circles(lib="mod a;\nmod b;", a="use crate::b::B;", b="struct B;"), [])

    def test_a_way_over_a_third_file_is_one(self):
        found = self.circles(lib="mod a;\nmod b;\nmod c;", a="use crate::b::{self, B};", b="use super::c;", c="use crate::a as x;")
        self.assertEqual(found, ["a b c"])

    def test_a_parent_and_a_child_that_use_each_other_are_one(self):
        self.assertEqual(self.circles(lib="mod a;", a="mod b;\nuse b::B;\nstruct A;", a__b="use super::A;"), ["a a/b"])

    def test_declaring_a_child_or_handing_its_items_on_is_no_use(self):
        self.assertEqual(self.circles(lib="mod a;\npub use a::A;", a="pub mod b;\npub use b::B;\nstruct A;", a__b="use super::A;"), [])

    def test_an_item_stands_where_it_is_defined_not_where_it_is_handed_on(self):
        found = self.circles(
            lib="mod a;\nmod c;\npub use a::b::B;", a="pub mod b;\npub use b::B;\nuse crate::c::C;", a__b="struct B;", c="use crate::B;\nuse crate::a::B;")
        self.assertEqual(found, [])

    def test_comments_texts_and_tests_are_no_uses(self):
        a = '//! [`crate::b::B`]\nconst T: &str = "crate::b::B {";\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n    fn f() {}\n}'
        self.assertEqual(self.circles(lib="mod a;\nmod b;", a=a, b="use crate::a::T;"), [])


if __name__ == "__main__":
    unittest.main()
