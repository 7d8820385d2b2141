#!/usr/bin/env bash
# Judges a plan, keeps one comment of the pull request up to date, and ends as the program did:
# 1 and 2 fail the job; 0 and 3 do not, and 3 is a warning.
#
# Every input comes through the environment and is only ever an argument or data.
set -euo pipefail

# GitHub takes 65,536 characters in a comment.
readonly LONGEST=60000

# Two dashes in a row would end an HTML comment.
if [[ ! "$NAME" =~ ^[A-Za-z0-9.-]{1,60}$ || "$NAME" == *--* ]]; then
    echo "::error::the input name takes letters, digits, dots and single dashes"
    exit 2
fi
readonly MARKER="<!-- ses-perimeter:$NAME -->"

folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ses-perimeter.XXXXXX")
result=$folder/result.md
comment=$folder/comment.md
messages=$folder/messages.txt
program=${PROGRAM:-$RUNNER_TEMP/ses-perimeter-target/release/ses-perimeter}

judge() {
    if [[ -n "$VERSION" ]]; then
        local found
        found=$("$program" --version) || return 2
        if [[ "${found##* }" != "$VERSION" ]]; then
            echo "the program is ${found##* }, and the input version asks for $VERSION"
            return 2
        fi
    fi
    local arguments=(what-if "--plan=$PLAN" --format markdown "--out=$result" --color never "--fail-on=${FAIL_ON:-regression}")
    if [[ -n "$SNAPSHOT" ]]; then
        arguments+=("--snapshot=$SNAPSHOT")
    fi
    if [[ -n "$PERIMETER" ]]; then
        arguments+=("--perimeter=$PERIMETER")
    fi
    "$program" "${arguments[@]}"
}

code=0
judge >"$messages" 2>&1 || code=$?
cat "$messages"
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

{
    echo "$MARKER"
    if [[ $code -eq 2 ]]; then
        echo "### SES perimeter: nothing was decided"
        echo
        echo "The plan or the snapshot could not be read, so nothing is known about this change."
        echo
        # Four spaces make it code, whatever is in it.
        beginning 20000 "$messages" | sed 's/^/    /'
    else
        beginning "$LONGEST" "$result"
        if [[ $(wc -c <"$result") -gt $LONGEST ]]; then
            echo
            echo
            echo "_Cut here: the rest is in the summary of the job._"
        fi
    fi
} >"$comment"

# One comment, found by its first line; only bots write comments for the job's token.
post() {
    local comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments listed id
    # A constant expression: nothing of the input is part of it.
    # shellcheck disable=SC2016
    listed=$(gh api --paginate "$comments" \
        --jq '.[] | select(.user.type == "Bot") | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @tsv') || return 1
    id=$(awk -F '\t' -v marker="$MARKER" '$2 == marker { print $1; exit }' <<<"$listed")
    if [[ -n "$id" ]]; then
        gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$comment"
    else
        gh api --silent --method POST "$comments" --field "body=@$comment"
    fi
}

if [[ "$PULL_REQUEST" =~ ^[0-9]+$ ]]; then
    # The verdict counts, also where the token may not write: pull requests from forks have such.
    post || echo "::warning::the comment could not be written; the summary of the job has it"
fi
if [[ -n "${GITHUB_STEP_SUMMARY:-}" ]]; then
    if [[ $code -eq 2 ]]; then cat "$comment"; else cat "$result"; fi >>"$GITHUB_STEP_SUMMARY"
fi
if [[ -n "${GITHUB_OUTPUT:-}" ]]; then
    printf 'exit-code=%s\ncomment=%s\n' "$code" "$comment" >>"$GITHUB_OUTPUT"
fi

case $code in
1) echo "::error::a verdict gets worse with this change, or what fail-on names is there" ;;
2) echo "::error::nothing was decided about this change" ;;
3) echo "::warning::no verdict gets worse, but one that failed is undecided with this change" && exit 0 ;;
esac
exit "$code"
