"""The state machines as graphs: every way leads to an end, and that of a run to one that lets go of it."""

import json
import re
import unittest

from .template import INFRA, MACHINES, definition, load, of_type

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


class EveryMachine(unittest.TestCase):
    def machines(self):
        for file in MACHINES:
            yield from ((f"{file}/{name}", machine) for name, machine in machines(definition(file)))

    def states(self):
        for name, machine in self.machines():
            for state, value in machine["States"].items():
                with self.subTest(machine=name, state=state):
                    yield machine, state, value

    def test_every_next_exists_and_every_state_is_reached(self):
        for name, machine in self.machines():
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

    def test_names_of_states_are_told_apart_in_the_whole_definition(self):
        for file in MACHINES:
            names = [state for _, machine in machines(definition(file)) for state in machine["States"]]
            self.assertEqual(len(names), len(set(names)), file)

    def test_an_input_of_another_shape_is_refused_first(self):
        for file in MACHINES:
            machine = definition(file)
            self.assertEqual(machine["StartAt"], "CheckInput")
            self.assertIn("InputRefused", following(machine["States"]["CheckInput"]))
            self.assertEqual(machine["States"]["InputRefused"]["Error"], "InputRefused")

    def test_errors_end_with_their_error_and_cause(self):
        for file in MACHINES:
            failed = definition(file)["States"]["RunFailed"]
            self.assertEqual(failed, {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"})

    def test_a_failed_child_stops_no_other(self):
        for name, machine in self.machines():
            if name.endswith("/run"):
                continue
            self.assertFalse([it for it in machine["States"].values() if it["Type"] == "Fail"], name)
            for state in machine["States"].values():
                for catcher in state.get("Catch", []):
                    self.assertEqual(machine["States"][catcher["Next"]]["Result"], "failed")

    def test_every_task_outlives_the_function_that_it_calls(self):
        functions = of_type(load("template.yaml"), "AWS::Serverless::Function")
        for _, _, value in self.states():
            if value["Type"] == "Task":
                name = value["Parameters"]["FunctionName"].removeprefix("${").removesuffix("Arn}")
                self.assertGreater(value["TimeoutSeconds"], functions[name]["Properties"]["Timeout"])

    def test_substitutions_are_defined_and_used(self):
        for file, resource in MACHINES.items():
            used = set(re.findall(r"\$\{(\w+)\}", (INFRA / f"{file}.asl.json").read_text()))
            properties = load("template.yaml")["Resources"][resource]["Properties"]
            self.assertEqual(properties["DefinitionUri"], f"{file}.asl.json")
            self.assertEqual(used, set(properties["DefinitionSubstitutions"]))

    def test_each_role_may_call_the_functions_of_its_machine_and_no_others(self):
        for file, resource in MACHINES.items():
            role = load("template.yaml")["Resources"][f"{resource}Role"]["Properties"]["Policies"]
            invoke = next(it for it in role[0]["PolicyDocument"]["Statement"] if it.get("Action") == "lambda:InvokeFunction")
            may = {arn["Fn::GetAtt"][0] for arn in invoke["Resource"]}
            text = (INFRA / f"{file}.asl.json").read_text()
            self.assertEqual({f"{name}Function" for name in re.findall(r"\$\{(\w+)FunctionArn\}", text)}, may)

    def test_each_role_may_run_the_map_of_its_own_machine_only(self):
        for resource, suffix in (("StateMachine", ""), ("ExposureMachine", "-exposure")):
            machine = load("template.yaml")["Resources"][resource]["Properties"]
            self.assertIn(machine["Name"], ({"Ref": "AWS::StackName"}, {"Fn::Sub": f"${{AWS::StackName}}{suffix}"}))
            role = load("template.yaml")["Resources"][f"{resource}Role"]["Properties"]["Policies"][0]["PolicyDocument"]
            by_name = {it["Sid"]: it for it in role["Statement"] if "Sid" in it}
            place = "${AWS::Region}:${AWS::AccountId}:%s:${AWS::StackName}" + suffix
            start, follow = by_name["RunTheDistributedMap"], by_name["FollowTheDistributedMap"]
            self.assertTrue(start["Resource"]["Fn::Sub"].endswith(place % "stateMachine"))
            ends = sorted(it["Fn::Sub"].partition(":states:")[2] for it in follow["Resource"])
            self.assertEqual(ends, sorted(place % "execution" + end for end in ("/*", ":*")))


class Runs(unittest.TestCase):
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


class Readings(unittest.TestCase):
    def setUp(self):
        self.machine = definition("exposure")
        self.states = self.machine["States"]
        self.children = self.states["ReadBatches"]["ItemProcessor"]["States"]

    def test_every_error_fails_the_reading(self):
        for name, state in self.states.items():
            for catcher in state.get("Catch", []):
                self.assertEqual(catcher["Next"], "RunFailed", name)

    def test_a_reading_succeeds_only_when_all_is_merged_and_a_check_follows_or_nothing_was_due(self):
        ends = {name for name, state in self.states.items() if state["Type"] == "Succeed"}
        before = {end: {name for name, state in self.states.items() if end in following(state)} for end in ends}
        self.assertEqual(before, {"Done": {"StartCheck"}, "NothingDue": {"IsAnythingDue"}})
        self.assertEqual({name for name, state in self.states.items() if "StartCheck" in following(state)}, {"IsMerged"})
        (merged,) = self.states["IsMerged"]["Choices"]
        self.assertEqual(merged, {"Variable": "$.merged.output.done", "BooleanEquals": True, "Next": "StartCheck"})
        (none,) = self.states["IsAnythingDue"]["Choices"]
        self.assertEqual(none, {"Variable": "$.planned.batches", "NumericEquals": 0, "Next": "NothingDue"})
        self.assertEqual(self.states["StartCheck"]["Parameters"]["FunctionName"], "${StartFunctionArn}")
        self.assertEqual(self.states["StartCheck"]["Parameters"]["Payload"], {})

    def test_a_batch_counts_as_read_only_where_the_function_says_so(self):
        before = {name for name, state in self.children.items() if "BatchRead" in following(state)}
        self.assertEqual(before, {"IsRead"})
        choice = next(it for it in self.children["IsRead"]["Choices"] if it["Next"] == "BatchRead")
        self.assertEqual(choice, {"Variable": "$.progress.done", "BooleanEquals": True, "Next": "BatchRead"})
        self.assertEqual(self.children["IsRead"]["Default"], "BatchFailed")

    def test_the_children_are_longer_than_an_express_workflow_may_be_and_may_all_fail(self):
        state = self.states["ReadBatches"]
        self.assertEqual(state["ItemProcessor"]["ProcessorConfig"], {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"})
        self.assertEqual(state["ToleratedFailurePercentage"], 100)
        self.assertEqual(state["ItemReader"]["ReaderConfig"], {"InputType": "JSON"})

    def test_ten_thousand_batches_answer_far_below_what_a_state_may_return(self):
        longest = max(len(json.dumps(state["Result"])) for state in self.children.values() if "Result" in state)
        self.assertLess(10_000 * (longest + 1), 256 * 1024 / 2)
        self.assertIsNone(self.states["ReadBatches"]["ResultPath"])

    def test_a_reading_ends_before_the_next_day_begins_one(self):
        self.assertLess(self.machine["TimeoutSeconds"], 24 * 3600)
        # The longest batch: 64 invocations of a quarter of an hour.
        code = (INFRA.parent / "shared/pipeline/src/reading/batch.rs").read_text()
        (most,) = re.findall(r"most_invocations: (\d+),", code)
        self.assertGreater(self.machine["TimeoutSeconds"], int(most) * 900)

    def test_no_name_of_an_execution_gives_the_keys_of_what_is_current(self):
        self.assertEqual(
            self.states["Begin"]["Parameters"]["run"], {"runId.$": "States.Format('run-{}', $$.Execution.Name)"}
        )
        rules = load("template.yaml")["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        self.assertIn("exposure/run-", [rule.get("Prefix") for rule in rules])

    def test_no_more_batches_are_read_at_once_than_the_parameter_says(self):
        machine = load("template.yaml")["Resources"]["ExposureMachine"]["Properties"]
        self.assertEqual(machine["DefinitionSubstitutions"]["Concurrency"], {"Ref": "ExposureConcurrency"})
        self.assertEqual(self.states["Begin"]["Parameters"]["concurrency.$"], "States.StringToJson('${Concurrency}')")
        self.assertEqual(self.states["ReadBatches"]["MaxConcurrencyPath"], "$.concurrency")


if __name__ == "__main__":
    unittest.main()
