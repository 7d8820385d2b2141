"""The control cases of `tests/cases/control` as snapshots. Their form is told in `tests/cases/README.md`."""

import datetime
import json

ACCOUNT, OTHER, ORGANIZATION, ROOT = "111111111111", "999900009999", "o-caseorg0001", "r-case"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def whole(file):
    """The case with what it takes from its base."""
    case = json.loads(file.read_text(encoding="utf-8"))
    if "base" not in case:
        return case
    base, changes = json.loads((file.parent / case.pop("base")).read_text(encoding="utf-8")), case.pop("statements")
    if "base" in base or not changes or {"perimeter", "levels"} & case.keys():
        raise ValueError(f"{file.name}: a base has none itself, and gives perimeter and levels, which are changed")
    for sid, instead in changes.items():
        lists = [document["Statement"] for level in base["levels"] for document in level if isinstance(document, dict)]
        found = [(each, statement) for each in lists for statement in each if statement.get("Sid") == sid]
        if len(found) != 1:
            raise ValueError(f"{file.name}: {len(found)} statements {sid} in the base")
        (each, old), = found
        if instead == [{}] or any(old.get(field) == value for fields in instead for field, value in fields.items()):
            raise ValueError(f"{file.name}: {sid} stays as it is")
        at = each.index(old)
        each[at:at + 1] = [old | fields for fields in instead]
    return {**case, "perimeter": base["perimeter"], "levels": base["levels"]}


def read(file, controls):
    """(snapshot, perimeter, moment, expected status by control)."""
    case = whole(file)
    units = [f"ou-case-unit{n + 1:04d}" for n in range(len(case["levels"]) - 2)]
    path = [ROOT, *units, ACCOUNT]
    policies, attachments = [], []
    for target, documents in zip(path, case["levels"], strict=True):
        for document in documents:
            name = f"p-{len(policies):08d}"
            content = ALLOW if document == "FullAWSAccess" else document
            policies.append({
                "id": name, "name": f"n{len(policies)}", "type": "SERVICE_CONTROL_POLICY", "awsManaged": False,
                "content": content if isinstance(content, str) else json.dumps(content)})
            attachments.append({"policyId": name, "targetId": target})
    enabled = case.get("scpEnabled", True)
    snapshot = {
        "schemaVersion": 1, "fetchedAt": "2026-11-23T00:00:00Z", "partition": case.get("partition", "aws"),
        "organization": {"id": ORGANIZATION, "managementAccountId": ACCOUNT if case.get("management") else OTHER, "featureSet": "ALL"},
        "root": {"id": ROOT, "name": "Root", "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}] if enabled else []},
        "organizationalUnits": [
            {"id": unit, "name": unit, "parentId": parent} for unit, parent in zip(units, path[:len(units)], strict=True)],
        "accounts": [{"id": ACCOUNT, "name": "case", "email": "case@example.com", "state": case.get("state", "ACTIVE"), "parentId": path[-2]}],
        "policies": policies, "attachments": attachments, "gaps": case.get("gaps", []),
    }
    for member, parent in case.get("members", {}).items():
        if parent not in [u["id"] for u in snapshot["organizationalUnits"]] + [ROOT]:
            snapshot["organizationalUnits"].append({"id": parent, "name": parent, "parentId": ROOT})
            attachments.append({"policyId": "p-FullAWSAccess", "targetId": parent})
        snapshot["accounts"].append({"id": member, "name": member, "email": f"{member}@example.com", "state": "ACTIVE", "parentId": parent})
        attachments.append({"policyId": "p-FullAWSAccess", "targetId": member})
    if case.get("members"):
        policies.append({"id": "p-FullAWSAccess", "name": "allow", "type": "SERVICE_CONTROL_POLICY", "awsManaged": False, "content": json.dumps(ALLOW)})
    if not case.get("management"):
        snapshot["accounts"].append({"id": OTHER, "name": "management", "email": "m@example.com", "state": "ACTIVE", "parentId": ROOT})
    moment = datetime.datetime.fromisoformat(case.get("now", "2026-11-23T00:00:00Z").replace("Z", "+00:00"))
    expect = {}
    if "*" in case["expect"]:
        expect = dict.fromkeys(controls, case["expect"]["*"])
    expect.update({int(c.split(".")[1]): s for c, s in case["expect"].items() if c != "*" and int(c.split(".")[1]) in controls})
    return snapshot, case["perimeter"], moment, expect
