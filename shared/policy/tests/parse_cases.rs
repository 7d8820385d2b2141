//! Runs the documents in `tests/cases/parse`: each `.json` has its expected outcome beside it.
//!
//! `ok` holds readable documents with the model they become, their obstacles and warnings; `err`
//! holds unreadable ones with the report a person gets to see.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;

use policy::model::{
    Actions, Condition, Piece, PrincipalKind, Principals, Resources, Statement, Template, Version,
};
use policy::parse::{Dialect, Limits, Parsed, parse, parse_as};
use support::cases::{self, Input};
use text::diagnostic::Diagnostic;

fn inputs(folder: &str) -> Vec<(String, Input)> {
    cases::inputs(&format!("parse/{folder}"), &["json"], &["snap"])
}

fn refused(least: usize, folder: &str, dialect: Dialect) {
    cases::run(least, inputs(folder), |input| {
        let Err(error) = parse_as(dialect, &input.text, &Limits::default()) else {
            panic!("it must be unreadable");
        };
        input.compare(&input.report(error));
    });
}

fn readable(least: usize, folder: &str, dialect: Dialect) {
    cases::run(least, inputs(folder), |input| {
        let parsed = parse_as(dialect, &input.text, &Limits::default())
            .unwrap_or_else(|error| panic!("it must be readable: {error}"));
        input.compare(&describe(&parsed, &input));
    });
}

#[test]
fn unreadable_documents_are_refused_with_the_expected_report() {
    refused(25, "err", Dialect::ServiceControl);
}

#[test]
fn readable_documents_become_the_expected_model() {
    readable(12, "ok", Dialect::ServiceControl);
}

#[test]
fn resource_based_policies_that_are_unreadable_get_the_expected_report() {
    refused(2, "resource-err", Dialect::ResourceBased);
}

#[test]
fn resource_based_policies_become_the_expected_model() {
    readable(2, "resource-ok", Dialect::ResourceBased);
}

#[test]
fn an_scp_has_no_principals_whatever_stands_there() {
    cases::run(2, inputs("resource-ok"), |input| {
        let parsed = parse(&input.text, &Limits::default()).unwrap();
        for statement in &parsed.policy.statements {
            assert_eq!(statement.principals, None);
        }
    });
}

/// The model in few lines, then every obstacle and warning as a person sees it.
fn describe(parsed: &Parsed, input: &Input) -> String {
    let version = match parsed.policy.version {
        Version::V2008 => "2008-10-17",
        Version::V2012 => "2012-10-17",
    };
    let mut out = format!("version {version}\n");
    let mut remarks = String::new();
    for statement in &parsed.policy.statements {
        describe_statement(statement, &input.text, &mut out);
        for obstacle in &statement.obstacles {
            let report = input.report(Diagnostic::from(obstacle));
            write!(remarks, "\n{report}\n").unwrap();
        }
    }
    for warning in &parsed.warnings {
        write!(remarks, "\n{}\n", input.report(warning.clone())).unwrap();
    }
    out + &remarks
}

fn describe_statement(statement: &Statement, text: &str, out: &mut String) {
    let place = statement.span.line_column(text);
    write!(out, "statement {} at {place}: {:?}", statement.index, statement.effect).unwrap();
    if let Some(sid) = &statement.sid {
        write!(out, ", Sid {sid:?}").unwrap();
    }
    out.push('\n');
    if let Some(principals) = &statement.principals {
        let (word, principals) = match principals {
            Principals::Listed(principals) => ("principal", principals),
            Principals::AllExcept(principals) => ("not principal", principals),
        };
        for principal in principals {
            let kind = match &principal.kind {
                PrincipalKind::Everyone => "everyone".to_owned(),
                PrincipalKind::Account(account) => format!("account {account}"),
                PrincipalKind::Identity { account } => format!("identity of {account}"),
                PrincipalKind::RoleSession { account, role } => {
                    format!("session of {role} of {account}")
                }
                PrincipalKind::FederatedUser { account } => format!("federated user of {account}"),
                PrincipalKind::Deleted => "deleted".to_owned(),
                PrincipalKind::Service => "service".to_owned(),
                PrincipalKind::Unknown => "unknown".to_owned(),
            };
            let place = principal.span.line_column(text);
            writeln!(out, "  {word} at {place}: {:?} ({kind})", principal.text).unwrap();
        }
    }
    let (word, actions) = match &statement.actions {
        Actions::Listed(actions) => ("action", actions),
        Actions::AllExcept(actions) => ("not action", actions),
    };
    let texts: Vec<&str> = actions.iter().map(|action| action.text.as_str()).collect();
    writeln!(out, "  {word}: {}", texts.join(" | ")).unwrap();
    let (word, resources) = match &statement.resources {
        Resources::Listed(resources) => ("resource", resources),
        Resources::AllExcept(resources) => ("not resource", resources),
    };
    let texts: Vec<String> = resources.iter().map(|one| show(&one.text, &one.template)).collect();
    writeln!(out, "  {word}: {}", texts.join(" | ")).unwrap();
    for Condition { operator, key, values, key_span, .. } in &statement.conditions {
        let values: Vec<String> =
            values.iter().map(|value| show(&value.text, &value.template)).collect();
        let place = key_span.line_column(text);
        writeln!(out, "  condition at {place}: {operator} {key} = {}", values.join(" | ")).unwrap();
    }
    for obstacle in &statement.obstacles {
        let place = obstacle.span.line_column(text);
        writeln!(out, "  obstacle at {place}: {:?}", obstacle.kind).unwrap();
    }
}

/// The text, and its pieces where a reader could take them for something else.
fn show(text: &str, template: &Template) -> String {
    if *template == Template::plain(text) {
        return format!("{text:?}");
    }
    let mut pieces = String::new();
    for piece in &template.pieces {
        match piece {
            Piece::Char(c @ ('*' | '?' | '\\')) => pieces.extend(['\\', *c]),
            Piece::Char(c) => pieces.push(*c),
            Piece::Star => pieces.push('*'),
            Piece::Question => pieces.push('?'),
            Piece::Variable { key, default: None } => write!(pieces, "«{key}»").unwrap(),
            Piece::Variable { key, default: Some(default) } => {
                write!(pieces, "«{key} or {default:?}»").unwrap();
            }
        }
    }
    format!("{text:?} cut as {pieces}")
}
