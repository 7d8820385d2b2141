//! What people read, from the program itself.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::process::{Command, Output};

/// Runs the program beside the test organization, with a page of `columns`.
fn run(columns: &str, arguments: &[&str]) -> Output {
    program(columns, arguments).output().unwrap()
}

fn program(columns: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ses-perimeter"));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"))
        .args(arguments)
        .args(["--snapshot", "snapshot.json", "--now", "2026-11-23T00:00:00Z"])
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .env("COLUMNS", columns);
    command
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard output with the exit code below it.
fn story(columns: &str, arguments: &[&str]) -> String {
    let output = run(columns, arguments);
    assert_eq!(String::from_utf8(output.stderr.clone()).unwrap(), "");
    format!("{}exit code {}\n", printed(&output), output.status.code().unwrap())
}

#[test]
fn a_check_tells_what_failed_and_why() {
    insta::assert_snapshot!("check_80", story("80", &["check"]));
    insta::assert_snapshot!("check_140", story("140", &["check"]));
}

#[test]
fn a_check_of_one_account_and_control_is_short() {
    let arguments = ["check", "--account", "vault", "--control", "8", "--control", "2"];
    insta::assert_snapshot!("check_vault", story("80", &arguments));
}

#[test]
fn a_failed_control_is_explained_by_its_request_and_what_came_near() {
    insta::assert_snapshot!("explain_failed", story("100", &["explain", "shop", "SESDP.8"]));
}

#[test]
fn a_failed_control_that_no_statement_names_says_so() {
    insta::assert_snapshot!(
        "explain_unnamed",
        story("100", &["explain", "555555555555", "SESDP.8"])
    );
}

#[test]
fn a_passed_control_is_explained_by_what_stops_the_requests() {
    insta::assert_snapshot!("explain_passed", story("100", &["explain", "vault", "SESDP.8"]));
}

#[test]
fn an_undecided_control_is_explained_by_what_nobody_can_say() {
    let arguments = ["explain", "444444444444", "SESDP.8"];
    insta::assert_snapshot!("explain_undecided", story("100", &arguments));
}

#[test]
fn a_control_that_does_not_apply_is_explained_by_the_reason() {
    insta::assert_snapshot!(
        "explain_not_applicable",
        story("100", &["explain", "management", "8"])
    );
}

#[test]
fn an_account_is_explained_control_by_control() {
    insta::assert_snapshot!("explain_account", story("100", &["explain", "shop"]));
}

#[test]
fn a_disabled_control_is_not_explained_but_named() {
    let output = run("100", &["explain", "shop", "SESDP.17"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(printed(&output), "");
    insta::assert_snapshot!("explain_disabled", String::from_utf8(output.stderr).unwrap());
}

#[test]
fn a_misspelt_account_is_answered_with_the_nearest() {
    let output = run("100", &["explain", "shpo"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("did you mean 222222222222 (shop)?"), "{said}");
}

#[test]
fn colour_is_there_when_asked_for_and_never_in_a_pipe() {
    for command in [vec!["check"], vec!["explain", "shop", "SESDP.8"], vec!["explain", "shop"]] {
        assert!(!printed(&run("100", &command)).contains('\u{1b}'));
        let coloured = [command.as_slice(), &["--color", "always"]].concat();
        assert!(printed(&run("100", &coloured)).contains("\u{1b}["));
        let plain = program("100", &command).env("NO_COLOR", "1").output().unwrap();
        assert!(!printed(&plain).contains('\u{1b}'));
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let coloured = printed(&run("100", &["check", "--color", "always"]));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(stripped, printed(&run("100", &["check"])));
}

#[test]
fn names_from_outside_cannot_steer_the_terminal() {
    let coloured = printed(&run("100", &["check", "--color", "always"]));
    assert!(coloured.contains(r"red\u{1b}[31m\u{202e}team"));
    assert!(!coloured.contains("red\u{1b}") && !coloured.contains('\u{202e}'));
}

#[test]
fn a_file_gets_no_colour() {
    let path = std::env::temp_dir().join(format!("ses-perimeter-text-{}.txt", std::process::id()));
    let out = path.to_str().unwrap();
    let output = run("100", &["check", "--color", "always", "--out", out]);
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(written, printed(&run("100", &["check"])));
}
