//! A broken action table is refused with a message that names the entry and the remedy.
#![allow(clippy::expect_used)] // a failed expectation is how a test reports

#[allow(dead_code, clippy::print_stdout)] // its `main` belongs to the build, and speaks to it
#[path = "../build.rs"]
mod build;
mod facts_checks;

const TABLE: &str = include_str!("../data/ses-actions.json");
const KEYS: &str = include_str!("../data/condition-keys.json");

/// What is wrong with this table beside the real condition keys, for the build or the checks.
fn compile(table: &str) -> Result<(), Vec<String>> {
    build::table::compile(table)?;
    let names = facts_checks::lists::keys(KEYS).expect("the keys as they stand are right");
    facts_checks::table::check(table, &names)
}

/// The problems of the table after one edit, which must touch it.
fn problems(from: &str, to: &str) -> String {
    let edited = TABLE.replacen(from, to, 1);
    assert_ne!(edited, TABLE, "`{from}` is not in the table");
    compile(&edited).expect_err("the edit breaks the table").join("\n")
}

#[test]
fn the_table_as_it_stands_builds() {
    assert_eq!(compile(TABLE).err(), None);
}

#[test]
fn every_kind_of_mistake_is_named_with_its_remedy() {
    let cases = [
        (r#""sendsMail": true"#, r#""sendMail": true"#, "unknown field `sendMail`"),
        (
            r#""name": "ses:SendBounce", "apis": ["v1"]"#,
            r#""name": "ses:SendBounce", "apis": []"#,
            "action `ses:SendBounce`: no interface",
        ),
        (
            r#""name": "ses:SendBounce", "apis": ["v1"]"#,
            r#""name": "ses:SendBounce", "apis": ["v3"]"#,
            "action `ses:SendBounce`: unknown interface `v3`",
        ),
        (
            r#""conditionKeys": ["ses:ApiVersion"]"#,
            r#""conditionKeys": ["ses:ApiVersoin"]"#,
            "unknown condition key `ses:ApiVersoin`; correct it or list it in the file",
        ),
        (
            r#""resourceTypes": ["identity"], "requiredResourceTypes": ["identity"]"#,
            r#""resourceTypes": [], "requiredResourceTypes": ["identity"]"#,
            "required type `identity` is not among its resource types",
        ),
        (
            r#""resourceTypes": ["identity"]"#,
            r#""resourceTypes": ["identities"]"#,
            "unknown resource type `identities`",
        ),
        (r#""name": "ses:SendBounce""#, r#""name": "ses:Bounce""#, "sort by name"),
        (
            r#""name": "ses:SendBounce""#,
            r#""name": "ses:SENDBULKEMAIL""#,
            "is listed twice; keep one",
        ),
        (
            r#""operation": "SendBounce", "actions": ["ses:SendBounce"]"#,
            r#""operation": "SendBounce", "actions": ["ses:Bounce"]"#,
            "operation `v1 SendBounce`: unknown action `ses:Bounce`",
        ),
        (
            r#""operation": "SendBounce", "actions": ["ses:SendBounce"]"#,
            r#""operation": "SendBounce", "actions": []"#,
            "action `ses:SendBounce`: no operation of `v1` is checked as it",
        ),
        (
            r#""tail": "identity/${IdentityName}""#,
            r#""tail": "identities/${IdentityName}""#,
            "must read `identity/${Name}`",
        ),
        (r#""type": "ARN""#, r#""type": "Arn""#, "unknown type `Arn`; use String, ARN"),
        (r#""reviewed": true, "#, "", "`reviewed` and the source `guidance` go together"),
        (
            r#""type": "String", "source": "reference-iam""#,
            r#""type": "String", "source": "hearsay""#,
            "key `iam:ResourceTag/${TagKey}`: unknown source `hearsay`",
        ),
        (
            r#""type": "String", "source": "reference-iam""#,
            r#""type": "String""#,
            "key `iam:ResourceTag/${TagKey}`: no source; name the `id` of the one it is from",
        ),
        (
            r#""name": "iam:RoleTemplateARN""#,
            r#""name": "saml:sub""#,
            "key `saml:sub`: is listed in data/condition-keys.json as well; keep one",
        ),
        (r#""version": "0.21.202609261", "#, "", "source `reference-data`: no version"),
        (r#""date": "2026-10-27""#, r#""date": "October""#, "`October` is no date"),
        (
            r#""perApi": {"v1""#,
            r#""perApi": {"smtp""#,
            "`perApi` names `smtp`, `apis` and `operations` do not",
        ),
    ];
    for (from, to, expected) in cases {
        let found = problems(from, to);
        assert!(found.contains(expected), "{from} -> {to}:\n{found}");
        assert!(found.contains("data/ses-actions.json"), "{found}");
    }
}

#[test]
fn a_table_without_reviewed_operations_is_refused() {
    let edited = TABLE.replace(r#""reviewed": true, "#, "").replace(r#", "guidance"]"#, "]");
    let found = compile(&edited).expect_err("nothing is reviewed").join("\n");
    assert!(found.contains("operations of `v1`: none is marked `reviewed`"), "{found}");
}
