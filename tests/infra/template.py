"""Templates as plain values: short tags in their long form, aliases resolved, and ways to walk them."""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA = REPOSITORY / "infra"
FUNCTIONS = {
    "FetchFunction": "fetch-scps",
    "EvaluateFunction": "evaluate-scps",
    "PublishFunction": "publish-findings",
    "StartFunction": "start-check",
    "ReadExposureFunction": "read-exposure",
}
# State machines by the name of their definition.
MACHINES = {"statemachine": "StateMachine", "exposure": "ExposureMachine"}
TEMPLATES = sorted(path.relative_to(INFRA).as_posix() for path in INFRA.rglob("*.yaml") if path.name != "checkov.yaml")


class Loader(yaml.SafeLoader):
    """YAML with the tags of CloudFormation."""


def tagged(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


Loader.add_multi_constructor("!", tagged)


@cache
def load(name: str) -> dict:
    """A template of `infra/` by its path there."""
    return yaml.load((INFRA / name).read_text(), Loader)


@cache
def definition(name: str = "statemachine") -> dict:
    return json.loads((INFRA / f"{name}.asl.json").read_text())


def of_type(template: dict, kind: str) -> dict:
    return {name: it for name, it in template["Resources"].items() if it["Type"] == kind}


def walk(value, path=()):
    """Every value below and including this one, with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*path, index))


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def branches(value) -> list:
    """The values that a list has under any conditions, without AWS::NoValue."""
    if isinstance(value, dict) and set(value) == {"Fn::If"}:
        return [found for inner in value["Fn::If"][1:] for found in branches(inner)]
    return [] if value == {"Ref": "AWS::NoValue"} else [value]


def statements(document: dict) -> list[dict]:
    return [found for statement in listed(document["Statement"]) for found in branches(statement)]


def role_statements(role: dict) -> list[dict]:
    policies = [found for policy in role["Properties"].get("Policies", []) for found in branches(policy)]
    return [found for policy in policies for found in statements(policy["PolicyDocument"])]


def board(template: dict) -> str:
    """The dashboard with everything that it may have."""
    body, extras = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name, extra in extras.items():
        on, off = extra["Fn::If"][1:]
        assert off == ""
        body = body.replace(f"${{{name}}}", on["Fn::Sub"])
    return body


def text(value) -> str:
    """A value with its intrinsics, for looking into it."""
    return value if isinstance(value, str) else json.dumps(value)


def rust(*globs: str) -> str:
    """The code under these globs, tests at the end of a file left out."""
    files = sorted(path for pattern in globs for path in REPOSITORY.glob(pattern))
    return "\n".join(re.split(r"#\[cfg\(test\)\]\s*mod tests \{", path.read_text())[0] for path in files)


@cache
def permissions() -> dict[str, list[str]]:
    """The IAM actions that the code names for each function, and for the role that reads in accounts.

    From the file in PERMISSIONS_JSON, or else from the program that prints them.
    """
    if named := os.environ.get("PERMISSIONS_JSON"):
        return json.loads(Path(named).read_text())
    command = [os.environ.get("CARGO", "cargo"), "run", "--quiet", "--package", "aws", "--example", "permissions"]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout)
