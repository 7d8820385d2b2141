//! The keys of the tests that have many values, beside some that do not.

use policy::keys::{KeyCatalog, KeyInfo, KeyKind};

pub fn catalog() -> KeyCatalog {
    KeyCatalog::new(
        [
            ("aws:CalledVia", true),
            ("aws:Guess", false),
            ("aws:PrincipalArn", false),
            ("aws:PrincipalOrgPaths", true),
            ("aws:ResourceOrgPaths", true),
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
