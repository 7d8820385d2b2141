//! The SES perimeter: action table, perimeter file, controls, questions and verdicts.

pub mod perimeter;
pub mod table;
