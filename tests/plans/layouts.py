#!/usr/bin/env python3
"""Layouts of organizations policies as public modules have them, planned and applied with Terraform.

Each folder of `layouts` is a configuration, written after what commonly used modules do. It is
planned and applied against an emulator of AWS Organizations, and `run.json` beside it keeps the
plan, the snapshot before and the snapshot after; `shared/changes/tests/layouts.rs` reads them.

    layouts.py --plugins DIR [NAME...]

It needs moto with its server and Terraform; nothing is read from AWS.
"""

import argparse
import json
import logging
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request

import boto3
from generate import PROVIDER
from moto.moto_api._internal import mock_random
from moto.server import ThreadedMotoServer

HERE = pathlib.Path(__file__).parent / "layouts"
UNITS = {"Workloads": ["shop", "vault"], "Sandboxes": ["play"], "Security": ["audit"]}
KEPT = ["format_version", "terraform_version", "resource_changes", "prior_state", "configuration", "complete", "errored"]


def seed(client):
    """An organization with three units and four accounts."""
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    units, accounts = {}, {}
    for name, members in UNITS.items():
        unit = client.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
        units[name] = unit
        for member in members:
            made = client.create_account(AccountName=member, Email=f"{member}@example.com")
            accounts[member] = made["CreateAccountStatus"]["AccountId"]
            client.move_account(AccountId=accounts[member], SourceParentId=root, DestinationParentId=unit)
    return {"root": root, "units": units, "accounts": accounts}


def snapshot(client):
    """The organization as it is, as a snapshot."""
    organization = client.describe_organization()["Organization"]
    root = client.list_roots()["Roots"][0]
    units, accounts, attachments = [], [], []
    open_ = [root["Id"]]
    targets = [root["Id"]]
    while open_:
        parent = open_.pop(0)
        for unit in client.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]:
            units.append({"id": unit["Id"], "name": unit["Name"], "parentId": parent})
            open_.append(unit["Id"])
            targets.append(unit["Id"])
        for account in client.list_accounts_for_parent(ParentId=parent)["Accounts"]:
            accounts.append({"id": account["Id"], "name": account["Name"], "email": account["Email"],
                             "state": "ACTIVE", "parentId": parent})
            targets.append(account["Id"])
    policies = []
    for policy in client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
        content = client.describe_policy(PolicyId=policy["Id"])["Policy"]["Content"]
        policies.append({"id": policy["Id"], "name": policy["Name"], "type": "SERVICE_CONTROL_POLICY",
                         "awsManaged": policy["AwsManaged"], "content": content})
    for target in targets:
        for policy in client.list_policies_for_target(TargetId=target, Filter="SERVICE_CONTROL_POLICY")["Policies"]:
            attachments.append({"policyId": policy["Id"], "targetId": target})
    return {
        "schemaVersion": 1, "fetchedAt": "2026-11-23T00:00:00Z", "partition": "aws",
        "organization": {"id": organization["Id"], "managementAccountId": organization["MasterAccountId"],
                         "featureSet": "ALL"},
        "root": {"id": root["Id"], "name": root["Name"],
                 "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
        "organizationalUnits": units, "accounts": accounts, "policies": policies, "attachments": attachments,
    }


def run(layout, plugins):
    """Plans and applies one layout."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host if host != '0.0.0.0' else '127.0.0.1'}:{port}"
    client = boto3.client("organizations", endpoint_url=endpoint, region_name="us-east-1",
                          aws_access_key_id="none", aws_secret_access_key="none")
    try:
        # Of the layout before, in the same process.
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"))
        mock_random.seed(sum(map(ord, layout.name)))
        given = seed(client)
        before = snapshot(client)
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary) / layout.name
            shutil.copytree(layout, folder, ignore=shutil.ignore_patterns("run.json"))
            provider = PROVIDER.rstrip().removesuffix("}")
            (folder / "provider.tf").write_text(f'{provider}  endpoints {{\n    organizations = "{endpoint}"\n  }}\n}}\n')
            wanted = (folder / "main.tf").read_text()
            given = {name: value for name, value in given.items() if f'variable "{name}"' in wanted}
            (folder / "given.auto.tfvars.json").write_text(json.dumps(given))

            def terraform(*words):
                done = subprocess.run(["terraform", *words], check=False, cwd=folder, capture_output=True, text=True)
                if done.returncode != 0:
                    raise SystemExit(f"{layout.name}: {done.stdout}{done.stderr}")
                return done.stdout

            terraform("init", f"-plugin-dir={plugins}", "-input=false", "-no-color")
            terraform("plan", "-input=false", "-no-color", "-out=plan.out")
            plan = json.loads(terraform("show", "-json", "plan.out"))
            terraform("apply", "-input=false", "-no-color", "plan.out")
        plan = {name: plan[name] for name in KEPT if name in plan}
        plan["configuration"].pop("provider_config", None)
        return {"plan": plan, "before": before, "after": snapshot(client)}
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--plugins", required=True)
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for layout in sorted(HERE.iterdir()):
        if layout.is_dir() and (not arguments.names or layout.name in arguments.names):
            made = run(layout, arguments.plugins)
            (layout / "run.json").write_text(json.dumps(made, indent=1) + "\n")
            print(layout.name)


if __name__ == "__main__":
    main()
