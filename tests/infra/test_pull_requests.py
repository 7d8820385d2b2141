"""The GitHub action, its example and the pre-commit hook, with a made-up `gh` and program."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
from pathlib import Path

import yaml

from .template import REPOSITORY

ACTION = REPOSITORY / "infra/github-action"
EXAMPLE = REPOSITORY / "examples/pull-request"
PINNED = re.compile(r"(?:actions/checkout|example-org/ses-perimeter/infra/github-action)@[0-9a-f]{40} # v\d+\.\d+\.\d+")

# Every stub is told where its notes are by a file beside it: nothing else reaches it from the test.
STUB = """
import json, os, sys
told = json.load(open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "told.json")))
arguments = sys.argv[1:]
with open(told["calls"], "a") as calls:
    name = os.path.basename(__file__)
    print(json.dumps([name, os.getcwd(), dict(os.environ), arguments]), file=calls)
"""

# Keeps the comments of one pull request in a file, and has the files of the base branch.
GH = STUB + """
store = told["store"]
assert arguments[0] == "api"
method = arguments[arguments.index("--method") + 1] if "--method" in arguments else "GET"
(path,) = [it for it in arguments if it.startswith("repos/")]
contents = "repos/acme/scps/contents"
if path.startswith(contents):
    name, base = path.removeprefix(contents).split("?ref=")
    assert base == told["base_commit"], base
    if told.get("contents_refused") or name and name[1:] not in told["base"]:
        sys.exit("gh: Not Found (HTTP 404)")
    print(told["base"][name[1:]] if name else "[]", end="")
    sys.exit()
if told.get("comments_refused"):
    sys.exit("HTTP 403: Resource not accessible by integration")
comments = json.load(open(store))
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

# Writes a result and ends as it is told; keeps what it was given to read.
PROGRAM = STUB + """
if arguments == ["--version"]:
    print("ses-perimeter 0.1.0")
    sys.exit()
code = told["code"]
given = dict(it.removeprefix("--").split("=", 1) for it in arguments if it.startswith("--") and "=" in it)
read = {name: open(given[name]).read() for name in ("parameters", "perimeter", "new-perimeter", "snapshot") if name in given}
with open(told["read"], "w") as out:
    json.dump(read, out)
if code in (0, 1, 3) and not told.get("silent"):
    open(given["out"], "w").write("<!-- ses-perimeter -->\\n" + told["result"])
print(told["message"], file=sys.stderr)
sys.exit(code)
"""

# Builds: puts the program where cargo would.
CARGO = STUB + """
import shutil
target = arguments[arguments.index("--target-dir") + 1]
os.makedirs(f"{target}/release")
shutil.copy2(told["program"], f"{target}/release/ses-perimeter")
with open(f"{target}/release/told.json", "w") as out:
    json.dump(told, out)
"""

# Leaves a trace where it is run at all.
TRAP = "#!/bin/bash\n: > {trace}\n"


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
                self.assertRegex(text, rf"\$\{{\{{ inputs\.{name} (}}}}|\|\|)")
                self.assertIn(f"| `{name}` |", (EXAMPLE / "README.md").read_text())

    def test_nothing_is_interpolated_into_a_script(self):
        for step in self.steps:
            self.assertNotIn("${{", step.get("run", ""))
        for script in ACTION.glob("*.sh"):
            self.assertNotIn("${{", script.read_text())

    def test_each_script_gets_the_variables_that_it_reads(self):
        runner = {"PATH", "BASH_SOURCE", "LC_ALL"}
        loader = {"LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD"}
        for step in self.steps:
            script = ACTION / Path(step["run"].strip('"')).name
            text = script.read_text()
            own = set(re.findall(r"^readonly (\w+)=", text, re.MULTILINE))
            read = {name for name in re.findall(r"\$\{?([A-Z][A-Z_]+)", text) if not name.startswith(("GITHUB_", "RUNNER_"))}
            with self.subTest(script=script.name):
                self.assertEqual(read - runner - own - {"RUSTUP_HOME"}, set(step["env"]) - loader)
                # An empty value stands above what an earlier step left.
                self.assertEqual({step["env"][name] for name in loader}, {""})
                self.assertTrue(os.access(script, os.X_OK))

    def test_bash_is_a_fixed_one_that_takes_nothing_from_the_environment(self):
        for step in self.steps:
            self.assertEqual(step["shell"], "/bin/bash --noprofile --norc -p -eo pipefail {0}")
            script = ACTION / Path(step["run"].strip('"')).name
            self.assertEqual(script.read_text().splitlines()[0], "#!/bin/bash -p")

    def test_the_token_reaches_the_step_that_comments_and_no_other(self):
        build, judge = self.steps
        self.assertNotIn("GH_TOKEN", build["env"])
        self.assertIn("GH_TOKEN", judge["env"])

    def test_scripts_are_bash_that_parses(self):
        for script in ACTION.glob("*.sh"):
            subprocess.run(["bash", "-n", str(script)], check=True)

    def test_every_action_is_pinned_to_a_commit_and_says_its_version(self):
        self.assertEqual(uses(self.action), [])
        text = (EXAMPLE / "workflow.yml").read_text()
        found = re.findall(r"uses: (.*)", text)
        self.assertEqual(len(found), len(uses(loaded(EXAMPLE / "workflow.yml"))))
        self.assertEqual(len(found), 2)
        for line in found:
            self.assertRegex(line, PINNED)


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


class GitLab(unittest.TestCase):
    """The job for GitLab, run in a clone with a stub for the program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.job = loaded(EXAMPLE / "gitlab-ci.yml")["ses-perimeter"]
        self.origin, self.clone = self.folder / "origin", self.folder / "clone"
        (self.origin / "organization").mkdir(parents=True)
        for name in ("policies.yaml", "snapshot.json", "perimeter.toml"):
            (self.origin / "organization" / name).write_text("of the target")
        self.git(self.origin, "init", "--quiet", "--initial-branch", "main;touch${IFS}gone")
        self.git(self.origin, "add", ".")
        self.git(self.origin, "commit", "--quiet", "--message", "a")
        self.git(self.folder, "clone", "--quiet", str(self.origin), str(self.clone))
        self.program = self.folder / "program"
        self.program.write_text(f"#!{sys.executable}\n{PROGRAM}")
        self.program.chmod(0o755)

    def git(self, folder: Path, *arguments: str):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)

    def run_job(self, code: int, **variables: str) -> subprocess.CompletedProcess:
        told = {"calls": "calls", "read": "read", "code": code, "result": "## Result\n", "message": "a message"}
        told |= {name: str(self.folder / name) for name in ("calls", "read")}
        (self.folder / "told.json").write_text(json.dumps(told))
        (script,) = self.job["script"]
        environment = {
            **self.job["variables"],
            **variables,
            "CI_PROJECT_DIR": str(self.clone),
            "CI_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_PROJECT_ID": "2",
            "CI_MERGE_REQUEST_PROJECT_URL": str(self.origin),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main;touch${IFS}gone",
            "CI_JOB_TOKEN": "t0ken",
        }
        script = script.replace("/usr/local/bin/ses-perimeter", str(self.program))
        return subprocess.run(["/bin/bash", "-c", script], check=False, env=environment, cwd=self.clone, capture_output=True, text=True)

    def test_the_image_is_pinned_and_nothing_of_other_jobs_comes_in(self):
        self.assertRegex(self.job["image"]["name"], r"@sha256:[0-9a-f]{64}$")
        self.assertEqual((self.job["dependencies"], self.job["cache"]), ([], []))
        (rule,) = self.job["rules"]
        self.assertEqual(rule["if"], '$CI_PIPELINE_SOURCE == "merge_request_event"')
        self.assertEqual(self.job["allow_failure"], {"exit_codes": [3]})
        self.assertEqual(self.job["artifacts"]["paths"], [self.job["variables"]["RESULT"]])
        # What GitLab puts into the script itself would be read by the shell.
        self.assertNotIn("$[[", str(self.job["script"]))

    def test_the_target_branch_judges_and_the_job_ends_as_the_program_does(self):
        for name in ("snapshot.json", "perimeter.toml"):
            (self.clone / "organization" / name).write_text("of the merge request")
        for code in (0, 1, 2, 3):
            with self.subTest(code=code):
                (self.clone / "ses-perimeter.md").unlink(missing_ok=True)
                ran = self.run_job(code)
                self.assertEqual(ran.returncode, code, ran.stderr)
                read = dict.fromkeys(("perimeter", "snapshot"), "of the target")
                self.assertEqual(json.loads((self.folder / "read").read_text()), {**read, "new-perimeter": "of the merge request"})
                self.assertEqual((self.clone / "ses-perimeter.md").exists(), code != 2)
        self.assertNotIn("t0ken", (self.folder / "calls").read_text())
        self.assertEqual(list(self.folder.rglob("gone")), [])

    def test_parameters_are_those_of_the_merge_request_and_no_shell_reads_their_name(self):
        name = "$(touch gone) 'a' * \"b\".json"
        (self.clone / name).write_text("of the merge request")
        self.assertEqual(self.run_job(0, PARAMETERS=name).returncode, 0)
        self.assertEqual(json.loads((self.folder / "read").read_text())["parameters"], "of the merge request")
        self.assertEqual(self.run_job(0).returncode, 0)
        self.assertNotIn("parameters", json.loads((self.folder / "read").read_text()))
        (self.clone / name).unlink()
        (self.clone / name).symlink_to(self.folder / "told.json")
        self.assertEqual(self.run_job(0, PARAMETERS=name).returncode, 2)
        self.assertEqual(list(self.folder.rglob("gone")), [])

    def test_links_are_refused_and_the_result_goes_through_none(self):
        (self.folder / "secret").write_text("s3cret")
        (self.clone / "ses-perimeter.md").symlink_to(self.folder / "secret")
        self.assertEqual(self.run_job(0).returncode, 0)
        self.assertEqual((self.folder / "secret").read_text(), "s3cret")
        plan = self.clone / "organization/policies.yaml"
        plan.unlink()
        plan.symlink_to(self.folder / "secret")
        self.assertEqual(self.run_job(0).returncode, 2)

    def test_hooks_of_the_clone_are_not_run(self):
        for hook in ("reference-transaction", "post-checkout", "post-merge"):
            path = self.clone / ".git/hooks" / hook
            path.parent.mkdir(exist_ok=True)
            path.write_text(TRAP.format(trace=self.folder / "trace"))
            path.chmod(0o755)
        self.assertEqual(self.run_job(0).returncode, 0)
        self.assertFalse((self.folder / "trace").exists())


class Run(unittest.TestCase):
    """The steps of the composite action, run as GitHub runs them, with stubs for `gh`, `cargo` and the program."""

    BASE = "b" * 40

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.workspace, self.temp, self.bin = (self.folder / it for it in ("work/scps/scps", "work/_temp", "bin"))
        self.source = self.folder / "work/_actions/acme/ses-perimeter/0123"
        self.action = self.source / "infra/github-action"
        for path in (self.workspace, self.temp, self.bin):
            path.mkdir(parents=True)
        shutil.copytree(ACTION, self.action)
        (self.source / "Cargo.toml").write_text("")
        for name, body in (("gh", GH), ("ses-perimeter", PROGRAM), ("cargo", CARGO)):
            path = self.bin / name
            path.write_text(f"#!{sys.executable}\n{body}")
            path.chmod(0o755)
        self.store = self.folder / "comments.json"
        self.told = {
            "calls": str(self.folder / "calls"),
            "store": str(self.store),
            "read": str(self.folder / "read"),
            "program": str(self.bin / "ses-perimeter"),
            "base_commit": self.BASE,
            "base": {"perimeter.toml": "of the base", "snapshot.json": "{}"},
            "code": 0,
            "result": "## Result\n",
            "message": "``` a message",
        }
        for name, text in self.told["base"].items():
            (self.workspace / name).write_text(text)
        (self.workspace / "a plan.json").write_text("{}")
        self.inputs = {"plan": "a plan.json", "snapshot": "snapshot.json"}
        self.event = {"pull_request": {"number": 7, "base": {"sha": self.BASE}}}
        # What earlier steps of the job put into its environment.
        self.job: dict[str, str] = {}
        self.keep([])

    def keep(self, comments: list[dict]):
        self.store.write_text(json.dumps(comments))

    def comments(self) -> list[dict]:
        return json.loads(self.store.read_text())

    def calls(self, name: str) -> list[tuple[str, dict, list[str]]]:
        path = Path(self.told["calls"])
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(rest) for called, *rest in map(json.loads, lines) if called == name]

    def read(self) -> dict[str, str]:
        return json.loads(Path(self.told["read"]).read_text())

    def value(self, expression: str, steps: dict) -> str:
        """An expression of the few forms that the action has."""
        for alternative in expression.split(" || "):
            where = {"inputs": self.inputs, "steps": steps, "github": {"event": self.event, "token": "t0ken"}}
            for part in alternative.strip().split("."):
                where = where.get(part, {}) if isinstance(where, dict) else {}
            if where not in ({}, ""):
                return str(where)
        return ""

    def run_action(self, **told) -> subprocess.CompletedProcess:
        """Runs every step; the outcome of the last one that ran."""
        self.told |= told
        (self.bin / "told.json").write_text(json.dumps(self.told))
        definition = loaded(ACTION / "action.yml")
        given = self.inputs
        self.inputs = {
            name: given.get(name, self.value(str(it.get("default", "")).strip("${} "), {}) if "${{" in str(it.get("default", "")) else it.get("default", ""))
            for name, it in definition["inputs"].items()
        }
        steps: dict[str, dict] = {}
        try:
            for step in definition["runs"]["steps"]:
                if "if" in step:
                    self.assertEqual(step["if"], "inputs.program == ''")
                    if self.inputs["program"]:
                        continue
                output = self.temp / "output"
                output.write_text("")
                own = {
                    name: re.sub(r"\$\{\{(.*?)\}\}", lambda found: self.value(found[1], steps), str(text))
                    for name, text in step["env"].items()
                }
                runner = {
                    "GITHUB_ACTION_PATH": str(self.action),
                    "GITHUB_EVENT_NAME": self.told.get("event_name", "pull_request"),
                    "GITHUB_OUTPUT": str(output),
                    "GITHUB_REPOSITORY": "acme/scps",
                    "GITHUB_SERVER_URL": "https://github.com",
                    "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                    "GITHUB_WORKSPACE": str(self.workspace),
                    "RUNNER_TEMP": str(self.temp),
                }
                environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": "/nowhere", **self.job, **own, **runner}
                script = self.temp / "step.sh"
                script.write_text(step["run"])
                command = [it.replace("{0}", str(script)) for it in shlex.split(step["shell"])]
                ran = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, cwd=self.workspace)
                lines = output.read_text().splitlines()
                steps[step["id"]] = {"outputs": dict(line.split("=", 1) for line in lines)}
                self.outputs = steps[step["id"]]["outputs"]
                if ran.returncode != 0:
                    break
        finally:
            self.inputs = given
        return ran

    def test_the_job_ends_as_the_program_does(self):
        for code, expected in ((0, 0), (1, 1), (2, 2), (3, 0), (101, 2)):
            with self.subTest(code=code):
                self.keep([])
                ran = self.run_action(code=code)
                self.assertEqual(ran.returncode, expected, ran.stdout + ran.stderr)
                (comment,) = self.comments()
                self.assertTrue(comment["body"].startswith("<!-- ses-perimeter:what-if -->\n"))
                decided = "nothing was decided" not in comment["body"]
                self.assertEqual(decided, code in (0, 1, 3))
                self.assertEqual("::warning::" in ran.stdout, code == 3)
                self.assertEqual(self.outputs["exit-code"], str(2 if code == 101 else code))
                self.assertEqual(Path(self.outputs["comment"]).read_text(), comment["body"])

    def test_the_second_run_updates_the_comment_of_the_first(self):
        someone = {"id": 1, "user": {"type": "User"}, "body": "<!-- ses-perimeter:what-if -->\nmine"}
        other = {"id": 2, "user": {"type": "Bot"}, "body": "<!-- ses-perimeter:staging -->\nother"}
        self.keep([someone, other])
        self.run_action(code=1, result="## Before\n")
        self.run_action(code=0, result="## After\n")
        first, second, ours = self.comments()
        self.assertEqual([first, second], [someone, other])
        self.assertEqual(ours["body"], "<!-- ses-perimeter:what-if -->\n<!-- ses-perimeter -->\n## After\n")

    def test_the_program_gets_what_the_inputs_say_and_nothing_is_run(self):
        evil = "$(touch gone).json; touch gone `touch gone`"
        parameters = f"--out=/{evil}\n* 'p'"
        (self.workspace / "--out=").mkdir()
        (self.workspace / parameters).write_text("values")
        self.inputs |= {"plan": evil, "parameters": parameters, "snapshot": "", "perimeter": "-p", "fail-on": "$(touch gone)"}
        (self.workspace / "-p").write_text("of the base")
        self.told["base"]["-p"] = "of the base"
        ran = self.run_action(result="$(touch gone)\n`touch gone`\n")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        ((_, _, seen),) = self.calls("ses-perimeter")
        self.assertEqual(seen[:2], ["what-if", f"--plan={evil}"])
        self.assertIn("--fail-on=$(touch gone)", seen)
        self.assertIn(f"--parameters={parameters}", seen)
        self.assertEqual(self.read()["parameters"], "values")
        self.assertFalse([it for it in seen if it.startswith("--snapshot")])
        self.assertEqual(seen[seen.index("--format") + 1], "markdown")
        self.assertEqual(list(self.folder.rglob("gone")), [])
        self.assertIn("$(touch gone)", self.comments()[0]["body"])

    def test_gh_gets_the_token_and_the_program_and_cargo_do_not(self):
        self.job = {"AWS_ACCESS_KEY_ID": "A", "AWS_CONFIG_FILE": "evil", "GITHUB_TOKEN": "t0ken"}
        self.run_action(code=1)
        calls = self.calls("gh")
        # Perimeter beside the snapshot, perimeter, snapshot; the list of comments, the new one.
        self.assertEqual(len(calls), 5)
        for _, environment, arguments in calls:
            self.assertEqual(environment["GH_TOKEN"], "t0ken")
            self.assertFalse([it for it in arguments if "what-if" in it and not it.startswith("body=@")])
        for name in ("ses-perimeter", "cargo"):
            ((_, environment, _),) = self.calls(name)
            self.assertNotIn("t0ken", environment.values())
            self.assertFalse([it for it in environment if it.startswith(("GITHUB", "AWS"))])

    def test_credentials_of_the_job_serve_live_reading_alone_and_no_configuration_comes_with_them(self):
        self.job = {"AWS_ACCESS_KEY_ID": "A", "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": "e", "AWS_PROFILE": "e"}
        self.inputs["snapshot"] = ""
        self.run_action()
        ((_, environment, _),) = self.calls("ses-perimeter")
        aws = {name for name in environment if name.startswith("AWS")}
        self.assertEqual(aws, {"AWS_ACCESS_KEY_ID", "AWS_REGION"})
        ((_, _, arguments),) = self.calls("cargo")
        self.assertNotIn("--no-default-features", arguments)

    def test_the_program_is_built_from_the_source_of_the_action_in_a_new_folder(self):
        self.run_action()
        self.run_action()
        first, second = self.calls("cargo")
        for folder, _, arguments in (first, second):
            self.assertEqual(folder, str(self.source))
            self.assertEqual(arguments[arguments.index("--manifest-path") + 1], str(self.source / "Cargo.toml"))
            self.assertLess({"--locked", "--no-default-features"}, set(arguments))
        self.assertNotEqual(first[1]["CARGO_HOME"], second[1]["CARGO_HOME"])
        self.assertNotEqual(first[2][-1], second[2][-1])

    def test_a_name_that_is_none_is_refused_before_anything_is_done(self):
        for name in ("a b", "--> <script>", "a--b", "a" * 61):
            with self.subTest(name=name):
                self.inputs["name"] = name
                self.assertEqual(self.run_action().returncode, 2)
                self.assertEqual(self.comments(), [])

    def test_another_version_decides_nothing(self):
        self.inputs["version"] = "9.9.9"
        self.assertEqual(self.run_action().returncode, 2)
        self.assertIn("asks for 9.9.9", self.comments()[0]["body"])
        self.inputs["version"] = "0.1.0"
        self.assertEqual(self.run_action().returncode, 0)

    def test_a_program_that_is_missing_or_writes_nothing_passes_nothing(self):
        self.inputs["program"] = str(self.folder / "nowhere")
        self.assertEqual(self.run_action().returncode, 2)
        self.inputs["program"] = "ses-perimeter"
        self.assertEqual(self.run_action().returncode, 0)
        self.assertEqual(self.run_action(silent=True).returncode, 2)
        self.assertEqual(len(self.comments()), 1)

    def test_a_fork_whose_token_may_not_write_has_its_verdict_in_the_summary(self):
        for code in (0, 1):
            ran = self.run_action(code=code, comments_refused=True)
            self.assertEqual(ran.returncode, code)
            self.assertIn("::warning::the comment could not be written", ran.stdout)
        self.assertIn("## Result", (self.folder / "summary").read_text())
        self.assertEqual(self.comments(), [])

    def test_outside_a_pull_request_nothing_is_posted_and_the_own_files_judge(self):
        self.event = {}
        (self.workspace / "perimeter.toml").write_text("of the workspace")
        self.assertEqual(self.run_action(code=1, event_name="push").returncode, 1)
        self.assertEqual(self.calls("gh"), [])
        self.assertEqual(self.read()["perimeter"], "of the workspace")

    def test_a_long_result_is_cut_between_characters(self):
        self.run_action(result="x" + "é" * 40_000)
        body = self.comments()[0]["body"]
        self.assertLess(len(body), 65_536)
        self.assertIn("Cut here", body)
        self.assertEqual((self.folder / "summary").read_text().count("é"), 40_000)

    def test_messages_of_the_program_can_neither_end_their_block_nor_command_the_runner(self):
        ran = self.run_action(code=2, message="``` a message\n::set-output name=exit-code::0\n  ::add-mask::e")
        self.assertIn("\n    ``` a message", self.comments()[0]["body"])
        lines = ran.stdout.splitlines()
        stop = next(at for at, line in enumerate(lines) if line.startswith("::stop-commands::"))
        token = lines[stop].removeprefix("::stop-commands::")
        self.assertRegex(token, "^[0-9a-f]{32}$")
        end = lines.index(f"::{token}::")
        for at, line in enumerate(lines):
            if "set-output" in line or "add-mask" in line:
                self.assertTrue(stop < at < end, line)

    def test_perimeter_and_snapshot_are_those_of_the_base_branch(self):
        (self.workspace / "perimeter.toml").write_text("of the pull request")
        (self.workspace / "snapshot.json").write_text('{"mine": true}')
        for given in ({}, {"perimeter": "perimeter.toml"}, {"perimeter": f"{self.workspace}/./perimeter.toml"}):
            with self.subTest(given=given):
                self.inputs = {"plan": "a plan.json", "snapshot": "snapshot.json", **given}
                self.assertEqual(self.run_action().returncode, 0)
                read = {"perimeter": "of the base", "new-perimeter": "of the pull request", "snapshot": "{}"}
                self.assertEqual(self.read(), read)
                lines = self.comments()[0]["body"].splitlines()
                self.assertEqual(lines[2], "## Result")
                self.assertEqual(lines[4], "**This pull request changes the snapshot: that of the base branch was used.**")

    def test_parameters_are_those_of_the_pull_request(self):
        (self.workspace / "values.json").write_text("of the pull request")
        self.inputs["parameters"] = "values.json"
        self.assertEqual(self.run_action(base={**self.told["base"], "values.json": "of the base"}).returncode, 0)
        self.assertEqual(self.read()["parameters"], "of the pull request")
        self.assertFalse([it for _, _, it in self.calls("gh") if "values.json" in str(it)])
        self.assertNotIn("base branch", self.comments()[0]["body"])

    def test_a_perimeter_that_is_the_same_is_not_shown(self):
        self.run_action()
        self.assertEqual(self.read(), {"perimeter": "of the base", "snapshot": "{}"})
        self.assertNotIn("base branch", self.comments()[0]["body"])

    def test_a_perimeter_with_an_odd_path_is_asked_for_by_that_path(self):
        name = "org & co/périmètre #1?.toml"
        (self.workspace / "org & co").mkdir()
        (self.workspace / name).write_text("of the pull request")
        self.inputs["perimeter"] = name
        quoted = urllib.parse.quote(name)
        self.assertEqual(self.run_action(base={quoted: "of the base", "snapshot.json": "{}"}).returncode, 0)
        self.assertEqual(self.read()["perimeter"], "of the base")

    def test_a_perimeter_that_the_pull_request_removes_still_judges(self):
        (self.workspace / "perimeter.toml").unlink()
        self.assertEqual(self.run_action().returncode, 0)
        self.assertEqual(self.read(), {"perimeter": "of the base", "snapshot": "{}"})
        self.assertIn("removes the perimeter", self.comments()[0]["body"])

    def test_the_perimeter_beside_the_snapshot_of_the_base_branch_comes_first(self):
        base = {"org/perimeter.toml": "beside", "org/snapshot.json": "{}", "perimeter.toml": "root"}
        self.inputs["snapshot"] = "org/snapshot.json"
        (self.workspace / "org").mkdir()
        (self.workspace / "org/snapshot.json").write_text("{}")
        # The pull request has removed the one beside the snapshot.
        self.assertEqual(self.run_action(base=base).returncode, 0)
        self.assertEqual(self.read()["perimeter"], "beside")

    def test_where_the_base_branch_has_no_perimeter_the_comment_says_whose_judged(self):
        self.assertEqual(self.run_action(base={"snapshot.json": "{}"}).returncode, 0)
        self.assertIn("\n**The base branch has no perimeter yet: that of this pull request was used.**\n", self.comments()[0]["body"])

    def test_a_base_branch_that_cannot_be_read_decides_nothing(self):
        self.assertEqual(self.run_action(contents_refused=True).returncode, 2)
        self.assertIn("needs contents: read", self.comments()[0]["body"])
        self.assertEqual(self.calls("ses-perimeter"), [])

    def test_files_behind_symbolic_links_are_not_read(self):
        secret = self.folder / "secret"
        secret.write_text("s3cret")
        (self.workspace / "values.json").write_text("{}")
        self.inputs["parameters"] = "values.json"
        for name in ("a plan.json", "values.json", "snapshot.json", "perimeter.toml"):
            with self.subTest(name=name):
                path = self.workspace / name
                before = path.read_text()
                path.unlink()
                path.symlink_to(secret)
                self.assertEqual(self.run_action().returncode, 2)
                self.assertIn("symbolic link", self.comments()[0]["body"])
                self.assertEqual(self.calls("ses-perimeter"), [])
                path.unlink()
                path.write_text(before)

    def test_the_event_that_gives_secrets_to_strangers_is_refused(self):
        ran = self.run_action(event_name="pull_request_target")
        self.assertEqual(ran.returncode, 2)
        self.assertEqual(self.calls("ses-perimeter") + self.calls("gh"), [])

    def test_an_action_or_a_program_in_the_workspace_is_not_run(self):
        trace = self.folder / "trace"
        mine = self.workspace / "ses-perimeter"
        mine.write_text(TRAP.format(trace=trace))
        mine.chmod(0o755)
        for program in ("./ses-perimeter", str(mine)):
            self.inputs["program"] = program
            self.assertEqual(self.run_action().returncode, 2)
        del self.inputs["program"]
        shutil.copytree(ACTION, self.workspace / "infra/github-action")
        self.action = self.workspace / "infra/github-action"
        self.assertEqual(self.run_action().returncode, 2)
        self.assertEqual(self.calls("cargo"), [])
        self.assertFalse(trace.exists())

    def plant(self, trace: Path) -> list[Path]:
        """Everything in a workspace that some tool would take for its own."""
        trap = self.workspace / "tools/trap"
        wrapper = f'[build]\nrustc-wrapper = "{trap}"\n[alias]\nbuild = "run"\n'
        files = {
            "tools/trap": TRAP.format(trace=trace),
            ".cargo/config.toml": wrapper,
            ".cargo/config": wrapper,
            "home/.cargo/config.toml": wrapper,
            "Cargo.toml": "[package]\nname = \"evil\"\nversion = \"1.0.0\"\nbuild = \"build.rs\"\n",
            "build.rs": f'fn main() {{ std::fs::write("{trace}", "").unwrap() }}',
            "rust-toolchain.toml": f'[toolchain]\npath = "{self.workspace}/toolchain"\n',
            "rust-toolchain": f'[toolchain]\npath = "{self.workspace}/toolchain"\n',
            ".gitattributes": "* filter=evil diff=evil\n",
            ".git/config": f"[core]\nfsmonitor = {trap}\n[filter \"evil\"]\nsmudge = {trap}\n[diff \"evil\"]\ntextconv = {trap}\n",
            "Makefile": f"$(shell {trap})\n",
            ".env": "RUSTC_WRAPPER=tools/trap\n",
            ".envrc": f"{trap}\n",
            ".bashrc": f"{trap}\n",
            ".ses-perimeter.toml": "",
            "profile.sh": f"{trap}\n",
            "gh/config.yml": f"aliases:\n  api: '!{trap}'\npager: {trap}\n",
            "aws/config": f"[default]\ncredential_process = {trap}\n",
        }
        for hook in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction"):
            files[f".git/hooks/{hook}"] = TRAP.format(trace=trace)
        for name in ("cargo", "rustc", "gh", "env", "realpath", "mktemp", "sed", "cat", "bash", "ses-perimeter", "iconv", "git", "make"):
            files[f"tools/bin/{name}"] = TRAP.format(trace=trace)
        for name, text in files.items():
            path = self.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if text.startswith("#!"):
                path.chmod(0o755)
        return [self.workspace / name for name in files]

    def test_nothing_that_a_pull_request_plants_in_the_workspace_is_read_or_run(self):
        trace = self.folder / "trace"
        planted = self.plant(trace)
        here = str(self.workspace)
        tools = f"{here}/tools/bin"
        # As a step does that puts .env into GITHUB_ENV and a folder into GITHUB_PATH.
        self.job = {
            "BASH_ENV": f"{here}/profile.sh",
            "ENV": f"{here}/profile.sh",
            "BASH_FUNC_cat%%": f"() {{ {here}/tools/trap; }}",
            "SHELLOPTS": "xtrace",
            "PS4": f"$({here}/tools/trap)",
            "CDPATH": here,
            "LD_PRELOAD": f"{here}/evil.so",
            "GCONV_PATH": here,
            "RUSTC_WRAPPER": f"{here}/tools/trap",
            "RUSTC": f"{here}/tools/trap",
            "RUSTUP_TOOLCHAIN": "evil",
            "RUSTUP_HOME": f"{here}/home",
            "CARGO_HOME": f"{here}/home/.cargo",
            "CARGO_BUILD_RUSTC_WRAPPER": f"{here}/tools/trap",
            "CARGO_ALIAS_BUILD": "run",
            "CARGO_TARGET_DIR": f"{here}/target",
            "RUSTFLAGS": f"-C linker={here}/tools/trap",
            "CC": f"{here}/tools/trap",
            "HOME": f"{here}/home",
            "XDG_CONFIG_HOME": here,
            "GH_CONFIG_DIR": f"{here}/gh",
            "GH_HOST": "evil.example",
            "GH_PAGER": f"{here}/tools/trap",
            "AWS_CONFIG_FILE": f"{here}/aws/config",
            "PATH": f"{tools}:tools/bin:.::{self.bin}:{os.environ['PATH']}",
        }
        elsewhere = self.folder / "link"
        elsewhere.symlink_to(self.workspace / "tools/bin")
        self.job["PATH"] = f"{elsewhere}:{self.job['PATH']}"
        for path in planted:
            # Who reads one is stopped, unless it runs as root; the trace tells of what was run.
            os.utime(path, (1, path.stat().st_mtime))
        for snapshot in ("snapshot.json", ""):
            self.inputs["snapshot"] = snapshot
            ran = self.run_action(code=1)
            self.assertEqual(ran.returncode, 1, ran.stdout + ran.stderr)
        self.assertFalse(trace.exists())
        self.assertEqual([path for path in planted if path.stat().st_atime != 1], [])
        for name in ("gh", "cargo", "ses-perimeter"):
            for folder, environment, arguments in self.calls(name):
                for value in (*environment.values(), *(arguments if name == "cargo" else [])):
                    self.assertNotIn(here, value)
                steering = ("RUSTC", "RUSTFLAGS", "RUSTUP_TOOLCHAIN", "CARGO_BUILD", "CARGO_ALIAS", "LD_", "BASH_", "GCONV")
                self.assertFalse([it for it in environment if it.startswith(steering)])
                if name != "ses-perimeter":
                    self.assertFalse(Path(folder).is_relative_to(self.workspace))
        self.assertEqual({environment["GH_HOST"] for _, environment, _ in self.calls("gh")}, {"github.com"})

    def test_the_access_time_tells_of_a_file_that_was_read(self):
        """Half of what the test above rests on; the trace is the other."""
        path = self.workspace / "snapshot.json"
        os.utime(path, (1, path.stat().st_mtime))
        path.read_text()
        if path.stat().st_atime == 1:
            self.skipTest("this file system keeps no access times")

    def test_the_real_cargo_builds_the_source_of_the_action_whatever_is_planted(self):
        trace = self.folder / "trace"
        self.plant(trace)
        cargo = shutil.which("cargo")
        manifest = '[package]\nname = "ses-perimeter"\nversion = "0.1.0"\nedition = "2024"\n[features]\ndefault = []\n'
        (self.source / "src").mkdir()
        (self.source / "src/main.rs").write_text("fn main() {}")
        (self.source / "Cargo.toml").write_text(manifest)
        (self.source / "Cargo.lock").write_text('version = 4\n\n[[package]]\nname = "ses-perimeter"\nversion = "0.1.0"\n')
        (self.bin / "cargo").unlink()
        # In the workspace itself the trap is sprung, so that its silence below says something.
        sprung = self.folder / "sprung"
        shutil.copytree(self.workspace, sprung, ignore=shutil.ignore_patterns("rust-toolchain*", "config"))
        (sprung / "src").mkdir()
        (sprung / "src/main.rs").write_text("fn main() {}")
        subprocess.run([cargo, "check", "--offline"], check=False, cwd=sprung, capture_output=True)
        self.assertTrue(trace.exists())
        trace.unlink()
        wrapper = f"{self.workspace}/tools/trap"
        self.job = {"RUSTC_WRAPPER": wrapper, "CARGO_BUILD_RUSTC_WRAPPER": wrapper, "CARGO_HOME": str(self.workspace / "home/.cargo")}
        if "RUSTUP_HOME" in os.environ:
            self.job["RUSTUP_HOME"] = os.environ["RUSTUP_HOME"]
        ran = self.run_action()
        # What was built is no checker and writes no result.
        self.assertIn("the program wrote no result", ran.stdout + ran.stderr)
        built = list(self.temp.glob("ses-perimeter-build.*/target/release/ses-perimeter"))
        self.assertEqual(len(built), 1, ran.stdout + ran.stderr)
        self.assertFalse(trace.exists())


if __name__ == "__main__":
    unittest.main()
