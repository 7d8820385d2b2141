"""Writes the template as the SAM transform makes it, and the state machine with its substitutions.

The linters see more in plain CloudFormation: policies of roles, and the definition of the state
machine. Called by lint.sh.
"""

import json
import re
import sys
from pathlib import Path

import boto3
import cfnlint.decode.cfn_yaml
from samtranslator.translator.translator import Translator
from samtranslator.parser.parser import Parser

INFRA = Path(__file__).resolve().parent
ACCOUNT = "123456789012"


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    definition = (INFRA / "statemachine.asl.json").read_text()
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
    filled = re.sub(r"\$\{(\w+)FunctionArn\}", rf"{arn}:\1", definition).replace("${Partition}", "aws")
    (out / "statemachine.json").write_text(filled)

    template = json.loads(json.dumps(cfnlint.decode.cfn_yaml.load(str(INFRA / "template.yaml"))))
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        # The transform takes what `sam package` has uploaded.
        if "CodeUri" in properties:
            properties["CodeUri"] = "s3://bucket/key.zip"
        if "DefinitionUri" in properties:
            del properties["DefinitionUri"]
            properties["Definition"] = json.loads(definition)
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    parameters = {name: str(it["Default"]) for name, it in template["Parameters"].items()}
    translated = translator.translate(template, parameter_values=parameters)
    (out / "template.json").write_text(json.dumps(translated, indent=1))


if __name__ == "__main__":
    main()
