//! The keys of the tests that have many values, beside some that do not.

use policy::keys::{KeyCatalog, KeyInfo, KeyKind};

pub fn catalog() -> KeyCatalog {
    KeyCatalog::new(
        [
            ("aws:CalledVia", true),
            ("aws:PrincipalArn", false),
            ("aws:PrincipalOrgPaths", true),
            ("aws:TagKeys", true),
            ("ses:ApiVersion", false),
            ("ses:FromAddress", false),
            ("ses:Recipients", true),
        ]
        .map(|(name, multivalued)| KeyInfo {
            name,
            kind: KeyKind::String,
            multivalued,
            family: false,
        }),
    )
}
