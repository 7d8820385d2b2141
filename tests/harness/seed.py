"""Fills moto from inside its process: what its API cannot do, or only slowly.

An organization gets the very ids of a snapshot, so that the perimeter file that belongs to it, the
documentation and the expected verdicts all fit.
"""

import datetime
import time

from moto.organizations import models, utils
from moto.securityhub.models import securityhub_backends
from moto.ses.models import ses_backends
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

# Without a time zone, as moto has it: UTC is meant.
FIRST_DAY = datetime.datetime(2020, 1, 1)


def organization(snapshot: dict) -> dict:
    """Makes the organization of a snapshot; there must be none yet."""
    management = snapshot["organization"]["managementAccountId"]
    backend = models.organizations_backends[management]["aws"]
    if backend.org is not None:
        raise ValueError("there is an organization already")
    features = snapshot["organization"]["featureSet"]
    head = models.FakeOrganization(management, region_name="us-east-1", feature_set=features)
    head.id, head.root_id = snapshot["organization"]["id"], snapshot["root"]["id"]
    backend.org = head
    root = models.FakeRoot(head)
    root.name = snapshot["root"]["name"]
    root.policy_types = [
        {"Type": kind["type"], "Status": kind["status"]} for kind in snapshot["root"]["policyTypes"]
    ]
    backend.ou.append(root)
    for unit in snapshot["organizationalUnits"]:
        made = models.FakeOrganizationalUnit(head, Name=unit["name"], ParentId=unit["parentId"])
        made.id = unit["id"]
        backend.ou.append(made)
    for number, account in enumerate(snapshot["accounts"]):
        made = models.FakeAccount(head, AccountName=account["name"], Email=account["email"])
        made.id, made.parent_id = account["id"], account["parentId"]
        made.state = made.status = account["state"]
        made.create_time = FIRST_DAY + datetime.timedelta(days=number)
        backend.accounts.append(made)
        if account["id"] != management:
            models.organizations_backends.master_accounts[account["id"]] = (management, "aws")
    for policy in snapshot["policies"]:
        made = models.FakePolicy(
            head, Name=policy["name"], Description="", Type=policy["type"], Content=policy["content"]
        )
        made.id, made.aws_managed = policy["id"], policy["awsManaged"]
        backend.policies.append(made)
    # moto attaches it to every new account and unit; ListPolicies for SCPs does not show it.
    resource_policy = models.FakePolicy(
        head, Name="RCPFullAWSAccess", Description="", Type="RESOURCE_CONTROL_POLICY", Content="{}"
    )
    resource_policy.id, resource_policy.aws_managed = utils.DEFAULT_RCP_POLICY_ID, True
    backend.policies.append(resource_policy)
    for attachment in snapshot["attachments"]:
        backend.attach_policy(PolicyId=attachment["policyId"], TargetId=attachment["targetId"])
    return {"accounts": len(backend.accounts), "policies": len(backend.policies)}


def findings(account: str, region: str) -> dict:
    """The findings in Security Hub as they are, and how often each was written."""
    hub = getattr(securityhub_backends[account][region], "harness_hub", None)
    if hub is None:
        return {"findings": [], "writes": {}}
    return {"findings": list(hub.findings.values()), "writes": hub.writes}


def running(account: str, region: str, machine: str, seconds: float) -> bool:
    """Whether an execution of a state machine runs, as soon as none does or so much later. Looks into the API
    would cost more than the test that waits."""
    backend = stepfunctions_parser_backends[account][region]
    end = time.monotonic() + seconds
    while True:
        executions = backend.describe_state_machine(machine).executions
        runs = any(execution.exec_status in (None, ExecutionStatus.RUNNING) for execution in executions)
        if not runs or time.monotonic() > end:
            return runs
        time.sleep(0.02)


def mails(account: str, region: str) -> list[dict]:
    """What SES has sent."""
    sent = []
    for message in ses_backends[account][region].sent_messages:
        fields = vars(message)
        sent.append({
            "subject": fields.get("subject"), "source": fields.get("source"), "body": fields.get("body"),
            "raw": fields.get("raw_data"), "to": fields.get("destinations"),
        })
    return sent
