//! Where results go: regular files are replaced, everything else is written through.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![cfg(unix)]

mod common;

use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use common::{NOW, Place, no_mail, organization};

fn place(name: &str) -> Place {
    let place = Place::with(name, &organization(&[no_mail()]));
    place.write("before.json", &organization(&[]).to_string());
    place
}

/// Every command that writes a result, without the place for it.
const WRITERS: [&[&str]; 4] = [
    &["check", "--snapshot", "snapshot.json", "--now", NOW, "--format", "json"],
    &["diff", "before.json", "snapshot.json", "--now", NOW, "--format", "json"],
    &["fix", "--snapshot", "snapshot.json", "--now", NOW, "--format", "json"],
    &[
        "what-if",
        "--snapshot",
        "snapshot.json",
        "--now",
        NOW,
        "--format",
        "json",
        "--move",
        "222222222222=r-exam",
    ],
];

#[test]
fn a_named_pipe_is_written_through_by_every_command() {
    let place = place("out-pipe");
    let pipe = place.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    symlink("pipe", place.path("link-to-pipe")).unwrap();
    for arguments in WRITERS {
        for name in ["pipe", "link-to-pipe"] {
            let path = pipe.clone();
            let reader = std::thread::spawn(move || {
                let mut text = String::new();
                std::fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
                text
            });
            let ran = place.run(&[arguments, &["--out", name]].concat());
            assert!(ran.code < 2, "{}", ran.err);
            assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
            let text = reader.join().unwrap();
            assert!(text.starts_with('{') && text.ends_with("}\n"), "{arguments:?}: {text}");
        }
    }
}

#[test]
fn a_socket_is_written_through() {
    let place = place("out-socket");
    // The path of a socket is short, and that of the folder may not be.
    let listener = {
        let here = std::env::current_dir().unwrap();
        let relative = place.path("s");
        let folder = relative.parent().unwrap();
        std::env::set_current_dir(folder).unwrap();
        let listener = UnixListener::bind("s").unwrap();
        std::env::set_current_dir(here).unwrap();
        listener
    };
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
        text
    });
    let ran = place.run(&[WRITERS[0], &["--out", "s"]].concat());
    assert!(ran.code < 2, "{}", ran.err);
    assert!(std::fs::symlink_metadata(place.path("s")).unwrap().file_type().is_socket());
    assert!(reader.join().unwrap().ends_with("}\n"));
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_replaced() {
    let place = place("out-link");
    std::fs::create_dir(place.path("folder")).unwrap();
    place.write("folder/results.json", "older");
    symlink("folder/results.json", place.path("link")).unwrap();
    symlink("link", place.path("link-to-link")).unwrap();
    symlink("folder/new.json", place.path("dangling")).unwrap();
    for (name, target) in
        [("link", "results.json"), ("link-to-link", "results.json"), ("dangling", "new.json")]
    {
        let ran = place.run(&[WRITERS[0], &["--out", name]].concat());
        assert!(ran.code < 2, "{}", ran.err);
        assert!(std::fs::symlink_metadata(place.path(name)).unwrap().is_symlink());
        assert!(place.read(&format!("folder/{target}")).ends_with("}\n"));
    }
    symlink("round", place.path("round")).unwrap();
    let ran = place.run(&[WRITERS[0], &["--out", "round"]].concat());
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("links"), "{}", ran.err);
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode_and_is_another_one() {
    let place = place("out-mode");
    for mode in [0o600, 0o640, 0o755] {
        place.write("results.json", "older");
        let path = place.path("results.json");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let before = std::fs::metadata(&path).unwrap();
        let ran = place.run(&[WRITERS[0], &["--out", "results.json"]].concat());
        assert!(ran.code < 2, "{}", ran.err);
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!(after.mode() & 0o777, mode);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino(), "written in place, so half of it could be seen");
    }
}

#[test]
fn what_is_left_of_an_earlier_run_is_no_way_to_another_file() {
    let place = place("out-part");
    place.write("kept", "kept");
    symlink("kept", place.path("results.json.part")).unwrap();
    let ran = place.run(&[WRITERS[0], &["--out", "results.json"]].concat());
    assert_eq!(ran.code, 2);
    assert_eq!(place.read("kept"), "kept");
    std::fs::remove_file(place.path("results.json.part")).unwrap();
    place.write("results.json.part", "half of a result");
    let ran = place.run(&[WRITERS[0], &["--out", "results.json"]].concat());
    assert!(ran.code < 2, "{}", ran.err);
    assert!(!place.path("results.json.part").exists());
}

#[test]
fn standard_output_by_its_name_is_not_replaced() {
    let place = place("out-standard");
    let shell = format!(
        "echo before >all; '{}' check --snapshot snapshot.json --now {NOW} --format json \
         --out /dev/stdout >>all; echo after >>all",
        env!("CARGO_BIN_EXE_ses-perimeter")
    );
    let status = Command::new("sh").args(["-c", &shell]).current_dir(place.path("")).status();
    assert!(status.unwrap().success());
    let all = place.read("all");
    assert!(all.starts_with("before\n{") && all.ends_with("}\nafter\n"), "{all}");
}

#[test]
fn a_folder_is_refused_with_what_to_do() {
    let place = place("out-folder");
    std::fs::create_dir(place.path("folder")).unwrap();
    for arguments in WRITERS {
        let ran = place.run(&[arguments, &["--out", "folder"]].concat());
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("it is a folder"), "{}", ran.err);
    }
}

#[test]
fn pages_are_written_one_for_each_command() {
    let place = place("out-man");
    std::fs::create_dir(place.path("pages")).unwrap();
    place.write("elsewhere", "older");
    symlink("../elsewhere", place.path("pages/ses-perimeter-fix.1")).unwrap();
    assert_eq!(place.run(&["man", "--out", "pages"]).code, 0);
    let pages = std::fs::read_dir(place.path("pages")).unwrap().count();
    assert!(pages >= 10, "{pages}");
    assert!(place.read("elsewhere").contains("ses\\-perimeter\\-fix"));
    assert!(place.read("pages/ses-perimeter.1").contains("what\\-if"));
}
