#!/bin/bash -p
# Judges a plan, keeps one comment of the pull request up to date, and ends as the program did:
# 1 and 2 fail the job; 0 and 3 do not, and 3 is a warning.
#
# Every input comes through the environment and is only ever an argument or data. Perimeter and snapshot of a pull
# request are those of the base branch: who proposes a change does not say by what it is judged. What is proposed is the
# plan, with the parameters that it will be deployed with.
set -euo pipefail
source "${BASH_SOURCE[0]%/*}/outside.sh"

# GitHub takes 65,536 characters in a comment, and the program writes 60,000 bytes at most.
readonly LONGEST=65000

# Two dashes in a row would end an HTML comment.
if [[ ! "$NAME" =~ ^[A-Za-z0-9.-]{1,60}$ || "$NAME" == *--* ]]; then
    echo "::error::the input name takes letters, digits, dots and single dashes"
    exit 2
fi
if [[ "${GITHUB_EVENT_NAME:-}" == pull_request_target ]]; then
    echo "::error::use the event pull_request: pull_request_target gives secrets and a token that writes to what a stranger proposes"
    exit 2
fi
readonly MARKER="<!-- ses-perimeter:$NAME -->"

cd "$workspace"
folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ses-perimeter.XXXXXX")
result=$folder/result.md
comment=$folder/comment.md
messages=$folder/messages.txt
mkdir "$folder/home" "$folder/base"
# What stands above the result in the comment.
remarks=()

# gh with the token and nothing else of the job, away from the workspace.
github() {
    (cd "$folder/home" && clean "HOME=$folder/home" "GH_CONFIG_DIR=$folder/home" "GH_TOKEN=$GH_TOKEN" \
        "GH_HOST=${GITHUB_SERVER_URL#*://}" gh api "$@")
}

# A path as part of an address, byte by byte.
encoded() {
    local LC_ALL=C text=$1 at
    for ((at = 0; at < ${#text}; at++)); do
        case ${text:at:1} in
        [A-Za-z0-9._~/-]) printf '%s' "${text:at:1}" ;;
        *) printf '%%%02X' "'${text:at:1}" ;;
        esac
    done
}

# The path below the workspace of a file in it; fails for any other.
own_path() {
    local path
    path=$(realpath -m -s -- "$1")
    path=${path/#"$GITHUB_WORKSPACE"\//"$workspace/"}
    [[ "$path" == "$workspace"/* ]] || return 1
    printf '%s' "${path#"$workspace"/}"
}

# Whether the path of a file in the workspace has a symbolic link in it: a pull request can point one anywhere, and what
# is read may be shown.
through_a_link() {
    local path
    path=$(own_path "$1") || return 1
    [[ "$(realpath -m -- "$workspace/$path")" != "$workspace/$path" ]]
}

# Writes the file of this path below the workspace, as the base branch has it: 0 it is there, 1 the base branch has none,
# 2 nobody knows.
from_base() {
    local raw="Accept: application/vnd.github.raw+json" contents="repos/$GITHUB_REPOSITORY/contents"
    if github "$contents/$(encoded "$1")?ref=$BASE" --header "$raw" >"$2" 2>"$folder/refusal.txt"; then
        return 0
    fi
    # A token that may not read and a file that is not there look alike; the root is always there.
    if grep -q 'HTTP 404' "$folder/refusal.txt" && github --silent "$contents?ref=$BASE" >/dev/null 2>&1; then
        return 1
    fi
    echo "the base branch's $1 cannot be read; the token needs contents: read"
    return 2
}

# Sets `judged` to what judges in place of the workspace's file $1, called $2, and `proposed` to the pull request's own
# where it is another one.
judged_by() {
    local path there=0
    proposed=
    judged=$1
    if [[ -z "$BASE" ]] || ! path=$(own_path "$1"); then
        return 0
    fi
    mkdir "$folder/base/$2"
    judged=$folder/base/$2/${path##*/}
    from_base "$path" "$judged" || there=$?
    case $there in
    0)
        if ! cmp -s "$judged" "$workspace/$path"; then
            proposed=$workspace/$path
        fi
        ;;
    1)
        judged=$1
        remarks+=("**The base branch has no $2 yet: that of this pull request was used.**")
        ;;
    *) return 2 ;;
    esac
}

# Sets PERIMETER to the one beside the snapshot, or else in the root, whichever judges.
default_perimeter() {
    local beside path there=0
    PERIMETER=perimeter.toml
    [[ -n "$SNAPSHOT" ]] || return 0
    beside=$(dirname -- "$SNAPSHOT")/perimeter.toml
    if [[ -n "$BASE" ]] && path=$(own_path "$beside"); then
        from_base "$path" "$folder/probe" || there=$?
    elif [[ ! -e "$beside" ]]; then
        there=1
    fi
    case $there in
    0) PERIMETER=$beside ;;
    1) ;;
    *) return 2 ;;
    esac
}

judge() {
    local program version file arguments
    if ! program=$(command -v -- "$PROGRAM"); then
        echo "there is no program ${PROGRAM:-that was built} outside the workspace"
        return 2
    fi
    if is_in_workspace "$program"; then
        echo "the program is in the workspace, where a pull request can change it; install it elsewhere"
        return 2
    fi
    if [[ -n "$VERSION" ]]; then
        version=$(clean "HOME=$folder/home" "$program" --version) || return 2
        if [[ "${version##* }" != "$VERSION" ]]; then
            echo "the program is ${version##* }, and the input version asks for $VERSION"
            return 2
        fi
    fi
    if [[ -z "$PERIMETER" ]]; then
        default_perimeter || return 2
    fi
    for file in "$PLAN" "$PARAMETERS" "$SNAPSHOT" "$PERIMETER"; do
        if [[ -n "$file" ]] && through_a_link "$file"; then
            echo "$file leads through a symbolic link, which a pull request can point anywhere; give the file itself"
            return 2
        fi
    done
    arguments=(what-if "--plan=$PLAN" --format markdown "--out=$result" --color never "--fail-on=${FAIL_ON:-regression}")
    if [[ -n "$PARAMETERS" ]]; then
        arguments+=("--parameters=$PARAMETERS")
    fi
    judged_by "$PERIMETER" perimeter || return 2
    arguments+=("--perimeter=$judged")
    if [[ -n "$proposed" && -e "$proposed" ]]; then
        arguments+=("--new-perimeter=$proposed")
    elif [[ -n "$proposed" ]]; then
        remarks+=("**This pull request removes the perimeter: that of the base branch was used.**")
    fi
    if [[ -n "$SNAPSHOT" ]]; then
        judged_by "$SNAPSHOT" snapshot || return 2
        arguments+=("--snapshot=$judged")
        if [[ -n "$proposed" ]]; then
            remarks+=("**This pull request changes the snapshot: that of the base branch was used.**")
        fi
    else
        # Reading live is the only use of the job's credentials; configuration files can name commands.
        give AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION \
            AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_FULL_URI \
            AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE \
            HTTPS_PROXY NO_PROXY https_proxy no_proxy
    fi
    clean "HOME=$folder/home" ${given[@]+"${given[@]}"} "$program" "${arguments[@]}"
}

code=0
judge >"$messages" 2>&1 || code=$?
# Messages may quote the pull request, and a line of it may look like a command to the runner.
quiet=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$quiet"
cat "$messages"
echo
echo "::$quiet::"
case $code in
0 | 1 | 3) ;;
*) code=2 ;;
esac
# A verdict without its reasons is none.
if [[ $code -ne 2 && ! -s "$result" ]]; then
    echo "::error::the program wrote no result"
    code=2
fi

# The first bytes of a file, without half a character at the end; iconv calls that a failure.
beginning() {
    head -c "$1" "$2" | iconv -c -f UTF-8 -t UTF-8 || true
}

told=$folder/told.md
{
    if [[ $code -eq 2 ]]; then
        echo "## ⚠️ SES data perimeter: nothing was decided"
        echo
        echo "The plan, its parameters, the perimeter or the snapshot could not be used, so nothing is known about this change."
        echo
        # Four spaces make it code, whatever is in it.
        beginning 20000 "$messages" | sed 's/^/    /'
    else
        # The outcome is the first line that is seen.
        sed -n '1,2p' "$result"
        for remark in ${remarks[@]+"${remarks[@]}"}; do
            printf '\n%s\n' "$remark"
        done
        sed '1,2d' "$result"
    fi
} >"$told"
{
    echo "$MARKER"
    beginning "$LONGEST" "$told"
    if [[ $(wc -c <"$told") -gt $LONGEST ]]; then
        echo
        echo
        echo "_Cut here: the rest is in the summary of the job._"
    fi
} >"$comment"

# One comment, found by its first line; only bots write comments for the job's token.
post() {
    local comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments listed id
    # A constant expression: nothing of the input is part of it.
    # shellcheck disable=SC2016
    listed=$(github --paginate "$comments" \
        --jq '.[] | select(.user.type == "Bot") | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @tsv') || return 1
    id=$(awk -F '\t' -v marker="$MARKER" '$2 == marker { print $1; exit }' <<<"$listed")
    if [[ -n "$id" ]]; then
        github --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$comment"
    else
        github --silent --method POST "$comments" --field "body=@$comment"
    fi
}

if [[ "$PULL_REQUEST" =~ ^[0-9]+$ ]]; then
    # The verdict counts, also where the token may not write: pull requests from forks have such.
    post || echo "::warning::the comment could not be written; the summary of the job has it"
fi
if [[ -n "${GITHUB_STEP_SUMMARY:-}" ]]; then
    cat "$told" >>"$GITHUB_STEP_SUMMARY"
fi
if [[ -n "${GITHUB_OUTPUT:-}" ]]; then
    printf 'exit-code=%s\ncomment=%s\n' "$code" "$comment" >>"$GITHUB_OUTPUT"
fi

case $code in
1) echo "::error::a verdict gets worse with this change, or what fail-on names is there" ;;
2) echo "::error::nothing was decided about this change" ;;
3) echo "::warning::no verdict gets worse, but one that failed, or of a new account, is undecided with this change" && exit 0 ;;
esac
exit "$code"
