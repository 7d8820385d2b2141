"""A second answer to the controls, made only from the written rules.

It shares no code with the Rust program. A request is a choice of one candidate
per group of context keys that belong together. The candidates of a group show
every combination of truth values that its conditions can take, so trying them
all is a proof. Three-valued: where AWS's evaluation is open, a condition is a
pair (holds under every reading, holds under some reading).
"""

import datetime
import ipaddress
import itertools
import json
import pathlib
import re
import tomllib
from functools import cache, lru_cache

from keys import (
    ENDPOINT_OWNER,
    FILLED,
    IAM_REGION,
    NETWORK,
    NO_SMTP,
    RESOURCE,
    TAKING_OVER,
    V1_TAGS_OPEN,
    kind_of,
    multivalued,
)
from language import ADDRESS, ANY, ARN, ORGANIZATION, QUOTED, REGIONS, TAG, TooLarge, representatives

BASES = {}
for _kind, _names in {
    "string": "StringEquals StringEqualsIgnoreCase StringLike",
    "arn": "ArnEquals ArnLike",
    "number": "NumericEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals",
    "date": "DateEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals",
    "bool": "Bool",
    "ip": "IpAddress",
    "null": "Null",
}.items():
    for _name in _names.split():
        BASES[_name] = (_kind, _name, False)
for _negated, _plain in {
    "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike", "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals", "NotIpAddress": "IpAddress",
}.items():
    BASES[_negated] = (BASES[_plain][0], _plain, True)

OPEN_POINTS = ("bare", "bare-missing", "any-if-exists", "short-arn", "short-resource", "across-colons")
ADMIN_CONTROLS = {5, 7, 10, 11, 12, 14, 16, 24}
CONTROLS = [*range(1, 19), 24]
DOUBT = "?doubt"  # marks a request of which nobody knows whether it can be made
WILD = "?any"  # a value that no text stands for: every condition on it is open


class Unsupported(Exception):
    """The peer has no complete candidates for this input."""


# ---- readings ------------------------------------------------------------------------------


class Readings:
    """How open points count. Truth is (low, high), each a mask with a bit per reading.

    `each`: every occurrence is open by itself, one bit. `whole`: a reading is one
    choice for each open point, the same everywhere, so 64 bits.
    """

    def __init__(self, whole=False):
        self.width = 1 << len(OPEN_POINTS) if whole else 1
        self.full = (1 << self.width) - 1
        self.false, self.true, self.open = (0, 0), (self.full, self.full), (0, self.full)
        self.points = {}
        for n, point in enumerate(OPEN_POINTS):
            bits = sum(1 << i for i in range(self.width) if i >> n & 1)
            self.points[point] = (bits, bits) if whole else self.open
        # Three readings of a bare multivalued key: never, as ForAnyValue, and that with the rule for missing keys.
        missing = self.points["bare"][0] & self.points["bare-missing"][0]
        self.points["bare-missing"] = (missing, missing) if whole else self.open

    def of(self, flag):
        return self.true if flag else self.false

    def negate(self, a):
        return (self.full & ~a[1], self.full & ~a[0])

    def any(self, items):
        low = high = 0
        for a in items:
            low, high = low | a[0], high | a[1]
        return (low, high)

    def all(self, items):
        low = high = self.full
        for a in items:
            low, high = low & a[0], high & a[1]
        return (low, high)


EACH, WHOLE = Readings(), Readings(whole=True)


# ---- matching ------------------------------------------------------------------------------


@lru_cache(maxsize=100_000)
def _glob(pattern):
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.S)


def glob(pattern, text):
    return _glob(pattern).fullmatch(text) is not None


def parse_number(text):
    return float(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?", text) else None


def parse_date(text):
    if re.fullmatch(r"\d+", text):
        return int(text)
    shape = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)Z)?", text)
    if not shape:
        return None
    try:
        parts = [int(p or 0) for p in shape.groups()]
        return int(datetime.datetime(*parts, tzinfo=datetime.UTC).timestamp())
    except ValueError:
        return None


@lru_cache(maxsize=10_000)
def parse_network(text):
    # Leading zeros may be octal, and a netmask is no prefix length: both are open.
    if not re.fullmatch(r"[0-9a-fA-F:.]+(/(0|[1-9]\d*))?", text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=10_000)
def parse_address(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def compare(name, left, right):
    if name.endswith("LessThanEquals"):
        return left <= right
    if name.endswith("LessThan"):
        return left < right
    if name.endswith("GreaterThanEquals"):
        return left >= right
    if name.endswith("GreaterThan"):
        return left > right
    return left == right


def match_value(readings, kind, name, wanted, got):
    """One policy value against one request value, the positive form of the operator."""
    if kind == "string":
        if name == "StringEquals":
            return readings.of(wanted == got)
        if name == "StringLike":
            return readings.of(glob(wanted, got))
        return readings.of(wanted.lower() == got.lower())
    if kind == "arn":
        want, have = wanted.split(":", 5), got.split(":", 5)
        if len(want) < 6 or want[0] != "arn":
            return readings.points["short-arn"] if glob(wanted, got) else readings.false
        return readings.of(len(have) == 6 and all(map(glob, want, have)))
    if kind == "bool":
        return readings.of(wanted.lower() == got.lower()) if wanted.lower() in ("true", "false") else readings.open
    if kind == "ip":
        network, address = parse_network(wanted), parse_address(got)
        if network is None or address is None:
            return readings.open
        return readings.of(address.version == network.version and address in network)
    parse = parse_number if kind == "number" else parse_date
    left, right = parse(got), parse(wanted)
    return readings.open if left is None or right is None else readings.of(compare(name, left, right))


class Atom:
    """One operator over one key of one statement."""

    def __init__(self, operator, key, values):
        self.key = key.lower()
        self.values = tuple("true" if v is True else "false" if v is False else str(v) for v in values)
        self.qualifier = None
        rest = operator
        for qualifier in ("ForAnyValue", "ForAllValues"):
            if rest.startswith(qualifier + ":"):
                self.qualifier, rest = qualifier, rest[len(qualifier) + 1:]
        self.if_exists = rest.endswith("IfExists")
        base = BASES.get(rest[:-8] if self.if_exists else rest)
        self.unknown = base is None or (base[0] == "null" and bool(self.if_exists or self.qualifier))
        self.kind, self.name, self.negated = base or (None, None, None)

    def patterns(self):
        """What the text automaton must tell apart."""
        if self.kind in ("string", "bool", "arn"):
            if self.kind == "arn":
                return {("arn" if v.count(":") >= 5 else "like", v) for v in self.values}
            mode = {"StringEquals": "equals", "StringLike": "like"}.get(self.name, "iequals")
            return {(mode, v) for v in self.values}
        return set()

    def truth(self, readings, value):
        """`value`: None (absent), a string, or a tuple of strings for a multivalued key."""
        if self.unknown:
            return readings.open
        if self.kind == "null":
            absent = value is None
            return readings.any(readings.of(v.lower() == ("true" if absent else "false")) for v in self.values)
        if value is WILD:
            return readings.open
        if self.qualifier is None and (multivalued(self.key) or isinstance(value, tuple)):
            if value is None:
                return readings.points["bare-missing"] if self.negated or self.if_exists else readings.false
            some = self.quantified(readings, "ForAnyValue", value)
            point = readings.points["bare"]
            return (some[0] & point[0], some[1] & point[1])
        if self.qualifier is None:
            if value is None:
                return readings.of(self.negated or self.if_exists)
            return self.single(readings, value)
        return self.quantified(readings, self.qualifier, value)

    def single(self, readings, got):
        hit = readings.any(match_value(readings, self.kind, self.name, v, got) for v in self.values)
        return readings.negate(hit) if self.negated else hit

    def quantified(self, readings, qualifier, value):
        if value is None:
            if qualifier == "ForAllValues":
                return readings.true
            return readings.points["any-if-exists"] if self.if_exists else readings.false
        elements = (value,) if isinstance(value, str) else value
        each = [self.single(readings, v) for v in elements]
        return readings.any(each) if qualifier == "ForAnyValue" else readings.all(each)


class Unreadable(Exception):
    """The policy as a whole cannot be read."""


def listed(value):
    return list(value) if isinstance(value, list) else [value]


VARIABLE = re.compile(r"\$\{([^}]*)\}")
UNKNOWN = object()


class Filling:
    """What variables stand for in one place: `values` by key, None for a key that is absent."""

    def __init__(self, values):
        self.values = values

    def of(self, text):
        """(text or None for the null value, open, the names that `values` does not have)."""
        open_, names, null = False, set(), False
        parts, at = [], 0
        for found in VARIABLE.finditer(text):
            parts.append(text[at:found.start()])
            at = found.end()
            name, comma, default = found.group(1).partition(",")
            name, default = name.strip().lower(), default.strip()
            if name in ("*", "?", "$"):
                names.add(name)
                continue
            if ":" not in name or (comma and not re.fullmatch(r"'[^']*'", default)):
                open_ = True  # an unfilled placeholder
                continue
            if multivalued(name):
                open_ = True
                continue
            value = self.values.get(name, UNKNOWN)
            if value is UNKNOWN:
                names.add(name)
            elif value is None and not comma:
                null = True
            else:
                value = default[1:-1] if value is None else value
                open_ |= bool(re.search(r"[*?]", value))  # may or may not be a wildcard
                parts.append(value)
        open_ |= "${" in text[at:]
        parts.append(text[at:])
        return (None if null and not open_ and not names else "".join(parts)), open_, names


class Statement:
    """One statement as it counts for one account, with variables filled in as far as `values` goes.

    `open`: AWS's evaluation is open. `names`: variables that `values` does not have; the peer cannot
    judge the statement then, and takes it for open.
    """

    def __init__(self, raw, version, values, policy, index, target):
        self.raw, self.version, self.values = raw, version, values
        self.policy, self.index, self.target, self.sid = policy, index, target, raw.get("Sid")
        self.open, self.names, self.applied = False, set(), {}
        known = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
        if raw.get("Effect") not in ("Allow", "Deny"):
            raise Unreadable("effect")
        if ("Action" in raw) == ("NotAction" in raw) or ("Resource" in raw) == ("NotResource" in raw):
            raise Unreadable("a missing or doubled element")
        self.deny = raw["Effect"] == "Deny"
        self.open |= bool(set(raw) - known)
        self.not_action, self.not_resource = "NotAction" in raw, "NotResource" in raw
        self.actions = [a.lower() for a in listed(raw.get("Action", raw.get("NotAction")))]
        self.open |= any(a != "*" and re.search(r"[*?]", a.split(":")[0]) for a in self.actions)
        filling, variables = Filling(values), version == "2012-10-17"
        self.resources = []
        for text in listed(raw.get("Resource", raw.get("NotResource"))):
            if variables and "${" in text:
                # Before the fifth colon `${...}` is no variable.
                early = text.split("${")[0].count(":") < 5
                text, open_, names = filling.of(text)
                self.open |= early or open_
                self.names |= names
                if early or open_ or names:
                    text = None  # whatever it names
                elif text is None:
                    continue  # a variable without value names nothing
            self.resources.append(text)
        self.atoms = []
        for operator, keys in raw.get("Condition", {}).items():
            if len({k.lower() for k in keys}) < len(keys):
                raise Unreadable("one key twice")
            for key, values_ in keys.items():
                atom = Atom(operator, key, [])
                filled, unclear = [], False
                for value in listed(values_):
                    if variables and isinstance(value, str) and "${" in value:
                        value, open_, names = filling.of(value)
                        unclear |= open_ or bool(names) or atom.kind not in ("string", "arn")
                        self.names |= names
                        if value is None:
                            continue  # nothing equals a variable without value
                    filled.append(value)
                atom = Atom(operator, key, filled)
                atom.unknown |= unclear
                self.open |= unclear
                self.atoms.append(atom)
        self.open |= bool(self.names)

    def filled(self, values):
        """The same statement with more variables known."""
        return Statement(self.raw, self.version, {**self.values, **values}, self.policy, self.index, self.target)

    def applies(self, action):
        if action not in self.applied:
            name = action.lower()
            self.applied[action] = any(glob(a, name) for a in self.actions) != self.not_action
        return self.applied[action]

    def on_resource(self, readings, resource):
        parts = []
        for pattern in self.resources:
            if pattern is None:
                parts.append(readings.open)
                continue
            want = pattern.split(":", 5)
            if pattern == "*":
                parts.append(readings.true)
            elif resource == "*":
                parts.append(readings.of(glob(pattern, "*")))
            elif len(want) < 6:
                parts.append(readings.points["short-resource"] if glob(pattern, resource) else readings.false)
            else:
                # The colons of a role's path are the only ones that a wildcard could reach across.
                across = readings.points["across-colons"] if glob(pattern, resource) else readings.false
                parts.append(readings.true if all(map(glob, want, resource.split(":", 5))) else across)
        hit = readings.any(parts)
        return readings.negate(hit) if self.not_resource else hit

    def truth(self, readings, context, resource):
        """For a complete request whose action the statement applies to."""
        parts = [readings.open] if self.open else []
        parts.append(self.on_resource(readings, resource))
        parts += [a.truth(readings, context.get(a.key)) for a in self.atoms]
        return readings.all(parts)


def once(pairs):
    """A JSON object whose names occur once each."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Unreadable("an element twice")
    return made


def read_policy(content, values, policy, target):
    """The statements of one document, or `Unreadable`."""
    if isinstance(content, str):
        try:
            content = json.loads(content, object_pairs_hook=once)
        except ValueError as error:
            raise Unreadable(str(error)) from error
    if not isinstance(content, dict) or set(content) - {"Version", "Id", "Statement"} or "Statement" not in content:
        raise Unreadable("shape")
    version = content.get("Version", "2008-10-17")
    if version not in ("2012-10-17", "2008-10-17"):
        raise Unreadable("version")
    return [Statement(s, version, values, policy, i, target) for i, s in enumerate(listed(content["Statement"]))]


# ---- facts ---------------------------------------------------------------------------------


class Facts:
    """The project's action table."""

    def __init__(self, path):
        path = pathlib.Path(path)
        data = json.loads(path.read_text(encoding="utf-8"))
        regions = json.loads(path.with_name("regions.json").read_text(encoding="utf-8"))
        self.regions = {p["name"]: p["ses"]["regions"] for p in regions["partitions"]}
        self.actions = {a["name"]: a for a in data["actions"]}
        for action, (kind, keys) in TAKING_OVER.items():
            self.actions.setdefault(action, {
                "name": action, "apis": ["iam"], "resourceTypes": [kind], "requiredResourceTypes": [kind], "conditionKeys": keys})
        self.tails = {r["name"]: r for r in data["resourceTypes"]}
        self.tails["session"] = {"name": "session", "service": "sts", "tail": "assumed-role/${RoleNameAndSession}"}
        self.service_keys = {k["name"].lower(): k["type"] for k in data["keys"]}
        pairs = {(a["name"], api) for a in data["actions"] for api in a["apis"]}
        pairs |= {(a, o["api"]) for o in data["operations"] for a in o["actions"]}
        # One v2 bulk request is checked as two actions; it is asked about as ses:SendBulkEmail. SMTP adds nothing to raw v2 mail.
        pairs -= {("ses:SendBulkTemplatedEmail", "v2"), ("ses:SendRawEmail", "smtp")}
        self.calls = sorted(p for p in pairs if p[0].startswith("ses:"))

    def field(self, action, api, name):
        entry = self.actions[action]
        return entry.get("perApi", {}).get(api, {}).get(name, entry[name])

    def required(self, action, api):
        types = self.field(action, api, "requiredResourceTypes")
        if api != "v1" and action in ("ses:SendTemplatedEmail", "ses:SendBulkEmail"):
            types = [t for t in types if t != "template"]  # inline templates use none
        return types

    def lists(self, action, api, key):
        if matches_key(self.field(action, api, "conditionKeys"), key):
            return True
        if api in ("v2", "smtp") and action in ("ses:SendRawEmail", "ses:SendTemplatedEmail"):
            # the operation's row: raw and templated mail is v2 SendEmail too
            return matches_key(self.field("ses:SendEmail", "v2", "conditionKeys"), key)
        return False


def matches_key(patterns, key):
    for pattern in patterns:
        pattern = pattern.lower()
        if key == pattern or ("${" in pattern and key.startswith(pattern.split("${")[0])):
            return True
    return False


class Path:
    """One row of the table of send paths: what requests are asked about."""

    def __init__(self, facts, worst, name, action, api, versions, recipients, resources):
        self.facts, self.worst, self.memo = facts, worst, {}
        self.name, self.action, self.api = name, action, api
        self.service = action.split(":")[0]
        self.versions = versions  # values of ses:ApiVersion, None for absent
        self.recipients = recipients  # no, mail, mail-free, any, any-free, trusted
        self.resources = resources  # alternatives, each a tuple of (type or "*", own|any|other|selected)

    def listed(self, key):
        """Does the action carry the key?"""
        if key not in self.memo:
            self.memo[key] = self.lists(key)
        return self.memo[key]

    def lists(self, key):
        if self.facts.lists(self.action, self.api, key):
            return True
        if key.startswith("aws:resourcetag/"):
            return self.worst and self.api == "v1" and self.action in V1_TAGS_OPEN
        # AWS's sources differ about this one.
        return key == "ses:mailmanageringresspointtype" and "mailmanager-ingress-point" in self.facts.actions[self.action]["resourceTypes"]

    def known(self, key):
        """Is it a key of SES, IAM or STS that the data has?"""
        return matches_key(self.facts.service_keys, key)

    def type_of(self, key):
        return "arn" if self.facts.service_keys.get(key) == "ARN" else "text"


FREE = ("1", "2", None)


def send_rows(worst):
    """(control, path, action, api, versions, recipients yes/free) of the mail rows."""
    free = "free" if worst else "yes"
    raw2 = FREE if worst else ("2",)
    return [
        (1, "v1-bulk", "ses:SendBulkTemplatedEmail", "v1", ("1",), free),
        (2, "v1-send", "ses:SendEmail", "v1", ("1",), "yes"),
        (3, "v1-raw", "ses:SendRawEmail", "v1", ("1",), free),
        (4, "v1-templated", "ses:SendTemplatedEmail", "v1", ("1",), free),
        (6, "v2-simple", "ses:SendEmail", "v2", ("2",), "yes"),
        (6, "v2-raw", "ses:SendRawEmail", "v2", raw2, free),
        (6, "v2-template", "ses:SendTemplatedEmail", "v2", raw2, free),
        (8, "smtp", "ses:SendRawEmail", "smtp", ("2",), "yes"),
        (13, "pinpoint-email-send", "ses:SendEmail", "pinpoint-email", FREE if worst else ("1", "2"), free),
    ]


def paths(facts, control, worst):
    """The paths of a control; every one must be stopped."""

    def alternatives(action, api, first_other=False, identity="any"):
        required = facts.required(action, api)
        types = facts.field(action, api, "resourceTypes")

        def owned(t):
            return (t, identity if t == "identity" else "own")

        sets = [tuple(required)] if required else [(t,) for t in types]
        if not sets:
            return [] if first_other else [(("*", None),)]
        if not first_other:
            return [tuple(map(owned, s)) for s in sets]
        made = []
        for s in sets:
            # AWS's own resources are of no other organization.
            foreign = next((t for t in sorted(s, key=lambda t: t != "identity") if facts.tails[t].get("owner") != "aws"), None)
            if foreign:
                made.append(tuple((t, "other" if t == foreign else "own") for t in s))
        return made

    def plain(name, action, api, version, recipients="no", identity="any"):
        return Path(facts, worst, name, action, api, version, recipients, alternatives(action, api, identity=identity))

    modes = {"yes": "mail", "free": "mail-free"}
    if control in (1, 2, 3, 4, 6, 8, 13):
        return [plain(n, a, api, v, modes[r]) for c, n, a, api, v, r in send_rows(worst) if c == control]
    if control == 15:
        return [plain("feedback", a, api, v, "trusted") for _, _, a, api, v, _ in send_rows(worst)]
    if control == 5:
        return [plain("v1-custom-verification", "ses:SendCustomVerificationEmail", "v1", ("1",), "any-free")]
    if control == 7:
        return [plain("v2-custom-verification", "ses:SendCustomVerificationEmail", "v2", ("2",), "any-free")]
    if control == 9:
        return [plain("v2-bulk", "ses:SendBulkEmail", "v2", ("2",))]
    if control == 10:
        made = [plain("v1-verify", a, "v1", ("1",), identity="own") for a in ("ses:VerifyEmailIdentity", "ses:VerifyEmailAddress")]
        made.append(plain("v2-identity", "ses:CreateEmailIdentity", "v2", ("2",), identity="own"))
        made.append(plain("pinpoint-identity", "ses:CreateEmailIdentity", "pinpoint-email", FREE if worst else ("1", "2"), identity="own"))
        return made
    if control == 11:
        return [plain("v1-bounce", "ses:SendBounce", "v1", ("1",))]
    if control == 12:
        names = "CreateRelay UpdateRelay CreateRuleSet UpdateRuleSet CreateIngressPoint UpdateIngressPoint"
        return [plain("mail-manager", "ses:" + n, "mailmanager", (None,)) for n in names.split()]
    if control == 14:
        made = [plain("sending-authorization", "ses:PutIdentityPolicy", "v1", ("1",), identity="own")]
        for n in ("Create", "Update"):
            made.append(plain("sending-authorization", f"ses:{n}EmailIdentityPolicy", "v2", ("2",), identity="own"))
        return made
    if control == 16:
        names = "iam:TagRole iam:TagUser iam:CreateRole iam:CreateUser sts:TagSession"
        made = [plain("exemption-tag", n, n[:3], (None,)) for n in names.split()]
        made[-1].resources = [((kind, "own"),) for kind in ("role", "user", "session")]
        return made
    if control == 24:
        names = "iam:CreateRole iam:UpdateAssumeRolePolicy iam:CreateUser iam:CreateAccessKey iam:CreateLoginProfile iam:UpdateLoginProfile"
        made = [plain("exempt-principal", n, "iam", (None,)) for n in names.split()]
        for path in made:
            path.resources = [tuple((t, "selected") for t, _ in r) for r in path.resources]
        return made
    rows = {(a, api): r for _, _, a, api, _, r in send_rows(worst)}
    versions = {"v1": ("1",), "v2": ("2",), "pinpoint-email": FREE if worst else ("1", "2"), "mailmanager": (None,)}
    for _, _, action, api, version, _ in send_rows(worst):
        versions[action, api] = version
    made = []
    for action, api in facts.calls:
        recipients = "no"
        if facts.lists(action, api, "ses:recipients"):
            recipients = "any" if rows.get((action, api)) == "yes" else "any-free"
        resources = alternatives(action, api, first_other=control == 17)
        if resources:
            version = versions.get((action, api), versions[api])
            made.append(Path(facts, worst, "foreign-resource" if control == 17 else "network", action, api, version, recipients, resources))
    return made


# ---- the organization ----------------------------------------------------------------------


class Perimeter:
    def __init__(self, text, now):
        data = tomllib.loads(text)
        now = now.date()
        self.trusted = data["trusted"]["recipients"]
        self.networks = data["trusted"].get("networks")
        self.exemptions = [e for e in data.get("exemptions", []) if "expires" not in e or e["expires"] >= now]
        self.administrators = [e for e in data.get("administrators", []) if "expires" not in e or e["expires"] >= now]
        self.allowed = {e["id"] for e in data.get("allowed_targets", [])}
        self.worst = data.get("assumptions", {}).get("undocumented", "documented") == "worst-case"
        self.disabled = set(data.get("controls", {}).get("disabled", []))

    def tags(self):
        return [s["principal_tag"] for s in self.exemptions + self.administrators if "principal_tag" in s]

    def arns(self):
        return [s for s in self.exemptions + self.administrators if "principal_arn" in s]


class Account:
    """One account with the statements of its levels."""

    def __init__(self, organization, raw):
        self.organization, self.id = organization, raw["id"]
        self.state = raw.get("state", raw.get("status"))
        self.path = [raw["parentId"]]
        while self.path[-1] != organization.root:
            self.path.append(organization.parents[self.path[-1]])
        self.path = [*self.path[::-1], self.id]
        self.broken = any(t in organization.gaps for t in self.path)
        self.levels = []
        for target in self.path:
            statements = []
            for policy in organization.attached.get(target, []):
                try:
                    statements += read_policy(organization.policies[policy], self.constants(), policy, target)
                except Unreadable:
                    self.broken = True
            self.levels.append(statements)

    def constants(self):
        """Keys whose value is the same in every request of the account."""
        return {
            "aws:principalaccount": self.id, "aws:principalorgid": self.organization.id,
            "aws:securetransport": "true", "aws:principalisawsservice": "false",
        }

    def org_path(self):
        return "/".join([self.organization.id, *self.path[:-1], ""])


class Organization:
    def __init__(self, snapshot, perimeter, facts, now):
        self.facts = facts
        self.now = int(now.timestamp())
        self.perimeter = Perimeter(perimeter, now)
        self.id = snapshot["organization"]["id"]
        self.partition = snapshot.get("partition", "aws")
        self.management = snapshot["organization"]["managementAccountId"]
        self.root = snapshot["root"]["id"]
        self.enabled = any(
            t["type"] == "SERVICE_CONTROL_POLICY" and t["status"] == "ENABLED" for t in snapshot["root"].get("policyTypes", [])
        )
        self.parents = {u["id"]: u["parentId"] for u in snapshot.get("organizationalUnits", [])}
        self.policies = {p["id"]: p["content"] for p in snapshot.get("policies", []) if p["type"] == "SERVICE_CONTROL_POLICY"}
        self.attached = {}
        for a in snapshot.get("attachments", []):
            if a["policyId"] in self.policies:
                self.attached.setdefault(a["targetId"], []).append(a["policyId"])
        self.gaps = set()
        places = {self.root, *self.parents, *(a["id"] for a in snapshot["accounts"])}
        for gap in snapshot.get("gaps", []):
            touched = {gap.get("targetId")} | {t for t, ids in self.attached.items() if gap.get("policyId") in ids}
            self.gaps |= touched & places or {self.root}  # what names no known place may be anywhere
        self.accounts = {a["id"]: Account(self, a) for a in snapshot["accounts"]}

    def decide(self, account_id, control, worst=None, readings=EACH, keep=None):
        """(status, example request or None). `keep`: only these Denies count, as (policy, index)."""
        account = self.accounts[account_id]
        worst = self.perimeter.worst if worst is None else worst
        if account_id == self.management or account.state in ("SUSPENDED", "CLOSED", "PENDING_ACTIVATION"):
            return "NOT_APPLICABLE", None
        if self.perimeter.allowed & set(account.path):
            return "NOT_APPLICABLE", None
        if not self.facts.regions.get(self.partition):
            return "NOT_APPLICABLE", None  # SES is not there
        if control == 16 and not self.perimeter.tags():
            return "NOT_APPLICABLE", None
        if control == 18 and not self.perimeter.networks:
            return "NOT_APPLICABLE", None
        if control == 24 and not any(selected_arns(self, account, kind, ()) for kind in ("role", "user")):
            return "NOT_APPLICABLE", None
        if account.broken and self.enabled:
            return "UNDECIDED", None
        memo = account.__dict__.setdefault("memo", {}) if keep is None else {}
        worst_status, example, unsupported = "PASSED", None, None
        for path in paths_cached(self.facts, control, worst):
            try:
                status, request = Search(self, account, control, path, readings, keep).run(memo)
            except (Unsupported, TooLarge) as error:
                unsupported = error
                continue
            if status == "FAILED":
                return status, (path, request)
            if status == "UNDECIDED" and worst_status == "PASSED":
                worst_status, example = status, (path, request)
        if unsupported:
            raise unsupported
        return worst_status, example


@cache
def paths_cached(facts, control, worst):
    return paths(facts, control, worst)


def selector_matches(selector, context):
    """Does an exemption or administrator selector match the principal?"""
    if "principal_tag" in selector:
        tag = selector["principal_tag"]
        return context.get("aws:principaltag/" + tag["key"].lower()) == tag["value"]
    want = selector["principal_arn"].split(":", 5)
    have = context["aws:principalarn"].split(":", 5)
    return len(want) == 6 and all(map(glob, want, have))


def unlinked(prefix, name, patterns):
    """ARNs of that form that are no service-linked role's: SCPs bind none of those."""
    linked = prefix + "aws-service-role/"
    return [arn for arn in representatives(((prefix, name),), frozenset({*patterns, ("like", linked + "*")})) if not arn.startswith(linked)]


def selected_arns(organization, account, kind, patterns):
    """ARNs of roles or users of the account that a selector in force names."""
    found = []
    selectors = organization.perimeter.arns()
    wanted = frozenset({("arn", s["principal_arn"]) for s in selectors} | set(patterns))
    prefix = f"arn:{organization.partition}:iam::{account.id}:{kind}/"
    for arn in unlinked(prefix, "path", wanted):
        if any(selector_matches(s, {"aws:principalarn": arn}) for s in selectors):
            found.append(arn)
    return found


def trusts(patterns, address):
    return any(glob(p.lower(), address.lower()) for p in patterns)


def trusted_network(organization, context):
    networks = organization.perimeter.networks
    if context.get("aws:viaawsservice") == "true":
        return True
    address = context.get("aws:sourceip")
    if address is not None:
        found = parse_address(address)
        for cidr in networks.get("cidrs", []):
            network = parse_network(cidr)
            if network.version == found.version and found in network:
                return True
    if context.get("aws:sourcevpc") in networks.get("vpcs", []):
        return True
    return bool(networks.get("vpce_org")) and context.get("aws:vpceorgid") == organization.id


# ---- the search ----------------------------------------------------------------------------


class Certain:
    """Stands beside the levels: says nothing of a request, unless nobody knows whether it can be made."""

    policy, index, target, deny, open, not_resource = None, None, None, False, False, False
    resources, atoms, names = ["*"], (), ()

    def on_resource(self, readings, _):
        return readings.true


class Search:
    """Is there a request on one path that the account's SCPs let through?"""

    def __init__(self, organization, account, control, path, readings, keep=None):
        self.organization, self.account, self.control, self.path = organization, account, control, path
        self.perimeter, self.facts, self.readings = organization.perimeter, organization.facts, readings
        self.forced = {}
        self.denies, self.allows = [], []  # allows: one list per level
        seen = set()
        for statements in account.levels if organization.enabled else []:
            level = []
            for s in statements:
                if not s.applies(path.action):
                    continue
                identity = (s.policy, s.index)
                if not s.deny:
                    level.append(s)
                elif identity not in seen and (keep is None or identity in keep):
                    seen.add(identity)
                    self.denies.append(s)
            self.allows.append(level)
        selectors = list(self.perimeter.exemptions)
        if control in ADMIN_CONTROLS:
            selectors += self.perimeter.administrators
        self.selectors = selectors

    # Layout of a signature: one field per (resource, statement): low bits, then high bits.

    def run(self, memo):
        if any(not level for level in self.allows):
            return "PASSED", None
        if any(s.resources == ["*"] and not s.not_resource and not s.atoms and not s.open for s in self.denies):
            return "PASSED", None
        self.allows.append([Certain()])
        self.statements = self.denies + [s for level in self.allows for s in level]
        keys = sorted({a.key for s in self.statements for a in s.atoms})
        path = self.path
        name = (
            tuple((s.policy, s.index, s.target) for s in self.statements), path.versions, path.recipients, path.worst,
            path.service, path.api == "smtp", tuple(path.resources), tuple((path.listed(k), kind_of(path, k)) for k in keys),
            tuple(map(path.listed, ("ses:recipients", "ses:apiversion", "ses:feedbackaddress", "aws:tagkeys", "aws:requesttag/x"))),
            self.readings.width, self.control in ADMIN_CONTROLS, self.control if self.control in (15, 16, 17, 18, 24) else 0,
        )
        if name not in memo:
            try:
                memo[name] = self.solve(keys)
            except (Unsupported, TooLarge) as error:
                memo[name] = error
        if isinstance(memo[name], Exception):
            raise memo[name]
        return memo[name]

    def solve(self, keys):
        best, request = self.with_every_resource(keys)
        names = set().union(*(s.names for s in self.statements))
        if best != "UNDECIDED" or not names:
            return best, request
        # Variables that the peer does not follow were open so far. One request may yet be found for a guess.
        names = sorted(names)
        if all(":" in n for n in names) and len(names) <= 2:
            statements, maybe = self.statements, None
            for values in itertools.product(*[self.guesses(n) for n in names]):
                self.forced = dict(zip(names, values, strict=True))
                self.statements = [s.filled(self.forced) if s.names else s for s in statements]
                at, levels = len(self.denies), []
                for level in self.allows:
                    levels.append(self.statements[at:at + len(level)])
                    at += len(level)
                old = self.denies, self.allows
                self.denies, self.allows = self.statements[: len(self.denies)], levels
                status, found = self.with_every_resource(sorted({*keys, *names}))
                self.denies, self.allows = old
                if status == "FAILED":
                    self.statements, self.forced = statements, {}
                    return status, found
                if status == "UNDECIDED":
                    maybe = maybe or found
            self.statements, self.forced = statements, {}
            if maybe and all(":" in n and kind_of(self.path, n)[0] in ("open", "absent") for n in names):
                # Without the keys, which is the only sure reading, nothing gets through: that was tried exactly.
                return "UNDECIDED", maybe
        raise Unsupported(f"variable {', '.join(names)}")

    def guesses(self, name):
        """Values of a variable's key that are worth a try; None for an absent key."""
        if name in ("aws:principalarn", "aws:principaltype", "aws:viaawsservice", "aws:currenttime", "aws:epochtime", "aws:sourceip", "aws:vpcsourceip"):
            return []
        organization = self.organization
        if name in ("aws:resourceorgid", "aws:resourceaccount"):
            return [organization.id if name.endswith("id") else self.account.id, None]
        if name == "aws:requestedregion":
            return self.regions(["us-*"], [])
        made = [None]
        if not name.startswith(("aws:principaltag/", "aws:vpceorgid", "aws:sourcevpc")) and kind_of(self.path, name)[0] == "absent":
            return made
        texts = ["e.ex", "ex.io", organization.id, self.account.id]
        for s in self.statements:
            for a in s.atoms:
                texts += [v for v in a.values if a.kind == "string" and re.fullmatch(r"[\w.:/=+@-]+", v)]
        return made + list(dict.fromkeys(texts))[:8]

    def with_every_resource(self, keys):
        best, request = "PASSED", None
        for resources in self.path.resources:
            status, found = self.solve_for(resources, keys)
            if status == "FAILED":
                return status, found
            if status == "UNDECIDED" and best == "PASSED":
                best, request = status, found
        return best, request

    def solve_for(self, resources, keys):
        width, full = self.readings.width, self.readings.full
        count = len(self.statements)
        self.field = (1 << 2 * width) - 1
        self.shift = [2 * width * i for i in range(count)]
        self.block = 2 * width * count
        self.copies = sum(1 << self.block * t for t in range(len(resources)))
        self.ones = (1 << self.block) - 1
        self.doubtful = self.ones & ~(full << self.shift[-1])
        deny_block = (1 << 2 * width * len(self.denies)) - 1
        self.deny_mask = deny_block * self.copies
        self.allow_mask = (self.ones ^ deny_block) * self.copies

        groups = self.groups(resources, keys)
        states = {self.start(): {}}
        pending = [g[0] for g in groups]
        for number, (_, candidates) in enumerate(groups):
            if not candidates:
                return "PASSED", None
            candidates = self.best(candidates)
            merged = {}
            for (a, left), (b, right) in itertools.product(states.items(), candidates.items()):
                merged.setdefault(a & b, {**left, **right})
            later = set().union(*pending[number + 1:])
            final = [i for i, s in enumerate(self.denies) if i not in later]
            alive = {}
            for state, context in merged.items():
                if not any(
                    state >> (self.block * t + self.shift[i]) & full == full for t in range(len(resources)) for i in final
                ):
                    alive[state] = context
            states = self.best(alive)
            if not states:
                return "PASSED", None
        maybe = None
        for state, context in states.items():
            low, high = self.permitted(state, len(resources))
            if low == full:
                return "FAILED", context
            if high and maybe is None:
                maybe = context
        return ("UNDECIDED", maybe) if maybe is not None else ("PASSED", None)

    def start(self):
        state = self.ones
        for i, s in enumerate(self.statements):
            if s.open:
                state &= ~(self.readings.full << self.shift[i])
        return state * self.copies

    def permitted(self, state, count):
        width, full = self.readings.width, self.readings.full
        low_all = high_all = full
        for t in range(count):
            values = []
            for i in range(len(self.statements)):
                field = state >> (self.block * t + self.shift[i])
                values.append((field & full, field >> width & full))
            denied = self.readings.any(values[: len(self.denies)])
            at, levels = len(self.denies), []
            for level in self.allows:
                levels.append(self.readings.any(values[at: at + len(level)]))
                at += len(level)
            low, high = self.readings.all([*levels, self.readings.negate(denied)])
            low_all, high_all = low_all & low, high_all & high
        return low_all, high_all

    def best(self, candidates):
        """Only those that no other one beats (fewer Denies, more Allows): the formula is monotone."""
        deny, allow = self.deny_mask, self.allow_mask
        ordered = sorted(candidates, key=lambda c: ((c & deny).bit_count() - (c & allow).bit_count(), c))
        kept = []
        for c in ordered:
            if not any(k & deny & ~c == 0 and c & allow & ~k == 0 for k in kept):
                kept.append(c)
        return {c: candidates[c] for c in kept}

    # -- groups: (numbers of the Denies concerned, {signature: context})

    def groups(self, resources, keys):
        made, done = [], set()

        def add(group_keys, contexts):
            done.update(group_keys)
            rows = []
            for i, s in enumerate(self.statements):
                atoms = [a for a in s.atoms if a.key in group_keys]
                if atoms:
                    rows.append((i, atoms))
            forced = [(k, v) for k, v in self.forced.items() if k in group_keys]
            signatures = {}
            cache = {}
            for context in contexts:
                if any(context.get(k) != v for k, v in forced):
                    continue
                signature = self.doubtful if context.get(DOUBT) else self.ones
                for i, atoms in rows:
                    parts = []
                    for a in atoms:
                        value = context.get(a.key)
                        name = (id(a), value)
                        if name not in cache:
                            cache[name] = a.truth(self.readings, value)
                        parts.append(cache[name])
                    signature &= self.spread(i, self.readings.all(parts))
                signatures.setdefault(signature * self.copies, context)
            made.append(({i for i, _ in rows if i < len(self.denies)}, signatures))

        # atoms of an operator that nobody knows still belong to their key's group
        principal = {"aws:principalarn", "aws:principaltype"}
        if principal & set(keys) or any("principal_arn" in s for s in self.selectors) or self.path.api == "smtp":
            add(principal, self.principals())
        tags = {k for k in keys if k.startswith("aws:principaltag/")}
        tags |= {"aws:principaltag/" + s["principal_tag"]["key"].lower() for s in self.selectors if "principal_tag" in s}
        for key in sorted(tags):
            tags = [s["principal_tag"] for s in self.selectors if "principal_tag" in s]
            values = [tag["value"] for tag in tags if "aws:principaltag/" + tag["key"].lower() == key]
            texts = self.texts(key, TAG, extra={("equals", v) for v in values})
            add({key}, [{key: v} for v in [None, *texts] if v not in values] + [{key: "", DOUBT: True}])
        if NETWORK & set(keys) or self.control == 18:
            add(NETWORK, self.networks())
        if {"aws:currenttime", "aws:epochtime"} & set(keys):
            add({"aws:currenttime", "aws:epochtime"}, self.times())
        tag_keys = {k for k in keys if k == "aws:tagkeys" or k.startswith("aws:requesttag/")}
        if tag_keys or self.control == 16:
            add(tag_keys, self.request_tags(tag_keys))
        add({"ses:recipients"}, self.recipients())
        versions = self.path.versions if self.path.listed("ses:apiversion") else (None,)
        add({"ses:apiversion"}, [{"ses:apiversion": v} for v in versions])
        if "ses:feedbackaddress" in keys or self.control == 15:
            add({"ses:feedbackaddress"}, self.feedback())
        self.add_resources(made, resources)
        done |= RESOURCE
        constants = {**self.account.constants(), "aws:principalorgpaths": (self.account.org_path(),)}
        for key in keys:
            if key in done:
                continue
            if key in constants:
                add({key}, [{key: constants[key]}])
                continue
            presence, kind = kind_of(self.path, key)
            if presence == "absent":
                contexts = [{key: None}]
            elif presence == "open":
                contexts = [{key: None}] + [{key: v, DOUBT: True} for v in self.anything(key)]
            else:
                contexts = [{key: v} for v in self.values(key, kind)]
                if key != "aws:userid":
                    contexts.append({key: None})
                if key.startswith("aws:resourcetag/"):
                    contexts.append({key: "", DOUBT: True})
            add({key}, contexts)
        return sorted(made, key=lambda g: len(g[1]))

    def spread(self, index, truth):
        value = truth[0] | truth[1] << self.readings.width
        return self.ones & ~(self.field << self.shift[index]) | value << self.shift[index]

    def atoms_of(self, key):
        return [a for s in self.statements for a in s.atoms if a.key == key]

    def kinds_of(self, key):
        return {a.kind for a in self.atoms_of(key) if a.kind not in (None, "null")}

    # -- values of one key

    def texts(self, key, shape, extra=frozenset()):
        patterns = set(extra)
        if isinstance(self.forced.get(key), str):
            patterns.add(("equals", self.forced[key]))
        for a in self.atoms_of(key):
            if a.kind in ("number", "date", "ip"):
                raise Unsupported(f"{a.name} on {key}")
            patterns |= a.patterns()
        return representatives(shape, frozenset(patterns))

    def values(self, key, kind):
        """Every value that matters of a key of that type; sets where it holds several values."""
        others = self.kinds_of(key) & {"number", "date", "ip"}
        if kind == "bool":
            values = ["true", "false"]
        elif kind in ("number", "date", "ip"):
            if self.kinds_of(key) - {kind}:
                raise Unsupported(f"another operator on {key}")
            values = {"number": self.numbers, "date": self.dates, "ip": self.addresses}[kind](key)
        elif len(others) == 1 and self.kinds_of(key) == others:
            values = ["zz", *{"number": self.numbers, "date": self.dates, "ip": self.addresses}[others.pop()](key)]
        else:
            shape = ADDRESS if key == "ses:fromaddress" else ARN if kind == "arn" else ANY
            values = list(self.texts(key, shape))
        return self.sets(key, values) if multivalued(key) else values

    def anything(self, key):
        """Values of a key of which nobody knows the type."""
        kinds, atoms = self.kinds_of(key), self.atoms_of(key)
        others = kinds & {"number", "date", "ip"}
        makers = {"number": self.numbers, "date": self.dates, "ip": self.addresses}
        if len(others) > 1 or (others and kinds - others):
            return [WILD]
        # It may hold what is no number, date or address, too.
        values = [v for k in others for v in ("zz", *makers[k](key))] or list(self.texts(key, ANY))
        several = self.sets(key, values) if any(a.qualifier for a in atoms) else []
        return several if several and all(a.qualifier for a in atoms if a.kind != "null") else [*values, *several]

    def sets(self, key, elements):
        return [members for _, members in self.marked_sets(key, elements, lambda _: False)]

    def marked_sets(self, key, elements, mark):
        """(has it a marked element, members) of sets that grow until none does anything new.

        A set matters only through what some element and what every element does.
        """
        atoms = [a for a in self.atoms_of(key) if a.kind not in (None, "null") and not a.unknown]

        def shape(e):
            low = high = 0
            for n, a in enumerate(atoms):
                truth = a.single(EACH, e)
                low, high = low | bool(truth[0]) << n, high | bool(truth[1]) << n
            return (low, high, low, high, bool(mark(e)))

        single = {}
        for e in elements:
            single.setdefault(shape(e), (e,))
        sets, fresh = dict(single), dict(single)
        while fresh:
            grown = {}
            for (some, maybe, every, perhaps, marked), members in fresh.items():
                for (s, m, e, p, u), (element,) in single.items():
                    name = (some | s, maybe | m, every & e, perhaps & p, marked or u)
                    if name not in sets and name not in grown:
                        grown[name] = (*members, element)
            sets.update(grown)
            if len(sets) > 20_000:
                raise Unsupported(f"sets of {key}")
            fresh = grown
        return [(name[4], members) for name, members in sets.items()]

    def addresses(self, key, cidrs=()):
        if self.kinds_of(key) - {"ip"}:
            raise Unsupported(f"another operator on {key}")
        cidrs = [*cidrs, *(n for a in self.atoms_of(key) if a.kind == "ip" for n in map(parse_network, a.values) if n)]
        found = {"198.51.100.77", "2001:db8:ffff::1", "0.0.0.0", "::"}
        for n in cidrs:
            top = (1 << n.max_prefixlen) - 1
            for number in (int(n[0]), int(n[-1]), int(n[0]) - 1, int(n[-1]) + 1):
                if 0 <= number <= top:
                    found.add(str(ipaddress.IPv4Address(number) if n.version == 4 else ipaddress.IPv6Address(number)))
        return sorted(found)

    def numbers(self, key):
        marks = {m for a in self.atoms_of(key) if a.kind == "number" for m in map(parse_number, a.values) if m is not None} | {500.0}
        return [f"{m + d:.15g}" for m in sorted(marks) for d in (-0.5, 0, 0.5)]

    def dates(self, key):
        marks = {m for a in self.atoms_of(key) if a.kind == "date" for m in map(parse_date, a.values) if m is not None} | {self.organization.now}
        return [str(m + d) for m in sorted(marks) for d in (-1, 0, 1)]

    # -- groups of keys

    def principals(self):
        partition, account = self.organization.partition, self.account.id
        patterns = set()
        for a in self.atoms_of("aws:principalarn"):
            if a.kind in ("number", "date", "ip"):
                raise Unsupported(f"{a.name} on aws:principalarn")
            patterns |= a.patterns()
        for s in self.selectors:
            if "principal_arn" in s:
                patterns.add(("arn", s["principal_arn"]))
        # SMTP credentials are made from a user's long-term key.
        wanted = None if self.path.api != "smtp" else {"User", "Account"} if self.path.worst else {"User"}
        made = []
        for kind, prefix, name in (
            ("Account", f"arn:{partition}:iam::{account}:root", "empty"),
            ("User", f"arn:{partition}:iam::{account}:user/", "path"),
            ("AssumedRole", f"arn:{partition}:iam::{account}:role/", "path"),
            ("FederatedUser", f"arn:{partition}:sts::{account}:federated-user/", "name"),
        ):
            if wanted and kind not in wanted:
                continue
            for arn in unlinked(prefix, name, patterns):
                context = {"aws:principalarn": arn, "aws:principaltype": kind}
                if not any("principal_arn" in s and selector_matches(s, context) for s in self.selectors):
                    made.append(context)
        return made

    def networks(self):
        trusted = self.perimeter.networks if self.control == 18 else {}
        cidrs = [ipaddress.ip_network(c, strict=False) for c in trusted.get("cidrs", [])]
        named = set(self.forced) | {a.key for s in self.statements for a in s.atoms}
        ways = [{"aws:sourceip": a} for a in self.addresses("aws:sourceip", cidrs)]
        parts = [
            ("aws:sourcevpc", self.texts("aws:sourcevpc", ANY, {("equals", v) for v in trusted.get("vpcs", [])})),
            ("aws:sourcevpce", self.texts("aws:sourcevpce", ANY)),
            ("aws:vpcsourceip", self.addresses("aws:vpcsourceip") if "aws:vpcsourceip" in named else ["10.0.0.1"]),
            ("aws:vpceorgid", [None, *self.texts("aws:vpceorgid", ANY, {("equals", self.organization.id)})]),
        ]
        filled = FILLED.get(self.path.service, set())
        for key in sorted(ENDPOINT_OWNER - {"aws:vpceorgid"}):
            if key in named and (key in filled or self.path.worst):
                parts.append((key, [None, *self.values(key, "arn" if key.endswith("arn") else "text")]))
        parts = [(k, self.fewest(k, v) if k not in ("aws:sourcevpc", "aws:vpceorgid") or self.control != 18 else v) for k, v in parts]
        for values in itertools.product(*[v for _, v in parts]):
            ways.append({k: v for (k, _), v in zip(parts, values, strict=True)})
        made = [{**way, "aws:viaawsservice": via} for way in ways for via in ("false", "true")]
        made.append({"aws:viaawsservice": "true"})  # a forwarded call of a principal in a VPC
        if self.path.api == "smtp":
            made = [c for c in made if c["aws:viaawsservice"] == "false"]
        if self.control == 18:
            made = [c for c in made if not trusted_network(self.organization, c)]
        return made

    def fewest(self, key, values):
        """One value for each way that the key's conditions can turn out."""
        atoms, made = self.atoms_of(key), {}
        for v in values:
            made.setdefault((tuple(a.truth(self.readings, v) for a in atoms), v if key in self.forced else None), v)
        return list(made.values())

    def times(self):
        atoms = self.atoms_of("aws:currenttime") + self.atoms_of("aws:epochtime")
        if any(a.kind not in ("date", "null", None) and (a.kind, a.key) != ("number", "aws:epochtime") for a in atoms):
            raise Unsupported("time under another operator")
        marks = {m for a in atoms if a.kind == "date" for m in map(parse_date, a.values) if m is not None}
        marks |= {int(m) for a in atoms if a.kind == "number" for m in map(parse_number, a.values) if m is not None}
        now = self.organization.now  # nobody sends in the past
        moments = {m + d for m in marks for d in (-1, 0, 1) if m + d >= now} | {now, now + 1, 4_000_000_000}
        return [{"aws:currenttime": str(m), "aws:epochtime": str(m)} for m in sorted(moments)]

    def request_tags(self, keys):
        listed_tags, listed_keys = self.path.listed("aws:requesttag/x"), self.path.listed("aws:tagkeys")
        if not listed_keys and not listed_tags:
            return [{}]
        # One text per achievable combination over the tag keys, plus every key that a condition or selector names.
        if self.kinds_of("aws:tagkeys") & {"number", "date", "ip"}:
            raise Unsupported("another operator on aws:tagkeys")
        patterns = {p for a in self.atoms_of("aws:tagkeys") for p in a.patterns()}
        selectors = self.perimeter.tags() if self.control == 16 else []
        named = {k[len("aws:requesttag/"):] for k in keys if k.startswith("aws:requesttag/")}
        wanted = {(t["key"].lower(), t["value"]) for t in selectors}
        names = {n: [] for n in named | {k for k, _ in wanted}}
        shape = TAG if self.path.service in ("iam", "sts") else ANY
        anything = representatives(shape, frozenset(patterns | {("iequals", n) for n in names}))
        others = []
        for text in anything:
            names.get(text.lower(), others).append(text)
        choices = []
        for name, spellings in names.items():
            spellings = sorted({*spellings, *(t["key"] for t in selectors if t["key"].lower() == name)})
            values = self.texts("aws:requesttag/" + name, shape, {("equals", v) for k, v in wanted if k == name})
            choices.append([None] + [(s, v) for s in spellings for v in [*values, ""]])
        made, seen = [], set()
        # Beside the named ones up to two more keys suffice: each condition needs at most one element of a kind.
        extras = [()] + [(o,) for o in others] + list(itertools.combinations(others, 2))
        for chosen in itertools.product(*choices):
            present = [c for c in chosen if c]
            if self.control == 16 and not any((s.lower(), v) in wanted for s, v in present):
                continue
            for extra in extras:
                context = {"aws:tagkeys": tuple(sorted([s for s, _ in present] + list(extra))) or None}
                for s, v in present:
                    if listed_tags:
                        context["aws:requesttag/" + s.lower()] = v
                    if v == "":
                        context[DOUBT] = True
                if not listed_keys:
                    context["aws:tagkeys"] = None
                name = tuple(sorted(context.items(), key=str))
                if name not in seen:
                    seen.add(name)
                    made.append(context)
        return made

    def recipients(self):
        mode = self.path.recipients
        if mode == "no" or not self.path.listed("ses:recipients"):
            return [{}]
        trusted = self.perimeter.trusted
        shape = QUOTED if self.path.worst else ADDRESS
        elements = self.texts("ses:recipients", shape, {("ilike", p) for p in trusted})
        if mode == "trusted":
            elements = [e for e in elements if trusts(trusted, e)]
        mail = mode.startswith("mail")
        made = self.marked_sets("ses:recipients", elements, lambda e: mail and not trusts(trusted, e))
        made = [{"ses:recipients": members} for untrusted, members in made if untrusted or not mail]
        if mode.endswith("-free"):
            made.append({})
        return made

    def feedback(self):
        if not self.path.listed("ses:feedbackaddress"):
            return [] if self.control == 15 else [{}]
        if self.control != 15:
            return [{"ses:feedbackaddress": v} for v in [None, *self.texts("ses:feedbackaddress", ADDRESS)]]
        trusted = self.perimeter.trusted
        texts = self.texts("ses:feedbackaddress", ADDRESS, {("ilike", p) for p in trusted})
        return [{"ses:feedbackaddress": t} for t in texts if not trusts(trusted, t)]

    def regions(self, patterns, atoms):
        """Regions that show every way the given patterns and conditions can turn out."""
        partition, path = self.organization.partition, self.path
        if path.service == "iam":
            return [IAM_REGION.get(partition, "us-east-1")]
        forced = self.forced.get("aws:requestedregion")
        if path.service == "sts" or (path.worst and path.api != "smtp"):
            wanted = {p for a in atoms for p in a.patterns()} | {("like", p) for p in patterns}
            found = representatives(REGIONS.get(partition, REGIONS["aws"]), frozenset(wanted | ({("equals", forced)} if forced else set())))
            return list(found) if atoms or patterns or forced else ["us-east-1" if partition == "aws" else found[0]]
        made = {}
        for region in self.facts.regions[partition]:
            if path.api == "smtp" and region in NO_SMTP:
                continue
            name = (tuple(glob(p, region) for p in patterns), tuple(a.truth(EACH, region) for a in atoms), region == forced)
            made.setdefault(name, region)
        return list(made.values())

    def add_resources(self, made, resources):
        """Region, the judged resources and what is said of their owner."""
        organization = self.organization
        atoms = {i: [a for a in s.atoms if a.key in RESOURCE] for i, s in enumerate(self.statements)}
        named = {a.key for rows in atoms.values() for a in rows} | set(self.forced) & RESOURCE
        for key in ("aws:requestedregion", "aws:resourceaccount"):
            if self.kinds_of(key) & {"number", "date", "ip"}:
                raise Unsupported(f"another operator on {key}")
        patterns = {p for s in self.statements for p in s.resources if p not in (None, "*")}
        regional = sorted({p.split(":")[3] for p in patterns if p.count(":") >= 3})
        regions = self.regions(regional, self.atoms_of("aws:requestedregion"))
        accounts = {self.account.id, organization.management, *re.findall(r"(?<!\d)\d{12}(?!\d)", " ".join(patterns))}
        for a in self.atoms_of("aws:resourceaccount"):
            accounts |= {v for v in a.values if re.fullmatch(r"\d{12}", v)}
        if "aws:resourceorgpaths" in named:
            accounts |= set(organization.accounts)
        taken = accounts | set(organization.accounts)
        accounts.add(next(f"{n:012d}" for n in range(987654321012, 0, -1) if f"{n:012d}" not in taken))
        owners = {a: self.owners(a, named) for a in [*accounts, "aws", None]}
        signatures = {}
        presences = (False, True) if "aws:resourceaccount" in named else (True,)
        if self.control == 17:
            presences = (True,)
        for region, present in itertools.product(regions, presences):
            if self.forced.get("aws:requestedregion", region) != region:
                continue
            per_type = []
            for t, (kind, owner) in enumerate(resources):
                found = {}
                for arn, account in self.arns(kind, owner, region, accounts, patterns):
                    on = [s.on_resource(self.readings, arn) for s in self.statements]
                    for owned in owners[account]:
                        context = {"aws:requestedregion": region, "aws:resourceaccount": account if present and account else None, **owned}
                        if any(context.get(k) != v for k, v in self.forced.items() if k in RESOURCE):
                            continue
                        signature = self.ones
                        for i in range(len(self.statements)):
                            parts = [on[i]]
                            for a in atoms[i]:
                                if account is None and present and a.key == "aws:resourceaccount":
                                    # Judged against `*`: nobody says which account the key then carries.
                                    each = [a.truth(self.readings, v) for v in sorted(accounts)]
                                    parts.append((self.readings.all(each)[0], self.readings.any(each)[1]))
                                else:
                                    parts.append(a.truth(self.readings, context.get(a.key)))
                            signature &= self.spread(i, self.readings.all(parts))
                        # all ones for the other resources
                        whole = (self.ones * self.copies) & ~(self.ones << self.block * t) | signature << self.block * t
                        found.setdefault(whole, {f"resource {t}": arn, **context})
                per_type.append(self.best(found))
            for combination in itertools.product(*[f.items() for f in per_type]):
                whole, context = self.ones * self.copies, {}
                for signature, part in reversed(combination):
                    whole &= signature
                    context = {**context, **part}
                signatures.setdefault(whole, context)
        made.append((set(range(len(self.denies))), signatures))

    def owners(self, account, named):
        """What a request says of the organization of the resource's account."""
        organization = self.organization
        ids, paths_ = [None], [None]
        if account is None:
            account = self.account.id  # `*`: the request is about the own account
        if account in organization.accounts:
            if "aws:resourceorgid" in named:
                ids.append(organization.id)
            if "aws:resourceorgpaths" in named:
                paths_.append((organization.accounts[account].org_path(),))
        else:
            if "aws:resourceorgid" in named:
                # Whoever is of the organization is in the snapshot.
                others = self.texts("aws:resourceorgid", ORGANIZATION, {("equals", organization.id)})
                ids += [i for i in others if i != organization.id]
            if "aws:resourceorgpaths" in named:
                extra = {("like", organization.id + "/*")}
                elements = self.texts("aws:resourceorgpaths", ANY, extra)
                elements = [e for e in elements if not e.startswith(organization.id + "/")]
                paths_ += self.sets("aws:resourceorgpaths", elements)
        return [{"aws:resourceorgid": i, "aws:resourceorgpaths": p} for i in ids for p in paths_]

    def arns(self, kind, owner, region, accounts, patterns):
        """(ARN, account part) candidates of one resource type."""
        if kind == "*":
            return [("*", None)]
        entry = self.facts.tails[kind]
        own, partition = self.account.id, self.organization.partition
        # Part by part, and as one text: nobody says whether a wildcard reaches across the colons that a path may hold.
        sorts = {("like", p) for p in patterns} | {("arn", p) for p in patterns if p.count(":") >= 5}
        if owner == "selected":
            return [(arn, own) for arn in selected_arns(self.organization, self.account, kind, sorts)]
        outside = [a for a in sorted(accounts) if a not in self.organization.accounts]
        chosen = [own] if owner == "own" else sorted(accounts) if owner == "any" else outside
        if entry.get("owner") == "aws":
            chosen = ["aws"]
        service = entry["service"]
        fixed = entry["tail"].split("${")[0]
        if kind == "identity":
            shape = ((fixed, "address"), (fixed, "domain"))
        elif service in ("iam", "sts"):
            heads = [(f"arn:{partition}:{service}::{a}:{fixed}", a) for a in chosen]
            return [(arn, a) for head, a in heads for arn in representatives(((head, "path"),), frozenset(sorts))]
        else:
            shape = ((fixed, "part"),)
        tails = representatives(shape, frozenset(("like", p.split(":", 5)[5]) for p in patterns if p.count(":") >= 5))
        return [(f"arn:{partition}:{service}:{region}:{a}:{t}", a) for a in chosen for t in tails]


def permits(account, action, context, resource, readings=EACH):
    """Plain evaluation of one complete request: (under every reading, under some reading)."""
    denied, levels = [], []
    for statements in account.levels:
        allowed = []
        for s in statements:
            if s.applies(action):
                if s.names:
                    s = s.filled({n: context.get(n) for n in s.names})
                truth = s.truth(readings, context, resource)
                (denied if s.deny else allowed).append(truth)
        levels.append(readings.any(allowed))
    low, high = readings.all([*levels, readings.negate(readings.any(denied))])
    return low == readings.full, high != 0
