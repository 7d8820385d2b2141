"""Is a FAILED cell's witness a request of the control's class that gets through?"""

import ipaddress
import re

from keys import ALWAYS, ENDPOINT, ENDPOINT_OWNER, FILLED, GROUPED, IAM_REGION, NETWORK, NO_SMTP, kind_of, multivalued
from language import REGIONS, matches
from peer import ADMIN_CONTROLS, parse_date, paths_cached, permits, selector_matches, trusted_network, trusts

PLAIN = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
QUOTED = re.compile(r'"([ -~])+"@[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+')
TAG_VALUE = re.compile(r"[\w .:/=+@-]{1,256}", re.A)


def complete(organization, account_id, path, request):
    """The witness of a request that the search found: what no condition asked for is filled in."""
    account, request = organization.accounts[account_id], dict(request)
    resources = [request.pop(k) for k in sorted(k for k in request if k.startswith("resource "))]
    context = {
        **account.constants(), "aws:principalorgpaths": (account.org_path(),), "aws:userid": "x",
        "aws:principalarn": f"arn:{organization.partition}:iam::{account_id}:role/app", "aws:principaltype": "AssumedRole",
        "aws:currenttime": str(organization.now), "aws:epochtime": str(organization.now), "aws:viaawsservice": "false",
    }
    if "aws:viaawsservice" not in request:
        context["aws:sourceip"] = "198.51.100.77"
    context.update(request)
    for key in request.get("aws:tagkeys") or ():
        if path.listed("aws:requesttag/x"):
            context.setdefault("aws:requesttag/" + key.lower(), "x")
    context = {k: list(v) if isinstance(v, tuple) else v for k, v in context.items() if v is not None}
    return {
        "action": path.action, "resource": resources[0], "additionalResources": resources[1:], "sendPath": path.name,
        "principalArn": context["aws:principalarn"], "context": context,
    }


def problems(organization, account_id, number, witness):
    """Everything that is wrong with the witness, as short texts."""
    found = []

    def want(flag, text):
        if not flag:
            found.append(text)

    facts, perimeter = organization.facts, organization.perimeter
    account = organization.accounts[account_id]
    context = {}
    for key, value in witness["context"].items():
        want(key.lower() not in context, f"{key} twice")
        context[key.lower()] = tuple(value) if isinstance(value, list) else value
    for key in ALWAYS:
        want(key in context, f"{key} missing")
    if found:
        return found
    for key, value in context.items():
        want(value not in ("", ()) and "" not in (value if isinstance(value, tuple) else ()), f"{key} empty")
        want(isinstance(value, tuple) == multivalued(key), f"{key} has one value or several")
        if key.startswith("aws:principaltag/"):
            want(TAG_VALUE.fullmatch(value), f"value of {key}")

    # principal
    partition = organization.partition
    arn, kind = context["aws:principalarn"], context["aws:principaltype"]
    want(arn == witness["principalArn"], "principalArn and aws:PrincipalArn differ")
    name = r"[\w+=,.@-]+"
    for shape, its_kind in (
        (f"arn:{partition}:iam::{account_id}:root", "Account"),
        (f"arn:{partition}:iam::{account_id}:user/([!-~]+/)?{name}", "User"),
        (f"arn:{partition}:iam::{account_id}:role/([!-~]+/)?{name}", "AssumedRole"),
        (f"arn:{partition}:sts::{account_id}:federated-user/{name}", "FederatedUser"),
    ):
        if re.fullmatch(shape, arn):
            want(kind == its_kind, f"{arn} is no {kind}")
            break
    else:
        found.append(f"principal {arn}")
    want(context["aws:principalaccount"] == account_id, "aws:PrincipalAccount")
    want(context["aws:principalorgid"] == organization.id, "aws:PrincipalOrgID")
    want(context["aws:principalorgpaths"] == ("/".join([organization.id, *account.path[:-1], ""]),), "aws:PrincipalOrgPaths")
    want(context["aws:securetransport"] == "true" and context["aws:principalisawsservice"] == "false", "constants")
    via = context["aws:viaawsservice"]
    want(via in ("true", "false"), "aws:ViaAWSService")
    moment = parse_date(context["aws:currenttime"])
    want(moment == int(context["aws:epochtime"]), "times disagree")
    want(moment is not None and moment >= organization.now, "a moment in the past")
    region = context["aws:requestedregion"]
    ways = {k for k in context if k in NETWORK - {"aws:viaawsservice"}}
    want(
        ways == {"aws:sourceip"} or ENDPOINT <= ways <= ENDPOINT | ENDPOINT_OWNER or (not ways and via == "true"),
        f"network keys {sorted(ways)}")
    selectors = perimeter.exemptions + (perimeter.administrators if number in ADMIN_CONTROLS else [])
    want(not any(selector_matches(s, context) for s in selectors), "the principal is exempt")

    # the path
    action = witness["action"]
    rows = [p for p in paths_cached(facts, number, perimeter.worst) if p.action == action and p.name == witness["sendPath"]]
    if not rows:
        return [*found, f"no path {witness['sendPath']} with {action}"]
    attempts = []
    for path in rows:
        attempts.append(path_problems(organization, account_id, number, witness, context, path, region))
    found += min(attempts, key=len)

    # evaluation
    for n, resource in enumerate([witness["resource"], *witness.get("additionalResources", [])]):
        judged = dict(context)
        if "aws:resourceaccount" in judged and resource != "*":
            judged["aws:resourceaccount"] = resource.split(":")[4]
        tries = [judged]
        if n:
            # What is said of the owner is that of the resource being judged.
            owner = organization.accounts.get(resource.split(":")[4])
            for key, value in (("aws:resourceorgid", organization.id), ("aws:resourceorgpaths", owner and (owner.org_path(),))):
                tries = [
                    {**{k: v for k, v in t.items() if k != key}, **extra}
                    for t in tries for extra in (({key: value}, {}) if owner else ({key: t[key]} if key in t else {}, {}))]
        if organization.enabled and not any(permits(account, action, t, resource)[0] for t in tries):
            found.append(f"not permitted on {resource}")
    return found


def path_problems(organization, account_id, number, witness, context, path, region):
    found = []

    def want(flag, text):
        if not flag:
            found.append(text)

    facts, perimeter = organization.facts, organization.perimeter
    for key in context:
        if key not in GROUPED and not key.startswith("aws:principaltag/"):
            presence = kind_of(path, key)[0]
            want(presence == "free", f"{key} is {presence} in {path.action} of {path.api}")
    filled = FILLED.get(path.service, set())
    for key in (ENDPOINT_OWNER - {"aws:vpceorgid"}) & set(context):
        want(path.worst or key in filled, f"{key} is not filled")
    if path.service == "iam":
        want(region == IAM_REGION[organization.partition], f"region {region}")
    elif path.service == "sts" or (path.worst and path.api != "smtp"):
        want(matches(REGIONS[organization.partition], region), f"region {region}")
    else:
        want(region in facts.regions[organization.partition], f"region {region}")
    if path.api == "smtp":
        want(region not in NO_SMTP, f"no SMTP in {region}")
        want(context["aws:principaltype"] in (("User", "Account") if path.worst else ("User",)), "SMTP by a session")
        want(context["aws:viaawsservice"] == "false", "forwarded SMTP")
    owner = organization.accounts.get(witness["resource"].split(":")[4]) if witness["resource"] != "*" else None
    if owner:
        want(context.get("aws:resourceorgid", organization.id) == organization.id, "aws:ResourceOrgID of an own account")
        want(context.get("aws:resourceorgpaths", (owner.org_path(),)) == (owner.org_path(),), "aws:ResourceOrgPaths of an own account")
    for key in ("ses:fromaddress", "ses:feedbackaddress"):
        want(key not in context or PLAIN.fullmatch(context[key]), key)
    if path.listed("ses:apiversion"):
        want(context.get("ses:apiversion") in path.versions, "ses:ApiVersion")
    recipients = context.get("ses:recipients")
    mode = path.recipients
    if mode == "no":
        want(recipients is None, "ses:Recipients present")
    elif recipients is None:
        want(mode.endswith("-free"), "ses:Recipients missing")
    else:
        want(0 < len(recipients) <= 50 and all(PLAIN.fullmatch(r) or (path.worst and QUOTED.fullmatch(r)) for r in recipients), "ses:Recipients shape")
        untrusted = [r for r in recipients if not trusts(perimeter.trusted, r)]
        want(untrusted if mode.startswith("mail") else True, "no untrusted recipient")
        want(not untrusted if mode == "trusted" else True, "untrusted recipient")

    # resources
    resources = [witness["resource"], *witness.get("additionalResources", [])]
    fits = False
    for alternative in path.resources:
        if len(alternative) != len(resources):
            continue
        fits |= all(any(fit(organization, account_id, t, o, region, r) for r in resources) for t, o in alternative)
    want(fits, f"resources {resources} are not {path.resources}")
    if "aws:resourceaccount" in context and resources[0] != "*":
        want(context["aws:resourceaccount"] == resources[0].split(":")[4], "aws:ResourceAccount")

    tags = {k.split("/", 1)[1]: v for k, v in context.items() if k.startswith("aws:requesttag/")}
    if path.listed("aws:tagkeys") and path.listed("aws:requesttag/x"):
        keys = context.get("aws:tagkeys") or ()
        want(sorted(k.lower() for k in keys) == sorted(tags), f"tag keys {keys} and request tags {tags}")
    if number == 15:
        address = context.get("ses:feedbackaddress")
        want(address is not None and PLAIN.fullmatch(address) and not trusts(perimeter.trusted, address), "feedback address")
    if number == 16:
        want(any(tags.get(t["key"].lower()) == t["value"] for t in perimeter.tags()), "no selector's tag is set")
    if number == 17:
        want(context.get("aws:resourceorgid") != organization.id, "own organization's resource")
        want(owner is None, "own organization's account")
    if number == 18:
        want(not trusted_network(organization, context), "trusted network")
    if "aws:sourceip" in context:
        ipaddress.ip_address(context["aws:sourceip"])
    return found


def fit(organization, account_id, kind, owner, region, arn):
    """Is the ARN a resource of this type, region and owner?"""
    if kind == "*" or arn == "*":
        return kind == arn
    entry = organization.facts.tails[kind]
    partition, service, its_region, its_account, tail = arn.split(":", 5)[1:]
    shape = re.sub(r"\\\$\\\{\w+\\\}", ".+", re.escape(entry["tail"]))
    if kind == "identity":
        shape = r"identity/([^@\s]+@)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+"
    whose = {
        "own": its_account == account_id, "other": its_account not in organization.accounts, "any": True,
        "selected": its_account == account_id and any(selector_matches(s, {"aws:principalarn": arn}) for s in organization.perimeter.arns()),
    }[owner]
    if entry.get("owner") == "aws":
        whose = its_account == "aws"
    return (
        partition == organization.partition and service == entry["service"] and whose
        and its_region == ("" if service in ("iam", "sts") else region) and re.fullmatch(shape, tail) is not None
        and (entry.get("owner") == "aws" or re.fullmatch(r"\d{12}", its_account) is not None)
    )
