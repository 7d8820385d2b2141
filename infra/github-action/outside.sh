# What both scripts know of the workspace: whatever is in it may be of a pull request, so nothing is run or configured
# from there. Sourced after `set -euo pipefail`; before PATH is settled only builtins of bash are used.
# shellcheck shell=bash

# Steps before may have put lines of a file in the workspace into the environment of the job. Programs that are run from
# here see what is named here, and no other variable decides what a program loads.
while read -r name; do
    case $name in
    GITHUB_* | RUNNER_* | AWS_* | PATH | RUSTUP_HOME | HTTPS_PROXY | HTTP_PROXY | NO_PROXY | https_proxy | http_proxy | no_proxy) ;;
    PLAN | PARAMETERS | SNAPSHOT | PERIMETER | PROGRAM | VERSION | FAIL_ON | NAME | GH_TOKEN | PULL_REQUEST | BASE) export -n "$name" ;;
    *) unset "$name" 2>/dev/null || export -n "$name" ;;
    esac
done < <(compgen -e)

# Where the pull request's files are, without symbolic links.
workspace=$(cd -P -- "${GITHUB_WORKSPACE:?}" && pwd -P)

# The folders of PATH that are not in the workspace; a relative one is below wherever one is.
outside_path() {
    local folder real clean=
    local -a folders
    IFS=: read -r -a folders <<<"$PATH"
    for folder in ${folders[@]+"${folders[@]}"}; do
        if [[ "$folder" == /* ]] && real=$(cd -P -- "$folder" 2>/dev/null && pwd -P) &&
            [[ "$real" != "$workspace" && "$real" != "$workspace"/* ]]; then
            clean+=${clean:+:}$folder
        fi
    done
    printf '%s' "$clean"
}
PATH=$(outside_path)
export PATH

# The home of the account that runs the job: without the variable HOME, bash asks the system.
home=~

# Whether a place that exists is in the workspace, whatever links lead there.
is_in_workspace() {
    local real
    real=$(realpath -- "$1")
    [[ "$real" == "$workspace" || "$real" == "$workspace"/* ]]
}

# Runs a command with an environment of these variables alone: `clean NAME=VALUE... COMMAND ARGUMENT...`.
clean() {
    env -i "PATH=$PATH" "LANG=C.UTF-8" "$@"
}

# Puts NAME=VALUE into `given` for each variable of these names that is set.
given=()
give() {
    local name
    for name in "$@"; do
        if [[ -n "${!name:-}" ]]; then
            given+=("$name=${!name}")
        fi
    done
}
