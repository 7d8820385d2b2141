"""Writes the template as the SAM transform makes it, and the state machines with their substitutions.

The linters see more in plain CloudFormation: policies of roles, and the definitions of the state
machines. Called by lint.sh.
"""

import json
import re
import sys
from pathlib import Path

import boto3
import cfnlint.decode.cfn_yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

INFRA = Path(__file__).resolve().parent
ACCOUNT = "123456789012"


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
    for definition in INFRA.glob("*.asl.json"):
        filled = re.sub(r"\$\{(\w+)FunctionArn\}", rf"{arn}:\1", definition.read_text())
        filled = filled.replace("${Partition}", "aws").replace("${Concurrency}", "20")
        (out / definition.name.replace(".asl", "")).write_text(filled)

    template = json.loads(json.dumps(cfnlint.decode.cfn_yaml.load(str(INFRA / "template.yaml"))))
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        # The transform takes what `sam package` has uploaded.
        if "CodeUri" in properties:
            properties["CodeUri"] = "s3://bucket/key.zip"
        if "DefinitionUri" in properties:
            properties["Definition"] = json.loads((INFRA / properties.pop("DefinitionUri")).read_text())
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    parameters = {name: str(it["Default"]) for name, it in template["Parameters"].items()}
    translated = translator.translate(template, parameter_values=parameters)
    (out / "template.json").write_text(json.dumps(translated, indent=1))


if __name__ == "__main__":
    main()
