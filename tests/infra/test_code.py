"""The template and the code speak of the same variables, metrics and names."""

import json
import re
import unittest

from .template import FUNCTIONS, REPOSITORY, board, load, of_type, rust

METRIC = re.compile(r"Metric::(?:count|seconds)\(\s*\"(\w+)\"")


def variables(function: str) -> set[str]:
    """The environment variables that the settings of a function name."""
    code = rust("shared/aws/src/settings.rs")
    body = re.search(rf"^pub fn {function}\(.*?^\}}", code, re.DOTALL | re.MULTILINE)
    # `env!` reads what cargo sets while it builds.
    return set(re.findall(r'(?<!env!\()"([A-Z]+(?:_[A-Z]+)*)"', body[0]))


class Code(unittest.TestCase):
    def setUp(self):
        self.template = load("template.yaml")

    def test_each_function_gets_the_variables_that_it_reads(self):
        for function, binary in FUNCTIONS.items():
            with self.subTest(function=binary):
                given = set(self.template["Resources"][function]["Properties"]["Environment"]["Variables"])
                self.assertEqual(given, variables(binary.replace("-", "_")))
                self.assertIn(f"settings::{binary.replace('-', '_')}(", rust(f"functions/{binary}/src/main.rs"))

    def test_alarms_and_the_dashboard_show_metrics_that_the_functions_write(self):
        code = rust("functions/*/src/**/*.rs", "shared/aws/src/answers.rs", "shared/aws/src/function.rs")
        written = set(METRIC.findall(code))
        shown = set()
        for alarm in of_type(self.template, "AWS::CloudWatch::Alarm").values():
            properties = alarm["Properties"]
            metrics = [properties, *(it["MetricStat"]["Metric"] for it in properties.get("Metrics", []) if "MetricStat" in it)]
            shown |= {it["MetricName"] for it in metrics if it.get("Namespace") == "SesPerimeter"}
        for widget in json.loads(re.sub(r"\$\{[\w:.]+\}", "x", board(self.template)))["widgets"]:
            namespace = None
            for row in widget["properties"].get("metrics", []):
                # A point stands for what the row above has there.
                namespace = row[0] if row[0] not in (".", "...") else namespace
                if namespace == "SesPerimeter":
                    shown.add(row[1])
        self.assertGreater(len(shown), 8)
        self.assertEqual(shown - written, set())

    def test_the_namespace_is_the_one_that_the_code_writes_to(self):
        self.assertIn('NAMESPACE: &str = "SesPerimeter"', rust("shared/aws/src/metrics.rs"))

    def test_the_insight_and_the_examples_look_for_our_product(self):
        (product,) = re.findall(r'pub const PRODUCT: &str = "([^"]+)"', rust("shared/findings/src/asff.rs"))
        insight = self.template["Resources"]["FailedAccounts"]["Properties"]["Filters"]["ProductName"]
        self.assertEqual(insight, [{"Value": product, "Comparison": "EQUALS"}])
        rule = load("examples/automation-rule.yaml")["Resources"]["SuppressSandboxes"]["Properties"]
        self.assertEqual(rule["Criteria"]["ProductName"], [{"Comparison": "EQUALS", "Value": product}])

    def test_the_example_for_tickets_takes_the_events_that_the_code_puts(self):
        pattern = load("examples/tickets.yaml")["Resources"]["WorsenedVerdicts"]["Properties"]["EventPattern"]
        code = rust("shared/pipeline/src/**/*.rs")
        self.assertIn(f'VERDICT_CHANGED: &str = "{pattern["detail-type"][0]}"', code)
        self.assertIn(f'EVENT_SOURCE: &str = "{pattern["source"][0]}"', code)

    def test_the_inline_map_takes_what_evaluate_hands_over(self):
        code = rust("shared/pipeline/src/evaluate.rs")
        machine = (REPOSITORY / "infra/statemachine.asl.json").read_text()
        (most,) = re.findall(r"MOST_INLINE_SHARDS: usize = (\d+)", code)
        self.assertIn(f'"NumericLessThanEquals": {most}', machine)


if __name__ == "__main__":
    unittest.main()
