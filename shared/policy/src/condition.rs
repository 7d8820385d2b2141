//! One condition against one request context, in three-valued logic.

use text::span::Span;

use crate::glob::{self, Glob};
use crate::keys::KeyCatalog;
use crate::model::{
    Comparison, Condition, ConditionValue, Family, Obstacle, ObstacleKind, Piece, ResourcePattern,
    SetOperator, Statement, Template,
};
use crate::request::{Context, ContextValue};
use crate::value;

/// Whether something matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It does not.
    No,
    /// It does.
    Yes,
    /// It depends on these points.
    Open(Vec<Open>),
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Truth {
    /// Conjunction; one `No` settles it.
    #[must_use]
    pub fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Open(mut reasons) => match other() {
                Self::No => Self::No,
                Self::Yes => Self::Open(reasons),
                Self::Open(more) => {
                    reasons.extend(more);
                    Self::Open(reasons)
                }
            },
        }
    }

    /// Negation.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Yes => Self::No,
            Self::Open(reasons) => Self::Open(reasons),
        }
    }

    /// Disjunction; one `Yes` settles it.
    #[must_use]
    pub fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::No;
        for truth in all {
            result = result.negated().and(|| truth.negated()).negated();
            if result == Self::Yes {
                break;
            }
        }
        result
    }

    /// Conjunction of all.
    #[must_use]
    pub fn all(all: impl IntoIterator<Item = Self>) -> Self {
        Self::any(all.into_iter().map(Self::negated)).negated()
    }

    /// Open where any obstacle stands that concerns the whole statement.
    #[must_use]
    pub fn obstructed(obstacles: &[Obstacle]) -> Self {
        let reasons: Vec<Open> = obstacles
            .iter()
            .filter(|obstacle| obstacle.kind != ObstacleKind::ServiceWildcard)
            .map(Open::from)
            .collect();
        if reasons.is_empty() { Self::Yes } else { Self::Open(reasons) }
    }
}

/// Something on which a match depends and that nobody has settled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Open {
    /// The point.
    pub point: OpenPoint,
    /// The place in the policy document.
    pub span: Span,
    /// A sentence without a stop.
    pub message: String,
}

/// The kinds of open points; section numbers of `docs/semantics.md` name them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpenPoint {
    /// `ForAnyValue` with `IfExists` while the key is missing.
    AnyValueIfExists,
    /// A multivalued key without a set operator.
    BareMultivalued,
    /// A value with fewer than six components under an ARN operator.
    ShortArn,
    /// A resource pattern whose wildcard could cross a colon.
    ResourceWildcard,
    /// A number, moment, address or boolean that does not parse.
    Unparsable,
    /// Text outside ASCII under `?` or an operator that ignores case.
    NonAscii,
    /// A wildcard character inside a substituted variable.
    SubstitutedWildcard,
    /// A policy variable that cannot be resolved.
    Variable,
    /// `BinaryEquals`, for which no key of the model has values.
    Binary,
    /// A key of which nobody knows whether, or with what values, a request carries it.
    DoubtfulKey,
    /// Part of the statement cannot be modelled.
    Statement(ObstacleKind),
}

impl From<&Obstacle> for Open {
    fn from(obstacle: &Obstacle) -> Self {
        Self {
            point: OpenPoint::Statement(obstacle.kind),
            span: obstacle.span,
            message: obstacle.message.clone(),
        }
    }
}

impl Open {
    pub(crate) fn empty_list(span: Span) -> Self {
        Self {
            point: OpenPoint::Statement(ObstacleKind::EmptyList),
            span,
            message: "an element with an empty list".to_owned(),
        }
    }
}

impl Statement {
    /// The first obstacle inside `span`.
    #[must_use]
    pub fn obstacle_within(&self, span: Span) -> Option<&Obstacle> {
        self.obstacles
            .iter()
            .find(|obstacle| span.start <= obstacle.span.start && obstacle.span.end <= span.end)
    }

    /// The first obstacle in `condition`: in its key and values, or in its operator.
    #[must_use]
    pub fn condition_obstacle(&self, condition: &Condition) -> Option<&Obstacle> {
        self.obstacle_within(condition.span)
            .or_else(|| self.obstacle_within(condition.operator_span))
    }
}

/// What a condition on a multivalued key means that has no set operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BareMultivalued {
    /// It never matches.
    Never,
    /// As with `ForAnyValue`.
    AnyValue,
    /// As with `ForAnyValue` where the key is present, and as the documents say of every missing
    /// key where it is not.
    AnyValueOrMissing,
}

impl BareMultivalued {
    /// Every reading.
    pub const ALL: [Self; 3] = [Self::Never, Self::AnyValue, Self::AnyValueOrMissing];
}

/// Which of the readings to take of each open point that has several; `None` leaves it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Readings {
    /// Whether `ForAnyValue:...IfExists` holds while its key is missing.
    pub any_value_if_exists: Option<bool>,
    /// What a multivalued key without a set operator means.
    pub bare_multivalued: Option<BareMultivalued>,
    /// Whether a short value under an ARN operator is one glob, rather than never matching.
    pub short_arn_as_glob: Option<bool>,
    /// Whether a resource pattern is one glob, rather than compared by component.
    pub resource_as_glob: Option<bool>,
}

impl Readings {
    /// Every combination, none left open.
    pub fn every() -> impl Iterator<Item = Self> {
        (0_u8..8).flat_map(|bits| {
            let bit = move |place: u8| Some(bits & (1 << place) != 0);
            BareMultivalued::ALL.into_iter().map(move |bare| Self {
                any_value_if_exists: bit(0),
                bare_multivalued: Some(bare),
                short_arn_as_glob: bit(1),
                resource_as_glob: bit(2),
            })
        })
    }
}

/// Judges conditions against one request context.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The request's context keys.
    pub context: &'a Context,
    /// The readings taken.
    pub readings: Readings,
    /// Which keys carry sets.
    pub catalog: &'a KeyCatalog,
}

impl Judge<'_> {
    /// Whether `condition` holds.
    #[must_use]
    pub fn condition(&self, condition: &Condition) -> Truth {
        if condition.values.is_empty() {
            return Truth::Open(vec![Open::empty_list(condition.span)]);
        }
        let operator = condition.operator;
        let present = self.context.get(&condition.key);
        if operator.test.family() == Family::Null {
            return Truth::any(condition.values.iter().map(|value| match value.text.as_str() {
                "true" => Truth::from(present.is_none()),
                "false" => Truth::from(present.is_some()),
                other => open(
                    OpenPoint::Unparsable,
                    value.span,
                    format!("`Null` takes `true` or `false`, not `{other}`"),
                ),
            }));
        }
        let multivalued = self.catalog.is_multivalued(&condition.key)
            || matches!(present, Some(ContextValue::Many(_)));
        let set = match operator.set {
            None if multivalued => return self.bare_multivalued(condition, present),
            set => set,
        };
        self.with_set(condition, set, present)
    }

    fn bare_multivalued(&self, condition: &Condition, present: Option<&ContextValue>) -> Truth {
        let as_any = || self.with_set(condition, Some(SetOperator::ForAnyValue), present);
        let missing_rule = || match present {
            Some(_) => as_any(),
            None => self.with_set(condition, None, None),
        };
        match self.readings.bare_multivalued {
            Some(BareMultivalued::Never) => Truth::No,
            Some(BareMultivalued::AnyValue) => as_any(),
            Some(BareMultivalued::AnyValueOrMissing) => missing_rule(),
            None => Truth::any([as_any(), missing_rule()]).and(|| {
                open(
                    OpenPoint::BareMultivalued,
                    condition.operator_span,
                    format!(
                        "`{}` has many values but `{}` has no set operator: AWS does not say \
                         whether it ever matches",
                        condition.key, condition.operator
                    ),
                )
            }),
        }
    }

    fn with_set(
        &self,
        condition: &Condition,
        set: Option<SetOperator>,
        present: Option<&ContextValue>,
    ) -> Truth {
        let operator = condition.operator;
        let negated = operator.test.is_negated();
        let Some(present) = present else {
            return match set {
                None => Truth::from(operator.if_exists || negated),
                Some(SetOperator::ForAllValues) => Truth::Yes,
                Some(SetOperator::ForAnyValue) if operator.if_exists => {
                    match self.readings.any_value_if_exists {
                        Some(holds) => Truth::from(holds),
                        None => open(
                            OpenPoint::AnyValueIfExists,
                            condition.operator_span,
                            format!(
                                "AWS does not say whether `{operator}` holds when `{}` is missing",
                                condition.key
                            ),
                        ),
                    }
                }
                Some(SetOperator::ForAnyValue) => Truth::No,
            };
        };
        let values = match present {
            ContextValue::One(value) => std::slice::from_ref(value),
            ContextValue::Many(values) => values.as_slice(),
        };
        let holds = |value: &String| {
            let matched = Truth::any(
                condition.values.iter().map(|wanted| self.value(condition, wanted, value)),
            );
            if negated { matched.negated() } else { matched }
        };
        match set {
            None | Some(SetOperator::ForAllValues) => Truth::all(values.iter().map(holds)),
            Some(SetOperator::ForAnyValue) => Truth::any(values.iter().map(holds)),
        }
    }

    /// Whether the single context value `actual` matches the single policy value `wanted`.
    fn value(&self, condition: &Condition, wanted: &ConditionValue, actual: &str) -> Truth {
        let unparsable = || {
            open(
                OpenPoint::Unparsable,
                wanted.span,
                format!(
                    "`{}` compares `{}` with `{actual}`, and not both can be read",
                    condition.operator, wanted.text
                ),
            )
        };
        match condition.operator.test.family() {
            Family::Text { wildcards, ignore_case } => {
                self.text(&wanted.template, wanted.span, actual, wildcards, ignore_case)
            }
            Family::Arn => self.arn(&wanted.template, wanted.span, actual),
            Family::Number(comparison) => {
                compare(comparison, value::number(actual), value::number(&wanted.text), unparsable)
            }
            Family::Date(comparison) => {
                compare(comparison, value::moment(actual), value::moment(&wanted.text), unparsable)
            }
            Family::Bool => match wanted.text.as_str() {
                "true" | "false" if wanted.text == actual => Truth::Yes,
                _ if wanted.text.eq_ignore_ascii_case(actual) => unparsable(),
                _ if wanted.text.eq_ignore_ascii_case("true")
                    || wanted.text.eq_ignore_ascii_case("false") =>
                {
                    Truth::No
                }
                _ => unparsable(),
            },
            Family::Binary => open(
                OpenPoint::Binary,
                wanted.span,
                format!("no key of the model holds bytes, yet `{}` is compared so", condition.key),
            ),
            Family::Ip => match (wanted.network, value::address(actual)) {
                (Some(network), Some(address)) => Truth::from(network.contains(&address)),
                _ => unparsable(),
            },
            Family::Null => unparsable(),
        }
    }

    fn text(
        &self,
        template: &Template,
        span: Span,
        actual: &str,
        wildcards: bool,
        ignore_case: bool,
    ) -> Truth {
        let filled = match self.fill(template, span, wildcards) {
            Filled::Text(filled) => filled,
            Filled::Either { plain, wild, open } => {
                let plain = matches_in_every_unit(&plain, actual, span);
                return unless_equal(plain, &matches_in_every_unit(&wild, actual, span), open);
            }
            Filled::Missing => return Truth::No,
            Filled::Open(open) => return Truth::Open(vec![open]),
        };
        let pattern: Vec<Glob> = if wildcards {
            filled
        } else {
            filled.into_iter().map(|glob| Glob::Char(glob.as_char())).collect()
        };
        if !ignore_case {
            return matches_in_every_unit(&pattern, actual, span);
        }
        let wanted: String = pattern.iter().map(|glob| glob.as_char()).collect();
        if wanted.eq_ignore_ascii_case(actual) {
            Truth::Yes
        } else if may_be_same_but_for_case(&wanted, actual) {
            open(
                OpenPoint::NonAscii,
                span,
                format!("`{wanted}` and `{actual}` differ in non-ASCII case"),
            )
        } else {
            Truth::No
        }
    }

    fn arn(&self, template: &Template, span: Span, actual: &str) -> Truth {
        match self.fill(template, span, true) {
            Filled::Text(filled) => self.arn_pattern(&filled, span, actual),
            Filled::Either { plain, wild, open } => unless_equal(
                self.arn_pattern(&plain, span, actual),
                &self.arn_pattern(&wild, span, actual),
                open,
            ),
            Filled::Missing => Truth::No,
            Filled::Open(open) => Truth::Open(vec![open]),
        }
    }

    fn arn_pattern(&self, pattern: &[Glob], span: Span, actual: &str) -> Truth {
        let actual_chars: Vec<char> = actual.chars().collect();
        match glob::matches_by_component(pattern, &actual_chars) {
            Some(hit) => non_ascii_guard(hit, pattern, actual, span),
            None => match self.readings.short_arn_as_glob {
                Some(false) => Truth::No,
                Some(true) => matches_in_every_unit(pattern, actual, span),
                None => matches_in_every_unit(pattern, actual, span).and(|| {
                    open(
                        OpenPoint::ShortArn,
                        span,
                        "a value that is no whole ARN under an ARN operator: AWS does not say \
                         whether it ever matches"
                            .to_owned(),
                    )
                }),
            },
        }
    }

    /// Whether `resource` matches `pattern`.
    #[must_use]
    pub fn resource(&self, pattern: &ResourcePattern, resource: &str) -> Truth {
        match self.fill(&pattern.template, pattern.span, true) {
            Filled::Text(filled) => self.resource_pattern(pattern, &filled, resource),
            Filled::Either { plain, wild, open } => unless_equal(
                self.resource_pattern(pattern, &plain, resource),
                &self.resource_pattern(pattern, &wild, resource),
                open,
            ),
            Filled::Missing => Truth::No,
            Filled::Open(open) => Truth::Open(vec![open]),
        }
    }

    fn resource_pattern(
        &self,
        pattern: &ResourcePattern,
        filled: &[Glob],
        resource: &str,
    ) -> Truth {
        if filled == [Glob::Star] {
            return Truth::Yes;
        }
        let chars: Vec<char> = resource.chars().collect();
        let by_component = glob::matches_by_component(filled, &chars).unwrap_or(false);
        let as_glob = glob::matches(filled, &chars);
        match self.readings.resource_as_glob {
            Some(as_one) => {
                let hit = if as_one { as_glob } else { by_component };
                non_ascii_guard(hit, filled, resource, pattern.span)
            }
            None if by_component == as_glob => {
                non_ascii_guard(as_glob, filled, resource, pattern.span)
            }
            None => open(
                OpenPoint::ResourceWildcard,
                pattern.span,
                format!(
                    "AWS does not say whether the wildcard in `{}` reaches across a colon",
                    pattern.text
                ),
            ),
        }
    }

    /// Puts the request's values in place of the variables.
    fn fill(&self, template: &Template, span: Span, wildcards: bool) -> Filled {
        let mut filled = Vec::with_capacity(template.pieces.len());
        // Where a value brings wildcards along: which one, and the places in the pattern.
        let mut doubt: Option<Open> = None;
        let mut doubtful: Vec<usize> = Vec::new();
        for piece in &template.pieces {
            match piece {
                Piece::Char(c) => filled.push(Glob::Char(*c)),
                Piece::Star => filled.push(Glob::Star),
                Piece::Question => filled.push(Glob::Question),
                Piece::Variable { key, default } => {
                    let text = match (self.context.get(key), default) {
                        (Some(ContextValue::One(text)), _) => text,
                        (Some(ContextValue::Many(_)), _) => {
                            return Filled::Open(Open {
                                point: OpenPoint::Variable,
                                span,
                                message: format!("`${{{key}}}` stands for a multivalued key"),
                            });
                        }
                        (None, Some(text)) => text,
                        (None, None) if self.catalog.is_multivalued(key) => {
                            return Filled::Open(Open {
                                point: OpenPoint::Variable,
                                span,
                                message: format!("`${{{key}}}` stands for a multivalued key"),
                            });
                        }
                        (None, None) => return Filled::Missing,
                    };
                    if wildcards && text.contains(['*', '?']) {
                        doubt = Some(Open {
                            point: OpenPoint::SubstitutedWildcard,
                            span,
                            message: format!(
                                "`${{{key}}}` holds `{text}`: AWS does not say whether its \
                                 wildcards count"
                            ),
                        });
                    }
                    for c in text.chars() {
                        if wildcards && matches!(c, '*' | '?') {
                            doubtful.push(filled.len());
                        }
                        filled.push(Glob::Char(c));
                    }
                }
            }
        }
        let Some(open) = doubt else { return Filled::Text(filled) };
        let mut wild = filled.clone();
        for at in doubtful {
            if let Some(glob) = wild.get_mut(at) {
                *glob = glob::from_char(glob.as_char());
            }
        }
        Filled::Either { plain: filled, wild, open }
    }
}

enum Filled {
    Text(Vec<Glob>),
    /// A value brought wildcards along: the pattern in which they stand for themselves, and
    /// the one in which they count.
    Either {
        plain: Vec<Glob>,
        wild: Vec<Glob>,
        open: Open,
    },
    /// A variable whose key is missing and that has no default: the value is null.
    Missing,
    Open(Open),
}

/// The answer of both readings, or `point` where they differ.
fn unless_equal(plain: Truth, wild: &Truth, point: Open) -> Truth {
    if plain == *wild { plain } else { Truth::Open(vec![point]) }
}

/// Whether some way of ignoring case may find no difference. The dot above an `i` does not count
/// where `wanted` has one, since the lower case of `\u{130}` spells it as a character of its own.
fn may_be_same_but_for_case(wanted: &str, actual: &str) -> bool {
    let mut actual = actual.chars().peekable();
    let mut before = None;
    for c in wanted.chars() {
        let dot = is_dot_of(before, c);
        if !dot {
            if !actual.next().is_some_and(|a| a == c || same_but_for_case(a, c)) {
                return false;
            }
            before = Some(c);
        }
        if dot || c == DOTTED_I {
            while actual.next_if_eq(&DOT_ABOVE).is_some() {}
        }
    }
    actual.next().is_none()
}

/// The dot that a lower case spells as a character of its own.
pub const DOT_ABOVE: char = '\u{307}';
/// The only letter whose lower case is more than one character.
pub const DOTTED_I: char = '\u{130}';

/// Whether `c` is the dot above the letter `before`, some form of `i`.
#[must_use]
pub fn is_dot_of(before: Option<char>, c: char) -> bool {
    c == DOT_ABOVE && before.is_some_and(|letter| same_but_for_case(letter, 'i'))
}

/// Whether two characters have a lower-case or an upper-case form in common, as the Kelvin
/// sign and `k` have.
#[must_use]
pub fn same_but_for_case(a: char, b: char) -> bool {
    // The one long lower-case form there is begins with the plain letter.
    a.to_lowercase().next() == b.to_lowercase().next() || a.to_uppercase().eq(b.to_uppercase())
}

/// Matches, and leaves it open where `?` would take another run as a byte than as a character.
fn matches_in_every_unit(pattern: &[Glob], actual: &str, span: Span) -> Truth {
    let chars: Vec<char> = actual.chars().collect();
    non_ascii_guard(glob::matches(pattern, &chars), pattern, actual, span)
}

fn non_ascii_guard(hit: bool, pattern: &[Glob], actual: &str, span: Span) -> Truth {
    if actual.is_ascii() || !pattern.contains(&Glob::Question) {
        return Truth::from(hit);
    }
    // `?` may take a character, a UTF-16 unit or a byte; each unit is spelled as one `char`.
    let bytes: Vec<char> = actual.bytes().map(char::from).collect();
    let as_bytes = glob::matches(
        &in_units(pattern, |c, units| {
            let mut buffer = [0; 4];
            units.extend(c.encode_utf8(&mut buffer).bytes().map(char::from));
        }),
        &bytes,
    );
    let wide: Vec<char> = actual.encode_utf16().map(unit).collect();
    let as_utf16 = glob::matches(
        &in_units(pattern, |c, units| {
            let mut buffer = [0; 2];
            units.extend(c.encode_utf16(&mut buffer).iter().map(|u| unit(*u)));
        }),
        &wide,
    );
    if as_bytes == hit && as_utf16 == hit {
        return Truth::from(hit);
    }
    open(
        OpenPoint::NonAscii,
        span,
        format!("AWS does not say how much of `{actual}` one `?` takes"),
    )
}

fn compare<T: Ord>(
    comparison: Comparison,
    actual: Option<T>,
    wanted: Option<T>,
    unparsable: impl FnOnce() -> Truth,
) -> Truth {
    match (actual, wanted) {
        (Some(actual), Some(wanted)) => Truth::from(comparison.holds(actual.cmp(&wanted))),
        _ => unparsable(),
    }
}

fn open(point: OpenPoint, span: Span, message: String) -> Truth {
    Truth::Open(vec![Open { point, span, message }])
}

/// Spells the characters of a pattern in units.
fn in_units(pattern: &[Glob], spell: impl Fn(char, &mut Vec<char>)) -> Vec<Glob> {
    let mut spelled = Vec::with_capacity(pattern.len());
    for glob in pattern {
        match glob {
            Glob::Char(c) => {
                let mut units = Vec::new();
                spell(*c, &mut units);
                spelled.extend(units.into_iter().map(Glob::Char));
            }
            Glob::Star | Glob::Question => spelled.push(*glob),
        }
    }
    spelled
}

/// A UTF-16 unit as a `char` of its own; surrogates move to a private plane.
fn unit(unit: u16) -> char {
    char::from_u32(u32::from(unit))
        .or_else(|| char::from_u32(0xF_0000 + u32::from(unit)))
        .unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn whatever_some_case_mapping_takes_for_the_same_may_be_the_same() {
        let letters =
            ['i', 'I', DOTTED_I, '\u{131}', DOT_ABOVE, 'é', 'É', 'σ', 'ς', 'Σ', 'k', '\u{212a}'];
        let mut texts = vec![String::new()];
        let mut from = 0;
        for _ in 0..3 {
            let until = texts.len();
            for at in from..until {
                let shorter = texts[at].clone();
                texts.extend(letters.iter().map(|letter| format!("{shorter}{letter}")));
            }
            from = until;
        }
        let lower: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let upper: Vec<String> = texts.iter().map(|text| text.to_uppercase()).collect();
        for a in 0..texts.len() {
            for b in 0..texts.len() {
                if lower[a] == lower[b] || upper[a] == upper[b] {
                    assert!(
                        may_be_same_but_for_case(&texts[a], &texts[b]),
                        "{} {}",
                        texts[a],
                        texts[b]
                    );
                }
            }
        }
        for (wanted, actual) in [
            ("é", "a"),
            ("é", "è"),
            ("é?", "a"),
            ("éi", "éi\u{307}"),
            ("é\u{307}", "é"),
            ("é", "éa"),
        ] {
            assert!(!may_be_same_but_for_case(wanted, actual), "{wanted} {actual}");
        }
    }

    #[test]
    fn the_readings_are_every_way_to_settle_all_four_points() {
        let every: BTreeSet<Readings> = Readings::every().collect();
        assert_eq!(every.len(), 24);
        assert_eq!(Readings::every().count(), 24);
        for readings in every {
            let Readings {
                any_value_if_exists,
                bare_multivalued,
                short_arn_as_glob,
                resource_as_glob,
            } = readings;
            assert!(any_value_if_exists.is_some() && bare_multivalued.is_some());
            assert!(short_arn_as_glob.is_some() && resource_as_glob.is_some());
        }
    }
}
