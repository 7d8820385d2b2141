"""Events as they reach the checker: CloudTrail records of Organizations calls, Security Hub's, the schedule's."""

import datetime
import uuid

from .emulator import ACCOUNT, REGION


def _envelope(source: str, detail_type: str, detail: dict, resources=()) -> dict:
    now = datetime.datetime.now(datetime.UTC)
    return {
        "version": "0", "id": str(uuid.uuid4()), "detail-type": detail_type, "source": source, "account": ACCOUNT,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "region": REGION, "resources": list(resources), "detail": detail,
    }


def organizations(name: str, parameters: dict, response: dict | None = None, **more) -> dict:
    """A call of Organizations that CloudTrail recorded; `errorCode` makes it one that failed."""
    now = datetime.datetime.now(datetime.UTC)
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "accountId": ACCOUNT, "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/me",
        },
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "eventSource": "organizations.amazonaws.com",
        "eventName": name, "awsRegion": REGION, "sourceIPAddress": "203.0.113.7", "userAgent": "console.amazonaws.com",
        "requestParameters": parameters, "responseElements": response, "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()), "readOnly": False, "eventType": "AwsApiCall", "managementEvent": True,
        "recipientAccountId": ACCOUNT, "eventCategory": "Management",
    }
    return _envelope("aws.organizations", "AWS API Call via CloudTrail", detail | more)


def policy_updated(policy: str, **more) -> dict:
    return organizations("UpdatePolicy", {"policyId": policy}, **more)


def custom_action(findings: list[dict]) -> dict:
    """The custom action in Security Hub, for selected findings."""
    action = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:action/custom/RecheckSesPerimeter"
    detail = {"actionName": "Re-check SES perim", "actionDescription": "Checks the accounts again", "findings": findings}
    return _envelope("aws.securityhub", "Security Hub Findings - Custom Action", detail, [action])


def imported(finding: dict) -> dict:
    """What Security Hub sends for each import, those of the checker too."""
    arn = f"{finding['ProductArn']}/{finding['Id']}"
    return _envelope("aws.securityhub", "Security Hub Findings - Imported", {"findings": [finding]}, [arn])


def scheduled() -> dict:
    return _envelope("aws.scheduler", "Scheduled Event", {})
