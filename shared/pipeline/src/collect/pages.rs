//! How far a list has been read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::wire::digest;

/// The place in a list that is read page by page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pages {
    next: Option<String>,
    done: bool,
    /// Digests of the tokens so far; tokens themselves may be long.
    seen: BTreeSet<String>,
    /// Whether the token comes from this invocation.
    #[serde(skip)]
    fresh: bool,
}

/// A list returned a token that it had returned before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated;

impl Pages {
    /// A list that goes on at this token.
    pub(crate) fn at(next: Option<String>) -> Self {
        let seen = next.iter().map(|token| digest(token.as_bytes())).collect();
        Self { next, seen, ..Self::default() }
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// The token to go on with.
    pub(crate) fn token(&self) -> Option<String> {
        self.next.clone()
    }

    /// Goes on to the next page; no token ends the list, whatever the page held.
    pub(crate) fn advance(&mut self, next: Option<String>) -> Result<(), Repeated> {
        self.fresh = true;
        match &next {
            Some(token) => {
                if !self.seen.insert(digest(token.as_bytes())) {
                    return Err(Repeated);
                }
            }
            None => self.finish(),
        }
        self.next = next;
        Ok(())
    }

    /// Marks the list as read, or as given up.
    pub(crate) fn finish(&mut self) {
        self.done = true;
        self.next = None;
        self.seen.clear();
    }

    /// Whether the token is an earlier invocation's, which the service may have forgotten. The
    /// list then starts again.
    pub(crate) fn restarts(&mut self) -> bool {
        let stale = !self.fresh && self.next.is_some();
        if stale {
            *self = Self { fresh: true, ..Self::default() };
        }
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_at_which_a_list_goes_on_counts_as_seen() {
        let mut pages = Pages::at(Some("a".to_owned()));
        assert_eq!(pages.token().as_deref(), Some("a"));
        assert_eq!(pages.advance(Some("a".to_owned())), Err(Repeated));
        let mut pages = Pages::at(None);
        assert_eq!((pages.advance(None), pages.is_done()), (Ok(()), true));
    }

    #[test]
    fn a_token_that_repeats_is_an_error_even_after_others() {
        let mut pages = Pages::default();
        assert_eq!(pages.advance(Some("a".to_owned())), Ok(()));
        assert_eq!(pages.advance(Some("b".to_owned())), Ok(()));
        assert_eq!(pages.advance(Some("a".to_owned())), Err(Repeated));
        assert!(!pages.is_done());
    }

    #[test]
    fn only_a_missing_token_ends_a_list() {
        let mut pages = Pages::default();
        assert_eq!(pages.advance(Some(String::new())), Ok(()));
        assert!(!pages.is_done());
        assert_eq!(pages.advance(None), Ok(()));
        assert!(pages.is_done());
    }

    #[test]
    fn only_a_token_of_an_earlier_invocation_restarts_a_list() {
        let mut pages = Pages::default();
        assert!(!pages.restarts(), "nothing to restart");
        assert_eq!(pages.advance(Some("a".to_owned())), Ok(()));
        assert!(!pages.restarts(), "the token is of this invocation");
        let mut later = Pages { fresh: false, ..pages };
        assert!(later.restarts());
        assert_eq!(later.token(), None);
        assert!(!later.restarts());
    }
}
