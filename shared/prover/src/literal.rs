//! The pieces a question is broken into: variables, literals, requirements.

use std::rc::Rc;

use policy::evaluate::Place;
use policy::model::Condition;

use crate::language::LangId;

/// Index of a variable.
pub type VarId = usize;

/// Names of the variables that are no context keys.
pub(crate) const NETWORK: &str = "@network";
pub(crate) const RESOURCE: &str = "@resource";
pub(crate) const RESOURCE_ACCOUNT: &str = "@resource-account";
pub(crate) const MOMENT: &str = "@moment";
pub(crate) const PRINCIPAL: &str = "aws:PrincipalArn";

/// One request to be found: variables and what they must satisfy.
#[derive(Debug, Default)]
pub struct Problem<'a> {
    /// The variables.
    pub variables: Vec<Variable>,
    /// The requirements.
    pub requirements: Vec<Requirement<'a>>,
}

/// Something that a request is free to choose.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The context key as AWS spells it, or a name beginning with `@` for what is no key.
    pub name: String,
    /// Its values.
    pub domain: Domain,
    /// Whether it can be absent.
    pub optional: bool,
}

/// The values of a variable.
#[derive(Debug, Clone)]
pub enum Domain {
    /// A text.
    Text(Texts),
    /// A set of texts.
    Set {
        /// Each element.
        element: Texts,
        /// The set has an element in each of these, or outside it where the flag is set.
        must: Vec<(LangId, bool)>,
        /// The most elements.
        most: usize,
    },
    /// One of these, which stand for all values that the policies tell apart.
    Finite {
        /// The representatives, plainest first.
        values: Vec<Rc<str>>,
        /// Whether they stand for every value; else nothing is proved by ruling them out.
        complete: bool,
    },
}

/// A domain of texts in terms of the language table.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// In every one of these.
    pub include: Vec<LangId>,
    /// In none of these.
    pub exclude: Vec<LangId>,
    /// Plain members.
    pub plain: Vec<Rc<str>>,
}

/// A constraint on one variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal<'a> {
    /// A text variable is absent where `absent` allows it, or lies in `lang` unless `negate`.
    Text {
        /// The variable.
        var: VarId,
        /// The language.
        lang: LangId,
        /// Outside rather than inside.
        negate: bool,
        /// Whether absence satisfies it.
        absent: bool,
    },
    /// A set variable has an element in `lang` (outside it, if `complement`), or none if
    /// `negate`; an absent set has none.
    Any {
        /// The variable.
        var: VarId,
        /// The language.
        lang: LangId,
        /// Outside the language.
        complement: bool,
        /// No such element.
        negate: bool,
    },
    /// A finite variable has one of the values at which the mask is set; the last place of the
    /// mask stands for absence.
    Mask {
        /// The variable.
        var: VarId,
        /// One entry for each value and one for absence.
        mask: Rc<[bool]>,
    },
    /// A text variable satisfies a condition that is no matter of text, such as a number.
    Judged {
        /// The variable.
        var: VarId,
        /// The condition.
        condition: ByAddress<'a>,
        /// Whether it should hold.
        want: bool,
        /// Whether an open outcome will do.
        generous: bool,
    },
}

/// A condition, equal only to itself.
#[derive(Debug, Clone, Copy)]
pub struct ByAddress<'a>(pub &'a Condition);

impl PartialEq for ByAddress<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for ByAddress<'_> {}

impl std::hash::Hash for ByAddress<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self.0).hash(state);
    }
}

impl Literal<'_> {
    /// The variable it is about.
    #[must_use]
    pub const fn var(&self) -> VarId {
        match self {
            Self::Text { var, .. }
            | Self::Any { var, .. }
            | Self::Mask { var, .. }
            | Self::Judged { var, .. } => *var,
        }
    }
}

/// All of these.
pub type Conjunction<'a> = Vec<Literal<'a>>;

/// One of these conjunctions: none for falsehood, an empty one for truth.
pub type Alternatives<'a> = Vec<Conjunction<'a>>;

/// Where a requirement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A Deny statement must not match.
    Deny(Place),
    /// Some Allow of the level must match.
    Level(usize),
    /// How the keys of a request hang together.
    Request,
}

/// What a request must satisfy to get through.
#[derive(Debug, Clone)]
pub struct Requirement<'a> {
    /// Where it comes from.
    pub source: Source,
    /// What else demands the same.
    pub also: Vec<Source>,
    /// One of these must hold.
    pub alternatives: Alternatives<'a>,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The key is not in the request.
    Absent,
    /// A text.
    Text(Rc<str>),
    /// A set.
    Set(Vec<Rc<str>>),
    /// The representative at this place.
    At(usize),
}
