//! Every format of `check` and `lint`: the root of what is written, and how the program ends.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::{NOW, Place, Ran, misspelt, no_mail, organization};
use serde_json::Value;

/// Every format but that for people, with how its output begins and ends.
const FORMATS: [(&str, &str, &str); 9] = [
    ("json", "{", "}\n"),
    ("jsonl", "{\"accountId\":", "}\n"),
    ("csv", "account_id,account_name,path,", "\n"),
    ("markdown", "<!-- ses-perimeter -->\n## ", "\n"),
    ("junit", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", "</testsuites>\n"),
    ("sarif", "{", "}\n"),
    ("asff", "[\n{\"SchemaVersion\":\"2018-10-08\",", "}\n]\n"),
    ("ocsf", "{\"activity_id\":1,", "}\n"),
    ("html", "<!doctype html>\n<html", "</html>"),
];

fn whole(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn every_format_has_its_root_and_the_exit_code_of_the_verdicts() {
    let place = Place::with("formats", &organization(&[]));
    for (format, start, end) in FORMATS {
        let ran = place.check(&["--format", format]);
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{format}");
        assert!(ran.out.starts_with(start), "{format}: {:.200}", ran.out);
        assert!(ran.out.ends_with(end), "{format}");
    }
}

#[test]
fn the_format_does_not_change_the_exit_code() {
    let passed = Place::with("formats-passed", &organization(&[no_mail()]));
    let open = Place::with("formats-open", &organization(&[misspelt()]));
    for (format, ..) in FORMATS {
        assert_eq!(passed.check(&["--format", format]).code, 0, "{format}");
        assert_eq!(open.check(&["--format", format, "--control", "8"]).code, 3, "{format}");
        assert_eq!(open.check(&["--format", format, "--control", "99"]).code, 2, "{format}");
    }
}

#[test]
fn what_programs_read_has_no_colour_and_is_the_same_in_a_file() {
    let place = Place::with("formats-plain", &organization(&[misspelt()]));
    for (format, ..) in FORMATS {
        let printed = place.check(&["--format", format, "--color", "always"]);
        assert!(!printed.out.contains('\u{1b}'), "{format}");
        let ran = place.check(&["--format", format, "--out", "results"]);
        assert_eq!((ran.code, ran.out.as_str()), (printed.code, ""), "{format}");
        assert_eq!(place.read("results"), printed.out, "{format}");
    }
}

#[test]
fn the_snapshot_is_named_as_it_was_given() {
    let place = Place::with("formats-snapshot", &organization(&[]));
    let ran = place.check(&["--format", "sarif"]);
    let artifacts = &whole(&ran)["runs"][0]["artifacts"];
    assert_eq!(artifacts[0]["location"]["uri"], "snapshot.json");
    assert_eq!(whole(&ran)["runs"][0]["invocations"][0]["endTimeUtc"], NOW);
}

/// A place with a document that slips something through, one that is fine, and one that is no
/// text.
fn documents(name: &str) -> Place {
    let place = Place::empty(name);
    place.write(
        "bad.json",
        "{\"Version\": \"2012-10-17\", \"Id\": \"é😀\",\n \"Statement\": [{\"Effect\": \"Deny\", \
         \"Action\": \"ses:SnedEmail\", \"Resource\": \"*\"}]}",
    );
    place.write("fine.json", &no_mail().to_string());
    std::fs::write(place.path("binary.json"), [0xff, 0xfe]).unwrap();
    place
}

#[test]
fn lint_in_json_says_where_what_and_what_to_do() {
    let place = documents("lint-json");
    let ran = place.run(&["lint", "--quiet", "--format", "json", "bad.json", "fine.json"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let found = &whole(&ran)["findings"][0];
    assert_eq!(
        (found["file"].as_str(), found["rule"].as_str()),
        (Some("bad.json"), Some("lint::unknown-action"))
    );
    let (start, end) = (&found["span"]["startByte"], &found["span"]["endByte"]);
    let range = start.as_u64().unwrap() as usize..end.as_u64().unwrap() as usize;
    assert_eq!(&place.read("bad.json")[range], "\"ses:SnedEmail\"");
    assert_eq!(found["span"]["line"], 2);
    assert!(found["help"].as_str().unwrap().contains("SendEmail"), "{found}");
}

#[test]
fn lint_in_sarif_has_a_region_for_every_finding() {
    let place = documents("lint-sarif");
    let ran = place.run(&["lint", "--quiet", "--format", "sarif", "bad.json", "fine.json"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let run = &whole(&ran)["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "bad.json");
        for part in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(place["region"][part].as_u64().unwrap() > 0);
        }
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn lint_in_other_formats_ends_as_in_text() {
    let place = documents("lint-codes");
    for files in [vec!["fine.json"], vec!["bad.json"], vec!["binary.json", "bad.json"]] {
        let run = |format| place.run(&[&["lint", "--format", format], files.as_slice()].concat());
        let text = run("text");
        for format in ["json", "sarif"] {
            let ran = run(format);
            assert_eq!((ran.code, &ran.err), (text.code, &text.err), "{format} {files:?}");
        }
    }
    let ran = place.run(&["lint", "--quiet", "--format", "sarif", "binary.json"]);
    let invocation = &whole(&ran)["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let said = &invocation["toolExecutionNotifications"][0]["message"]["text"];
    assert!(said.as_str().unwrap().contains("binary.json"));
}
