"""The GitHub action, its example and the pre-commit hook, with a made-up `gh` and program."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

from .template import REPOSITORY

ACTION = REPOSITORY / "infra/github-action"
EXAMPLE = REPOSITORY / "examples/pull-request"
OFFICIAL = re.compile(r"(actions|github)/[\w-]+@[0-9a-f]{40}")

# Keeps the comments of one pull request in a file, and every call with its token in another.
GH = """
import json, os, sys
store = os.environ["STORE"]
arguments = sys.argv[1:]
with open(store + ".calls", "a") as calls:
    print(json.dumps([os.environ.get("GH_TOKEN"), *arguments]), file=calls)
if os.environ.get("GH_FAILS"):
    sys.exit("HTTP 403: Resource not accessible by integration")
comments = json.load(open(store))
assert arguments[0] == "api"
method = arguments[arguments.index("--method") + 1] if "--method" in arguments else "GET"
(path,) = [it for it in arguments if it.startswith("repos/")]
if method == "GET":
    assert path == "repos/acme/scps/issues/7/comments"
    for comment in comments:
        if comment["user"]["type"] == "Bot":
            first = comment["body"].split("\\n")[0].removesuffix("\\r")
            print(comment["id"], first, sep="\\t")
else:
    field = arguments[arguments.index("--field") + 1]
    body = open(field.removeprefix("body=@")).read()
    if method == "POST":
        assert path == "repos/acme/scps/issues/7/comments"
        comments.append({"id": 100 + len(comments), "user": {"type": "Bot"}, "body": body})
    else:
        (comment,) = [it for it in comments if path == f"repos/acme/scps/issues/comments/{it['id']}"]
        comment["body"] = body
    json.dump(comments, open(store, "w"))
"""

# Notes its arguments, writes a result and ends as it is told.
PROGRAM = """
import json, os, sys
if sys.argv[1:] == ["--version"]:
    print("ses-perimeter 0.1.0")
    sys.exit()
with open(os.environ["STORE"] + ".program", "w") as seen:
    json.dump(sys.argv[1:], seen)
code = int(os.environ["CODE"])
(out,) = [it.removeprefix("--out=") for it in sys.argv if it.startswith("--out=")]
if code in (0, 1, 3) and not os.environ.get("SILENT"):
    open(out, "w").write(os.environ.get("RESULT", "### Result\\n"))
print("``` a message", file=sys.stderr)
sys.exit(code)
"""


def loaded(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def uses(document) -> list[str]:
    """Every action that a workflow or composite action uses."""
    jobs = document.get("jobs", {}).values()
    steps = [*document.get("runs", {}).get("steps", []), *(step for job in jobs for step in job["steps"])]
    return [step["uses"] for step in steps if "uses" in step]


class Definition(unittest.TestCase):
    def setUp(self):
        self.action = loaded(ACTION / "action.yml")
        self.steps = self.action["runs"]["steps"]

    def test_every_input_is_described_and_used(self):
        text = (ACTION / "action.yml").read_text()
        for name, given in self.action["inputs"].items():
            with self.subTest(input=name):
                self.assertTrue(given["description"].strip())
                self.assertIn(f"${{{{ inputs.{name} }}}}", text.replace("\n", " "))
                self.assertIn(f"| `{name}` |", (EXAMPLE / "README.md").read_text())

    def test_nothing_is_interpolated_into_a_script(self):
        for step in self.steps:
            self.assertNotIn("${{", step.get("run", ""))
        for script in ACTION.glob("*.sh"):
            self.assertNotIn("${{", script.read_text())

    def test_each_script_gets_the_variables_that_it_reads(self):
        runner = {"GITHUB_REPOSITORY", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTION_PATH", "RUNNER_TEMP"}
        for step in self.steps:
            script = ACTION / Path(step["run"].strip('"')).name
            text = script.read_text()
            own = set(re.findall(r"^readonly (\w+)=", text, re.MULTILINE))
            read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", text)) - runner - own
            with self.subTest(script=script.name):
                self.assertEqual(read, set(step["env"]) - {"GH_TOKEN"})
                self.assertTrue(os.access(script, os.X_OK))

    def test_scripts_are_bash_that_parses(self):
        for script in ACTION.glob("*.sh"):
            subprocess.run(["bash", "-n", str(script)], check=True)

    def test_only_pinned_official_actions_are_used(self):
        self.assertEqual(uses(self.action), [])
        found = uses(loaded(EXAMPLE / "workflow.yml"))
        self.assertTrue(found)
        for name in found:
            ours = name.startswith("example-org/ses-perimeter/infra/github-action@")
            self.assertTrue(ours or OFFICIAL.fullmatch(name), name)


class Example(unittest.TestCase):
    def setUp(self):
        self.workflow = loaded(EXAMPLE / "workflow.yml")

    def test_the_workflow_may_no_more_than_it_must(self):
        # YAML 1.1 reads the key `on` as true.
        self.assertEqual(list(self.workflow[True]), ["pull_request"])
        self.assertEqual(self.workflow["permissions"], {})
        (job,) = self.workflow["jobs"].values()
        self.assertEqual(job["permissions"], {"contents": "read", "pull-requests": "write"})
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                self.assertIs(step["with"]["persist-credentials"], False)

    def test_the_workflow_gives_inputs_that_there_are(self):
        (job,) = self.workflow["jobs"].values()
        given = job["steps"][-1]["with"]
        inputs = loaded(ACTION / "action.yml")["inputs"]
        self.assertLessEqual(set(given), set(inputs))
        self.assertLessEqual({name for name, it in inputs.items() if it.get("required")}, set(given))


class Hook(unittest.TestCase):
    def test_the_hook_lints_policy_documents_and_nothing_else(self):
        (hook,) = loaded(REPOSITORY / ".pre-commit-hooks.yaml")
        self.assertEqual(hook["entry"], "ses-perimeter lint")
        self.assertEqual(hook["language"], "system")
        files = re.compile(hook["files"])
        for path in ("scps/mail.json", "organization/scp/mail.json", "service-control-policies/a/b.json"):
            self.assertTrue(files.search(path), path)
        for path in ("package.json", "scps/README.md", "myscps/mail.json", "scps.json"):
            self.assertFalse(files.search(path), path)
        self.assertIn("ses-perimeter-lint", (REPOSITORY / "docs/changes.md").read_text())


class Script(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.store = self.folder / "comments.json"
        for name, body in (("gh", GH), ("ses-perimeter", PROGRAM)):
            path = self.folder / name
            path.write_text(f"#!{sys.executable}\n{body}")
            path.chmod(0o755)
        self.keep([])

    def keep(self, comments: list[dict]):
        self.store.write_text(json.dumps(comments))

    def comments(self) -> list[dict]:
        return json.loads(self.store.read_text())

    def run_script(self, code: int, **variables: str) -> subprocess.CompletedProcess:
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "STORE": str(self.store),
            "CODE": str(code),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_REPOSITORY": "acme/scps",
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GH_TOKEN": "t0ken",
            "PULL_REQUEST": "7",
            "PLAN": "a plan.json",
            "SNAPSHOT": "snapshot.json",
            "PERIMETER": "",
            "PROGRAM": "ses-perimeter",
            "VERSION": "",
            "NAME": "what-if",
            **variables,
        }
        command = ["bash", str(ACTION / "what-if.sh")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=self.folder)

    def test_the_job_ends_as_the_program_does(self):
        for code, expected in ((0, 0), (1, 1), (2, 2), (3, 0), (101, 2)):
            with self.subTest(code=code):
                self.keep([])
                ran = self.run_script(code)
                self.assertEqual(ran.returncode, expected, ran.stdout + ran.stderr)
                (comment,) = self.comments()
                self.assertTrue(comment["body"].startswith("<!-- ses-perimeter:what-if -->\n"))
                decided = "nothing was decided" not in comment["body"]
                self.assertEqual(decided, code in (0, 1, 3))
                self.assertEqual("::warning::" in ran.stdout, code == 3)
                told = 2 if code == 101 else code
                self.assertIn(f"exit-code={told}\n", (self.folder / "output").read_text())

    def test_the_second_run_updates_the_comment_of_the_first(self):
        someone = {"id": 1, "user": {"type": "User"}, "body": "<!-- ses-perimeter:what-if -->\nmine"}
        other = {"id": 2, "user": {"type": "Bot"}, "body": "<!-- ses-perimeter:staging -->\nother"}
        self.keep([someone, other])
        self.run_script(1, RESULT="### Before\n")
        self.run_script(0, RESULT="### After\n")
        first, second, ours = self.comments()
        self.assertEqual([first, second], [someone, other])
        self.assertEqual(ours["body"], "<!-- ses-perimeter:what-if -->\n### After\n")

    def test_the_program_gets_what_the_inputs_say_and_nothing_is_run(self):
        evil = "$(touch gone).json; touch gone `touch gone`"
        self.run_script(0, PLAN=evil, SNAPSHOT="", PERIMETER="-p", RESULT="$(touch gone)\n`touch gone`\n")
        seen = json.loads(Path(f"{self.store}.program").read_text())
        self.assertEqual(seen[:2], ["what-if", f"--plan={evil}"])
        self.assertIn("--perimeter=-p", seen)
        self.assertFalse([it for it in seen if it.startswith("--snapshot")])
        self.assertEqual(seen[seen.index("--format") + 1], "markdown")
        self.assertFalse((self.folder / "gone").exists())
        self.assertIn("$(touch gone)", self.comments()[0]["body"])

    def test_gh_gets_the_token_and_no_text_of_ours_as_code(self):
        self.run_script(1)
        calls = [json.loads(line) for line in Path(f"{self.store}.calls").read_text().splitlines()]
        self.assertEqual(len(calls), 2)
        for token, *arguments in calls:
            self.assertEqual(token, "t0ken")
            self.assertFalse([it for it in arguments if "what-if" in it and not it.startswith("body=@")])

    def test_a_name_that_is_none_is_refused_before_anything_is_done(self):
        for name in ("", "a b", "--> <script>", "a--b", "a" * 61):
            with self.subTest(name=name):
                self.assertEqual(self.run_script(0, NAME=name).returncode, 2)
                self.assertEqual(self.comments(), [])

    def test_another_version_decides_nothing(self):
        self.assertEqual(self.run_script(0, VERSION="9.9.9").returncode, 2)
        self.assertIn("asks for 9.9.9", self.comments()[0]["body"])
        self.assertEqual(self.run_script(0, VERSION="0.1.0").returncode, 0)

    def test_a_program_that_is_missing_or_writes_nothing_passes_nothing(self):
        self.assertEqual(self.run_script(0, PROGRAM=str(self.folder / "nowhere")).returncode, 2)
        self.assertEqual(self.run_script(0, SILENT="yes").returncode, 2)
        self.assertEqual(len(self.comments()), 1)

    def test_a_token_that_may_not_write_does_not_change_the_verdict(self):
        for code in (0, 1):
            ran = self.run_script(code, GH_FAILS="yes")
            self.assertEqual(ran.returncode, code)
            self.assertIn("::warning::the comment could not be written", ran.stdout)
        self.assertIn("### Result", (self.folder / "summary").read_text())

    def test_outside_a_pull_request_nothing_is_posted(self):
        self.assertEqual(self.run_script(1, PULL_REQUEST="").returncode, 1)
        self.assertFalse(Path(f"{self.store}.calls").exists())

    def test_a_long_result_is_cut_between_characters(self):
        self.run_script(0, RESULT="x" + "é" * 40_000)
        body = self.comments()[0]["body"]
        self.assertLess(len(body), 65_536)
        self.assertIn("Cut here", body)
        self.assertEqual((self.folder / "summary").read_text().count("é"), 40_000)

    def test_messages_of_the_program_cannot_end_their_block(self):
        self.run_script(2)
        self.assertIn("\n    ``` a message", self.comments()[0]["body"])


if __name__ == "__main__":
    unittest.main()
