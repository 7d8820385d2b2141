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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_any_case() {
        let catalog = KeyCatalog::new(vec![many("ses:Recipients")]);
        assert_eq!(catalog.get("AWS:principalARN").map(|info| info.name), Some("aws:PrincipalArn"));
        assert_eq!(catalog.get("SES:recipients").map(|info| info.name), Some("ses:Recipients"));
        assert_eq!(catalog.get("aws:PrincipalArn2"), None);
        assert_eq!(catalog.get("aws:Principal"), None);
        assert_eq!(KeyCatalog::default().get("ses:Recipients"), None);
    }

    #[test]
    fn a_family_wants_a_tag_key_behind_its_slash() {
        let catalog = KeyCatalog::default();
        for name in ["aws:PrincipalTag/x", "AWS:PRINCIPALTAG/X", "aws:principaltag/é"] {
            let found = catalog.get(name).map(|info| (info.name, info.family));
            assert_eq!(found, Some(("aws:PrincipalTag/", true)), "{name}");
        }
        for name in ["aws:PrincipalTag/", "aws:PrincipalTag", "aws:PrincipalTags/x", "é"] {
            assert_eq!(catalog.get(name), None, "{name}");
        }
    }

    #[test]
    fn sets_are_known_and_unknown_keys_have_one_value() {
        let catalog = KeyCatalog::new(vec![many("ses:Recipients")]);
        for name in ["aws:TagKeys", "aws:CalledVia", "aws:PrincipalOrgPaths", "ses:recipients"] {
            assert!(catalog.is_multivalued(name), "{name}");
        }
        for name in ["aws:PrincipalArn", "aws:RequestTag/x", "aws:CalledViaFirst", "no:such"] {
            assert!(!catalog.is_multivalued(name), "{name}");
        }
    }

    #[test]
    fn no_global_key_is_listed_twice() {
        let names: std::collections::BTreeSet<_> =
            GLOBAL.iter().map(|info| info.name.to_ascii_lowercase()).collect();
        assert_eq!(names.len(), GLOBAL.len());
    }

    #[test]
    fn families_end_in_a_slash_and_nothing_else_does() {
        for info in GLOBAL {
            assert_eq!(info.name.ends_with('/'), info.family, "{}", info.name);
        }
    }
}
