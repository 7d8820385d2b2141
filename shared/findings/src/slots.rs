//! Where the findings of an account belong: the shard that publishes them, and the slot by which
//! Security Hub can find those of one shard.

/// How many slots there are. Every shard count that divides it has whole slots to itself.
pub const SLOTS: u32 = 64;

/// The most values that one filter of `GetFindings` takes
/// (<https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFindingFilters.html>).
pub const MOST_FILTERED: usize = 20;

/// The shard of an account: findings of an account are always in the same one.
#[must_use]
pub fn shard_of(account: &str, shards: u32) -> u32 {
    // FNV-1a: stable over versions and machines, which std's hashers do not promise.
    let hash = account
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.checked_rem(shards.max(1)).unwrap_or(0)
}

/// The slot of an account, which its findings carry.
#[must_use]
pub fn slot_of(account: &str) -> u32 {
    shard_of(account, SLOTS)
}

/// The slots of a shard, where one filter can name them. Empty where the slots do not tell the
/// shards apart, or where they are too many: then every finding has to be looked at.
#[must_use]
pub fn slots_of(shard: u32, shards: u32) -> Vec<u32> {
    if SLOTS.checked_rem(shards) != Some(0) {
        return Vec::new();
    }
    let slots: Vec<u32> =
        (0..SLOTS).filter(|slot| slot.checked_rem(shards) == Some(shard)).collect();
    if slots.len() > MOST_FILTERED { Vec::new() } else { slots }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slots_of_a_shard_hold_its_accounts_and_no_others() {
        let accounts: Vec<String> = (0..2_000).map(|n| format!("{:012}", n * 7_919)).collect();
        let mut filtered = Vec::new();
        for shards in 1..=100 {
            for shard in 0..shards {
                let slots = slots_of(shard, shards);
                assert!(slots.len() <= MOST_FILTERED);
                if slots.is_empty() {
                    continue;
                }
                filtered.push(shards);
                for account in &accounts {
                    assert_eq!(
                        slots.contains(&slot_of(account)),
                        shard_of(account, shards) == shard,
                        "{account} in {shard} of {shards}"
                    );
                }
            }
        }
        filtered.dedup();
        assert_eq!(filtered, [4, 8, 16, 32, 64]);
    }
}
