"""Which combinations of patterns can one text value match? Answered exactly.

All patterns are laid side by side in one bit-parallel automaton (one integer is
the state of all of them) and run together with a small automaton that says which
texts may occur at all. Visiting every reachable pair gives every achievable
combination, each with a shortest text that shows it.
"""

from collections import deque
from functools import lru_cache

STATE_LIMIT = 300_000


class TooLarge(Exception):
    """The automaton outgrew the limit; nothing may be concluded."""


# Shapes of text. A shape is a tuple of alternatives (prefix, kind).
ANY = (("", "any"),)
ADDRESS = (("", "address"),)
QUOTED = (("", "address"), ('"', "quoted"))  # addresses, also with a quoted local part
ORGANIZATION = (("o-", "organization"),)
TAG = (("", "tag"),)
ARN = (("arn:", "arn"),)
REGIONS = {
    "aws": (("", "region"),), "aws-us-gov": (("us-gov-", "zone"),), "aws-cn": (("cn-", "zone"),),
    "aws-eusc": (("eusc-", "region"),),
}
OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-isoe")  # beginnings that are no Region of `aws`; `eusc-` has no such form
WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LOCAL = set(WORD + "!#$%&'*+-/=?^_`{|}~")  # what a plain local part may hold beside dots
LABEL = set(WORD + "-")
IAM_NAME = set(WORD + "+=,.@_-")
TAG_TEXT = set(WORD + " _.:/=+-@")


def _kind_step(kind, state, char):
    """One step inside a kind; the start state is 0. None: no such text."""
    if kind == "any":
        return 1 if " " <= char <= "~" else None
    if kind == "part":  # one ARN part: anything printable but a colon
        return 1 if " " <= char <= "~" and char != ":" else None
    if kind == "empty":
        return None
    if kind == "address":
        # 0 start, 1 local text, 2 local dot, 3 after @, 4 label, 5 dot, 6 label after a dot
        if state in (0, 1, 2):
            if char in LOCAL:
                return 1
            if state == 1 and char == ".":
                return 2
            return 3 if state == 1 and char == "@" else None
        if char in LABEL:
            return 6 if state in (5, 6) else 4
        return 5 if char == "." and state in (4, 6) else None
    if kind == "quoted":
        # 0 after the opening quote, 1 inside, 2 after the closing quote, then as an address after its local part
        if state in (0, 1):
            if state == 1 and char == '"':
                return 2
            return 1 if " " <= char <= "~" and char not in '"\\' else None
        if state == 2:
            return 3 if char == "@" else None
        return _kind_step("address", state, char)
    if kind == "tag":
        return 1 if char in TAG_TEXT else None
    if kind == "arn":  # after `arn:`: four more colons, then a name
        if not " " <= char <= "~":
            return None
        if char == ":":
            return state + 1 if state < 4 else 5
        return 5 if state >= 4 else state
    if kind in ("region", "zone"):
        # The state is the text so far while its beginning may still matter, then only the form of its end.
        text, form = state or ("", "zone" if kind == "zone" else "")
        if form in ("", "x"):  # two letters
            if char.islower():
                form = "x" if form == "" else "xx"
                if len(text) == 2:
                    return None
            else:
                return None
        elif form == "xx":
            if char != "-":
                return None
            form = "start"
        elif form in ("start", "zone"):  # a word begins
            if not char.islower():
                return None
            form = "word"
        elif form == "word":
            if not (char.islower() or char == "-"):
                return None
            form = "dash" if char == "-" else "word"
        elif form == "dash":
            if not (char.islower() or char.isdigit()):
                return None
            form = "word" if char.islower() else "end"
        else:
            return None
        text = text + char if text is not None else None
        if kind == "region" and text is not None:
            if text in OTHER_PARTITIONS:
                return None
            if not any(o.startswith(text) for o in OTHER_PARTITIONS):
                text = None if form not in ("", "x") else text
        elif text is not None:
            text = None
        return (text, form)
    if kind == "domain":
        if char in LABEL:
            return 6 if state in (5, 6) else 4
        return 5 if char == "." and state in (4, 6) else None
    if kind == "organization":  # 10 to 32 small letters or digits
        return state + 1 if state < 32 and (char.isdigit() or char.islower()) else None
    if kind == "name":
        return 1 if char in IAM_NAME else None
    if kind == "path":
        # IAM's path takes every visible ASCII character; 1 a name, 2 after a path, 3 inside a path
        if not "!" <= char <= "~":
            return None
        if char == "/":
            return 3 if state == 0 else 2
        return 1 if state != 3 and char in IAM_NAME else 3
    raise AssertionError(kind)


_FINAL = {"quoted": {6}, "tag": {1}, "arn": {5}, "any": {1}, "part": {1}, "empty": {0}, "address": {6}, "domain": {6}, "path": {1}, "name": {1},
          "organization": set(range(10, 33))}


def _shape_start(shape):
    return tuple((0, 0) if prefix else (1, 0) for prefix, _ in shape)


def _shape_step(shape, state, char):
    moved = []
    for (prefix, kind), inner in zip(shape, state, strict=True):
        if inner is None:
            moved.append(None)
            continue
        phase, at = inner
        if phase == 0:
            if prefix[at] != char:
                moved.append(None)
            elif at + 1 == len(prefix):
                moved.append((1, 0))
            else:
                moved.append((0, at + 1))
        else:
            after = _kind_step(kind, at, char)
            moved.append(None if after is None else (1, after))
    return tuple(moved) if any(m is not None for m in moved) else None


def _shape_final(shape, state):
    return any(
        inner is not None and inner[0] == 1 and (
            bool(inner[1]) and inner[1][1] == "end" if kind in ("region", "zone") else inner[1] in _FINAL[kind])
        for (_, kind), inner in zip(shape, state, strict=True)
    )


def matches(shape, text):
    """Is the text of the shape?"""
    state = _shape_start(shape)
    for char in text:
        state = _shape_step(shape, state, char)
        if state is None:
            return False
    return _shape_final(shape, state)


@lru_cache(maxsize=200_000)
def representatives(shape, patterns):
    """One text per achievable combination of `patterns` within `shape`.

    `patterns` is a frozenset of (mode, text); mode is `like`, `ilike` (case
    ignored), `arn` (part by part), `equals` or `iequals`. Returns a tuple of texts, shortest first.
    """
    ordered = sorted(patterns)
    star = final = start = bound = 0  # bound: stars that stop at a colon
    takes = []  # (position, character or None for any, ignoring case, any but a colon)
    at = 0
    for mode, text in ordered:
        start |= 1 << at
        wild = mode.endswith("like") or mode == "arn"
        previous = None
        colons = 0
        for char in text:
            colons += char == ":"
            inside = mode == "arn" and colons < 5
            if wild and char == "*":
                if previous != "*":
                    star |= 1 << at
                    bound |= inside << at
                    at += 1
            else:
                wanted = None if wild and char == "?" else char
                takes.append((at, wanted, mode[0] == "i", wanted is None and inside))
                at += 1
            previous = char
        final |= 1 << at
        at += 1
    start |= (start & star) << 1

    letters = {char for _, char, _, _ in takes if char is not None}
    if any(mode[0] == "i" for mode, _ in ordered):
        letters |= {c.swapcase() for c in letters if c.isascii() and c.isalpha()}
    letters |= {c for prefix, _ in shape for c in prefix} | set("./@:")
    letters.add(next(c for c in "qzjkwvyQZJKWVY0123456789" if c not in letters))
    kinds = {kind for _, kind in shape}
    if kinds & {"region", "zone"}:
        # Regions have small letters, hyphens and a digit; some of each that no pattern names.
        letters |= {"-", *[c for c in "qzjkwvyxumpghobf" if c not in letters][:1], *[c for c in "7896543210" if c not in letters][:1]}
        letters = {c for c in letters if c.islower() or c.isdigit() or c == "-"}
    if "quoted" in kinds:
        letters.add('"')
    alphabet = sorted(letters, key=lambda c: (not c.islower(), c))
    mask = {
        char: sum(
            1 << position
            for position, wanted, folded, narrow in takes
            if (wanted is None and not (narrow and char == ":"))
            or (wanted is not None and (wanted == char or (folded and wanted.lower() == char.lower())))
        )
        for char in alphabet
    }
    begin = (_shape_start(shape), start)
    came = {begin: None}
    queue = deque([begin])
    found = {}
    step_cache = {}
    while queue:
        here = queue.popleft()
        base, state = here
        if _shape_final(shape, base) and here is not begin:
            found.setdefault(state & final, here)
        for char in alphabet:
            key = (base, char)
            if key not in step_cache:
                step_cache[key] = _shape_step(shape, base, char)
            next_base = step_cache[key]
            if next_base is None:
                continue
            loops = star & ~bound if char == ":" else star
            moved = ((state & mask[char]) << 1) | (state & loops)
            moved |= (moved & star) << 1
            there = (next_base, moved)
            if there not in came:
                came[there] = (here, char)
                queue.append(there)
                if len(came) > STATE_LIMIT:
                    raise TooLarge(f"{len(ordered)} patterns need more than {STATE_LIMIT} states")
    texts = []
    for node in found.values():
        chars = []
        while came[node] is not None:
            node, char = came[node]
            chars.append(char)
        texts.append("".join(reversed(chars)))
    return tuple(texts)
