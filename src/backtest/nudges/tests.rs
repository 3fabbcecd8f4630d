//! Triggers along histories in which it is plain what they must do.

use super::*;
use crate::backtest::Builder;
use crate::model::{Direction, Interaction, Kind};
use crate::score::hazard::SHIPPED;
use crate::score::{Fall, fall, rebuild};

fn at(days: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "a few years of milliseconds")]
    let millis = (days * 86_400_000.0) as i64;
    Timestamp::from_millis(millis)
}

fn exchange(day: f64) -> [Interaction; 2] {
    [(Direction::Outbound, false, 0.0), (Direction::Inbound, true, 0.2)].map(
        |(direction, linked, later)| Interaction {
            at: at(day + later),
            direction,
            kind: Kind::Message,
            audience: 1,
            linked,
        },
    )
}

/// A relationship with an exchange on each of these days, in a log that goes on to the last day.
fn log(days: &[f64], last: f64) -> Log {
    let mut builder = Builder::default();
    for one in days.iter().flat_map(|day| exchange(*day)) {
        builder.push("ann", "bo", one, Some(one.linked));
    }
    let end = Interaction { at: at(last), ..exchange(last)[0] };
    builder.push("ann", "somebody else", end, Some(false));
    builder.finish()
}

/// Weekly for 20 weeks, to day 133, and then again on these days.
fn weekly_then(again: &[f64]) -> Vec<f64> {
    (0..20).map(|week| 7.0 * f64::from(week)).chain(again.iter().copied()).collect()
}

fn played(log: &Log, setting: Setting) -> (Nudges, Played) {
    played_by(log, setting, &Policy::default())
}

fn played_by(log: &Log, setting: Setting, policy: &Policy) -> (Nudges, Played) {
    let all = play(log, &[setting], &Parameters::default(), policy);
    let own = all.played.iter().find(|played| played.chosen == Chosen::Configured).copied();
    let own = own.unwrap();
    (all, own)
}

#[test]
fn fixed_days_nudge_once_for_each_silence_and_are_right_if_it_lasts() {
    for (again, threshold, nudges, judged, precision, recall) in [
        // Silent for 100 days; the log goes on.
        (&[233.2][..], 30.0, 2, 2, 1.0, 1.0),
        // 80 of them are too late: after 20 more they wrote again. The silence at the end lasts.
        (&[233.2], 80.0, 2, 2, 0.5, 1.0),
        // Two silences of 40 days, neither of them a lapse, and one of a week.
        (&[173.2, 213.2, 220.2], 30.0, 3, 3, 1.0 / 3.0, 1.0),
    ] {
        let log = log(&weekly_then(again), 400.0);
        let (all, own) = played(&log, Setting { trigger: Trigger::Fixed, threshold });
        assert_eq!((own.nudges, own.judged), (nudges, judged), "{again:?} {threshold}");
        assert!((own.precision.unwrap() - precision).abs() < 1e-9, "{again:?} {own:?}");
        assert!((own.silence_days.unwrap() - threshold).abs() < 0.01, "{own:?}");
        assert!((own.recall.unwrap() - recall).abs() < 1e-9, "{own:?}");
        assert_eq!(all.lapses, if again.len() == 1 { 2 } else { 1 });
        // The rep's interactions span 400 days.
        assert!((own.per_rep_week.unwrap() - real(nudges) / (400.0 / 7.0)).abs() < 1e-9);
    }
}

#[test]
fn what_the_end_of_the_log_cuts_off_is_not_judged() {
    let log = log(&weekly_then(&[]), 180.0);
    let (all, own) = played(&log, Setting { trigger: Trigger::Fixed, threshold: 30.0 });
    assert_eq!((own.nudges, own.judged, own.precision, all.lapses), (1, 0, None, 0));
    // With so few nudges there is no precision to reach.
    assert!(
        all.played.iter().filter(|p| p.chosen != Chosen::Configured).all(|p| p.setting.is_none())
    );
}

#[test]
fn a_drop_nudges_when_the_store_would_and_once_until_it_recovers() {
    let days = weekly_then(&[]);
    let state = rebuild(
        &days.iter().flat_map(|day| exchange(*day)).collect::<Vec<_>>(),
        chrono_tz::UTC,
        &Parameters::default(),
        at(140.0),
    );
    let Fall::At(fell_at) = fall(&state, &crate::score::Trigger::Drop(0.5)) else { panic!() };
    let silence = fell_at.days_since(at(133.2));
    let (_, own) = played(&log(&days, 400.0), Setting { trigger: Trigger::Drop, threshold: 0.5 });
    assert_eq!((own.nudges, own.precision), (1, Some(1.0)));
    assert!((own.silence_days.unwrap() - silence).abs() < 0.02, "{own:?} {silence}");
    // One exchange does not bring back what a weekly one had built up.
    let still_down = log(&weekly_then(&[233.0]), 400.0);
    let (_, own) = played(&still_down, Setting { trigger: Trigger::Drop, threshold: 0.5 });
    assert_eq!((own.nudges, own.recall), (1, Some(0.5)));
}

#[test]
fn the_configured_hazard_is_down_at_a_deep_fall_as_the_service_s_is() {
    let days = weekly_then(&[]);
    let told: Vec<Interaction> = days.iter().flat_map(|day| exchange(*day)).collect();
    let state = rebuild(&told, chrono_tz::UTC, &Parameters::default(), at(140.0));
    // With these, 30 more days of silence are never probable.
    let hazard = SHIPPED.through(1.0, -30.0);
    let trigger = crate::score::Trigger::Hazard { coefficients: hazard, probability: 0.6 };
    let Fall::At(fell_at) = fall(&state, &trigger) else { panic!() };
    let silence = fell_at.days_since(at(133.2));
    let setting = Setting { trigger: Trigger::Hazard, threshold: 0.6 };
    let policy = Policy { hazard, ..Policy::default() };
    let (_, own) = played_by(&log(&days, 600.0), setting, &policy);
    assert_eq!((own.nudges, own.precision), (1, Some(1.0)));
    assert!((own.silence_days.unwrap() - silence).abs() < 0.02, "{own:?} {silence}");
}

#[test]
fn the_configured_triggers_know_what_is_written_into_the_void() {
    // Every five days from day 138 to 393 the rep writes on; contact was last on day
    // 223, within 90 days of the answer of day 133.
    let mut builder = Builder::default();
    let written = (0..52).map(|n| exchange(138.0 + 5.0 * f64::from(n))[0]);
    let answered = weekly_then(&[]);
    for one in answered.iter().flat_map(|day| exchange(*day)).chain(written) {
        builder.push("ann", "bo", one, Some(one.linked));
    }
    let log = builder.finish();
    let (_, own) = played(&log, Setting { trigger: Trigger::Fixed, threshold: 32.0 });
    assert_eq!((own.nudges, own.precision), (1, Some(0.0)));
    assert!((own.silence_days.unwrap() - 2.0).abs() < 0.01, "on day 255: {own:?}");
    let (_, own) = played(&log, Setting { trigger: Trigger::Drop, threshold: 0.5 });
    assert_eq!(own.nudges, 1, "by the drop, both sides must have taken part");
}

#[test]
fn about_who_is_hardly_known_there_is_no_nudge() {
    // Answers enough, but on four days only.
    let seldom: Vec<f64> = (0..4).map(|n| 90.0 * f64::from(n)).collect();
    let (all, own) =
        played(&log(&seldom, 800.0), Setting { trigger: Trigger::Fixed, threshold: 30.0 });
    assert_eq!((own.nudges, all.lapses, own.recall), (0, 0, None));
}
