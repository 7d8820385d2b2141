"""Snapshots for the tests of reports: one with names that mean something to HTML, and a large one."""

import json

HOSTILE = [
    "</script><script>window.broken = 1</script>",
    "<img src=x onerror='window.broken = 1'>",
    "\"'><svg onload=window.broken=1>",
    "--><!-- a\u2028b",
    "😀 & <b>bold</b> `ticked`",
]
PERIMETER = '[trusted]\nrecipients = ["*@example.com"]\n'


def hostile() -> dict:
    """Five accounts under a policy that is read, each with a name that tries to be markup."""
    accounts = [account(f"{222222222222 + index}", name, "ou-exam-workload") for index, name in enumerate(HOSTILE)]
    units = [{"id": "ou-exam-workload", "name": HOSTILE[0], "parentId": "r-exam"}]
    policy = scp("p-hostile001", HOSTILE[1], deny("ses:ApiVersion", "1", HOSTILE[2]))
    return organization(units, accounts, [policy], [("p-hostile001", "ou-exam-workload")])


def large(count: int) -> dict:
    """So many accounts in 200 units, under ten policies that each leave another tag out."""
    units, attached = [], []
    for index in range(200):
        parent = "r-exam" if index < 10 else f"ou-exam-{index % 10:08}"
        units.append({"id": f"ou-exam-{index:08}", "name": f"Business unit {index}", "parentId": parent})
        if index < 10:
            attached.append((f"p-hole{index:04}", f"ou-exam-{index:08}"))
    accounts = [
        account(f"{200000000000 + index * 7919}", f"workload-{index}", f"ou-exam-{index % 200:08}")
        for index in range(count)
    ]
    policies = [scp(f"p-hole{index:04}", f"mail-{index}", deny(f"aws:PrincipalTag/team-{index}", "mail", "Staff")) for index in range(10)]
    return organization(units, accounts, policies, attached)


def account(number: str, name: str, parent: str) -> dict:
    return {"id": number, "name": name, "state": "ACTIVE", "parentId": parent}


def deny(key: str, value: str, sid: str) -> dict:
    condition = {"StringNotEqualsIfExists": {key: value}}
    return {"Sid": sid, "Effect": "Deny", "Action": "ses:*", "Resource": "*", "Condition": condition}


def scp(number: str, name: str, statement: dict) -> dict:
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return {"id": number, "name": name, "type": "SERVICE_CONTROL_POLICY", "awsManaged": False, "content": content}


def organization(units: list, accounts: list, policies: list, attached: list) -> dict:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    targets = ["r-exam", *(unit["id"] for unit in units), *(account["id"] for account in accounts)]
    return {
        "schemaVersion": 1,
        "partition": "aws",
        "organization": {"id": "o-exampleorgid", "managementAccountId": "111111111111", "featureSet": "ALL"},
        "root": {"id": "r-exam", "name": "Root", "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
        "organizationalUnits": units,
        "accounts": accounts,
        "policies": [scp("p-FullAWSAccess", "FullAWSAccess", everything), *policies],
        "attachments": [
            *({"policyId": "p-FullAWSAccess", "targetId": target} for target in targets),
            *({"policyId": policy, "targetId": target} for policy, target in attached),
        ],
    }
