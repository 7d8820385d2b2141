//! The statements that stop what controls ask about.
//!
//! They are made from the paths of the controls, so that they close what is asked about and
//! nothing is written twice. Where AWS's sources are silent they fail closed: no split by
//! `ses:ApiVersion`, mail without `ses:Recipients` is stopped, a bulk call is stopped whatever it
//! carries.

use std::collections::{BTreeMap, BTreeSet};

use organization::Organization;
use policy::arn::ARN_COMPONENTS;
use serde::Serialize;
use ses_perimeter::control::{self, ControlId, Path, Recipients, RequestDetail};
use ses_perimeter::perimeter::{Perimeter, SelectorKind, TrustedNetworks, Undocumented};

/// A Deny statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deny {
    /// Its name.
    pub sid: String,
    effect: &'static str,
    /// The controls that it closes, alone or with others.
    #[serde(skip)]
    pub controls: BTreeSet<ControlId>,
    /// What it stops, sorted.
    #[serde(rename = "Action")]
    pub actions: BTreeSet<String>,
    resource: Values,
    /// When; operators with keys and values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'static str, BTreeMap<String, Values>>,
}

/// The values of a condition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl From<Vec<String>> for Values {
    fn from(mut values: Vec<String>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => Self::One(only),
            Some(last) => {
                values.push(last);
                Self::Many(values)
            }
            None => Self::Many(values),
        }
    }
}

/// The kinds of statements, in the order in which a policy has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum StatementKind {
    Recipients,
    NoRecipients,
    Bulk,
    Administrators,
    Feedback,
    Tags,
    Principals,
    Foreign,
    Networks,
}

impl StatementKind {
    const fn sid(self) -> &'static str {
        match self {
            Self::Recipients => "SesPerimeterRecipients",
            Self::NoRecipients => "SesPerimeterNoRecipients",
            Self::Bulk => "SesPerimeterBulk",
            Self::Administrators => "SesPerimeterAdministrators",
            Self::Feedback => "SesPerimeterFeedback",
            Self::Tags => "SesPerimeterExemptionTags",
            Self::Principals => "SesPerimeterExemptPrincipals",
            Self::Foreign => "SesPerimeterForeignResources",
            Self::Networks => "SesPerimeterNetworks",
        }
    }

    const fn of(path: &Path) -> Self {
        match path.special {
            RequestDetail::Feedback => Self::Feedback,
            RequestDetail::Tag { .. } => Self::Tags,
            RequestDetail::Exempt { .. } => Self::Principals,
            RequestDetail::Foreign => Self::Foreign,
            RequestDetail::Network => Self::Networks,
            RequestDetail::None if path.skip_administrators => Self::Administrators,
            RequestDetail::None => match path.recipients {
                Recipients::Absent => Self::Bulk,
                Recipients::Untrusted
                | Recipients::UntrustedOrAbsent
                | Recipients::Anyone
                | Recipients::Someone
                | Recipients::Trusted => Self::Recipients,
            },
        }
    }
}

/// The statements that close `controls`, for principals whom no selector in force matches.
#[must_use]
pub fn statements(
    organization: &Organization,
    perimeter: &Perimeter,
    today: jiff::civil::Date,
    controls: &BTreeSet<ControlId>,
) -> Vec<Deny> {
    let in_force = |selectors: &'_ [ses_perimeter::perimeter::Selector]| -> Vec<SelectorKind> {
        selectors.iter().filter(|s| s.in_force(today)).map(|s| s.matches.clone()).collect()
    };
    let exempt = in_force(&perimeter.exemptions);
    let mut all = exempt.clone();
    all.extend(in_force(&perimeter.administrators));
    let selectors: Vec<&SelectorKind> = all.iter().collect();

    let mut found: BTreeMap<StatementKind, (BTreeSet<String>, BTreeSet<ControlId>)> =
        BTreeMap::new();
    let mut tags: BTreeSet<String> = BTreeSet::new();
    let mut principals: BTreeSet<String> = BTreeSet::new();
    for control in controls {
        // A control that does not apply has nothing to close.
        let paths = control::paths(*control, perimeter, &selectors, Undocumented::WorstCase);
        for path in paths.unwrap_or_default() {
            let kind = StatementKind::of(&path);
            match &path.special {
                RequestDetail::Tag { key, .. } => {
                    tags.insert(key.clone());
                }
                RequestDetail::Exempt { pattern } => {
                    principals.insert(of_iam(pattern, organization));
                }
                RequestDetail::None
                | RequestDetail::Feedback
                | RequestDetail::Foreign
                | RequestDetail::Network => {}
            }
            let mut add = |kind| {
                let (actions, controls) = found.entry(kind).or_default();
                actions.insert(path.action.to_owned());
                controls.insert(*control);
            };
            add(kind);
            if kind == StatementKind::Recipients && !perimeter.trusted_recipients.is_empty() {
                add(StatementKind::NoRecipients);
            }
        }
    }
    let mut denies = Vec::new();
    for (kind, (mut actions, controls)) in found {
        if matches!(kind, StatementKind::Foreign | StatementKind::Networks) {
            // Whatever it is called: new operations too.
            actions = BTreeSet::from(["ses:*".to_owned()]);
        }
        let mut conditions = Conditions::default();
        conditions.add_kind(kind, organization, perimeter, &tags);
        let spared = matches!(
            kind,
            StatementKind::Administrators | StatementKind::Tags | StatementKind::Principals
        );
        conditions.spare(if spared { &all } else { &exempt });
        denies.push(Deny {
            sid: kind.sid().to_owned(),
            effect: "Deny",
            controls,
            actions,
            resource: if kind == StatementKind::Principals {
                principals.iter().cloned().collect::<Vec<_>>().into()
            } else {
                Values::One("*".to_owned())
            },
            condition: conditions.0,
        });
    }
    denies
}

#[derive(Default)]
struct Conditions(BTreeMap<&'static str, BTreeMap<String, Values>>);

impl Conditions {
    fn add(&mut self, operator: &'static str, key: &str, values: Vec<String>) {
        self.0.entry(operator).or_default().insert(key.to_owned(), values.into());
    }

    fn add_kind(
        &mut self,
        kind: StatementKind,
        organization: &Organization,
        perimeter: &Perimeter,
        tags: &BTreeSet<String>,
    ) {
        let trusted = || perimeter.trusted_recipients.iter().map(|text| literal(text)).collect();
        match kind {
            // Nobody is trusted: everything is stopped.
            StatementKind::Recipients | StatementKind::Feedback
                if perimeter.trusted_recipients.is_empty() =>
            {
                if kind == StatementKind::Feedback {
                    self.add("Null", "ses:FeedbackAddress", vec!["false".to_owned()]);
                }
            }
            StatementKind::Recipients => {
                self.add("ForAnyValue:StringNotLike", "ses:Recipients", trusted());
            }
            StatementKind::NoRecipients => {
                self.add("Null", "ses:Recipients", vec!["true".to_owned()]);
            }
            StatementKind::Bulk | StatementKind::Administrators | StatementKind::Principals => {}
            StatementKind::Feedback => {
                // A negated operator is true of a key that is absent, hence "Null".
                self.add("StringNotLike", "ses:FeedbackAddress", trusted());
                self.add("Null", "ses:FeedbackAddress", vec!["false".to_owned()]);
            }
            StatementKind::Tags => {
                let keys = tags.iter().map(|key| literal(key)).collect();
                self.add("ForAnyValue:StringEqualsIgnoreCase", "aws:TagKeys", keys);
            }
            StatementKind::Foreign => {
                let own = organization.id.to_string();
                self.add("StringNotEquals", "aws:ResourceOrgID", vec![own]);
                let account = "${aws:PrincipalAccount}".to_owned();
                self.add("StringNotEquals", "aws:ResourceAccount", vec![account]);
                self.add("Null", "aws:ResourceAccount", vec!["false".to_owned()]);
            }
            StatementKind::Networks => {
                self.add("Bool", "aws:ViaAWSService", vec!["false".to_owned()]);
                if let Some(networks) = &perimeter.networks {
                    self.outside(networks, organization);
                }
            }
        }
    }

    fn outside(&mut self, networks: &TrustedNetworks, organization: &Organization) {
        if !networks.cidrs.is_empty() {
            let cidrs = networks.cidrs.iter().map(ToString::to_string).collect();
            self.add("NotIpAddressIfExists", "aws:SourceIp", cidrs);
        }
        if !networks.vpcs.is_empty() {
            let vpcs = networks.vpcs.iter().map(|vpc| literal(vpc)).collect();
            self.add("StringNotEqualsIfExists", "aws:SourceVpc", vpcs);
        }
        if networks.vpce_org {
            let own = organization.id.to_string();
            self.add("StringNotEqualsIfExists", "aws:VpceOrgID", vec![own]);
        }
    }

    /// Spares the principals that one of the selectors matches.
    fn spare(&mut self, selectors: &[SelectorKind]) {
        // Tag keys that differ only in case are one condition key.
        let mut tags: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
        let mut arns = BTreeSet::new();
        for selector in selectors {
            match selector {
                SelectorKind::PrincipalTag { key, value } => {
                    let slot = tags.entry(key.to_ascii_lowercase());
                    slot.or_insert_with(|| (key.clone(), BTreeSet::new())).1.insert(literal(value));
                }
                SelectorKind::PrincipalArn(pattern) => {
                    arns.insert(literal(pattern));
                }
            }
        }
        for (key, values) in tags.into_values() {
            let key = format!("aws:PrincipalTag/{key}");
            self.add("StringNotEquals", &key, values.into_iter().collect());
        }
        if !arns.is_empty() {
            self.add("ArnNotLike", "aws:PrincipalArn", arns.into_iter().collect());
        }
    }
}

/// The principals of IAM that an ARN selector picks, as a resource: IAM takes no wildcard for the
/// partition or the service there.
fn of_iam(pattern: &str, organization: &Organization) -> String {
    let mut parts = pattern.splitn(ARN_COMPONENTS, ':').skip(4);
    let [account, name] = [parts.next(), parts.next()].map(Option::unwrap_or_default);
    literal(&format!("arn:{}:iam::{account}:{name}", organization.partition))
}

/// The text with what would begin a policy variable written out.
fn literal(text: &str) -> String {
    text.replace("${", "${$}{")
}
