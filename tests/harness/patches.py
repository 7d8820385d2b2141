"""What moto 5.2.5 does unlike AWS and the pipeline would notice, put right: each patch with its reason.

They touch names that moto does not promise. `apply` fails at once where one of them has moved, and
`test_cloud.py` shows that each of them works. README.md lists them for people.
"""

import functools
import json
import threading
import time
import types

from jsonpath_ng import ext as jsonpath
from moto.iam import models as iam
from moto.organizations import models as organizations
from moto.organizations import responses as organizations_responses
from moto.organizations import utils as organizations_utils
from moto.securityhub import responses as securityhub_responses
from moto.securityhub import urls as securityhub_urls
from moto.sqs import models as sqs
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function

from .hub import Hub, Rejected

PAGE = 20
# What moto takes a key for that has not the form of one, as the harness's.
STRANGER = "AKIAEXAMPLE"


class Moved(RuntimeError):
    """A name that a patch replaces is not where it was."""


def replace(owner, name: str, value):
    """Puts `value` in place of `owner.name`, which must be there, and returns what was there."""
    if not hasattr(owner, name):
        raise Moved(f"moto has no `{name}` in {owner!r} any more: see tests/harness/patches.py")
    before = getattr(owner, name)
    setattr(owner, name, value)
    return before


def apply(time_scale: float, account: str) -> None:
    """Applies all of them, once per process."""
    callers_of(account)
    paths_of_accounts()
    pages_of_twenty()
    errors_of_targets()
    delegated_security_hub()
    hub_as_documented()
    scaled_waits(time_scale)
    kept_clients()
    quick_events()


def callers_of(account: str) -> None:
    """Callers whose access key moto did not hand out are in this account. Its variable for that would put
    callers in an assumed role there, too."""
    replace(iam, "DEFAULT_ACCOUNT_ID", account)
    looked_up = iam.get_account_id_from
    # Such a key is in no account, and moto would look into each of ten thousand.
    replace(iam, "get_account_id_from", lambda key: account if key == STRANGER else looked_up(key))


def paths_of_accounts() -> None:
    """ListAccounts and DescribeAccount give `Paths`: the collector's cheap way to the tree needs them."""

    def describe(self):
        answer = plain(self)
        backend = organizations.organizations_backends[self.master_account_id]["aws"]
        steps, parent = [self.id], self.parent_id
        parents = {unit.id: unit.parent_id for unit in backend.ou}
        while parent:
            steps.append(parent)
            parent = parents.get(parent)
        answer["Paths"] = ["/".join([self.organization_id, *reversed(steps)]) + "/"]
        return answer

    plain = replace(organizations.FakeAccount, "describe", describe)


def pages_of_twenty() -> None:
    """Lists of Organizations have pages of at most 20; moto's have 100, or all there is."""
    for name, model in organizations_utils.PAGINATION_MODEL.items():
        model["limit_default"] = PAGE
        # By time of joining, moto pages for ever over accounts that joined at the same moment.
        if name == "list_accounts":
            model["unique_attribute"] = "Id"

    def list_targets(self, **wish):
        everything = plain(self, PolicyId=wish["PolicyId"])["Targets"]
        start = int(wish.get("NextToken") or 0)
        answer = {"Targets": everything[start : start + (wish.get("MaxResults") or PAGE)]}
        if start + len(answer["Targets"]) < len(everything):
            answer["NextToken"] = str(start + len(answer["Targets"]))
        return answer

    plain = replace(organizations.OrganizationsBackend, "list_targets_for_policy", list_targets)

    def limited(self, name, if_none=None):
        value = plain_param(self, name, if_none)
        if name == "MaxResults" and value is not None and int(value) > PAGE:
            raise organizations.InvalidInputException("You specified an invalid value: MaxResults must be at most 20.")
        return value

    plain_param = replace(organizations_responses.OrganizationsResponse, "_get_param", limited)


def errors_of_targets() -> None:
    """What is not there is told as AWS tells it; moto has codes of its own for two of them."""

    def list_policies_for_target(self, *args, **wish):
        try:
            return plain(self, *args, **wish)
        except organizations.RESTError as error:
            if error.code in ("OrganizationalUnitNotFoundException", "AccountNotFoundException"):
                raise organizations.TargetNotFoundException from error
            raise

    plain = replace(organizations.OrganizationsBackend, "list_policies_for_target", list_policies_for_target)


def delegated_security_hub() -> None:
    """Security Hub may have a delegated administrator; moto's list of services lacks it."""
    services = organizations.FakeDelegatedAdministrator.SUPPORTED_SERVICES
    if "securityhub.amazonaws.com" not in services:
        services.append("securityhub.amazonaws.com")


def hub_as_documented() -> None:
    """Security Hub keeps its rules (hub.py), and BatchUpdateFindings is there at all."""
    response = securityhub_responses.SecurityHubResponse

    def hub_of(self) -> Hub:
        mine = self.securityhub_backend
        if not hasattr(mine, "harness_hub"):
            mine.harness_hub = Hub(self.current_account, self.region)
        return mine.harness_hub

    def answering(work):
        def answer(self):
            body = self.body.decode() if isinstance(self.body, bytes) else self.body
            try:
                return json.dumps(work(self, json.loads(body or "{}")))
            except Rejected as rejected:
                headers = {"status": rejected.status, "x-amzn-ErrorType": rejected.code}
                text = json.dumps({"Code": rejected.code, "Message": rejected.message})
                return rejected.status, headers, text

        return answer

    def import_findings(self, wish):
        return hub_of(self).import_findings(wish.get("Findings", []), self.securityhub_backend.enabled)

    def enabled(self) -> None:
        if not self.securityhub_backend.enabled:
            raise Rejected(401, "InvalidAccessException", "Account is not subscribed to AWS Security Hub")

    def find(self, wish):
        enabled(self)
        return hub_of(self).find(wish)

    def update(self, wish):
        enabled(self)
        return hub_of(self).update(wish)

    replace(response, "batch_import_findings", answering(import_findings))
    replace(response, "get_findings", answering(find))
    if hasattr(response, "batch_update_findings"):
        raise Moved("moto has BatchUpdateFindings now: see tests/harness/patches.py")
    response.batch_update_findings = answering(update)
    securityhub_urls.url_paths["{0}/findings/batchupdate$"] = response.dispatch


def scaled_waits(scale: float) -> None:
    """Pauses between retries pass faster than on a clock; Wait states too. The definition stays as it is."""
    shim = types.SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * scale))
    replace(retrier_decl, "time", shim)

    def wait(_, env, wait_seconds):
        if wait_seconds > 0:
            env.program_state_event.wait(wait_seconds * scale)

    replace(wait_function.WaitFunction, "_wait_interval", wait)


def kept_clients() -> None:
    """The interpreter of state machines makes a client for each task, at a tenth of a second each; one will do."""
    clients, lock = {}, threading.Lock()

    def client_for(region, service, state_credentials=None):
        with lock:
            if (region, service) not in clients:
                clients[region, service] = plain(region=region, service=service, state_credentials=state_credentials)
            return clients[region, service]

    plain = replace(lambda_eval_utils, "boto_client_for", client_for)


def quick_events() -> None:
    """An event in a queue costs moto a hundredth of a second: a parser for each, and the calendar for each message."""
    replace(jsonpath, "parse", functools.cache(jsonpath.parse))
    replace(sqs, "unix_time", time.time)
    replace(sqs, "unix_time_millis", lambda: time.time() * 1000.0)
