//! The prefixes of all services: of their actions, and of their condition keys.

use super::date::Date;

include!(concat!(env!("OUT_DIR"), "/service_prefixes.rs"));

/// Whether a service has this prefix, in any case.
#[must_use]
pub fn is_service(prefix: &str) -> bool {
    // The build keeps them sorted and in lower case.
    PREFIXES
        .binary_search_by(|known| {
            known.bytes().cmp(prefix.bytes().map(|byte| byte.to_ascii_lowercase()))
        })
        .is_ok()
}

/// The day up to which the list was read.
#[must_use]
pub const fn date() -> &'static str {
    DATE.text
}
