//! What `make fuzz` runs without end, on a few inputs of every length: so that it builds, and holds.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "../../../tests/fuzz/bodies/decide.rs"]
mod decide;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_procedure_and_the_evaluator_agree_on_stacks_made_from_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..400)
    ) {
        decide::run(&bytes);
    }
}
