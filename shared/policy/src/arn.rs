//! Amazon Resource Names, and the ids of accounts in them.

/// The components of an ARN; the last one may hold colons.
pub const ARN_COMPONENTS: usize = 6;

/// The digits of an account's id.
pub const ACCOUNT_DIGITS: usize = 12;

/// Whether `text` has the shape of an account's id.
#[must_use]
pub fn is_account(text: &str) -> bool {
    text.len() == ACCOUNT_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

/// The components of an ARN; any of them may be empty, or hold wildcards where it is a pattern.
///
/// ```
/// let arn = policy::arn::Arn::of("arn:aws:iam::111122223333:role/mail").unwrap();
/// assert_eq!((arn.service, arn.account, arn.resource), ("iam", "111122223333", "role/mail"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'t> {
    /// For instance `aws`.
    pub partition: &'t str,
    /// For instance `iam`.
    pub service: &'t str,
    /// The Region; empty where there is none.
    pub region: &'t str,
    /// The account; empty where there is none.
    pub account: &'t str,
    /// All that follows, colons included.
    pub resource: &'t str,
}

impl<'t> Arn<'t> {
    /// The components of `text`; `None` where it is no ARN.
    #[must_use]
    pub fn of(text: &'t str) -> Option<Self> {
        let mut parts = text.splitn(ARN_COMPONENTS, ':');
        if parts.next()? != "arn" {
            return None;
        }
        Some(Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_component_keeps_its_colons_and_what_is_short_is_no_arn() {
        let resource = Arn::of("arn:aws:lambda:us-east-1:1:function:f").map(|arn| arn.resource);
        assert_eq!(resource, Some("function:f"));
        for short in ["", "*", "arn:aws:iam::1", "urn:aws:iam::1:role/r"] {
            assert_eq!(Arn::of(short), None, "{short}");
        }
    }

    #[test]
    fn an_account_has_twelve_digits_of_ascii() {
        assert!(is_account("012345678901"));
        for text in ["", "01234567890", "0123456789012", "01234567890x", "01234567890١"] {
            assert!(!is_account(text), "{text}");
        }
    }
}
