//! What is known of all accounts, in parts that fit into memory.

use std::collections::BTreeMap;

use exposure::wire::WireSection;
use organization::AccountId;
use serde::{Deserialize, Serialize};

use super::merge::Reading;
use super::wire::{READING_VERSION, Times, read_line};
use crate::objects;
use crate::ports::{CallError, Objects};

/// How many parts there are: as many as slots, so that the accounts of a shard of findings are in
/// few of them.
pub const PARTS: u32 = findings::slots::SLOTS;

/// How many accounts are planned and merged at once, where their parts allow: few parts with few
/// accounts make full batches together, and what is known of 1,000 accounts in 30 Regions is some
/// 10 MB.
const GROUP: usize = 1_000;

/// The longest reason for damage that is kept.
const REASON: usize = 200;

/// The part that an account is in.
#[must_use]
pub fn part_of(account: AccountId) -> u32 {
    findings::slots::slot_of(&account.to_string())
}

/// A part with those of its accounts that are to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartAccounts {
    /// Its number.
    pub part: u32,
    /// In the order given.
    pub accounts: Vec<AccountId>,
}

/// Cuts all parts, in order, into groups that are planned and merged at once: as many parts as
/// have 1,000 accounts together, or one that has more. Every part is in a group, also one
/// without accounts.
#[must_use]
pub fn groups(accounts: &[AccountId]) -> Vec<Vec<PartAccounts>> {
    let mut of_parts: BTreeMap<u32, Vec<AccountId>> = BTreeMap::new();
    for account in accounts {
        of_parts.entry(part_of(*account)).or_default().push(*account);
    }
    let mut groups = Vec::new();
    let (mut open, mut size) = (Vec::new(), 0);
    for part in 0..PARTS {
        let accounts = of_parts.remove(&part).unwrap_or_default();
        if size > 0 && size + accounts.len() > GROUP {
            groups.push(std::mem::take(&mut open));
            size = 0;
        }
        size += accounts.len();
        open.push(PartAccounts { part, accounts });
    }
    groups.push(open);
    groups
}

/// Why a part cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// It is not what this program wrote.
    #[error("`{key}` in the bucket is damaged: {reason}; its accounts count as not read")]
    Damaged {
        /// Its key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bucket failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// What is known of the accounts of a part; nothing where nothing was written yet. An account that
/// is not in it was not read.
///
/// # Errors
/// [`PartError`]. Of a damaged part nothing is known.
pub async fn read_part(objects: &impl Objects, part: u32) -> Result<Reading, PartError> {
    Stored::load(objects, part).await?.reading
}

/// A part as it stands in the bucket.
pub(super) struct Stored {
    /// Its version and its bytes; none where it is not there.
    pub(super) object: Option<crate::ports::Object>,
    /// What it says.
    pub(super) reading: Result<Reading, PartError>,
}

impl Stored {
    pub(super) async fn load(objects: &impl Objects, part: u32) -> Result<Self, CallError> {
        let key = objects::exposure_part(part);
        let object = objects.get(&key).await?;
        let reading = match &object {
            None => Ok(Reading::default()),
            Some(object) => {
                let read = from_bytes(part, &object.bytes);
                read.map_err(|reason| PartError::Damaged { key, reason })
            }
        };
        Ok(Self { object, reading })
    }
}

/// The first line of a part; the second is an exposure section. Both are in one object, so that
/// no time ever stands beside the reading of another moment.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PartHead {
    schema_version: u32,
    part: u32,
    /// Account to Region to when it was read, RFC 3339.
    read_at: BTreeMap<String, BTreeMap<String, String>>,
}

/// A part as it is written.
///
/// # Errors
/// None that input can reach.
pub(super) fn to_bytes(part: u32, reading: &Reading) -> Result<Vec<u8>, serde_json::Error> {
    let read_at = reading.times.accounts.clone();
    let mut bytes =
        serde_json::to_vec(&PartHead { schema_version: READING_VERSION, part, read_at })?;
    bytes.push(b'\n');
    serde_json::to_writer(&mut bytes, &WireSection::from(&reading.exposure))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn from_bytes(part: u32, bytes: &[u8]) -> Result<Reading, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let Some((head, section)) = text.split_once('\n') else {
        return Err("it has one line and should have two".to_owned());
    };
    let head: PartHead = read_line(1, head).map_err(|error| error.to_string())?;
    if head.part != part {
        return Err(format!("it is part {}", head.part));
    }
    let exposure = exposure::read(section).map_err(|error| {
        let reason: String = error.to_string().chars().take(REASON).collect();
        format!("its section cannot be read: {reason}")
    })?;
    let strange = exposure.accounts.iter().find(|account| part_of(account.account) != part);
    if let Some(strange) = strange {
        return Err(format!("account {} is in part {}", strange.account, part_of(strange.account)));
    }
    Ok(Reading { exposure, times: Times { accounts: head.read_at } })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn accounts(count: u64) -> Vec<AccountId> {
        (0..count).map(|n| format!("{:012}", n * 7_919).parse().unwrap()).collect()
    }

    #[test]
    fn groups_have_every_part_and_account_once_and_no_more_than_fits() {
        for (count, expected) in [(0, 1..=1), (1_000, 1..=1), (10_000, 10..=13), (50_000, 64..=64)]
        {
            let all = accounts(count);
            let groups = groups(&all);
            assert!(expected.contains(&groups.len()), "{count} accounts make {}", groups.len());
            let parts: Vec<u32> = groups.iter().flatten().map(|part| part.part).collect();
            assert_eq!(parts, (0..PARTS).collect::<Vec<_>>());
            let mut found: Vec<AccountId> = Vec::new();
            for group in &groups {
                let size: usize = group.iter().map(|part| part.accounts.len()).sum();
                assert!(size <= GROUP || group.len() == 1, "{size}");
                found.extend(group.iter().flat_map(|part| &part.accounts));
            }
            found.sort_unstable();
            assert_eq!(found, all);
        }
    }
}
