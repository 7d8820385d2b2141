#!/usr/bin/env bash
# Builds the functions and packs them for deployment without `sam build`:
#
#   target/package/FUNCTION.zip            the program as `bootstrap`
#   target/package/template.yaml           the template, with these zips in it
#   target/package/*.asl.json              the definitions of the state machines
#
# ARCHITECTURE=x86_64 (default) takes plain cargo on Linux; arm64 takes cargo-lambda and the target
# aarch64-unknown-linux-gnu. The zips of two builds of the same binaries are the same.
set -euo pipefail
cd "$(dirname "$0")/.."

architecture=${ARCHITECTURE:-x86_64}
cargo=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}
out=${PACKAGE_DIR:-target/package}
functions=(fetch-scps evaluate-scps publish-findings start-check read-exposure)
packages=()
for name in "${functions[@]}"; do packages+=(--package "$name"); done

fail() { echo "package: $*" >&2; exit 1; }

case $architecture in
x86_64)
    [[ $(uname -s)-$(uname -m) == Linux-x86_64 ]] || fail "x86_64 is built with plain cargo, which takes Linux on x86_64; elsewhere use \`sam build\`"
    "$cargo" build --release "${packages[@]}"
    binary() { echo "$target/release/$1"; }
    ;;
arm64)
    "$cargo" lambda --version >/dev/null 2>&1 ||
        fail "arm64 is built with cargo-lambda, which is not installed: \`pip install cargo-lambda ziglang\`; or take ARCHITECTURE=x86_64"
    [[ -d $(rustc --print sysroot)/lib/rustlib/aarch64-unknown-linux-gnu ]] ||
        fail "arm64 needs the target aarch64-unknown-linux-gnu: \`rustup target add aarch64-unknown-linux-gnu\`; or take ARCHITECTURE=x86_64"
    "$cargo" lambda build --release --arm64 "${packages[@]}"
    binary() { echo "$target/lambda/$1/bootstrap"; }
    ;;
*) fail "ARCHITECTURE is \`$architecture\`; it takes x86_64 or arm64" ;;
esac

arguments=()
for name in "${functions[@]}"; do arguments+=("$name=$(binary "$name")"); done
"${PYTHON:-python3}" infra/package.py --architecture "$architecture" --out "$out" "${arguments[@]}"
