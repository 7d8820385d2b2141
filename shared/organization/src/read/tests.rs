#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;

use proptest::prelude::*;
use support::cases::{self, Input};
use support::organization::Snapshot;
use support::render;
use text::clipped::Clipped;
use text::span::Span;

use super::*;
use crate::{AccountIdx, Document, LevelRef, PolicyKind, TargetIdx};

fn inputs(kind: &str) -> Vec<(String, Input)> {
    cases::inputs(&format!("organization/{kind}"), &["json"], &["snap"])
}

fn read_default(text: &str) -> Result<Organization, SnapshotError> {
    read(text, &Limits::default())
}

fn plain() -> String {
    cases::input("organization/ok/plain.json").text
}

fn rendered(file: String, text: &str, error: SnapshotError) -> String {
    render::report(error, Clipped::new(file, text))
}

#[test]
fn every_refusal_says_what_and_where() {
    cases::run(20, inputs("err"), |input| {
        let error = read_default(&input.text).err().unwrap_or_else(|| panic!("it was read"));
        input.compare(&rendered(input.file(), &input.text, error));
    });
}

#[test]
fn every_good_snapshot_becomes_the_expected_model() {
    cases::run(8, inputs("ok"), |input| {
        let organization = read_default(&input.text)
            .unwrap_or_else(|error| panic!("{}", rendered(input.file(), &input.text, error)));
        input.compare(&printed(&organization));
    });
}

/// The whole model, one fact per line.
fn printed(organization: &Organization) -> String {
    let mut out = String::new();
    let o = organization;
    let head = (&o.id, &o.partition, o.management_account, &o.fetched_at, o.scp_enabled);
    writeln!(out, "{} {} management={} at={:?} scps={}", head.0, head.1, head.2, head.3, head.4)
        .unwrap();
    for warning in &o.warnings {
        writeln!(out, "warning: {warning}").unwrap();
    }
    for gap in o.gaps() {
        writeln!(out, "gap: {gap}").unwrap();
    }
    for (index, policy) in o.policies() {
        let kind = match &policy.kind {
            PolicyKind::ServiceControl => "SCP",
            PolicyKind::Other(name) => name,
        };
        let document = match o.document(policy.document).unwrap() {
            Document::Readable { policy, .. } => format!("{} statement", policy.statements.len()),
            Document::Unreadable { message, .. } => format!("unreadable: {message}"),
            Document::Foreign { .. } => "not read".to_owned(),
        };
        let (index, d) = (index.index(), policy.document.index());
        let aws = if policy.aws_managed { " aws" } else { "" };
        writeln!(
            out,
            "policy {index} {} ({}){aws} {kind} document {d}: {document}",
            policy.id, policy.name
        )
        .unwrap();
    }
    for target in o.targets() {
        let scps: Vec<_> = o.scps_on(target.index).iter().map(|scp| scp.policy.index()).collect();
        let parent = o.parent(target.index).map(|parent| o.target_ref(parent).id.to_string());
        let parent = parent.unwrap_or_else(|| "nothing".to_owned());
        writeln!(out, "{} ({}) in {parent}, policies {scps:?}", target.id, target.name).unwrap();
    }
    for (index, account) in o.accounts() {
        let (state, can) = (account.state.name(), account.state.can_send());
        let gaps: Vec<usize> = o
            .gaps_on(index)
            .iter()
            .map(|gap| o.gaps().iter().position(|other| std::ptr::eq(other, *gap)).unwrap())
            .collect();
        let unreadable: Vec<String> = o
            .unreadable_on(index)
            .iter()
            .map(|scp| format!("{}@{}", scp.policy.index(), o.target_ref(scp.target).id))
            .collect();
        let path: Vec<_> = o.path(index).iter().map(|target| target.id.to_string()).collect();
        writeln!(out, "{} {state} can_send={can} {}", account.id, o.org_path(index)).unwrap();
        writeln!(out, "    path {}", path.join(" > ")).unwrap();
        if !gaps.is_empty() {
            writeln!(out, "    gaps {gaps:?}").unwrap();
        }
        if !unreadable.is_empty() {
            writeln!(out, "    unreadable {}", unreadable.join(" ")).unwrap();
        }
    }
    out
}

#[test]
fn a_hundred_megabytes_of_brackets_are_refused_without_overflow() {
    let error = read_default(&"[".repeat(100_000_000)).unwrap_err();
    assert!(error.to_string().contains("nested deeper than 128"), "{error}");
    let open = "{\"schemaVersion\":".repeat(1_000_000);
    assert!(read_default(&open).is_err());
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_place() {
    let mut bytes = plain().into_bytes();
    let at = bytes.windows(4).position(|window| window == b"shop").unwrap();
    bytes[at] = 0xff;
    let error = read_bytes(&bytes, &Limits::default()).unwrap_err();
    let line = plain()[..at].matches('\n').count() + 1;
    assert_eq!(error.problems()[0].span.line_column(&plain()).line, line);
}

#[test]
fn the_digest_is_the_one_of_the_bytes() {
    assert_eq!(
        digest(b"abc"),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let text = plain();
    let same = read_bytes(text.as_bytes(), &Limits::default()).unwrap().digest;
    assert_eq!(read_default(&text).unwrap().digest, same);
    assert_ne!(read_default(&format!("{text} ")).unwrap().digest, same);
}

#[test]
fn policies_with_the_same_text_share_a_document() {
    let text = cases::input("organization/ok/content-as-an-object-and-shared-text.json").text;
    let organization = read_default(&text).unwrap();
    let document = |id| {
        let policy = organization.find_policy(id).unwrap();
        organization.policy(policy).unwrap().document
    };
    assert_eq!(document("p-FullAWSAccess"), document("p-sametext01"));
    assert_eq!(organization.documents().len(), 2);
    let object = organization.document(document("p-denymail01")).unwrap();
    let raw = object.text().unwrap();
    let statement = object.policy().unwrap().statements[0].span;
    assert!(raw[statement.start..statement.end].starts_with("{\"Sid\""), "{raw}");
}

#[test]
fn targets_are_found_by_id_and_their_accounts_with_them() {
    let organization = read_default(&plain()).unwrap();
    let under = |id: &str| -> Vec<String> {
        let accounts = organization.targets_under(organization.target(id).unwrap());
        accounts.iter().map(|index| organization.account(*index).unwrap().id.to_string()).collect()
    };
    assert_eq!(under("r-exam"), ["111111111111", "222222222222", "333333333333"]);
    assert_eq!(under("ou-exam-workload"), ["222222222222", "333333333333"]);
    assert_eq!(under("ou-exam-sandboxes"), ["333333333333"]);
    assert_eq!(under("222222222222"), ["222222222222"]);
    assert_eq!(organization.target("r-none"), None);
    assert_eq!(organization.target("222222222223"), None);
}

#[test]
fn suggestions_cover_ids_and_names() {
    let organization = read_default(&plain()).unwrap();
    let suggest = |text: &str| organization.suggest(text);
    assert_eq!(suggest("222222222223").as_deref(), Some("222222222222"));
    assert_eq!(suggest("ou-exam-worklod").as_deref(), Some("ou-exam-workload"));
    assert_eq!(suggest("Shop").as_deref(), Some("222222222222 (shop)"));
    assert_eq!(suggest("sandbx").as_deref(), Some("333333333333 (sandbox)"));
    assert_eq!(suggest("p-denymail1").as_deref(), Some("p-denymail01"));
    assert_eq!(suggest("something else"), None);
}

#[test]
fn an_index_from_elsewhere_does_no_harm() {
    let organization = read_default(&plain()).unwrap();
    let stranger = AccountIdx(900);
    assert_eq!(organization.account(stranger), None);
    assert!(organization.levels(stranger).iter().all(|level| level.scps.is_empty()));
    assert_eq!(organization.scps_on(TargetIdx(u32::MAX)), []);
    assert_eq!(organization.org_path(stranger), "o-exampleorgid/r-exam/");
}

#[test]
fn a_chain_of_many_units_is_walked_without_recursion() {
    let text = chain(20_000, "r-exam");
    let organization = read_default(&text).unwrap();
    let (account, _) = organization.accounts().next().unwrap();
    assert_eq!(organization.levels(account).len(), 20_002);
    assert_eq!(organization.targets_under(TargetIdx::ROOT), [account]);
    let error = read_default(&chain(20_000, "ou-exam-00019999")).unwrap_err();
    assert_eq!(error.total(), 1);
    assert!(error.to_string().starts_with("organizational units form a loop"), "{error}");
}

/// A snapshot with one account below `count` units, the topmost of which is in `top`.
fn chain(count: usize, top: &str) -> String {
    let unit = |number: usize| format!("ou-exam-{number:08}");
    let mut snapshot = Snapshot::new();
    for number in 0..count {
        let parent = if number == 0 { top.to_owned() } else { unit(number - 1) };
        snapshot.unit(&unit(number), "unit", &parent);
    }
    snapshot.account("222222222222", "shop", &unit(count - 1)).to_string()
}

/// Asks an organization everything; for inputs that nobody wrote by hand.
fn exercise(organization: &Organization) {
    let mut levels = 0;
    for (account, _) in organization.accounts() {
        let stack: Vec<LevelRef<'_>> = organization.levels(account);
        assert_eq!(stack[0].target, TargetIdx::ROOT);
        assert_eq!(stack.len(), organization.path(account).len());
        levels += stack.len();
        assert!(organization.gaps_on(account).len() <= organization.gaps().len());
    }
    assert!(levels >= organization.accounts().len());
    printed(organization);
}

proptest! {
    #[test]
    fn arbitrary_text_never_stops_the_reader(text in ".{0,200}") {
        prop_assert!(read_default(&text).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read_bytes(&bytes, &Limits::default()).is_err());
    }

    #[test]
    fn a_damaged_snapshot_is_read_or_refused_but_never_stops_the_reader(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, any::<char>()), 1..6)
    ) {
        let mut text: Vec<char> = plain().chars().collect();
        for (place, length, with) in edits {
            let start = place.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, [with]);
        }
        let text: String = text.into_iter().collect();
        match read_default(&text) {
            Ok(organization) => exercise(&organization),
            Err(error) => {
                prop_assert!(!error.problems().is_empty());
                rendered("damaged.json".to_owned(), &text, error);
            }
        }
    }

    #[test]
    fn a_snapshot_with_swapped_tokens_is_read_or_refused(
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4)
    ) {
        let text = plain();
        let mut tokens: Vec<&str> = text.split_inclusive('"').collect();
        for (left, right) in swaps {
            let (left, right) = (left.index(tokens.len()), right.index(tokens.len()));
            tokens.swap(left, right);
        }
        let text = tokens.concat();
        match read_default(&text) {
            Ok(organization) => exercise(&organization),
            Err(error) => {
                rendered("swapped.json".to_owned(), &text, error);
            }
        }
    }
}

#[test]
fn units_accounts_and_stacks_are_found() {
    let organization = read_default(&plain()).unwrap();
    let units: Vec<&str> = organization.units().iter().map(|unit| &*unit.name).collect();
    assert_eq!(units, ["Workloads", "Sandboxes"]);
    let account = |id: &str| organization.find_account(id.parse().unwrap());
    let sandbox = account("333333333333").unwrap();
    assert_eq!(organization.account(sandbox).unwrap().name.as_ref(), "sandbox");
    assert_eq!(account("444444444444"), None);
    let policies: Vec<usize> =
        organization.stack(sandbox).unwrap().levels.iter().map(Vec::len).collect();
    assert_eq!(policies, [1, 1, 2, 1]);
    let open = plain().replace("\"ENABLED\"", "\"PENDING_DISABLE\"");
    let open = read_default(&open).unwrap();
    assert!(open.stack(sandbox).unwrap().levels.is_empty(), "no policy is in force");
}

#[test]
fn a_target_beyond_the_last_is_no_account() {
    let organization = read_default(&plain()).unwrap();
    let (last, _) = organization.accounts().last().unwrap();
    let target = organization.target_of(last);
    assert_eq!(organization.account_at(target), Some(last));
    assert_eq!(organization.account_at(TargetIdx(target.0 + 1)), None);
}

#[test]
fn a_long_text_is_underlined_at_its_first_byte_only() {
    let span = |length: usize| Span::new(7, 7 + length);
    assert_eq!(short(span(60)), span(60));
    assert_eq!(short(span(61)), span(1));
}

#[test]
fn a_key_written_twice_is_refused_in_an_object_of_any_size() {
    for others in [0, 30] {
        let others: String = (0..others).map(|n| format!("\"extra{n}\": {n}, ")).collect();
        let good = plain().replacen("{", &format!("{{{others}"), 1);
        assert!(read_default(&good).is_ok(), "{others}");
        let twice = good.replacen("{", "{\"partition\": \"aws\", ", 1);
        let error = read_default(&twice).unwrap_err();
        assert_eq!(error.problems().len(), 1);
        assert!(error.to_string().contains("`partition` twice"), "{error}");
    }
}

#[test]
fn an_unreadable_policy_says_how_many_more_problems_it_has() {
    for statements in [1, 2, 40] {
        let many =
            vec![r#"{\"Effect\":\"Maybe\",\"Action\":\"*\",\"Resource\":\"*\"}"#; statements];
        let text = plain().replace(
            r#"{\"Sid\":\"NoMail\",\"Effect\":\"Deny\",\"Action\":\"ses:Send*\",\"Resource\":\"*\"}"#,
            &many.join(","),
        );
        let organization = read_default(&text).unwrap();
        let policy = organization.find_policy("p-denymail01").unwrap();
        let document = organization.policy(policy).unwrap().document;
        let Some(Document::Unreadable { message, .. }) = organization.document(document) else {
            panic!("{statements} statements with a bad effect were read");
        };
        let more = format!("and {} more problems", statements - 1);
        assert_eq!(message.contains(&more), statements > 1, "{message}");
        assert_eq!(message.contains("more problems"), statements > 1, "{message}");
    }
}

#[test]
fn a_long_loop_of_units_is_told_in_part() {
    let unit = |n: usize| format!("ou-exam-{n:08}");
    let looped = |count: usize| {
        let units: Vec<String> = (0..count)
            .map(|n| {
                let (id, parent) = (unit(n), unit((n + 1) % count));
                format!(r#"{{"id": "{id}", "name": "{n}", "parentId": "{parent}"}},"#)
            })
            .collect();
        let list = "\"organizationalUnits\": [";
        let text = plain().replace(list, &format!("{list}{}", units.concat()));
        read_default(&text).unwrap_err().problems()[0].to_string()
    };
    assert!(!looped(8).contains(" more"), "{}", looped(8));
    assert!(looped(11).contains("is in 3 more is in"), "{}", looped(11));
}
