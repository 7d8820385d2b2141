//! `Resource` and `NotResource`, and the flaws of `${...}` that they share with conditions.

use text::json::{Member, Value};
use text::words::quote;

use super::elements::{one_of, strings};
use super::notes::Notes;
use super::template::{Flaw, FlawKind, TextPosition, cut};
use crate::model::{Obstacle, ObstacleKind, ResourcePattern, Resources, Template, Version};
use text::fields::Text;

pub(super) fn read(
    statement: &Value<'_>,
    members: &[Member<'_>],
    version: Version,
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> Option<Resources> {
    let element = one_of(statement, members, ["Resource", "NotResource"], notes)?;
    let texts = strings(element, notes, obstacles)?;
    let patterns = texts.iter().map(|text| pattern(text, version, notes, obstacles)).collect();
    Some(if element.key == "Resource" {
        Resources::Listed(patterns)
    } else {
        Resources::AllExcept(patterns)
    })
}

fn pattern(
    text: &Text<'_>,
    version: Version,
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> ResourcePattern {
    notes.see_text(text.text, text.span);
    let known = obstacles.len();
    let template = template(text, version, TextPosition::Resource, obstacles);
    // Short forms such as `*:identity/*` can match; text without colon and wildcard cannot be
    // any ARN, so something else was meant.
    if obstacles.len() == known && !text.text.contains([':', '*', '?']) {
        obstacles.push(Obstacle {
            kind: ObstacleKind::MalformedResource,
            message: format!("malformed resource {}", quote(text.text)),
            help: Some(
                "write an ARN, for instance `arn:aws:ses:*:*:identity/example.com`, or `*`".into(),
            ),
            span: text.span,
        });
    }
    ResourcePattern { text: text.text.to_owned(), template, span: text.span }
}

/// The pieces of `text` under `version`; flawed variables become obstacles.
pub(super) fn template(
    text: &Text<'_>,
    version: Version,
    place: TextPosition,
    obstacles: &mut Vec<Obstacle>,
) -> Template {
    match version {
        Version::V2008 => Template::plain(text.text),
        Version::V2012 => {
            let (template, flaws) = cut(text.text, place);
            obstacles.extend(flaws.iter().map(|flaw| flaw_obstacle(text, flaw)));
            template
        }
    }
}

fn flaw_obstacle(text: &Text<'_>, flaw: &Flaw) -> Obstacle {
    use ObstacleKind::{MalformedVariable, MisplacedVariable, Placeholder};
    let written = quote(text.text.get(flaw.range.clone()).unwrap_or_default());
    let (kind, message, help) = match flaw.kind {
        FlawKind::Unclosed => (
            MalformedVariable,
            format!("policy variable {written} has no closing brace"),
            "add `}`, or write `${$}{` for the two characters".to_owned(),
        ),
        FlawKind::Empty => (
            MalformedVariable,
            format!("policy variable {written} names no key"),
            "write the key, for instance `${aws:username}`".to_owned(),
        ),
        FlawKind::Space => (
            MalformedVariable,
            format!("white space in the name of policy variable {written}"),
            "remove it; a default follows as in `${aws:username, 'nobody'}`".to_owned(),
        ),
        FlawKind::Quote => (
            MalformedVariable,
            format!("the default of policy variable {written} is not quoted"),
            "put it in single quotes, as in `${aws:username, 'nobody'}`".to_owned(),
        ),
        FlawKind::Character(c) => (
            MalformedVariable,
            format!("`{}` in policy variable {written}", c.escape_debug()),
            "a variable is a condition key and perhaps a default, \
             as in `${aws:username, 'nobody'}`"
                .to_owned(),
        ),
        FlawKind::Placeholder => (
            Placeholder,
            format!("{written} looks like a template placeholder that was not filled in"),
            "put in the value; a policy variable has a service prefix, as in `${aws:username}`"
                .to_owned(),
        ),
        FlawKind::TooEarly => (
            MisplacedVariable,
            format!("policy variable {written} stands before the fifth colon of the resource"),
            "use `*` there, and a condition for the rest".to_owned(),
        ),
    };
    Obstacle { kind, message, help: Some(help), span: text.part(&flaw.range) }
}
