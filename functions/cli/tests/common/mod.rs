//! An organization in a folder of its own, and the program run on it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

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

/// FullAWSAccess.
pub fn everything() -> Value {
    document(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
}

/// A policy document with these statements.
pub fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Two accounts under one unit that has these documents beside FullAWSAccess.
pub fn organization(documents: &[Value]) -> Value {
    let policy = |id: &str, name: &str, content: &Value| json!({"id": id, "name": name, "type": "SERVICE_CONTROL_POLICY", "content": content});
    let mut policies = vec![policy("p-FullAWSAccess", "FullAWSAccess", &everything())];
    let mut attachments: Vec<Value> =
        ["r-exam", "ou-exam-workload", "222222222222", "333333333333"]
            .map(|target| json!({"policyId": "p-FullAWSAccess", "targetId": target}))
            .into();
    for (index, content) in documents.iter().enumerate() {
        let id = format!("p-number000{index}");
        policies.push(policy(&id, &format!("policy-{index}"), content));
        attachments.push(json!({"policyId": id, "targetId": "ou-exam-workload"}));
    }
    json!({
        "schemaVersion": 1,
        "fetchedAt": NOW,
        "partition": "aws",
        "organization": {"id": "o-exampleorgid", "managementAccountId": "111111111111",
                         "featureSet": "ALL"},
        "root": {"id": "r-exam", "name": "Root",
                 "policyTypes": [{"type": "SERVICE_CONTROL_POLICY", "status": "ENABLED"}]},
        "organizationalUnits":
            [{"id": "ou-exam-workload", "name": "Workloads", "parentId": "r-exam"}],
        "accounts": [
            {"id": "222222222222", "name": "shop", "email": "shop@example.com",
             "state": "ACTIVE", "parentId": "ou-exam-workload"},
            {"id": "333333333333", "name": "bank", "email": "bank@example.com",
             "state": "ACTIVE", "parentId": "ou-exam-workload"},
        ],
        "policies": policies,
        "attachments": attachments,
    })
}

/// Statements that stop every request to SES.
pub fn no_mail() -> Value {
    document(&json!([{"Sid": "NoMail", "Effect": "Deny", "Action": "ses:*", "Resource": "*"}]))
}

/// A statement whose operator nobody knows.
pub fn misspelt() -> Value {
    document(&json!([{"Sid": "Misspelt", "Effect": "Deny", "Action": "ses:*", "Resource": "*",
        "Condition": {"StringNotLikes": {"aws:PrincipalTag/team": "mail"}}}]))
}
