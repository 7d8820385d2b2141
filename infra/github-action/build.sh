#!/bin/bash -p
# Builds the program from the source that this action came with, and says where it is.
#
# cargo reads configuration, toolchain and wrappers from the working directory, the folders above it, the home and the
# environment. Here all of them are the action's own or empty.
set -euo pipefail
source "${BASH_SOURCE[0]%/*}/outside.sh"

source=$(cd "$GITHUB_ACTION_PATH/../.." && pwd -P)
if is_in_workspace "$source"; then
    echo "::error::this action is used from the workspace, where a pull request can change it; use it by repository and commit"
    exit 2
fi
# rustup's toolchains are where it was installed.
rustup=${RUSTUP_HOME:-$home/.rustup}
if [[ -e "$rustup" ]] && is_in_workspace "$rustup"; then
    rustup=$home/.rustup
fi
# A new folder, so that nothing in it is of an earlier step.
folder=$(mktemp -d "$RUNNER_TEMP/ses-perimeter-build.XXXXXX")
mkdir "$folder/home" "$folder/cargo"
features=()
if [[ -n "${SNAPSHOT:-}" ]]; then
    features=(--no-default-features)
fi
# A proxy sees no more than the network does: Cargo.lock has the digest of every crate.
give HTTPS_PROXY HTTP_PROXY NO_PROXY https_proxy http_proxy no_proxy
cd "$source"
clean "HOME=$folder/home" "CARGO_HOME=$folder/cargo" "RUSTUP_HOME=$rustup" ${given[@]+"${given[@]}"} \
    cargo build --quiet --release --locked --bin ses-perimeter ${features[@]+"${features[@]}"} \
    --manifest-path "$source/Cargo.toml" --target-dir "$folder/target"
printf 'program=%s\n' "$folder/target/release/ses-perimeter" >>"$GITHUB_OUTPUT"
