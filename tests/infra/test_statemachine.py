"""The state machine as a graph: every way leads to an end that lets go of the run."""

import json
import re
import unittest

from .template import INFRA, definition, load, of_type

# Errors after which the same call may succeed; `RetryableError` is the functions' own word.
RETRIED = {
    "Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException",
    "Lambda.SdkClientException", "Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "RetryableError",
}


def machines(machine: dict, name: str = "run"):
    """The machine and those inside its maps."""
    yield name, machine
    for state, value in machine["States"].items():
        if "ItemProcessor" in value:
            yield from machines(value["ItemProcessor"], state)


def following(state: dict) -> set[str]:
    found = {state[key] for key in ("Next", "Default") if key in state}
    found |= {choice["Next"] for choice in state.get("Choices", [])}
    return found | {catcher["Next"] for catcher in state.get("Catch", [])}


class StateMachine(unittest.TestCase):
    def states(self):
        for name, machine in machines(definition()):
            for state, value in machine["States"].items():
                with self.subTest(machine=name, state=state):
                    yield machine, state, value

    def test_every_next_exists_and_every_state_is_reached(self):
        for name, machine in machines(definition()):
            reached, waiting = set(), {machine["StartAt"]}
            while waiting:
                state = waiting.pop()
                self.assertIn(state, machine["States"], name)
                if state not in reached:
                    reached.add(state)
                    waiting |= following(machine["States"][state])
            self.assertEqual(reached, set(machine["States"]), name)

    def test_every_state_goes_on_or_ends(self):
        for _, _, value in self.states():
            ends = value.get("End") is True or value["Type"] in ("Succeed", "Fail")
            self.assertNotEqual(ends, bool(following(value)))

    def test_every_task_is_retried_with_jitter_and_caught(self):
        for _, _, value in self.states():
            if value["Type"] != "Task":
                continue
            (retry,) = value["Retry"]
            self.assertEqual(set(retry["ErrorEquals"]), RETRIED)
            self.assertEqual(retry["JitterStrategy"], "FULL")
            self.assertGreater(retry["BackoffRate"], 1)
            self.assertIn("MaxDelaySeconds", retry)
            (catch,) = value["Catch"]
            self.assertEqual(catch["ErrorEquals"], ["States.ALL"])

    def test_the_retried_error_is_the_one_that_the_functions_answer(self):
        self.assertIn('"RetryableError"', (INFRA.parent / "shared/aws/src/function.rs").read_text())

    def test_every_error_of_the_run_ends_in_a_failed_finish(self):
        machine = definition()
        for name, state in machine["States"].items():
            for catcher in state.get("Catch", []):
                expected = "RunFailed" if name.startswith("Finish") else "FinishFailed"
                self.assertEqual(catcher["Next"], expected, name)
        finish = machine["States"]["FinishFailed"]
        self.assertIs(finish["Parameters"]["Payload"]["finish"]["succeeded"], False)
        self.assertEqual(following(finish), {"RunFailed"})
        self.assertEqual(machine["States"]["RunFailed"]["Type"], "Fail")

    def test_a_run_succeeds_only_through_finish_or_as_a_dry_run(self):
        machine = definition()
        ends = {name for name, state in machine["States"].items() if state["Type"] == "Succeed"}
        self.assertEqual(ends, {"Done", "DryRunDone"})
        before = {end: {name for name, state in machine["States"].items() if end in following(state)} for end in ends}
        self.assertEqual(before, {"Done": {"Finish"}, "DryRunDone": {"HowToPublish"}})
        self.assertEqual(
            {name for name, state in machine["States"].items() if "Finish" in following(state)}, {"IsComplete"}
        )
        (complete,) = machine["States"]["IsComplete"]["Choices"]
        self.assertEqual(complete, {"Variable": "$.shardsFailed.any", "BooleanEquals": False, "Next": "Finish"})
        count = machine["States"]["CountFailedShards"]
        self.assertEqual(count["Parameters"], {"any.$": "States.ArrayContains($.shardOutcomes, 'failed')"})

    def test_a_failed_shard_stops_no_other(self):
        for name, machine in machines(definition()):
            if name == "run":
                continue
            self.assertFalse([it for it in machine["States"].values() if it["Type"] == "Fail"], name)
            for state in machine["States"].values():
                for catcher in state.get("Catch", []):
                    self.assertEqual(machine["States"][catcher["Next"]]["Result"], "failed")

    def test_both_maps_publish_in_the_same_way(self):
        states = definition()["States"]
        few, many = (states[name]["ItemProcessor"]["States"] for name in ("PublishFew", "PublishMany"))
        # States of one machine need different names.
        renamed = {name.removesuffix("OfMany"): state for name, state in many.items()}
        self.assertEqual(few, json.loads(json.dumps(renamed).replace("OfMany", "")))
        # Each publisher takes a fifth of Security Hub's rates (`PUBLISHER_SHARE`).
        for name in ("PublishFew", "PublishMany"):
            self.assertEqual(states[name]["MaxConcurrency"], 4)

    def test_few_shards_stay_within_what_an_inline_map_takes(self):
        choice = next(it for it in definition()["States"]["HowToPublish"]["Choices"] if it["Next"] == "PublishFew")
        self.assertLessEqual(choice["NumericLessThanEquals"], 40)
        shards = load("template.yaml")["Parameters"]["Shards"]["Default"]
        self.assertLessEqual(shards, 40)

    def test_a_run_ends_in_time(self):
        self.assertLessEqual(definition()["TimeoutSeconds"], 12 * 3600)
        functions = of_type(load("template.yaml"), "AWS::Serverless::Function")
        for _, _, value in self.states():
            if value["Type"] == "Task":
                name = value["Parameters"]["FunctionName"].removeprefix("${").removesuffix("Arn}")
                self.assertGreater(value["TimeoutSeconds"], functions[name]["Properties"]["Timeout"])

    def test_substitutions_are_defined_and_used(self):
        used = set(re.findall(r"\$\{(\w+)\}", (INFRA / "statemachine.asl.json").read_text()))
        machine = load("template.yaml")["Resources"]["StateMachine"]["Properties"]
        self.assertEqual(used, set(machine["DefinitionSubstitutions"]))

    def test_the_role_may_call_every_function(self):
        policies = load("template.yaml")["Resources"]["StateMachineRole"]["Properties"]["Policies"]
        invoke = next(it for it in policies[0]["PolicyDocument"]["Statement"] if it.get("Action") == "lambda:InvokeFunction")
        may = {arn["Fn::GetAtt"][0] for arn in invoke["Resource"]}
        text = (INFRA / "statemachine.asl.json").read_text()
        self.assertEqual({f"{name}Function" for name in re.findall(r"\$\{(\w+)FunctionArn\}", text)}, may)


if __name__ == "__main__":
    unittest.main()
