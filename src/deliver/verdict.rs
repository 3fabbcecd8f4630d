//! What follows from the outcome of an attempt: pure, `now` and jitter are arguments.
//!
//! Guarantees: success ends it, 410 switches the endpoint off, every other failure is tried again
//! by a fixed schedule until that is used up. A receiver that asks for patience (`Retry-After`
//! with 429 or 503) gets it, up to a day, and never an earlier attempt than the schedule's.

use chrono::DateTime;

use super::{Failure, Outcome};
use crate::model::{Span, Timestamp};

/// The longest wait before the second, third … attempt, in seconds; the actual wait is drawn
/// evenly below it, so that the deliveries of one outage do not come back all at once.
const SCHEDULE_S: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// No wait is shorter, whatever is drawn.
const FLOOR: Span = Span::from_seconds(1);

/// No wait is longer, whatever the receiver asks for.
pub const LONGEST_WAIT: Span = Span::from_hours(24);

/// How many attempts a delivery has.
pub const ATTEMPTS: u32 = 10;

/// What becomes of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has arrived.
    Delivered,
    /// It is tried again.
    Retry {
        /// The earliest instant of the next attempt.
        at: Timestamp,
        /// What went wrong, for people; without secrets, addresses and URLs.
        why: String,
    },
    /// It has used up its attempts: it goes to the dead letters, from where it can be replayed.
    Dead {
        /// What went wrong the last time.
        why: String,
    },
    /// The receiver wants no more: this and all other deliveries to the endpoint are held.
    Disable {
        /// What it said.
        why: String,
    },
}

/// Judges the outcome of attempt number `attempt` (the first is 1), made at `now`.
///
/// `jitter` is drawn from `0.0..1.0`.
#[must_use]
pub fn verdict(outcome: &Outcome, attempt: u32, now: Timestamp, jitter: f64) -> Verdict {
    let (why, asked) = match outcome {
        Outcome::Answered { status: 200..=299, .. } => return Verdict::Delivered,
        Outcome::Answered { status: 410, .. } => {
            return Verdict::Disable { why: "the endpoint is gone (410)".to_owned() };
        }
        Outcome::Answered { status, retry_after, .. } => {
            (status_reason(*status), asked_wait(*status, retry_after.as_deref(), now))
        }
        Outcome::Failed(failure) => (failure_reason(failure), None),
    };
    match scheduled_wait(attempt, jitter) {
        None => Verdict::Dead { why },
        Some(wait) => Verdict::Retry { at: now + asked.map_or(wait, |asked| asked.max(wait)), why },
    }
}

/// The wait after attempt number `attempt`: `jitter` times the step, at least the floor;
/// `None` after the last one.
fn scheduled_wait(attempt: u32, jitter: f64) -> Option<Span> {
    let step_s = *SCHEDULE_S.get(usize::try_from(attempt.checked_sub(1)?).ok()?)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "at most 86,400,000 ms"
    )]
    let wait = Span::from_millis((jitter.clamp(0.0, 1.0) * step_s as f64 * 1000.0) as i64);
    Some(wait.max(FLOOR))
}

/// The wait that the receiver asks for, at most the ceiling; only 429 and 503 may ask.
pub(super) fn asked_wait(status: u16, retry_after: Option<&str>, now: Timestamp) -> Option<Span> {
    if !matches!(status, 429 | 503) {
        return None;
    }
    let text = retry_after?.trim();
    // RFC 9110, 10.2.3: seconds, or a date as in RFC 9110, 5.6.7 (its current form).
    let wait = match text.parse::<u32>() {
        Ok(seconds) => Span::from_seconds(i64::from(seconds)),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            LONGEST_WAIT
        }
        Err(_) => {
            let date = DateTime::parse_from_rfc2822(text).ok()?;
            Timestamp::from_millis(date.timestamp_millis()) - now
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// A failing status in words.
fn status_reason(status: u16) -> String {
    match status {
        300..=399 => format!("redirects are not followed ({status})"),
        429 => "the endpoint asks for fewer requests (429)".to_owned(),
        400..=499 => format!("the endpoint refuses the request ({status})"),
        500..=599 => format!("the endpoint has an error ({status})"),
        _ => format!("the endpoint answers {status}"),
    }
}

/// A failure without an answer in words.
fn failure_reason(failure: &Failure) -> String {
    match failure {
        Failure::Timeout => "no answer in time".to_owned(),
        Failure::Unresolved => "the host's name is not known".to_owned(),
        Failure::Refused(refusal) => format!("not connected: {refusal}"),
        Failure::Unconnected => "no connection".to_owned(),
        Failure::Tls(reason) => format!("no trusted connection: {reason}"),
        Failure::Broken => "the connection broke".to_owned(),
        Failure::Unsendable => "the request cannot be written".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::Refusal;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_248_000); // 2026-11-21T08:00:00Z

    fn answered(status: u16, retry_after: Option<&str>) -> Outcome {
        let retry_after = retry_after.map(str::to_owned);
        Outcome::Answered { status, retry_after, answer: String::new() }
    }

    /// The wait in seconds, or the other verdict's name.
    fn judged(outcome: &Outcome, attempt: u32, jitter: f64) -> Result<i64, &'static str> {
        match verdict(outcome, attempt, NOW, jitter) {
            Verdict::Retry { at, .. } => Ok((at - NOW).millis() / 1000),
            Verdict::Delivered => Err("delivered"),
            Verdict::Dead { .. } => Err("dead"),
            Verdict::Disable { .. } => Err("disable"),
        }
    }

    #[test]
    fn what_each_status_means() {
        for (status, expected) in [
            (200, Err("delivered")),
            (204, Err("delivered")),
            (299, Err("delivered")),
            (410, Err("disable")),
            (301, Ok(150)),
            (308, Ok(150)),
            (400, Ok(150)),
            (401, Ok(150)),
            (404, Ok(150)),
            (429, Ok(150)),
            (500, Ok(150)),
            (503, Ok(150)),
            (600, Ok(150)),
        ] {
            assert_eq!(judged(&answered(status, None), 2, 0.5), expected, "{status}");
        }
    }

    #[test]
    fn the_schedule_at_its_longest() {
        for (attempt, expected) in [
            (1, Ok(5)),
            (2, Ok(300)),
            (3, Ok(1800)),
            (4, Ok(7200)),
            (5, Ok(18_000)),
            (6, Ok(36_000)),
            (7, Ok(50_400)),
            (8, Ok(72_000)),
            (9, Ok(86_400)),
            (10, Err("dead")),
            (u32::MAX, Err("dead")),
        ] {
            assert_eq!(judged(&Outcome::Failed(Failure::Timeout), attempt, 1.0), expected);
        }
        assert_eq!(judged(&Outcome::Failed(Failure::Broken), 9, 0.0), Ok(1));
    }

    #[test]
    fn retry_after_is_honoured_within_bounds() {
        for (status, header, jitter, expected) in [
            (429, "120", 0.0, 120),
            (503, "120", 0.0, 120),
            (429, " 120 ", 0.0, 120),
            (429, "Sat, 21 Nov 2026 08:10:00 GMT", 0.0, 600),
            // Earlier than the schedule, in the past, or at once: the schedule holds.
            (429, "0", 0.5, 150),
            (429, "10", 1.0, 300),
            (429, "Sat, 21 Nov 2026 07:00:00 GMT", 0.5, 150),
            // A day at most.
            (429, "86401", 0.0, 86_400),
            (503, "99999999999999999999", 0.0, 86_400),
            (503, "Fri, 01 Jan 2100 00:00:00 GMT", 0.0, 86_400),
            // Not understood, or not the receiver's to ask.
            (429, "soon", 0.5, 150),
            (429, "-5", 0.5, 150),
            (429, "", 0.5, 150),
            (500, "3600", 0.5, 150),
            (302, "3600", 0.5, 150),
        ] {
            let outcome = answered(status, Some(header));
            assert_eq!(judged(&outcome, 2, jitter), Ok(expected), "{status} {header:?}");
        }
    }

    #[test]
    fn reasons_say_what_to_look_for() {
        for (outcome, expected) in [
            (answered(301, None), "redirects are not followed (301)"),
            (answered(500, None), "the endpoint has an error (500)"),
            (
                Outcome::Failed(Failure::Refused(Refusal::LinkLocal)),
                "not connected: the address is link-local",
            ),
        ] {
            let Verdict::Retry { why, .. } = verdict(&outcome, 1, NOW, 0.5) else {
                panic!("{outcome:?} is tried again");
            };
            assert_eq!(why, expected);
        }
    }

    proptest! {
        #[test]
        fn a_failing_delivery_ends_within_its_bounds(jitters in prop::collection::vec(0.0..1.0f64, 10)) {
            let (mut at, mut retries) = (NOW, 0);
            for (attempt, jitter) in (1..).zip(&jitters) {
                match verdict(&answered(500, None), attempt, at, *jitter) {
                    Verdict::Retry { at: next, .. } => {
                        prop_assert!(next > at, "attempt {attempt} does not move on");
                        (at, retries) = (next, retries + 1);
                    }
                    Verdict::Dead { .. } => break,
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert_eq!(retries, ATTEMPTS - 1);
            let total = at - NOW;
            prop_assert!(total >= Span::from_seconds(9));
            prop_assert!(total <= Span::from_seconds(SCHEDULE_S.iter().sum()));
        }

        #[test]
        fn waits_grow_with_the_draw_and_the_attempt(a in 0.0..1.0f64, b in 0.0..1.0f64, attempt in 1..9u32) {
            let wait = |attempt, jitter| judged(&Outcome::Failed(Failure::Timeout), attempt, jitter);
            prop_assert!(wait(attempt, a.min(b)) <= wait(attempt, a.max(b)));
            prop_assert!(wait(attempt, a) <= wait(attempt + 1, a));
        }

        #[test]
        fn no_header_makes_a_wait_leave_its_bounds(header in ".{0,40}", attempt in 1..10u32, jitter in 0.0..1.0f64) {
            let wait = judged(&answered(429, Some(&header)), attempt, jitter);
            prop_assert!(matches!(wait, Ok(1..=86_400)), "{wait:?}");
            prop_assert!(wait >= judged(&answered(429, None), attempt, jitter));
        }
    }
}
