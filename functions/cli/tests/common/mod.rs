//! An organization in a folder of its own, and the program run on it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::organization::{Snapshot, document};

/// The moment of every run, so that none hangs on the day it is made.
pub const NOW: &str = "2026-11-23T00:00:00Z";

/// A folder with a snapshot and a perimeter; removed when the test has passed.
pub struct Place {
    folder: PathBuf,
}

/// What a run left behind.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    /// An empty folder; `name` must be used by one test alone.
    pub fn empty(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // What an earlier run that failed left there.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    /// A folder for the calling test with the example of this name.
    pub fn example(name: &str) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
        let place = Self::empty(&format!("example-{name}-{:?}", std::thread::current().id()));
        for file in ["snapshot.json", "perimeter.toml"] {
            place.write(file, &std::fs::read_to_string(source.join(file)).unwrap());
        }
        place
    }

    /// A folder with a snapshot and a perimeter that trusts `*@example.com`.
    pub fn with(name: &str, snapshot: &Value) -> Self {
        let place = Self::empty(name);
        place.write("snapshot.json", &snapshot.to_string());
        place.write("perimeter.toml", "[trusted]\nrecipients = [\"*@example.com\"]\n");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program with the folder as its working directory and nothing else of this machine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ses-perimeter"));
        command.current_dir(&self.folder).args(arguments).env_clear().env("COLUMNS", "100");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        Ran {
            code: status.code().unwrap(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Runs `check` on the snapshot of the folder.
    pub fn check(&self, arguments: &[&str]) -> Ran {
        let whole = [&["check", "--snapshot", "snapshot.json", "--now", NOW], arguments].concat();
        self.run(&whole)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Two accounts under one unit that has these documents beside FullAWSAccess.
pub fn organization(documents: &[Value]) -> Value {
    let unit = "ou-exam-workload";
    let mut snapshot = Snapshot::new();
    snapshot
        .unit(unit, "Workloads", "r-exam")
        .account("222222222222", "shop", unit)
        .account("333333333333", "bank", unit)
        .full_access();
    for (index, content) in documents.iter().enumerate() {
        let (id, name) = (format!("p-number000{index}"), format!("policy-{index}"));
        snapshot.policy(&id, &name, content.clone(), &[unit]);
    }
    snapshot.0
}

/// Statements that stop every request to SES.
pub fn no_mail() -> Value {
    document([json!({"Sid": "NoMail", "Effect": "Deny", "Action": "ses:*", "Resource": "*"})])
}

/// A statement whose operator nobody knows.
pub fn misspelt() -> Value {
    document([json!({"Sid": "Misspelt", "Effect": "Deny", "Action": "ses:*", "Resource": "*",
        "Condition": {"StringNotLikes": {"aws:PrincipalTag/team": "mail"}}})])
}
