//! Calls that fail for good: a gap that covers what is missing, or no snapshot at all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use flow::fetching::Fetching;
use flow::objects::Access;
use flow::organizations::{FakeOrganizations, Size};
use organization::{Breadth, Reach};
use pipeline::fetch::{FetchError, Input};
use pipeline::ports::Failure;
use pipeline::wire::{FetchInput, Fetched};

fn small(seed: u64) -> Fetching {
    Fetching::new(FakeOrganizations::new(Size::SMALL, seed))
}

async fn fetch(fetching: &Fetching) -> Fetched {
    fetching.fetch(FetchInput::default()).await.unwrap()
}

fn read(fetching: &Fetching, fetched: &Fetched) -> organization::Organization {
    let text = fetching.bucket.text(&fetched.snapshot.as_ref().unwrap().key).unwrap();
    organization::read(&text, &policy::parse::Limits::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_denied_list_that_nothing_replaces_names_the_permission_and_where_to_grant_it() {
    for operation in ["ListRoots", "ListAccounts", "ListPolicies"] {
        let fetching = small(1);
        fetching.organizations.deny(operation);
        let error = fetching.fetch(FetchInput::default()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("grant `organizations:{operation}`")), "{error}");
        assert!(error.contains("delegated administrator"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_accounts_or_policies_that_fails_halfway_is_no_snapshot() {
    let size = Size { policies: 45, ..Size::SMALL };
    for operation in ["ListAccounts", "ListPolicies"] {
        let fetching = Fetching::new(FakeOrganizations::new(size, 1));
        fetching.organizations.fail(operation, None, Failure::Unavailable, 1, u32::MAX);
        let error = fetching.fetch(FetchInput::default()).await.unwrap_err();
        assert!(matches!(error, FetchError::Collect(_)), "{error}");
        assert!(!fetching.bucket.keys().iter().any(|key| key.ends_with("snapshot.json")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_token_never_gives_a_short_list() {
    let size = Size { policies: 45, ..Size::SMALL };
    for operation in ["ListAccounts", "ListPolicies"] {
        let fetching = Fetching::new(FakeOrganizations::new(size, 1));
        fetching.organizations.repeats.set(Some(operation));
        let error = fetching.fetch(FetchInput::default()).await.unwrap_err().to_string();
        assert!(error.contains("the same page token twice"), "{error}");
    }
    let fetching = small(1);
    fetching.organizations.repeats.set(Some("ListTargetsForPolicy"));
    let fetched = fetch(&fetching).await;
    let gaps = fetching.snapshot(&fetched).unwrap().gaps;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].policy_id.as_deref(), Some("p-FullAWSAccess"));
}

#[tokio::test(start_paused = true)]
async fn unknown_targets_of_a_policy_cover_everything() {
    for failure in [Failure::Denied, Failure::Unavailable, Failure::Other] {
        let fetching = small(2);
        let policy = fetching.organizations.truth().policies[0].id.clone();
        let operation = "ListTargetsForPolicy";
        fetching.organizations.fail(operation, Some(&policy), failure, 0, u32::MAX);
        let organization = read(&fetching, &fetch(&fetching).await);
        let account = organization.accounts().next().unwrap().0;
        let gaps = organization.gaps_on(account);
        assert_eq!(gaps.len(), 1, "{failure:?}");
        assert_eq!(gaps[0].reach, Reach::Everything(Breadth::UnknownAttachments));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unread_content_covers_the_accounts_below_it() {
    let fetching = small(2);
    let policy = fetching.organizations.truth().policies[0].id.clone();
    fetching.organizations.fail("DescribePolicy", Some(&policy), Failure::Denied, 0, u32::MAX);
    let fetched = fetch(&fetching).await;
    assert_eq!(fetched.gaps, 1);
    let snapshot = fetching.snapshot(&fetched).unwrap();
    assert_eq!(snapshot.gaps[0].policy_id.as_deref(), Some(policy.as_str()));
    assert_eq!(snapshot.policies[0].content, None);
    assert_eq!(snapshot.attachments, fetching.organizations.truth().attachments);
    // The next run takes nothing from this one.
    fetching.organizations.heal();
    fetching.organizations.reset();
    assert_eq!(fetch(&fetching).await.gaps, 0);
    assert_eq!(fetching.organizations.log().get("DescribePolicy"), Some(&6));
}

#[tokio::test(start_paused = true)]
async fn without_unit_names_nothing_that_decides_is_missing() {
    let fetching = small(3);
    fetching.organizations.deny("ListOrganizationalUnitsForParent");
    let snapshot = fetching.timeless(&fetch(&fetching).await).unwrap();
    let truth = fetching.organizations.truth();
    assert_eq!(snapshot.accounts, truth.accounts);
    assert!(snapshot.gaps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn accounts_without_a_place_are_undecided_and_never_lost() {
    let mut fetching = small(4);
    fetching.settings.collect.look_ups = 5;
    fetching.organizations.with_paths.set(false);
    fetching.organizations.deny("ListAccountsForParent");
    let fetched = fetch(&fetching).await;
    let organization = read(&fetching, &fetched);
    let truth = fetching.organizations.truth();
    assert_eq!(organization.accounts().count(), truth.accounts.len());
    let misplaced = fetching.snapshot(&fetched).unwrap();
    for (position, account) in organization.accounts() {
        let id = account.id.to_string();
        let place = |accounts: &[pipeline::snapshot::SnapshotAccount]| {
            accounts.iter().find(|account| account.id == id).unwrap().parent_id.clone()
        };
        let right = place(&misplaced.accounts) == place(&truth.accounts);
        assert!(right || !organization.gaps_on(position).is_empty(), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn disabled_policies_need_no_policy_calls_and_are_not_said_to_count() {
    let fetching = small(5);
    fetching.organizations.disable_scps();
    let fetched = fetch(&fetching).await;
    let log = fetching.organizations.log();
    assert_eq!(log.get("ListPolicies"), None);
    assert_eq!(log.get("DescribeOrganization"), Some(&1));
    assert!(!read(&fetching, &fetched).scp_enabled);
    assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_hold_the_place_answers_no_requests() {
    let fetching = small(6);
    fetching.request(Vec::new());
    let input = FetchInput { run_id: "b".to_owned(), ..fetching.answering("a") };
    let error = fetching.fetch(input).await.unwrap_err();
    assert!(error.to_string().contains("start runs through `start-check`"), "{error}");
    assert_eq!(fetching.organizations.calls(), 0);
    assert!(!fetching.bucket.keys().iter().any(|key| key.ends_with("claim.json")));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_read_is_claimed_and_asks_for_everything() {
    let fetching = small(7);
    fetching.bucket.set("requests/x.json", "no JSON");
    let fetched = fetching.fetch(fetching.answering("a")).await.unwrap();
    assert!(fetched.notes.iter().any(|note| note.contains("`requests/x.json`")));
    assert_eq!(
        fetching.bucket.text("runs/a/claim.json").unwrap(),
        "{\"requests\":[\"requests/x.json\"]}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_bucket_is_an_error_and_the_same_input_may_be_given_again() {
    let places = [
        (Access::Get, "state/run.json"),
        (Access::List, "requests/"),
        (Access::Put, "runs/a/claim.json"),
        (Access::Put, "runs/a/snapshot.json"),
    ];
    for (access, key) in places {
        let fetching = small(8);
        fetching.request(Vec::new());
        fetching.bucket.fail(access, key, Failure::Unavailable, 1);
        let input = fetching.answering("a");
        let error = fetching.fetch(input.clone()).await.unwrap_err();
        assert!(matches!(error, FetchError::Bucket(_)), "{key}: {error}");
        let fetched = fetching.fetch(input).await.unwrap();
        assert_eq!(fetching.timeless(&fetched).unwrap(), fetching.organizations.truth());
    }
}

#[tokio::test(start_paused = true)]
async fn input_that_makes_no_sense_is_refused_before_any_call() {
    let fetching = small(9);
    let version = FetchInput { schema_version: 2, ..FetchInput::default() };
    assert!(matches!(fetching.fetch(version).await, Err(FetchError::Version(2))));
    let name = FetchInput { run_id: "../x".to_owned(), ..FetchInput::default() };
    assert!(matches!(fetching.fetch(name).await, Err(FetchError::Input(_))));
    let input: Input = serde_json::from_str("{}").unwrap();
    let soon = std::time::Duration::from_secs(30);
    assert!(matches!(fetching.invoke(input, soon).await, Err(FetchError::NoTime { .. })));
    assert_eq!(fetching.organizations.calls(), 0);
}
