//! Moments on calendars of several zones: digests, quiet hours, days off, and changes of the clock.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::{Restraint, time_of_day};
use crate::model::{NudgeKind, Span, Timestamp};
use crate::score::Zone;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn usual() -> Restraint {
    Restraint {
        digest_at: time_of_day("08:30").ok(),
        quiet: "19:00-07:00".parse().ok(),
        holidays: [NaiveDate::from_ymd_opt(2026, 12, 25).unwrap()].into(),
        immediate: [NudgeKind::ContactMoved].into(),
        ..Restraint::default()
    }
}

#[test]
fn a_digest_comes_on_the_next_working_morning_of_the_rep() {
    for (zone, made, digest) in [
        ("UTC", "2026-11-23T08:30:00Z", "2026-11-23T08:30:00Z"),
        ("UTC", "2026-11-23T08:30:00.001Z", "2026-11-24T08:30:00Z"),
        ("America/New_York", "2026-11-23T12:00:00Z", "2026-11-23T13:30:00Z"),
        ("America/New_York", "2026-11-24T03:00:00Z", "2026-11-24T13:30:00Z"),
        // Friday evening; Monday.
        ("UTC", "2026-11-27T18:00:00Z", "2026-11-30T08:30:00Z"),
        // The day before a holiday that is a Friday.
        ("UTC", "2026-12-24T09:00:00Z", "2026-12-28T08:30:00Z"),
        // The clock goes forward in the night to Sunday, and back in October.
        ("Europe/Berlin", "2026-03-27T12:00:00Z", "2026-03-30T06:30:00Z"),
        ("Europe/Berlin", "2026-10-23T12:00:00Z", "2026-10-26T07:30:00Z"),
    ] {
        let zone: Zone = zone.parse().unwrap();
        let moment = usual().moment(NudgeKind::Decay, at(made), zone);
        assert_eq!(moment, at(digest), "{made} in {zone}");
    }
}

#[test]
fn what_is_immediate_waits_for_quiet_hours_and_days_off_only() {
    for (made, said) in [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("2026-11-23T18:59:59Z", "2026-11-23T18:59:59Z"),
        ("2026-11-23T19:00:00Z", "2026-11-24T07:00:00Z"),
        ("2026-11-24T06:59:00Z", "2026-11-24T07:00:00Z"),
        ("2026-11-28T10:00:00Z", "2026-11-30T07:00:00Z"),
        ("2026-12-24T19:30:00Z", "2026-12-28T07:00:00Z"),
    ] {
        let moment = usual().moment(NudgeKind::ContactMoved, at(made), chrono_tz::UTC);
        assert_eq!(moment, at(said), "{made}");
    }
    let never_quiet = Restraint { quiet: None, digest_at: None, ..usual() };
    let night = at("2026-11-24T03:00:00Z");
    assert_eq!(never_quiet.moment(NudgeKind::Decay, night, chrono_tz::UTC), night);
    let sunday = at("2026-11-29T03:00:00Z");
    let monday = at("2026-11-30T00:00:00Z");
    assert_eq!(never_quiet.moment(NudgeKind::Decay, sunday, chrono_tz::UTC), monday);
}

#[test]
fn a_morning_that_the_clock_leaves_out_is_an_hour_later() {
    let policy = Restraint {
        digest_at: time_of_day("02:30").ok(),
        quiet: None,
        working_days: "mon-sun".parse().unwrap(),
        ..usual()
    };
    let zone: Zone = "Europe/Berlin".parse().unwrap();
    let moment = policy.moment(NudgeKind::Decay, at("2026-03-28T12:00:00Z"), zone);
    assert_eq!(moment, at("2026-03-29T01:30:00Z"), "03:30 of summer time");
}

#[test]
fn working_days_leave_out_weekends_and_holidays() {
    for (from, count, to) in [
        ("2026-11-23T10:00:00Z", 2, "2026-11-25T10:00:00Z"),
        ("2026-11-26T10:00:00Z", 2, "2026-11-30T10:00:00Z"),
        // Written on a Saturday.
        ("2026-11-28T10:00:00Z", 1, "2026-11-30T10:00:00Z"),
        ("2026-12-24T10:00:00Z", 1, "2026-12-28T10:00:00Z"),
        ("2026-11-23T10:00:00Z", 0, "2026-11-23T10:00:00Z"),
    ] {
        let after = usual().working_days_after(at(from), count, chrono_tz::UTC);
        assert_eq!(after, at(to), "{count} after {from}");
        assert_eq!(usual().working_days_between(at(from), at(to), chrono_tz::UTC), count, "{from}");
    }
}

#[test]
fn reminders_slow_down_and_end() {
    let policy = Restraint { reminder_after: Span::from_days(21), reminders: 2, ..usual() };
    let said = at("2026-11-23T08:30:00Z");
    let days = |told| policy.reminds_at(said, told).map(|at| (at - said).days());
    assert_eq!([days(0), days(1), days(2)], [Some(21.0), Some(42.0), None]);
    let never = Restraint { reminder_after: Span::ZERO, ..policy };
    assert_eq!(never.reminds_at(said, 0), None);
}

#[test]
fn about_so_many_of_a_hundred_are_held_back() {
    for percent in [0, 10, 50] {
        let policy = Restraint { held_back_percent: percent, ..usual() };
        let held = (0..10_000).filter(|n| policy.holds_back(&format!("eps_{n}"))).count();
        let expected = usize::try_from(percent).unwrap() * 100;
        assert!(held.abs_diff(expected) < 200, "{percent}: {held}");
    }
}

proptest! {
    #[test]
    fn no_moment_is_quiet_or_earlier_than_what_it_is_for(
        seconds in 1_700_000_000i64..1_900_000_000,
        zone in prop::sample::select(vec!["UTC", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"]),
        immediate in any::<bool>(),
    ) {
        let (policy, made) = (usual(), Timestamp::from_seconds(seconds));
        let zone: Zone = zone.parse().unwrap();
        let kind = if immediate { NudgeKind::ContactMoved } else { NudgeKind::Decay };
        let moment = policy.moment(kind, made, zone);
        prop_assert!(moment >= made);
        prop_assert!(moment - made < Span::from_days(6), "{moment}");
        prop_assert_eq!(policy.open_from(moment, zone), moment, "it is open then");
        prop_assert_eq!(policy.moment(kind, moment, zone), moment, "and it is its own moment");
    }
}
