//! What shows that something goes on.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the progress is drawn anew.
pub(super) const TICK: Duration = Duration::from_millis(200);

/// What shows the progress, on a terminal.
pub(super) fn bar(quiet: bool, template: &str) -> ProgressBar {
    let bar = if quiet || !io::stderr().is_terminal() {
        ProgressBar::hidden()
    } else {
        ProgressBar::new_spinner()
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
