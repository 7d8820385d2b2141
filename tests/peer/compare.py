#!/usr/bin/env python3
"""Compares the program with the peer on generated organizations and written cases, cell by cell."""

import argparse
import collections
import copy
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import cases
import generate
import witness as witnesses
from language import TooLarge
from peer import CONTROLS, WHOLE, Facts, Organization, Unsupported

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
DATA = pathlib.Path(__file__).resolve().parents[2] / "shared/ses-perimeter/data/ses-actions.json"


class Program:
    def __init__(self, command, folder):
        self.command, self.folder, self.runs = command, pathlib.Path(folder), 0

    def check(self, snapshot, perimeter, now=NOW):
        """Rows by (account, control), and what was wrong with the run itself."""
        self.runs += 1
        where, toml = self.folder / "snapshot.json", self.folder / "perimeter.toml"
        where.write_text(json.dumps(snapshot), encoding="utf-8")
        toml.write_text(perimeter, encoding="utf-8")
        command = [self.command, "check", "--snapshot", where, "--perimeter", toml, "--format", "json", "--now", f"{now:%Y-%m-%dT%H:%M:%SZ}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[:2000]}")
        rows = json.loads(done.stdout)["results"]
        statuses = {r["status"] for r in rows}
        expected = 1 if "FAILED" in statuses else 3 if "UNDECIDED" in statuses else 0
        faults = [] if done.returncode == expected else [f"exit {done.returncode} instead of {expected}"]
        return {(r["accountId"], int(r["controlId"].split(".")[1])): r for r in rows}, faults


def judge(organization, account, control, row):
    """(what is wrong with one cell or None, what the peer says, how far it went)."""
    got = row["status"]
    try:
        status, example = organization.decide(account, control)
    except (Unsupported, TooLarge):
        if got == "FAILED":
            bad = witnesses.problems(organization, account, control, row.get("witness"))
            if bad:
                return "witness: " + "; ".join(bad), row["witness"], ""
        raise
    if status == "FAILED":
        # The peer has to keep its own rules first.
        bad = witnesses.problems(organization, account, control, witnesses.complete(organization, account, *example))
        if bad:
            return "the peer's own request: " + "; ".join(bad), (organization, account, status, example), ""
    if got != status:
        # An open point may be read once per occurrence or once for the whole organization.
        if organization.decide(account, control, readings=WHOLE)[0] == got:
            return None, status, "reading"
        return f"program {got}, peer {status}", (organization, account, status, example), ""
    if got == "FAILED":
        if "witness" not in row:
            return "FAILED without witness", None, ""
        bad = witnesses.problems(organization, account, control, row["witness"])
        if bad:
            return "witness: " + "; ".join(bad), row["witness"], ""
    if got == "PASSED":
        bad = proof_problems(organization, account, control, row)
        if bad:
            return "decidedBy: " + bad, row["decidedBy"], ""
    if got in ("PASSED", "FAILED", "UNDECIDED"):
        try:
            other = organization.decide(account, control, worst=not organization.perimeter.worst)[0]
        except (Unsupported, TooLarge):
            return None, None, ""
        said = any("undocumented" in text or "setting" in text or "worst-case" in text or "documented" in text for text in row["assumptions"])
        if said != (other != got) and organization.decide(
            account, control, worst=not organization.perimeter.worst, readings=WHOLE)[0] == other:
            return f"assumptions: {row['assumptions']}, yet the other setting gives {other} after {got}", None, ""
    return None, None, ""


def proof_problems(organization, account_id, control, row):
    account = organization.accounts[account_id]
    keep = set()
    if not row["decidedBy"]:
        # Only an empty class of requests is stopped by nothing.
        return "empty" if organization.decide(account_id, control, keep=set())[0] != "PASSED" else None
    for entry in row["decidedBy"]:
        if entry["targetId"] not in account.path:
            return f"target {entry['targetId']} is not on the path"
        if entry.get("reason") == "IMPLICIT_DENY":
            continue
        level = account.levels[account.path.index(entry["targetId"])]
        if not any(s.policy == entry["policyId"] and s.index == entry["statementIndex"] and s.sid == entry.get("sid") for s in level):
            return f"no such statement: {entry}"
        keep.add((entry["policyId"], entry["statementIndex"]))
    again = organization.decide(account_id, control, keep=keep)[0]
    if again != "PASSED" and organization.decide(account_id, control, keep=keep, readings=WHOLE)[0] != "PASSED":
        return f"with only these Denies the peer says {again}"
    return None


# ---- smaller inputs ------------------------------------------------------------------------


def only(snapshot, account):
    """The snapshot with nothing but the account's path."""
    made = copy.deepcopy(snapshot)
    raw = next(a for a in made["accounts"] if a["id"] == account)
    keep, target = {account, made["root"]["id"]}, raw["parentId"]
    parents = {u["id"]: u["parentId"] for u in made["organizationalUnits"]}
    while target in parents:
        keep.add(target)
        target = parents[target]
    made["organizationalUnits"] = [u for u in made["organizationalUnits"] if u["id"] in keep]
    made["accounts"] = [a for a in made["accounts"] if a["id"] in (account, made["organization"]["managementAccountId"])]
    made["attachments"] = [a for a in made["attachments"] if a["targetId"] in keep]
    made["gaps"] = [g for g in made["gaps"] if g["targetId"] in keep]
    used = {a["policyId"] for a in made["attachments"]}
    made["policies"] = [p for p in made["policies"] if p["id"] in used]
    for p in made["policies"]:
        try:
            p["content"] = json.loads(p["content"]) if isinstance(p["content"], str) else p["content"]
            if isinstance(p["content"].get("Statement"), dict):
                p["content"]["Statement"] = [p["content"]["Statement"]]
        except ValueError:
            pass
    return made


def steps(snapshot, perimeter):
    """Every input that is one piece smaller."""
    for n in range(len(snapshot["policies"])):
        made = copy.deepcopy(snapshot)
        gone = made["policies"].pop(n)["id"]
        made["attachments"] = [a for a in made["attachments"] if a["policyId"] != gone]
        yield made, perimeter
    blocks = ("\n" + perimeter).split("\n[")
    for n in range(2, len(blocks)):
        yield snapshot, "\n[".join(blocks[:n] + blocks[n + 1:]).lstrip("\n")
    for p, policy in enumerate(snapshot["policies"]):
        content = policy["content"]
        if not isinstance(content, dict):
            continue
        for s, statement in enumerate(content.get("Statement", [])):
            def change(edit):
                made = copy.deepcopy(snapshot)
                edit(made["policies"][p]["content"]["Statement"])
                return made, perimeter
            if len(content["Statement"]) > 1:
                yield change(lambda l: l.pop(s))
            for name in ("Action", "NotAction", "Resource", "NotResource"):
                if isinstance(statement.get(name), list) and len(statement[name]) > 1:
                    for v in range(len(statement[name])):
                        yield change(lambda l: l[s][name].pop(v))
            for operator, keys in statement.get("Condition", {}).items():
                yield change(lambda l: l[s]["Condition"].pop(operator))
                for key, values in keys.items():
                    if len(keys) > 1:
                        yield change(lambda l: l[s]["Condition"][operator].pop(key))
                    if isinstance(values, list) and len(values) > 1:
                        for v in range(len(values)):
                            yield change(lambda l: l[s]["Condition"][operator][key].pop(v))


def minimize(program, facts, snapshot, perimeter, now, account, control, kind, budget=150):
    """A small input with the same kind of mismatch."""
    def fails(s, p):
        rows, _ = program.check(s, p, now)
        row = rows.get((account, control))
        found = row and judge(Organization(s, p, facts, now), account, control, row)[0]
        return bool(found) and found.split(":")[0] == kind.split(":")[0]

    best = (only(snapshot, account), perimeter)
    try:
        if not fails(*best):
            return snapshot, perimeter
        smaller = True
        while smaller and budget > 0:
            smaller = False
            for candidate in steps(*best):
                budget -= 1
                try:
                    if fails(*candidate):
                        best, smaller = candidate, True
                        break
                except (RuntimeError, KeyError, Unsupported, TooLarge):
                    pass
                if budget <= 0:
                    break
    except (RuntimeError, Unsupported, TooLarge):
        pass
    return best


def show(snapshot, perimeter, account, control, kind, peer):
    print(f"--- SESDP.{control} account {account}: {kind}")
    print("peer:", peer_text(peer))
    print(perimeter.strip())
    where = {}
    for a in snapshot["attachments"]:
        where.setdefault(a["policyId"], []).append(a["targetId"])
    for p in snapshot["policies"]:
        print(p["id"], "at", ", ".join(where[p["id"]]), json.dumps(p["content"]))


def peer_text(peer):
    if not isinstance(peer, tuple):
        return json.dumps(peer)
    organization, account, status, example = peer
    return f"{status} {json.dumps(witnesses.complete(organization, account, *example))}" if example else status


class Tally:
    """Counts of what was compared, and the mismatches that wait to be shown."""

    def __init__(self, show):
        self.passed = self.failed = 0
        self.counts, self.kinds, self.by_control = collections.Counter(), collections.Counter(), collections.Counter()
        self.pending, self.show = [], show

    def fault(self, text):
        self.failed += 1
        self.kinds[text] += 1

    def organization(self, program, facts, snapshot, perimeter, now, controls, expect=None):
        """Every cell of one organization. `expect`: statuses by control that somebody wrote down, for its only asked account."""
        organization = Organization(snapshot, perimeter, facts, now)
        rows, faults = program.check(snapshot, perimeter, now)
        for fault in faults:
            self.fault(fault)
        disabled = {int(c.split(".")[1]) for c in organization.perimeter.disabled}
        expected = {(a, c) for a in organization.accounts for c in controls if c not in disabled}
        for _, control in sorted(expected ^ {k for k in rows if k[1] in controls}):
            self.fault(f"SESDP.{control} is in one result only")
        for account, control in sorted(expected & set(rows)):
            row = rows[account, control]
            try:
                kind, _, note = judge(organization, account, control, row)
            except (Unsupported, TooLarge) as error:
                self.counts["not compared"] += 1
                self.kinds[f"not compared: {error}"] += 1
                continue
            self.counts[row["status"]] += 1
            self.by_control[control, row["status"]] += 1
            self.counts["read as one choice"] += bool(note)
            if kind is None:
                self.passed += 1
                continue
            self.failed += 1
            label = f"SESDP.{control} {kind.split(';')[0]}"[:110]
            self.kinds[label] += 1
            if self.kinds[label] == 1 and len(self.pending) < self.show:
                self.pending.append((snapshot, perimeter, now, account, control, kind))
        if expect:
            for control, status in expect.items():
                try:
                    found = organization.decide(cases.ACCOUNT, control)[0]
                    if found != status:
                        found = organization.decide(cases.ACCOUNT, control, readings=WHOLE)[0]
                except (Unsupported, TooLarge):
                    continue
                if found != status:
                    self.fault(f"SESDP.{control} is {status} in the case, {found} here")
                else:
                    self.passed += 1


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program", default=os.environ.get("SES_PERIMETER", "target/debug/ses-perimeter"))
    options.add_argument("--stacks", type=int, default=600)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--batch", type=int, default=15, help="accounts in one organization")
    options.add_argument("--show", type=int, default=8, help="mismatches to minimize and print")
    options.add_argument("--plain", action="store_true", help="no open points, gaps or unreadable policies")
    options.add_argument("--cases", type=pathlib.Path, metavar="FOLDER", help="the cases of this folder (tests/cases/control) as well")
    options.add_argument("--control", type=int, action="append", choices=CONTROLS, help="only these controls")
    args = options.parse_args()
    facts, tally, began = Facts(DATA), Tally(args.show), time.monotonic()
    controls = args.control or CONTROLS
    with tempfile.TemporaryDirectory() as folder:
        program = Program(str(pathlib.Path(args.program).resolve()), folder)
        for n in range(0, args.stacks, args.batch):
            size = min(args.batch, args.stacks - n)
            snapshot, perimeter = generate.generate(f"{args.seed}/{n}", size, odd=not args.plain)
            tally.organization(program, facts, snapshot, perimeter, NOW, controls)
        written = sorted(args.cases.glob("*.json")) if args.cases else []
        if args.cases and not written:
            tally.fault(f"no case in {args.cases}")
        for file in written:
            snapshot, perimeter, now, expect = cases.read(file, controls)
            before = tally.failed
            tally.organization(program, facts, snapshot, perimeter, now, controls, expect)
            if tally.failed > before:
                print(f"{file.name}: {tally.failed - before} mismatches")
        print(f"{args.stacks} stacks, {len(written)} cases, {dict(tally.counts)}, {time.monotonic() - began:.0f} s")
        print("passed/failed/undecided:", ", ".join(
            f"{c}: {'/'.join(str(tally.by_control[c, s]) for s in ('PASSED', 'FAILED', 'UNDECIDED'))}" for c in controls))
        for label, count in tally.kinds.most_common(60):
            print(f"{count:6} {label}")
        for snapshot, perimeter, now, account, control, kind in tally.pending:
            small = minimize(program, facts, snapshot, perimeter, now, account, control, kind)
            row = program.check(*small, now)[0].get((account, control))
            again = judge(Organization(*small, facts, now), account, control, row)
            show(*small, account, control, again[0] or kind, again[1])
            print("program:", json.dumps({k: row[k] for k in ("status", "witness", "decidedBy", "obstacles", "assumptions") if row.get(k)}))
    share = tally.counts["not compared"] / max(1, tally.passed + tally.failed + tally.counts["not compared"])
    print(f"{100 * share:.1f} % of the cells not decided by the peer")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed or share > 0.03 else 0


if __name__ == "__main__":
    sys.exit(main())
