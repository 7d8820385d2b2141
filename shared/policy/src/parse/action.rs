//! `Action` and `NotAction`.

use text::json::{Member, Value};
use text::words::quote;

use super::elements::{one_of, strings};
use super::notes::Notes;
use crate::model::{ActionPattern, Actions, Obstacle, ObstacleKind};
use text::fields::Text;

pub(super) fn read(
    statement: &Value<'_>,
    members: &[Member<'_>],
    notes: &mut Notes,
    obstacles: &mut Vec<Obstacle>,
) -> Option<Actions> {
    let element = one_of(statement, members, ["Action", "NotAction"], notes)?;
    let texts = strings(element, notes, obstacles)?;
    obstacles.extend(texts.iter().filter_map(obstacle));
    let patterns = texts
        .into_iter()
        .map(|text| ActionPattern { text: text.text.to_owned(), span: text.span })
        .collect();
    Some(if element.key == "Action" {
        Actions::Listed(patterns)
    } else {
        Actions::AllExcept(patterns)
    })
}

fn obstacle(action: &Text<'_>) -> Option<Obstacle> {
    let (kind, what, help) = flaw(action.text)?;
    Some(Obstacle {
        kind,
        message: format!("{what} {}", quote(action.text)),
        help: Some(help.to_owned()),
        span: action.span,
    })
}

/// What is wrong with an action: the kind, the start of the message, and help.
fn flaw(action: &str) -> Option<(ObstacleKind, &'static str, &'static str)> {
    const MALFORMED: ObstacleKind = ObstacleKind::MalformedAction;
    if matches!(action, "*" | "*:*") {
        return None;
    }
    if action.contains("${") {
        let help = "policy variables do not work in actions; write the action, or `*` and `?`";
        return Some((ObstacleKind::Placeholder, "placeholder in the action", help));
    }
    let Some((prefix, name)) = action.split_once(':') else {
        let help = "write `service:name`, for instance `ses:SendEmail`, or `*` for every action";
        return Some((MALFORMED, "no service prefix in the action", help));
    };
    if prefix.contains(['*', '?']) {
        let help = "name the service; wildcards work after the colon, and `*` is every action";
        return Some((ObstacleKind::ServiceWildcard, "wildcard in the service prefix of", help));
    }
    if name.contains(':') {
        let help = "an action has one colon, between the service and the name";
        return Some((MALFORMED, "more than one colon in the action", help));
    }
    let in_prefix = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if prefix.is_empty() || !prefix.chars().all(in_prefix) {
        let help = "a service prefix has letters, digits, `-` and `.`";
        return Some((MALFORMED, "malformed service prefix in the action", help));
    }
    // Names that no service has are harmless; a space or a comma shows a slip of the pen whose
    // meaning nobody knows.
    let in_name =
        |c: char| c.is_ascii_graphic() && !matches!(c, ',' | ';' | '"' | '\'' | '$' | '{' | '}');
    if name.is_empty() || !name.chars().all(in_name) {
        let help = "after the colon stands one name with letters, digits, `*` and `?`";
        return Some((MALFORMED, "malformed name in the action", help));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(action: &str) -> Option<ObstacleKind> {
        flaw(action).map(|(kind, _, _)| kind)
    }

    #[test]
    fn ordinary_actions_and_both_forms_of_everything_are_well_formed() {
        for action in ["*", "*:*", "ses:SendEmail", "SES:send*", "ses:*Email", "s3:G?t*", "a-b.c:x"]
        {
            assert_eq!(kind(action), None, "{action}");
        }
    }

    #[test]
    fn a_wildcard_in_the_service_prefix_is_an_obstacle() {
        for action in ["s3*:x", "?es:y", "*:SendEmail", "**:*"] {
            assert_eq!(kind(action), Some(ObstacleKind::ServiceWildcard), "{action}");
        }
    }

    #[test]
    fn what_is_not_service_and_name_is_malformed() {
        for action in [
            "",
            "ses",
            "s*",
            "**",
            ":",
            "ses:",
            ":x",
            "a:b:c",
            "ses:Send Email",
            "ses:A,B",
            " ses:A",
        ] {
            assert_eq!(kind(action), Some(ObstacleKind::MalformedAction), "{action}");
        }
    }

    #[test]
    fn a_template_in_an_action_is_a_placeholder() {
        assert_eq!(kind("ses:${ACTION}"), Some(ObstacleKind::Placeholder));
        assert_eq!(kind("${ACTION}"), Some(ObstacleKind::Placeholder));
    }
}
