"""What must hold of the templates, beyond what the linters know."""

import re
import unittest

from .template import FUNCTIONS, INFRA, MACHINES, TEMPLATES, board, branches, listed, load, of_type, statements, text, walk

PSEUDO = {
    "AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
}
# Principals that have this name in every partition.
GLOBAL_PRINCIPALS = {"cloudwatch", "events", "lambda", "scheduler", "states"}


def schedule_problem(expression: str) -> str | None:
    """Why EventBridge Scheduler would refuse an expression; linters look at rules only."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression):
        number, _, plural = found.groups()
        if int(number) == 0:
            return "a rate of nothing"
        return None if (int(number) == 1) == (plural == "") else "singular and plural do not fit the number"
    if found := re.fullmatch(r"cron\((.*)\)", expression):
        fields = found[1].split()
        if len(fields) != 6:
            return f"{len(fields)} fields, not 6"
        part = r"[A-Z0-9*?/,#LW-]+"
        bad = [field for field in fields if not re.fullmatch(part, field)]
        if bad:
            return f"unknown fields {bad}"
        return None if "?" in (fields[2], fields[4]) else "day of month and day of week cannot both be given"
    return "neither rate(...) nor cron(...)"


class EveryTemplate(unittest.TestCase):
    def each(self):
        for name in TEMPLATES:
            with self.subTest(template=name):
                yield load(name)

    def test_there_are_templates(self):
        self.assertLessEqual({"template.yaml", "forwarding.yaml", "member-role.yaml", "exposure-role.yaml"}, set(TEMPLATES))

    def test_references_resolve(self):
        for template in self.each():
            resources = set(template["Resources"])
            names = resources | set(template.get("Parameters", {})) | PSEUDO
            for path, value in walk(template):
                if not isinstance(value, dict):
                    continue
                if set(value) == {"Ref"}:
                    self.assertIn(value["Ref"], names, path)
                elif set(value) == {"Fn::GetAtt"}:
                    self.assertIn(value["Fn::GetAtt"][0], resources, path)
                elif set(value) == {"Fn::Sub"}:
                    found, local = value["Fn::Sub"], set()
                    if isinstance(found, list):
                        found, local = found[0], set(found[1])
                    for reference in re.findall(r"\$\{([^!}][^}]*)\}", found):
                        self.assertIn(reference.split(".")[0] if "." in reference else reference, names | local, path)

    def test_nothing_is_written_like_a_substitution_without_being_one(self):
        for template in self.each():
            for path, value in walk(template):
                # What IAM fills in itself, when a request is made, is no substitution.
                if isinstance(value, str) and "${" in re.sub(r"\$\{aws:\w+\}", "", value):
                    self.assertIn("Fn::Sub", path, value)

    def test_conditions_exist_and_are_used(self):
        for template in self.each():
            defined, used = set(template.get("Conditions", {})), set()
            for _, value in walk(template):
                if isinstance(value, dict):
                    if "Fn::If" in value:
                        used.add(value["Fn::If"][0])
                    if isinstance(value.get("Condition"), str):
                        used.add(value["Condition"])
            self.assertEqual(used, defined)

    def test_parameters_are_used(self):
        for template in self.each():
            body = text({key: value for key, value in template.items() if key not in ("Parameters", "Metadata")})
            for name in template.get("Parameters", {}):
                self.assertRegex(body, rf'"Ref": "{name}"|\$\{{{name}\}}', name)

    def test_no_partition_is_taken_for_granted(self):
        for template in self.each():
            for path, value in walk(template["Resources"]):
                if not isinstance(value, str):
                    continue
                self.assertNotIn("arn:aws:", value, path)
                for principal in re.findall(r"([\w.-]+)\.amazonaws\.com", value):
                    # The event source of a CloudTrail record has one spelling everywhere.
                    if "EventPattern" not in path:
                        self.assertIn(principal, GLOBAL_PRINCIPALS, path)

    def test_every_queue_is_encrypted_and_takes_nothing_over_plain_http(self):
        for template in self.each():
            guarded = set()
            for policy in of_type(template, "AWS::SQS::QueuePolicy").values():
                if any(denies_plain_http(found) for found in statements(policy["Properties"]["PolicyDocument"])):
                    guarded |= {queue["Ref"] for queue in policy["Properties"]["Queues"]}
            queues = of_type(template, "AWS::SQS::Queue")
            self.assertEqual(guarded, set(queues))
            for name, queue in queues.items():
                self.assertTrue(queue["Properties"]["SqsManagedSseEnabled"], name)

    def test_every_target_of_a_rule_has_a_dead_letter_queue(self):
        for template in self.each():
            queues = of_type(template, "AWS::SQS::Queue")
            for name, rule in of_type(template, "AWS::Events::Rule").items():
                for target in rule["Properties"]["Targets"]:
                    queue = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
                    self.assertIn(queue, queues, name)
                    self.assertTrue(may_send(template, queue, name), f"{name} may not send to {queue}")

    def test_every_dead_letter_queue_has_an_alarm(self):
        for template in self.each():
            watched = {
                dimension["Value"]["Fn::GetAtt"][0]
                for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
                for dimension in alarm["Properties"].get("Dimensions", [])
                if dimension["Name"] == "QueueName"
            }
            self.assertEqual(watched, set(of_type(template, "AWS::SQS::Queue")))


def denies_plain_http(statement: dict) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )


def may_send(template: dict, queue: str, rule: str) -> bool:
    """Whether the policy of a queue lets EventBridge send on behalf of a rule."""
    for policy in of_type(template, "AWS::SQS::QueuePolicy").values():
        if {"Ref": queue} not in policy["Properties"]["Queues"]:
            continue
        for statement in statements(policy["Properties"]["PolicyDocument"]):
            sources = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn")
            if statement["Effect"] == "Allow" and {"Fn::GetAtt": [rule, "Arn"]} in listed(sources):
                return True
    return False


class TheChecker(unittest.TestCase):
    def setUp(self):
        self.template = load("template.yaml")
        self.resources = self.template["Resources"]

    def test_every_parameter_has_a_default_that_it_accepts(self):
        for name, parameter in self.template["Parameters"].items():
            default = parameter["Default"]
            if "AllowedValues" in parameter:
                self.assertIn(default, parameter["AllowedValues"], name)
            if "AllowedPattern" in parameter:
                self.assertRegex(default, parameter["AllowedPattern"], name)
            if parameter["Type"] == "Number":
                self.assertLessEqual(parameter.get("MinValue", default), default, name)
                self.assertLessEqual(default, parameter.get("MaxValue", default), name)

    def test_every_parameter_is_explained_and_grouped(self):
        groups = self.template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        grouped = [name for group in groups for name in group["Parameters"]]
        self.assertEqual(sorted(grouped), sorted(self.template["Parameters"]))
        operations = (INFRA.parent / "docs/operations.md").read_text()
        for name, parameter in self.template["Parameters"].items():
            self.assertTrue(parameter["Description"], name)
            self.assertIn(f"`{name}`", operations, "docs/operations.md does not explain it")

    def test_the_default_trusts_nobody(self):
        default = self.template["Parameters"]["TrustedRecipients"]["Default"]
        for pattern in default.split(","):
            self.assertRegex(pattern, r"@[\w.]*\.invalid$")

    def test_the_schedules_are_ones_that_the_scheduler_accepts(self):
        parameter = self.template["Parameters"]["Schedule"]
        self.assertEqual(self.template["Parameters"]["ExposureSchedule"]["AllowedPattern"], parameter["AllowedPattern"])
        inputs = {"StartFunction": '{"schemaVersion": 1, "source": "schedule"}', "ExposureMachine": "{}"}
        for name, schedule in (("StartFunction", "Schedule"), ("ExposureMachine", "ExposureSchedule")):
            self.assertIsNone(schedule_problem(self.template["Parameters"][schedule]["Default"]))
            event = self.resources[name]["Properties"]["Events"]["Scheduled"]
            self.assertEqual(event["Type"], "ScheduleV2")
            self.assertEqual(event["Properties"]["ScheduleExpression"], {"Ref": schedule})
            self.assertEqual(event["Properties"]["Input"], inputs[name])
            self.assertEqual(event["Properties"]["DeadLetterConfig"]["Arn"], {"Fn::GetAtt": ["UndeliveredTriggers", "Arn"]})
        accepted = ["rate(6 hours)", "rate(1 day)", "cron(0 */6 * * ? *)", "cron(15 3 ? * MON-FRI *)"]
        refused = ["rate(0 hours)", "cron(0 */6 * * *)", "6 hours", "rate(6 hours) ", "cron(0 0 1 1 ? * *)"]
        for expression in accepted:
            self.assertRegex(expression, parameter["AllowedPattern"])
            self.assertIsNone(schedule_problem(expression), expression)
        for expression in refused:
            self.assertNotRegex(expression, parameter["AllowedPattern"])
            self.assertIsNotNone(schedule_problem(expression), expression)

    def test_every_function_runs_on_amazon_linux_2023_and_is_built_from_its_folder(self):
        functions = of_type(self.template, "AWS::Serverless::Function")
        self.assertEqual(set(functions), set(FUNCTIONS))
        shared = self.template["Globals"]["Function"]
        self.assertEqual((shared["Runtime"], shared["Handler"]), ("provided.al2023", "bootstrap"))
        for name, binary in FUNCTIONS.items():
            function = functions[name]
            self.assertEqual(function["Metadata"], {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": binary}})
            folder = (INFRA / function["Properties"]["CodeUri"]).resolve()
            self.assertIn(f'name = "{binary}"', (folder / "Cargo.toml").read_text())
            self.assertEqual(function["Properties"]["FunctionName"], {"Fn::Sub": f"${{AWS::StackName}}-{binary}"})

    def test_every_function_has_its_own_role_and_log_group(self):
        functions = of_type(self.template, "AWS::Serverless::Function")
        for key in ("Role", "LoggingConfig"):
            self.assertEqual(len({text(it["Properties"][key]) for it in functions.values()}), len(functions))

    def test_every_log_group_has_an_end_and_a_key(self):
        groups = of_type(self.template, "AWS::Logs::LogGroup")
        self.assertEqual(len(groups), len(FUNCTIONS) + len(MACHINES))
        for name, group in groups.items():
            self.assertEqual(group["Properties"]["RetentionInDays"], {"Ref": "LogRetentionDays"}, name)
            self.assertEqual(group["Properties"]["KmsKeyId"], {"Fn::GetAtt": ["Key", "Arn"]}, name)

    def test_the_key_serves_exactly_the_log_groups_of_this_stack(self):
        policy = self.resources["Key"]["Properties"]["KeyPolicy"]
        pattern = next(text(it["Condition"]["ArnLike"]) for it in policy["Statement"] if "ArnLike" in it.get("Condition", {}))
        for name, group in of_type(self.template, "AWS::Logs::LogGroup").items():
            stem = group["Properties"]["LogGroupName"]["Fn::Sub"]
            self.assertRegex(stem, r"^/aws/\w+/\$\{AWS::StackName\}", name)
        self.assertIn("log-group:/aws/*/${AWS::StackName}*", pattern)

    def test_every_asynchronous_way_keeps_what_fails(self):
        start = self.resources["StartFunction"]["Properties"]
        failure = start["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        self.assertEqual(failure["Destination"], {"Fn::GetAtt": ["FailedStarts", "Arn"]})
        schedule = start["Events"]["Scheduled"]["Properties"]
        self.assertEqual(schedule["DeadLetterConfig"]["Arn"], {"Fn::GetAtt": ["UndeliveredTriggers", "Arn"]})
        # Only start-check is invoked asynchronously.
        for name in set(FUNCTIONS) - {"StartFunction"}:
            self.assertNotIn("Events", self.resources[name]["Properties"])
        invoked = [it["Properties"]["FunctionName"] for it in of_type(self.template, "AWS::Lambda::Permission").values()]
        self.assertEqual(invoked, [{"Ref": "StartFunction"}] * 3)

    def test_the_bucket_is_closed(self):
        bucket = self.resources["Bucket"]
        properties = bucket["Properties"]
        self.assertEqual(set(properties["PublicAccessBlockConfiguration"].values()), {True})
        self.assertEqual(len(properties["PublicAccessBlockConfiguration"]), 4)
        self.assertEqual(properties["VersioningConfiguration"], {"Status": "Enabled"})
        self.assertEqual(properties["OwnershipControls"]["Rules"], [{"ObjectOwnership": "BucketOwnerEnforced"}])
        encryption = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        self.assertEqual(encryption, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}})
        policy = statements(self.resources["BucketPolicy"]["Properties"]["PolicyDocument"])
        plain = [it for it in policy if denies_plain_http(it)]
        self.assertEqual(len(plain), 1)
        self.assertEqual(plain[0]["Action"], "s3:*")
        self.assertEqual(plain[0]["Resource"], [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}])

    def test_a_deny_by_what_a_key_is_not_spares_requests_without_the_key(self):
        # A negated operator is true of an absent key, with IfExists or without: such a Deny would
        # stop every write of the functions, which leave encryption to the bucket's default.
        seen = 0
        for name in ("BucketPolicy", "AlarmTopicPolicy", "FailedStartsPolicy", "UndeliveredTriggersPolicy"):
            for statement in statements(self.resources[name]["Properties"]["PolicyDocument"]):
                for operator, tests in statement.get("Condition", {}).items():
                    if statement["Effect"] == "Deny" and "Not" in operator:
                        seen += 1
                        self.assertNotIn("IfExists", operator)
                        for key in tests:
                            self.assertEqual(statement["Condition"]["Null"][key], "false", name)
        self.assertGreater(seen, 0)

    def test_the_record_and_the_key_outlive_the_stack(self):
        for name in ("Bucket", "Key"):
            self.assertEqual(self.resources[name]["DeletionPolicy"], "Retain")
            self.assertEqual(self.resources[name]["UpdateReplacePolicy"], "Retain")

    def test_only_runs_expire(self):
        rules = self.resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        expiring = [rule.get("Prefix") for rule in rules if {"ExpirationInDays", "ExpirationDate"} & set(rule)]
        self.assertEqual(expiring, ["runs/", "exposure/run-"])
        for rule in rules:
            if rule.get("Prefix", "").startswith(("published", "state")):
                self.assertGreaterEqual(rule["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"], 1)

    def test_the_lifecycle_speaks_of_keys_that_the_code_uses(self):
        keys = (INFRA.parent / "shared/pipeline/src/objects.rs").read_text()
        latest = re.search(r'EXPOSURE_LATEST: &str = "(\w+)"', keys)[1]
        keys = keys.replace("{EXPOSURE_LATEST}", latest)
        for rule in self.resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]:
            if prefix := rule.get("Prefix"):
                # Runs of readings get their name from their state machine.
                prefix = prefix.replace("exposure/run-", "exposure/{run}/")
                self.assertIn(f'"{prefix}', keys.replace('format!("', '"'), prefix)

    def test_the_topic_is_encrypted_and_alarms_may_use_its_key(self):
        self.assertEqual(self.resources["AlarmTopic"]["Properties"]["KmsMasterKeyId"], {"Ref": "Key"})
        alarms = [
            it for it in self.resources["Key"]["Properties"]["KeyPolicy"]["Statement"]
            if it["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        ]
        self.assertEqual(sorted(alarms[0]["Action"]), ["kms:Decrypt", "kms:GenerateDataKey"])

    def test_every_alarm_tells_the_topic_and_is_explained(self):
        operations = (INFRA.parent / "docs/operations.md").read_text()
        alarms = of_type(self.template, "AWS::CloudWatch::Alarm")
        self.assertEqual(len(alarms), 9)
        for name, alarm in alarms.items():
            properties = alarm["Properties"]
            self.assertEqual(properties["AlarmActions"], [{"Ref": "AlarmTopic"}], name)
            short = properties["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
            self.assertIn(f"`{short}`", operations, "docs/operations.md does not explain it")
            self.assertIn(f"${{{name}.Arn}}", board(self.template))

    def test_everything_that_reads_accounts_is_there_only_while_exposure_is_on(self):
        self.assertEqual(self.template["Parameters"]["Exposure"]["Default"], "off")
        self.assertEqual(
            self.template["Conditions"]["ReadsExposure"],
            {"Fn::And": [{"Condition": "HasSes"}, {"Fn::Equals": [{"Ref": "Exposure"}, "on"]}]},
        )
        made = {name for name, it in self.resources.items() if it.get("Condition") == "ReadsExposure"}
        self.assertEqual(made, {
            "ReadExposureFunction", "ReadExposureLogs", "ExposureMachine", "ExposureLogs", "ExposureMachineRole",
            "ExposureScheduleRole", "ReadingFailed",
        })
        # The roles in accounts trust this one by its name, so it is there before; it may do nothing then.
        role = self.resources["ReadExposureRole"]
        self.assertNotIn("Condition", role)
        (policy,) = role["Properties"]["Policies"]
        self.assertEqual((policy["Fn::If"][0], policy["Fn::If"][2]), ("ReadsExposure", {"Ref": "AWS::NoValue"}))
        for name, resource in self.resources.items():
            if name not in made:
                for path, value in walk(resource):
                    if not (isinstance(value, dict) and set(value) & {"Ref", "Fn::GetAtt", "Fn::Sub"}):
                        continue
                    # What a Sub adds under names of its own is walked to by itself.
                    (said,) = value.values()
                    said = said[0] if "Fn::Sub" in value and isinstance(said, list) else text(said)
                    referred = [other for other in made if re.search(rf"\b{other}\b", said)]
                    self.assertTrue(not referred or "Fn::If" in path, f"{name} refers to {referred}")

    def test_who_decides_reads_no_reading_while_exposure_is_off(self):
        variables = self.resources["EvaluateFunction"]["Properties"]["Environment"]["Variables"]
        self.assertEqual(variables["EXPOSURE"], {"Fn::If": ["ReadsExposure", "on", "off"]})
        (policy,) = self.resources["EvaluateRole"]["Properties"]["Policies"]
        about = [it for it in policy["PolicyDocument"]["Statement"] if "exposure/" in text(it)]
        self.assertEqual([(it["Fn::If"][0], len(branches(it))) for it in about], [("ReadsExposure", 1)])
        self.assertEqual(branches(about[0])[0]["Resource"], {"Fn::Sub": "${Bucket.Arn}/exposure/latest/*"})
        self.assertEqual(branches(about[0])[0]["Action"], "s3:GetObject")

    def test_what_was_read_stays_usable_until_it_is_read_again(self):
        defaults = {name: self.template["Parameters"][name]["Default"] for name in ("ExposureMaxAgeHours", "ExposureUsableHours")}
        # A day of age, and a day until the schedule comes round, and a day to mend what failed.
        self.assertGreaterEqual(defaults["ExposureUsableHours"], defaults["ExposureMaxAgeHours"] + 48)

    def test_no_complete_run_is_noticed_when_nothing_runs_at_all(self):
        alarm = self.resources["NoCompleteRun"]["Properties"]
        self.assertEqual(alarm["Period"] * alarm["EvaluationPeriods"], 26 * 3600)
        self.assertEqual(alarm["TreatMissingData"], "breaching")


if __name__ == "__main__":
    unittest.main()
