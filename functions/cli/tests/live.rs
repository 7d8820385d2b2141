//! The commands that need AWS, where there is none.
//!
//! With AWS they are tried in tests/harness, against a server that plays its part.

#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::{Place, Ran};

/// An address where nobody listens, and credentials that look like some.
const NOWHERE: [(&str, &str); 4] = [
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

fn run(place: &Place, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let output = place
        .command(arguments)
        .envs(variables.iter().copied())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn without_a_region_every_live_command_says_how_to_set_one() {
    let place = Place::empty("live-no-region");
    place.write("perimeter.toml", "[trusted]\nrecipients = [\"*@example.com\"]\n");
    for arguments in [&["fetch", "--out", "snapshot.json"][..], &["check"], &["explain", "shop"]] {
        let ran = run(&place, &[], arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains("AWS_REGION"), "{}", ran.err);
    }
    let ran = run(&place, &[], &["doctor"]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("missing") && ran.out.contains("AWS_REGION"), "{}", ran.out);
}

#[test]
fn without_credentials_every_live_command_says_how_to_give_some() {
    let place = Place::empty("live-no-credentials");
    place.write("perimeter.toml", "[trusted]\nrecipients = [\"*@example.com\"]\n");
    let region = [("AWS_REGION", "eu-west-1")];
    for arguments in [&["fetch", "--out", "snapshot.json"][..], &["check"], &["explain", "shop"]] {
        let ran = run(&place, &region, arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains("no AWS credentials were found"), "{}", ran.err);
        assert!(ran.err.contains("AWS_PROFILE"), "{}", ran.err);
    }
    let ran = run(&place, &region, &["doctor", "--format", "json"]);
    assert_eq!(ran.code, 2);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["schemaVersion"], 1);
    assert_eq!(report["summary"]["missing"], 1);
    assert_eq!(report["checks"][1]["check"], "credentials");
}

#[test]
fn a_fetch_that_fails_leaves_the_older_snapshot() {
    let place = Place::empty("live-keeps-older");
    place.write("snapshot.json", "older");
    let ran = run(&place, &[("AWS_REGION", "eu-west-1")], &["fetch", "--out", "snapshot.json"]);
    assert_eq!(ran.code, 2);
    assert_eq!(place.read("snapshot.json"), "older");
}

#[test]
fn a_doctor_who_cannot_reach_aws_says_so() {
    let place = Place::empty("live-unreachable");
    let ran = run(&place, &NOWHERE, &["doctor"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("AWS_ENDPOINT_URL"), "{}", ran.out);
    assert!(!ran.out.contains("DispatchFailure"), "{}", ran.out);
}

#[test]
fn a_perimeter_is_asked_for_before_anything_is_read() {
    let ran = run(&Place::empty("live-no-perimeter"), &NOWHERE, &["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("./perimeter.toml does not exist"), "{}", ran.err);
}

#[test]
fn a_share_out_of_range_is_refused() {
    let place = Place::empty("live-share");
    for share in ["0", "1.5", "half", "-1", "NaN"] {
        let option = format!("--organizations-share={share}");
        let ran = run(&place, &NOWHERE, &["fetch", "--out", "snapshot.json", &option]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("above 0 and at most 1"), "{}", ran.err);
    }
}

#[test]
fn options_of_exposure_without_it_are_a_usage_error() {
    let place = Place::empty("live-exposure-options");
    for option in [["--read-role", "Reader"], ["--external-id", "x"], ["--exposure-regions", "a,b"]]
    {
        let ran = run(&place, &NOWHERE, &[&["fetch", "--out", "s.json"][..], &option].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("--exposure"), "{}", ran.err);
    }
}
