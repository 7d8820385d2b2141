//! The policy model: what a document means, with the place of every part in its text.

use ipnet::IpNet;
use text::span::Span;

/// A readable policy document: a service control policy or a resource-based policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The policy language edition; without a `Version` element it is [`Version::V2008`].
    pub version: Version,
    /// The statements in document order; never empty.
    pub statements: Vec<Statement>,
}

/// The policy language edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also the meaning of a missing element: `${...}` is plain text.
    V2008,
    /// `2012-10-17`: policy variables and escapes are in force.
    V2012,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Position in the document, from 0.
    pub index: usize,
    /// The `Sid`, where there is one.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// The `Principal` or `NotPrincipal` element; `None` in an SCP, which has neither.
    pub principals: Option<Principals>,
    /// The `Action` or `NotAction` element.
    pub actions: Actions,
    /// The `Resource` or `NotResource` element.
    pub resources: Resources,
    /// Every operator and key of the condition block; all of them must hold.
    pub conditions: Vec<Condition>,
    /// Why the statement cannot be modelled; empty for an ordinary statement.
    ///
    /// With an entry here nobody knows whether the statement matches, so no verdict may
    /// depend on it.
    pub obstacles: Vec<Obstacle>,
    /// The whole statement in the text.
    pub span: Span,
}

impl Statement {
    /// Every template: those of the resources, then those of the condition values, with places.
    pub fn templates(&self) -> impl Iterator<Item = (&Template, Span)> {
        let (Resources::Listed(patterns) | Resources::AllExcept(patterns)) = &self.resources;
        let resources = patterns.iter().map(|pattern| (&pattern.template, pattern.span));
        let values = self.conditions.iter().flat_map(|condition| &condition.values);
        resources.chain(values.map(|value| (&value.template, value.span)))
    }
}

/// What a matching statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Lets the request through at its level.
    Allow,
    /// Stops the request, whatever else allows it.
    Deny,
}

/// Whom a statement of a resource-based policy is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// `Principal`: any of these.
    Listed(Vec<Principal>),
    /// `NotPrincipal`: none of these. The statement always carries an obstacle.
    AllExcept(Vec<Principal>),
}

/// One principal of a resource-based policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who it is.
    pub kind: PrincipalKind,
    /// As written.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// What the text of a [`Principal`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// `"*"` or `{"AWS": "*"}`, which mean the same: everyone, services included.
    Everyone,
    /// An account by its twelve digits or its root ARN: every principal of it.
    Account(String),
    /// One IAM user or role by its ARN; of a role every session as well.
    Identity {
        /// The account in the ARN.
        account: String,
    },
    /// One session of a role, by its ARN.
    RoleSession {
        /// The account in the ARN.
        account: String,
        /// The name of the role, without its path.
        role: String,
    },
    /// One federated user session of STS, by its ARN.
    FederatedUser {
        /// The account in the ARN.
        account: String,
    },
    /// The unique id of a user or role that was deleted: nobody.
    Deleted,
    /// An AWS service by its principal name, for instance `cognito-idp.amazonaws.com`.
    Service,
    /// Something else; the statement carries an obstacle at this place.
    Unknown,
}

/// Which actions a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// `Action`: any of these.
    Listed(Vec<ActionPattern>),
    /// `NotAction`: none of these.
    AllExcept(Vec<ActionPattern>),
}

/// One action with wildcards, matched without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern {
    /// As written, for instance `ses:Send*`.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// Which resources a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resources {
    /// `Resource`: any of these.
    Listed(Vec<ResourcePattern>),
    /// `NotResource`: none of these.
    AllExcept(Vec<ResourcePattern>),
}

/// One resource with wildcards and, after the fifth colon, policy variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePattern {
    /// As written.
    pub text: String,
    /// The same, cut into pieces.
    pub template: Template,
    /// Its place.
    pub span: Span,
}

/// One operator with one key and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The condition key as written; compared without regard to case.
    pub key: String,
    /// The values; never empty.
    pub values: Vec<ConditionValue>,
    /// From the key to the last value.
    pub span: Span,
    /// The operator's name in the text.
    pub operator_span: Span,
    /// The key in the text.
    pub key_span: Span,
}

impl Condition {
    /// The key in lower case, the form in which keys are compared.
    #[must_use]
    pub fn key_folded(&self) -> String {
        self.key.to_ascii_lowercase()
    }
}

/// A condition operator with its prefix and suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operator {
    /// `ForAllValues` or `ForAnyValue`.
    pub set: Option<SetOperator>,
    /// The test itself.
    pub test: Test,
    /// Whether `IfExists` is appended.
    pub if_exists: bool,
}

/// The set operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetOperator {
    /// `ForAllValues:`; true when the key is missing.
    ForAllValues,
    /// `ForAnyValue:`; false when the key is missing.
    ForAnyValue,
}

macro_rules! tests {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Every condition operator without its prefix and suffix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Test { $($(#[$doc])* $name),* }

        impl Test {
            /// All of them, in the order of AWS's reference.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name as IAM spells it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

tests! {
    /// Exact text.
    StringEquals,
    /// Not that exact text.
    StringNotEquals,
    /// Text, ignoring case.
    StringEqualsIgnoreCase,
    /// Not that text, ignoring case.
    StringNotEqualsIgnoreCase,
    /// Text with wildcards.
    StringLike,
    /// Not that text with wildcards.
    StringNotLike,
    /// Number.
    NumericEquals,
    /// Another number.
    NumericNotEquals,
    /// Smaller.
    NumericLessThan,
    /// Smaller or equal.
    NumericLessThanEquals,
    /// Greater.
    NumericGreaterThan,
    /// Greater or equal.
    NumericGreaterThanEquals,
    /// That moment.
    DateEquals,
    /// Another moment.
    DateNotEquals,
    /// Earlier.
    DateLessThan,
    /// Not later.
    DateLessThanEquals,
    /// Later.
    DateGreaterThan,
    /// Not earlier.
    DateGreaterThanEquals,
    /// `true` or `false`.
    Bool,
    /// Bytes in base64.
    BinaryEquals,
    /// Inside an address range.
    IpAddress,
    /// Outside every address range.
    NotIpAddress,
    /// ARN, component by component.
    ArnEquals,
    /// Not that ARN.
    ArnNotEquals,
    /// The same as `ArnEquals`.
    ArnLike,
    /// The same as `ArnNotEquals`.
    ArnNotLike,
    /// Whether the key is absent.
    Null,
}

/// What a test compares, and so how its values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Text; the flag tells whether wildcards count.
    Text {
        /// `StringLike` and `StringNotLike`.
        wildcards: bool,
        /// The `IgnoreCase` forms.
        ignore_case: bool,
    },
    /// ARNs by component.
    Arn,
    /// Numbers.
    Number(Comparison),
    /// Moments.
    Date(Comparison),
    /// `true` and `false`.
    Bool,
    /// Base64.
    Binary,
    /// Addresses.
    Ip,
    /// Presence.
    Null,
}

/// How a request's number or moment stands to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
}

impl Comparison {
    /// Whether a value that compares as `ordering` to the policy's value satisfies this.
    #[must_use]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Test {
    /// The test of this exact name; operator names are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|test| test.name() == name)
    }

    /// What is compared.
    #[must_use]
    pub const fn family(self) -> Family {
        use Comparison as C;
        match self {
            Self::StringEquals | Self::StringNotEquals => {
                Family::Text { wildcards: false, ignore_case: false }
            }
            Self::StringEqualsIgnoreCase | Self::StringNotEqualsIgnoreCase => {
                Family::Text { wildcards: false, ignore_case: true }
            }
            Self::StringLike | Self::StringNotLike => {
                Family::Text { wildcards: true, ignore_case: false }
            }
            Self::NumericEquals | Self::NumericNotEquals => Family::Number(C::Equal),
            Self::NumericLessThan => Family::Number(C::Less),
            Self::NumericLessThanEquals => Family::Number(C::LessOrEqual),
            Self::NumericGreaterThan => Family::Number(C::Greater),
            Self::NumericGreaterThanEquals => Family::Number(C::GreaterOrEqual),
            Self::DateEquals | Self::DateNotEquals => Family::Date(C::Equal),
            Self::DateLessThan => Family::Date(C::Less),
            Self::DateLessThanEquals => Family::Date(C::LessOrEqual),
            Self::DateGreaterThan => Family::Date(C::Greater),
            Self::DateGreaterThanEquals => Family::Date(C::GreaterOrEqual),
            Self::Bool => Family::Bool,
            Self::BinaryEquals => Family::Binary,
            Self::IpAddress | Self::NotIpAddress => Family::Ip,
            Self::ArnEquals | Self::ArnNotEquals | Self::ArnLike | Self::ArnNotLike => Family::Arn,
            Self::Null => Family::Null,
        }
    }

    /// Whether this is the negated form, which holds when no value matches and when the key is
    /// missing.
    #[must_use]
    pub const fn is_negated(self) -> bool {
        matches!(
            self,
            Self::StringNotEquals
                | Self::StringNotEqualsIgnoreCase
                | Self::StringNotLike
                | Self::NumericNotEquals
                | Self::DateNotEquals
                | Self::NotIpAddress
                | Self::ArnNotEquals
                | Self::ArnNotLike
        )
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.set {
            Some(SetOperator::ForAllValues) => f.write_str("ForAllValues:")?,
            Some(SetOperator::ForAnyValue) => f.write_str("ForAnyValue:")?,
            None => {}
        }
        f.write_str(self.test.name())?;
        if self.if_exists { f.write_str("IfExists") } else { Ok(()) }
    }
}

/// One value of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionValue {
    /// As written; a JSON number or boolean in its JSON spelling.
    pub text: String,
    /// The same, cut into pieces.
    pub template: Template,
    /// The same as a network, for the operators that compare addresses; none where it is none.
    pub network: Option<IpNet>,
    /// Its place.
    pub span: Span,
}

/// Text cut at wildcards and policy variables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The pieces in order.
    pub pieces: Vec<Piece>,
}

/// One piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A character that stands for itself, escapes such as `${*}` included.
    Char(char),
    /// An unescaped `*`: a wildcard where wildcards count, else the character.
    Star,
    /// An unescaped `?`: a wildcard where wildcards count, else the character.
    Question,
    /// `${key}` or `${key, 'default'}`; only under [`Version::V2012`].
    Variable {
        /// The key, in lower case.
        key: String,
        /// The text used when the key is missing.
        default: Option<String>,
    },
}

impl Template {
    /// Text in which nothing but `*` and `?` is special.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        let pieces = text
            .chars()
            .map(|c| match c {
                '*' => Piece::Star,
                '?' => Piece::Question,
                other => Piece::Char(other),
            })
            .collect();
        Self { pieces }
    }

    /// Whether it is a lone `*`.
    #[must_use]
    pub fn is_star(&self) -> bool {
        self.pieces == [Piece::Star]
    }

    /// Whether a policy variable occurs.
    #[must_use]
    pub fn has_variable(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. }))
    }
}

/// Why a statement cannot be modelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Obstacle {
    /// What kind of thing stands in the way.
    pub kind: ObstacleKind,
    /// A sentence without a stop, for instance ``unknown condition operator `StringEqual` ``.
    pub message: String,
    /// What to do about it, where there is something.
    pub help: Option<String>,
    /// The place.
    pub span: Span,
}

/// The kinds of [`Obstacle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObstacleKind {
    /// An operator that IAM does not define, in this spelling.
    UnknownOperator,
    /// `NullIfExists`, or a set operator before `Null`.
    UndefinedOperator,
    /// An element that SCP statements do not have, `Principal` included.
    UnknownElement,
    /// An element that statements of resource-based policies do not have.
    UnknownResourcePolicyElement,
    /// A statement of a resource-based policy without `Principal` and `NotPrincipal`.
    MissingPrincipal,
    /// A principal that is none of the forms of IAM.
    MalformedPrincipal,
    /// A principal of IAM that this program does not model: `NotPrincipal`, `Federated`,
    /// `CanonicalUser`.
    UnmodelledPrincipal,
    /// A wildcard in a service prefix.
    ServiceWildcard,
    /// An action that is neither `*` nor `service:name`.
    MalformedAction,
    /// `${NAME}` without a colon: a template that was not filled in.
    Placeholder,
    /// A `${` that is no well-formed variable.
    MalformedVariable,
    /// A variable before the fifth colon of a resource.
    MisplacedVariable,
    /// A resource that is neither `*` nor shaped like an ARN.
    MalformedResource,
    /// An empty list where AWS does not say what it means.
    EmptyList,
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn a_test_is_found_by_its_exact_name_only() {
        for test in Test::ALL {
            assert_eq!(Test::from_name(test.name()), Some(*test));
            assert_eq!(Test::from_name(&test.name().to_ascii_lowercase()), None);
        }
        assert_eq!(Test::from_name("StringEqual"), None);
        assert_eq!(Test::from_name(""), None);
    }

    #[test]
    fn an_operator_prints_as_it_is_written() {
        let print = |set, test, if_exists| Operator { set, test, if_exists }.to_string();
        assert_eq!(print(None, Test::StringLike, false), "StringLike");
        assert_eq!(print(None, Test::Bool, true), "BoolIfExists");
        assert_eq!(
            print(Some(SetOperator::ForAnyValue), Test::StringNotLike, false),
            "ForAnyValue:StringNotLike"
        );
        assert_eq!(
            print(Some(SetOperator::ForAllValues), Test::ArnLike, true),
            "ForAllValues:ArnLikeIfExists"
        );
    }

    #[test]
    fn a_comparison_holds_for_its_orderings() {
        for (comparison, less, equal, greater) in [
            (Comparison::Equal, false, true, false),
            (Comparison::Less, true, false, false),
            (Comparison::LessOrEqual, true, true, false),
            (Comparison::Greater, false, false, true),
            (Comparison::GreaterOrEqual, false, true, true),
        ] {
            let holds = [Ordering::Less, Ordering::Equal, Ordering::Greater]
                .map(|ordering| comparison.holds(ordering));
            assert_eq!(holds, [less, equal, greater], "{comparison:?}");
        }
    }

    #[test]
    fn the_negated_tests_are_those_with_not_in_their_names() {
        for test in Test::ALL {
            assert_eq!(test.is_negated(), test.name().contains("Not"), "{test:?}");
        }
    }

    #[test]
    fn the_family_of_a_test_follows_from_its_name() {
        for test in Test::ALL {
            let name = test.name();
            let starts = match test.family() {
                Family::Text { wildcards, ignore_case } => {
                    assert_eq!(wildcards, name.ends_with("Like"), "{name}");
                    assert_eq!(ignore_case, name.ends_with("IgnoreCase"), "{name}");
                    name.starts_with("String")
                }
                Family::Arn => name.starts_with("Arn"),
                Family::Number(_) => name.starts_with("Numeric"),
                Family::Date(_) => name.starts_with("Date"),
                Family::Bool => name == "Bool",
                Family::Binary => name == "BinaryEquals",
                Family::Ip => name.ends_with("IpAddress"),
                Family::Null => name == "Null",
            };
            assert!(starts, "{name}");
        }
    }

    #[test]
    fn a_variable_is_seen_anywhere_in_a_template() {
        let variable = Piece::Variable { key: "aws:username".to_owned(), default: None };
        let pieces = vec![Piece::Char('a'), variable, Piece::Star];
        assert!(Template { pieces }.has_variable());
        assert!(!Template::plain("${aws:username}*?").has_variable());
        assert_eq!(Template::plain("a*?").pieces, [Piece::Char('a'), Piece::Star, Piece::Question]);
    }

    #[test]
    fn a_key_folds_to_lower_case() {
        let condition = Condition {
            operator: Operator { set: None, test: Test::Bool, if_exists: false },
            key: "AWS:SecureTransport".to_owned(),
            values: Vec::new(),
            span: Span::default(),
            operator_span: Span::default(),
            key_span: Span::default(),
        };
        assert_eq!(condition.key_folded(), "aws:securetransport");
    }
}
