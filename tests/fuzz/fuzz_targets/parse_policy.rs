//! Reading a policy document: no panic, spans inside the text, and what is printed is read back
//! with the same meaning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::parse::{Limits, parse};
use policy::print::print;

fuzz_target!(|text: &str| {
    let Ok(parsed) = parse(text, &Limits::default()) else { return };
    for statement in &parsed.policy.statements {
        assert!(text.get(statement.span.start..statement.span.end).is_some());
        for condition in &statement.conditions {
            assert!(text.get(condition.span.start..condition.span.end).is_some());
        }
    }
    let Ok(printed) = print(&parsed.policy) else { return };
    let again = parse(&printed, &Limits { max_bytes: usize::MAX, ..Limits::default() })
        .expect("what was printed is readable");
    assert_eq!(print(&again.policy).expect("and prints"), printed);
});
