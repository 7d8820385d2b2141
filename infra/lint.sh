#!/usr/bin/env bash
# Every check of the templates, called by `make lint-infra`, which brings the tools. Nothing here
# talks to AWS.
set -euo pipefail
cd "$(dirname "$0")/.."

# Where `make` has put the programs of tests/requirements-lint-infra.txt and -checkov.txt.
tools=$1 checkov=$2
made=target/lint-infra
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none

step() { echo "== $*"; }

plain=(infra/forwarding.yaml infra/member-role.yaml infra/exposure-role.yaml infra/examples/*.yaml)

step "the SAM transform"
"$tools/python" infra/translate.py "$made"
step "cfn-lint"
"$tools/cfn-lint" --regions us-east-1 us-gov-west-1 -- "$made/template.json" "${plain[@]}"
step "sam validate --lint"
"$tools/sam" validate --lint --region us-east-1 --template infra/template.yaml
step "checkov"
"$checkov/checkov" --config-file infra/checkov.yaml --skip-download --quiet --compact \
    --file infra/template.yaml "${plain[@]}"
