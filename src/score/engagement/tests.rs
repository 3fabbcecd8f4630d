//! Engagement by tables, and against a plain recomputation over random logs.

use proptest::prelude::*;

use super::{Answers, Engagement, Evidence, Hours, engagement};
use crate::model::{Direction, Fate, Interaction, Kind, Observed, Span, Timestamp, Turn};
use crate::score::{Parameters, WorkingHours, rebuild, strength_at};

const ZONE: chrono_tz::Tz = chrono_tz::America::New_York;

/// Monday, 2026-03-02, at 9 o'clock in New York.
const START: Timestamp = Timestamp::from_seconds(1_772_460_000);

fn hour(hours: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "hours of a story")]
    let millis = (hours * 3_600_000.0).round() as i64;
    START + Span::from_millis(millis)
}

fn day(days: f64) -> Timestamp {
    hour(days * 24.0)
}

/// A message such as `(2.0, "< opens")`: in hours, `>` outbound or `<` inbound, then what its thread
/// says: `opens`, `followed H`, `of H` (the first to answer what was written at hour H), `many` (to
/// ten people), `unknown`.
fn message((hours, told): (f64, &str)) -> Observed {
    let mut words = told.split(' ');
    let direction = match words.next() {
        Some(">") => Direction::Outbound,
        _ => Direction::Inbound,
    };
    let mut turn = Turn { opens: Some(false), ..Turn::default() };
    let mut audience = 1;
    while let Some(word) = words.next() {
        match word {
            "opens" => turn.opens = Some(true),
            "followed" => turn.followed_at = words.next().map(|h| hour(h.parse().unwrap())),
            "many" => audience = 10,
            "unknown" => turn.opens = None,
            "of" => turn.parent_at = words.next().map(|h| hour(h.parse().unwrap())),
            other => panic!("{other}"),
        }
    }
    let linked = turn.parent_at.is_some();
    let kind = Kind::Message;
    Observed {
        interaction: Interaction { at: hour(hours), direction, kind, audience, linked },
        turn,
    }
}

fn told(log: &[Observed], missed: &[(Timestamp, Fate)], now: Timestamp) -> Engagement {
    let parameters = Parameters::default();
    let past: Vec<Interaction> =
        log.iter().map(|one| one.interaction).filter(|one| one.at <= now).collect();
    let state = rebuild(&past, ZONE, &parameters, now);
    let hours = WorkingHours::default();
    let evidence =
        Evidence { state: &state, log, missed, zone: ZONE, hours: &hours, parameters: &parameters };
    engagement(&evidence, now)
}

fn rates(answers: &Answers) -> (u32, u32) {
    (answers.asked, answers.answered)
}

#[test]
fn a_reply_is_asked_for_by_what_has_had_its_week() {
    for (what, log, of_contact, of_rep) in [
        ("nothing", vec![], (0, 0), (0, 0)),
        ("answered", vec![(0.0, "> opens"), (5.0, "< of 0")], (1, 1), (1, 0)),
        ("not answered", vec![(0.0, "> opens")], (1, 0), (0, 0)),
        ("on the last hour", vec![(0.0, "> opens"), (168.0, "< of 0")], (1, 1), (1, 0)),
        ("too late", vec![(0.0, "> opens"), (168.1, "< of 0")], (1, 0), (1, 0)),
        ("to many", vec![(0.0, "> opens many"), (5.0, "< of 0")], (0, 0), (1, 0)),
        ("followed up", vec![(0.0, "> opens followed 1"), (1.0, ">")], (1, 0), (0, 0)),
        ("again after its week", vec![(0.0, "> opens followed 169"), (169.0, ">")], (2, 0), (0, 0)),
        (
            "followed up and answered",
            vec![(0.0, "> opens followed 1"), (1.0, ">"), (2.0, "< of 1")],
            (1, 1),
            (1, 0),
        ),
        (
            "answered before it was followed up",
            vec![(0.0, "> opens followed 2"), (1.0, "< of 0"), (2.0, ">")],
            (2, 1),
            (1, 0),
        ),
        ("not known yet", vec![(0.0, "> unknown"), (5.0, "< unknown")], (0, 0), (0, 0)),
        ("two at once", vec![(0.0, "> opens"), (0.0, "> opens"), (5.0, "< of 0")], (2, 1), (1, 0)),
        ("before it was asked", vec![(-1.0, "< of 0"), (0.0, "> opens")], (1, 1), (1, 0)),
        ("a day ago", vec![(500.0, "> opens"), (501.0, "< of 500")], (0, 0), (0, 0)),
    ] {
        let log: Vec<Observed> = log.into_iter().map(message).collect();
        let now = hour(20.0 * 24.0 + 40.0);
        let found = told(&log, &[], now).days_30;
        assert_eq!(rates(&found.answers_of_contact), of_contact, "{what}, the contact");
        assert_eq!(rates(&found.answers_of_rep), of_rep, "{what}, the rep");
    }
}

#[test]
fn response_times_are_elapsed_and_in_working_hours() {
    // From Monday at nine: answers after 2 hours, after 10 (at seven), and after a weekend.
    let log: Vec<Observed> = [
        (0.0, "> opens"),
        (2.0, "< of 0"),
        (24.0, "> opens"),
        (34.0, "< of 24"),
        (96.0 + 7.0, "> opens"),
        (168.0 + 1.0, "< of 103"),
        (170.0, "> of 169"),
        (171.0, "< of 172"),
    ]
    .map(message)
    .to_vec();
    let found = told(&log, &[], hour(400.0)).days_30;
    let contact = &found.answers_of_contact;
    assert_eq!(contact.replies, 3, "a negative time is not known");
    assert_eq!(contact.response_hours, Some(Hours { median: 10.0, p90: 10.0 + 0.8 * 56.0 }));
    // 2, 8, and 1 of Friday with 2 of Monday: the clocks have been put forward, so it is ten.
    assert_eq!(contact.response_working_hours, Some(Hours { median: 3.0, p90: 3.0 + 0.8 * 5.0 }));
    assert_eq!(found.answers_of_rep.response_hours, Some(Hours { median: 1.0, p90: 1.0 }));
}

#[test]
fn windows_end_now_and_count_threads_meetings_and_days() {
    let meeting = |days: f64| Observed {
        interaction: Interaction {
            at: day(days),
            direction: Direction::Mutual,
            kind: Kind::Meeting,
            audience: 1,
            linked: true,
        },
        turn: Turn::default(),
    };
    let log = vec![
        message((0.0, "> opens")),
        message((24.0 * 40.0, "< opens")),
        message((24.0 * 40.0 + 1.0, "< opens")),
        meeting(41.0),
        message((24.0 * 70.0, "> opens")),
        meeting(70.2),
        message((24.0 * 100.0, "< opens")),
        message((24.0 * 100.0 + 0.001, "< opens")),
    ];
    let missed = [
        (day(60.0), Fate::Cancelled),
        (day(80.0), Fate::DeclinedByContact),
        (day(81.0), Fate::DeclinedByRep),
        (day(101.0), Fate::Cancelled),
    ];
    let found = told(&log, &missed, day(100.0));
    let counts = |w: &super::Window| {
        let m = w.meetings;
        let met = [m.held, m.cancelled, m.declined, m.declined_by_contact];
        (w.outbound, w.inbound, met, w.active_days, w.threads_opened, w.threads_opened_by_contact)
    };
    assert_eq!(counts(&found.days_30), (0, 1, [1, 0, 2, 1], 2, 1, 1), "the last day of it is out");
    assert_eq!(counts(&found.days_90), (1, 3, [2, 1, 2, 1], 4, 4, 3));
    assert_eq!(counts(&found.days_365), (2, 3, [2, 1, 2, 1], 5, 5, 3));
    assert_eq!(found.days_365.initiative_of_contact, Some(0.6));
    assert_eq!(told(&[], &[], day(9.0)).days_30.initiative_of_contact, None);
    assert_eq!(told(&[], &[], day(9.0)).trend.ratio, None);
}

#[test]
fn the_cadence_is_of_days_and_follows_the_newest() {
    let cadence = |hours: &[f64]| {
        let log: Vec<Observed> = hours.iter().map(|h| message((*h, "> opens"))).collect();
        told(&log, &[], day(300.0)).cadence
    };
    assert_eq!(cadence(&[]), None);
    assert_eq!(cadence(&[0.0, 1.0]), None, "one day");
    let weekly: Vec<f64> = (0..8).map(|week| f64::from(week) * 168.0).collect();
    let found = cadence(&weekly).unwrap();
    assert_eq!((found.gaps, found.ln_gap_deviation.to_bits()), (7, 0));
    assert!((found.usual_gap_days - 7.0).abs() < 1e-9, "{found:?}");
    // Gaps of 1, 10 and 100 days: ln 10 times 0, 1 and 2.
    let found = cadence(&[0.0, 24.0, 264.0, 2664.0]).unwrap();
    let (mean, deviation) = (0.2 + 0.2 * 1.8, (0.8 * (0.8 * 0.2 + 0.2 * 1.8 * 1.8_f64)).sqrt());
    assert!((found.ln_gap_mean / 10_f64.ln() - mean).abs() < 1e-9, "{found:?}");
    assert!((found.ln_gap_deviation / 10_f64.ln() - deviation).abs() < 1e-9, "{found:?}");
}

fn interaction() -> impl Strategy<Value = Interaction> {
    (0i64..90 * 24, 0u8..5, 1u32..6, any::<bool>()).prop_map(|(hours, what, audience, linked)| {
        let (direction, kind) = match what {
            0 | 1 => (Direction::Outbound, Kind::Message),
            2 | 3 => (Direction::Inbound, Kind::Message),
            _ => (Direction::Mutual, Kind::Meeting),
        };
        Interaction { at: START + Span::from_hours(hours), direction, kind, audience, linked }
    })
}

proptest! {
    #[test]
    fn the_trend_is_what_a_rebuild_as_of_then_gives(
        mut log in prop::collection::vec(interaction(), 0..60),
        hours in 0i64..24,
    ) {
        log.sort_by_key(|one| one.at);
        let now = day(90.0) + Span::from_hours(hours);
        let observed: Vec<Observed> =
            log.iter().map(|one| Observed { interaction: *one, turn: Turn::default() }).collect();
        let trend = told(&observed, &[], now).trend;
        let parameters = Parameters::default();
        for (at, s) in [(now, trend.s), (now - Span::from_days(30), trend.s_30_days_ago)] {
            let whole = strength_at(&rebuild(&log, ZONE, &parameters, at), at).s;
            prop_assert!((whole - s).abs() < 1e-9, "{whole} is not {s} at {at}");
        }
    }

    #[test]
    fn what_is_to_come_changes_nothing(
        mut hours in prop::collection::vec(0.0f64..2000.0, 1..30), until in 0.0f64..2000.0,
    ) {
        hours.sort_by(f64::total_cmp);
        let of = hours.iter().map(|h| format!("{h}")).collect::<Vec<_>>();
        let log: Vec<Observed> = hours
            .iter()
            .enumerate()
            .map(|(n, h)| match n {
                0 => message((*h, "> opens")),
                n if n % 2 == 1 => message((*h, &format!("< of {}", of[n - 1]))),
                n => message((*h, &format!("> of {}", of[n - 1]))),
            })
            .collect();
        let now = hour(until);
        let past: Vec<Observed> =
            log.iter().filter(|one| one.interaction.at <= now).copied().collect();
        prop_assert_eq!(told(&past, &[], now), told(&log, &[], now));
    }
}
