//! The window of time over which the recurrences of calendars are expanded: what adapters read, and
//! what is made of it, must agree on it.
//!
//! What does not change is read again before the window has moved on by more than it reaches beyond
//! [`ASSURED`], so that so much of the future is always known.

use super::{Span, Timestamp};

/// Meetings are kept from so long ago …
pub const BACK: Span = Span::from_days(400);

/// … to so far ahead.
pub const AHEAD: Span = Span::from_days(135);

/// So far ahead they are known at any time.
pub const ASSURED: Span = Span::from_days(120);

/// After so many days all of a calendar is read again.
pub const ROLL_DAYS: i64 = 14;

/// The window at an instant: its first instant, and the first one after it.
#[must_use]
pub fn around(now: Timestamp) -> (Timestamp, Timestamp) {
    (now - BACK, now + AHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_again_in_time_is_known_as_far_ahead_as_promised() {
        assert!(AHEAD > ASSURED + Span::from_days(ROLL_DAYS));
    }
}
