//! Days.

/// A day in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// As `2026-11-28`.
    pub text: &'static str,
    /// Days since 1970-01-01.
    pub epoch_day: i64,
}
