#!/usr/bin/env bash
# Every check of the templates and of the state machines. Needs Python with venv, a package index,
# and npm for the last one; nothing here talks to AWS.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
target=target/lint-infra
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none

# venv NAME: an environment with what tests/requirements-NAME.txt pins, made anew when that changes.
venv() {
    local folder=$target/$1 wanted=tests/requirements-$1.txt
    if ! cmp --silent "$wanted" "$folder/requirements.txt"; then
        rm -rf "$folder"
        "$python" -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
        "$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --requirement "$wanted"
        cp "$wanted" "$folder/requirements.txt"
    fi
}

step() { echo "== $*"; }

mkdir -p "$target"
venv lint-infra
venv checkov
tools=$target/lint-infra/bin
plain=(infra/forwarding.yaml infra/member-role.yaml infra/exposure-role.yaml infra/examples/*.yaml)

step "the SAM transform"
"$tools/python" infra/translate.py "$target/made"
step "cfn-lint"
"$tools/cfn-lint" --regions us-east-1 us-gov-west-1 -- "$target/made/template.json" "${plain[@]}"
step "sam validate --lint"
"$tools/sam" validate --lint --region us-east-1 --template infra/template.yaml
step "checkov"
"$target/checkov/bin/checkov" --config-file infra/checkov.yaml --skip-download \
    --file infra/template.yaml "${plain[@]}"
step "asl-validator"
if command -v npm >/dev/null; then
    cp tests/infra/package.json tests/infra/package-lock.json "$target/"
    npm ci --prefix "$target" --silent --no-audit --no-fund
    for definition in statemachine exposure; do
        "$target/node_modules/.bin/asl-validator" --json-path "$target/made/$definition.json"
    done
else
    echo "npm is not installed, so asl-validator was left out; tests/infra checks the graph of states" >&2
fi
