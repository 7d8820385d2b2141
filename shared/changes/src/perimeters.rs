//! Two perimeters side by side: what one says and the other does not.

use ses_perimeter::perimeter::{
    AllowedTarget, DisabledRegions, ExposureSettings, Perimeter, Selector, TrustedNetworks,
    Undocumented,
};
use ses_perimeter::severity::{Rule, SeverityRules};

use crate::diff::matched;

/// What the second perimeter says that the first does not, then the other way round; sentences
/// without a stop. None where they say the same, in whatever words.
#[must_use]
pub fn differences(before: &Perimeter, after: &Perimeter) -> Vec<String> {
    let (old, new) = (statements(before), statements(after));
    let added = new.iter().filter(|it| !old.contains(it)).map(|it| format!("new: {it}"));
    let gone = old.iter().filter(|it| !new.contains(it)).map(|it| format!("gone: {it}"));
    added.chain(gone).collect()
}

/// Everything that a perimeter says, a setting that stands by default included.
fn statements(perimeter: &Perimeter) -> Vec<String> {
    // Every field, so that a new one has to be thought about.
    let Perimeter {
        trusted_recipients,
        networks,
        exemptions,
        administrators,
        allowed_targets,
        undocumented,
        disabled,
        severity,
        exposure,
        warnings: _,
    } = perimeter;
    let mut all: Vec<String> = Vec::new();
    // Case is ignored in them.
    all.extend(trusted_recipients.iter().map(|pattern| {
        let pattern = pattern.to_ascii_lowercase();
        format!("the trusted recipient `{pattern}`")
    }));
    all.extend(networks.as_ref().map(trusted_networks).unwrap_or_default());
    all.extend(exemptions.iter().map(|one| selected("exemption", one)));
    all.extend(administrators.iter().map(|one| selected("administrator", one)));
    all.extend(allowed_targets.iter().map(|AllowedTarget { id, reason, span: _ }| {
        format!("the allowed target `{id}`, because: {reason}")
    }));
    let setting = match undocumented {
        Undocumented::Documented => "documented",
        Undocumented::WorstCase => "worst-case",
    };
    all.push(format!("undocumented facts are taken as `{setting}`"));
    all.extend(disabled.iter().map(|control| format!("{control} is disabled")));
    all.extend(
        severity.iter().map(|(control, it)| format!("the severity of {control} is {}", it.name())),
    );
    all.extend(exposed(exposure));
    all
}

fn trusted_networks(networks: &TrustedNetworks) -> Vec<String> {
    let TrustedNetworks { vpce_org, vpcs, cidrs } = networks;
    let mut all = vec!["networks are checked (SESDP.18)".to_owned()];
    all.extend(vpce_org.then(|| "the organization's own VPC endpoints are trusted".to_owned()));
    all.extend(vpcs.iter().map(|vpc| format!("the trusted VPC `{vpc}`")));
    all.extend(cidrs.iter().map(|cidr| format!("the trusted network `{cidr}`")));
    all
}

fn selected(what: &str, selector: &Selector) -> String {
    let Selector { matches: _, reason, owner, expires, span: _ } = selector;
    let owner = owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default();
    let until = expires.map(|day| format!(", until {day}")).unwrap_or_default();
    format!("the {what} `{}`{owner}{until}, because: {reason}", matched(selector))
}

fn exposed(settings: &ExposureSettings) -> Vec<String> {
    let ExposureSettings { trusted_hosts, disabled_regions, without_mail_manager, severity } =
        settings;
    let mut all: Vec<String> =
        trusted_hosts.iter().map(|host| format!("the trusted host `{host}`")).collect();
    all.push(match disabled_regions {
        DisabledRegions::Unknown => "nobody knows what disabled Regions hold".to_owned(),
        DisabledRegions::Empty => "disabled Regions hold nothing".to_owned(),
    });
    all.extend(without_mail_manager.iter().map(|it| format!("no Mail Manager in {it}")));
    let SeverityRules { not_in_use, paused, sandbox, production, sending } = severity;
    for (level, rule) in [
        ("not in use", not_in_use),
        ("paused", paused),
        ("in the sandbox", sandbox),
        ("in production", production),
        ("sending", sending),
    ] {
        let rule = match rule {
            Rule::Own => "stays the control's own".to_owned(),
            Rule::AtMost(most) => format!("is at most {}", most.name()),
            Rule::Raise { from, to } => format!("from {} on is {}", from.name(), to.name()),
        };
        all.push(format!("the severity in accounts where SES is {level} {rule}"));
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use ses_perimeter::perimeter::parse;

    use super::*;

    const BASE: &str = "[trusted]\nrecipients = [\"*@example.com\"]\n";

    fn compared(before: &str, after: &str) -> Vec<String> {
        differences(&parse(before).unwrap(), &parse(after).unwrap())
    }

    #[test]
    fn other_words_for_the_same_are_no_difference() {
        let same = "# A comment.\n[trusted]\nrecipients = ['*@EXAMPLE.com']\n[controls]\n\
                    disabled = []\n[assumptions]\nundocumented = \"documented\"\n";
        assert_eq!(compared(BASE, same), Vec::<String>::new());
    }

    #[test]
    fn a_difference_in_each_key_of_the_file_is_told_in_both_directions() {
        let selector = "principal_arn = \"arn:aws:iam::*:role/A\"\nreason = \"r\"\n";
        for (more, told) in [
            (
                "[trusted.networks]\ncidrs = [\"203.0.113.0/24\"]\n",
                "the trusted network `203.0.113.0/24`",
            ),
            ("[trusted.networks]\nvpcs = [\"vpc-11111111\"]\n", "the trusted VPC `vpc-11111111`"),
            (
                "[trusted.networks]\nvpce_org = true\n",
                "the organization's own VPC endpoints are trusted",
            ),
            (
                &format!("[[exemptions]]\n{selector}"),
                "the exemption `arn:aws:iam::*:role/A`, because: r",
            ),
            (
                &format!("[[administrators]]\n{selector}owner = \"o\"\nexpires = 2027-06-30\n"),
                "the administrator `arn:aws:iam::*:role/A`, owner o, until 2027-06-30, because: r",
            ),
            (
                "[[allowed_targets]]\nid = \"ou-exam-workload\"\nreason = \"r\"\n",
                "the allowed target `ou-exam-workload`, because: r",
            ),
            (
                "[assumptions]\nundocumented = \"worst-case\"\n",
                "undocumented facts are taken as `worst-case`",
            ),
            ("[controls]\ndisabled = [\"SESDP.8\"]\n", "SESDP.8 is disabled"),
            ("[controls.severity]\n\"SESDP.8\" = \"LOW\"\n", "the severity of SESDP.8 is LOW"),
            (
                "[exposure]\ntrusted_hosts = [\"mail.example.net\"]\n",
                "the trusted host `mail.example.net`",
            ),
            ("[exposure]\ndisabled_regions = \"empty\"\n", "disabled Regions hold nothing"),
        ] {
            let whole = format!("{BASE}{more}");
            assert!(compared(BASE, &whole).contains(&format!("new: {told}")), "{more}");
            assert!(compared(&whole, BASE).contains(&format!("gone: {told}")), "{more}");
        }
        let everybody = BASE.replace("*@example.com", "*");
        assert_eq!(
            compared(BASE, &everybody),
            ["new: the trusted recipient `*`", "gone: the trusted recipient `*@example.com`"]
        );
    }
}
