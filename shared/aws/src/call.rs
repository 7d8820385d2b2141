//! The calls that the program can make.

use pipeline::ports::{CallError, Failure};

/// The code of an error for a call that a function has not declared.
pub const NOT_DECLARED: &str = "NotDeclared";

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $permission:literal,)*) => {
        /// A call to AWS.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Call {
            $($(#[$doc])* $name,)*
        }

        impl Call {
            /// Every call.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The IAM action that allows the call.
            #[must_use]
            pub const fn permission(self) -> &'static str {
                match self {
                    $(Self::$name => $permission,)*
                }
            }
        }
    };
}

calls! {
    /// The organization itself.
    DescribeOrganization = "organizations:DescribeOrganization",
    /// The root with its policy types.
    ListRoots = "organizations:ListRoots",
    /// All accounts.
    ListAccounts = "organizations:ListAccounts",
    /// The accounts of a unit.
    ListAccountsForParent = "organizations:ListAccountsForParent",
    /// The units of a unit.
    ListOrganizationalUnitsForParent = "organizations:ListOrganizationalUnitsForParent",
    /// All policies.
    ListPolicies = "organizations:ListPolicies",
    /// Where a policy is attached.
    ListTargetsForPolicy = "organizations:ListTargetsForPolicy",
    /// A policy with its content.
    DescribePolicy = "organizations:DescribePolicy",
    /// One account.
    DescribeAccount = "organizations:DescribeAccount",
    /// One unit.
    DescribeOrganizationalUnit = "organizations:DescribeOrganizationalUnit",
    /// Where an account or unit is.
    ListParents = "organizations:ListParents",
    /// The policies of a target.
    ListPoliciesForTarget = "organizations:ListPoliciesForTarget",
    /// Who may read beside the management account; `doctor` only.
    ListDelegatedAdministrators = "organizations:ListDelegatedAdministrators",
    /// An object.
    GetObject = "s3:GetObject",
    /// An object to write.
    PutObject = "s3:PutObject",
    /// An object to remove.
    DeleteObject = "s3:DeleteObject",
    /// The keys under a prefix.
    ListObjects = "s3:ListBucket",
    /// An execution to start.
    StartExecution = "states:StartExecution",
    /// How an execution stands.
    DescribeExecution = "states:DescribeExecution",
    /// Findings to write.
    BatchImportFindings = "securityhub:BatchImportFindings",
    /// Findings to resolve.
    BatchUpdateFindings = "securityhub:BatchUpdateFindings",
    /// Findings to read.
    GetFindings = "securityhub:GetFindings",
    /// Whether Security Hub is on; `doctor` only.
    DescribeHub = "securityhub:DescribeHub",
    /// Events of our own.
    PutEvents = "events:PutEvents",
    /// The digest.
    SendEmail = "ses:SendEmail",
    /// How much mail can be sent.
    GetSendQuota = "ses:GetSendQuota",
    /// Whether a sender is verified; `doctor` only.
    GetIdentityVerificationAttributes = "ses:GetIdentityVerificationAttributes",
    /// The Regions of an account.
    ListRegions = "account:ListRegions",
    /// How SES stands in an account.
    GetAccount = "ses:GetAccount",
    /// Whether an account may send.
    GetAccountSendingEnabled = "ses:GetAccountSendingEnabled",
    /// What was sent in two weeks.
    GetSendStatistics = "ses:GetSendStatistics",
    /// Identities with what is verified.
    ListEmailIdentities = "ses:ListEmailIdentities",
    /// The names of an identity's policies.
    ListIdentityPolicies = "ses:ListIdentityPolicies",
    /// Policies of an identity.
    GetIdentityPolicies = "ses:GetIdentityPolicies",
    /// The relays of Mail Manager.
    ListRelays = "ses:ListRelays",
    /// One relay.
    GetRelay = "ses:GetRelay",
    /// The rule sets of Mail Manager.
    ListRuleSets = "ses:ListRuleSets",
    /// One rule set.
    GetRuleSet = "ses:GetRuleSet",
    /// The ingress points of Mail Manager.
    ListIngressPoints = "ses:ListIngressPoints",
    /// VPC endpoints with their policies.
    DescribeVpcEndpoints = "ec2:DescribeVpcEndpoints",
    /// The role in a member account.
    AssumeRole = "sts:AssumeRole",
    /// Who calls; needs no permission, `doctor` only.
    GetCallerIdentity = "sts:GetCallerIdentity",
}

/// Calls in groups.
pub type CallGroups = &'static [&'static [Call]];

impl Call {
    /// IAM actions that the service asks for beside [`permission`](Self::permission).
    #[must_use]
    pub const fn also(self) -> &'static [&'static str] {
        match self {
            // Without it, S3 answers AccessDenied for an object that does not exist.
            Self::GetObject => &["s3:ListBucket", "kms:Decrypt"],
            Self::PutObject => &["kms:GenerateDataKey"],
            Self::DescribeOrganization
            | Self::ListRoots
            | Self::ListAccounts
            | Self::ListAccountsForParent
            | Self::ListOrganizationalUnitsForParent
            | Self::ListPolicies
            | Self::ListTargetsForPolicy
            | Self::DescribePolicy
            | Self::DescribeAccount
            | Self::DescribeOrganizationalUnit
            | Self::ListParents
            | Self::ListPoliciesForTarget
            | Self::ListDelegatedAdministrators
            | Self::DeleteObject
            | Self::ListObjects
            | Self::StartExecution
            | Self::DescribeExecution
            | Self::BatchImportFindings
            | Self::BatchUpdateFindings
            | Self::GetFindings
            | Self::DescribeHub
            | Self::PutEvents
            | Self::SendEmail
            | Self::GetSendQuota
            | Self::GetIdentityVerificationAttributes
            | Self::ListRegions
            | Self::GetAccount
            | Self::GetAccountSendingEnabled
            | Self::GetSendStatistics
            | Self::ListEmailIdentities
            | Self::ListIdentityPolicies
            | Self::GetIdentityPolicies
            | Self::ListRelays
            | Self::GetRelay
            | Self::ListRuleSets
            | Self::GetRuleSet
            | Self::ListIngressPoints
            | Self::DescribeVpcEndpoints
            | Self::AssumeRole
            | Self::GetCallerIdentity => &[],
        }
    }

    pub(crate) fn error(
        self,
        failure: Failure,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> CallError {
        CallError {
            permission: self.permission(),
            failure,
            code: code.into(),
            message: message.into(),
        }
    }
}
