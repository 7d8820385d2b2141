"""Accounts in which SES stands as a test says: all that reading them calls, and nothing else.

STS AssumeRole, Account Management ListRegions, five calls of SES, two of SESv2, five of Mail Manager,
EC2 DescribeVpcEndpoints, each in the protocol of its service. Whoever calls anything else, or in a
Region that is off, or with credentials that this did not hand out, is refused, and `refused` says so.

A *world* is what docs/exposure.md calls accounts and Regions, by their names:

    {"222222222222": {"us-east-1": {"status": "read", "sending": {...}, ...}, "af-south-1": {"status": "notOptedIn"}}}

A gap in it is a call that is denied; `roleMissing`, and `denied` at `sts:AssumeRole` or
`account:ListRegions`, hold for a whole account. What the text cannot say (`failed`, gaps of calls that
describe one thing) is left to `fail`. A Region whose Mail Manager is not available hangs up on its
calls, as there is no such name in the DNS.

`Ses` is a context manager; its server ends with it.
"""

import base64
import collections
import contextlib
import dataclasses
import datetime
import fnmatch
import io
import json
import re
import secrets
import socket
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

import cbor2

ROLE, EXTERNAL_ID, SESSION = "SesPerimeterReadExposure", "ses-perimeter", "ses-perimeter-read-exposure"
# AWS answers fewer than it could; small pages show whether a client goes on.
PAGE = 2
MOMENT = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)
# By SDK service, the variable that names its endpoint.
SERVICES = ("STS", "ACCOUNT", "SES", "SESV2", "MAILMANAGER", "EC2")
# Which service an operation is of, which tells its protocol and its errors, and whom it is signed for.
SIGNED_FOR = {"sts": "sts", "account": "account", "v1": "ses", "v2": "ses", "manager": "ses", "ec2": "ec2"}
OPERATIONS = {
    "AssumeRole": "sts", "ListRegions": "account", "GetAccount": "v2", "ListEmailIdentities": "v2",
    "GetAccountSendingEnabled": "v1", "GetSendQuota": "v1", "GetSendStatistics": "v1",
    "ListIdentityPolicies": "v1", "GetIdentityPolicies": "v1",
    "ListRelays": "manager", "GetRelay": "manager", "ListRuleSets": "manager", "GetRuleSet": "manager",
    "ListIngressPoints": "manager", "DescribeVpcEndpoints": "ec2",
}
VERSIONS = {"sts": "2011-06-15", "v1": "2010-12-01", "ec2": "2016-11-15"}
# What an error is called: throttled, denied, ended inside, and not there.
ERRORS = {
    "sts": {"throttle": (400, "Throttling"), "deny": (403, "AccessDenied"), "error": (500, "InternalFailure")},
    "v1": {"throttle": (400, "Throttling"), "deny": (403, "AccessDenied"), "error": (500, "InternalFailure")},
    "account": {"throttle": (429, "TooManyRequestsException"), "deny": (403, "AccessDeniedException"),
                "error": (500, "InternalServerException")},
    "v2": {"throttle": (429, "TooManyRequestsException"), "deny": (403, "AccessDeniedException"),
           "error": (500, "InternalServiceErrorException")},
    "manager": {"throttle": (429, "ThrottlingException"), "deny": (400, "AccessDeniedException"),
                "error": (500, "InternalServerException"), "gone": (400, "ResourceNotFoundException")},
    "ec2": {"throttle": (503, "RequestLimitExceeded"), "deny": (403, "UnauthorizedOperation"),
            "error": (500, "InternalError")},
}
WORDS = {"throttle": "Rate exceeded", "deny": "You are not authorized to perform this operation",
         "error": "An internal error occurred", "gone": "Resource not found"}
# The part that a gap may stand in, by its call.
GAPS = {
    "sending": {"ses:GetAccount"}, "sentLastTwoWeeks": {"ses:GetSendStatistics"},
    "identities": {"ses:ListEmailIdentities"}, "vpcEndpoints": {"ec2:DescribeVpcEndpoints"},
    "mailManager": {"ses:ListRelays", "ses:ListRuleSets", "ses:ListIngressPoints"},
}
POLICY_GAPS = {"ses:ListIdentityPolicies"}
# Filters of DescribeVpcEndpoints that are known, each with the field that it looks at.
FILTERS = {"service-name": "service", "vpc-id": "vpc", "vpc-endpoint-id": "id", "vpc-endpoint-state": "state"}


class Refused(Exception):
    """A request that AWS would refuse: with which status, code and message."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class HungUp(Exception):
    """A request that gets no answer."""


@dataclasses.dataclass(frozen=True)
class Call:
    """One request: when it came in, in seconds of a clock that only goes on, and what became of it."""

    account: str
    region: str
    # As the permission, for instance `ses:GetAccount`.
    api: str
    at: float
    # `ok`, the code of an error, or `hung up`.
    outcome: str


@dataclasses.dataclass
class Fault:
    """What shall go wrong, where, and how often (-1: always)."""

    kind: str
    account: str | None
    region: str | None
    # What the request must name, for instance an identity or a relay.
    about: str | None
    times: int
    seconds: float


@dataclasses.dataclass
class Session:
    account: str
    token: str
    ends: float


class Ses:
    """The accounts and their endpoint. `terse` leaves out of GetAccount what other calls tell as well."""

    def __init__(self, world: dict, role: str = ROLE, external_id: str = EXTERNAL_ID, session: str | None = SESSION,
                 page: int = PAGE, terse: bool = False, session_seconds: float = 3600, pace: float | None = None, speed: int = 1):
        self.world = check(world)
        self.role, self.external_id, self.session = role, external_id, session
        self.page, self.terse, self.session_seconds = page, terse, session_seconds
        # Where it is set, calls of one API that come sooner are throttled, as AWS does it.
        self.pace = pace
        # How many seconds of the clock of who calls pass in one: times of calls and slow answers are of that clock.
        self.speed = speed
        self.lock = threading.Lock()
        self.sessions: dict[str, Session] = {}
        self.faults: dict[str, list[Fault]] = collections.defaultdict(list)
        self.calls: list[Call] = []
        self.refused: list[str] = []
        self.last: dict[tuple[str, str, str], float] = {}
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self) -> "Ses":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to take this for the services here, and for no others."""
        return {f"AWS_ENDPOINT_URL_{service}": self.endpoint for service in SERVICES}

    # What a test may do and ask.

    def fail(self, api: str, kind: str, account: str | None = None, region: str | None = None, about: str | None = None,
             times: int = -1, seconds: float = 0.0) -> None:
        """Lets calls go wrong: `throttle`, `deny`, `error`, `gone`, `hang up`, or `slow` by so many seconds."""
        service = OPERATIONS[api.split(":")[1]]
        if kind not in ("hang up", "slow") and kind not in ERRORS[service]:
            raise ValueError(f"{api} does not fail by `{kind}`")
        with self.lock:
            self.faults[api].append(Fault(kind, account, region, about, times, seconds))

    def mend(self) -> None:
        with self.lock:
            self.faults.clear()

    def to_come(self) -> list[Fault]:
        """What shall still go wrong so many times."""
        with self.lock:
            return [fault for faults in self.faults.values() for fault in faults if fault.times > 0]

    @contextlib.contextmanager
    def failing(self, api: str, kind: str, **which):
        self.fail(api, kind, **which)
        try:
            yield
        finally:
            self.mend()

    def log(self) -> list[Call]:
        """Every call so far, in the order in which they came in."""
        with self.lock:
            return sorted(self.calls, key=lambda call: call.at)

    def counts(self) -> collections.Counter:
        return collections.Counter(call.api for call in self.log())

    def forget(self) -> None:
        with self.lock:
            self.calls.clear()
            self.refused.clear()

    def too_fast(self, seconds: float = 1.0, apis: str = "ses:") -> list[str]:
        """Calls of one API in one account and Region that came sooner after one another than this."""
        last, found = {}, []
        for call in self.log():
            key = (call.account, call.region, call.api)
            if call.api.startswith(apis) and key in last and call.at - last[key] < seconds:
                found.append(f"{call.api} in {call.account}/{call.region} after {call.at - last[key]:.3f} s")
            last[key] = call.at
        return found

    # What the handler asks for.

    def answer(self, request: "Request") -> bytes | dict:
        """The answer to a request, in the terms of its protocol; raises `Refused` or `HungUp`."""
        service = OPERATIONS.get(request.operation)
        if service is None or service != request.service:
            raise Refused(400, "InvalidAction", f"the harness has no {request.service} {request.operation}")
        if request.signed_for != SIGNED_FOR[service]:
            raise Refused(403, "SignatureDoesNotMatch", f"signed for {request.signed_for}")
        if request.version not in (None, VERSIONS.get(service)):
            raise Refused(400, "InvalidAction", f"no version {request.version}")
        if service == "sts":
            request.account = (re.findall(r":iam::(\d{12}):role/", request.form.get("RoleArn", "")) or ["?"])[0]
        else:
            request.account = self._account(request)
        api = request.api
        if api.startswith("ses:"):
            self._keep_pace(request)
        self._go_wrong(request)
        if service == "sts":
            return self._assume(request)
        if service == "account":
            return self._regions(request)
        place = self.world[request.account].get(request.region)
        if place is None or place["status"] != "read":
            raise Refused(403, "UnrecognizedClientException", f"{request.region} is off in {request.account}")
        return getattr(self, f"_{_snake(request.operation)}")(request, place)

    def _account(self, request: "Request") -> str:
        with self.lock:
            session = self.sessions.get(request.key)
        if session is None or session.token != request.token:
            raise Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid")
        if session.ends < time.monotonic():
            raise Refused(403, "ExpiredToken", "The security token included in the request is expired")
        return session.account

    def _keep_pace(self, request: "Request") -> None:
        key = (request.account, request.region, request.api)
        with self.lock:
            before, self.last[key] = self.last.get(key), request.at
        if self.pace is not None and before is not None and request.at - before < self.pace:
            raise self._error(request, "throttle")

    def _go_wrong(self, request: "Request") -> None:
        with self.lock:
            fault = next((
                fault for fault in self.faults[request.api]
                if fault.times != 0 and fault.account in (None, request.account)
                and fault.region in (None, request.region) and (fault.about is None or fault.about == request.about)
            ), None)
            if fault is None:
                return
            fault.times -= 1
        time.sleep(fault.seconds / self.speed)
        if fault.kind == "hang up":
            raise HungUp
        if fault.kind != "slow":
            raise self._error(request, fault.kind)

    @staticmethod
    def _error(request: "Request", kind: str) -> Refused:
        status, code = ERRORS[request.service][kind]
        return Refused(status, code, f"{WORDS[kind]} ({request.api})")

    def _deny(self, request: "Request", part) -> None:
        if isinstance(part, dict) and part.get("gap", {}).get("call") == request.api:
            raise self._error(request, "deny")

    # STS and Account Management

    def _assume(self, request: "Request") -> str:
        form, account = request.form, request.account
        allowed = {"Action", "Version", "RoleArn", "RoleSessionName", "ExternalId", "DurationSeconds"}
        if set(form) - allowed:
            raise Refused(400, "ValidationError", f"the harness knows no {sorted(set(form) - allowed)}")
        regions = self.world.get(account)
        expected = f"arn:aws:iam::{account}:role/{self.role}"
        trusted = form.get("ExternalId") == self.external_id and form.get("RoleArn") == expected
        named = self.session is None or form.get("RoleSessionName") == self.session
        if regions is None or not trusted or not named or closed(regions) in ("roleMissing", "sts:AssumeRole"):
            words = f"User is not authorized to perform: sts:AssumeRole on resource: {form.get('RoleArn')}"
            raise Refused(403, "AccessDenied", words)
        key, secret, token = "ASIA" + secrets.token_hex(8).upper(), secrets.token_hex(20), secrets.token_hex(40)
        with self.lock:
            self.sessions[key] = Session(account, token, time.monotonic() + self.session_seconds)
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.session_seconds)
        return _xml({
            "Credentials": {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token,
                            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")},
            "AssumedRoleUser": {"AssumedRoleId": f"AROA{account}:{form['RoleSessionName']}",
                                "Arn": f"arn:aws:sts::{account}:assumed-role/{self.role}/{form['RoleSessionName']}"},
        })

    def _regions(self, request: "Request") -> dict:
        regions = self.world[request.account]
        if closed(regions) == "account:ListRegions":
            raise self._error(request, "deny")
        body = request.body
        _only(body, {"AccountId", "MaxResults", "NextToken", "RegionOptStatusContains"})
        if body.get("AccountId") is not None:
            raise Refused(400, "ValidationException", "AccountId is for the management account")
        if not 1 <= (body.get("MaxResults") or 20) <= 50:
            raise Refused(400, "ValidationException", "MaxResults must be 1 to 50")
        status = lambda name: {"read": "ENABLED" if "-south-" in name else "ENABLED_BY_DEFAULT"}.get(
            regions[name]["status"], "DISABLED")
        found = [{"RegionName": name, "RegionOptStatus": status(name)} for name in sorted(regions, reverse=True)]
        wanted = body.get("RegionOptStatusContains")
        items, token = self._page(request, found, body.get("NextToken"), body.get("MaxResults"), 20)
        items = [item for item in items if not wanted or item["RegionOptStatus"] in wanted]
        return _with_token({"Regions": items}, token)

    # SESv2

    def _get_account(self, request: "Request", place: dict) -> dict:
        self._deny(request, place["sending"])
        sending = place["sending"]
        answer = {
            "DedicatedIpAutoWarmupEnabled": False, "EnforcementStatus": sending["enforcementStatus"],
            "ProductionAccessEnabled": sending["productionAccess"],
        }
        if not self.terse:
            quota = sending["quota"]
            answer["SendingEnabled"] = sending["enabled"]
            answer["SendQuota"] = {"Max24HourSend": float(quota["max24Hour"]), "MaxSendRate": float(quota["maxSendRate"]),
                                   "SentLast24Hours": float(quota["sentLast24Hours"])}
        return answer

    def _list_email_identities(self, request: "Request", place: dict) -> dict:
        self._deny(request, place["identities"])
        _only(request.body, {"PageSize", "NextToken"})
        items, token = self._page(request, place["identities"][::-1], request.body.get("NextToken"),
                                  request.body.get("PageSize"), 1000)
        return _with_token({"EmailIdentities": [
            {"IdentityType": item["kind"], "IdentityName": item["name"], "SendingEnabled": item["verified"],
             "VerificationStatus": "SUCCESS" if item["verified"] else "PENDING"} for item in items
        ]}, token)

    # SES

    def _sending(self, request: "Request", place: dict) -> dict:
        if "gap" in place["sending"]:
            raise self._error(request, "deny")
        return place["sending"]

    def _get_account_sending_enabled(self, request: "Request", place: dict) -> str:
        return _xml({"Enabled": self._sending(request, place)["enabled"]})

    def _get_send_quota(self, request: "Request", place: dict) -> str:
        quota = self._sending(request, place)["quota"]
        return _xml({"Max24HourSend": float(quota["max24Hour"]), "MaxSendRate": float(quota["maxSendRate"]),
                     "SentLast24Hours": float(quota["sentLast24Hours"])})

    def _get_send_statistics(self, request: "Request", place: dict) -> str:
        sent = place["sentLastTwoWeeks"]
        self._deny(request, sent)
        # Points that add up, in no order, some of them empty.
        parts = [sent // 3, 0, sent - sent // 3] if sent else []
        return _xml({"SendDataPoints": [
            {"Timestamp": (MOMENT - datetime.timedelta(minutes=15 * (7 * number % 5))).strftime("%Y-%m-%dT%H:%M:%SZ"),
             "DeliveryAttempts": part, "Bounces": 0, "Complaints": 0, "Rejects": 0} for number, part in enumerate(parts)
        ]})

    def _identity(self, request: "Request", place: dict) -> list:
        self._deny(request, place["identities"])
        identities = [] if isinstance(place["identities"], dict) else place["identities"]
        identity = next((item for item in identities if item["name"] == request.form.get("Identity")), None)
        if identity is None:
            return []
        self._deny(request, identity["policies"])
        return [] if isinstance(identity["policies"], dict) else identity["policies"]

    def _list_identity_policies(self, request: "Request", place: dict) -> str:
        return _xml({"PolicyNames": [policy["name"] for policy in self._identity(request, place)][::-1]})

    def _get_identity_policies(self, request: "Request", place: dict) -> str:
        wanted = [value for key, value in request.form.items() if key.startswith("PolicyNames.member.")]
        if not 1 <= len(wanted) <= 20:
            raise Refused(400, "ValidationError", "PolicyNames must have 1 to 20 members")
        policies = [policy for policy in self._identity(request, place) if policy["name"] in wanted]
        entries = "".join(f"<entry>{_xml({'key': it['name'], 'value': it['text']})}</entry>" for it in policies)
        return f"<Policies>{entries}</Policies>"

    # Mail Manager

    def _manager(self, request: "Request", place: dict) -> dict:
        manager = place["mailManager"]
        self._deny(request, manager)
        if "gap" in manager:
            return {"relays": [], "ruleSets": [], "ingressPoints": []}
        if not manager["available"]:
            raise HungUp
        return manager

    def _listed(self, request: "Request", items: list, name: str, shape) -> dict:
        _only(request.body, {"PageSize", "NextToken"})
        if not 1 <= (request.body.get("PageSize") or 50) <= 50:
            raise Refused(400, "ValidationException", "PageSize must be 1 to 50")
        page, token = self._page(request, items[::-1], request.body.get("NextToken"), request.body.get("PageSize"), 50)
        return _with_token({name: [shape(item) for item in page]}, token)

    def _list_relays(self, request: "Request", place: dict) -> dict:
        return self._listed(request, self._manager(request, place)["relays"], "Relays", lambda item: {
            "RelayId": item["id"], "RelayName": item["name"], "LastModifiedTimestamp": MOMENT})

    def _list_rule_sets(self, request: "Request", place: dict) -> dict:
        return self._listed(request, self._manager(request, place)["ruleSets"], "RuleSets", lambda item: {
            "RuleSetId": item["id"], "RuleSetName": item["name"], "LastModificationDate": MOMENT})

    def _list_ingress_points(self, request: "Request", place: dict) -> dict:
        return self._listed(request, self._manager(request, place)["ingressPoints"], "IngressPoints", lambda item: {
            "IngressPointId": item["id"], "IngressPointName": item["name"], "Status": item["status"], "Type": "OPEN",
            "ARecord": f"{item['id']}.example"})

    def _described(self, request: "Request", items: list, key: str) -> dict:
        _only(request.body, {key})
        found = next((item for item in items if item["id"] == request.body.get(key)), None)
        if found is None:
            raise self._error(request, "gone")
        return found

    def _get_relay(self, request: "Request", place: dict) -> dict:
        relay = self._described(request, self._manager(request, place)["relays"], "RelayId")
        return {
            "RelayId": relay["id"], "RelayArn": self._relay_arn(request, relay["id"]), "RelayName": relay["name"],
            "ServerName": relay["serverName"], "ServerPort": relay["serverPort"], "Authentication": {"NoAuthentication": {}},
            "CreatedTimestamp": MOMENT, "LastModifiedTimestamp": MOMENT,
        }

    @staticmethod
    def _relay_arn(request: "Request", relay: str) -> str:
        return f"arn:aws:ses:{request.region}:{request.account}:mailmanager-smtp-relay/{relay}"

    def _get_rule_set(self, request: "Request", place: dict) -> dict:
        found = self._described(request, self._manager(request, place)["ruleSets"], "RuleSetId")
        return {
            "RuleSetId": found["id"], "RuleSetName": found["name"], "CreatedDate": MOMENT, "LastModificationDate": MOMENT,
            "RuleSetArn": f"arn:aws:ses:{request.region}:{request.account}:mailmanager-rule-set/{found['id']}",
            "Rules": rules(found["actions"], lambda relay: self._relay_arn(request, relay)),
        }

    # EC2

    def _describe_vpc_endpoints(self, request: "Request", place: dict) -> str:
        self._deny(request, place["vpcEndpoints"])
        form = request.form
        filters = _filters(form)
        most = form.get("MaxResults")
        if most is not None and not 5 <= int(most) <= 1000:
            raise Refused(400, "InvalidParameterValue", "MaxResults must be 5 to 1000")
        # Endpoints of other services are there as well, and AWS filters after it has paged.
        there = sorted([*place["vpcEndpoints"], *strangers(request.region)], key=lambda item: item["id"])
        page, token = self._page(request, there, form.get("NextToken"), int(most) if most else None, 1000)
        kept = [item for item in page if all(
            any(fnmatch.fnmatchcase(item[FILTERS[name]], pattern) for pattern in patterns) for name, patterns in filters
        )]
        items = "".join("<item>" + _xml({
            "vpcEndpointId": item["id"], "vpcEndpointType": "Interface", "vpcId": item["vpc"], "serviceName": item["service"],
            "state": item["state"], "policyDocument": item.get("policy"), "privateDnsEnabled": True,
        }) + "</item>" for item in kept)
        return f"<vpcEndpointSet>{items}</vpcEndpointSet>" + _xml({"nextToken": token})

    # Pages

    def _page(self, request: "Request", items: list, token: str | None, asked: int | None, most: int):
        place = f"{request.account}/{request.region}/{request.api}/"
        start = 0
        if token:
            try:
                text = base64.b64decode(token, validate=True).decode()
                start = int(text.removeprefix(place))
            except ValueError:
                code = {"v2": "InvalidNextTokenException", "ec2": "InvalidNextToken"}.get(request.service, "ValidationException")
                raise Refused(400, code, "The specified token is invalid") from None
        size = min(self.page, asked or most)
        after = start + size
        following = base64.b64encode(f"{place}{after}".encode()).decode() if after < len(items) else None
        return items[start:after], following


@dataclasses.dataclass
class Request:
    """A request, taken apart."""

    service: str
    operation: str
    key: str
    token: str | None
    region: str
    signed_for: str
    at: float
    form: dict
    body: dict
    version: str | None = None
    account: str = "?"

    @property
    def api(self) -> str:
        return f"{SIGNED_FOR.get(self.service, '?')}:{self.operation}"

    @property
    def about(self) -> str | None:
        """The one thing that it names."""
        return self.form.get("Identity") or self.body.get("RelayId") or self.body.get("RuleSetId")


# The world


def check(world: dict) -> dict:
    """The world, if there can be one like it."""
    for account, regions in world.items():
        if not re.fullmatch(r"\d{12}", account):
            raise ValueError(f"{account} is no account")
        states = {(region["status"], region.get("call")) for region in regions.values()}
        whole = {state for state in states if state[0] not in ("read", "notOptedIn", "regionDisabled")}
        if whole and len(states) > 1:
            raise ValueError(f"{account}: {whole} holds for all its Regions or for none")
        for status, call in whole:
            if status != "roleMissing" and (status, call) not in (("denied", "sts:AssumeRole"), ("denied", "account:ListRegions")):
                raise ValueError(f"{account}: a world cannot be {status} at {call}; see `fail`")
        for name, region in regions.items():
            if region["status"] == "read":
                check_region(f"{account}/{name}", region)
    return world


def check_region(place: str, region: dict) -> None:
    if set(region) != {"status", *GAPS}:
        raise ValueError(f"{place} has {sorted(set(region) ^ {'status', *GAPS})} too much or too little")
    for part, calls in GAPS.items():
        if isinstance(region[part], dict) and "gap" in region[part] and region[part]["gap"]["call"] not in calls:
            raise ValueError(f"{place}: no gap in {part} by {region[part]['gap']['call']}; see `fail`")
    if isinstance(region["identities"], list):
        for identity in region["identities"]:
            policies = identity["policies"]
            if isinstance(policies, dict) and policies["gap"]["call"] not in POLICY_GAPS:
                raise ValueError(f"{place}: no gap of {identity['name']} by {policies['gap']['call']}; see `fail`")
    for rule_set in region["mailManager"].get("ruleSets", []):
        rules(rule_set["actions"], lambda relay: relay)


def closed(regions: dict) -> str | None:
    """What keeps all of an account closed: `roleMissing`, or the call that is denied."""
    for region in regions.values():
        if region["status"] == "roleMissing":
            return "roleMissing"
        if region["status"] == "denied":
            return region["call"]
    return None


def rules(actions: list, arn) -> list[dict]:
    """Rules whose actions let out just this mail, among others that let out none."""
    found: dict[str, list] = {}
    replaced: dict[str, list | None] = {}
    for number, action in enumerate(actions):
        rule = found.setdefault(action["rule"], [{"AddHeader": {"HeaderName": "X-Seen", "HeaderValue": "yes"}}])
        if list(found)[-1] != action["rule"]:
            raise ValueError(f"the actions of rule {action['rule']} do not follow one another")
        if action["action"] == "relay":
            # A rule may name a relay in either way.
            relay = action["relay"]
            rule.append({"Relay": {"Relay": arn(relay) if number % 2 else relay, "MailFrom": "PRESERVE"}})
            continue
        recipients = action.get("recipients")
        if recipients != replaced.get(action["rule"]):
            if not recipients:
                raise ValueError(f"nothing makes recipients free again in rule {action['rule']}")
            rule.append({"ReplaceRecipient": {"ReplaceWith": recipients}})
            replaced[action["rule"]] = recipients
        rule.append({"Send": {"ActionFailurePolicy": "CONTINUE", "RoleArn": "arn:aws:iam::123456789012:role/send"}})
    return [{"Name": name, "Conditions": [], "Unless": [], "Actions": [*all_of, {"Drop": {}}]} for name, all_of in found.items()]


def strangers(region: str) -> list[dict]:
    """VPC endpoints that are none of SES."""
    services = ("s3", "emailarchive.example", "sqs", "ssm")
    return [{"id": f"vpce-{number}strange", "service": f"com.amazonaws.{region}.{name}", "vpc": "vpc-0", "state": "available",
             "policy": '{"Statement": []}'} for number, name in enumerate(services)]


# Protocols


def _xml(value: dict) -> str:
    """Members as elements: lists as `member`, what is None left out."""
    made = []
    for name, item in value.items():
        match item:
            case None:
                continue
            case bool():
                inner = "true" if item else "false"
            case dict():
                inner = _xml(item)
            case list():
                inner = "".join(f"<member>{_xml(one) if isinstance(one, dict) else _text(one)}</member>" for one in item)
            case _:
                inner = _text(item)
        made.append(f"<{name}>{inner}</{name}>")
    return "".join(made)


def _text(value) -> str:
    # A parser makes one line end of two, unless it is told which.
    return escape(str(value), {"\r": "&#13;"})


def _filters(form: dict) -> list[tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for key, value in form.items():
        if match := re.fullmatch(r"Filter\.(\d+)\.(Name|Value\.\d+)", key):
            name, values = found.get(match[1], ("", []))
            found[match[1]] = (value, values) if match[2] == "Name" else (name, [*values, value])
        elif key not in ("Action", "Version", "MaxResults", "NextToken"):
            raise Refused(400, "UnknownParameter", f"the harness knows no {key}")
    for name, values in found.values():
        if name not in FILTERS or not values:
            raise Refused(400, "InvalidParameterValue", f"The filter '{name}' is invalid")
        if len(values) > 200:
            raise Refused(400, "FilterLimitExceeded", "at most 200 values")
    return list(found.values())


def _to_cbor(value) -> bytes:
    return cbor2.dumps(value, datetime_as_timestamp=True)


def _from_cbor(data: bytes):
    stream = io.BytesIO(data)
    value = cbor2.load(stream)
    if stream.read(1):
        raise ValueError("something follows the value")
    return value


def _only(body: dict, names: set[str]) -> None:
    if extra := set(body) - names:
        raise Refused(400, "ValidationException", f"the harness knows no {sorted(extra)}")


def _with_token(answer: dict, token: str | None) -> dict:
    return answer | ({"NextToken": token} if token else {})


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request, client_address):
        # A client that gave up takes its connection along; anything else is worth reading.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler(ses: Ses):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_):
            pass

        def do_GET(self):
            self.serve(time.monotonic() * ses.speed)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def serve(self, at: float) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            protocol, request, status, body, why = "xml", None, 200, b"", ""
            try:
                protocol, request = self.parse(data, at)
                answer, outcome = ses.answer(request), "ok"
                body = self.encode(protocol, request, answer)
            except Refused as refused:
                status, outcome, why = refused.status, refused.code, refused.message
                body = self.error(protocol, refused)
            except HungUp:
                outcome = "hung up"
            with ses.lock:
                if request is not None:
                    ses.calls.append(Call(request.account, request.region, request.api, at, outcome))
                # What a test asked for is no surprise; what a client must not do is.
                if outcome not in ("ok", "hung up") and refusal(outcome):
                    ses.refused.append(f"{outcome}: {self.command} {self.path} {data[:200]!r} {why}")
            if outcome == "hung up":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.reply(status, protocol, body)

        def parse(self, data: bytes, at: float) -> tuple[str, Request]:
            shape = r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request"
            signed = re.match(shape, self.headers.get("Authorization", ""))
            if signed is None:
                raise Refused(403, "MissingAuthenticationToken", "the request is not signed")
            key, region, signed_for = signed.groups()
            path = urllib.parse.urlsplit(self.path).path
            target = self.headers.get("X-Amz-Target", "")
            common = {"key": key, "token": self.headers.get("X-Amz-Security-Token"), "region": region,
                      "signed_for": signed_for, "at": at}
            if self.headers.get("smithy-protocol") == "rpc-v2-cbor":
                operation = path.removeprefix("/service/MailManagerSvc/operation/")
                return "cbor", Request("manager", operation, form={}, body=_from_cbor(data) if data else {}, **common)
            if target.startswith("MailManagerSvc."):
                return "json", Request("manager", target.split(".")[1], form={}, body=json.loads(data or b"{}"), **common)
            if signed_for == "account" or path.startswith("/v2/"):
                known = {("POST", "/listRegions"): ("account", "ListRegions"), ("GET", "/v2/email/account"): ("v2", "GetAccount"),
                         ("POST", "/v2/email/list-identities"): ("v2", "ListEmailIdentities")}
                service, operation = known.get((self.command, path), ("v2", f"{self.command} {path}"))
                return "json", Request(service, operation, form={}, body=json.loads(data or b"{}"), **common)
            form = dict(urllib.parse.parse_qsl(data.decode(), keep_blank_values=True))
            service = {"sts": "sts", "ses": "v1", "ec2": "ec2"}.get(signed_for, "?")
            operation, version = form.get("Action", "?"), form.get("Version", "none")
            return ("ec2" if service == "ec2" else "xml"), Request(
                service, operation, form=form, body={}, version=version, **common)

        def encode(self, protocol: str, request: Request, answer) -> bytes:
            if protocol == "cbor":
                return _to_cbor(answer)
            if protocol == "json":
                return json.dumps(answer, default=lambda moment: moment.timestamp()).encode()
            name = request.operation
            if protocol == "ec2":
                space = f"http://ec2.amazonaws.com/doc/{VERSIONS['ec2']}/"
                return f'<{name}Response xmlns="{space}"><requestId>0</requestId>{answer}</{name}Response>'.encode()
            host = "sts" if request.service == "sts" else "ses"
            space = f"https://{host}.amazonaws.com/doc/{VERSIONS[request.service]}/"
            metadata = "<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
            inside = f"<{name}Result>{answer}</{name}Result>{metadata}"
            return f'<{name}Response xmlns="{space}">{inside}</{name}Response>'.encode()

        def error(self, protocol: str, refused: Refused) -> bytes:
            if protocol in ("cbor", "json"):
                said = {"__type": refused.code, "message": refused.message}
                return _to_cbor(said) if protocol == "cbor" else json.dumps(said).encode()
            inner = f"<Code>{refused.code}</Code><Message>{_text(refused.message)}</Message>"
            if protocol == "ec2":
                return f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>0</RequestID></Response>".encode()
            return f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>0</RequestId></ErrorResponse>".encode()

        def reply(self, status: int, protocol: str, body: bytes) -> None:
            kinds = {"cbor": "application/cbor", "json": "application/json"}
            self.send_response(status)
            self.send_header("Content-Type", kinds.get(protocol, "text/xml"))
            if protocol == "cbor":
                self.send_header("smithy-protocol", "rpc-v2-cbor")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", "0")
            # Head and body in one piece.
            self._headers_buffer.append(b"\r\n" + body)
            self.flush_headers()

    return Handler


def refusal(code: str) -> bool:
    """Whether a code tells of something that no client of this should do."""
    return code not in {name for errors in ERRORS.values() for _, name in errors.values()}
