//! What is noted while a snapshot is read.

use text::diagnostic::{Diagnostic, Problems, short};
use text::fields::Text;

use crate::id::MalformedId;

/// What is noted on the way.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) problems: Problems,
    pub(super) warnings: Vec<String>,
}

/// Notes that an id does not have its shape.
pub(super) fn malformed(problems: &mut Problems, text: Text<'_>, error: &MalformedId) {
    problems.push(|| {
        Diagnostic::error(error.to_string())
            .label(short(text.span), "this id")
            .help("write the id as AWS Organizations shows it")
    });
}
