#!/usr/bin/env python3
"""Compares the program with the peer on generated organizations, cell by cell."""

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

import generate
import witness as witnesses
from language import TooLarge
from peer import EACH, WHOLE, Facts, Organization, Unsupported

NOW = datetime.date(2026, 11, 23)
DATA = pathlib.Path(__file__).resolve().parents[2] / "shared/ses-perimeter/data/ses-actions.json"
EXIT = {"FAILED": 1, "UNDECIDED": 3}


class Program:
    def __init__(self, command, folder):
        self.command, self.folder, self.runs = command, pathlib.Path(folder), 0

    def check(self, snapshot, perimeter):
        """Rows by (account, control), and what was wrong with the run itself."""
        self.runs += 1
        where, toml = self.folder / "snapshot.json", self.folder / "perimeter.toml"
        where.write_text(json.dumps(snapshot), encoding="utf-8")
        toml.write_text(perimeter, encoding="utf-8")
        command = [self.command, "check", "--snapshot", where, "--perimeter", toml, "--format", "json", "--now", f"{NOW}T00:00:00Z"]
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
    status, example = organization.decide(account, control)
    got = row["status"]
    if got != status:
        # An open point may be read once per occurrence or once for the whole organization.
        if organization.decide(account, control, readings=WHOLE)[0] == got:
            return None, status, "reading"
        return f"program {got}, peer {status}", (status, example), ""
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
    other = None
    if got in ("PASSED", "FAILED", "UNDECIDED"):
        other = organization.decide(account, control, worst=not organization.perimeter.worst)[0]
        said = any("undocumented" in text or "setting" in text or "worst-case" in text or "documented" in text for text in row["assumptions"])
        if said != (other != got):
            if organization.decide(account, control, worst=not organization.perimeter.worst, readings=WHOLE)[0] == other:
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


def minimize(program, facts, snapshot, perimeter, account, control, kind, budget=150):
    """A small input with the same kind of mismatch."""
    def fails(s, p):
        rows, _ = program.check(s, p)
        row = rows.get((account, control))
        found = row and judge(Organization(s, p, facts, NOW), account, control, row)[0]
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
                except (RuntimeError, KeyError, Unsupported):
                    pass
                if budget <= 0:
                    break
    except (RuntimeError, Unsupported):
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
    if isinstance(peer, tuple) and peer[1]:
        path, request = peer[1]
        return f"{peer[0]}, {path.name} {path.action} versions {path.versions} recipients {path.recipients}: {request}"
    return json.dumps(peer, default=str)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program", default=os.environ.get("SES_PERIMETER", "target/debug/ses-perimeter"))
    options.add_argument("--stacks", type=int, default=600)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--batch", type=int, default=15, help="accounts in one organization")
    options.add_argument("--show", type=int, default=8, help="mismatches to minimize and print")
    options.add_argument("--plain", action="store_true", help="no open points, gaps or unreadable policies")
    args = options.parse_args()
    facts = Facts(DATA)
    passed = failed = 0
    counts, kinds, by_control, pending = collections.Counter(), collections.Counter(), collections.Counter(), []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(str(pathlib.Path(args.program).resolve()), folder)
        for n in range(0, args.stacks, args.batch):
            size = min(args.batch, args.stacks - n)
            snapshot, perimeter = generate.generate(f"{args.seed}/{n}", size, odd=not args.plain)
            organization = Organization(snapshot, perimeter, facts, NOW)
            rows, faults = program.check(snapshot, perimeter)
            for fault in faults:
                failed += 1
                print(f"batch {n}: {fault}")
            disabled = {int(c.split(".")[1]) for c in organization.perimeter.disabled}
            expected = {(a, c) for a in organization.accounts for c in range(1, 19) if c not in disabled}
            for missing in sorted(expected ^ set(rows)):
                failed += 1
                print(f"batch {n}: cell {missing} is in one result only")
            for account, control in sorted(expected & set(rows)):
                try:
                    kind, peer, note = judge(organization, account, control, rows[account, control])
                except (Unsupported, TooLarge) as error:
                    counts["not compared"] += 1
                    kinds[f"not compared: {error}"] += 1
                    continue
                counts[rows[account, control]["status"]] += 1
                by_control[control, rows[account, control]["status"]] += 1
                if note:
                    counts["read as one choice"] += 1
                if kind is None:
                    passed += 1
                else:
                    failed += 1
                    label = f"SESDP.{control} {kind.split(';')[0]}"[:110]
                    kinds[label] += 1
                    if kinds[label] == 1 and len(pending) < args.show:
                        pending.append((snapshot, perimeter, account, control, kind))
        print(f"{args.stacks} stacks, {dict(counts)}, {time.monotonic() - began:.0f} s")
        print("passed/failed/undecided:", ", ".join(
            f"{c}: {'/'.join(str(by_control[c, s]) for s in ('PASSED', 'FAILED', 'UNDECIDED'))}" for c in range(1, 19)))
        for label, count in kinds.most_common(40):
            print(f"{count:6} {label}")
        for snapshot, perimeter, account, control, kind in pending:
            small = minimize(program, facts, snapshot, perimeter, account, control, kind)
            row = program.check(*small)[0].get((account, control))
            again = judge(Organization(*small, facts, NOW), account, control, row)
            show(*small, account, control, again[0] or kind, again[1])
            print("program:", json.dumps({k: row[k] for k in ("status", "witness", "decidedBy", "obstacles", "assumptions") if row.get(k)}))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed or counts["not compared"] > passed // 100 else 0


if __name__ == "__main__":
    sys.exit(main())
