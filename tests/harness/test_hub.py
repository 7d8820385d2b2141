"""Security Hub of the harness keeps the documented rules."""

import unittest

from harness.hub import Hub, Rejected, moment

ACCOUNT = "111111111111"


def finding(number=1, **changes) -> dict:
    hub = Hub(ACCOUNT, "us-east-1")
    return {
        "SchemaVersion": "2018-10-08", "Id": f"ses-perimeter/{number}", "GeneratorId": "ses-perimeter/SESDP.1",
        "ProductArn": hub.product, "AwsAccountId": ACCOUNT, "ProductName": "ses-perimeter", "Title": "A title",
        "CreatedAt": "2026-11-23T00:00:00.000Z", "UpdatedAt": "2026-11-23T00:00:00.000Z", "Description": "A description",
        "Resources": [{"Type": "AwsAccount", "Id": "AWS::::Account:222222222222"}],
        "Compliance": {"Status": "FAILED"}, "FindingProviderFields": {"Severity": {"Label": "HIGH"}},
    } | changes


class HubTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(ACCOUNT, "us-east-1")

    def give(self, *findings):
        return self.hub.import_findings(list(findings), enabled=True)

    def refused(self, **changes):
        answer = self.give(finding(**changes))
        self.assertEqual(answer["FailedCount"], 1, changes)
        self.assertEqual(self.hub.findings, {})
        return answer["FailedFindings"][0]["ErrorCode"]

    def test_a_new_finding_is_there_and_new(self):
        self.assertEqual(self.give(finding())["SuccessCount"], 1)
        stored = self.hub.findings["ses-perimeter/1"]
        self.assertEqual(stored["Workflow"], {"Status": "NEW"})
        self.assertEqual(stored["Severity"], {"Label": "HIGH"})

    def test_an_update_counts_only_with_a_later_time(self):
        self.give(finding())
        for time in ("2026-11-22T23:59:59.999Z", "2026-11-23T00:00:00.000Z", "2026-11-23T00:00:00.0001Z"):
            self.give(finding(Title="changed", UpdatedAt=time))
            self.assertEqual(self.hub.findings["ses-perimeter/1"]["Title"], "A title", time)
        self.give(finding(Title="changed", UpdatedAt="2026-11-23T00:00:00.001Z"))
        self.assertEqual(self.hub.findings["ses-perimeter/1"]["Title"], "changed")
        self.assertEqual(self.hub.writes, {"ses-perimeter/1": 2})

    def test_what_customers_own_survives_an_update(self):
        self.give(finding())
        stored = self.hub.findings["ses-perimeter/1"]
        stored["Note"] = {"Text": "ours"}
        stored["Workflow"] = {"Status": "SUPPRESSED"}
        self.give(finding(UpdatedAt="2026-11-24T00:00:00Z", Workflow={"Status": "NEW"}, Note={"Text": "theirs"}))
        after = self.hub.findings["ses-perimeter/1"]
        self.assertEqual((after["Note"], after["Workflow"]), ({"Text": "ours"}, {"Status": "SUPPRESSED"}))

    def test_a_resolved_finding_that_fails_again_is_new_again(self):
        self.give(finding(Compliance={"Status": "PASSED"}))
        self.hub.findings["ses-perimeter/1"]["Workflow"] = {"Status": "RESOLVED"}
        self.give(finding(UpdatedAt="2026-11-24T00:00:00Z"))
        self.assertEqual(self.hub.findings["ses-perimeter/1"]["Workflow"], {"Status": "NEW"})

    def test_malformed_and_foreign_findings_are_refused(self):
        self.assertEqual(self.refused(Title="x" * 257), "InvalidInput")
        self.assertEqual(self.refused(Description=""), "InvalidInput")
        self.assertEqual(self.refused(Resources=[]), "InvalidInput")
        self.assertEqual(self.refused(UpdatedAt="yesterday at noon....."), "InvalidInput")
        self.assertEqual(self.refused(ProductFields={f"key{n}": "v" for n in range(51)}), "InvalidInput")
        self.assertEqual(self.refused(AwsAccountId="222222222222"), "InvalidAccess")
        self.assertEqual(self.refused(Remediation={"Text": "x" * 250_000}), "LimitExceeded")

    def test_one_bad_finding_does_not_stop_the_others(self):
        answer = self.give(finding(1), finding(2, Title=""), finding(3))
        self.assertEqual((answer["SuccessCount"], answer["FailedCount"]), (2, 1))
        self.assertEqual(sorted(self.hub.findings), ["ses-perimeter/1", "ses-perimeter/3"])

    def test_of_two_findings_with_one_id_the_first_counts(self):
        self.give(finding(Title="first"), finding(Title="second", UpdatedAt="2026-11-25T00:00:00Z"))
        self.assertEqual(self.hub.findings["ses-perimeter/1"]["Title"], "first")

    def test_nothing_is_accepted_while_security_hub_is_off(self):
        answer = self.hub.import_findings([finding()], enabled=False)
        self.assertEqual(answer["FailedFindings"][0]["ErrorCode"], "InvalidAccess")

    def test_batches_of_none_and_of_more_than_a_hundred_are_refused(self):
        self.assertRaises(Rejected, self.give)
        self.assertRaises(Rejected, self.give, *[finding(number) for number in range(101)])

    def test_finding_filters_by_every_attribute_and_pages(self):
        self.give(*[finding(number) for number in range(100)])
        self.give(*[finding(number) for number in range(100, 130)])
        wanted = {"Filters": {"ProductName": [{"Value": "ses-perimeter", "Comparison": "EQUALS"}]}}
        first = self.hub.find(wanted)
        second = self.hub.find(wanted | {"NextToken": first["NextToken"]})
        self.assertEqual((len(first["Findings"]), len(second["Findings"])), (100, 30))
        self.assertNotIn("NextToken", second)
        ids = [{"Value": f"ses-perimeter/{number}", "Comparison": "EQUALS"} for number in (5, 7, 999)]
        self.assertEqual(len(self.hub.find({"Filters": {"Id": ids}})["Findings"]), 2)
        by_field = [{"Key": "n", "Value": str(number), "Comparison": "EQUALS"} for number in (205, 207, 999)]
        self.give(*[finding(number, ProductFields={"n": str(number)}) for number in (205, 206, 207)])
        shown = self.hub.find({"Filters": {"ProductFields": by_field}})["Findings"]
        self.assertEqual([found["Id"] for found in shown], ["ses-perimeter/205", "ses-perimeter/207"])
        other = {"Filters": {"RecordState": [{"Value": "ARCHIVED", "Comparison": "EQUALS"}]}}
        self.assertEqual(self.hub.find(other)["Findings"], [])

    def test_filters_that_nobody_checked_are_refused(self):
        self.assertRaises(Rejected, self.hub.find, {"Filters": {"Title": []}})
        self.give(finding())
        prefix = {"Filters": {"Id": [{"Value": "ses", "Comparison": "PREFIX"}]}}
        self.assertRaises(Rejected, self.hub.find, prefix)

    def test_updating_changes_the_workflow_but_not_the_time(self):
        self.give(finding())
        known = {"Id": "ses-perimeter/1", "ProductArn": self.hub.product}
        unknown = known | {"Id": "ses-perimeter/2"}
        answer = self.hub.update({"FindingIdentifiers": [known, unknown], "Workflow": {"Status": "RESOLVED"}})
        self.assertEqual(answer["ProcessedFindings"], [known])
        self.assertEqual(answer["UnprocessedFindings"][0]["ErrorCode"], "FindingNotFound")
        stored = self.hub.findings["ses-perimeter/1"]
        self.assertEqual((stored["Workflow"]["Status"], stored["UpdatedAt"]), ("RESOLVED", "2026-11-23T00:00:00.000Z"))

    def test_moments_are_milliseconds_with_an_offset(self):
        self.assertEqual(moment("1970-01-01T00:00:01.5Z"), 1500)
        self.assertEqual(moment("1970-01-01T01:00:01.123456789+01:00"), 1123)
        self.assertRaises(ValueError, moment, "1970-01-01T00:00:01")


if __name__ == "__main__":
    unittest.main()
