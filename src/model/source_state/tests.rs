//! Stories of a source, and what becomes of it.

use super::*;

/// Seconds of a story.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

/// A setback, when it happened, the state then, and how many seconds until the next attempt.
type Turn = (Setback, i64, SourceState, i64);

fn story(name: &str, turns: &[Turn]) -> Condition {
    let mut condition = Condition::NEW;
    for (number, (setback, second, state, wait)) in turns.iter().enumerate() {
        condition = condition.failed(*setback, Some(7), at(*second), 1.0);
        let told = (condition.state, condition.retry_at, condition.failed_at);
        let expected = (*state, Some(at(second + wait)), Some(at(*second)));
        assert_eq!(told, expected, "{name}: turn {number}");
    }
    assert_eq!(condition.failures as usize, turns.len(), "{name}");
    condition
}

#[test]
fn what_follows_from_failures() {
    use Setback::{Misconfigured, Throttled, Transient, Unauthorized};
    use SourceState as State;
    let asked = |seconds| Throttled { after: Some(Span::from_seconds(seconds)) };
    let down = |second, wait| (Transient, second, State::Degraded, wait);
    let growing = [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900];
    story("pauses double and end somewhere", &growing.map(|wait| down(0, wait)));
    story("as long as asked", &[(asked(299), 0, State::Throttled, 299)]);
    story("asked without a time", &[(Throttled { after: None }, 0, State::Throttled, 300)]);
    story("asked for days", &[(asked(86_400), 0, State::Throttled, 3600)]);
    let mut patient = growing.map(|wait| down(0, wait)).to_vec();
    patient.push((asked(1), 0, State::Throttled, 900));
    story("asked for less than the pause", &patient);
    story("a wrong path", &[(Misconfigured, 0, State::Misconfigured, 86_400)]);
    let first = (Unauthorized, 0, State::Degraded, 60);
    let second = (Unauthorized, 60, State::AuthRequired, 86_400);
    story("refused twice", &[first, second]);
    let between = [first, down(60, 4), (Unauthorized, 64, State::AuthRequired, 86_400)];
    story("refused twice with a failure between", &between);
    let again = (Unauthorized, 90_000, State::AuthRequired, 86_400);
    story("refused again a day later", &[first, second, again]);
}

#[test]
fn pauses_are_drawn_between_half_and_all() {
    let first = |jitter| Condition::NEW.failed(Setback::Transient, None, at(0), jitter).retry_at;
    for (jitter, millis) in [(0.0, 1000), (0.5, 1500), (1.0, 2000), (-3.0, 1000), (7.0, 2000)] {
        assert_eq!(first(jitter), Some(at(0) + Span::from_millis(millis)), "{jitter}");
    }
    let poll = |jitter| out_of_step(Span::from_seconds(60), jitter).millis();
    assert_eq!([0.0, 0.5, 1.0].map(poll), [54_000, 60_000, 66_000]);
}

#[test]
fn a_success_forgets_failures() {
    let refused = story("refused", &[(Setback::Unauthorized, 0, SourceState::Degraded, 60)]);
    let well = refused.succeeded(Link::Closed, at(60));
    assert_eq!(well, Condition { state: SourceState::Ok, ..Condition::NEW });
    let once_more = well.failed(Setback::Unauthorized, Some(7), at(120), 1.0);
    assert_eq!(once_more.state, SourceState::Degraded, "again the first refusal");
}

/// A server that accepts, answers and drops: the time between connections must grow all the same.
#[test]
fn a_server_that_drops_every_connection_is_asked_less_and_less() {
    let (mut now, mut condition, mut opened) = (at(0), Condition::NEW, 0);
    while now < at(3600) {
        let since = now;
        condition = condition.succeeded(Link::Open { since }, now + Span::from_millis(50));
        now = now + Span::from_millis(100);
        condition = condition.lost(since, now, 0.0);
        assert_eq!(condition.state, SourceState::Degraded);
        opened += 1;
        now = condition.retry_at.unwrap();
    }
    assert!(opened < 20, "{opened} connections in an hour");
    let since = now;
    let held = condition.succeeded(Link::Open { since }, since + Span::from_seconds(60));
    assert_eq!(held.failures, 0, "one that holds is a good one");
    let lost = held.lost(since, since + Span::from_hours(1), 1.0);
    assert_eq!((lost.state, lost.failures), (SourceState::Ok, 0), "it ended as they all do");
    assert_eq!(lost.retry_at, Some(since + Span::from_hours(1) + FIRST_PAUSE));
    let partly = held.failed(Setback::Transient, None, since, 1.0);
    let lost = partly.lost(since, since + Span::from_seconds(61), 1.0);
    assert_eq!((lost.state, lost.failures), (SourceState::Degraded, 1), "nor is that mended");
}

#[test]
fn when_the_next_attempt_may_be() {
    use Occasion::{Once, Routine, Start};
    use Setback::{Misconfigured, Throttled, Transient, Unauthorized};
    let degraded = story("", &[(Transient, 0, SourceState::Degraded, 2)]);
    let throttled = story("", &[(Throttled { after: None }, 0, SourceState::Throttled, 300)]);
    let refused = (Unauthorized, 0, SourceState::Degraded, 60);
    let refused = story("", &[refused, (Unauthorized, 0, SourceState::AuthRequired, 86_400)]);
    let wrong = story("", &[(Misconfigured, 0, SourceState::Misconfigured, 86_400)]);
    let (same, none, other) = (Some(7), None, Some(8));
    for (condition, occasion, fingerprint, now, wait_until) in [
        (Condition::NEW, Start, none, 0, None),
        (Condition::NEW.succeeded(Link::Closed, at(0)), Start, none, 0, None),
        // Honoured over a restart, but not when an admin asks.
        (degraded, Routine, same, 1, Some(2)),
        (degraded, Start, same, 1, Some(2)),
        (degraded, Once, same, 1, None),
        (degraded, Routine, same, 2, None),
        (throttled, Routine, same, 299, Some(300)),
        (throttled, Start, same, 299, Some(300)),
        (throttled, Once, same, 299, Some(300)),
        (throttled, Once, same, 300, None),
        // Left alone until something changes.
        (refused, Routine, same, 86_399, Some(86_400)),
        (refused, Routine, none, 86_399, Some(86_400)),
        (refused, Routine, same, 86_400, None),
        (refused, Routine, other, 1, None),
        (refused, Start, same, 1, Some(900)),
        (refused, Once, same, 899, Some(900)),
        (refused, Start, same, 900, None),
        (refused, Start, other, 1, None),
        (wrong, Routine, same, 86_399, Some(86_400)),
        (wrong, Start, same, 1, None),
        (wrong, Once, same, 1, None),
        // The clock ran ahead when it failed, and was set right.
        (degraded, Start, same, -86_400, None),
        (throttled, Once, same, -86_400, None),
        (refused, Routine, same, -86_400, None),
        (refused, Start, same, -86_400, None),
    ] {
        let next = condition.next(occasion, fingerprint, at(now));
        let expected = wait_until.map_or(Next::Now, |second| Next::At(at(second)));
        let state = condition.state;
        assert_eq!(next, expected, "{state:?} {occasion:?} {fingerprint:?} at {now}");
    }
}

#[test]
fn other_credentials_are_given_two_tries_of_their_own() {
    let refused = (Setback::Unauthorized, 0, SourceState::Degraded, 60);
    let twice =
        story("", &[refused, (Setback::Unauthorized, 60, SourceState::AuthRequired, 86_400)]);
    for (fingerprint, state) in [
        (Some(8), SourceState::Degraded),
        (Some(7), SourceState::AuthRequired),
        (None, SourceState::AuthRequired),
    ] {
        let after = twice.failed(Setback::Unauthorized, fingerprint, at(120), 1.0);
        assert_eq!(after.state, state, "{fingerprint:?}");
    }
}

#[test]
fn words_name_one_state_each() {
    for state in SourceState::ALL {
        assert_eq!(SourceState::from_code(state.code()), Some(state));
    }
    assert_eq!(SourceState::from_code("wonderful"), None);
}
