//! A question: a class of requests, described key by key.

use std::collections::BTreeSet;

use ipnet::IpNet;
use policy::arn::ACCOUNT_DIGITS;
use policy::request::ContextValue;

use crate::language::{Class, Sequence};

/// When a key is part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Presence {
    /// In every request.
    Always,
    /// In some.
    Optional,
    /// Exactly in the requests that come from this network.
    On(Network),
    /// In some of the requests that come from this network.
    Within(Network),
    /// Exactly in the requests whose `aws:TagKeys` hold this tag key, ignoring case.
    Tagged(String),
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    /// Over the internet: `aws:SourceIp` and none of the VPC keys.
    Internet,
    /// Through a VPC endpoint: the VPC keys and no `aws:SourceIp`.
    Vpc,
    /// Forwarded by a service for a principal in a VPC: no key of a network at all.
    Forwarded,
}

/// The texts that a single-valued key, or one element of a multivalued key, can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TextDomain {
    /// A text lies in every one of these unions.
    pub include: Vec<Vec<Sequence>>,
    /// And in none of these.
    pub exclude: Vec<Vec<Sequence>>,
    /// Plain members, preferred in witnesses, plainest first.
    pub plain: Vec<String>,
}

impl TextDomain {
    /// Any printable text that is not empty.
    #[must_use]
    pub fn printable(plain: &str) -> Self {
        Self {
            include: vec![vec![Sequence::default().some(Class::Any)]],
            exclude: Vec::new(),
            plain: vec![plain.to_owned()],
        }
    }

    /// Just `text`.
    #[must_use]
    pub fn only(text: &str) -> Self {
        Self {
            include: vec![vec![Sequence::literal(text)]],
            exclude: Vec::new(),
            plain: vec![text.to_owned()],
        }
    }
}

/// What a context key can be in the requests of a question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyModel {
    /// In no request.
    Absent,
    /// The same in every request.
    Fixed(FixedValue),
    /// One of few values.
    Choice {
        /// The values, plainest first.
        values: Vec<String>,
        /// When it is there.
        presence: Presence,
    },
    /// A text.
    Text(TextDomain, Presence),
    /// A set of texts, never empty when present.
    Set {
        /// What each element can be.
        element: TextDomain,
        /// For each of these the set holds an element.
        must: Vec<Demand>,
        /// When it is there.
        presence: Presence,
        /// The most elements it can hold.
        most: usize,
    },
    /// An address.
    Address {
        /// Ranges that it lies outside of.
        outside: Vec<IpNet>,
        /// Plain members.
        plain: Vec<String>,
        /// When it is there.
        presence: Presence,
    },
    /// A number.
    Number {
        /// A plain member.
        plain: String,
        /// When it is there.
        presence: Presence,
    },
    /// A moment other than the request's own.
    Moment {
        /// A plain member in epoch seconds.
        plain: i64,
        /// When it is there.
        presence: Presence,
    },
    /// `aws:CurrentTime`.
    CurrentTime,
    /// `aws:EpochTime`.
    EpochTime,
    /// `aws:PrincipalArn`.
    PrincipalArn,
    /// `aws:PrincipalType`, which follows from the ARN.
    PrincipalType,
    /// `aws:RequestedRegion`.
    Region,
    /// `aws:ResourceAccount`: the account in the ARN of the resource that is being judged.
    ResourceAccount(Presence),
    /// Nobody knows which of two the key is. What is proved must hold of both, and what is
    /// refuted by a request must be refuted by one that is certain.
    Doubtful {
        /// What is certain: every request of this is one of the other.
        sure: Box<KeyModel>,
        /// What is possible: with one value, and with several.
        possible: Box<[KeyModel; 2]>,
        /// What is not known and what would settle it: a sentence that begins behind the key's
        /// name, without a stop.
        why: String,
    },
}

/// What some element of a set is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Demand {
    /// In this union.
    Inside(Vec<Sequence>),
    /// Outside of it.
    Outside(Vec<Sequence>),
}

/// A constant value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FixedValue {
    /// Of a single-valued key.
    One(String),
    /// Of a multivalued key.
    Many(Vec<String>),
}

impl From<&FixedValue> for ContextValue {
    fn from(value: &FixedValue) -> Self {
        match value {
            FixedValue::One(text) => Self::One(text.clone()),
            FixedValue::Many(texts) => Self::Many(texts.clone()),
        }
    }
}

/// One kind of principal: its `aws:PrincipalType` and the ARNs it can have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PrincipalKind {
    /// `Account`, `User`, `AssumedRole` or `FederatedUser`.
    pub name: String,
    /// The ARNs.
    pub arns: Vec<Sequence>,
}

/// The account part of a resource's ARN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResourceOwner {
    /// This text.
    Is(String),
    /// Any account; the text is the plain choice.
    Any(String),
    /// Any account but these.
    NoneOf(Vec<String>),
}

/// One resource that a request is judged against.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResourceModel {
    /// `*`, for actions without resource types.
    Star,
    /// An ARN.
    Arn {
        /// Up to the Region, for instance `arn:aws:ses:`.
        before: String,
        /// Whether the Region of the request follows, rather than nothing.
        regional: bool,
        /// The account.
        owner: ResourceOwner,
        /// What follows the account's colon.
        tails: Vec<Sequence>,
        /// Where not empty, the ARN as a whole is in this union too.
        within: Vec<Sequence>,
        /// The ARN as a whole is not in this union.
        without: Vec<Sequence>,
        /// Plain tails, plainest first.
        plain: Vec<String>,
    },
}

/// How the question describes every key.
pub trait KeyModels {
    /// The model of the key with this name in lower case.
    fn key(&self, folded: &str) -> KeyModel;
    /// The spelling of the key that AWS uses.
    fn spelling(&self, key: &str) -> String;
    /// Whether the key is [`KeyModel::Doubtful`].
    fn is_doubtful(&self, folded: &str) -> bool {
        matches!(self.key(folded), KeyModel::Doubtful { .. })
    }
}

/// A class of requests with one action.
pub struct Question<'a> {
    /// The action with its service prefix.
    pub action: &'a str,
    /// The principals that ask, plainest ARNs first.
    pub principal: TextDomain,
    /// Their kinds.
    pub kinds: &'a [PrincipalKind],
    /// The Regions in which they ask, plainest first.
    pub regions: &'a [&'a str],
    /// Whether they ask in every other Region whose name is of this form, too.
    pub other_regions: Option<&'a TextDomain>,
    /// The resources, all of which must be permitted; the first is the one named.
    pub resources: &'a [ResourceModel],
    /// The keys.
    pub keys: &'a dyn KeyModels,
    /// The names of the keys that a complete request lists, whether or not a policy asks.
    pub present: &'a [String],
    /// A plain moment for the request, in epoch seconds.
    pub moment: i64,
    /// The first moment at which they can ask.
    pub earliest: i64,
}

impl<'a> Question<'a> {
    /// The same question with other keys.
    pub(crate) fn with_keys<'b>(&self, keys: &'b dyn KeyModels) -> Question<'b>
    where
        'a: 'b,
    {
        Question { principal: self.principal.clone(), keys, ..*self }
    }
}

/// Which of the two a doubtful key is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken<'a> {
    /// What is certain.
    Sure,
    /// What is possible.
    Possible {
        /// The keys that may have several values; the others have one.
        several: &'a BTreeSet<String>,
    },
}

/// The keys of a question with their doubts settled one way.
pub(crate) struct SettledKeys<'a> {
    pub(crate) keys: &'a dyn KeyModels,
    pub(crate) taken: Taken<'a>,
}

impl KeyModels for SettledKeys<'_> {
    fn key(&self, folded: &str) -> KeyModel {
        let model = self.keys.key(folded);
        let KeyModel::Doubtful { sure, possible, .. } = model else { return model };
        let [one, several] = *possible;
        match self.taken {
            Taken::Sure => *sure,
            Taken::Possible { several: keys } if keys.contains(folded) => several,
            Taken::Possible { .. } => one,
        }
    }

    fn spelling(&self, key: &str) -> String {
        self.keys.spelling(key)
    }
}

impl ResourceModel {
    /// The resource's texts in `region`.
    #[must_use]
    pub fn domain(&self, region: &str) -> TextDomain {
        match self {
            Self::Star => TextDomain::only("*"),
            Self::Arn { before, regional, owner, tails, within, without, plain } => {
                let head = format!("{before}{}:", if *regional { region } else { "" });
                let mut domain = TextDomain::default();
                let digits = || Sequence::literal(&head).exactly(ACCOUNT_DIGITS, Class::Digit);
                let of = |own: &str| Sequence::literal(&head).then(own).then(":").any(Class::Any);
                let (accounts, account) = match owner {
                    ResourceOwner::Is(account) => {
                        (Sequence::literal(&head).then(account), account.clone())
                    }
                    ResourceOwner::Any(plain) => (digits(), plain.clone()),
                    ResourceOwner::NoneOf(own) => {
                        if !own.is_empty() {
                            domain.exclude.push(own.iter().map(|own| of(own)).collect());
                        }
                        (digits(), account_outside(|account| own.iter().any(|o| o == account)))
                    }
                };
                domain.include.push(
                    tails
                        .iter()
                        .map(|tail| {
                            let mut whole = accounts.clone().then(":");
                            whole.steps.extend(&tail.steps);
                            whole.tail = tail.tail;
                            whole
                        })
                        .collect(),
                );
                if !within.is_empty() {
                    domain.include.push(within.clone());
                }
                if !without.is_empty() {
                    domain.exclude.push(without.clone());
                }
                domain.plain = plain.iter().map(|tail| format!("{head}{account}:{tail}")).collect();
                domain
            }
        }
    }

    /// The account in the ARN where it is the same for every request.
    #[must_use]
    pub fn fixed_owner(&self) -> Option<&str> {
        match self {
            Self::Star => None,
            Self::Arn { owner: ResourceOwner::Is(account), .. } => Some(account),
            Self::Arn { owner: ResourceOwner::Any(_) | ResourceOwner::NoneOf(_), .. } => None,
        }
    }
}

/// A plain account that is not `taken`: of the nines, or else the highest number below them.
#[must_use]
pub fn account_outside(taken: impl Fn(&str) -> bool) -> String {
    let nines = (1..=9_u64).rev().map(|digit| digit * 111_111_111_111);
    let below = (0..999_999_999_999_u64).rev();
    nines
        .chain(below)
        .map(|number| format!("{number:012}"))
        .find(|account| !taken(account))
        .unwrap_or_else(|| "999999999999".to_owned())
}

impl KeyModel {
    /// When the key is there, where that is a matter of its own.
    #[must_use]
    pub const fn presence(&self) -> Option<&Presence> {
        match self {
            Self::Choice { presence, .. }
            | Self::Text(_, presence)
            | Self::Set { presence, .. }
            | Self::Address { presence, .. }
            | Self::Number { presence, .. }
            | Self::Moment { presence, .. }
            | Self::ResourceAccount(presence) => Some(presence),
            Self::Absent
            | Self::Fixed(_)
            | Self::CurrentTime
            | Self::EpochTime
            | Self::PrincipalArn
            | Self::PrincipalType
            | Self::Region
            | Self::Doubtful { .. } => None,
        }
    }

    /// Whether the first plain value of the key is sure to be one of its values, so that a
    /// request can be completed with it where no policy asks about the key.
    #[must_use]
    pub fn has_plain_value(&self) -> bool {
        match self {
            Self::Text(domain, _) => domain.exclude.is_empty() && !domain.plain.is_empty(),
            Self::Address { outside, .. } => outside.is_empty(),
            Self::Set { .. } | Self::ResourceAccount(_) | Self::Doubtful { .. } => false,
            Self::Absent
            | Self::Fixed(_)
            | Self::Choice { .. }
            | Self::Number { .. }
            | Self::Moment { .. }
            | Self::CurrentTime
            | Self::EpochTime
            | Self::PrincipalArn
            | Self::PrincipalType
            | Self::Region => true,
        }
    }

    /// That value, for keys that can be chosen freely, and when the key is there.
    #[must_use]
    pub fn plain_value(&self) -> Option<(String, &Presence)> {
        match self {
            Self::Text(domain, presence) => Some((domain.plain.first()?.clone(), presence)),
            Self::Choice { values, presence } => Some((values.first()?.clone(), presence)),
            Self::Address { plain, presence, .. } => Some((plain.first()?.clone(), presence)),
            Self::Number { plain, presence } => Some((plain.clone(), presence)),
            Self::Moment { plain, presence } => Some((plain.to_string(), presence)),
            Self::Absent
            | Self::Fixed(_)
            | Self::Set { .. }
            | Self::CurrentTime
            | Self::EpochTime
            | Self::PrincipalArn
            | Self::PrincipalType
            | Self::Region
            | Self::ResourceAccount(_)
            | Self::Doubtful { .. } => None,
        }
    }
}

impl Presence {
    /// Whether some requests are without the key.
    #[must_use]
    pub const fn may_be_absent(&self) -> bool {
        !matches!(self, Self::Always)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_account_is_none_that_is_taken() {
        assert_eq!(account_outside(|taken| taken == "111111111111"), "999999999999");
        assert_eq!(account_outside(|taken| taken == "999999999999"), "888888888888");
    }

    fn arn(owner: ResourceOwner) -> ResourceModel {
        ResourceModel::Arn {
            before: "arn:aws:ses:".to_owned(),
            regional: true,
            owner,
            tails: vec![Sequence::literal("identity/x")],
            within: Vec::new(),
            without: Vec::new(),
            plain: vec!["identity/x".to_owned()],
        }
    }

    #[test]
    fn an_owner_is_fixed_where_every_request_has_the_same() {
        let own = || "111111111111".to_owned();
        assert_eq!(arn(ResourceOwner::Is(own())).fixed_owner(), Some("111111111111"));
        for other in [
            arn(ResourceOwner::Any(own())),
            arn(ResourceOwner::NoneOf(vec![own()])),
            ResourceModel::Star,
        ] {
            assert_eq!(other.fixed_owner(), None);
        }
    }

    #[test]
    fn a_resource_of_none_of_some_accounts_excludes_each() {
        let own = ["999999999999", "888888888888"].map(str::to_owned);
        let domain = arn(ResourceOwner::NoneOf(own.into())).domain("eu-west-1");
        assert_eq!(domain.exclude.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
        assert_eq!(domain.plain, ["arn:aws:ses:eu-west-1:777777777777:identity/x"]);
        let open = arn(ResourceOwner::NoneOf(Vec::new())).domain("eu-west-1");
        assert!(open.exclude.is_empty());
    }

    #[test]
    fn a_resource_lies_within_what_it_is_limited_to() {
        let limited = |within: Vec<Sequence>| {
            let mut model = arn(ResourceOwner::Is("111111111111".to_owned()));
            if let ResourceModel::Arn { within: limit, .. } = &mut model {
                *limit = within;
            }
            model.domain("eu-west-1").include
        };
        let pattern = vec![Sequence::literal("arn:").any(Class::Any)];
        let open = limited(Vec::new());
        assert_eq!(limited(pattern.clone()), [open, vec![pattern]].concat());
    }

    #[test]
    fn a_plain_value_is_only_sure_where_nothing_is_excluded() {
        let text = |domain| KeyModel::Text(domain, Presence::Always).has_plain_value();
        let plain = TextDomain::printable("x");
        let excluding = TextDomain { exclude: vec![vec![Sequence::literal("x")]], ..plain.clone() };
        let none = TextDomain { plain: Vec::new(), ..plain.clone() };
        assert!(text(plain));
        assert!(!text(excluding) && !text(none));
    }
}
