//! What the runner of cases refuses, and what it tells.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::Deserialize;
use support::cases;

/// What a test that fails says.
fn told(fails: impl FnOnce()) -> String {
    let why = catch_unwind(AssertUnwindSafe(fails)).unwrap_err();
    why.downcast_ref::<String>().unwrap().clone()
}

/// A folder with these files, whose text is an empty object.
fn folder(name: &str, files: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What an earlier run left.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for file in files {
        std::fs::write(folder.join(file), "{}").unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[test]
fn a_folder_holds_inputs_and_what_belongs_to_them_and_nothing_else() {
    let read = |name: &str, files: &[&str]| {
        let folder = folder(name, files);
        move || cases::inputs(&folder, &["json", "yaml"], &["snap", "README.md"])
    };
    let files = ["b.json", "b.snap", "a.yaml", "a.snap.new", "README.md"];
    let names: Vec<String> = read("sound", &files)().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b"]);
    for (name, files, says) in [
        ("empty", &[] as &[&str], "there are no cases"),
        ("outcomes", &["README.md"], "there are no cases"),
        ("orphan", &["a.json", "b.snap"], "what is `b.snap`"),
        ("stranger", &["a.json", "a.toml"], "what is `a.toml`"),
        ("longer", &["a.json", "a.expected.json"], "what is `a.expected.json`"),
        ("twins", &["a.json", "a.yaml"], "are named `a`"),
    ] {
        let read = read(name, files);
        let text = told(|| assert!(read().is_empty()));
        assert!(text.contains(says), "{text}");
    }
    assert!(told(|| assert!(cases::inputs("nowhere", &[], &[]).is_empty())).contains("nowhere"));
}

#[test]
fn a_case_that_cannot_be_read_is_told_with_its_file() {
    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "never made")]
    struct Case {
        name: String,
    }
    let folder = folder("unread", &["a.json"]);
    let (_, input) = cases::inputs(&folder, &["json"], &[]).remove(0);
    let text = told(|| drop(input.json::<Case>()));
    assert!(text.starts_with("a.json: missing field `name` at line 1"), "{text}");
    assert!(told(|| drop(input.beside("snap"))).contains("a.snap"));
    assert!(told(|| drop(cases::groups::<Case>(&folder))).contains("a.json: missing field"));
}

#[test]
fn every_case_that_fails_is_told_at_the_end_with_its_name() {
    let numbers = |count| (0..count).map(|number: usize| (format!("case {number}"), number));
    let odd = |number: usize| assert!(number.is_multiple_of(2), "{number} is odd");
    let text = told(|| cases::run(1, numbers(4), odd));
    assert_eq!(text, "2 of 4 fail:\ncase 1: 1 is odd\ncase 3: 3 is odd");
    let text = told(|| cases::run(1, numbers(100), odd));
    assert!(text.starts_with("20 of 40 fail"), "{text}");
    let text = told(|| cases::run(3, numbers(1), odd));
    assert_eq!(text, "only 1 cases where 3 are wanted");
    cases::run(3, numbers(3), |_| {});
}
