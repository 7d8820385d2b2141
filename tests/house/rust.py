"""Which files of a crate use which others, read from the text: a file is a module, and a path leads to one."""

import re
from collections.abc import Iterator
from pathlib import Path

TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))? )?mod \w+\s*\{")
NOT_CODE = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|b?r(?P<hashes>#*)".*?"(?P=hashes)'
    r'|b?"(?:\\.|[^"\\])*"'
    r"|b?'(?:\\.[^']*|[^'\\])'",
    re.DOTALL,
)
USE = re.compile(r"(?m)^\s*(pub(?:\([^)]*\))? )?use ([^;]+);")
CHILD = re.compile(r"(?m)^\s*(?:pub(?:\([^)]*\))? )?mod (\w+);")
INLINE = re.compile(r"(?<![\w:])([a-z_]\w*(?:::\w+)+)")

Module = tuple[str, ...]


def code(source: str) -> str:
    """The source without comments, texts and the tests that stand in it."""
    source = NOT_CODE.sub(" ", source)
    while found := TEST_MODULE.search(source):
        depth, at = 1, found.end()
        while depth and at < len(source):
            depth += {"{": 1, "}": -1}.get(source[at], 0)
            at += 1
        source = source[: found.start()] + source[at:]
    return source


def branches(tree: str) -> Iterator[tuple[Module, str]]:
    """The paths of a use declaration, each with the name that it brings."""
    tree = tree.strip()
    if not tree:
        return
    opening = tree.find("{")
    if opening < 0:
        path, _, name = tree.partition(" as ")
        parts = tuple(path.strip().split("::"))
        yield parts, name.strip() or parts[-1]
        return
    prefix = tuple(part for part in tree[:opening].strip().split("::") if part)
    depth, start = 0, opening + 1
    for at in range(opening + 1, len(tree)):
        if tree[at] == "{":
            depth += 1
        elif (tree[at] == "," and not depth) or (tree[at] == "}" and not depth):
            for path, name in branches(tree[start:at]):
                if path == ("self",):
                    yield prefix, prefix[-1] if name == "self" else name
                else:
                    yield prefix + path, name
            start = at + 1
        elif tree[at] == "}":
            depth -= 1


class Crate:
    """The files of one crate and the paths between them."""

    def __init__(self, source: Path) -> None:
        self.files: dict[Module, Path] = {}
        self.code: dict[Module, str] = {}
        self.brought: dict[Module, dict[str, Module]] = {}
        root = source / ("lib.rs" if (source / "lib.rs").exists() else "main.rs")
        waiting: list[tuple[Module, Path]] = [((), root)]
        while waiting:
            module, file = waiting.pop()
            self.files[module], self.code[module] = file, code(file.read_text(encoding="utf-8"))
            folder = source.joinpath(*module)
            for child in CHILD.findall(self.code[module]):
                for at in (folder / f"{child}.rs", folder / child / "mod.rs"):
                    # A module that is generated, or for tests alone, has no such file or no place here.
                    if at.exists() and child != "tests":
                        waiting.append(((*module, child), at))

    def imports(self, module: Module) -> dict[str, Module]:
        """What the declarations of a file bring into it, as paths from the root; what is not of the crate is left out."""
        if module in self.brought:
            return self.brought[module]
        found = self.brought[module] = {}
        for _, tree in USE.findall(self.code[module]):
            for path, name in branches(tree):
                absolute = self.absolute(module, path)
                if absolute is not None:
                    found[name] = absolute
        return found

    def absolute(self, module: Module, path: Module) -> Module | None:
        head, rest = path[0], path[1:]
        if head == "crate":
            return rest
        if head == "self":
            return (*module, *rest)
        if head == "super":
            at = module[:-1]
            while rest and rest[0] == "super":
                at, rest = at[:-1], rest[1:]
            return (*at, *rest)
        return (*module, *path) if (*module, head) in self.files else None

    def home(self, path: Module, depth: int = 0) -> Module:
        """The file in which the item of a path stands, through declarations that hand it on."""
        module = path
        while module not in self.files:
            module = module[:-1]
        if len(module) < len(path) and depth < 8:
            handed = self.imports(module).get(path[len(module)])
            if handed is not None and handed != path:
                return self.home((*handed, *path[len(module) + 1 :]), depth + 1)
        return module

    def used(self, module: Module) -> set[Module]:
        """The files that a file uses. To hand an item of a child on is no use of it."""
        found = set()
        text = self.code[module]
        for public, tree in USE.findall(text):
            for path, _ in branches(tree):
                absolute = self.absolute(module, path)
                if absolute is not None and not (public and absolute[: len(module)] == module):
                    found.add(self.home(absolute))
        for path in INLINE.findall(USE.sub("", text)):
            absolute = self.absolute(module, tuple(path.split("::")))
            if absolute is not None:
                found.add(self.home(absolute))
        return found - {module}


def circles(uses: dict[Module, set[Module]]) -> list[list[Module]]:
    """The sets of files of which each uses each other, directly or over others."""
    reach: dict[Module, set[Module]] = {}
    for start in uses:
        seen, waiting = set(), [start]
        while waiting:
            for after in uses[waiting.pop()]:
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
        reach[start] = seen
    found = {tuple(sorted(other for other in reach[it] if it in reach[other])) for it in uses if it in reach[it]}
    return [list(circle) for circle in sorted(found)]
