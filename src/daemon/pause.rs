//! How long a source rests after a pass. Pure.

use std::time::Duration;

use crate::model::Span;
use crate::source::SourceError;

/// The first pause after a failure; it doubles with each one more.
const FIRST: Span = Span::from_seconds(2);
/// It grows no longer than this.
const LONGEST: Span = Span::from_seconds(15 * 60);
/// What only an admin can mend is tried no more often than this: a locked account helps nobody.
const HOPELESS: Span = Span::from_hours(6);

/// The pause before the next pass: the poll interval, a tenth more or less, after a success; after the `failures`-th
/// failure in a row twice as long as after the one before, between half and all of it as `jitter`
/// (0 to 1) draws; as long as the source asks for.
pub(super) fn pause(error: Option<&SourceError>, failures: u32, poll: Span, jitter: f64) -> Span {
    let doubled = FIRST.millis().saturating_mul(1 << failures.saturating_sub(1).min(12));
    let backoff = Span::from_millis(doubled.min(LONGEST.millis()));
    match error {
        // Not in step with the other sources.
        None => part(poll, 0.9 + 0.2 * jitter.clamp(0.0, 1.0)),
        Some(SourceError::Unauthorized(_) | SourceError::Misconfigured(_)) => HOPELESS,
        Some(SourceError::Throttled { after, .. }) => {
            let asked = after.unwrap_or(Duration::from_secs(300)).min(Duration::from_secs(3600));
            Span::from_millis(i64::try_from(asked.as_millis()).unwrap_or(i64::MAX)).max(backoff)
        }
        Some(_) => part(backoff, 0.5 + 0.5 * jitter.clamp(0.0, 1.0)),
    }
}

/// A share of a span.
fn part(span: Span, share: f64) -> Span {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "pauses are far below 2^52 milliseconds"
    )]
    let millis = (span.millis() as f64 * share) as i64;
    Span::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_somewhere() {
        let poll = Span::from_seconds(60);
        let lost = SourceError::Unreachable(String::new());
        let after = |failures| pause(Some(&lost), failures, poll, 1.0);
        assert_eq!(
            [0.0, 0.5, 1.0].map(|j| pause(None, 0, poll, j).millis()),
            [54000, 60000, 66000]
        );
        assert_eq!([after(1), after(2), after(3)].map(Span::millis), [2000, 4000, 8000]);
        assert_eq!(after(30), LONGEST);
        assert_eq!(pause(Some(&lost), 1, poll, 0.0).millis(), 1000);
        let refused = SourceError::Unauthorized(String::new());
        assert_eq!(pause(Some(&refused), 1, poll, 0.0), HOPELESS);
    }
}
