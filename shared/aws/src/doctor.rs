//! Tries what the live run needs, with the cheapest call that shows it.
//!
//! Nothing is written. What cannot be tried without writing says so.

use pipeline::evaluate::age_of_facts;
use pipeline::ports::{
    CallError, Clock, Failure, FindingQuery, HeadItem, Hub, Objects, Page, ReadOne, ReadPolicies,
    ReadTree, RootItem,
};

use crate::bucket::NO_BUCKET;
use crate::call::Call;
use crate::clock::SystemClock;
use crate::{HubAccess, OrganizationsApi, Outside, errors};

mod account;
mod report;

pub use account::Caller;
pub use report::{Check, DoctorOutcome, DoctorReport};

/// The policy type that everything is about.
const SCP: &str = "SERVICE_CONTROL_POLICY";

/// What is to be tried beside Organizations and Security Hub.
#[derive(Debug, Clone, Default)]
pub struct DoctorOptions {
    /// The functions' bucket.
    pub bucket: Option<String>,
    /// The sender of the digest.
    pub digest_from: Option<String>,
}

/// Tries everything.
pub async fn examine(outside: &Outside, options: &DoctorOptions) -> DoctorReport {
    let mut doctor = Doctor { outside, report: DoctorReport::default() };
    let Some(region) = outside.region() else {
        doctor.missing("Region", "no Region is configured", errors::REGION_HELP);
        doctor.report.no_access = true;
        return doctor.report;
    };
    doctor.ok("Region", region);
    match account::caller(outside).await {
        Ok(caller) => {
            doctor.ok("credentials", &format!("{} in account {}", caller.arn, caller.account));
            doctor.report.caller = Some(caller);
        }
        Err(error) => {
            let help = errors::access_help(&error);
            doctor.missing("credentials", &reason(&error), help);
            doctor.report.no_access = true;
            return doctor.report;
        }
    }
    doctor.facts(&age_of_facts(SystemClock.now()));
    let api = outside.organizations();
    let head = doctor.organization(&api).await;
    doctor.place(&api, head.as_ref()).await;
    let root = doctor.root(&api).await;
    doctor.tree(&api, root.as_ref()).await;
    doctor.policies(&api, root.as_ref()).await;
    doctor.security_hub().await;
    if let Some(bucket) = &options.bucket {
        doctor.bucket(bucket).await;
    }
    if let Some(sender) = &options.digest_from {
        doctor.digest(sender).await;
    }
    doctor.report
}

struct Doctor<'o> {
    outside: &'o Outside,
    report: DoctorReport,
}

impl Doctor<'_> {
    async fn organization(&mut self, api: &OrganizationsApi) -> Option<HeadItem> {
        let head = self.permission(Call::DescribeOrganization, api.head().await)?;
        if head.feature_set == "ALL" {
            self.ok("all features", &format!("organization {} has all features", head.id));
        } else {
            self.missing(
                "all features",
                &format!("organization {} has the feature set `{}`", head.id, head.feature_set),
                "enable all features in the management account; without them there are no SCPs",
            );
        }
        Some(head)
    }

    /// Whether the caller is where the reads are allowed.
    async fn place(&mut self, api: &OrganizationsApi, head: Option<&HeadItem>) {
        let Some(own) = self.report.caller.as_ref().map(|caller| caller.account.clone()) else {
            return;
        };
        if head.is_some_and(|head| head.management_account == own) {
            self.ok("place", "the caller is in the management account");
            return;
        }
        match delegates(api).await {
            Ok(accounts) if accounts.contains(&own) => {
                self.ok("place", &format!("account {own} is a delegated administrator"));
                let management = head.map_or("", |head| head.management_account.as_str());
                self.events(&own, management);
            }
            Ok(_) => {
                let management = head.map_or("", |head| head.management_account.as_str());
                self.missing(
                    "place",
                    &format!(
                        "account {own} is neither the management account nor a delegated \
                         administrator, so Organizations may answer with less than there is"
                    ),
                    &format!(
                        "run in the management account {management}, or register account {own} \
                         there as delegated administrator of Security Hub"
                    ),
                );
            }
            Err(error) => self.denied(Call::ListDelegatedAdministrators, "place", &error),
        }
    }

    /// What does not arrive outside the management account by itself.
    fn events(&mut self, own: &str, management: &str) {
        self.report.push(
            "events",
            DoctorOutcome::Untried,
            &format!(
                "no Organizations event appears in account {own} by itself, so without forwarding \
                 every change (of policies, attachments, accounts and units) waits for the \
                 schedule; each scheduled run reads everything, contents of policies too"
            ),
            Some(format!(
                "deploy forwarding.yaml in the management account {management}, and name that \
                 account in the parameter EventAccounts"
            )),
        );
    }

    async fn root(&mut self, api: &OrganizationsApi) -> Option<RootItem> {
        let page = self.permission(Call::ListRoots, api.roots(None).await)?;
        let Some(root) = page.items.into_iter().next() else {
            self.missing("SCP policy type", "the organization shows no root", PLACE_HELP);
            return None;
        };
        let status = root.policy_types.iter().find(|(kind, _)| kind == SCP);
        match status.map(|(_, status)| status.as_str()) {
            Some("ENABLED") => self.ok("SCP policy type", &format!("enabled at {}", root.id)),
            other => self.missing(
                "SCP policy type",
                &format!("{SCP} is {} at {}", other.unwrap_or("not enabled"), root.id),
                "enable service control policies under Policies in the Organizations console; \
                 until then every control fails, since nothing is stopped",
            ),
        }
        Some(root)
    }

    async fn tree(&mut self, api: &OrganizationsApi, root: Option<&RootItem>) {
        let accounts = self.permission(Call::ListAccounts, api.accounts(None).await);
        if let Some(account) = first(accounts.as_ref()).map(|item| item.id.clone()) {
            self.permission(Call::DescribeAccount, api.account(&account).await);
            self.permission(Call::ListParents, api.parent_of(&account).await);
        } else {
            self.untried(&[Call::DescribeAccount, Call::ListParents], "no account to try it on");
        }
        let Some(root) = root else {
            self.untried(
                &[
                    Call::ListAccountsForParent,
                    Call::ListOrganizationalUnitsForParent,
                    Call::DescribeOrganizationalUnit,
                ],
                "no root to try it on",
            );
            return;
        };
        self.permission(Call::ListAccountsForParent, api.accounts_in(&root.id, None).await);
        let units = api.units_in(&root.id, None).await;
        let units = self.permission(Call::ListOrganizationalUnitsForParent, units);
        match first(units.as_ref()) {
            Some(unit) => {
                self.permission(Call::DescribeOrganizationalUnit, api.unit(&unit.id).await);
            }
            None => self.untried(&[Call::DescribeOrganizationalUnit], "no unit to try it on"),
        }
    }

    async fn policies(&mut self, api: &OrganizationsApi, root: Option<&RootItem>) {
        let policies = self.permission(Call::ListPolicies, api.policies(None).await);
        match first(policies.as_ref()) {
            Some(policy) => {
                let targets = api.targets_of(&policy.id, None).await;
                self.permission(Call::ListTargetsForPolicy, targets);
                self.permission(Call::DescribePolicy, api.content(&policy.id).await);
            }
            None => self.untried(
                &[Call::ListTargetsForPolicy, Call::DescribePolicy],
                "no policy to try it on",
            ),
        }
        match root {
            Some(root) => {
                let policies = api.policies_on(&root.id, None).await;
                self.permission(Call::ListPoliciesForTarget, policies);
            }
            None => self.untried(&[Call::ListPoliciesForTarget], "no root to try it on"),
        }
    }

    async fn security_hub(&mut self) {
        let region = self.outside.region().unwrap_or_default().to_owned();
        match account::hub(self.outside).await {
            Ok(arn) => self.ok("Security Hub", &format!("enabled in {region}: {arn}")),
            Err(error) if is_off(&error) => self.missing(
                "Security Hub",
                &format!("it is not enabled in {region}"),
                "enable Security Hub in this account and Region, or choose another Region",
            ),
            Err(error) => self.denied(Call::DescribeHub, "Security Hub", &error),
        }
        let account = self.report.caller.as_ref().map(|caller| caller.account.clone());
        let hub = self.outside.security_hub(HubAccess::Central);
        let found = hub
            .find(
                &account.unwrap_or_default(),
                FindingQuery::OfProduct { product: findings::asff::PRODUCT, slots: &[] },
                None,
            )
            .await;
        // Off was said above.
        if !found.as_ref().is_err_and(is_off) {
            self.permission(Call::GetFindings, found);
        }
        self.untried(
            &[Call::BatchImportFindings, Call::BatchUpdateFindings],
            "it cannot be tried without writing findings",
        );
    }

    async fn bucket(&mut self, name: &str) {
        let bucket = self.outside.bucket(name);
        let listed = bucket.list("config/").await;
        self.permission(Call::ListObjects, listed);
        match bucket.get(pipeline::objects::PERIMETER).await {
            Ok(Some(_)) => {
                self.ok(Call::GetObject.permission(), &format!("the perimeter is in {name}"));
            }
            Ok(None) => self.ok(
                Call::GetObject.permission(),
                &format!("there is no {} in {name}", pipeline::objects::PERIMETER),
            ),
            Err(error) => self.denied(Call::GetObject, Call::GetObject.permission(), &error),
        }
        self.untried(&[Call::PutObject], "it cannot be tried without writing to the bucket");
    }

    async fn digest(&mut self, sender: &str) {
        match account::sender(self.outside, sender).await {
            Ok(Some(identity)) => {
                self.ok("digest sender", &format!("the identity {identity} is verified"));
            }
            Ok(None) => self.missing(
                "digest sender",
                &format!("neither {sender} nor its domain is a verified identity"),
                "verify one of them in Amazon SES, in this account and Region",
            ),
            Err(error) => {
                self.denied(Call::GetIdentityVerificationAttributes, "digest sender", &error);
            }
        }
        match account::quota(self.outside).await {
            Ok(quota) => self.ok(
                "digest quota",
                &format!(
                    "{quota} mails a day; 200 mean the sandbox, with verified recipients alone"
                ),
            ),
            Err(error) => self.denied(Call::GetSendQuota, "digest quota", &error),
        }
        self.untried(&[Call::SendEmail], "it cannot be tried without sending mail");
    }

    /// How old the lists of keys, actions and Regions are that verdicts rest on.
    fn facts(&mut self, (days, outdated): &(u64, Vec<String>)) {
        let Some(first) = outdated.first() else {
            self.ok(
                "facts",
                &format!("the lists that verdicts rest on are at most {days} days old"),
            );
            return;
        };
        self.missing("facts", first, "install a newer release of ses-perimeter");
    }

    fn ok(&mut self, name: &str, detail: &str) {
        self.report.push(name, DoctorOutcome::Ok, detail, None);
    }

    fn missing(&mut self, name: &str, detail: &str, help: &str) {
        self.report.push(name, DoctorOutcome::Missing, detail, Some(help.to_owned()));
    }

    fn untried(&mut self, calls: &[Call], why: &str) {
        for call in calls {
            self.report.push(call.permission(), DoctorOutcome::Untried, why, None);
        }
    }

    /// Notes whether a call went through, and gives back what it answered.
    fn permission<T>(&mut self, call: Call, result: Result<T, CallError>) -> Option<T> {
        match result {
            Ok(answer) => {
                self.ok(call.permission(), "allowed");
                Some(answer)
            }
            Err(error) => {
                self.denied(call, call.permission(), &error);
                None
            }
        }
    }

    fn denied(&mut self, call: Call, name: &str, error: &CallError) {
        let caller = self.report.caller.as_ref().map_or("the caller", |caller| caller.arn.as_str());
        let help = match error.failure {
            Failure::Denied => format!(
                "grant `{}` to {caller} in IAM, and see that no SCP and no permissions boundary \
                 takes it away",
                call.permission()
            ),
            Failure::Throttled
            | Failure::Concurrent
            | Failure::Unavailable
            | Failure::Unreachable => "try again in a minute".to_owned(),
            Failure::NotFound | Failure::Other => match error.code.as_str() {
                "AWSOrganizationsNotInUseException" => PLACE_HELP.to_owned(),
                NO_BUCKET => "give the stack's output BucketName, in its Region".to_owned(),
                _ => format!("see what AWS says about `{}`", error.code),
            },
        };
        self.report.push(name, DoctorOutcome::Missing, &reason(error), Some(help));
    }
}

const PLACE_HELP: &str = "use credentials of the organization's management account, or of a \
                          delegated administrator";

/// Every delegated administrator.
async fn delegates(api: &OrganizationsApi) -> Result<Vec<String>, CallError> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = api.delegated_administrators(next.as_deref()).await?;
        all.extend(page.items);
        if page.next.is_none() || page.next == next {
            return Ok(all);
        }
        next = page.next;
    }
}

fn first<T>(page: Option<&Page<T>>) -> Option<&T> {
    page.and_then(|page| page.items.first())
}

fn is_off(error: &CallError) -> bool {
    error.code.starts_with("InvalidAccess") || error.code == "ResourceNotFoundException"
}

fn reason(error: &CallError) -> String {
    if error.message.is_empty() {
        return error.code.clone();
    }
    format!("{}: {}", error.code, error.message)
}
