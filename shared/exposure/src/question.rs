//! The requests of one class of principals, key by key.
//!
//! The keys of the service, of the network and of tags are those of every other control
//! ([`ses_perimeter::model`]); what tells who asks, and for whom, is replaced.
//!
//! # Source
//! Clauses 40 to 49 of `docs/exposure.md`.

use std::collections::BTreeMap;

use policy::arn::ACCOUNT_DIGITS;
use prover::language::{Class, Sequence};
use prover::question::{
    Demand, FixedValue, KeyModel, KeyModels, Presence, PrincipalKind, TextDomain,
};
use ses_perimeter::model::RequestModel;

use crate::candidates::{Candidate, Named, PerimeterSide};
use crate::inside::Inside;

/// More organization paths than this has no principal, resource or source.
const MOST_PATHS: usize = 10;

/// The account of the principals of a question.
#[derive(Debug, Clone)]
pub(crate) enum Account {
    /// This one.
    Is(String),
    /// Any but some.
    NoneOf {
        /// These.
        out: Vec<String>,
        /// A plain choice among the others.
        plain: String,
    },
}

/// The keys of a question: those that tell who asks, and the rest.
pub(crate) struct Keys<'a> {
    pub(crate) base: &'a RequestModel<'a>,
    /// By the name in lower case.
    pub(crate) replaced: BTreeMap<&'static str, KeyModel>,
    /// Whether a service asks, which has no tags.
    pub(crate) service: bool,
}

impl KeyModels for Keys<'_> {
    fn key(&self, folded: &str) -> KeyModel {
        if let Some(model) = self.replaced.get(folded) {
            return model.clone();
        }
        if self.service && folded.starts_with("aws:principaltag/") {
            return KeyModel::Absent;
        }
        self.base.key(folded)
    }

    fn spelling(&self, key: &str) -> String {
        self.base.spelling(key)
    }

    fn is_doubtful(&self, folded: &str) -> bool {
        let own = self.replaced.contains_key(folded)
            || (self.service && folded.starts_with("aws:principaltag/"));
        !own && self.base.is_doubtful(folded)
    }
}

fn one(text: &str) -> KeyModel {
    KeyModel::Fixed(FixedValue::One(text.to_owned()))
}

/// The keys that tell who asks.
pub(crate) fn who(
    candidate: &Candidate,
    account: &Account,
    side: PerimeterSide,
    inside: &Inside,
    named: &Named,
) -> BTreeMap<&'static str, KeyModel> {
    match candidate {
        Candidate::Service(name) => service(Some(name), account, inside, named),
        Candidate::AnyService => service(None, account, inside, named),
        Candidate::Stranger
        | Candidate::OfAccount(_)
        | Candidate::Named { .. }
        | Candidate::Session { .. } => principal(account, side, inside),
    }
}

fn principal(
    account: &Account,
    side: PerimeterSide,
    inside: &Inside,
) -> BTreeMap<&'static str, KeyModel> {
    let mut keys = BTreeMap::new();
    keys.insert("aws:principalaccount", account_key(account, Presence::Always));
    match side {
        PerimeterSide::Outside => {
            keys.insert("aws:principalorgid", other_organization(inside));
            keys.insert("aws:principalorgpaths", other_paths(inside));
        }
        PerimeterSide::Inside => {
            keys.insert("aws:principalorgid", one(&inside.organization));
            let path = match account {
                Account::Is(account) => inside.accounts.get(account),
                Account::NoneOf { .. } => None,
            };
            let model = match path {
                Some(path) => KeyModel::Fixed(FixedValue::Many(vec![path.clone()])),
                None => KeyModel::Set {
                    element: TextDomain {
                        include: vec![vec![own_path(inside)]],
                        exclude: Vec::new(),
                        plain: Vec::new(),
                    },
                    must: Vec::new(),
                    presence: Presence::Always,
                    most: 1,
                },
            };
            keys.insert("aws:principalorgpaths", model);
        }
    }
    keys
}

/// A service that acts for an account outside, or does not say for whom.
fn service(
    name: Option<&str>,
    account: &Account,
    inside: &Inside,
    named: &Named,
) -> BTreeMap<&'static str, KeyModel> {
    let mut keys = BTreeMap::new();
    for absent in [
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principaltype",
    ] {
        keys.insert(absent, KeyModel::Absent);
    }
    keys.insert("aws:principalisawsservice", one("true"));
    keys.insert("aws:userid", KeyModel::Text(TextDomain::printable("service"), Presence::Optional));
    let (own, must) = match name {
        Some(name) => (one(name), vec![Demand::Inside(vec![Sequence::literal(name)])]),
        None => {
            let mut domain = TextDomain::printable("service.amazonaws.com");
            let known: Vec<Sequence> =
                named.services.iter().map(|name| Sequence::literal(name)).collect();
            if !known.is_empty() {
                domain.exclude.push(known);
            }
            (KeyModel::Text(domain, Presence::Always), Vec::new())
        }
    };
    keys.insert("aws:principalservicename", own);
    keys.insert(
        "aws:principalservicenameslist",
        KeyModel::Set {
            element: TextDomain::printable("service.amazonaws.com"),
            must,
            presence: Presence::Always,
            most: MOST_PATHS,
        },
    );
    keys.insert("aws:sourceaccount", account_key(account, Presence::Optional));
    keys.insert("aws:sourcearn", KeyModel::Text(source_arn(account), Presence::Optional));
    keys.insert("aws:sourceorgid", other_organization(inside));
    keys.insert("aws:sourceorgpaths", other_paths(inside));
    keys
}

fn account_key(account: &Account, presence: Presence) -> KeyModel {
    match account {
        Account::Is(account) if presence == Presence::Always => one(account),
        Account::Is(account) => KeyModel::Text(TextDomain::only(account), presence),
        Account::NoneOf { out: others, plain } => {
            let mut domain = TextDomain {
                include: vec![vec![Sequence::default().exactly(ACCOUNT_DIGITS, Class::Digit)]],
                exclude: Vec::new(),
                plain: vec![plain.clone()],
            };
            if !others.is_empty() {
                domain.exclude.push(others.iter().map(|other| Sequence::literal(other)).collect());
            }
            KeyModel::Text(domain, presence)
        }
    }
}

/// The resource for which a service acts: of an account outside, or one whose ARN names no
/// account.
fn source_arn(account: &Account) -> TextDomain {
    let head = || {
        Sequence::literal("arn:")
            .any(Class::NotColon)
            .then(":")
            .some(Class::NotColon)
            .then(":")
            .any(Class::NotColon)
            .then(":")
    };
    let none = head().then(":").some(Class::Any);
    let mut exclude = Vec::new();
    let (some, plain) = match account {
        Account::Is(account) => (head().then(account).then(":").some(Class::Any), account.clone()),
        Account::NoneOf { out: others, plain } => {
            if !others.is_empty() {
                let of = |other: &String| head().then(other).then(":").any(Class::Any);
                exclude.push(others.iter().map(of).collect());
            }
            let any = head().exactly(ACCOUNT_DIGITS, Class::Digit).then(":").some(Class::Any);
            (any, plain.clone())
        }
    };
    TextDomain {
        include: vec![vec![some, none]],
        exclude,
        plain: vec![format!("arn:aws:service:us-east-1:{plain}:resource")],
    }
}

fn organization_id() -> Sequence {
    Sequence::literal("o-").exactly(10, Class::OrgId).any(Class::OrgId)
}

/// The id of another organization, or none.
pub(crate) fn other_organization(inside: &Inside) -> KeyModel {
    KeyModel::Text(
        TextDomain {
            include: vec![vec![organization_id()]],
            exclude: vec![vec![Sequence::literal(&inside.organization)]],
            plain: vec!["o-untrustedorg".to_owned()],
        },
        Presence::Optional,
    )
}

fn own_path(inside: &Inside) -> Sequence {
    Sequence::literal(&inside.organization).then("/").any(Class::Ascii)
}

/// Paths in another organization, or none.
pub(crate) fn other_paths(inside: &Inside) -> KeyModel {
    KeyModel::Set {
        element: TextDomain {
            include: vec![vec![
                organization_id().then("/r-").some(Class::OrgId).then("/").any(Class::Ascii),
            ]],
            exclude: vec![vec![own_path(inside)]],
            plain: vec!["o-untrustedorg/r-root/".to_owned()],
        },
        must: Vec::new(),
        presence: Presence::Optional,
        most: MOST_PATHS,
    }
}

/// The keys of a request that names a resource of the organization.
pub(crate) fn own_resource(inside: &Inside) -> [(&'static str, KeyModel); 1] {
    let own = TextDomain::only(&inside.organization);
    [("aws:resourceorgid", KeyModel::Text(own, Presence::Optional))]
}

/// The keys of a request that comes through a VPC endpoint of the organization.
pub(crate) fn through_endpoint(
    endpoint: &str,
    vpc: &str,
    inside: &Inside,
) -> [(&'static str, KeyModel); 5] {
    [
        ("aws:sourceip", KeyModel::Absent),
        ("aws:sourcevpc", one(vpc)),
        ("aws:sourcevpce", one(endpoint)),
        ("aws:vpceorgid", one(&inside.organization)),
        (
            "aws:vpcsourceip",
            KeyModel::Address {
                outside: Vec::new(),
                plain: vec!["10.0.0.10".to_owned()],
                presence: Presence::Always,
            },
        ),
    ]
}

/// The kinds of principals with their ARNs, in one account or in any.
pub(crate) fn kinds(partition: &str, account: &Account) -> Vec<PrincipalKind> {
    let start = |service: &str| {
        let head = Sequence::literal(&format!("arn:{partition}:{service}::"));
        match account {
            Account::Is(account) => head.then(account).then(":"),
            Account::NoneOf { .. } => head.exactly(ACCOUNT_DIGITS, Class::Digit).then(":"),
        }
    };
    let named = |start: Sequence| {
        vec![
            start.clone().some(Class::IamName),
            start.some(Class::IamPath).then("/").some(Class::IamName),
        ]
    };
    let kind = |name: &str, arns| PrincipalKind { name: name.to_owned(), arns };
    vec![
        kind("AssumedRole", named(start("iam").then("role/"))),
        kind("User", named(start("iam").then("user/"))),
        kind("Account", vec![start("iam").then("root")]),
        kind("FederatedUser", vec![start("sts").then("federated-user/").some(Class::IamName)]),
    ]
}

/// The ARNs of the principals of a class; for a service its name, which no key shows.
pub(crate) fn arns(
    candidate: &Candidate,
    account: &Account,
    kinds: &[PrincipalKind],
    named: &Named,
    partition: &str,
) -> TextDomain {
    let iam = |account: &str, rest: &str| format!("arn:{partition}:iam::{account}:{rest}");
    let known = |account: &str| -> Vec<Sequence> {
        let arns = named.accounts.get(account).into_iter().flatten();
        arns.map(|arn| Sequence::literal(arn)).collect()
    };
    let excluded = |known: Vec<Sequence>| if known.is_empty() { Vec::new() } else { vec![known] };
    match candidate {
        Candidate::Service(name) => TextDomain::only(name),
        Candidate::AnyService => TextDomain::only("service.amazonaws.com"),
        Candidate::Named { arn, .. } | Candidate::Session { arn: Some(arn), .. } => {
            TextDomain::only(arn)
        }
        Candidate::Session { account, role, arn: None, .. } => {
            let start = Sequence::literal(&iam(account, "role/"));
            TextDomain {
                include: vec![vec![
                    start.clone().then(role),
                    start.some(Class::IamPath).then("/").then(role),
                ]],
                exclude: excluded(known(account)),
                plain: vec![iam(account, &format!("role/{role}"))],
            }
        }
        Candidate::Stranger | Candidate::OfAccount(_) => {
            let (plain, exclude) = match account {
                Account::Is(account) => (account.clone(), excluded(known(account))),
                Account::NoneOf { out: others, plain } => {
                    let of = |other: &String| {
                        ["iam", "sts"].map(|service| {
                            Sequence::literal(&format!("arn:{partition}:{service}::{other}:"))
                                .any(Class::Any)
                        })
                    };
                    (plain.clone(), excluded(others.iter().flat_map(of).collect()))
                }
            };
            TextDomain {
                include: vec![kinds.iter().flat_map(|kind| kind.arns.iter().cloned()).collect()],
                exclude,
                plain: ["role/app", "user/app", "role/service/app", "root"]
                    .map(|rest| iam(&plain, rest))
                    .into(),
            }
        }
    }
}
