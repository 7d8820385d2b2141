//! What a format may not exceed, and what it points at.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::{Case, PERIMETER, VERSION_ONE, snapshot};
use reports::markdown::LIMIT;
use serde_json::{Value, json};

/// Accounts of which each fails for a cause of its own.
fn many_causes(accounts: usize) -> Case {
    let names: Vec<String> = (0..accounts).map(|n| format!("account {n} <&> 😀")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut snapshot = snapshot(&names);
    let content = snapshot["policies"][1]["content"].clone();
    for n in 0..accounts {
        let id = format!("p-number{n:04}");
        snapshot["policies"].as_array_mut().unwrap().push(json!({"id": id,
            "name": format!("policy {n} \u{202e}**{}**", "|".repeat(60)),
            "type": "SERVICE_CONTROL_POLICY", "content": content}));
        let own = &mut snapshot["attachments"][2 + accounts + n];
        assert_ne!(own["policyId"], "p-FullAWSAccess");
        own["policyId"] = json!(id);
    }
    Case::new(&snapshot.to_string(), PERIMETER, &[6, 8])
}

#[test]
fn a_comment_is_cut_and_says_how_much_was_left_out() {
    let text = many_causes(150).write(reports::markdown::write);
    assert!(text.len() <= LIMIT, "{}", text.len());
    let told = text.matches("\n#### ").count();
    // The last account is suspended.
    let left = format!("{} of 149 causes", 149 - told);
    assert!(told > 10 && text.contains(&left), "{told} told, {}", text.lines().last().unwrap());
    assert!(
        text.contains("149 of 150 accounts can mail outside the trusted recipients: 149 causes")
    );
    assert!(text.contains("| SESDP.8 | SMTP | 149 | 0 | 0 | 1 |"), "the counts stay");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn a_comment_that_fits_is_whole() {
    let text = many_causes(20).write(reports::markdown::write);
    assert_eq!(text.matches("\n#### ").count(), 19);
    assert!(!text.contains("not complete"));
}

#[test]
fn a_region_is_the_statement_in_the_file_of_its_policy() {
    let mut case = Case::of_names(&["shop", "bank"], &[8]);
    case.files = [("p-versionone".to_owned(), "./scp/größer.json".to_owned())].into();
    let log: Value = serde_json::from_str(&case.write(reports::sarif::write)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let failed = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(failed["artifactLocation"]["uri"], "scp/gr%C3%B6%C3%9Fer.json");
    let region = |part: &str| failed["region"][part].as_u64().unwrap() as usize;
    let lines: Vec<Vec<u16>> =
        VERSION_ONE.split('\n').map(|line| line.encode_utf16().collect()).collect();
    let first = &lines[region("startLine") - 1][region("startColumn") - 1..];
    let last = &lines[region("endLine") - 1][..region("endColumn") - 1];
    assert!(String::from_utf16(first).unwrap().starts_with("{\"Sid\": \"NoStrangers\""));
    assert!(String::from_utf16(last).unwrap().ends_with("\"*@example.com\"}}}"));
    // A policy without a file of its own is looked for in the snapshot.
    let open = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(open["artifactLocation"]["uri"], "snapshot.json");
}

#[test]
fn a_live_organization_has_no_file() {
    let mut case = Case::of_names(&["shop"], &[8]);
    case.snapshot = None;
    let log: Value = serde_json::from_str(&case.write(reports::sarif::write)).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["artifacts"], json!([]));
    let location = &run["results"][0]["locations"][0];
    assert!(location.get("physicalLocation").is_none());
    assert_eq!(location["logicalLocations"][0]["name"], "shop");
}

#[test]
fn fingerprints_outlive_everything_but_account_and_control() {
    let prints = |case: &Case| -> Vec<Value> {
        let log: Value = serde_json::from_str(&case.write(reports::sarif::write)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    let before = Case::of_names(&["shop", "bank"], &[6, 8]);
    let mut after = Case::of_names(&["renamed", "bank"], &[6, 8]);
    after.snapshot = Some("other.json".to_owned());
    assert_eq!(prints(&before), prints(&after));
}
