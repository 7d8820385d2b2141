//! Perimeter files are read as written, or refused with every problem in its place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed expectation is how a test reports

use std::fmt::Write as _;

use miette::{Diagnostic, NamedSource};
use proptest::prelude::*;
use ses_perimeter::perimeter::{self, Perimeter, Severity, Undocumented};
use support::cases::{self, Input};
use support::render::report;

fn inputs(kind: &str) -> Vec<(String, Input)> {
    cases::inputs(&format!("perimeter/{kind}"), &["toml"], &["snap"])
}

fn render(diagnostic: impl Diagnostic + Send + Sync + 'static, text: &str) -> String {
    report(diagnostic, NamedSource::new("perimeter.toml", text.to_owned()))
}

#[test]
fn refused_files_say_what_is_wrong_where_and_what_to_do() {
    cases::run(20, inputs("err"), |input| {
        let error = perimeter::parse(&input.text).expect_err("it is accepted");
        for problem in error.problems() {
            assert!(problem.help.is_some(), "`{problem}` says not what to do");
        }
        input.compare(&render(error, &input.text));
    });
}

#[test]
fn accepted_files_are_read_as_written_with_their_warnings() {
    cases::run(6, inputs("ok"), |input| {
        let mut perimeter = perimeter::parse(&input.text).expect("it is refused");
        let warnings = std::mem::take(&mut perimeter.warnings);
        let mut rendered = format!("{perimeter:#?}\n");
        for warning in warnings {
            write!(rendered, "\n{}", render(warning, &input.text)).expect("writing to a string");
        }
        input.compare(&rendered);
    });
}

fn read(text: &str) -> Perimeter {
    perimeter::parse(text).expect("a sound file")
}

#[test]
fn an_exemption_counts_through_the_day_it_expires_on() {
    let perimeter = read(
        r#"
        [trusted]
        recipients = ["*@example.com"]
        [[exemptions]]
        principal_arn = "arn:aws:iam::*:role/App"
        reason = "x"
        expires = 2027-06-30
        [[exemptions]]
        principal_arn = "arn:aws:iam::*:role/Other"
        reason = "x"
        "#,
    );
    let [dated, undated] = perimeter.exemptions.as_slice() else { panic!("two exemptions") };
    let day = |month, day| jiff::civil::date(2027, month, day);
    assert!(dated.in_force(day(6, 29)));
    assert!(dated.in_force(day(6, 30)));
    assert!(!dated.in_force(day(7, 1)));
    assert!(undated.in_force(jiff::civil::Date::MAX));
}

#[test]
fn what_is_left_out_has_its_default() {
    let perimeter = read("[trusted]\nrecipients = [\"*@example.com\"]");
    assert_eq!(perimeter.networks, None);
    assert_eq!(perimeter.undocumented, Undocumented::Documented);
    assert!(perimeter.disabled.is_empty() && perimeter.severity.is_empty());
    assert!(perimeter.warnings.is_empty());
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let perimeter = read("\u{feff}[trusted]\r\nrecipients = [\"*@example.com\"]\r\n");
    assert_eq!(perimeter.trusted_recipients, ["*@example.com"]);
}

#[test]
fn severities_are_ordered_from_informational_to_critical() {
    let all = [
        Severity::Informational,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];
    assert!(all.is_sorted());
}

#[test]
fn a_selector_keeps_its_place_in_the_file() {
    let text = "[trusted]\nrecipients = [\"*@example.com\"]\n[[exemptions]]\nreason = \"x\"\nprincipal_arn = \"arn:aws:iam::*:role/App\"\n";
    let perimeter = read(text);
    let span = perimeter.exemptions.first().expect("one exemption").span;
    assert_eq!(span.line_column(text).line, 3);
}

/// Pieces of perimeter files, sound and broken, to reach deeper than random text does.
fn pieces() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("[trusted]".to_owned()),
        Just("[trusted.networks]".to_owned()),
        Just("[[exemptions]]".to_owned()),
        Just("[[administrators]]".to_owned()),
        Just("[[allowed_targets]]".to_owned()),
        Just("[assumptions]".to_owned()),
        Just("[controls]".to_owned()),
        Just("[controls.severity]".to_owned()),
        "(recipients|vpcs|cidrs|disabled) = \\[\"[ -!#-\\[\\]-~]{0,12}\"\\]",
        "(reason|owner|id|undocumented|expires|networks|\"SESDP.1\") = \"[ -!#-\\[\\]-~]{0,12}\"",
        "principal_arn = \"arn:[a-z*]{0,4}:(iam|sts|\\*)::[0-9*?]{0,12}:[a-zé*?/:-]{0,12}\"",
        "principal_tag = \\{ (key|value|k) = \"[a-z*]{0,3}\", value = [0-9\"a]{0,3} \\}",
        "expires = [0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00Z)?",
        "[a-z_.]{1,8} = (true|[0-9]{1,3}|\\[\\]|\\{\\}|nan)",
    ];
    proptest::collection::vec(line, 0..10).prop_map(|lines| lines.join("\n"))
}

fn must_not_panic(text: &str) {
    match perimeter::parse(text) {
        Ok(perimeter) => {
            for warning in perimeter.warnings {
                let _ = render(warning, text);
            }
        }
        Err(error) => {
            assert!(!error.problems().is_empty());
            for span in error.problems().iter().map(|problem| problem.span) {
                assert!(span.start <= span.end && span.end <= text.len());
            }
            let _ = render(error, text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[\\x00-\\x7f]{0,200}") {
        must_not_panic(&text);
    }

    #[test]
    fn no_mixture_of_pieces_makes_the_reader_panic(text in pieces()) {
        must_not_panic(&text);
    }

    #[test]
    fn every_recipient_that_is_kept_can_match_an_address(pattern in "[a-b@.*?]{0,5}") {
        let text = format!("[trusted]\nrecipients = [\"{pattern}\"]");
        // Every plain address over a small alphabet that is long enough for such patterns.
        let fits = plain_addresses().iter().any(|address| glob(pattern.as_bytes(), address));
        prop_assert_eq!(perimeter::parse(&text).is_ok(), fits, "{}", pattern);
    }
}

/// Plain addresses over `a`, `b`, `.` and `@` up to nine characters: a pattern of five fits one
/// of those or none, as a wildcard need stand for no more than `a@a.a`.
fn plain_addresses() -> &'static [Vec<u8>] {
    static ALL: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<Vec<u8>> = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..9 {
            last = last
                .iter()
                .flat_map(|start| {
                    b"ab.@".iter().map(move |next| {
                        let mut longer = start.clone();
                        longer.push(*next);
                        longer
                    })
                })
                .collect();
            all.extend(last.iter().cloned());
        }
        all.retain(|address| {
            let mut parts = address.split(|b| *b == b'@');
            let (Some(local), Some(domain), None) = (parts.next(), parts.next(), parts.next())
            else {
                return false;
            };
            !local.is_empty()
                && domain.contains(&b'.')
                && domain.split(|b| *b == b'.').all(|label| !label.is_empty())
        });
        all
    })
}

/// The slow, obvious wildcard match.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => glob(rest, text),
        (Some((b'*', rest)), Some((_, later))) => glob(rest, text) || glob(pattern, later),
        (Some((b'?', rest)), Some((_, later))) => glob(rest, later),
        (Some((want, rest)), Some((have, later))) => want == have && glob(rest, later),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether a perimeter with this piece is accepted without a word.
fn plain(piece: &str) -> bool {
    let text = format!("[trusted]\nrecipients = [\"*@example.com\"]\n{piece}\n");
    perimeter::parse(&text).is_ok_and(|perimeter| perimeter.warnings.is_empty())
}

#[test]
fn an_allowed_target_is_an_account_a_unit_or_a_root_to_the_last_character() {
    let target = |id: &str| {
        perimeter::parse(&format!(
            "[trusted]\nrecipients = [\"*@example.com\"]\n[[allowed_targets]]\nid = \"{id}\"\nreason = \"r\"\n"
        ))
        .is_ok()
    };
    for id in ["222222222222", "ou-exam-workload", "ou-ex4m-w0rkload", "r-exam", "r-ex4m"] {
        assert!(target(id), "{id}");
    }
    for id in [
        "2222",
        "22222222222a",
        "abcdefghijkl",
        "2222222222222",
        "ou-exam-",
        "ou--workload",
        "ou-exam",
        "ou-Exam-workload",
        "ou-exam-Workload",
        "ou-exam-work_load",
        "r-",
        "r-Exam",
        "r-ex/am",
        "exam",
    ] {
        assert!(!target(id), "{id}");
    }
}

#[test]
fn tags_are_refused_from_the_first_character_too_many() {
    let tag = |key: usize, value: usize| {
        let (key, value) = ("k".repeat(key), "v".repeat(value));
        plain(&format!(
            "[[exemptions]]\nprincipal_tag = {{ key = \"{key}\", value = \"{value}\" }}\nreason = \"r\""
        ))
    };
    assert!(tag(128, 256) && tag(1, 1));
    assert!(!tag(129, 1) && !tag(1, 257));
}

#[test]
fn vpcs_that_aws_does_not_give_are_warned_of() {
    let vpc = |id: &str| {
        let text = format!(
            "[trusted]\nrecipients = [\"*@example.com\"]\nnetworks = {{ vpcs = [\"{id}\"] }}\n"
        );
        perimeter::parse(&text).is_ok_and(|perimeter| perimeter.warnings.is_empty())
    };
    assert!(vpc("vpc-0a1b2c3d") && vpc("vpc-0a1b2c3d4e5f67890"));
    assert!(!vpc("vpc-0a1b2c3"), "seven digits");
    assert!(!vpc("vpc-0a1b2c3z"), "a letter that is no digit");
}
