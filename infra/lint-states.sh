#!/usr/bin/env bash
# asl-validator on the state machines, as translate.py has filled them in. Needs npm, which no other
# check does; tests/infra checks the graph of states without it.
set -euo pipefail
cd "$(dirname "$0")/.."

made=target/lint-infra
cp tests/infra/package.json tests/infra/package-lock.json "$made/"
npm ci --prefix "$made" --silent --no-audit --no-fund
for definition in statemachine exposure; do
    "$made/node_modules/.bin/asl-validator" --json-path "$made/$definition.json"
done
