//! From the model back to a policy document.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::model::{
    Actions, Condition, ConditionValue, Effect, ObstacleKind, Policy, Resources, Statement, Version,
};

/// Why a policy has no document that means the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// The statement holds something that the model leaves out, such as an unknown operator.
    #[error("statement {index} cannot be written back: {message}")]
    LeftOut {
        /// Position of the statement, from 0.
        index: usize,
        /// The obstacle's message.
        message: String,
    },
    /// One operator has the same key twice, which JSON cannot say.
    #[error("statement {index} has the key `{key}` twice under `{operator}`")]
    KeyTwice {
        /// Position of the statement, from 0.
        index: usize,
        /// The operator's name.
        operator: String,
        /// The key as written.
        key: String,
    },
}

/// The policy as a JSON document, indented by two spaces, with a line break at the end.
///
/// Reading it gives `policy` again but for the spans, provided that the indexes of the statements
/// are their positions and that conditions with the same operator stand together.
///
/// # Errors
/// Where a document would say less than the text `policy` came from, or cannot say it.
pub fn print(policy: &Policy) -> Result<String, PrintError> {
    let mut statements = Vec::with_capacity(policy.statements.len());
    for statement in &policy.statements {
        statements.push(object(&members(statement)?, 2));
    }
    let version = match policy.version {
        Version::V2008 => "2008-10-17",
        Version::V2012 => "2012-10-17",
    };
    let top = [("Version", string(version)), ("Statement", array(&statements, 1))];
    let mut text = object(&top, 0);
    text.push('\n');
    Ok(text)
}

type Members = Vec<(&'static str, String)>;

fn members(statement: &Statement) -> Result<Members, PrintError> {
    let index = statement.index;
    let left_out = statement.obstacles.iter().find(|obstacle| leaves_out(obstacle.kind, statement));
    if let Some(obstacle) = left_out {
        return Err(PrintError::LeftOut { index, message: obstacle.message.clone() });
    }
    if statement.principals.is_some() {
        let message = "a `Principal`, which only resource-based policies have".to_owned();
        return Err(PrintError::LeftOut { index, message });
    }
    let mut members = Members::new();
    if let Some(sid) = &statement.sid {
        members.push(("Sid", string(sid)));
    }
    let effect = match statement.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    members.push(("Effect", string(effect)));
    let (name, actions) = match &statement.actions {
        Actions::Listed(actions) => ("Action", actions),
        Actions::AllExcept(actions) => ("NotAction", actions),
    };
    members.push((name, strings(actions.iter().map(|action| action.text.as_str()), 3)));
    let (name, resources) = match &statement.resources {
        Resources::Listed(resources) => ("Resource", resources),
        Resources::AllExcept(resources) => ("NotResource", resources),
    };
    members.push((name, strings(resources.iter().map(|resource| resource.text.as_str()), 3)));
    if !statement.conditions.is_empty() {
        members.push(("Condition", conditions(index, &statement.conditions)?));
    }
    Ok(members)
}

/// Whether an obstacle of this kind stands for text that the model does not hold.
fn leaves_out(kind: ObstacleKind, statement: &Statement) -> bool {
    match kind {
        ObstacleKind::UnknownOperator
        | ObstacleKind::UnknownElement
        | ObstacleKind::UnknownResourcePolicyElement
        | ObstacleKind::MissingPrincipal
        | ObstacleKind::MalformedPrincipal
        | ObstacleKind::UnmodelledPrincipal => true,
        // The model keeps an empty element, but drops a condition without values.
        ObstacleKind::EmptyList => {
            let empty = |kind: &ObstacleKind| *kind == ObstacleKind::EmptyList;
            let lists = statement.obstacles.iter().filter(|one| empty(&one.kind)).count();
            let (Actions::Listed(actions) | Actions::AllExcept(actions)) = &statement.actions;
            let (Resources::Listed(resources) | Resources::AllExcept(resources)) =
                &statement.resources;
            lists > usize::from(actions.is_empty()) + usize::from(resources.is_empty())
        }
        ObstacleKind::UndefinedOperator
        | ObstacleKind::ServiceWildcard
        | ObstacleKind::MalformedAction
        | ObstacleKind::Placeholder
        | ObstacleKind::MalformedVariable
        | ObstacleKind::MisplacedVariable
        | ObstacleKind::MalformedResource => false,
    }
}

fn conditions(index: usize, conditions: &[Condition]) -> Result<String, PrintError> {
    let mut operators: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    let mut keys = BTreeSet::new();
    for condition in conditions {
        let operator = condition.operator.to_string();
        if !keys.insert((operator.clone(), condition.key_folded())) {
            return Err(PrintError::KeyTwice { index, operator, key: condition.key.clone() });
        }
        let values = condition.values.iter().map(|ConditionValue { text, .. }| text.as_str());
        let member = (condition.key.as_str(), strings(values, 5));
        match operators.iter_mut().find(|(name, _)| *name == operator) {
            Some((_, members)) => members.push(member),
            None => operators.push((operator, vec![member])),
        }
    }
    let blocks: Vec<(&str, String)> =
        operators.iter().map(|(name, keys)| (name.as_str(), object(keys, 4))).collect();
    Ok(object(&blocks, 3))
}

/// One string as it is, several as an array.
fn strings<'t>(texts: impl Iterator<Item = &'t str>, depth: usize) -> String {
    let mut texts: Vec<String> = texts.map(string).collect();
    match texts.pop() {
        Some(only) if texts.is_empty() => only,
        last => {
            texts.extend(last);
            array(&texts, depth)
        }
    }
}

fn object<K: AsRef<str>>(members: &[(K, String)], depth: usize) -> String {
    let lines: Vec<String> =
        members.iter().map(|(key, value)| format!("{}: {value}", string(key.as_ref()))).collect();
    bracketed('{', &lines, '}', depth)
}

fn array(elements: &[String], depth: usize) -> String {
    bracketed('[', elements, ']', depth)
}

fn bracketed(open: char, lines: &[String], close: char, depth: usize) -> String {
    if lines.is_empty() {
        return format!("{open}{close}");
    }
    let outer = "  ".repeat(depth);
    let inner = format!("\n{outer}  ");
    let separator = format!(",{inner}");
    format!("{open}{inner}{}\n{outer}{close}", lines.join(&separator))
}

fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if u32::from(control) < 0x20 => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::parse::{Limits, parse};

    fn reprint(text: &str) -> Result<String, PrintError> {
        print(&parse(text, &Limits::default()).unwrap().policy)
    }

    #[test]
    fn a_document_is_printed_in_one_canonical_form() {
        let text = r#"{"Statement":{"Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":true},
            "StringLike":{"aws:userid":["a\n","\u0001\""]}},"Action":["ses:A","ses:B"],
            "Effect":"Deny"},"Version":"2012-10-17"}"#;
        let canonical = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Deny",
      "Action": [
        "ses:A",
        "ses:B"
      ],
      "Resource": "*",
      "Condition": {
        "Bool": {
          "aws:ViaAWSService": "true"
        },
        "StringLike": {
          "aws:userid": [
            "a\n",
            "\u0001\""
          ]
        }
      }
    }
  ]
}
"#;
        assert_eq!(reprint(text).unwrap(), canonical);
        assert_eq!(reprint(canonical).unwrap(), canonical);
    }

    #[test]
    fn what_the_model_leaves_out_is_not_dropped_in_silence() {
        for part in [
            r#""Condition":{"StringIs":{"a:b":"c"}}"#,
            r#""Principal":"*""#,
            r#""Condition":{"StringLike":{"a:b":[]}}"#,
        ] {
            let text =
                format!(r#"{{"Statement":{{"Effect":"Deny","Action":[],"Resource":"*",{part}}}}}"#);
            assert!(matches!(reprint(&text), Err(PrintError::LeftOut { index: 0, .. })), "{part}");
        }
    }

    #[test]
    fn a_key_twice_under_one_operator_is_refused() {
        let text = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*",
            "Condition":{"StringLike":{"a:b":"c"}}}}"#;
        let mut policy = parse(text, &Limits::default()).unwrap().policy;
        let statement = policy.statements.first_mut().unwrap();
        let mut again = statement.conditions.first().unwrap().clone();
        again.key = "A:B".into();
        statement.conditions.push(again);
        assert!(matches!(print(&policy), Err(PrintError::KeyTwice { .. })));
    }
}
