//! Sessions in the accounts that are read, one for each account.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use jiff::{SignedDuration, Timestamp};
use pipeline::ports::CallError;
use tokio::sync::Mutex;

use crate::assume::{Session, assume};
use crate::gate::Gate;

/// As whom accounts are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureAccess {
    /// `arn:PARTITION:iam::` comes before, `:role/ROLE` after the account.
    pub partition: String,
    /// The role's name, with its path where it has one.
    pub role: String,
    /// What the role's trust policy asks for, if anything.
    pub external_id: Option<String>,
}

/// How long a session must last to serve an invocation: its 15 minutes, and some more.
pub(super) const FOR_AN_INVOCATION: SignedDuration = SignedDuration::from_mins(20);
/// How long a session must last to serve a call.
pub(super) const FOR_A_CALL: SignedDuration = SignedDuration::from_mins(1);

/// What CloudTrail of the account shows of who reads.
const SESSION_NAME: &str = "ses-perimeter-read-exposure";

/// Whoever asks first assumes the role, and all others wait for that.
type Slot = Rc<Mutex<Option<Session>>>;

#[derive(Debug)]
pub(super) struct Sessions {
    sts: Client,
    gate: Gate,
    access: ExposureAccess,
    accounts: RefCell<BTreeMap<String, Slot>>,
}

impl Sessions {
    pub(super) fn new(sts: Client, gate: Gate, access: ExposureAccess) -> Self {
        Self { sts, gate, access, accounts: RefCell::default() }
    }

    /// Credentials for an account that last at least so long.
    pub(super) async fn of(
        &self,
        account: &str,
        least: SignedDuration,
    ) -> Result<Credentials, CallError> {
        let slot = self.slot(account);
        let mut slot = slot.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| lasts(session, least)) {
            return Ok(session.credentials.clone());
        }
        let ExposureAccess { partition, role, external_id } = &self.access;
        let arn = format!("arn:{partition}:iam::{account}:role/{role}");
        let session = assume(&self.sts, self.gate, &arn, SESSION_NAME, external_id.clone()).await?;
        let credentials = session.credentials.clone();
        *slot = Some(session);
        Ok(credentials)
    }

    /// The place of an account's session. Nobody says when an account is finished, so the
    /// sessions that have ended are dropped when another account comes.
    fn slot(&self, account: &str) -> Slot {
        let mut accounts = self.accounts.borrow_mut();
        if let Some(slot) = accounts.get(account) {
            return Rc::clone(slot);
        }
        accounts.retain(|_, slot| match slot.try_lock() {
            Ok(session) => session.as_ref().is_some_and(|session| lasts(session, FOR_A_CALL)),
            Err(_) => true,
        });
        let slot = Slot::default();
        accounts.insert(account.to_owned(), Rc::clone(&slot));
        slot
    }
}

fn lasts(session: &Session, least: SignedDuration) -> bool {
    session.expires > Timestamp::now() + least
}
