//! The HTML report: what it says, that nothing breaks out of it, and how large it gets.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::collections::BTreeMap;

use bench::Size;
use common::{Case, HOSTILE, PERIMETER, snapshot};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use reports::{Fix, html};
use serde_json::{Value, json};
use ses_perimeter::control::ControlId;
use support::organization::{Snapshot, deny, document};

/// A tag with the names of its attributes, or the text between two tags.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Start(String, Vec<(String, String)>),
    End(String),
    Text(String),
    Comment,
}

/// The tokens of an HTML document, as browsers find them: quotes only mean something within a
/// tag, and within a script or a style only its end tag does.
fn tokens(html: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = html;
    let mut raw: Option<String> = None;
    while !rest.is_empty() {
        if let Some(name) = raw.take() {
            let end = format!("</{name}");
            let at = rest.to_ascii_lowercase().find(&end).unwrap();
            tokens.push(Token::Text(rest[..at].to_owned()));
            rest = &rest[at..];
            continue;
        }
        let second = rest.chars().nth(1).unwrap_or(' ');
        if !rest.starts_with('<') || !(second.is_ascii_alphabetic() || "/!?".contains(second)) {
            let at = rest.char_indices().skip(1).find(|(_, c)| *c == '<');
            let at = at.map_or(rest.len(), |(at, _)| at);
            tokens.push(Token::Text(rest[..at].to_owned()));
            rest = &rest[at..];
            continue;
        }
        if rest.starts_with("<!--") {
            rest = rest.split_once("-->").unwrap().1;
            tokens.push(Token::Comment);
            continue;
        }
        let (name, attributes, behind) = tag(rest);
        rest = behind;
        match name.strip_prefix('/') {
            Some(name) => tokens.push(Token::End(name.to_owned())),
            None => {
                if ["script", "style", "title"].contains(&name.as_str()) {
                    raw = Some(name.clone());
                }
                tokens.push(Token::Start(name, attributes));
            }
        }
    }
    tokens
}

/// The name and attributes of the tag at the start of `text`, and what is behind it.
fn tag(text: &str) -> (String, Vec<(String, String)>, &str) {
    let text = &text[1..];
    let at = text.find(|c: char| c == '>' || c.is_whitespace()).unwrap();
    let name = text[..at].to_ascii_lowercase();
    let mut rest = &text[at..];
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix('>') {
            return (name, attributes, behind);
        }
        let at = rest.find(|c: char| "=>".contains(c) || c.is_whitespace()).unwrap();
        let key = rest[..at].to_owned();
        rest = &rest[at..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (inside, behind) = quoted.split_once('"').unwrap();
            value = inside.to_owned();
            rest = behind;
        }
        attributes.push((key, value));
    }
}

/// Tags and attribute names alone: what no text from outside may change.
fn skeleton(html: &str) -> Vec<String> {
    let shape = |token: Token| match token {
        Token::Start(name, attributes) => {
            let keys: Vec<String> = attributes.into_iter().map(|(key, _)| key).collect();
            Some(format!("<{name} {}>", keys.join(" ")))
        }
        Token::End(name) => Some(format!("</{name}>")),
        Token::Comment => Some("<!---->".to_owned()),
        Token::Text(_) => None,
    };
    tokens(html).into_iter().filter_map(shape).collect()
}

/// What stands in the data block.
fn data(html: &str) -> String {
    let tokens = tokens(html);
    let at = tokens.iter().position(|token| match token {
        Token::Start(name, attributes) => {
            name == "script" && attributes.iter().any(|(key, value)| key == "id" && value == "data")
        }
        Token::End(_) | Token::Text(_) | Token::Comment => false,
    });
    match &tokens[at.unwrap() + 1] {
        Token::Text(text) => text.clone(),
        Token::Start(..) | Token::End(_) | Token::Comment => String::new(),
    }
}

/// The text of the element with this id up to the start of the next `section`.
fn text_of(html: &str, from: &str, to: &str) -> String {
    let part = html.split_once(from).unwrap().1;
    let part = part.split_once(to).unwrap().0;
    let part = format!("<p {part}");
    let mut lines: Vec<String> = vec![String::new()];
    for token in tokens(&part) {
        match token {
            Token::Text(text) => lines.last_mut().unwrap().push_str(&text),
            Token::Start(name, _) | Token::End(name) => {
                let breaks = ["p", "li", "dt", "dd", "h1", "h2", "h3", "article", "pre", "summary"];
                if breaks.contains(&name.as_str()) {
                    lines.push(String::new());
                }
            }
            Token::Comment => {}
        }
    }
    let tidy = |line: String| line.split_whitespace().collect::<Vec<_>>().join(" ");
    // The requests are those of the results in JSON, which have tests of their own.
    let told = |line: &String| !line.is_empty() && !line.contains("&#34;action&#34;");
    let lines: Vec<String> = lines.into_iter().map(tidy).filter(told).collect();
    lines.join("\n").replace("&#34;", "\"").replace("&#39;", "'")
}

fn headline(case: &Case) -> String {
    text_of(&case.write(html::write), "id=\"headline\"", "</h1>")
}

/// What is in the words of `names` is somewhere in the data, as it was given.
fn assert_held(html: &str, names: &[&str]) {
    let block = data(html);
    assert!(!block.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
    let block: Value = serde_json::from_str(&block).unwrap();
    let held: Vec<&str> =
        block["accounts"].as_array().unwrap().iter().map(|a| a[1].as_str().unwrap()).collect();
    for name in names.iter().filter(|name| !name.trim().is_empty()) {
        assert!(held.contains(name), "{name:?} is not in {held:?}");
    }
}

const BREAKING: [&str; 10] = [
    "</script><script>alert(1)</script>",
    "</SCRIPT ><img src=x onerror=alert(1)>",
    "<!--<script>",
    "-->",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "]]>&lt;b&gt;&amp;",
    "a\u{2028}b\u{2029}c",
    "😀 \u{202e}gnp.exe \u{200f}",
    "</title></style><base href=//evil.example>",
];

#[test]
fn hostile_names_do_not_break_out() {
    let plain: Vec<String> = (0..BREAKING.len()).map(|n| format!("account-{n}")).collect();
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    let expected = skeleton(&Case::of_names(&plain, &[1, 8]).write(html::write));
    for names in [BREAKING, HOSTILE] {
        let html = Case::of_names(&names, &[1, 8]).write(html::write);
        assert_eq!(skeleton(&html), expected);
        assert_held(&html, &names);
    }
}

#[test]
fn hostile_reasons_owners_policies_and_fixes_do_not_break_out() {
    let made = |word: &str| {
        let mut organization = snapshot(&["shop", "billing"]);
        organization["organizationalUnits"][0]["name"] = json!(word);
        for policy in organization["policies"].as_array_mut().unwrap() {
            policy["name"] = json!(format!("{word} {}", policy["id"]));
        }
        let document = json!({"Version": "2012-10-17", "Id": word, "Statement": [{
            "Sid": "Odd", "Effect": "Deny", "Action": "ses:*", "Resource": "*",
            "Condition": {"StringEquals": {"ses:FromDisplayName": [word, format!("`{word}")]}},
        }]});
        organization["policies"].as_array_mut().unwrap().push(json!({
            "id": "p-oddpolicy1", "name": word, "type": "SERVICE_CONTROL_POLICY",
            "content": document.to_string(),
        }));
        organization["attachments"].as_array_mut().unwrap().push(json!({
            "policyId": "p-oddpolicy1", "targetId": "r-exam",
        }));
        let quoted = toml_text(word);
        let perimeter = format!(
            "{PERIMETER}[[exemptions]]\nprincipal_tag = {{ key = \"k\", value = \"v\" }}\n\
             reason = {quoted}\nowner = {quoted}\n[[allowed_targets]]\nid = \"222222222223\"\n\
             reason = {quoted}\n"
        );
        let mut case = Case::new(&organization.to_string(), &perimeter, &[1, 8]);
        case.snapshot = Some(word.to_owned());
        case.fixes = vec![Fix {
            controls: vec![ControlId::Smtp],
            title: word.to_owned(),
            diff: format!("+{word}"),
        }];
        case.write(html::write)
    };
    let expected = skeleton(&made("word"));
    for word in BREAKING {
        let html = made(word);
        assert_eq!(skeleton(&html), expected, "{word}");
        assert!(!data(&html).contains('<'));
    }
}

fn toml_text(word: &str) -> String {
    let escaped: String = word.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
    format!("\"{escaped}\"")
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn no_name_changes_the_tags(names in proptest::collection::vec(name(), 2)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let html = Case::of_names(&names, &[8]).write(html::write);
        let expected = skeleton(&Case::of_names(&["one", "two"], &[8]).write(html::write));
        assert_eq!(skeleton(&html), expected);
        assert_held(&html, &names);
    }
}

/// Text, and what means something to HTML.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<char>().prop_map(String::from),
        Just("</script>".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just("&".to_owned()),
        Just("`".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("\u{e000}".to_owned()),
    ];
    proptest::collection::vec(part, 1..8).prop_map(|parts| parts.concat()).prop_filter(
        // Such an account is shown by its id, which has other tags.
        "blank",
        |name| !name.trim().is_empty(),
    )
}

#[test]
fn nothing_is_fetched_and_only_our_style_and_script_run() {
    let html = Case::example().write(html::write);
    let found = tokens(&html);
    let starts = found.iter().filter_map(|token| match token {
        Token::Start(name, attributes) => Some((name.as_str(), attributes)),
        Token::End(_) | Token::Text(_) | Token::Comment => None,
    });
    let mut policy = None;
    for (name, attributes) in starts {
        for (key, value) in attributes {
            assert!(!key.starts_with("on") && key != "style" && key != "src", "{name} {key}");
            if key == "href" {
                assert!(value.starts_with('#') || value == "data:,", "{name} {value}");
            }
            if value == "Content-Security-Policy" {
                policy = attributes.iter().find(|(key, _)| key == "content").map(|(_, v)| v);
            }
        }
        assert!(!["iframe", "object", "embed", "base", "img"].contains(&name), "{name}");
    }
    let policy = policy.unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(!style.contains("url(") && !style.contains("@import"));
}

#[test]
fn the_headline_says_how_many_can_mail_outside_and_why() {
    type Pairs<'a> = Vec<(&'a str, &'a str)>;
    type Wording<'a> = (&'a str, Pairs<'a>, Pairs<'a>, &'a [u8]);
    let cases: Vec<Wording<'_>> = vec![
        ("Nothing was checked: there is no account", vec![], vec![], &[]),
        (
            "The account checked can mail outside the trusted domains, 1 cause",
            vec![("222222222222", "shop")],
            vec![],
            &[8],
        ),
        (
            "1 of 2 accounts can mail outside the trusted domains, 1 cause",
            vec![("222222222222", "shop"), ("333333333333", "data")],
            vec![("p-stopmail01", "333333333333")],
            &[8],
        ),
        (
            "2 of 2 accounts fail some control, 1 cause",
            vec![("222222222222", "shop"), ("333333333333", "data")],
            vec![],
            &[11],
        ),
        (
            "All 2 accounts checked pass every control that applies to them",
            vec![("222222222222", "shop"), ("333333333333", "data")],
            vec![("p-stopmail01", "r-exam")],
            &[8, 11],
        ),
        (
            "The account checked passes every control that applies to it",
            vec![("222222222222", "shop")],
            vec![("p-stopmail01", "r-exam")],
            &[8],
        ),
        (
            "1 of 2 accounts is undecided for some control, and none fails",
            vec![("222222222222", "shop"), ("333333333333", "data")],
            vec![("p-stopmail01", "333333333333"), ("p-unclear001", "222222222222")],
            &[8],
        ),
        (
            "No control applies to the account checked",
            vec![("111111111111", "management")],
            vec![],
            &[8],
        ),
    ];
    for (wanted, accounts, attached, controls) in cases {
        let organization = organization(&accounts, &attached);
        assert_eq!(headline(&Case::new(&organization, PERIMETER, controls)), wanted);
    }
}

fn organization(accounts: &[(&str, &str)], attached: &[(&str, &str)]) -> String {
    let unclear = document([json!({"Effect": "Deny", "Action": "ses:*", "Resource": "*",
        "Condition": {"StringIs": {"aws:PrincipalTag/team": "mail"}}})]);
    let mut snapshot = Snapshot::new();
    for (id, name) in accounts {
        snapshot.account(id, name, "r-exam");
    }
    snapshot.full_access().policy("p-stopmail01", "p-stopmail01", deny("ses:*"), &[]).policy(
        "p-unclear001",
        "p-unclear001",
        unclear,
        &[],
    );
    for (policy, target) in attached {
        snapshot.attach(policy, target);
    }
    snapshot.to_string()
}

#[test]
fn headline_and_causes_of_the_example_are_as_reviewed() {
    let mut case = Case::example();
    case.fixes = vec![Fix {
        controls: [ControlId::V2Send, ControlId::Smtp].into(),
        title: "SCP mail-to-staff-by-interface loses its condition on `ses:ApiVersion`".to_owned(),
        diff: "--- a\n+++ b\n@@ -1 +1 @@\n-\"StringEquals\": {\"ses:ApiVersion\": \"1\"}\n+"
            .to_owned(),
    }];
    let html = case.write(html::write);
    insta::assert_snapshot!(text_of(&html, "<section class=\"lead\"", "<section id=\"units\""));
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let case = Case::example();
    assert_eq!(case.write(html::write), case.write(html::write));
}

/// Ten policies, each with a hole of its own, on 200 units with 10,000 accounts.
fn ten_causes() -> String {
    let unit = |index: usize| format!("ou-exam-{index:08}");
    let mut snapshot = Snapshot::new();
    for index in 0..200 {
        let parent = if index < 10 { "r-exam".to_owned() } else { unit(index % 10) };
        snapshot.unit(&unit(index), &format!("Business unit {index}"), &parent);
    }
    for index in 0..10_000 {
        let id = format!("{:012}", 200_000_000_000 + index * 7919);
        snapshot.account(&id, &format!("workload-{index}-production-eu"), &unit(index % 200));
    }
    snapshot.full_access();
    for index in 0..10 {
        let content = document([json!({
            "Sid": "StaffOnly", "Effect": "Deny", "Resource": "*", "Action": "ses:*",
            "Condition": {"StringNotEqualsIfExists": {format!("aws:PrincipalTag/team-{index}"): "mail"}},
        })]);
        let (id, name) = (format!("p-hole{index:04}"), format!("mail-{index}"));
        snapshot.policy(&id, &name, content, &[&unit(index)]);
    }
    snapshot.to_string()
}

const FIVE_MEGABYTES: usize = 5_000_000;

#[test]
fn ten_thousand_accounts_with_ten_causes_stay_small() {
    let case = Case::new(&ten_causes(), PERIMETER, &[]);
    let html = case.write(html::write);
    let text = text_of(&html, "id=\"headline\"", "</h1>");
    assert_eq!(text, "10,000 of 10,000 accounts can mail outside the trusted domains, 10 causes");
    assert!(html.len() < FIVE_MEGABYTES / 2, "{} bytes", html.len());
}

#[test]
fn ten_thousand_accounts_under_many_policies_stay_small() {
    let size = Size { accounts: 10_000, units: 400, policies: 200 };
    let case = Case::new(&bench::snapshot(size), bench::PERIMETER, &[1, 6, 8, 9, 10]);
    let html = case.write(html::write);
    assert!(html.len() < FIVE_MEGABYTES, "{} bytes", html.len());
    let block: Value = serde_json::from_str(&data(&html)).unwrap();
    assert_eq!(block["accounts"].as_array().unwrap().len(), 10_001);
}

#[test]
fn the_data_block_holds_each_account_with_its_verdicts() {
    let case = Case::example();
    let block: Value = serde_json::from_str(&data(&case.write(html::write))).unwrap();
    let at = |list: &str, index: &Value| block[list][index.as_u64().unwrap() as usize].clone();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for account in block["accounts"].as_array().unwrap() {
        for cell in at("rows", &account[3]).as_array().unwrap() {
            let cell = at("cells", cell);
            *counts.entry(cell["s"].as_str().unwrap().to_owned()).or_default() += 1;
            assert_eq!(cell["s"] == "F", cell["w"].is_u64(), "a failed cell has its request");
            assert_eq!(cell["s"] == "P", cell["d"].is_array(), "a passed cell has what stops it");
        }
    }
    let wanted = [("F", 53), ("N", 57), ("P", 110), ("U", 8)].map(|(s, n)| (s.to_owned(), n));
    assert_eq!(counts, BTreeMap::from(wanted));
}
