"""The HTML report in a browser: it shows what the results in JSON say, and asks nobody for anything."""

import base64
import itertools
import json
import tempfile
import unittest
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from . import organizations
from .browser import EXAMPLE, Browser, check

SHOP = "555555555555"
browser = None
urls = {}


def setUpModule():
    global browser  # noqa: PLW0603 - made once for all tests, when they begin
    browser = Browser()
    unittest.addModuleCleanup(browser.close)
    urls["example"] = browser.write("example.html", check(EXAMPLE / "snapshot.json", "--format", "html"))


def report_of(snapshot: dict, name: str) -> str:
    """The URL of the report of a snapshot."""
    if name not in urls:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "snapshot.json")
            path.write_text(json.dumps(snapshot))
            path.with_name("perimeter.toml").write_text(organizations.PERIMETER)
            urls[name] = browser.write(f"{name}.html", check(path, "--format", "html"))
    return urls[name]


class Page(unittest.TestCase):
    """A page that may complain about nothing and fetch nothing but itself."""

    def setUp(self):
        browser.size(1280, 1000)
        browser.prefer("light")
        browser.console()
        browser.requests()

    def tearDown(self):
        self.assertEqual(browser.console(), [])
        for url in browser.requests():
            self.assertRegex(url, r"^(file:///.*\.html|data:,|about:blank)", "a request left the page")

    def open(self, fragment: str = "", name: str = "example"):
        browser.open(urls[name] + fragment)
        WebDriverWait(browser.driver, 30).until(lambda _: browser.run("return document.documentElement.dataset.ready"))

    def find(self, selector: str):
        return browser.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str):
        return browser.driver.find_elements(By.CSS_SELECTOR, selector)

    def fragment(self) -> str:
        return browser.run("return location.hash")

    def accounts_shown(self) -> list[str]:
        return [found.text for found in self.all("#matrix tbody a.account")]


class TheOverview(Page):
    def test_it_shows_headline_causes_tree_and_matrix(self):
        self.open()
        self.assertEqual(self.find("h1").text, "4 of 12 accounts can mail outside the trusted domains, 5 causes")
        self.assertEqual(len(self.all("#causes .card")), 7)
        self.assertEqual(len(self.accounts_shown()), 12)
        self.assertIn("Workloads", self.find("#tree").text)
        self.assertIn("expired", self.find("#exceptions").text)
        self.assertIn("sha256:", self.find("#made").text)

    def test_the_data_are_those_of_the_results_in_json(self):
        self.open()
        results = json.loads(check(EXAMPLE / "snapshot.json", "--format", "json"))["results"]
        shown = browser.run("""
            return accounts.flatMap((account) => controls.map((control) => {
                const cell = data.cells[account.row.cells[control.index]];
                return {account: account.id, control: control.id, status: WORDS[cell.s], path: [...pathOf(account.unit).map((unit) => unit.id), account.id],
                        witness: cell.w === undefined ? null : requestOf(account, cell.w), sentence: cell.m === undefined ? null : say(account, cell.m),
                        reason: cell.r === undefined ? null : say(account, cell.r), notes: (cell.h ?? []).map((text) => say(account, text))};
            }))""")
        shown = {(cell["account"], cell["control"]): cell for cell in shown}
        self.assertEqual(len(shown), len(results))
        for result in results:
            cell = shown[result["accountId"], result["controlId"]]
            wanted = (result["status"], result["path"], result.get("witness"), result.get("witnessText"), result.get("reason"), result["assumptions"])
            self.assertEqual((cell["status"], cell["path"], cell["witness"], cell["sentence"], cell["reason"], cell["notes"]), wanted)

    def test_a_filter_lands_in_the_fragment_and_comes_back(self):
        self.open()
        Select(self.find("#f-status")).select_by_value("U")
        self.assertEqual(self.accounts_shown(), [])
        Select(self.find("#f-control")).select_by_value("SESDP.8")
        self.assertEqual(self.accounts_shown(), ["network-hub"])
        self.assertEqual(self.fragment(), "#status=UNDECIDED&control=SESDP.8")
        browser.driver.refresh()
        self.assertEqual(self.accounts_shown(), ["network-hub"])
        self.assertEqual(Select(self.find("#f-control")).first_selected_option.get_attribute("value"), "SESDP.8")
        self.assertIn("1 of 12 accounts", self.find("#shown").text)

    def test_back_and_forward_go_through_the_filters(self):
        self.open()
        Select(self.find("#f-ou")).select_by_value("ou-exam-platform")
        self.assertEqual(self.accounts_shown(), ["network-hub", "build-farm"])
        self.find("#f-q").send_keys("farm")
        WebDriverWait(browser.driver, 10).until(lambda _: self.accounts_shown() == ["build-farm"])
        browser.driver.back()
        WebDriverWait(browser.driver, 10).until(lambda _: len(self.accounts_shown()) == 2)
        browser.driver.back()
        WebDriverWait(browser.driver, 10).until(lambda _: len(self.accounts_shown()) == 12)
        browser.driver.forward()
        WebDriverWait(browser.driver, 10).until(lambda _: len(self.accounts_shown()) == 2)

    def test_a_fragment_that_says_nonsense_is_passed_over(self):
        self.open("#ou=ou-none&status=MAYBE&control=SESDP.99&account=1&__proto__=x&q=")
        self.assertEqual(len(self.accounts_shown()), 12)

    def test_a_cause_shows_its_accounts(self):
        self.open()
        self.find("#cause-6 .show").click()
        self.assertEqual(self.fragment(), "#cause=6")
        self.assertEqual(self.accounts_shown(), ["log-archive", "network-hub", "shop", "distribution"])

    def test_columns_sort_and_say_so(self):
        self.open()
        self.find("#matrix [data-sort=failed]").click()
        self.assertEqual(self.find("#matrix th.num").get_attribute("aria-sort"), "descending")
        self.assertEqual(self.accounts_shown()[0], "log-archive")
        self.find("#matrix [data-sort=name]").click()
        self.assertEqual(self.find("#matrix th.first").get_attribute("aria-sort"), "ascending")
        self.assertEqual(self.accounts_shown()[0], "author-contracts")

    def test_equal_rows_fold_and_open(self):
        self.open("#fold=1")
        folded = self.find("#matrix .twist")
        self.assertEqual(folded.get_attribute("aria-expanded"), "false")
        before = len(self.accounts_shown())
        folded.click()
        self.assertEqual(folded.get_attribute("aria-expanded"), "true")
        self.assertGreater(len(self.accounts_shown()), before)

    def test_the_tree_opens_and_closes_with_the_keyboard(self):
        self.open()
        root = self.find("#tree [data-unit='0']")
        rows = len(self.all("#tree tbody tr"))
        root.send_keys(Keys.ARROW_LEFT)
        self.assertEqual(len(self.all("#tree tbody tr")), 1)
        active = browser.driver.switch_to.active_element
        self.assertEqual((active.get_attribute("data-unit"), active.get_attribute("aria-expanded")), ("0", "false"))
        active.send_keys(Keys.ENTER)
        self.assertEqual(len(self.all("#tree tbody tr")), rows)
        active = browser.driver.switch_to.active_element
        self.assertEqual(active.get_attribute("aria-expanded"), "true")
        active.send_keys(Keys.ARROW_DOWN)
        self.assertNotEqual(browser.driver.switch_to.active_element.get_attribute("data-unit"), "0")

    def test_counts_of_units_roll_up(self):
        self.open()
        for unit in browser.run("return units.map((unit) => [unit.all, unit.accounts.length, ...unit.children.map((child) => child.all)])"):
            self.assertEqual(unit[0], sum(unit[1:]))
        self.assertEqual(browser.run("return units[0].cells.reduce((sum, cell) => sum + cell.F, 0)"), 50)

    def test_without_javascript_the_causes_and_a_plain_table_stand(self):
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            browser.open(urls["example"])
            self.assertTrue(self.find("h1").is_displayed())
            self.assertTrue(self.find("#cause-1").is_displayed())
            self.assertIn("log-archive", self.find("#matrix tbody").text)
            self.assertFalse(self.find("#filters").is_displayed())
        finally:
            browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


class TheAccountPage(Page):
    def test_it_opens_from_the_matrix_and_goes_back(self):
        self.open("#q=shop")
        next(link for link in self.all("#matrix a.account") if link.text == "shop").click()
        self.assertEqual(self.fragment(), f"#q=shop&account={SHOP}")
        self.assertEqual(browser.driver.switch_to.active_element.text, "shop")
        self.assertEqual([crumb.text for crumb in self.all(".crumbs li")], ["Root", "Workloads", "Production"])
        self.assertFalse(self.find("#overview").is_displayed())
        browser.driver.back()
        WebDriverWait(browser.driver, 10).until(lambda _: self.find("#overview").is_displayed())
        self.assertEqual(self.fragment(), "#q=shop")

    def test_it_shows_the_request_and_where_statements_part_from_it(self):
        self.open(f"#account={SHOP}&focus=SESDP.8")
        verdict = self.find("#verdict-8")
        self.assertTrue(verdict.get_attribute("open"))
        self.assertIn("over SMTP", verdict.text)
        self.assertIn("needs ses:ApiVersion StringEquals 1, got 2", verdict.text)
        verdict.find_element(By.CSS_SELECTOR, ".request summary").click()
        request = json.loads(verdict.find_element(By.CSS_SELECTOR, ".request pre").text)
        self.assertEqual(request["principalArn"], f"arn:aws:iam::{SHOP}:role/app")
        near = [found.text for found in self.all(".statement.near")]
        self.assertTrue(any("StaffOnlyClassicInterface" in text and "did not stop SESDP.8" in text for text in near), near)

    def test_a_passed_control_shows_the_statement_that_stops_requests(self):
        self.open(f"#account={SHOP}&focus=SESDP.5")
        self.assertIn("stopped by", self.find("#verdict-5").text)
        stops = [found.text for found in self.all(".statement.stop")]
        self.assertTrue(any("NoCustomVerification" in text and "stops SESDP.5" in text for text in stops), stops)

    def test_an_undecided_control_shows_what_it_hangs_on(self):
        self.open("#account=333333333333&focus=SESDP.8")
        self.assertIn("unknown condition operator ForAnyValue:StringNotLikes", self.find("#verdict-8").text)
        self.assertEqual(len(self.all(".statement.open")), 1)

    def test_a_cell_of_the_matrix_opens_its_control(self):
        self.open()
        self.find(f"#matrix [data-cell='{SHOP} SESDP.8']").click()
        self.assertEqual(self.fragment(), f"#account={SHOP}&focus=SESDP.8")

    def test_a_statement_is_shown_among_the_policies(self):
        self.open(f"#account={SHOP}&focus=SESDP.8")
        self.find("#verdict-8 .body ul:nth-of-type(2) a").click()
        active = browser.driver.switch_to.active_element
        self.assertEqual(active.get_attribute("data-statement"), "0")
        self.assertTrue(active.is_displayed())
        self.assertEqual(self.fragment(), f"#account={SHOP}&focus=SESDP.8")

    def test_on_paper_everything_is_open_and_afterwards_as_before(self):
        self.open(f"#account={SHOP}&focus=SESDP.8")
        before = len(self.all("#account details[open]"))
        browser.run("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.all("#account details:not([open])"), [])
        self.assertEqual(len(self.all("#account .request pre")), 9)
        self.assertIn("ProtectPlatformRoles", "".join(found.text for found in self.all("#account pre")))
        browser.run("dispatchEvent(new Event('afterprint'))")
        self.assertEqual(len(self.all("#account details[open]")), before)

    def test_a_unit_of_the_path_filters_the_overview(self):
        self.open(f"#account={SHOP}")
        self.find(".crumbs li:nth-child(2) a").click()
        self.assertEqual(self.fragment(), "#ou=ou-exam-workloads")


CONTRAST = """
const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const numbers = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data]; };
const ground = (at) => { for (; at; at = at.parentElement) { const color = numbers(getComputedStyle(at).backgroundColor);
  if (color[3] === 255) return color; } return [255, 255, 255, 255]; };
const low = [];
for (const at of document.querySelectorAll("body *")) {
    const own = [...at.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || at.closest(".sr, option, script, style, noscript, [disabled]") || !at.checkVisibility()) continue;
    const [a, b] = [luminance(numbers(getComputedStyle(at).color)), luminance(ground(at))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) low.push(`${at.tagName}.${at.className} ${contrast.toFixed(2)} ${at.textContent.slice(0, 40)}`);
}
return low;
"""


class Access(Page):
    def test_both_themes_have_enough_contrast(self):
        grounds = set()
        for theme in ("light", "dark"):
            browser.prefer(theme)
            for fragment in ("", f"#account={SHOP}&focus=SESDP.8", "#account=333333333333"):
                self.open(fragment)
                self.assertEqual(browser.run(CONTRAST), [], f"{theme} {fragment}")
            grounds.add(browser.run("return getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(grounds), 2)

    def test_the_button_chooses_a_theme_against_the_system(self):
        self.open()
        ground = lambda: browser.run("return getComputedStyle(document.body).backgroundColor")
        light = ground()
        button = self.find("#theme")
        for wanted in ("Theme: light", "Theme: dark"):
            button.click()
            self.assertEqual(button.text, wanted)
        self.assertNotEqual(ground(), light)
        button.click()
        self.assertEqual((button.text, ground()), ("Theme: system", light))

    def test_tables_buttons_and_headings_say_what_they_are(self):
        for fragment in ("", f"#account={SHOP}"):
            self.open(fragment)
            self.assertEqual(browser.run("return [...document.querySelectorAll('table')].filter((table) => !table.caption).length"), 0)
            self.assertEqual(browser.run("return [...document.querySelectorAll('th:not([scope])')].length"), 0)
            self.assertEqual(browser.run("return [...document.querySelectorAll('button')].filter((at) => !(at.textContent.trim() || at.ariaLabel)).length"), 0)
            ids = browser.run("return [...document.querySelectorAll('[id]')].map((at) => at.id)")
            self.assertEqual(len(ids), len(set(ids)))
            shown = browser.run("return [...document.querySelectorAll('h1, h2, h3, h4')]"
                                ".filter((at) => at.checkVisibility()).map((at) => Number(at.tagName[1]))")
            self.assertEqual((shown[0], shown.count(1)), (1, 1))
            self.assertTrue(all(after - before <= 1 for before, after in itertools.pairwise(shown)), shown)
            self.assertEqual(browser.run("return [...document.querySelectorAll('.scroll')].filter((at) => !(at.tabIndex === 0 && at.ariaLabel)).length"), 0)

    def test_every_mark_has_its_word(self):
        self.open()
        for cell in browser.run("return [...document.querySelectorAll('#matrix td[data-cell]')].map((at) => at.textContent)"):
            self.assertRegex(cell, r"^(✗failed|\?undecided|✓passed|·not applicable)$")

    def test_the_first_stop_of_the_keyboard_skips_to_the_results(self):
        self.open()
        self.find("body").send_keys(Keys.TAB)
        active = browser.driver.switch_to.active_element
        self.assertEqual(active.text, "Skip to the results")
        active.send_keys(Keys.ENTER)
        self.assertTrue(browser.run("return document.getElementById('main').contains(document.activeElement)"))
        self.assertEqual(self.fragment(), "")

    def test_a_phone_is_wide_enough(self):
        browser.size(390, 844)
        for fragment in ("", f"#account={SHOP}&focus=SESDP.8"):
            self.open(fragment)
            self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"), 390)

    def test_paper_has_everything_and_no_buttons(self):
        self.open("#fold=1")
        pdf = browser.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
        self.assertTrue(base64.b64decode(pdf["data"]).startswith(b"%PDF"))
        browser.prefer("dark", "print")
        self.assertFalse(self.find("#filters").is_displayed())
        self.assertEqual(browser.run("return getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")


class NamesFromOutside(Page):
    def test_hostile_names_stay_text(self):
        report_of(organizations.hostile(), "hostile")
        for fragment in ("", "#account=222222222222&focus=SESDP.8", "#control=SESDP.8&fold=0"):
            self.open(fragment, "hostile")
            self.assertIsNone(browser.run("return window.broken ?? null"))
            self.assertEqual(browser.run("return document.querySelectorAll('img, main svg:not(.bar), script').length"), 2)
        shown = browser.run("return [...document.querySelectorAll('#matrix a.account')].map((at) => at.textContent)")
        self.assertEqual(shown, organizations.HOSTILE)


class TenThousandAccounts(Page):
    def test_they_stay_usable(self):
        url = report_of(organizations.large(10_000), "large")
        self.assertLess(Path(url.removeprefix("file://")).stat().st_size, 5_000_000)
        self.open("", "large")
        # A second on a machine that does nothing else.
        self.assertLess(browser.run("return performance.getEntriesByType('navigation')[0].domInteractive"), 5_000)
        self.assertLess(browser.run("return document.querySelectorAll('#matrix tr').length"), 400)
        self.assertIn("10,000 accounts in ", self.find("#shown").text)
        self.find("#f-q").send_keys("workload-9999")
        WebDriverWait(browser.driver, 10).until(lambda _: self.find("#shown").text == "1 of 10,000 accounts")
        self.find("#matrix a.account").click()
        self.assertEqual(self.find("#account h1").text, "workload-9999")

    def test_rows_follow_when_the_end_comes_into_sight(self):
        report_of(organizations.large(10_000), "large")
        self.open("#fold=0", "large")
        rows = "return document.querySelectorAll('#matrix tr').length"
        before = browser.run(rows)
        self.assertLess(before, 400)
        browser.run("const matrix = document.getElementById('matrix'); matrix.scrollTop = matrix.scrollHeight; matrix.scrollIntoView()")
        WebDriverWait(browser.driver, 10).until(lambda _: browser.run(rows) > before)


if __name__ == "__main__":
    unittest.main()
