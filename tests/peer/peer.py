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
from functools import lru_cache

from language import ADDRESS, ANY, ORGANIZATION, representatives

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

MULTIVALUED = {
    "ses:recipients", "aws:tagkeys", "aws:principalorgpaths", "aws:calledvia", "aws:resourceorgpaths",
    "aws:sourceorgpaths", "aws:vpceorgpaths", "aws:principalservicenameslist", "ses:replicaregion",
    "ses:configurationsetoptions", "sts:transitivetagkeys",
}
NEVER = {
    "aws:vpceaccount", "aws:vpceorgpaths", "aws:sourcevpcarn", "aws:sourcearn", "aws:sourceaccount",
    "aws:sourceorgid", "aws:sourceorgpaths", "aws:principalservicename", "aws:principalservicenameslist",
}
NETWORK = {"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:vpceorgid"}
FREE_GLOBAL = {
    "aws:multifactorauthage", "aws:resourceorgid", "aws:username", "aws:useragent", "aws:referer",
    "aws:sourceidentity", "aws:federatedprovider", "aws:multifactorauthpresent", "aws:calledviafirst",
    "aws:calledvialast", "aws:assumedroot",
}
OPEN_POINTS = ("bare", "any-if-exists", "short-arn", "short-resource")
ADMIN_CONTROLS = {5, 7, 10, 11, 12, 14, 16}


class Unsupported(Exception):
    """The peer has no complete candidates for this input."""


# ---- readings ------------------------------------------------------------------------------


class Readings:
    """How open points count. Truth is (low, high), each a mask with a bit per reading.

    `each`: every occurrence is open by itself, one bit. `whole`: a reading is one
    choice for each open point, the same everywhere, so 16 bits.
    """

    def __init__(self, whole=False):
        self.width = 1 << len(OPEN_POINTS) if whole else 1
        self.full = (1 << self.width) - 1
        self.false, self.true, self.open = (0, 0), (self.full, self.full), (0, self.full)
        self.points = {}
        for n, point in enumerate(OPEN_POINTS):
            bits = sum(1 << i for i in range(self.width) if i >> n & 1)
            self.points[point] = (bits, bits) if whole else self.open

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
        return int(datetime.datetime(*parts, tzinfo=datetime.timezone.utc).timestamp())
    except ValueError:
        return None


def parse_network(text):
    try:
        return ipaddress.ip_network(text, strict=False)
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
        return readings.of(wanted.lower() == got.lower())
    if kind == "ip":
        network = parse_network(wanted)
        if network is None:
            return readings.open
        address = ipaddress.ip_address(got)
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
        many = self.key in MULTIVALUED
        if many and self.qualifier is None:
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


class Statement:
    """One statement as it counts for one account (variables filled in)."""

    def __init__(self, raw, version, fill, policy, index, target):
        self.policy, self.index, self.target, self.sid = policy, index, target, raw.get("Sid")
        self.open = False
        known = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
        if raw.get("Effect") not in ("Allow", "Deny"):
            raise Unreadable("effect")
        self.deny = raw["Effect"] == "Deny"
        self.open |= bool(set(raw) - known)
        self.not_action, self.not_resource = "NotAction" in raw, "NotResource" in raw
        self.actions = [a.lower() for a in listed(raw.get("Action", raw.get("NotAction")))]
        self.open |= any(a != "*" and re.search(r"[*?]", a.split(":")[0]) for a in self.actions)
        self.resources = []
        for text in listed(raw.get("Resource", raw.get("NotResource"))):
            if version == "2012-10-17" and "${" in text:
                # Before the fifth colon `${...}` is no variable: the pattern stays open.
                early = text.split("${")[0].count(":") < 5
                text, bad = fill(text)
                self.open |= early or bad
                text = None if early or bad else text
            self.resources.append(text)
        self.atoms = []
        for operator, keys in raw.get("Condition", {}).items():
            for key, values in keys.items():
                filled, unclear = [], False
                for value in listed(values):
                    if version == "2012-10-17" and isinstance(value, str) and "${" in value:
                        value, bad = fill(value)
                        unclear |= bad
                    filled.append(value)
                atom = Atom(operator, key, filled)
                atom.unknown |= unclear
                self.open |= unclear
                self.atoms.append(atom)

    def applies(self, action):
        action = action.lower()
        hit = any(glob(a, action) for a in self.actions)
        return hit != self.not_action

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
                parts.append(readings.of(all(map(glob, want, resource.split(":", 5)))))
        hit = readings.any(parts)
        return readings.negate(hit) if self.not_resource else hit

    def truth(self, readings, context, resource):
        """For a complete request whose action the statement applies to."""
        parts = [readings.open] if self.open else []
        parts.append(self.on_resource(readings, resource))
        parts += [a.truth(readings, context.get(a.key)) for a in self.atoms]
        return readings.all(parts)


def read_policy(content, fill, policy, target):
    """The statements of one document, or `Unreadable`."""
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except ValueError as error:
            raise Unreadable(str(error)) from error
    if not isinstance(content, dict) or set(content) - {"Version", "Id", "Statement"} or "Statement" not in content:
        raise Unreadable("shape")
    version = content.get("Version", "2008-10-17")
    if version not in ("2012-10-17", "2008-10-17"):
        raise Unreadable("version")
    return [Statement(s, version, fill, policy, i, target) for i, s in enumerate(listed(content["Statement"]))]


# ---- facts ---------------------------------------------------------------------------------


class Facts:
    """The project's action table."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        with open(pathlib.Path(path).with_name("regions.json"), encoding="utf-8") as file:
            self.regions = {p["name"]: p["ses"]["regions"] for p in json.load(file)["partitions"]}
        self.actions = {a["name"]: a for a in data["actions"]}
        self.tails = {r["name"]: r for r in data["resourceTypes"]}
        self.tails["session"] = {"name": "session", "service": "sts", "tail": "assumed-role/${RoleNameAndSession}"}
        self.service_keys = {k["name"].lower() for k in data["keys"]}
        self.reviewed = [(o["api"], o["operation"], o["actions"]) for o in data["operations"] if o.get("reviewed")]

    def field(self, action, api, name):
        entry = self.actions[action]
        return entry.get("perApi", {}).get(api, {}).get(name, entry[name])

    def lists(self, action, api, key):
        for pattern in self.field(action, api, "conditionKeys"):
            pattern = pattern.lower()
            if key == pattern or ("${" in pattern and key.startswith(pattern.split("${")[0])):
                return True
        return False


class Path:
    """One row of the table of send paths: what requests are asked about."""

    def __init__(self, name, action, api, versions, recipients, resources):
        self.name, self.action, self.api = name, action, api
        self.versions = versions  # values of ses:ApiVersion, None for absent
        self.recipients = recipients  # no, mail, mail-free, any, any-free, trusted
        self.resources = resources  # alternatives, each a tuple of (type or "*", own|any|other)


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
    ]


def paths(facts, control, worst):
    """The paths of a control; every one must be stopped."""

    def alternatives(action, api, first_other=False, identity="any"):
        required = facts.field(action, api, "requiredResourceTypes")
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
            foreign = "identity" if "identity" in s else s[0]
            made.append(tuple((t, "other" if t == foreign else "own") for t in s))
        return made

    def plain(name, action, api, version, recipients="no", identity="any"):
        return Path(name, action, api, version, recipients, alternatives(action, api, identity=identity))

    modes = {"yes": "mail", "free": "mail-free"}
    if control in (1, 2, 3, 4, 6, 8):
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
        return made + [plain("v2-identity", "ses:CreateEmailIdentity", "v2", ("2",), identity="own")]
    if control == 11:
        return [plain("v1-bounce", "ses:SendBounce", "v1", ("1",))]
    if control == 12:
        names = "CreateRelay UpdateRelay CreateRuleSet UpdateRuleSet CreateIngressPoint UpdateIngressPoint"
        return [plain("mail-manager", "ses:" + n, "mailmanager", (None,)) for n in names.split()]
    if control == 13:
        return [plain("pinpoint-email-send", "ses:SendEmail", "pinpoint-email", FREE if worst else ("1", "2"), "mail-free" if worst else "mail")]
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
    rows = {(a, api): r for _, _, a, api, _, r in send_rows(worst)}
    made = []
    for api, operation, actions in facts.reviewed:
        if (api, operation) == ("v2", "SendBulkEmail"):
            actions = ["ses:SendBulkEmail"]
        for action in actions:
            version = ("1",) if api == "v1" else ("2",)
            recipients = "no"
            if facts.lists(action, api, "ses:recipients"):
                recipients = "any" if rows.get((action, api)) == "yes" else "any-free"
            resources = alternatives(action, api, first_other=control == 17)
            if resources:
                made.append(Path("foreign-resource" if control == 17 else "network", action, api, version, recipients, resources))
    return made


# ---- the organization ----------------------------------------------------------------------


class Perimeter:
    def __init__(self, text, now):
        data = tomllib.loads(text)
        self.trusted = data["trusted"]["recipients"]
        self.networks = data["trusted"].get("networks")
        self.exemptions = [e for e in data.get("exemptions", []) if "expires" not in e or e["expires"] >= now]
        self.administrators = [e for e in data.get("administrators", []) if "expires" not in e or e["expires"] >= now]
        self.allowed = {e["id"] for e in data.get("allowed_targets", [])}
        self.worst = data.get("assumptions", {}).get("undocumented", "documented") == "worst-case"
        self.disabled = set(data.get("controls", {}).get("disabled", []))

    def tags(self):
        return [s["principal_tag"] for s in self.exemptions + self.administrators if "principal_tag" in s]


class Account:
    """One account with the statements of its levels."""

    def __init__(self, organization, raw):
        self.organization, self.id = organization, raw["id"]
        self.state = raw.get("state", raw.get("status"))
        self.path = [raw["parentId"]]
        while self.path[-1] != organization.root:
            self.path.append(organization.parents[self.path[-1]])
        self.path = self.path[::-1] + [self.id]
        self.broken = any(t in organization.gaps for t in self.path)
        self.levels = []
        for target in self.path:
            statements = []
            for policy in organization.attached.get(target, []):
                try:
                    statements += read_policy(organization.policies[policy], self.fill, policy, target)
                except Unreadable:
                    self.broken = True
            self.levels.append(statements)

    def fill(self, text):
        """`text` with the variables in it, and whether something stays unclear."""
        known = {"aws:principalaccount": self.id, "aws:principalorgid": self.organization.id}
        bad = False

        def put(found):
            nonlocal bad
            name = found.group(1).lower()
            if name not in known:
                bad = True
                return found.group(0)
            return known[name]

        return re.sub(r"\$\{([^}]*)\}", put, text), bad


class Organization:
    def __init__(self, snapshot, perimeter, facts, now):
        self.facts = facts
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
        self.gaps = {g["targetId"] for g in snapshot.get("gaps", [])}
        self.accounts = {a["id"]: Account(self, a) for a in snapshot["accounts"]}

    def decide(self, account_id, control, worst=None, readings=EACH, keep=None):
        """(status, example request or None). `keep`: only these Denies count, as (policy, index)."""
        account = self.accounts[account_id]
        worst = self.perimeter.worst if worst is None else worst
        if account_id == self.management or account.state in ("SUSPENDED", "CLOSED", "PENDING_ACTIVATION"):
            return "NOT_APPLICABLE", None
        if self.perimeter.allowed & set(account.path):
            return "NOT_APPLICABLE", None
        if control == 16 and not self.perimeter.tags():
            return "NOT_APPLICABLE", None
        if control == 18 and not self.perimeter.networks:
            return "NOT_APPLICABLE", None
        if not self.enabled:
            return "FAILED", None
        if account.broken:
            return "UNDECIDED", None
        memo = account.__dict__.setdefault("memo", {}) if keep is None else {}
        worst_status, example = "PASSED", None
        for path in paths_cached(self.facts, control, worst):
            status, request = Search(self, account, control, path, readings, keep).run(memo)
            if status == "FAILED":
                return status, (path, request)
            if status == "UNDECIDED" and worst_status == "PASSED":
                worst_status, example = status, (path, request)
        return worst_status, example


@lru_cache(maxsize=None)
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


def trusts(patterns, address):
    return any(glob(p.lower(), address.lower()) for p in patterns)


def trusted_network(organization, context):
    networks = organization.perimeter.networks
    if context.get("aws:viaawsservice") == "true":
        return True
    address = context.get("aws:sourceip")
    if address is not None:
        found = ipaddress.ip_address(address)
        for cidr in networks.get("cidrs", []):
            network = ipaddress.ip_network(cidr, strict=False)
            if network.version == found.version and found in network:
                return True
    if context.get("aws:sourcevpc") in networks.get("vpcs", []):
        return True
    return bool(networks.get("vpce_org")) and context.get("aws:vpceorgid") == organization.id


# ---- the search ----------------------------------------------------------------------------


class Search:
    """Is there a request on one path that the account's SCPs let through?"""

    def __init__(self, organization, account, control, path, readings, keep=None):
        self.organization, self.account, self.control, self.path = organization, account, control, path
        self.perimeter, self.facts, self.readings = organization.perimeter, organization.facts, readings
        self.denies, self.allows = [], []  # allows: one list per level
        seen = set()
        for statements in account.levels:
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
        self.statements = self.denies + [s for level in self.allows for s in level]
        keys = sorted({a.key for s in self.statements for a in s.atoms})
        listed_keys = tuple(k for k in keys if self.facts.lists(self.path.action, self.path.api, k))
        name = (
            tuple((s.policy, s.index, s.target) for s in self.statements), self.path.versions, self.path.recipients,
            tuple(self.path.resources), listed_keys, self.readings.width, self.control in ADMIN_CONTROLS,
            self.control if self.control in (15, 16, 17, 18) else 0,
            self.path.action if self.control == 16 else self.path.action[:3],
        )
        if name not in memo:
            memo[name] = self.solve(keys)
        return memo[name]

    def solve(self, keys):
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
            low, high = self.readings.all(levels + [self.readings.negate(denied)])
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
            signatures = {}
            cache = {}
            for context in contexts:
                signature = self.ones
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
        if principal & set(keys) or any("principal_arn" in s for s in self.selectors):
            add(principal, self.principals(keys))
        tags = {k for k in keys if k.startswith("aws:principaltag/")}
        tags |= {"aws:principaltag/" + s["principal_tag"]["key"].lower() for s in self.selectors if "principal_tag" in s}
        for key in sorted(tags):
            values = [s["principal_tag"]["value"] for s in self.selectors if "principal_tag" in s and "aws:principaltag/" + s["principal_tag"]["key"].lower() == key]
            texts = self.texts(key, ANY, extra={("equals", v) for v in values})
            add({key}, [{key: v} for v in [None, *texts] if v not in values])
        if NETWORK & set(keys) or self.control == 18:
            add(NETWORK, self.networks())
        add({"aws:viaawsservice"}, [{"aws:viaawsservice": v} for v in ("false", "true") if self.control != 18 or v == "false"])
        if {"aws:currenttime", "aws:epochtime"} & set(keys):
            add({"aws:currenttime", "aws:epochtime"}, self.times())
        tag_keys = {k for k in keys if k == "aws:tagkeys" or k.startswith("aws:requesttag/")}
        if tag_keys or self.control == 16:
            add(tag_keys, self.request_tags(tag_keys))
        add({"ses:recipients"}, self.recipients())
        versions = self.path.versions if self.facts.lists(self.path.action, self.path.api, "ses:apiversion") else (None,)
        add({"ses:apiversion"}, [{"ses:apiversion": v} for v in versions])
        if "ses:feedbackaddress" in keys or self.control == 15:
            add({"ses:feedbackaddress"}, self.feedback())
        self.add_resources(made, resources)
        done |= {"aws:requestedregion", "aws:resourceaccount"}
        organization = self.organization.id
        constants = {
            "aws:principalaccount": self.account.id, "aws:principalorgid": organization,
            "aws:securetransport": "true", "aws:principalisawsservice": "false",
            "aws:principalorgpaths": ("/".join([organization, *self.account.path[:-1], ""]),),
        }
        for key in keys:
            if key in done:
                continue
            if key in constants:
                values = [constants[key]]
            elif key in NEVER:
                values = [None]
            elif key == "aws:userid":
                values = self.texts(key, ANY)
            elif key == "aws:multifactorauthage":
                values = [None, *self.numbers(key)]
            elif key == "aws:resourceorgid":
                shape = ORGANIZATION if self.control == 17 else ANY
                values = [None, *self.texts(key, shape, extra={("equals", organization)})]
                if self.control == 17:
                    values = [v for v in values if v != organization]
            elif key in ("aws:multifactorauthpresent", "aws:assumedroot"):
                values = [None, "true", "false"]
            elif key in FREE_GLOBAL:
                values = [None, *self.texts(key, ANY)]
            elif key.startswith("aws:resourcetag/") or key in self.facts.service_keys:
                values = [None]
                if self.facts.lists(self.path.action, self.path.api, key):
                    if key in MULTIVALUED:
                        raise Unsupported(key)
                    values += self.texts(key, ANY)
            elif key.startswith("aws:"):
                raise Unsupported(key)
            else:
                values = [None]  # a key nobody knows
            add({key}, [{key: v} for v in values])
        return sorted(made, key=lambda g: len(g[1]))

    def spread(self, index, truth):
        value = truth[0] | truth[1] << self.readings.width
        return self.ones & ~(self.field << self.shift[index]) | value << self.shift[index]

    def atoms_of(self, key):
        return [a for s in self.statements for a in s.atoms if a.key == key]

    def texts(self, key, shape, extra=frozenset()):
        patterns = set(extra)
        for a in self.atoms_of(key):
            if not a.unknown and a.kind in ("number", "date", "ip"):
                raise Unsupported(f"{a.name} on {key}")
            patterns |= a.patterns()
        return representatives(shape, frozenset(patterns))

    def principals(self, keys):
        partition, account = self.organization.partition, self.account.id
        patterns = set()
        for a in self.atoms_of("aws:principalarn"):
            patterns |= a.patterns()
        for s in self.selectors:
            if "principal_arn" in s:
                patterns.add(("arn", s["principal_arn"]))
        made = []
        for kind, prefix, name in (
            ("Account", f"arn:{partition}:iam::{account}:root", "empty"),
            ("User", f"arn:{partition}:iam::{account}:user/", "path"),
            ("AssumedRole", f"arn:{partition}:iam::{account}:role/", "path"),
            ("FederatedUser", f"arn:{partition}:sts::{account}:federated-user/", "name"),
        ):
            for arn in representatives(((prefix, name),), frozenset(patterns)):
                context = {"aws:principalarn": arn, "aws:principaltype": kind}
                if not any("principal_arn" in s and selector_matches(s, context) for s in self.selectors):
                    made.append(context)
        return made

    def networks(self):
        cidrs = [n for a in self.atoms_of("aws:sourceip") if a.kind == "ip" for n in map(parse_network, a.values) if n]
        trusted = self.perimeter.networks if self.control == 18 else {}
        cidrs += [ipaddress.ip_network(c, strict=False) for c in trusted.get("cidrs", [])]
        if any(a.kind not in ("ip", "null", None) for k in ("aws:sourceip",) for a in self.atoms_of(k)):
            raise Unsupported("text operator on aws:SourceIp")
        if self.atoms_of("aws:vpcsourceip"):
            raise Unsupported("aws:VpcSourceIp")
        addresses = {"198.51.100.77", "2001:db8:ffff::1", "0.0.0.0", "::"}
        for n in cidrs:
            top = (1 << n.max_prefixlen) - 1
            for number in (int(n[0]), int(n[-1]), int(n[0]) - 1, int(n[-1]) + 1):
                if 0 <= number <= top:
                    addresses.add(str(ipaddress.IPv4Address(number) if n.version == 4 else ipaddress.IPv6Address(number)))
        made = [{"aws:sourceip": a} for a in sorted(addresses)]
        vpcs = self.texts("aws:sourcevpc", ANY, {("equals", v) for v in trusted.get("vpcs", [])})
        endpoints = self.texts("aws:sourcevpce", ANY)
        orgs = self.texts("aws:vpceorgid", ANY, {("equals", self.organization.id)})
        for vpc, endpoint, org in itertools.product(vpcs, endpoints, orgs):
            made.append({"aws:sourcevpc": vpc, "aws:sourcevpce": endpoint, "aws:vpceorgid": org, "aws:vpcsourceip": "10.0.0.1"})
        if self.control == 18:
            made = [c for c in made if not trusted_network(self.organization, c)]
        return made

    def times(self):
        atoms = self.atoms_of("aws:currenttime") + self.atoms_of("aws:epochtime")
        if any(a.kind not in ("date", "null", None) for a in atoms):
            raise Unsupported("time under another operator")
        marks = {m + d for a in atoms if a.kind == "date" for m in map(parse_date, a.values) if m is not None for d in (-1, 0, 1)}
        return [{"aws:currenttime": str(m), "aws:epochtime": str(m)} for m in sorted(marks | {1_900_000_000})]

    def numbers(self, key):
        atoms = self.atoms_of(key)
        if any(a.kind not in ("number", "null", None) for a in atoms):
            raise Unsupported(f"{key} under another operator")
        marks = {m for a in atoms if a.kind == "number" for m in map(parse_number, a.values) if m is not None} | {500.0}
        return [f"{m + d:g}" for m in sorted(marks) for d in (-0.5, 0, 0.5)]

    def request_tags(self, keys):
        action, api = self.path.action, self.path.api
        listed_tags = self.facts.lists(action, api, "aws:requesttag/x")
        listed_keys = self.facts.lists(action, api, "aws:tagkeys")
        if not listed_keys and not listed_tags:
            return [{}]
        # One text per achievable combination over the tag keys, plus every key that a condition or selector names.
        patterns = {p for a in self.atoms_of("aws:tagkeys") for p in a.patterns()}
        selectors = self.perimeter.tags() if self.control == 16 else []
        named = {k[len("aws:requesttag/"):] for k in keys if k.startswith("aws:requesttag/")}
        wanted = {(t["key"].lower(), t["value"]) for t in selectors}
        names = {n: [] for n in named | {k for k, _ in wanted}}
        anything = representatives(ANY, frozenset(patterns | {("iequals", n) for n in names}))
        others = []
        for text in anything:
            (names[text.lower()] if text.lower() in names else others).append(text)
        choices = []
        for name, spellings in names.items():
            spellings = sorted({*spellings, *(t["key"] for t in selectors if t["key"].lower() == name)})
            values = self.texts("aws:requesttag/" + name, ANY, {("equals", v) for k, v in wanted if k == name})
            choices.append([None] + [(s, v) for s in spellings for v in values])
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
                if not listed_keys:
                    context["aws:tagkeys"] = None
                name = tuple(sorted(context.items(), key=str))
                if name not in seen:
                    seen.add(name)
                    made.append(context)
        return made

    def recipients(self):
        mode = self.path.recipients
        if mode == "no" or not self.facts.lists(self.path.action, self.path.api, "ses:recipients"):
            return [{}]
        trusted = self.perimeter.trusted
        elements = self.texts("ses:recipients", ADDRESS, {("ilike", p) for p in trusted})
        if mode == "trusted":
            elements = [e for e in elements if trusts(trusted, e)]
        atoms = [a for a in self.atoms_of("ses:recipients") if a.kind not in (None, "null")]
        if any(a.kind not in ("string", "arn") for a in atoms):
            raise Unsupported("ses:Recipients under another operator")
        # A set matters only through what some element and what every element does: grow until nothing new.
        def shape(e):
            bits = sum(1 << n for n, a in enumerate(atoms) if a.single(EACH, e) == EACH.true)
            return (bits, bits, mode.startswith("mail") and not trusts(trusted, e))

        single = {}
        for e in elements:
            single.setdefault(shape(e), (e,))
        sets, fresh = dict(single), dict(single)
        while fresh:
            grown = {}
            for (some, every, untrusted), members in fresh.items():
                for (s, e, u), element in single.items():
                    name = (some | s, every & e, untrusted or u)
                    if name not in sets and name not in grown:
                        grown[name] = members + element
            sets.update(grown)
            fresh = grown
        made = [{"ses:recipients": m} for (_, _, untrusted), m in sets.items() if untrusted or not mode.startswith("mail")]
        if mode.endswith("-free"):
            made.append({})
        return made

    def feedback(self):
        if not self.facts.lists(self.path.action, self.path.api, "ses:feedbackaddress"):
            return [] if self.control == 15 else [{}]
        if self.control != 15:
            return [{"ses:feedbackaddress": v} for v in [None, *self.texts("ses:feedbackaddress", ANY)]]
        trusted = self.perimeter.trusted
        texts = self.texts("ses:feedbackaddress", ADDRESS, {("ilike", p) for p in trusted})
        return [{"ses:feedbackaddress": t} for t in texts if not trusts(trusted, t)]

    def add_resources(self, made, resources):
        """Region, the judged resources and aws:ResourceAccount."""
        organization = self.organization
        atoms = {i: [a for a in s.atoms if a.key in ("aws:requestedregion", "aws:resourceaccount")] for i, s in enumerate(self.statements)}
        by_account = any(a.key == "aws:resourceaccount" for rows in atoms.values() for a in rows)
        region_atoms = self.atoms_of("aws:requestedregion")
        patterns = {p for s in self.statements for p in s.resources if p not in (None, "*")}
        regional = {p.split(":")[3] for p in patterns if p.count(":") >= 3} | {v for a in region_atoms for v in a.values}
        regions = {}
        for region in organization.facts.regions[organization.partition]:
            regions.setdefault(tuple(glob(p, region) for p in sorted(regional)), region)
        accounts = {self.account.id, organization.management, *re.findall(r"(?<!\d)\d{12}(?!\d)", " ".join(patterns))}
        for a in self.atoms_of("aws:resourceaccount"):
            accounts |= {v for v in a.values if re.fullmatch(r"\d{12}", v)}
        accounts.add(next(f"{n:012d}" for n in range(987654321012, 0, -1) if f"{n:012d}" not in accounts))
        signatures = {}
        presences = (False, True) if by_account else (True,)
        if self.control == 17:
            presences = (True,)
        for region, present in itertools.product(regions.values(), presences):
            per_type = []
            for t, (kind, owner) in enumerate(resources):
                found = {}
                for arn, account in self.arns(kind, owner, region, accounts, patterns):
                    signature = self.ones
                    context = {"aws:requestedregion": region, "aws:resourceaccount": account if present and account else None}
                    for i, s in enumerate(self.statements):
                        parts = [s.on_resource(self.readings, arn)]
                        for a in atoms[i]:
                            if account is None and present and a.key == "aws:resourceaccount":
                                # Judged against `*`: nobody says which account the key then carries.
                                each = [a.truth(self.readings, v) for v in sorted(accounts)]
                                parts.append((self.readings.all(each)[0], self.readings.any(each)[1]))
                            else:
                                parts.append(a.truth(self.readings, context[a.key]))
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
        touched = {i for i, s in enumerate(self.denies)}
        made.append((touched, signatures))

    def arns(self, kind, owner, region, accounts, patterns):
        """(ARN, account part) candidates of one resource type."""
        if kind == "*":
            return [("*", None)]
        entry = self.facts.tails[kind]
        own = self.account.id
        chosen = [own] if owner == "own" else sorted(a for a in accounts if owner == "any" or a != own)
        if entry.get("owner") == "aws":
            chosen = ["aws"]
        service = entry["service"]
        fixed = entry["tail"].split("${")[0]
        if kind == "identity":
            shape = ((fixed, "address"), (fixed, "domain"))
        elif service in ("iam", "sts"):
            shape = ((fixed, "path"),)
            region = ""
        else:
            shape = ((fixed, "part"),)
        tails = representatives(shape, frozenset(("like", p.split(":", 5)[5]) for p in patterns if p.count(":") >= 5))
        partition = self.organization.partition
        return [(f"arn:{partition}:{service}:{region}:{a}:{t}", a) for a in chosen for t in tails]


def permits(organization, account, action, context, resource, readings=EACH):
    """Plain evaluation of one complete request: (under every reading, under some reading)."""
    denied, levels = [], []
    for statements in account.levels:
        allowed = []
        for s in statements:
            if s.applies(action):
                truth = s.truth(readings, context, resource)
                (denied if s.deny else allowed).append(truth)
        levels.append(readings.any(allowed))
    low, high = readings.all(levels + [readings.negate(readings.any(denied))])
    return low == readings.full, high != 0
