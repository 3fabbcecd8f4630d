//! The trigger on a weekly relationship that goes quiet, and everything that holds it back.

use crate::model::{Direction, Interaction, Kind, Relationship, Span, Timestamp};
use crate::score::{Fall, Parameters, fall, rebuild};

use super::{Ahead, Decision, Facts, Policy, Recovery, Rule, decide, looks_next, recovery, stake};

const START: Timestamp = Timestamp::from_seconds(1_577_836_800);
/// The last of 52 weekly exchanges.
const LAST: Timestamp = Timestamp::from_seconds(1_577_836_800 + 357 * 86_400 + 3600);

fn by_drop() -> Policy {
    Policy { rule: Rule::Drop, ..Policy::default() }
}

fn exchanges(days: impl IntoIterator<Item = i64>) -> Vec<Interaction> {
    let one = |at, direction| Interaction {
        at,
        direction,
        kind: Kind::Message,
        audience: 1,
        linked: direction == Direction::Inbound,
    };
    days.into_iter()
        .map(|day| START + Span::from_days(day))
        .flat_map(|at| {
            let answered = at + Span::from_hours(1);
            [one(at, Direction::Outbound), one(answered, Direction::Inbound)]
        })
        .collect()
}

fn weekly() -> Relationship {
    let log = exchanges((0..52).map(|week| 7 * week));
    rebuild(&log, chrono_tz::UTC, &Parameters::default(), LAST)
}

fn after(days: i64) -> Timestamp {
    LAST + Span::from_days(days)
}

fn falls(state: &Relationship) -> Option<Timestamp> {
    match fall(state, &by_drop().trigger()) {
        Fall::At(at) => Some(at),
        Fall::Earlier => state.last_at(),
        Fall::Never => None,
    }
}

fn facts(state: &Relationship, now: Timestamp) -> Facts {
    Facts { falls_at: falls(state), oldest_read: Some(now), ..Facts::default() }
}

#[test]
fn half_of_a_year_of_weeks_is_gone_after_about_51_days() {
    let (state, policy) = (weekly(), by_drop());
    let due = looks_next(&state, falls(&state), false, &policy, None).unwrap();
    assert!((49.0..53.0).contains(&due.days_since(LAST)), "{}", due.days_since(LAST));
    let before = due - Span::from_hours(1);
    assert_eq!(
        decide(&state, &facts(&state, before), &policy, before),
        Decision::Warm { until: Some(due) }
    );
    assert_eq!(decide(&state, &facts(&state, due), &policy, due), Decision::Nudge { fell_at: due });
}

/// A meeting of a day.
fn ahead(starts_at: Timestamp) -> Option<Ahead> {
    Some(Ahead { starts_at, ends_at: starts_at + Span::from_days(1) })
}

#[test]
fn each_reason_holds_it_back() {
    let (state, policy, now) = (weekly(), by_drop(), after(60));
    let fine = facts(&state, now);
    let day = Span::from_days(1);
    let cases = [
        ("in an episode", Facts { in_episode: true, ..fine }, Decision::InEpisode),
        ("never read", Facts { oldest_read: None, ..fine }, Decision::Stale),
        (
            "read 25 hours ago",
            Facts { oldest_read: Some(now - Span::from_hours(25)), ..fine },
            Decision::Stale,
        ),
        ("backfilling", Facts { backfilling: true, ..fine }, Decision::Backfilling),
        (
            "an episode 20 days ago",
            Facts { last_episode_at: Some(after(40)), ..fine },
            Decision::TooSoon { until: after(61) },
        ),
        (
            "silenced",
            Facts { silenced_until: Some(now + day), ..fine },
            Decision::Silenced { until: now + day },
        ),
        (
            "a meeting tomorrow",
            Facts { next_meeting: ahead(now + day), ..fine },
            Decision::MeetingAhead { until: now + day + day },
        ),
        (
            "a meeting that has begun",
            Facts { next_meeting: ahead(now - day + Span::from_hours(1)), ..fine },
            Decision::MeetingAhead { until: now + Span::from_hours(1) },
        ),
        (
            "a meeting that begins in 14 days",
            Facts { next_meeting: ahead(now + Span::from_days(14)), ..fine },
            Decision::MeetingAhead { until: now + Span::from_days(15) },
        ),
    ];
    for (what, facts, expected) in cases {
        assert_eq!(decide(&state, &facts, &policy, now), expected, "{what}");
    }
    for (what, facts) in [
        ("an episode 21 days ago", Facts { last_episode_at: Some(after(39)), ..fine }),
        ("a silence that is over", Facts { silenced_until: Some(now), ..fine }),
        ("a meeting in 15 days", Facts { next_meeting: ahead(now + Span::from_days(15)), ..fine }),
    ] {
        assert!(matches!(decide(&state, &facts, &policy, now), Decision::Nudge { .. }), "{what}");
    }
}

#[test]
fn what_fell_long_ago_is_passed_over() {
    let (state, policy, now) = (weekly(), by_drop(), after(120));
    assert!(matches!(
        decide(&state, &facts(&state, now), &policy, now),
        Decision::FellLongAgo { .. }
    ));
}

#[test]
fn what_never_mattered_is_passed_over() {
    let policy = by_drop();
    for (what, days) in [("two exchanges", vec![0, 7]), ("four days", vec![0, 7, 14, 21])] {
        let state = rebuild(&exchanges(days), chrono_tz::UTC, &Parameters::default(), after(0));
        assert_eq!(looks_next(&state, falls(&state), false, &policy, None), None, "{what}");
        assert_eq!(
            decide(&state, &facts(&state, after(0)), &policy, after(0)),
            Decision::NotEstablished,
            "{what}"
        );
    }
}

#[test]
fn an_episode_ends_when_the_strength_is_back_not_before() {
    let policy = by_drop();
    let back_at = 357 + 60;
    let after_fall = |more: &[Interaction]| {
        let mut log = exchanges((0..52).map(|week| 7 * week));
        log.extend_from_slice(more);
        let now = START + Span::from_days(back_at + 1);
        recovery(&rebuild(&log, chrono_tz::UTC, &Parameters::default(), now), &policy, now)
    };
    let exchange = exchanges([back_at]);
    let unanswered = exchange.get(..1).unwrap();
    assert_eq!(after_fall(&[]), Recovery::StillDown);
    assert_eq!(after_fall(unanswered), Recovery::StillDown, "a message without an answer");
    assert_eq!(after_fall(&exchange), Recovery::Recovered);
}

#[test]
fn what_holds_it_back_says_when_to_look_again() {
    let (state, policy, now) = (weekly(), by_drop(), after(60));
    let next = |decision| looks_next(&state, falls(&state), false, &policy, Some((decision, now)));
    assert_eq!(next(Decision::Stale), Some(now + Span::from_hours(1)));
    assert_eq!(next(Decision::Silenced { until: after(90) }), Some(after(90)));
    let until = now + Span::from_hours(1);
    assert_eq!(next(Decision::MeetingAhead { until }), Some(until + Span::from_days(1)));
    assert_eq!(next(Decision::Nudge { fell_at: now }), None);
    let pending = Relationship { pending_at: Some(after(61)), ..state };
    assert_eq!(looks_next(&pending, falls(&pending), true, &policy, None), Some(after(61)));
}

fn by(rule: Rule) -> Policy {
    Policy { rule, ..Policy::default() }
}

fn due(state: &Relationship, policy: &Policy) -> Option<Timestamp> {
    let falls_at = match fall(state, &policy.trigger()) {
        Fall::At(at) => Some(at),
        Fall::Earlier | Fall::Never => None,
    };
    looks_next(state, falls_at, false, policy, None)
}

#[test]
fn the_hazard_waits_longer_with_whom_there_have_been_more_exchanges() {
    let policy = by(Rule::Hazard);
    let silence = |exchanged: i64| {
        let log = exchanges((0..exchanged).map(|week| 7 * week));
        let last = log.last().unwrap().at;
        let state = rebuild(&log, chrono_tz::UTC, &Parameters::default(), last);
        due(&state, &policy).unwrap().days_since(last)
    };
    let waits: Vec<f64> = [6, 12, 26, 52].map(silence).to_vec();
    assert!(waits[0] >= 7.0 && waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
}

#[test]
fn whoever_writes_into_the_void_is_told_all_the_same() {
    let mut log = exchanges((0..52).map(|week| 7 * week));
    let unanswered = (1..104).map(|week| Interaction {
        at: LAST + Span::from_days(7 * week),
        direction: Direction::Outbound,
        kind: Kind::Message,
        audience: 1,
        linked: false,
    });
    log.extend(unanswered);
    // Weeks: the drop does not mind what is written; the others wait from the 90th day on.
    for (rule, latest) in [(Rule::Hazard, 60), (Rule::Drop, 13), (Rule::Fixed, 20)] {
        let policy = by(rule);
        let told = (1..104).find(|week| {
            let now = LAST + Span::from_days(7 * week + 1);
            let known: Vec<Interaction> = log.iter().filter(|i| i.at <= now).copied().collect();
            let (zone, parameters) = (chrono_tz::UTC, Parameters::default());
            let state = rebuild(&known, zone, &parameters, now);
            let fell = crate::score::fell_at(&known, zone, &parameters, &policy.trigger(), now);
            let facts = Facts { falls_at: fell, oldest_read: Some(now), ..Facts::default() };
            matches!(decide(&state, &facts, &policy, now), Decision::Nudge { .. })
        });
        assert!(told.is_some_and(|week| week <= latest), "{rule:?}: week {told:?}");
    }
}

#[test]
fn by_fixed_days_contact_alone_counts() {
    let policy = by(Rule::Fixed);
    let state = weekly();
    let off = due(&state, &policy).unwrap() - after(45);
    assert!(off.millis().abs() <= 60_000, "found to the minute: {off:?}");
    assert_eq!(recovery(&state, &policy, after(44)), Recovery::Recovered);
    assert_eq!(recovery(&state, &policy, after(46)), Recovery::StillDown);
}

#[test]
fn more_is_at_stake_the_stronger_and_the_likelier_lost() {
    let (state, policy) = (weekly(), by(Rule::Hazard));
    let stronger = Relationship { baseline: 2.0 * state.baseline, ..state };
    assert!(stake(&stronger, &policy, after(30)) > stake(&state, &policy, after(30)));
    assert!(stake(&state, &policy, after(60)) > stake(&state, &policy, after(30)));
    assert!(stake(&state, &by(Rule::Drop), after(60)) >= stake(&state, &by(Rule::Drop), after(30)));
}
