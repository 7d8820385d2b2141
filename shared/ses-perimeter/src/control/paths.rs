//! The send paths that each control asks about.
//!
//! # Source
//! The send paths of the action table; clauses 20 to 39 of `docs/semantics.md` say which request
//! each control describes.

use std::collections::BTreeSet;

use super::named::Named;
use super::{ControlId, selected};
use crate::facts::AccountFacts;
use crate::perimeter::{Perimeter, SelectorKind, Undocumented};
use crate::table::{self, Api};

/// `ses:ApiVersion` in the requests of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `1`.
    One,
    /// `2`.
    Two,
    /// `1` or `2`.
    Either,
    /// `1`, `2` or absent.
    Free,
    /// Absent.
    Absent,
}

/// `ses:Recipients` in the requests of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recipients {
    /// Present, at least one untrusted.
    Untrusted,
    /// Absent, or as `Untrusted`.
    UntrustedOrAbsent,
    /// Absent, or present with whoever.
    Anyone,
    /// Present with whoever.
    Someone,
    /// Present, all of them trusted.
    Trusted,
    /// Absent.
    Absent,
}

/// What else the requests of a path have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RequestDetail {
    /// Nothing.
    None,
    /// An untrusted `ses:FeedbackAddress`.
    Feedback,
    /// They set this tag, on which a selector relies.
    Tag {
        /// The tag key.
        key: String,
        /// The tag value.
        value: String,
    },
    /// They make or take over a principal that a selector picks.
    Exempt {
        /// The selector's pattern.
        pattern: String,
    },
    /// They name a resource of another organization.
    Foreign,
    /// They come from no trusted network.
    Network,
}

/// One class of requests that a control asks about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The name of the send path, for instance `smtp`.
    pub name: &'static str,
    /// The interface.
    pub api: Api,
    /// The action that IAM checks.
    pub action: &'static str,
    /// `ses:ApiVersion`.
    pub version: Version,
    /// `ses:Recipients`.
    pub recipients: Recipients,
    /// Whether principals matched by an administrator selector are left out.
    pub skip_administrators: bool,
    /// Whether the identity may belong to any account.
    pub any_identity: bool,
    /// The resource.
    pub named: Named,
    /// Anything else.
    pub special: RequestDetail,
}

impl Path {
    /// Whether AWS says nothing about tags of the sending identity: for version 1 the reference
    /// lists none, and the identities are the same that version 2 lists them for.
    pub(crate) fn is_silent_about_resource_tags(&self) -> bool {
        self.api == Api::V1 && table::action(self.action).is_some_and(|action| action.sends_mail)
    }

    /// Whether the account can have what the path names.
    #[must_use]
    pub fn is_about(&self, facts: &AccountFacts) -> bool {
        match &self.special {
            RequestDetail::Exempt { pattern } => selected::is_of(pattern, facts),
            RequestDetail::None
            | RequestDetail::Feedback
            | RequestDetail::Tag { .. }
            | RequestDetail::Foreign
            | RequestDetail::Network => true,
        }
    }
}

/// Why [`ControlId::ExemptPrincipals`] does not apply.
pub(crate) const NOBODY_SELECTED: &str = "no exemption or administrator selector in force names a role or user of the account by its ARN";

fn mail(
    name: &'static str,
    api: Api,
    action: &'static str,
    version: Version,
    recipients: Recipients,
) -> Path {
    Path {
        name,
        api,
        action,
        version,
        recipients,
        skip_administrators: false,
        any_identity: true,
        named: Named::Required,
        special: RequestDetail::None,
    }
}

fn administrative(
    name: &'static str,
    api: Api,
    action: &'static str,
    version: Version,
    recipients: Recipients,
) -> Path {
    Path { skip_administrators: true, ..mail(name, api, action, version, recipients) }
}

/// The paths of `control`, or why it does not apply to `perimeter`.
///
/// # Errors
/// The reason, as a sentence without a stop.
pub fn paths(
    control: ControlId,
    perimeter: &Perimeter,
    selectors: &[&SelectorKind],
    undocumented: Undocumented,
) -> Result<Vec<Path>, String> {
    use Api::{MailManager, PinpointEmail, Smtp, V1, V2};
    use Recipients as R;
    use Version as V;
    let worst = undocumented == Undocumented::WorstCase;
    let recipients = if worst { R::UntrustedOrAbsent } else { R::Untrusted };
    let free = |documented| if worst { V::Free } else { documented };
    Ok(match control {
        ControlId::V1Bulk => {
            vec![mail("v1-bulk", V1, "ses:SendBulkTemplatedEmail", V::One, recipients)]
        }
        ControlId::V1Send => vec![mail("v1-send", V1, "ses:SendEmail", V::One, R::Untrusted)],
        ControlId::V1Raw => vec![mail("v1-raw", V1, "ses:SendRawEmail", V::One, recipients)],
        ControlId::V1Templated => {
            vec![mail("v1-templated", V1, "ses:SendTemplatedEmail", V::One, recipients)]
        }
        ControlId::V1CustomVerification => vec![administrative(
            "v1-custom-verification",
            V1,
            "ses:SendCustomVerificationEmail",
            V::One,
            R::Anyone,
        )],
        ControlId::V2Send => vec![
            mail("v2-simple", V2, "ses:SendEmail", V::Two, R::Untrusted),
            mail("v2-raw", V2, "ses:SendRawEmail", free(V::Two), recipients),
            mail("v2-template", V2, "ses:SendTemplatedEmail", free(V::Two), recipients),
        ],
        ControlId::V2CustomVerification => vec![administrative(
            "v2-custom-verification",
            V2,
            "ses:SendCustomVerificationEmail",
            V::Two,
            R::Anyone,
        )],
        ControlId::Smtp => vec![mail("smtp", Smtp, "ses:SendRawEmail", V::Two, R::Untrusted)],
        ControlId::V2Bulk => vec![mail("v2-bulk", V2, "ses:SendBulkEmail", V::Two, R::Absent)],
        ControlId::VerificationMail => [
            ("v1-verify", V1, "ses:VerifyEmailIdentity", V::One),
            ("v1-verify", V1, "ses:VerifyEmailAddress", V::One),
            ("v2-identity", V2, "ses:CreateEmailIdentity", V::Two),
            ("pinpoint-identity", PinpointEmail, "ses:CreateEmailIdentity", free(V::Either)),
        ]
        .map(|(name, api, action, version)| own_identity(name, api, action, version))
        .into(),
        ControlId::Bounce => {
            vec![administrative("v1-bounce", V1, "ses:SendBounce", V::One, R::Absent)]
        }
        ControlId::MailManager => [
            "ses:CreateRelay",
            "ses:UpdateRelay",
            "ses:CreateRuleSet",
            "ses:UpdateRuleSet",
            "ses:CreateIngressPoint",
            "ses:UpdateIngressPoint",
        ]
        .map(|action| administrative("mail-manager", MailManager, action, V::Absent, R::Absent))
        .into(),
        ControlId::PinpointEmail => vec![mail(
            "pinpoint-email-send",
            PinpointEmail,
            "ses:SendEmail",
            free(V::Either),
            recipients,
        )],
        ControlId::SendingAuthorization => [
            (V1, "ses:PutIdentityPolicy", V::One),
            (V2, "ses:CreateEmailIdentityPolicy", V::Two),
            (V2, "ses:UpdateEmailIdentityPolicy", V::Two),
        ]
        .map(|(api, action, version)| own_identity("sending-authorization", api, action, version))
        .into(),
        ControlId::Feedback => feedback(worst),
        ControlId::ExemptionTags => tagging(selectors)?,
        ControlId::ForeignResources => foreign(worst),
        ControlId::Networks if perimeter.networks.is_none() => {
            return Err("the perimeter sets no trusted networks".to_owned());
        }
        ControlId::Networks => networks(worst),
        ControlId::ExemptPrincipals => taking_over(selectors)?,
        ControlId::IdentityPolicies
        | ControlId::EndpointPrincipals
        | ControlId::EndpointResources
        | ControlId::MailManagerHosts
        | ControlId::ManagementAccount => {
            return Err("service control policies do not decide it".to_owned());
        }
    })
}

/// The mail that the perimeter leaves open: to trusted recipients, by principals whom no selector
/// in force matches. A bulk call shows no recipients.
#[must_use]
pub fn trusted_mail() -> Vec<Path> {
    use Api::{PinpointEmail, Smtp, V1, V2};
    [
        ("v1-bulk", V1, "ses:SendBulkTemplatedEmail", Version::One),
        ("v1-send", V1, "ses:SendEmail", Version::One),
        ("v1-raw", V1, "ses:SendRawEmail", Version::One),
        ("v1-templated", V1, "ses:SendTemplatedEmail", Version::One),
        ("v2-simple", V2, "ses:SendEmail", Version::Two),
        ("v2-raw", V2, "ses:SendRawEmail", Version::Two),
        ("v2-template", V2, "ses:SendTemplatedEmail", Version::Two),
        ("smtp", Smtp, "ses:SendRawEmail", Version::Two),
        ("v2-bulk", V2, "ses:SendBulkEmail", Version::Two),
        ("pinpoint-email-send", PinpointEmail, "ses:SendEmail", Version::Either),
    ]
    .map(|(name, api, action, version)| {
        let bulk = action == "ses:SendBulkEmail";
        let recipients = if bulk { Recipients::Absent } else { Recipients::Trusted };
        administrative(name, api, action, version, recipients)
    })
    .into()
}

fn own_identity(name: &'static str, api: Api, action: &'static str, version: Version) -> Path {
    Path { any_identity: false, ..administrative(name, api, action, version, Recipients::Absent) }
}

fn feedback(worst: bool) -> Vec<Path> {
    let loose = if worst { Version::Free } else { Version::Two };
    let pinpoint = if worst { Version::Free } else { Version::Either };
    [
        (Api::V1, "ses:SendBulkTemplatedEmail", Version::One),
        (Api::V1, "ses:SendEmail", Version::One),
        (Api::V1, "ses:SendRawEmail", Version::One),
        (Api::V1, "ses:SendTemplatedEmail", Version::One),
        (Api::V2, "ses:SendEmail", Version::Two),
        (Api::V2, "ses:SendRawEmail", loose),
        (Api::V2, "ses:SendTemplatedEmail", loose),
        (Api::Smtp, "ses:SendRawEmail", Version::Two),
        (Api::PinpointEmail, "ses:SendEmail", pinpoint),
    ]
    .map(|(api, action, version)| Path {
        special: RequestDetail::Feedback,
        ..mail("feedback", api, action, version, Recipients::Trusted)
    })
    .into()
}

fn tagging(selectors: &[&SelectorKind]) -> Result<Vec<Path>, String> {
    let mut tags: Vec<(&String, &String)> = selectors
        .iter()
        .filter_map(|selector| match selector {
            SelectorKind::PrincipalTag { key, value } => Some((key, value)),
            SelectorKind::PrincipalArn(_) => None,
        })
        .collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.is_empty() {
        return Err("no exemption or administrator selector in force relies on a tag".to_owned());
    }
    let actions = [
        (Api::Iam, "iam:TagRole", Named::Role),
        (Api::Iam, "iam:TagUser", Named::User),
        (Api::Iam, "iam:CreateRole", Named::Role),
        (Api::Iam, "iam:CreateUser", Named::User),
        (Api::Sts, "sts:TagSession", Named::Role),
        (Api::Sts, "sts:TagSession", Named::User),
        (Api::Sts, "sts:TagSession", Named::Session),
    ];
    let mut paths = Vec::new();
    for (key, value) in tags {
        for (api, action, named) in &actions {
            paths.push(Path {
                named: named.clone(),
                special: RequestDetail::Tag { key: key.clone(), value: value.clone() },
                ..administrative("exemption-tag", *api, action, Version::Absent, Recipients::Absent)
            });
        }
    }
    Ok(paths)
}

fn taking_over(selectors: &[&SelectorKind]) -> Result<Vec<Path>, String> {
    let mut patterns: Vec<&String> = selectors
        .iter()
        .filter_map(|selector| match selector {
            SelectorKind::PrincipalArn(pattern) => Some(pattern),
            SelectorKind::PrincipalTag { .. } => None,
        })
        .collect();
    patterns.sort_unstable();
    patterns.dedup();
    let actions = [
        (Named::Role, &["iam:CreateRole", "iam:UpdateAssumeRolePolicy"][..]),
        (
            Named::User,
            &[
                "iam:CreateUser",
                "iam:CreateAccessKey",
                "iam:CreateLoginProfile",
                "iam:UpdateLoginProfile",
            ],
        ),
    ];
    let mut paths = Vec::new();
    for pattern in patterns {
        for (named, actions) in &actions {
            if !selected::is_of_kind(pattern, named) {
                continue;
            }
            paths.extend(actions.iter().map(|action| Path {
                named: named.clone(),
                special: RequestDetail::Exempt { pattern: pattern.clone() },
                ..administrative(
                    "exempt-principal",
                    Api::Iam,
                    action,
                    Version::Absent,
                    Recipients::Absent,
                )
            }));
        }
    }
    if paths.is_empty() { Err(NOBODY_SELECTED.to_owned()) } else { Ok(paths) }
}

/// Every action of SES, once for each interface through which it is checked: those of the
/// operations that the guidance reviewed first, then all others.
fn every_action() -> Vec<(Api, &'static str)> {
    let of = |reviewed: bool| {
        table::operations().iter().filter(move |operation| operation.reviewed == reviewed).flat_map(
            |operation| {
                // A bulk call is checked as its own action too, and that one cannot be left out.
                let named = operation.actions.iter().copied().filter(|action| {
                    operation.operation != "SendBulkEmail" || *action == "ses:SendBulkEmail"
                });
                named.map(|action| (operation.api, action))
            },
        )
    };
    // Some are for policies alone, or of operations that no model has yet.
    let listed = table::actions()
        .iter()
        .flat_map(|action| action.apis.iter().map(|api| (*api, action.name)));
    let mut known = BTreeSet::new();
    of(true)
        .chain(of(false))
        .chain(listed)
        .filter(|(_, action)| action.starts_with("ses:"))
        .filter(|found| known.insert(*found))
        .collect()
}

fn path_of(name: &'static str, api: Api, action: &'static str, worst: bool) -> Path {
    let version = match api {
        Api::V1 => Version::One,
        // As for their own paths.
        Api::V2 if worst && matches!(action, "ses:SendRawEmail" | "ses:SendTemplatedEmail") => {
            Version::Free
        }
        Api::V2 | Api::Smtp => Version::Two,
        Api::PinpointEmail if worst => Version::Free,
        Api::PinpointEmail => Version::Either,
        Api::MailManager | Api::Iam | Api::Sts => Version::Absent,
    };
    let always = (action == "ses:SendEmail" && api != Api::PinpointEmail)
        || (api == Api::Smtp && action == "ses:SendRawEmail")
        || (!worst && action != "ses:SendCustomVerificationEmail");
    let recipients = if always { Recipients::Someone } else { Recipients::Anyone };
    mail(name, api, action, version, recipients)
}

fn foreign(worst: bool) -> Vec<Path> {
    let mut paths = Vec::new();
    for (api, action) in every_action() {
        let path = path_of("foreign-resource", api, action, worst);
        for named in named_types(api, action) {
            paths.push(Path { named, special: RequestDetail::Foreign, ..path.clone() });
        }
    }
    paths
}

fn networks(worst: bool) -> Vec<Path> {
    let mut paths = Vec::new();
    for (api, action) in every_action() {
        let path =
            Path { special: RequestDetail::Network, ..path_of("network", api, action, worst) };
        let named = named_types(api, action);
        if named.is_empty() {
            paths.push(path);
            continue;
        }
        paths.extend(named.into_iter().map(|named| Path { named, ..path.clone() }));
    }
    paths
}

/// The ways in which a request of the action names a resource; none where it cannot.
fn named_types(api: Api, action: &str) -> Vec<Named> {
    let Some(info) = table::action(action) else { return Vec::new() };
    let needs = info.requirements(api);
    if !needs.required_resource_types.is_empty() {
        return vec![Named::Required];
    }
    needs.resource_types.iter().map(|name| Named::Type(name)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn reviewed_mail_has_recipients_where_nothing_lets_it_go_without() {
        use Recipients::{Anyone, Someone};
        for (api, action, documented, worst) in [
            (Api::V1, "ses:SendEmail", Someone, Someone),
            (Api::V2, "ses:SendEmail", Someone, Someone),
            (Api::Smtp, "ses:SendRawEmail", Someone, Someone),
            (Api::PinpointEmail, "ses:SendEmail", Someone, Anyone),
            (Api::V2, "ses:SendRawEmail", Someone, Anyone),
            (Api::V1, "ses:SendTemplatedEmail", Someone, Anyone),
            (Api::V1, "ses:SendCustomVerificationEmail", Anyone, Anyone),
        ] {
            let recipients = |worst| path_of("", api, action, worst).recipients;
            assert_eq!((recipients(false), recipients(true)), (documented, worst), "{action}");
        }
    }

    #[test]
    fn an_administrative_path_is_about_own_identities_where_the_control_says_so() {
        let identity = |path: Path| (path.any_identity, path.skip_administrators);
        let path = own_identity("", Api::V2, "ses:CreateEmailIdentity", Version::Two);
        assert_eq!(identity(path), (false, true));
    }

    #[test]
    fn a_tag_is_set_on_every_kind_of_principal() {
        let tag = SelectorKind::PrincipalTag { key: "k".to_owned(), value: "v".to_owned() };
        let paths = tagging(&[&tag, &tag]).unwrap_or_default();
        let named: Vec<(&str, &Named)> =
            paths.iter().map(|path| (path.action, &path.named)).collect();
        let wanted = [
            ("iam:TagRole", &Named::Role),
            ("iam:TagUser", &Named::User),
            ("iam:CreateRole", &Named::Role),
            ("iam:CreateUser", &Named::User),
            ("sts:TagSession", &Named::Role),
            ("sts:TagSession", &Named::User),
            ("sts:TagSession", &Named::Session),
        ];
        assert_eq!(named, wanted);
        let special = RequestDetail::Tag { key: "k".to_owned(), value: "v".to_owned() };
        assert!(paths.iter().all(|path| path.special == special && path.skip_administrators));
    }

    #[test]
    fn only_the_kinds_of_principals_that_a_pattern_selects_are_taken_over() {
        let actions = |pattern: &str| {
            let selector = SelectorKind::PrincipalArn(pattern.to_owned());
            let paths = taking_over(&[&selector, &selector]);
            paths.map(|paths| paths.iter().map(|path| path.action).collect::<Vec<_>>())
        };
        let roles = ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"];
        assert_eq!(actions("arn:aws:iam::*:role/Mail*"), Ok(roles.to_vec()));
        let users = actions("arn:aws:iam::*:user/ops/*").unwrap_or_default();
        assert!(users.len() == 4 && !users.contains(&"iam:CreateRole"), "{users:?}");
        assert_eq!(actions("arn:aws:iam::*:*Mail").unwrap_or_default().len(), 6);
        for nobody in
            ["arn:aws:iam::*:root", "arn:aws:sts::*:federated-user/*", "arn:aws:iam::*:role/"]
        {
            assert_eq!(actions(nobody), Err(NOBODY_SELECTED.to_owned()), "{nobody}");
        }
    }

    #[test]
    fn each_resource_type_that_an_action_can_name_is_asked_about() {
        let types = |paths: Vec<Path>, action: &str| -> BTreeSet<String> {
            let own = paths.into_iter().filter(|path| path.action == action);
            own.map(|path| format!("{:?} {:?}", path.named, path.special)).collect()
        };
        let optional =
            every_action().into_iter().find(|(api, action)| named_types(*api, action).len() > 1);
        let (api, action) = optional.unwrap_or((Api::V2, ""));
        assert!(!action.is_empty(), "some action has optional resource types");
        let wanted = |special: RequestDetail| -> BTreeSet<String> {
            let named = named_types(api, action).into_iter();
            named.map(|named| format!("{named:?} {special:?}")).collect()
        };
        assert!(types(foreign(false), action).is_superset(&wanted(RequestDetail::Foreign)));
        assert!(types(networks(false), action).is_superset(&wanted(RequestDetail::Network)));
        assert_eq!(
            types(networks(false), "ses:VerifyEmailIdentity"),
            BTreeSet::from(["Required Network".to_owned()])
        );
        assert!(types(foreign(false), "ses:VerifyEmailIdentity").is_empty());
    }
}
