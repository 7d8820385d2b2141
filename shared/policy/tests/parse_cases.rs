//! Runs the documents in `tests/cases/parse`: each `.json` has its expected outcome beside it.
//!
//! `ok` holds readable documents with the model they become, their obstacles and warnings; `err`
//! holds unreadable ones with the report a person gets to see.
#![allow(clippy::disallowed_methods, reason = "a test reads its cases from files")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme, NamedSource};
use policy::model::{
    Actions, Condition, Piece, PrincipalKind, Principals, Resources, Statement, Template, Version,
};
use policy::parse::{Dialect, Limits, Parsed, parse, parse_as};
use text::diagnostic::Diagnostic;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases/parse");

/// The documents of one folder by name; none without an outcome, no outcome without a document.
fn cases(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(CASES).join(folder);
    let files: BTreeSet<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let with = |extension: &str| -> BTreeSet<String> {
        files
            .iter()
            .filter(|path| path.extension().is_some_and(|found| found == extension))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    };
    let documents = with("json");
    let orphans: Vec<_> = with("snap").difference(&documents).cloned().collect();
    assert!(orphans.is_empty(), "expected outcomes without a document: {orphans:?}");
    files
        .iter()
        .filter(|path| path.extension().is_some_and(|found| found == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn compare(folder: &str, name: &str, outcome: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(CASES).join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), outcome));
}

fn render(report: miette::Report, name: &str, text: &str) -> String {
    let report = report.with_source_code(NamedSource::new(format!("{name}.json"), text.to_owned()));
    let mut rendered = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut rendered, report.as_ref())
        .unwrap();
    let lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[test]
fn unreadable_documents_are_refused_with_the_expected_report() {
    let cases = cases("err");
    assert!(cases.len() >= 25);
    for (name, text) in cases {
        let error = parse(&text, &Limits::default())
            .expect_err(&format!("`err/{name}.json` must be unreadable"));
        compare("err", &name, &render(error.into(), &name, &text));
    }
}

#[test]
fn readable_documents_become_the_expected_model() {
    let cases = cases("ok");
    assert!(cases.len() >= 12);
    for (name, text) in cases {
        let parsed = parse(&text, &Limits::default())
            .unwrap_or_else(|error| panic!("`ok/{name}.json` must be readable: {error}"));
        compare("ok", &name, &describe(&parsed, &name, &text));
    }
}

#[test]
fn resource_based_policies_that_are_unreadable_get_the_expected_report() {
    let cases = cases("resource-err");
    assert!(cases.len() >= 2);
    for (name, text) in cases {
        let error = parse_as(Dialect::ResourceBased, &text, &Limits::default())
            .expect_err(&format!("`resource-err/{name}.json` must be unreadable"));
        compare("resource-err", &name, &render(error.into(), &name, &text));
    }
}

#[test]
fn resource_based_policies_become_the_expected_model() {
    let cases = cases("resource-ok");
    assert!(cases.len() >= 2);
    for (name, text) in cases {
        let parsed = parse_as(Dialect::ResourceBased, &text, &Limits::default())
            .unwrap_or_else(|error| panic!("`resource-ok/{name}.json` must be readable: {error}"));
        compare("resource-ok", &name, &describe(&parsed, &name, &text));
    }
}

#[test]
fn an_scp_has_no_principals_whatever_stands_there() {
    for (name, text) in cases("resource-ok") {
        let parsed = parse(&text, &Limits::default()).unwrap();
        for statement in &parsed.policy.statements {
            assert_eq!(statement.principals, None, "{name}");
        }
    }
}

/// The model in few lines, then every obstacle and warning as a person sees it.
fn describe(parsed: &Parsed, name: &str, text: &str) -> String {
    let version = match parsed.policy.version {
        Version::V2008 => "2008-10-17",
        Version::V2012 => "2012-10-17",
    };
    let mut out = format!("version {version}\n");
    let mut remarks = String::new();
    for statement in &parsed.policy.statements {
        describe_statement(statement, text, &mut out);
        for obstacle in &statement.obstacles {
            let report = Diagnostic::from(obstacle).into();
            write!(remarks, "\n{}\n", render(report, name, text)).unwrap();
        }
    }
    for warning in &parsed.warnings {
        write!(remarks, "\n{}\n", render(warning.clone().into(), name, text)).unwrap();
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
