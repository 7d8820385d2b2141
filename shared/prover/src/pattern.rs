//! From condition values and resource patterns to languages.
//!
//! A pattern has two languages: `must` holds the texts that it matches in every case, `may`
//! those that it matches in some. They differ where a policy variable cannot be resolved and
//! where AWS leaves something open; certainty needs the one, caution the other.

use policy::arn::ARN_COMPONENTS;
use policy::condition::{DOT_ABOVE, DOTTED_I, is_dot_of};
use policy::model::{Piece, Template};

use crate::language::{Class, Sequence, Tok};

/// `text` with `*` and `?` as wildcards.
#[must_use]
pub fn glob(text: &str, ignore_case: bool) -> Sequence {
    let filled = fill(&Template::plain(text), true, &|_| Resolved::Missing);
    filled.map_or_else(Sequence::default, |filled| {
        filled.steps(plain, false, if ignore_case { Fold::Ascii } else { Fold::No }, false)
    })
}

/// `text` as a whole ARN with wildcards, each component by itself.
#[must_use]
pub fn arn_glob(text: &str) -> Sequence {
    let filled = fill(&Template::plain(text), true, &|_| Resolved::Missing);
    filled.map_or_else(Sequence::default, |filled| filled.steps(plain, true, Fold::No, false))
}

/// What a policy variable stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// This text, in every request of the question.
    Text(String),
    /// Its key is missing in every request of the question.
    Missing,
    /// It differs from request to request.
    Unknown,
}

/// The two languages of a pattern, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Matched in every case.
    pub must: Vec<Sequence>,
    /// Matched in some case; contains `must`.
    pub may: Vec<Sequence>,
}

impl Bounds {
    /// The pattern is exactly `sequence`.
    pub fn exact(&mut self, sequence: Sequence) {
        self.must.push(sequence.clone());
        self.may.push(sequence);
    }

    /// Nobody knows what the pattern matches.
    pub fn anything(&mut self) {
        self.may.push(Sequence::default().any(Class::Any));
    }
}

/// A template with its variables filled in.
struct Filled {
    pieces: Vec<Part>,
    unknown: bool,
}

#[derive(Clone, Copy)]
enum Part {
    Char(char),
    Star,
    Question,
    /// A `*` or `?` that perhaps stands for itself.
    Doubtful(char),
    Unknown,
}

impl Part {
    const fn is_wild(self) -> bool {
        matches!(self, Self::Star | Self::Question)
    }
}

/// Fills `template`; `None` where a variable without a default has no value, so that nothing
/// matches.
fn fill(
    template: &Template,
    wildcards: bool,
    resolve: &dyn Fn(&str) -> Resolved,
) -> Option<Filled> {
    let mut filled = Filled { pieces: Vec::with_capacity(template.pieces.len()), unknown: false };
    for piece in &template.pieces {
        match piece {
            Piece::Char(c) => filled.pieces.push(Part::Char(*c)),
            Piece::Star => filled.pieces.push(Part::Star),
            Piece::Question => filled.pieces.push(Part::Question),
            Piece::Variable { key, default } => match (resolve(key), default) {
                (Resolved::Text(text), _) => filled.substitute(&text, wildcards),
                (Resolved::Missing, Some(text)) => filled.substitute(text, wildcards),
                (Resolved::Missing, None) => return None,
                (Resolved::Unknown, _) => {
                    filled.pieces.push(Part::Unknown);
                    filled.unknown = true;
                }
            },
        }
    }
    Some(filled)
}

impl Filled {
    fn substitute(&mut self, text: &str, wildcards: bool) {
        // Where wildcards count, nobody knows whether those of a value do.
        self.pieces.extend(text.chars().map(|c| match c {
            '*' | '?' if wildcards => Part::Doubtful(c),
            other => Part::Char(other),
        }));
    }

    fn components(&self) -> usize {
        let colons = self.pieces.iter().filter(|p| matches!(p, Part::Char(':'))).count();
        (colons + 1).min(ARN_COMPONENTS)
    }

    /// The steps of the pattern as one glob, or by component.
    fn steps(&self, question: Question, by_component: bool, fold: Fold, wide: bool) -> Sequence {
        let mut colons = 0;
        let mut letter = None;
        let mut steps = Vec::with_capacity(self.pieces.len());
        let mut push = |step: Tok| {
            // A run of stars means what one star means.
            if !(matches!(step, Tok::Star(_)) && steps.last() == Some(&step)) {
                steps.push(step);
            }
        };
        let beside_star = self.pieces.chunk_by(|a, b| a.is_wild() == b.is_wild()).flat_map(|run| {
            let star = run.iter().any(|part| matches!(part, Part::Star));
            std::iter::repeat_n(star, run.len())
        });
        for (piece, beside_star) in self.pieces.iter().zip(beside_star) {
            let class = if by_component && colons < ARN_COMPONENTS - 1 {
                Class::NotColon
            } else {
                Class::Any
            };
            if let (Fold::Wide, Part::Char(c)) = (fold, *piece)
                && is_dot_of(letter, c)
            {
                push(Tok::Star(Class::Char(DOT_ABOVE)));
                continue;
            }
            push(match *piece {
                Part::Char(c) => Tok::One(fold.class(c)),
                Part::Star => Tok::Star(class),
                Part::Question => question(class, beside_star),
                Part::Doubtful('*') if wide => Tok::Star(class),
                Part::Doubtful(_) if wide => question(class, false),
                Part::Doubtful(c) => Tok::One(Class::Char(c)),
                Part::Unknown => Tok::Star(Class::Any),
            });
            if matches!(piece, Part::Char(':')) {
                colons += 1;
            }
            // What stands in place of a variable may end in any letter.
            letter = match *piece {
                Part::Char(c) => Some(c),
                Part::Unknown => Some('i'),
                Part::Star | Part::Question | Part::Doubtful(_) => None,
            };
            if let (Fold::Wide, Some(DOTTED_I)) = (fold, letter) {
                push(Tok::Star(Class::Char(DOT_ABOVE)));
            }
        }
        Sequence { steps, tail: None }
    }

    fn push(&self, bounds: &mut Bounds, by_component: bool, ignore_case: bool) {
        let (surely, possibly) =
            if ignore_case { (Fold::Ascii, Fold::Wide) } else { (Fold::No, Fold::No) };
        if self.unknown {
            // A value with a colon would shift the components, so the whole is one glob.
            bounds.may.push(self.steps(possible, false, possibly, true));
            return;
        }
        bounds.must.push(self.steps(certain, by_component, surely, false));
        bounds.may.push(self.steps(possible, by_component, possibly, true));
    }
}

/// How letters are compared.
#[derive(Clone, Copy)]
enum Fold {
    /// As they are.
    No,
    /// Ignoring ASCII case.
    Ascii,
    /// Ignoring case in every way that some implementation might.
    Wide,
}

impl Fold {
    fn class(self, c: char) -> Class {
        match self {
            Self::Ascii if c.is_ascii_alphabetic() => Class::Fold(c.to_ascii_lowercase()),
            Self::Wide if c.is_ascii_alphabetic() => Class::FoldWide(c.to_ascii_lowercase()),
            Self::Wide if !c.is_ascii() => Class::FoldWide(c),
            Self::No | Self::Ascii | Self::Wide => Class::Char(c),
        }
    }
}

/// The step for a `?`, by its class and whether the run of wildcards around it has a star.
type Question = fn(Class, bool) -> Tok;

fn plain(class: Class, _: bool) -> Tok {
    Tok::One(class)
}

/// A star takes what is left of a character outside ASCII, whatever the unit; without one it is
/// certain only that a `?` takes a character of ASCII.
fn certain(class: Class, beside_star: bool) -> Tok {
    let ascii = if class == Class::NotColon { Class::AsciiNotColon } else { Class::Ascii };
    Tok::One(if beside_star { class } else { ascii })
}

fn possible(class: Class, _: bool) -> Tok {
    Tok::Loose(class)
}

/// A value of a text operator.
pub fn text(
    bounds: &mut Bounds,
    template: &Template,
    wildcards: bool,
    ignore_case: bool,
    resolve: &dyn Fn(&str) -> Resolved,
) {
    let Some(mut filled) = fill(template, wildcards, resolve) else { return };
    if !wildcards {
        for piece in &mut filled.pieces {
            match piece {
                Part::Star => *piece = Part::Char('*'),
                Part::Question => *piece = Part::Char('?'),
                Part::Char(_) | Part::Doubtful(_) | Part::Unknown => {}
            }
        }
    }
    filled.push(bounds, false, ignore_case);
}

/// A value of an ARN operator.
pub fn arn(
    bounds: &mut Bounds,
    template: &Template,
    short_as_glob: bool,
    resolve: &dyn Fn(&str) -> Resolved,
) {
    let Some(filled) = fill(template, true, resolve) else { return };
    if filled.components() == ARN_COMPONENTS {
        filled.push(bounds, true, false);
    } else if filled.unknown {
        bounds.may.push(filled.steps(possible, false, Fold::No, true));
    } else if short_as_glob {
        filled.push(bounds, false, false);
    }
}

/// A pattern of a resource element.
pub fn resource(
    bounds: &mut Bounds,
    template: &Template,
    as_glob: bool,
    resolve: &dyn Fn(&str) -> Resolved,
) {
    let Some(filled) = fill(template, true, resolve) else { return };
    if matches!(filled.pieces.as_slice(), [Part::Star]) {
        bounds.exact(Sequence::default().any(Class::Any));
    } else if as_glob || filled.unknown {
        filled.push(bounds, false, false);
    } else if filled.components() == ARN_COMPONENTS {
        filled.push(bounds, true, false);
    }
}

/// The part of a pattern for `aws:ResourceAccount` that an ARN must have in its fifth place.
#[must_use]
pub fn in_account_place(sequences: &[Sequence]) -> Vec<Sequence> {
    let narrow = |class: Class| {
        if class == Class::Any {
            Class::NotColon
        } else if class == Class::Ascii {
            Class::AsciiNotColon
        } else {
            class
        }
    };
    sequences
        .iter()
        .map(|sequence| {
            let mut whole = Sequence::literal("arn:");
            for _ in 0..3 {
                whole = whole.any(Class::NotColon).then(":");
            }
            whole.steps.extend(sequence.steps.iter().map(|step| match *step {
                Tok::One(class) => Tok::One(narrow(class)),
                Tok::Star(class) => Tok::Star(narrow(class)),
                Tok::Loose(class) => Tok::Loose(narrow(class)),
            }));
            whole.then(":").any(Class::Any)
        })
        .collect()
}
