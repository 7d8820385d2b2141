"""A reader who meets the name of a type does not have to ask which of many is meant."""

import re
import unittest

from .rust import code
from .workspace import REPOSITORY, members

TYPE = re.compile(r"(?m)^(?:pub(?:\([^)]*\))? )?(?:struct|enum|union|trait|type) (\w+)")
MOST = 2


def types(source: str) -> list[str]:
    """The names of the types that a file defines, its tests aside."""
    return TYPE.findall(code(source))


class TypeNamesTest(unittest.TestCase):
    def test_no_name_stands_for_more_than_two_things(self):
        places: dict[str, list[str]] = {}
        for folder in members():
            crate = REPOSITORY / folder
            for file in sorted([*crate.glob("src/**/*.rs"), *crate.glob("build/**/*.rs"), *crate.glob("build.rs")]):
                for name in types(file.read_text(encoding="utf-8")):
                    places.setdefault(name, []).append(str(file.relative_to(REPOSITORY)))
        self.assertGreater(len(places), 100)
        self.assertEqual({name: files for name, files in places.items() if len(files) > MOST}, {})

    def test_types_of_tests_and_of_comments_do_not_count(self):
        source = "pub(crate) struct A<'a>;\n// struct B\nenum C {}\n#[cfg(test)]\nmod tests {\nstruct D;\n}\ntype E = u8;"
        self.assertEqual(types(source), ["A", "C", "E"])


if __name__ == "__main__":
    unittest.main()
