//! Reading a snapshot: no panic, and every account of what is accepted has a path and levels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::parse::Limits;

fuzz_target!(|bytes: &[u8]| {
    let Ok(organization) = organization::read_bytes(bytes, &Limits::default()) else { return };
    for (index, _) in organization.accounts() {
        assert_eq!(organization.path(index).len(), organization.levels(index).len());
        assert!(organization.org_path(index).ends_with('/'));
        let _ = organization.gaps_on(index);
        let _ = organization.unreadable_on(index);
    }
});
