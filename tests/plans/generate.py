#!/usr/bin/env python3
"""Configurations of organizations policies, planned with Terraform, and what they attach.

Each is a module of one root, so that one run of Terraform plans many; the plan is then split into
one plan for each module. Which policy an attachment gets is Terraform's own answer: the expression
of `policy_id` stands a second time in an output, with a map whose ids are its keys in the place of
the policies. Some policies and attachments are in the state already.

    generate.py --count 100 --seed 1 --plugins DIR >runs.jsonl

A line is one run: `config` (the files), `plan`, `snapshot` (the organization before), `truth` (the
attachments that Terraform makes: policy by address, and target). Nothing is read from AWS.
"""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile

P = "aws_organizations_policy.p"
UNITS = ["ou-exam-workload1", "ou-exam-sandbox01", "ou-exam-security1"]
ACCOUNTS = {
    "111122223333": "ou-exam-workload1",
    "222233334444": "ou-exam-sandbox01",
    "333344445555": "ou-exam-security1",
    "444455556666": "r-exam",
}
TARGETS = [*UNITS, "r-exam", *ACCOUNTS]
DENIED = {
    "mail": ["ses:*"],
    "stay": ["organizations:LeaveOrganization"],
    "more": ["s3:*", "ses:*"],
    "other": ["s3:DeleteBucket"],
}
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
PROVIDER = """terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""


def document(kind):
    """The document of a kind, as Terraform's `jsonencode` writes it."""
    statement = {"Action": DENIED[kind], "Effect": "Deny", "Resource": "*"}
    content = {"Statement": [statement], "Version": "2012-10-17"}
    return json.dumps(content, separators=(",", ":"), sort_keys=True)


def hcl(value):
    """A value as Terraform writes it; JSON objects are no maps there."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {hcl(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(hcl, value)) + "]"
    return json.dumps(value)


class Configuration:
    """One module with its policies and attachments."""

    def __init__(self, rng, number):
        self.name = f"c{number:04}"
        self.counted = rng.random() < 0.15
        keys = rng.sample(["a", "b", "c", "d"], rng.randint(1, 4))
        if rng.random() < 0.4:
            keys += [f"{key}-strict" for key in keys[:2]]
        self.keys = sorted(keys)
        self.kinds = {key: rng.choice(list(DENIED)) for key in self.keys}
        if rng.random() < 0.25:
            self.kinds = dict.fromkeys(self.keys, rng.choice(["mail", "stay"]))
        self.existing = [key for key in self.keys if rng.random() < 0.25]
        if self.counted:
            self.existing = self.existing[:0]
        if len(self.existing) == len(self.keys):
            self.existing.pop()
        self.targets = rng.sample(TARGETS, rng.randint(1, 3))
        self.files = {}
        self.write(rng)

    def id_of(self, key):
        """The id of a policy that is there already."""
        return f"p-{self.name}{self.keys.index(key):04}"

    def write(self, rng):
        lines = []
        contents = hcl({key: DENIED[kind] for key, kind in self.kinds.items()})
        encode = 'jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = %s, Resource = "*" }] })'
        if self.counted:
            lines.append(f"locals {{\n  docs = [for key, actions in {contents} : {{ key = key, actions = actions }}]\n}}")
            lines.append(
                f'resource "aws_organizations_policy" "p" {{\n  count   = length(local.docs)\n'
                f'  name    = "{self.name}-${{local.docs[count.index].key}}"\n'
                f"  content = {encode % 'local.docs[count.index].actions'}\n}}"
            )
            stand_in = "[for i in range(length(local.docs)) : { id = tostring(i), name = local.docs[i].key }]"
        else:
            lines.append(f"locals {{\n  docs = {contents}\n}}")
            lines.append(
                f'resource "aws_organizations_policy" "p" {{\n  for_each = local.docs\n'
                f'  name     = "{self.name}-${{each.key}}"\n  content  = {encode % "each.value"}\n}}'
            )
            stand_in = "{ for key in keys(local.docs) : key => { id = key, name = key } }"
        lines.append(f"locals {{\n  stand_in = {stand_in}\n}}")
        uses = {f"k{at}": rng.choice(self.keys) for at in range(len(self.targets))}
        if rng.random() < 0.5:
            # Keys of attachments that look like those of policies.
            bare = [key for key in self.keys if f"{key}-strict" in self.keys] or self.keys
            names = (bare * len(self.targets))[: len(self.targets)]
            if len(set(names)) == len(names):
                uses = {name: rng.choice(self.keys) for name in names}
        places = dict(zip(uses, self.targets, strict=True))
        lines.append(f'variable "uses" {{\n  default = {hcl(uses)}\n}}')
        lines.append(f'variable "flag" {{\n  default = {hcl(rng.random() < 0.5)}\n}}')
        lines.append(f"locals {{\n  uses = var.uses\n  names = values(var.uses)\n  targets = {hcl(self.targets)}\n}}")
        self.attach(rng, lines, uses, places)
        self.files[f"{self.name}/main.tf"] = "\n".join(lines) + "\n"

    def attach(self, rng, lines, uses, places):
        """The attachments, in one of many ways that people write them."""
        ways = ["for_each", "rows", "count", "nested", "direct"]
        way = "counted" if self.counted else rng.choice(ways)
        number = len(self.targets)
        first = json.dumps(self.keys[0])
        last = json.dumps(self.keys[-1])
        if way == "counted":
            size = len(self.keys)
            number = min(number, size)
            expression = rng.choice([
                f"{P}[count.index].id",
                f"{P}[{size - 1} - count.index].id",
                f"element({P}, count.index + 1).id",
                f"({P}[*].id)[count.index]",
                f"reverse({P}[*].id)[count.index]",
                f'one([for p in {P} : p.id if p.name == {P}[count.index].name])',
            ])
            return self.resource(lines, f"count     = {number}", expression, "local.targets[count.index]", number, None)
        if way == "count":
            expression = rng.choice([
                f"{P}[local.names[count.index]].id",
                f"{P}[element(local.names, count.index + 1)].id",
                f"{P}[keys(local.docs)[count.index % length(local.docs)]].id",
                f"values({P})[count.index % length(local.docs)].id",
                f"element(values({P})[*].id, count.index)",
            ])
            return self.resource(lines, f"count     = {number}", expression, "local.targets[count.index]", number, None)
        if way == "rows":
            rows = {f"r{at}": {"policy": key, "target": target} for at, (key, target) in enumerate(zip(uses.values(), self.targets, strict=True))}
            lines.append(f"locals {{\n  rows = {hcl(rows)}\n}}")
            for_each = rng.choice(["local.rows", "{ for name, row in local.rows : name => row }"])
            expression = rng.choice([
                f"{P}[each.value.policy].id",
                f'{P}["${{each.value.policy}}"].id',
                f"lookup({P}, each.value.policy).id",
                f"zipmap(keys({P}), values({P})[*].id)[each.value.policy]",
                f"{{ for key, p in {P} : upper(key) => p.id }}[upper(each.value.policy)]",
                f"one([for key, p in {P} : p.id if key == each.value.policy])",
            ])
            return self.resource(lines, f"for_each  = {for_each}", expression, "each.value.target", None, for_each)
        if way == "direct":
            expression = rng.choice([
                f"{P}[{first}].id",
                f"var.flag ? {P}[{first}].id : {P}[{last}].id",
                f"coalesce({P}[{last}].id, {P}[{first}].id)",
                f"[{P}[{first}].id, {P}[{last}].id][var.flag ? 0 : 1]",
            ])
            for_each = f"toset({hcl(self.targets)})"
            return self.resource(lines, f"for_each  = {for_each}", expression, "each.value", None, for_each)
        if way == "nested":
            inner = (
                'variable "all" {}\nvariable "names" {}\nvariable "targets" {}\n'
                'resource "aws_organizations_policy_attachment" "a" {\n'
                "  for_each  = var.targets\n"
                '  policy_id = var.all["${var.names[each.key]}"].id\n  target_id = each.value\n}\n'
                'output "truth" {\n  value = { for key, target in var.targets : key => var.names[key] }\n}\n'
            )
            self.files[f"{self.name}/attach/main.tf"] = inner
            whole = rng.choice([P, f"{{ for key, p in {P} : key => p }}"])
            lines.append(
                f'module "attach" {{\n  source  = "./attach"\n  all     = {whole}\n'
                f"  names   = local.uses\n  targets = {hcl(places)}\n}}"
            )
            lines.append('output "truth" {\n  value = module.attach.truth\n}')
            self.address = f'module.{self.name}.module.attach.aws_organizations_policy_attachment.a["{{}}"]'
            return None
        strict = all(f"{key}-strict" in self.keys for key in places)
        plain = all(key in self.keys for key in places)
        choices = [
            f"{P}[var.uses[each.key]].id",
            f"{P}[local.uses[each.key]].id",
            f"{P}[lookup(var.uses, each.key, {first})].id",
            f'{P}[try(var.uses["x${{each.key}}"], {last})].id',
            f"{P}[local.names[index(keys(var.uses), each.key)]].id",
        ]
        if plain:
            choices += [f"{P}[each.key].id"] * 3
        if strict:
            choices += [f'{P}["${{each.key}}-strict"].id', f'{P}[join("-", [each.key, "strict"])].id'] * 2
        for_each = hcl(places)
        return self.resource(lines, f"for_each  = {for_each}", rng.choice(choices), "each.value", None, for_each)

    def resource(self, lines, repeat, expression, target, number, for_each):
        through = None
        if sum(map(ord, self.name + expression)) % 5 == 0 and "each." not in expression and "count." not in expression:
            through = expression
        if through:
            lines.append(f"locals {{\n  chosen = {through}\n}}")
        lines.append(
            f'resource "aws_organizations_policy_attachment" "a" {{\n  {repeat}\n'
            f"  policy_id = {'local.chosen' if through else expression}\n  target_id = {target}\n}}"
        )
        plain = expression.replace(P, "local.stand_in")
        if number is not None:
            plain = plain.replace("count.index", "at")
            lines.append(f'output "truth" {{\n  value = {{ for at in range({number}) : at => {plain} }}\n}}')
            self.address = f"module.{self.name}.aws_organizations_policy_attachment.a[{{}}]"
        else:
            plain = plain.replace("each.key", "each_key").replace("each.value", "each_value")
            lines.append(f'output "truth" {{\n  value = {{ for each_key, each_value in {for_each} : each_key => {plain} }}\n}}')
            self.address = f'module.{self.name}.aws_organizations_policy_attachment.a["{{}}"]'

    def state(self):
        """What is there before, as Terraform keeps it."""
        instances = []
        for key in self.existing:
            attributes = {
                "id": self.id_of(key), "arn": f"arn:aws:organizations::1:policy/o-x/service_control_policy/{self.id_of(key)}",
                "name": f"{self.name}-{key}", "content": document(self.kinds[key]), "description": "",
                "type": "SERVICE_CONTROL_POLICY", "skip_destroy": None, "tags": None, "tags_all": {},
            }
            instances.append({"index_key": key, "schema_version": 0, "attributes": attributes})
        if not instances:
            return []
        return [{
            "module": f"module.{self.name}", "mode": "managed", "type": "aws_organizations_policy", "name": "p",
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]', "instances": instances,
        }]

    def snapshot(self):
        """The organization before."""
        policies = [{"id": "p-FullAWSAccess", "name": "FullAWSAccess", "type": "SERVICE_CONTROL_POLICY",
                     "awsManaged": True, "content": json.dumps(EVERYTHING)}]
        for key in self.existing:
            policies.append({"id": self.id_of(key), "name": f"{self.name}-{key}", "type": "SERVICE_CONTROL_POLICY",
                             "awsManaged": False, "content": document(self.kinds[key])})
        return {
            "schemaVersion": 1, "fetchedAt": "2026-11-23T00:00:00Z", "partition": "aws",
            "organization": {"id": "o-exampleorgid", "managementAccountId": "123456789012", "featureSet": "ALL"},
            "root": {"id": "r-exam", "name": "Root",
                     "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
            "organizationalUnits": [{"id": unit, "name": unit[8:], "parentId": "r-exam"} for unit in UNITS],
            "accounts": [{"id": account, "name": f"account-{account[:3]}", "email": f"a{account}@example.com",
                          "state": "ACTIVE", "parentId": parent} for account, parent in ACCOUNTS.items()],
            "policies": policies,
            "attachments": [{"policyId": "p-FullAWSAccess", "targetId": target} for target in ["r-exam", *UNITS, *ACCOUNTS]],
        }

    def run(self, plan):
        """The part of the plan that is about this module, and what it attaches."""
        inside = f"module.{self.name}."
        changes = [it for it in plan["resource_changes"] if it["address"].startswith(inside)]
        call = plan["configuration"]["root_module"]["module_calls"][self.name]
        chosen = plan["planned_values"]["outputs"][self.name]["value"]
        truth = []
        for index, key in chosen.items():
            address = self.address.format(index)
            found = next(it for it in changes if it["address"] == address)
            shown = key if self.counted else json.dumps(key)
            policy = f"{inside}{P}[{shown}]"
            existing = self.id_of(key) if not self.counted and key in self.existing else None
            truth.append({"policy": policy, "id": existing, "target": found["change"]["after"]["target_id"],
                          "content": document(self.kinds[self.keys[int(key)] if self.counted else key])})
        part = {name: plan[name] for name in ["format_version", "terraform_version", "complete", "errored"] if name in plan}
        part["resource_changes"] = changes
        part["configuration"] = {"root_module": {"module_calls": {self.name: call}}}
        return {"config": self.files, "plan": part, "snapshot": self.snapshot(), "truth": truth}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plugins", required=True)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    configurations = [Configuration(rng, number) for number in range(arguments.count)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        root = PROVIDER
        for it in configurations:
            root += f'module "{it.name}" {{\n  source = "./{it.name}"\n}}\noutput "{it.name}" {{\n  value = module.{it.name}.truth\n}}\n'
            for name, text in it.files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        (folder / "main.tf").write_text(root)
        state = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "made-up", "outputs": {},
                 "resources": [resource for it in configurations for resource in it.state()], "check_results": None}
        (folder / "terraform.tfstate").write_text(json.dumps(state))

        def terraform(*words):
            done = subprocess.run(["terraform", *words], check=False, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stdout[-4000:] + done.stderr[-6000:])
            return done.stdout

        terraform("init", f"-plugin-dir={arguments.plugins}", "-input=false", "-no-color")
        terraform("plan", "-refresh=false", "-input=false", "-no-color", "-out=plan.out")
        plan = json.loads(terraform("show", "-json", "plan.out"))
    for it in configurations:
        print(json.dumps(it.run(plan), separators=(",", ":")))


if __name__ == "__main__":
    main()
