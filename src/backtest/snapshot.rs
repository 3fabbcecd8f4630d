//! The instants at which strength is asked what it foretells.

use crate::model::{Span, Timestamp};

/// Nothing is asked before so much is known …
const LEAST_PAST: Span = Span::from_days(90);
/// … and before this share of the log's span, in percent.
const PAST_PERCENT: i64 = 30;
/// After the last snapshot there must be so much left to judge by: the longest horizon.
const FUTURE: Span = Span::from_days(90);
/// Days between two snapshots unless somebody asks otherwise.
pub const EVERY_DAYS: u32 = 30;

/// Which snapshots are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first one; by default as model and README say.
    pub from: Option<Timestamp>,
    /// None later than this.
    pub to: Option<Timestamp>,
    /// Days from each to the next, at least 1.
    pub every_days: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { from: None, to: None, every_days: EVERY_DAYS }
    }
}

/// The snapshots of a log that begins at `first` and ends at `last`, in order; none may be left.
///
/// From the first interaction + max(90 days, 30 % of the span), or `from`, up to the last
/// interaction − 90 days, or `to` if that is earlier: what comes later cannot be judged yet.
#[must_use]
pub fn snapshots(first: Timestamp, last: Timestamp, window: &Window) -> Vec<Timestamp> {
    let span = last - first;
    let share = Span::from_millis(span.millis() / 100 * PAST_PERCENT);
    let from = window.from.unwrap_or(first + share.max(LEAST_PAST)).max(first);
    let judged = last - FUTURE;
    let to = window.to.map_or(judged, |to| to.min(judged));
    let step = Span::from_days(i64::from(window.every_days.max(1)));
    std::iter::successors(Some(from), |at| Some(*at + step)).take_while(|at| *at <= to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_seconds(day * 86_400)
    }

    #[test]
    fn snapshots_leave_a_past_to_know_and_a_future_to_judge_by() {
        let default = Window::default();
        let from = |day_number| Window { from: Some(day(day_number)), ..default };
        let to = |day_number| Window { to: Some(day(day_number)), ..default };
        for (span, window, expected) in [
            (179, default, vec![]),
            (180, default, vec![90]),
            (240, default, vec![90, 120, 150]),
            (400, default, vec![120, 150, 180, 210, 240, 270, 300]),
            (400, Window { every_days: 100, ..default }, vec![120, 220]),
            (400, Window { every_days: 0, to: Some(day(121)), ..default }, vec![120, 121]),
            (400, from(-50), (0..=10).map(|n| 30 * n).collect()),
            (400, from(300), vec![300]),
            (400, from(311), vec![]),
            (400, to(149), vec![120]),
            (400, to(9_999), vec![120, 150, 180, 210, 240, 270, 300]),
        ] {
            let days: Vec<i64> = snapshots(day(0), day(span), &window)
                .into_iter()
                .map(|at| at.seconds() / 86_400)
                .collect();
            assert_eq!(days, expected, "{span} {window:?}");
        }
    }
}
