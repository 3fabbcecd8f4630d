//! The published reference values: anyone who implements the formula must get these.

use crate::model::{Direction, Interaction, Kind, Span, Timestamp};

use super::{Parameters, rebuild, strength_at};

/// Day 0 of every history.
const START: Timestamp = Timestamp::from_seconds(1_577_836_800);

fn day(days: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "test histories are short")]
    let millis = (days * 86_400_000.0).round() as i64;
    START + Span::from_millis(millis)
}

fn mail(days: f64, direction: Direction, audience: u32) -> Interaction {
    let linked = direction == Direction::Inbound;
    Interaction { at: day(days), direction, kind: Kind::Message, audience, linked }
}

fn out(days: f64) -> Interaction {
    mail(days, Direction::Outbound, 1)
}

fn reply(days: f64) -> Interaction {
    mail(days, Direction::Inbound, 1)
}

fn weekly(weeks: i32, audience: u32) -> Vec<Interaction> {
    (0..weeks)
        .flat_map(|i| {
            let day = f64::from(7 * i);
            [
                mail(day, Direction::Outbound, audience),
                mail(day + 0.2, Direction::Inbound, audience),
            ]
        })
        .collect()
}

fn monologue(days: i32, a_day: i32, direction: Direction, audience: u32) -> Vec<Interaction> {
    let message = |d: i32, n: i32| {
        let days = f64::from(d) + f64::from(n) / f64::from(a_day);
        Interaction { linked: false, ..mail(days, direction, audience) }
    };
    (0..days).flat_map(|d| (0..a_day).map(move |n| message(d, n))).collect()
}

fn spam_on_top() -> Vec<Interaction> {
    let mut log = weekly(52, 1);
    for d in 328..358 {
        log.extend((0..50).map(|n| out(f64::from(d) + f64::from(n) / 50.0)));
    }
    log
}

#[test]
fn reference_values_hold() {
    let monthly = (0..36).flat_map(|i| [out(f64::from(30 * i)), reply(f64::from(30 * i) + 0.2)]);
    let five = (0..5).flat_map(|i| [out(f64::from(i)), reply(f64::from(i) + 0.2)]);
    let cases: Vec<(&str, Vec<Interaction>, f64, f64)> = vec![
        ("one exchange", vec![out(0.0), reply(0.1)], 0.1, 25.7),
        ("1,000 unanswered in a day", monologue(1, 1000, Direction::Outbound, 1), 1.0, 0.0),
        ("one unanswered a day for a year", monologue(365, 1, Direction::Outbound, 1), 365.0, 0.0),
        ("a daily blast to 500", monologue(90, 1, Direction::Outbound, 500), 90.0, 0.0),
        ("a daily newsletter received", monologue(365, 1, Direction::Inbound, 1), 365.0, 0.0),
        ("weekly for a year", weekly(52, 1), 358.0, 66.0),
        ("weekly for a year and 50 unanswered a day in its last month", spam_on_top(), 358.0, 66.6),
        ("weekly for a year to an audience of 20", weekly(52, 20), 358.0, 47.8),
        ("monthly for three years", monthly.collect(), 1051.0, 42.2),
        ("five exchanges in five days", five.collect(), 4.5, 59.6),
    ];
    for (name, log, at, expected) in cases {
        let state = rebuild(&log, chrono_tz::UTC, &Parameters::default(), day(at));
        let score = strength_at(&state, day(at)).score;
        assert!((score - expected).abs() < 0.1, "{name}: {score:.3}, expected {expected}");
    }
}

#[test]
fn days_until_half_is_left_grow_with_age() {
    for (name, log, expected) in [
        ("one exchange", vec![out(0.0), reply(0.2)], 11.0),
        ("weekly for a month", weekly(4, 1), 15.0),
        ("weekly for three months", weekly(13, 1), 25.0),
        ("weekly for a year", weekly(52, 1), 51.0),
        ("weekly for three years", weekly(156, 1), 78.0),
    ] {
        let end = log.last().unwrap().at;
        let state = rebuild(&log, chrono_tz::UTC, &Parameters::default(), end);
        let half = strength_at(&state, end).s / 2.0;
        let days = (0..200)
            .map(f64::from)
            .find(|d| {
                #[expect(clippy::cast_possible_truncation, reason = "at most 200 days")]
                let at = end + Span::from_days(*d as i64);
                strength_at(&state, at).s <= half
            })
            .unwrap();
        assert!((days - expected).abs() <= 1.0, "{name}: {days} days, expected {expected}");
    }
}
