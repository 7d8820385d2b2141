//! Condition keys that AWS defines for every service, with their types.
//!
//! # Source
//! IAM User Guide, "AWS global condition context keys"; `docs/conformance.md` lists each key.

/// What the values of a key are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Any text.
    String,
    /// An ARN.
    Arn,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A moment.
    Date,
    /// An address.
    Ip,
}

/// One key, or the family `name*` when [`KeyInfo::family`] is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// The name as AWS spells it; of a family the part before the tag key, slash included.
    pub name: &'static str,
    /// The type of its values.
    pub kind: KeyKind,
    /// Whether a request carries a set of values.
    pub multivalued: bool,
    /// Whether any tag key may follow.
    pub family: bool,
}

const fn single(name: &'static str, kind: KeyKind) -> KeyInfo {
    KeyInfo { name, kind, multivalued: false, family: false }
}

const fn many(name: &'static str) -> KeyInfo {
    KeyInfo { name, kind: KeyKind::String, multivalued: true, family: false }
}

const fn tags(name: &'static str) -> KeyInfo {
    KeyInfo { name, kind: KeyKind::String, multivalued: false, family: true }
}

/// The global keys.
pub const GLOBAL: &[KeyInfo] = &[
    single("aws:PrincipalArn", KeyKind::Arn),
    single("aws:PrincipalAccount", KeyKind::String),
    single("aws:PrincipalOrgID", KeyKind::String),
    many("aws:PrincipalOrgPaths"),
    single("aws:PrincipalType", KeyKind::String),
    single("aws:PrincipalIsAWSService", KeyKind::Bool),
    tags("aws:PrincipalTag/"),
    single("aws:userid", KeyKind::String),
    single("aws:username", KeyKind::String),
    single("aws:FederatedProvider", KeyKind::String),
    single("aws:ResourceAccount", KeyKind::String),
    single("aws:ResourceOrgID", KeyKind::String),
    many("aws:ResourceOrgPaths"),
    tags("aws:ResourceTag/"),
    tags("aws:RequestTag/"),
    many("aws:TagKeys"),
    single("aws:SourceIp", KeyKind::Ip),
    single("aws:SourceVpc", KeyKind::String),
    single("aws:SourceVpce", KeyKind::String),
    single("aws:VpcSourceIp", KeyKind::Ip),
    single("aws:VpceOrgID", KeyKind::String),
    single("aws:VpceAccount", KeyKind::String),
    many("aws:VpceOrgPaths"),
    single("aws:SourceVpcArn", KeyKind::Arn),
    single("aws:Ec2InstanceSourceVpc", KeyKind::String),
    single("aws:Ec2InstanceSourcePrivateIPv4", KeyKind::Ip),
    single("ec2:SourceInstanceArn", KeyKind::Arn),
    single("ec2:RoleDelivery", KeyKind::Number),
    single("aws:SourceIdentity", KeyKind::String),
    single("lambda:SourceFunctionArn", KeyKind::Arn),
    single("codebuild:BuildArn", KeyKind::Arn),
    single("codebuild:ProjectArn", KeyKind::Arn),
    single("ssm:SourceInstanceArn", KeyKind::Arn),
    single("identitystore:UserId", KeyKind::String),
    single("aws:ChatbotSourceArn", KeyKind::Arn),
    single("aws:ViaAWSService", KeyKind::Bool),
    many("aws:CalledVia"),
    single("aws:CalledViaFirst", KeyKind::String),
    single("aws:CalledViaLast", KeyKind::String),
    single("aws:PrincipalServiceName", KeyKind::String),
    many("aws:PrincipalServiceNamesList"),
    single("aws:SourceArn", KeyKind::Arn),
    single("aws:SourceAccount", KeyKind::String),
    single("aws:SourceOrgID", KeyKind::String),
    many("aws:SourceOrgPaths"),
    single("aws:CurrentTime", KeyKind::Date),
    single("aws:EpochTime", KeyKind::Date),
    single("aws:SecureTransport", KeyKind::Bool),
    single("aws:RequestedRegion", KeyKind::String),
    single("aws:TokenIssueTime", KeyKind::Date),
    single("aws:MultiFactorAuthPresent", KeyKind::Bool),
    single("aws:MultiFactorAuthAge", KeyKind::Number),
    single("aws:AssumedRoot", KeyKind::Bool),
    single("aws:UserAgent", KeyKind::String),
    single("aws:referer", KeyKind::String),
];

/// The global keys and those of the services a caller is interested in.
#[derive(Debug, Clone, Default)]
pub struct KeyCatalog {
    service: Vec<KeyInfo>,
}

impl KeyCatalog {
    /// A catalog of the global keys and `service`.
    #[must_use]
    pub fn new(service: Vec<KeyInfo>) -> Self {
        Self { service }
    }

    /// The key of this name, ignoring case; of a family any tag key may follow.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<KeyInfo> {
        GLOBAL.iter().chain(&self.service).copied().find(|info| {
            if info.family {
                name.len() > info.name.len()
                    && name
                        .get(..info.name.len())
                        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(info.name))
            } else {
                name.eq_ignore_ascii_case(info.name)
            }
        })
    }

    /// Whether a request carries a set of values for this key. An unknown key has one value.
    #[must_use]
    pub fn is_multivalued(&self, name: &str) -> bool {
        self.get(name).is_some_and(|info| info.multivalued)
    }
}
