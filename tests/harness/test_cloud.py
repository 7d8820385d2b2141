"""moto with the patches behaves as AWS documents, where the pipeline depends on it.

Each patch of patches.py has a test here, so that a new version of moto cannot lose one unnoticed.
"""

import json
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from botocore.exceptions import ClientError

from harness.cloud import REPOSITORY, Cloud, until
from harness.emulator import Emulator

STANDIN = [sys.executable, str(Path(__file__).with_name("standin.py"))]
SNAPSHOT = json.loads((REPOSITORY / "examples/organization/snapshot.json").read_text())
ROLE = "arn:aws:iam::111111111111:role/machine"


class CloudTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.emulator = Emulator(Path(folder.name))
        cls.addClassCleanup(cls.emulator.close)
        cls.cloud = Cloud(cls.emulator.endpoint, Path(folder.name))
        cls.addClassCleanup(cls.cloud.close)
        cls.emulator.deploy("standin", STANDIN, {})

    def setUp(self):
        self.cloud.reset()

    def organization(self):
        self.cloud.ask("organization", **SNAPSHOT)
        return self.cloud.client("organizations")

    def code(self, call, **arguments) -> str:
        with self.assertRaises(ClientError) as refused:
            call(**arguments)
        return refused.exception.response["Error"]["Code"]

    # Organizations

    def test_the_organization_has_the_ids_of_the_snapshot(self):
        client = self.organization()
        self.assertEqual(client.describe_organization()["Organization"]["Id"], SNAPSHOT["organization"]["id"])
        accounts = {account["Id"]: account for account in client.list_accounts()["Accounts"]}
        self.assertEqual(set(accounts), {account["id"] for account in SNAPSHOT["accounts"]})
        self.assertEqual(accounts["777788889999"]["State"], "SUSPENDED")
        self.assertEqual(client.list_roots()["Roots"][0]["PolicyTypes"],
                         [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}])
        for policy in SNAPSHOT["policies"]:
            self.assertEqual(client.describe_policy(PolicyId=policy["id"])["Policy"]["Content"], policy["content"])

    def test_accounts_have_paths(self):
        client = self.organization()
        account = client.describe_account(AccountId="666666666666")["Account"]
        self.assertEqual(account["Paths"], [
            "o-quillmark7/r-exam/ou-exam-workloads/ou-exam-production/ou-exam-regulated/666666666666/"])

    def test_lists_have_pages_of_twenty_and_lose_nothing(self):
        client = self.organization()
        for number in range(40):
            client.create_account(AccountName=f"extra-{number}", Email=f"extra{number}@example.com")
        pages = list(client.get_paginator("list_accounts").paginate())
        self.assertEqual([len(page["Accounts"]) for page in pages], [20, 20, 12])
        self.assertEqual(len({account["Id"] for page in pages for account in page["Accounts"]}), 52)
        pages = list(client.get_paginator("list_targets_for_policy").paginate(PolicyId="p-FullAWSAccess"))
        targets = [target["TargetId"] for page in pages for target in page["Targets"]]
        self.assertTrue(all(len(page["Targets"]) <= 20 for page in pages))
        expected = sum(attachment["policyId"] == "p-FullAWSAccess" for attachment in SNAPSHOT["attachments"]) + 40
        self.assertEqual((len(targets), len(set(targets))), (expected, expected))
        pages = list(client.get_paginator("list_accounts_for_parent").paginate(ParentId="r-exam"))
        self.assertEqual([len(page["Accounts"]) for page in pages], [20, 20, 1])

    def test_more_than_twenty_a_page_are_refused(self):
        client = self.organization()
        self.assertEqual(self.code(client.list_accounts, MaxResults=21), "InvalidInputException")

    def test_what_is_not_there_is_told_as_aws_tells_it(self):
        client = self.organization()
        for target in ("ou-exam-nowhere99", "999999999999"):
            code = self.code(client.list_policies_for_target, TargetId=target, Filter="SERVICE_CONTROL_POLICY")
            self.assertEqual(code, "TargetNotFoundException")

    def test_security_hub_may_have_a_delegated_administrator(self):
        client = self.organization()
        client.register_delegated_administrator(AccountId="222222222222", ServicePrincipal="securityhub.amazonaws.com")
        found = client.list_delegated_administrators(ServicePrincipal="securityhub.amazonaws.com")
        self.assertEqual([account["Id"] for account in found["DelegatedAdministrators"]], ["222222222222"])

    # Security Hub

    def test_security_hub_is_off_until_it_is_enabled(self):
        hub = self.cloud.client("securityhub")
        self.assertEqual(self.code(hub.get_findings), "InvalidAccessException")
        hub.enable_security_hub()
        self.assertEqual(hub.get_findings()["Findings"], [])

    def test_findings_are_imported_found_and_updated(self):
        from harness.test_hub import finding

        hub = self.cloud.client("securityhub")
        hub.enable_security_hub()
        self.assertEqual(hub.batch_import_findings(Findings=[finding(1), finding(2)])["SuccessCount"], 2)
        product = finding()["ProductArn"]
        hub.batch_update_findings(FindingIdentifiers=[{"Id": "ses-perimeter/1", "ProductArn": product}],
                                  Workflow={"Status": "RESOLVED"})
        wanted = {"WorkflowStatus": [{"Value": "RESOLVED", "Comparison": "EQUALS"}]}
        self.assertEqual([found["Id"] for found in hub.get_findings(Filters=wanted)["Findings"]], ["ses-perimeter/1"])
        self.assertEqual(set(self.cloud.findings()), {"ses-perimeter/1", "ses-perimeter/2"})
        self.cloud.reset()
        self.assertEqual(self.cloud.findings(), {})

    # The front

    def test_calls_are_counted_by_operation(self):
        client = self.organization()
        self.cloud.forget_calls()
        client.list_roots()
        bucket = self.cloud.client("s3")
        bucket.create_bucket(Bucket="bucket")
        bucket.put_object(Bucket="bucket", Key="a/b", Body=b"x")
        bucket.get_object(Bucket="bucket", Key="a/b")
        bucket.list_objects_v2(Bucket="bucket")
        self.cloud.client("ses").list_identities()
        self.assertEqual(self.cloud.calls(), {
            "organizations:ListRoots": 1, "s3:CreateBucket": 1, "s3:PutObject": 1, "s3:GetObject": 1,
            "s3:ListObjectsV2": 1, "ses:ListIdentities": 1})

    def test_an_operation_can_be_made_to_fail_in_its_own_protocol(self):
        self.cloud.client("s3").create_bucket(Bucket="bucket")
        for service, operation, call in (
            ("organizations", "ListRoots", self.cloud.client("organizations").list_roots),
            ("securityhub", "GetFindings", self.cloud.client("securityhub").get_findings),
            ("ses", "ListIdentities", self.cloud.client("ses").list_identities),
            ("s3", "ListObjectsV2", lambda: self.cloud.client("s3").list_objects_v2(Bucket="bucket")),
            ("states", "ListStateMachines", self.cloud.client("stepfunctions").list_state_machines),
            ("events", "ListRules", self.cloud.client("events").list_rules),
        ):
            with self.subTest(service), self.cloud.failing(f"{service}:{operation}", code="Denied", status=403):
                self.assertEqual(self.code(call), "Denied")

    def test_a_failure_can_be_limited_to_some_calls(self):
        client = self.organization()
        with self.cloud.failing("organizations:DescribePolicy", code="TooManyRequestsException", times=1, match="p-tag"):
            client.describe_policy(PolicyId="p-mailadmin01")
            code = self.code(client.describe_policy, PolicyId="p-tagguard001")
            self.assertEqual(code, "TooManyRequestsException")
            client.describe_policy(PolicyId="p-tagguard001")

    def test_an_operation_can_be_held_and_released(self):
        client = self.organization()
        answers = []
        with self.cloud.holding("organizations:ListRoots") as reached:
            caller = threading.Thread(target=lambda: answers.append(client.list_roots()))
            caller.start()
            reached()
            self.assertEqual(answers, [])
        caller.join(20)
        self.assertEqual(len(answers), 1)

    # S3 and EventBridge

    def test_conditional_writes_hold(self):
        bucket = self.cloud.client("s3")
        bucket.create_bucket(Bucket="bucket")
        tag = bucket.put_object(Bucket="bucket", Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
        code = self.code(bucket.put_object, Bucket="bucket", Key="k", Body=b"2", IfNoneMatch="*")
        self.assertEqual(code, "PreconditionFailed")
        bucket.put_object(Bucket="bucket", Key="k", Body=b"3", IfMatch=tag)
        code = self.code(bucket.put_object, Bucket="bucket", Key="k", Body=b"4", IfMatch=tag)
        self.assertEqual(code, "PreconditionFailed")
        self.assertEqual(bucket.get_object(Bucket="bucket", Key="k")["Body"].read(), b"3")

    def test_events_reach_a_queue(self):
        events, queues = self.cloud.client("events"), self.cloud.client("sqs")
        url = queues.create_queue(QueueName="q")["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="r", EventPattern='{"source": ["ours"]}')
        events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
        events.put_events(Entries=[{"Source": "ours", "DetailType": "t", "Detail": '{"a": 1}'},
                                   {"Source": "theirs", "DetailType": "t", "Detail": "{}"}])
        messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        self.assertEqual([json.loads(message["Body"])["detail"] for message in messages], [{"a": 1}])

    # State machines

    def execute(self, states: dict, given: dict, name: str) -> dict:
        client = self.cloud.client("stepfunctions")
        definition = json.dumps({"StartAt": next(iter(states)), "States": states})
        machine = client.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
        arn = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))["executionArn"]

        def ended():
            found = client.describe_execution(executionArn=arn)
            return found["status"] != "RUNNING" and found

        return until(name, ended)

    @staticmethod
    def task(payload, **more) -> dict:
        return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "OutputPath": "$.Payload",
                "Parameters": {"FunctionName": "arn:aws:lambda:us-east-1:111111111111:function:standin",
                               **payload}} | more

    def test_a_state_machine_invokes_the_function_and_waits_no_longer_than_it_must(self):
        done = self.execute({
            "Pause": {"Type": "Wait", "SecondsPath": "$.pause", "Next": "Ask"},
            "Ask": self.task({"Payload.$": "$"}, End=True),
        }, {"pause": 1, "word": "hello"}, "plain")
        self.assertEqual(done["status"], "SUCCEEDED")
        self.assertEqual(json.loads(done["output"])["event"]["word"], "hello")

    def test_retries_and_catches_match_the_type_of_the_error(self):
        before = len(self.emulator.of("standin"))
        done = self.execute({
            "Try": self.task(
                {"Payload": {"do": "fail", "errorType": "Slow", "errorMessage": "again"}}, End=True,
                Retry=[{"ErrorEquals": ["Slow"], "MaxAttempts": 2, "IntervalSeconds": 1}],
                Catch=[{"ErrorEquals": ["Slow"], "ResultPath": "$.error", "Next": "Caught"}]),
            "Caught": {"Type": "Pass", "End": True},
        }, {}, "retry")
        self.assertEqual(done["status"], "SUCCEEDED")
        self.assertEqual(json.loads(done["output"])["error"]["Error"], "Slow")
        self.assertEqual(len(self.emulator.of("standin")) - before, 3)

    def test_a_process_that_dies_is_an_error_of_the_task(self):
        done = self.execute({"Die": self.task({"Payload": {"do": "exit", "status": 1}}, End=True)}, {}, "die")
        self.assertEqual((done["status"], done["error"]), ("FAILED", "Runtime.ExitError"))

    def test_maps_run_over_items_and_over_an_object_in_s3(self):
        self.cloud.client("s3").create_bucket(Bucket="bucket")
        items = [{"number": number} for number in range(45)]
        self.cloud.client("s3").put_object(Bucket="bucket", Key="runs/1/manifest.json", Body=json.dumps(items).encode())
        step = {"StartAt": "One", "States": {"One": self.task({"Payload.$": "$"}, End=True)}}
        inline = self.execute({"All": {
            "Type": "Map", "ItemsPath": "$.items", "End": True, "MaxConcurrency": 2,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **step},
        }}, {"items": items[:5]}, "inline")
        self.assertEqual([one["event"]["number"] for one in json.loads(inline["output"])], list(range(5)))
        before = len(self.emulator.of("standin"))
        distributed = self.execute({"All": {
            "Type": "Map", "End": True, "MaxConcurrency": 4, "ResultPath": None,
            "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
                           "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"}},
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **step},
        }}, {"bucket": "bucket", "key": "runs/1/manifest.json"}, "distributed")
        self.assertEqual(distributed["status"], "SUCCEEDED")
        self.assertEqual({one.json["number"] for one in self.emulator.of("standin")[before:]}, set(range(45)))


if __name__ == "__main__":
    unittest.main()
