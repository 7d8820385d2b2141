#!/usr/bin/env bash
# Builds the program from the source that this action came with, where what-if.sh looks for it.
set -euo pipefail

source=$(cd "$GITHUB_ACTION_PATH/../.." && pwd)
features=()
if [[ -n "${SNAPSHOT:-}" ]]; then
    features=(--no-default-features)
fi
cargo build --quiet --release --locked --bin ses-perimeter "${features[@]}" \
    --manifest-path "$source/Cargo.toml" --target-dir "$RUNNER_TEMP/ses-perimeter-target"
