//! Reading a perimeter file: no panic, and every problem lies inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match ses_perimeter::perimeter::parse(text) {
        Ok(perimeter) => {
            for target in &perimeter.allowed_targets {
                assert!(text.get(target.span.start..target.span.end).is_some());
            }
        }
        Err(error) => {
            for problem in error.problems() {
                if let Some(span) = problem.span() {
                    assert!(span.end <= text.len());
                }
            }
        }
    }
});
