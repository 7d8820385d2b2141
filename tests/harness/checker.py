"""The deployed checker: bucket, functions, state machine, Security Hub, queue of our own events.

What the template in `infra/` does in an account, done in moto: the definition of the state machine
is the real one, the functions are the built binaries.
"""

import json
import os
import re
import uuid
from pathlib import Path

from .cloud import REPOSITORY, Cloud, until
from .emulator import ACCOUNT, REGION, Emulator, Outcome
from .ses import EXTERNAL_ID, Ses
from .ses import ROLE as READ_ROLE

BUCKET = "ses-perimeter-111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ses-perimeter-state-machine"
SENDER, READER = "perimeter@quillmark.example", "mail-platform@quillmark.example"
FUNCTIONS = ("fetch-scps", "evaluate-scps", "publish-findings", "start-check")
# What the definition calls the functions, as the template fills it in.
PLACEHOLDERS = {
    "FetchFunctionArn": "fetch-scps", "EvaluateFunctionArn": "evaluate-scps",
    "PublishFunctionArn": "publish-findings", "StartFunctionArn": "start-check",
    "ReadExposureFunctionArn": "read-exposure",
}
# Batches that are read at once, as the template's parameter of the same name.
CONCURRENCY = 3
EVENT_SOURCE = "ses-perimeter"
# As the template sets them with its defaults, but for few shards, no wait for further changes, and
# the whole of Organizations' rates: all that makes a test slow and nothing else different.
SETTINGS = {
    "fetch-scps": {"BUCKET": BUCKET, "ORGANIZATIONS_SHARE": "1"},
    "evaluate-scps": {"BUCKET": BUCKET, "SHARDS": "3"},
    "publish-findings": {"BUCKET": BUCKET, "MODE": "central", "DIGEST_FROM": SENDER, "DIGEST_TO": READER},
    "start-check": {"BUCKET": BUCKET, "DEBOUNCE_SECONDS": "0"},
    # Deployed where a test turns exposure on.
    "read-exposure": {"BUCKET": BUCKET, "READ_ROLE_NAME": READ_ROLE, "EXTERNAL_ID": EXTERNAL_ID},
}


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def definition(name: str = "statemachine") -> str:
    """The real definition of this name with its substitutions filled in; unknown ones are an error."""
    known = {name: function_arn(function) for name, function in PLACEHOLDERS.items()}
    known |= {"Partition": "aws", "AWS::Partition": "aws", "Concurrency": str(CONCURRENCY)}
    text = (REPOSITORY / f"infra/{name}.asl.json").read_text()
    return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text)


def binaries() -> Path:
    """The folder of the built functions and of the program."""
    if named := os.environ.get("SES_PERIMETER_BINARIES"):
        return Path(named)
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return (REPOSITORY / target / "debug").resolve()


class Checker:
    """The checker in an organization; `snapshot` is what the organization looks like at first."""

    def __init__(self, cloud: Cloud, emulator: Emulator):
        self.cloud, self.emulator = cloud, emulator
        self.machine = None
        self.reading = None
        self.queue = None
        # How long an invocation may take.
        self.timeout_seconds = 60
        # How many seconds of the clock of the functions pass in one.
        self.speed = 1

    def deploy(self, snapshot: dict, perimeter: str, hub: bool = True, real: bool = True, tap: bool = True) -> None:
        """Empties the cloud, makes the organization and everything that the template makes, and taps the events."""
        self.cloud.reset()
        self.cloud.ask("organization", **snapshot)
        objects = self.cloud.client("s3")
        objects.create_bucket(Bucket=BUCKET)
        objects.put_object(Bucket=BUCKET, Key="config/perimeter.toml", Body=perimeter.encode())
        if hub:
            self.cloud.client("securityhub").enable_security_hub()
        self.cloud.client("ses").verify_email_identity(EmailAddress=SENDER)
        if tap:
            self._tap()
        machine = self.cloud.client("stepfunctions").create_state_machine(
            name="ses-perimeter", definition=definition(), roleArn=ROLE
        )
        self.machine = machine["stateMachineArn"]
        if real:
            self.configure()
        self.cloud.forget_calls()

    def _tap(self) -> None:
        """A rule that puts the checker's own events into a queue."""
        queues, events = self.cloud.client("sqs"), self.cloud.client("events")
        self.queue = queues.create_queue(QueueName="ses-perimeter-events")["QueueUrl"]
        wanted = queues.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])
        events.put_rule(Name="ses-perimeter-tap", EventPattern=json.dumps({"source": [EVENT_SOURCE]}))
        events.put_targets(
            Rule="ses-perimeter-tap", Targets=[{"Id": "queue", "Arn": wanted["Attributes"]["QueueArn"]}]
        )

    def configure(self, **settings: dict[str, str]) -> None:
        """Deploys the functions; `settings` adds variables by function, with `_` for `-`."""
        for name in FUNCTIONS:
            environment = self.cloud.environment | SETTINGS[name] | settings.get(name.replace("-", "_"), {})
            if name == "start-check":
                environment.setdefault("STATE_MACHINE_ARN", self.machine)
            deployed = self.emulator.functions.get(name)
            # A process is kept where nothing changed, as a warm function is.
            if deployed is None or deployed.environment != environment or deployed.script:
                self.emulator.deploy(
                    name, [binaries() / name], environment, timeout_seconds=self.timeout_seconds, speed=self.speed
                )

    def turn_exposure_on(self, ses: Ses, **variables: str) -> None:
        """What the template adds with `Exposure=on`; `variables` are read-exposure's, beside the defaults."""
        made = self.cloud.client("stepfunctions").create_state_machine(
            name="ses-perimeter-exposure", definition=definition("exposure"), roleArn=ROLE
        )
        self.reading = made["stateMachineArn"]
        environment = self.cloud.environment | ses.environment | SETTINGS["read-exposure"] | variables
        self.emulator.deploy("read-exposure", [binaries() / "read-exposure"], environment, timeout_seconds=120,
                             speed=ses.speed)

    # What happens

    def read(self, given: dict | None = None, name: str | None = None) -> dict:
        """Starts a reading as the scheduler or a person does, waits for its end and for that of the check
        that follows, and gives the execution."""
        client = self.cloud.client("stepfunctions")
        # moto makes up no name.
        wish = {"input": json.dumps(given or {}), "name": name or str(uuid.uuid4())}
        arn = client.start_execution(stateMachineArn=self.reading, **wish)["executionArn"]
        return self.read_to_the_end(arn)

    def read_to_the_end(self, arn: str) -> dict:
        """Waits for the end of a reading and for that of the check that follows, and gives the execution."""
        until("the end of the reading", lambda: not self.cloud.runs(self.reading), seconds=180, log=self.logs)
        self.settle()
        return self.cloud.client("stepfunctions").describe_execution(executionArn=arn)

    def start(self, trigger) -> Outcome:
        """Hands a trigger to start-check, as EventBridge, the scheduler or a person does."""
        return self.emulator.invoke("start-check", trigger)

    def executions(self) -> list[dict]:
        """All executions, oldest first."""
        pages = self.cloud.client("stepfunctions").get_paginator("list_executions").paginate(
            stateMachineArn=self.machine
        )
        found = [execution for page in pages for execution in page["executions"]]
        return sorted(found, key=lambda execution: (execution["startDate"], execution["name"]))

    def settle(self) -> list[dict]:
        """Waits until no execution runs and none follows; gives all there were."""

        def quiet():
            if self.cloud.runs(self.machine):
                return None
            found = self.executions()
            return all(execution["status"] != "RUNNING" for execution in found) and not self.holder() and found

        return until("the end of all executions", quiet, seconds=120, log=self.logs)

    def run(self, trigger) -> dict:
        """Hands a trigger in, waits for the end of the execution, and gives it with its history."""
        before = {execution["name"] for execution in self.executions()}
        outcome = self.start(trigger)
        if outcome.error or outcome.json.get("outcome") != "started":
            raise AssertionError(f"nothing was started: {outcome}\n{self.logs()}")
        new = [execution for execution in self.settle() if execution["name"] not in before]
        return self.cloud.client("stepfunctions").describe_execution(executionArn=new[-1]["executionArn"])

    # What there is afterwards

    def holder(self) -> str | None:
        """The run that is under way by `state/run.json`."""
        return (self.object("state/run.json") or {}).get("runId")

    def requests(self) -> list[str]:
        return self.keys("requests/")

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def bytes(self, key: str) -> bytes | None:
        client = self.cloud.client("s3")
        try:
            return client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None

    def object(self, key: str):
        found = self.bytes(key)
        return None if found is None else json.loads(found)

    def put(self, key: str, body: bytes) -> None:
        self.cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

    def findings(self) -> dict[tuple[str, str], dict]:
        """The findings by account and control."""
        found = {}
        for identifier, finding in self.cloud.findings().items():
            account, control = identifier.split("/")[-2:]
            found[account, control] = finding
        return found

    def events(self) -> list[dict]:
        """The events of our own since the last time, and takes them off the queue."""
        client, found = self.cloud.client("sqs"), []
        while messages := client.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in messages]
            client.delete_message_batch(QueueUrl=self.queue, Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
            ])
        return found

    def logs(self) -> str:
        """The last lines of every log, for a failing test."""
        names = (*FUNCTIONS, "read-exposure")
        logs = {name: self.emulator.log(name) for name in names} | {"moto": self.cloud.log()}
        # Metrics say nothing about a failure.
        lines = {name: [line for line in log.splitlines() if '"_aws"' not in line] for name, log in logs.items()}
        return "\n".join(f"--- {name}\n" + "\n".join(line[:600] for line in some[-12:]) for name, some in lines.items())

    def steps(self, execution: dict) -> list[str]:
        """The states that an execution entered, in order."""
        pages = self.cloud.client("stepfunctions").get_paginator("get_execution_history").paginate(
            executionArn=execution["executionArn"]
        )
        events = [event for page in pages for event in page["events"]]
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
