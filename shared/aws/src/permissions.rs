//! The calls of each function.
//!
//! An adapter makes only the calls that stand here (the gate in [`call`](crate::call)), so the
//! roles in the template can be compared with this table: `cargo run -p aws --example
//! permissions` prints it.

use std::collections::BTreeSet;

use crate::call::{Call, CallGroups};

/// A program with a role of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its name, as in the template.
    pub name: &'static str,
    /// The calls that it may make, in groups.
    pub calls: CallGroups,
}

impl Function {
    /// The IAM actions that its role needs, sorted.
    #[must_use]
    pub fn actions(&self) -> BTreeSet<&'static str> {
        self.calls
            .iter()
            .copied()
            .flatten()
            .flat_map(|call| std::iter::once(call.permission()).chain(call.also().iter().copied()))
            .collect()
    }
}

/// Every read that the collector needs, whole walk and changes.
const COLLECT: &[Call] = &[
    Call::DescribeOrganization,
    Call::ListRoots,
    Call::ListAccounts,
    Call::ListAccountsForParent,
    Call::ListOrganizationalUnitsForParent,
    Call::ListPolicies,
    Call::ListTargetsForPolicy,
    Call::DescribePolicy,
    Call::DescribeAccount,
    Call::DescribeOrganizationalUnit,
    Call::ListParents,
    Call::ListPoliciesForTarget,
];

/// Every read that exposure needs in an account.
const EXPOSURE: &[Call] = &[
    Call::ListRegions,
    Call::GetAccount,
    Call::GetAccountSendingEnabled,
    Call::GetSendQuota,
    Call::GetSendStatistics,
    Call::ListEmailIdentities,
    Call::ListIdentityPolicies,
    Call::GetIdentityPolicies,
    Call::ListRelays,
    Call::GetRelay,
    Call::ListRuleSets,
    Call::GetRuleSet,
    Call::ListIngressPoints,
    Call::DescribeVpcEndpoints,
];

/// Reads the organization into the bucket.
pub const FETCH_SCPS: Function = Function {
    name: "fetch-scps",
    calls: &[COLLECT, &[Call::GetObject, Call::PutObject, Call::ListObjects]],
};

/// Decides; calls nothing but the bucket.
pub const EVALUATE_SCPS: Function =
    Function { name: "evaluate-scps", calls: &[&[Call::GetObject, Call::PutObject]] };

/// Writes findings.
pub const PUBLISH_FINDINGS: Function = Function {
    name: "publish-findings",
    calls: &[&[
        Call::GetObject,
        Call::PutObject,
        Call::ListObjects,
        Call::BatchImportFindings,
        Call::BatchUpdateFindings,
        Call::GetFindings,
        Call::PutEvents,
        Call::SendEmail,
        Call::AssumeRole,
    ]],
};

/// Starts runs.
pub const START_CHECK: Function = Function {
    name: "start-check",
    calls: &[&[
        Call::GetObject,
        Call::PutObject,
        Call::DeleteObject,
        Call::ListObjects,
        Call::StartExecution,
        Call::DescribeExecution,
    ]],
};

/// Reads exposure into the bucket, as [`EXPOSURE_ROLE`] in each account.
pub const READ_EXPOSURE: Function = Function {
    name: "read-exposure",
    calls: &[&[Call::GetObject, Call::PutObject, Call::ListObjects, Call::AssumeRole]],
};

/// The role in each account that exposure is read as, whoever reads.
pub const EXPOSURE_ROLE: Function = Function { name: "read-exposure-member", calls: &[EXPOSURE] };

/// The program `ses-perimeter`, with its `doctor`.
pub const PROGRAM: Function = Function {
    name: "ses-perimeter",
    calls: &[
        COLLECT,
        &[
            Call::ListDelegatedAdministrators,
            Call::ListObjects,
            Call::GetObject,
            Call::GetFindings,
            Call::DescribeHub,
            Call::GetSendQuota,
            Call::GetIdentityVerificationAttributes,
            Call::GetCallerIdentity,
            Call::AssumeRole,
        ],
    ],
};

/// The functions that the template deploys.
pub const FUNCTIONS: [Function; 5] =
    [FETCH_SCPS, EVALUATE_SCPS, PUBLISH_FINDINGS, START_CHECK, READ_EXPOSURE];

/// The roles that the template for members makes, for functions to assume.
pub const MEMBER_ROLES: [Function; 1] = [EXPOSURE_ROLE];
