//! Whether an endpoint is tried at all: a circuit breaker, pure, `now` and jitter are arguments.
//!
//! Guarantees: an endpoint that has failed several times in a row, or that asks for patience
//! (`Retry-After`), is left alone, with all that is owed to it: nothing of that uses up its attempts
//! meanwhile. Then one delivery is tried; if it fails for the endpoint's sake, the endpoint is left
//! alone for longer. Since the deliveries of an endpoint are tried one after the other, that one is
//! the only probe. A failure that is the message's own (it is too large, it is not understood) says
//! that the endpoint works. The state is a row of the database, so that a restart does not begin anew.

use super::verdict::{LONGEST_WAIT, asked_wait};
use super::{Failure, Outcome};
use crate::model::{Span, Timestamp};

/// So many failures in a row open the breaker: single ones are what retries are for.
const THRESHOLD: u32 = 5;

/// How long it is open at first, at most; doubled by every probe that fails.
const FIRST: Span = Span::from_seconds(30);

/// How long it is open at most: an endpoint that is back is used within half an hour.
const LONGEST: Span = Span::from_seconds(30 * 60);

/// How an endpoint has been doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Tries in a row that failed for its sake.
    pub failures: u32,
    /// It is left alone until then.
    pub held_until: Option<Timestamp>,
}

/// Whether an endpoint is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It works, as far as is known.
    Closed,
    /// One delivery is tried, by which the next is decided.
    HalfOpen,
    /// It is left alone.
    Open {
        /// Until then.
        until: Timestamp,
    },
}

/// Whose fault an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Nobody's: it arrived.
    Nobody,
    /// The message's: the endpoint works, and does not want this one.
    Message,
    /// The endpoint's: any other message would have met the same.
    Endpoint {
        /// How long it asks to be left alone.
        asked: Option<Span>,
    },
}

impl Breaker {
    /// Whether the endpoint is tried at `now`. A hold that ends later than any may was made by a clock
    /// that has been set back since.
    #[must_use]
    pub fn gate(self, now: Timestamp) -> Gate {
        match self.held_until {
            Some(until) if until > now && until - now <= LONGEST_WAIT => Gate::Open { until },
            Some(_) => Gate::HalfOpen,
            None => Gate::Closed,
        }
    }

    /// How the endpoint does after a try that ended at `now`; `jitter` is drawn from `0.0..1.0`.
    #[must_use]
    pub fn after(self, blame: Blame, now: Timestamp, jitter: f64) -> Self {
        let Blame::Endpoint { asked } = blame else { return Self::default() };
        let failures = self.failures.saturating_add(1);
        // What was waited for once is not doubted again: a probe that fails opens at once.
        let probe = self.held_until.is_some();
        let pause = (failures >= THRESHOLD || probe).then(|| pause(failures, jitter));
        let wait = pause.max(asked.filter(|asked| *asked > Span::ZERO));
        Self { failures, held_until: wait.map(|wait| now + wait.min(LONGEST_WAIT)) }
    }
}

/// Whose fault the outcome of a try at `now` is.
#[must_use]
pub fn blame(outcome: &Outcome, now: Timestamp) -> Blame {
    match outcome {
        Outcome::Answered { status: 200..=299, .. } => Blame::Nobody,
        // Not understood, too large, of a type or with a content that it does not take.
        Outcome::Answered { status: 400 | 413 | 414 | 415 | 422 | 431, .. }
        | Outcome::Failed(Failure::Unsendable) => Blame::Message,
        Outcome::Answered { status, retry_after, .. } => {
            Blame::Endpoint { asked: asked_wait(*status, retry_after.as_deref(), now) }
        }
        Outcome::Failed(_) => Blame::Endpoint { asked: None },
    }
}

/// How long an endpoint is left alone after so many failures in a row: half of it is drawn, so that
/// endpoints of one host are not all probed at once.
fn pause(failures: u32, jitter: f64) -> Span {
    let doublings = failures.saturating_sub(THRESHOLD).min(16);
    let longest = Span::from_millis(FIRST.millis() << doublings).min(LONGEST);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "at most 1,800,000 ms"
    )]
    let drawn = (longest.millis() as f64 * (0.5 + 0.5 * jitter.clamp(0.0, 1.0))) as i64;
    Span::from_millis(drawn)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::Refusal;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_248_000);
    const FAULT: Blame = Blame::Endpoint { asked: None };

    fn answered(status: u16, retry_after: Option<&str>) -> Outcome {
        let retry_after = retry_after.map(str::to_owned);
        Outcome::Answered { status, retry_after, answer: String::new() }
    }

    /// After so many failures one second apart, without regard to holds.
    fn failing(times: u32) -> Breaker {
        (0..times).fold(Breaker::default(), |breaker, _| breaker.after(FAULT, NOW, 1.0))
    }

    #[test]
    fn it_opens_at_the_threshold_and_each_failed_probe_doubles_the_wait() {
        for (failures, seconds) in [
            (0, None),
            (1, None),
            (4, None),
            (5, Some(30)),
            (6, Some(60)),
            (7, Some(120)),
            (10, Some(960)),
            (11, Some(1800)),
            (40, Some(1800)),
        ] {
            let held = failing(failures).held_until;
            assert_eq!(held, seconds.map(|s| NOW + Span::from_seconds(s)), "{failures} failures");
        }
        assert_eq!(
            failing(4).after(FAULT, NOW, 0.0).held_until,
            Some(NOW + Span::from_seconds(15))
        );
    }

    #[test]
    fn closed_open_half_open_and_closed_again() {
        let open = failing(THRESHOLD);
        let until = open.held_until.unwrap();
        assert_eq!(failing(THRESHOLD - 1).gate(NOW), Gate::Closed);
        assert_eq!(open.gate(NOW), Gate::Open { until });
        assert_eq!(open.gate(until - Span::from_millis(1)), Gate::Open { until });
        assert_eq!(open.gate(until), Gate::HalfOpen);
        let again = open.after(FAULT, until, 1.0);
        assert_eq!(again.gate(until), Gate::Open { until: until + Span::from_seconds(60) });
        for blame in [Blame::Nobody, Blame::Message] {
            let closed = open.after(blame, until, 1.0);
            assert_eq!(
                (closed, closed.gate(until)),
                (Breaker::default(), Gate::Closed),
                "{blame:?}"
            );
        }
    }

    #[test]
    fn whose_fault_an_outcome_is() {
        use Blame::{Endpoint, Message, Nobody};
        let asked = |seconds| Endpoint { asked: Some(Span::from_seconds(seconds)) };
        for (outcome, expected) in [
            (answered(200, None), Nobody),
            (answered(204, Some("60")), Nobody),
            (answered(400, None), Message),
            (answered(413, None), Message),
            (answered(422, None), Message),
            (answered(302, None), FAULT),
            (answered(401, None), FAULT),
            (answered(404, None), FAULT),
            (answered(500, Some("60")), FAULT),
            (answered(429, None), FAULT),
            (answered(429, Some("60")), asked(60)),
            (answered(503, Some("999999")), asked(86_400)),
            (Outcome::Failed(Failure::Timeout), FAULT),
            (Outcome::Failed(Failure::Tls("expired".to_owned())), FAULT),
            (Outcome::Failed(Failure::Refused(Refusal::Private)), FAULT),
            (Outcome::Failed(Failure::Unsendable), Message),
        ] {
            assert_eq!(blame(&outcome, NOW), expected, "{outcome:?}");
        }
    }

    /// One 429 is enough: it is the endpoint that asks, not the delivery.
    #[test]
    fn retry_after_holds_the_endpoint_at_once() {
        let asked = |seconds| Blame::Endpoint { asked: Some(Span::from_seconds(seconds)) };
        let held = Breaker::default().after(asked(120), NOW, 0.0);
        let until = NOW + Span::from_seconds(120);
        assert_eq!(held, Breaker { failures: 1, held_until: Some(until) });
        assert_eq!(held.gate(until), Gate::HalfOpen);
        // The longer of the two holds.
        assert_eq!(failing(4).after(asked(3), NOW, 1.0).held_until, failing(5).held_until);
        assert_eq!(
            failing(4).after(asked(3600), NOW, 1.0).held_until,
            Some(NOW + Span::from_hours(1))
        );
        // In the past, or at once: nothing was asked.
        assert_eq!(Breaker::default().after(asked(0), NOW, 0.0).held_until, None);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_it_open() {
        let held = failing(THRESHOLD);
        assert_eq!(held.gate(NOW - Span::from_days(400)), Gate::HalfOpen);
    }

    proptest! {
        #[test]
        fn whatever_happens_it_is_open_for_a_day_at_most_and_closes_on_success(
            steps in prop::collection::vec((0..4u8, 0..200_000i64, 0.0..1.0f64), 1..40),
        ) {
            let (mut breaker, mut now) = (Breaker::default(), NOW);
            for (kind, asked_s, jitter) in steps {
                let blame = match kind {
                    0 => Blame::Nobody,
                    1 => Blame::Message,
                    2 => FAULT,
                    _ => Blame::Endpoint { asked: Some(Span::from_seconds(asked_s)) },
                };
                let probed = breaker.held_until.is_some();
                breaker = breaker.after(blame, now, jitter);
                let failed = matches!(blame, Blame::Endpoint { .. });
                prop_assert_eq!(breaker == Breaker::default(), !failed);
                prop_assert!(!failed || !probed || breaker.held_until.is_some(), "a failed probe holds");
                if let Gate::Open { until } = breaker.gate(now) {
                    prop_assert!(until > now && until - now <= LONGEST_WAIT);
                    now = until;
                }
                let still_open = matches!(breaker.gate(now), Gate::Open { .. });
                prop_assert!(!still_open, "{:?}", breaker);
            }
        }
    }
}
