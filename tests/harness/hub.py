"""Security Hub as AWS documents it, in place of moto's, which accepts anything.

Rules that are enforced, each from the API reference or the user guide: 1 to 100 findings a call,
240 KB a finding, only the caller's own account and product, required fields and their lengths, an
update counts only with a later `UpdatedAt`, what customers own is never overwritten by an import,
automatic reset of the workflow, `GetFindings` with filters by equality and pages of at most 100,
`BatchUpdateFindings` for findings that exist.
"""

import base64
import datetime
import json
import re

REQUIRED = {
    "SchemaVersion": (10, 10), "Id": (1, 512), "GeneratorId": (1, 512), "ProductArn": (12, 2048),
    "AwsAccountId": (12, 12), "CreatedAt": (20, 35), "UpdatedAt": (20, 35), "Title": (1, 256), "Description": (1, 1024),
}
# Never overwritten by an import of a finding that is there already.
CUSTOMERS = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
FINDING_LIMIT_BYTES = 240 * 1024


class Rejected(Exception):
    """A call that is refused as a whole."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Hub:
    """The findings of one account in one Region."""

    def __init__(self, account: str, region: str):
        self.account, self.region = account, region
        self.findings: dict[str, dict] = {}
        # How often a finding was really written, by id.
        self.writes: dict[str, int] = {}

    @property
    def product(self) -> str:
        return f"arn:aws:securityhub:{self.region}:{self.account}:product/{self.account}/default"

    def import_findings(self, findings: list[dict], enabled: bool) -> dict:
        if not 1 <= len(findings) <= 100:
            raise Rejected(400, "InvalidInputException", "Findings must have 1 to 100 items")
        failed, seen = [], set()
        for finding in findings:
            problem = self._problem(finding, enabled)
            if problem is None and finding["Id"] in seen:
                # Only the first of several findings with one id is processed.
                continue
            seen.add(finding.get("Id"))
            if problem is None:
                self._store(finding)
            else:
                failed.append({"Id": finding.get("Id", ""), "ErrorCode": problem[0], "ErrorMessage": problem[1]})
        return {"FailedCount": len(failed), "FailedFindings": failed, "SuccessCount": len(findings) - len(failed)}

    def _problem(self, finding: dict, enabled: bool) -> tuple[str, str] | None:
        if not enabled:
            return "InvalidAccess", "Account is not subscribed to AWS Security Hub"
        for name, (least, most) in REQUIRED.items():
            value = finding.get(name)
            if not isinstance(value, str) or not least <= len(value) <= most:
                return "InvalidInput", f"{name} must be text of {least} to {most} characters"
        if finding["AwsAccountId"] != self.account or finding["ProductArn"] != self.product:
            return "InvalidAccess", "findings may be imported for the caller's own account and product only"
        resources = finding.get("Resources")
        if not isinstance(resources, list) or not 1 <= len(resources) <= 32:
            return "InvalidInput", "Resources must have 1 to 32 items"
        if len(finding.get("ProductFields", {})) > 50:
            return "InvalidInput", "ProductFields must have at most 50 items"
        for key, value in finding.get("ProductFields", {}).items():
            if len(key) > 128 or len(value) > 2048:
                return "InvalidInput", f"ProductFields.{key} is too long"
        if len(json.dumps(finding).encode()) > FINDING_LIMIT_BYTES:
            return "LimitExceeded", "a finding must be at most 240 KB"
        try:
            moment(finding["CreatedAt"]), moment(finding["UpdatedAt"])
        except ValueError:
            return "InvalidInput", "CreatedAt and UpdatedAt must be RFC 3339"
        return None

    def _store(self, finding: dict) -> None:
        before = self.findings.get(finding["Id"])
        after = dict(finding)
        after["Region"] = self.region
        # What a producer gives in FindingProviderFields shows up at the top.
        provided = after.get("FindingProviderFields", {})
        for name in ("Severity", "Types", "Confidence", "Criticality"):
            if name in provided:
                after.setdefault(name, provided[name])
        after.setdefault("RecordState", "ACTIVE")
        if before is None:
            after["Workflow"] = after.get("Workflow", {"Status": "NEW"})
        else:
            if moment(after["UpdatedAt"]) <= moment(before["UpdatedAt"]):
                return
            for name in CUSTOMERS:
                after.pop(name, None)
                if name in before:
                    after[name] = before[name]
            if after["Workflow"]["Status"] in ("NOTIFIED", "RESOLVED") and self._reopens(before, after):
                after["Workflow"] = {"Status": "NEW"}
        self.findings[finding["Id"]] = after
        self.writes[finding["Id"]] = self.writes.get(finding["Id"], 0) + 1

    @staticmethod
    def _reopens(before: dict, after: dict) -> bool:
        state = lambda finding: finding.get("Compliance", {}).get("Status")
        returns = before["RecordState"] == "ARCHIVED" and after["RecordState"] == "ACTIVE"
        fails = state(before) == "PASSED" and state(after) in ("FAILED", "WARNING", "NOT_AVAILABLE")
        return returns or fails

    def update(self, wish: dict) -> dict:
        wanted = wish.get("FindingIdentifiers", [])
        if not 1 <= len(wanted) <= 100:
            raise Rejected(400, "InvalidInputException", "FindingIdentifiers must have 1 to 100 items")
        processed, unprocessed = [], []
        for identifier in wanted:
            finding = self.findings.get(identifier["Id"])
            if finding is None or finding["ProductArn"] != identifier["ProductArn"]:
                unprocessed.append({
                    "FindingIdentifier": identifier, "ErrorCode": "FindingNotFound", "ErrorMessage": "no such finding",
                })
                continue
            for name in ("Workflow", "Note", "UserDefinedFields", "VerificationState", "Severity"):
                if name in wish:
                    finding[name] = wish[name]
            processed.append(identifier)
        return {"ProcessedFindings": processed, "UnprocessedFindings": unprocessed}

    def find(self, wish: dict) -> dict:
        filters = wish.get("Filters") or {}
        if len(filters) > 10:
            raise Rejected(400, "InvalidInputException", "at most 10 filter attributes")
        size = wish.get("MaxResults") or 100
        if not 1 <= size <= 100:
            raise Rejected(400, "InvalidInputException", "MaxResults must be 1 to 100")
        check(filters)
        found = [finding for finding in self.findings.values() if matches(finding, filters)]
        token = wish.get("NextToken")
        start = int(base64.b64decode(token)) if token else 0
        answer = {"Findings": found[start : start + size]}
        if start + size < len(found):
            answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
        return answer


# Filter attributes that are known, each with the way to its value.
ATTRIBUTES = {
    "Id": ("Id",), "ProductName": ("ProductName",), "CompanyName": ("CompanyName",), "RecordState": ("RecordState",),
    "AwsAccountId": ("AwsAccountId",), "GeneratorId": ("GeneratorId",), "ProductArn": ("ProductArn",),
    "WorkflowStatus": ("Workflow", "Status"), "ComplianceStatus": ("Compliance", "Status"),
}


def check(filters: dict) -> None:
    """Refuses filters that AWS refuses, and those that nothing here stands for."""
    for name, wanted in filters.items():
        if name == "ProductFields":
            if any(set(item) != {"Key", "Value", "Comparison"} for item in wanted):
                raise Rejected(400, "InvalidInputException", "ProductFields must have keys, values and comparisons")
        elif name not in ATTRIBUTES:
            raise Rejected(400, "InvalidInputException", f"the harness knows no filter {name}")
        if not 1 <= len(wanted) <= 20:
            raise Rejected(400, "InvalidInputException", f"{name} must have 1 to 20 values")
        if any(item["Comparison"] != "EQUALS" for item in wanted):
            raise Rejected(400, "InvalidInputException", f"the harness knows only EQUALS for {name}")


def matches(finding: dict, filters: dict) -> bool:
    """Whether a finding meets every filter; the values of one filter are alternatives."""
    for name, wanted in filters.items():
        if name == "ProductFields":
            fields = finding.get(name, {})
            if not all(
                fields.get(key) in [item["Value"] for item in wanted if item["Key"] == key]
                for key in {item["Key"] for item in wanted}
            ):
                return False
            continue
        value = finding
        for step in ATTRIBUTES[name]:
            value = value.get(step, {}) if isinstance(value, dict) else {}
        if value not in [item["Value"] for item in wanted]:
            return False
    return True


def moment(text: str) -> int:
    """Milliseconds of an RFC 3339 timestamp; Security Hub rounds to them."""
    shape = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", text)
    if shape is None:
        raise ValueError(f"not RFC 3339: {text}")
    seconds, fraction, zone = shape.groups()
    parsed = datetime.datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone))
    return round(parsed.timestamp()) * 1000 + round(int((fraction or "0").ljust(9, "0")) / 1_000_000)
