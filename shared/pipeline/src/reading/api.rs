//! The calls that reading makes.

use serde::{Deserialize, Serialize};

/// A call that reading makes. None of them changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Api {
    /// STS AssumeRole into the account.
    AssumeRole,
    /// Account Management ListRegions.
    ListRegions,
    /// SESv2 GetAccount.
    GetAccount,
    /// SES GetAccountSendingEnabled.
    GetAccountSendingEnabled,
    /// SES GetSendQuota.
    GetSendQuota,
    /// SES GetSendStatistics.
    GetSendStatistics,
    /// SESv2 ListEmailIdentities.
    ListEmailIdentities,
    /// SES ListIdentityPolicies.
    ListIdentityPolicies,
    /// SES GetIdentityPolicies.
    GetIdentityPolicies,
    /// Mail Manager ListRelays.
    ListRelays,
    /// Mail Manager GetRelay.
    GetRelay,
    /// Mail Manager ListRuleSets.
    ListRuleSets,
    /// Mail Manager GetRuleSet.
    GetRuleSet,
    /// Mail Manager ListIngressPoints.
    ListIngressPoints,
    /// EC2 DescribeVpcEndpoints.
    DescribeVpcEndpoints,
}

impl Api {
    /// The permission that the call needs; a gap carries it.
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::ListRegions => "account:ListRegions",
            Self::GetAccount => "ses:GetAccount",
            Self::GetAccountSendingEnabled => "ses:GetAccountSendingEnabled",
            Self::GetSendQuota => "ses:GetSendQuota",
            Self::GetSendStatistics => "ses:GetSendStatistics",
            Self::ListEmailIdentities => "ses:ListEmailIdentities",
            Self::ListIdentityPolicies => "ses:ListIdentityPolicies",
            Self::GetIdentityPolicies => "ses:GetIdentityPolicies",
            Self::ListRelays => "ses:ListRelays",
            Self::GetRelay => "ses:GetRelay",
            Self::ListRuleSets => "ses:ListRuleSets",
            Self::GetRuleSet => "ses:GetRuleSet",
            Self::ListIngressPoints => "ses:ListIngressPoints",
            Self::DescribeVpcEndpoints => "ec2:DescribeVpcEndpoints",
        }
    }

    /// Whether at most one call a second is made per account and Region.
    ///
    /// # Source
    /// Amazon SES Developer Guide, "Service quotas": every action but the sending ones is
    /// throttled at one request a second.
    #[must_use]
    pub const fn is_paced(self) -> bool {
        match self {
            Self::AssumeRole | Self::ListRegions | Self::DescribeVpcEndpoints => false,
            Self::GetAccount
            | Self::GetAccountSendingEnabled
            | Self::GetSendQuota
            | Self::GetSendStatistics
            | Self::ListEmailIdentities
            | Self::ListIdentityPolicies
            | Self::GetIdentityPolicies
            | Self::ListRelays
            | Self::GetRelay
            | Self::ListRuleSets
            | Self::GetRuleSet
            | Self::ListIngressPoints => true,
        }
    }
}
