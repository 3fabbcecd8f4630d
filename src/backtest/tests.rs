//! The protocol against definitions written out the long way.

use proptest::prelude::*;

use super::candidate::candidates;
use super::metric::{Outcome, Quality, Ranking};
use super::*;
use crate::model::{Direction, Interaction, Kind, Span, Timestamp};
use crate::score::{Parameters, rebuild, strength_at};

const START: Timestamp = Timestamp::from_seconds(1_577_836_800);

fn at(days: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "a few years of milliseconds")]
    let millis = (days * 86_400_000.0) as i64;
    START + Span::from_millis(millis)
}

fn judged(rows: &[(f64, u8)]) -> Quality {
    let scores: Vec<f64> = rows.iter().map(|(score, _)| *score).collect();
    Ranking::of(&scores).quality(|row| outcome(rows[row].1))
}

fn outcome(label: u8) -> Outcome {
    match label {
        0 => Outcome::Negative,
        1 => Outcome::Positive,
        _ => Outcome::Elsewhere,
    }
}

#[test]
fn metrics_are_those_computed_by_hand() {
    for (rows, auc, ap) in [
        (vec![(3.0, 1), (2.0, 0), (1.0, 1)], Some(0.5), Some((1.0 + 2.0 / 3.0) / 2.0)),
        (vec![(1.0, 1), (1.0, 0), (1.0, 0), (1.0, 1)], Some(0.5), Some(0.5)),
        (vec![(2.0, 1), (2.0, 0), (1.0, 0)], Some(0.75), Some(0.5)),
        (vec![(9.0, 2), (2.0, 1), (2.0, 0), (1.5, 2), (1.0, 0)], Some(0.75), Some(0.5)),
        (vec![(4.0, 1), (3.0, 1), (2.0, 0), (1.0, 0)], Some(1.0), Some(1.0)),
        (vec![(-4.0, 1), (-3.0, 0), (0.0, 0)], Some(0.0), Some(1.0 / 3.0)),
        (vec![(1.0, 0)], None, None),
        (vec![(1.0, 1), (0.0, 1)], None, Some(1.0)),
        (vec![], None, None),
    ] {
        let quality = judged(&rows);
        let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-12,
            (a, b) => a == b,
        };
        assert!(close(quality.auc, auc), "{rows:?}: {quality:?}");
        assert!(close(quality.ap, ap), "{rows:?}: {quality:?}");
        let rows_judged = rows.iter().filter(|(_, label)| *label < 2).count();
        assert_eq!(quality.rows, u64::try_from(rows_judged).unwrap());
    }
}

/// Days, directions and whether a meeting; days are few enough that ties are common.
fn history() -> impl Strategy<Value = History> {
    prop::collection::vec((0u16..600, 0u8..8, 1u32..9), 1..60).prop_map(|rows| {
        let one = |(half_days, what, audience): (u16, u8, u32)| {
            let (direction, kind) = match what {
                0..=3 => (Direction::Outbound, Kind::Message),
                4..=6 => (Direction::Inbound, Kind::Message),
                _ => (Direction::Mutual, Kind::Meeting),
            };
            let linked = direction == Direction::Inbound;
            Interaction { at: at(f64::from(half_days) / 2.0), direction, kind, audience, linked }
        };
        let mut interactions: Vec<Interaction> = rows.into_iter().map(one).collect();
        interactions.sort_by_key(|interaction| interaction.at);
        History { rep: 0, contact: 1, zone: chrono_tz::Asia::Tokyo, interactions }
    })
}

/// What a candidate must be, from the whole log and the definitions.
fn by_definition(history: &History, now: Timestamp) -> Option<Candidate> {
    let (past, future): (Vec<_>, Vec<_>) =
        history.interactions.iter().copied().partition(|i| i.at <= now);
    let days = |i: &Interaction| now.days_since(i.at);
    let last = past.iter().map(days).reduce(f64::min).filter(|days| *days < 365.0)?;
    let state = rebuild(&past, history.zone, &Parameters::default(), now);
    let strength = strength_at(&state, now);
    let rank = |half_life: f64| -> f64 {
        let weight = |i: &Interaction| match i.direction {
            Direction::Outbound => 5.0,
            Direction::Inbound => 1.0,
            Direction::Mutual => 6.0,
        };
        past.iter().map(|i| weight(i) * (-days(i) / half_life).exp2()).sum()
    };
    let wrote = |log: &[Interaction], direction, within: f64| {
        log.iter().any(|i| {
            i.kind == Kind::Message && i.direction == direction && i.at <= now + at(within).since()
        })
    };
    let both = |log: &[Interaction], within: f64| {
        wrote(log, Direction::Outbound, within) && wrote(log, Direction::Inbound, within)
    };
    let frequency = past.iter().filter(|i| days(i) < 90.0).count();
    let scores = [
        strength.s,
        strength.score,
        strength.s * (1.0 + last).powf(-0.15),
        -last,
        f64::from(u32::try_from(frequency).unwrap()),
        rank(7.0),
        rank(30.0),
    ];
    let labels = [30.0, 60.0, 90.0].map(|days| both(&future, days));
    Some(Candidate { at: now, strength, scores, established: both(&past, 0.0), labels })
}

trait Since {
    fn since(self) -> Span;
}

impl Since for Timestamp {
    fn since(self) -> Span {
        self - START
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn auc_counts_pairs_and_neither_metric_minds_the_order_of_rows(
        rows in prop::collection::vec((0u8..12, 0u8..3), 0..60),
    ) {
        let rows: Vec<(f64, u8)> = rows.into_iter().map(|(s, l)| (f64::from(s), l)).collect();
        let quality = judged(&rows);
        let of = |wanted: u8| rows.iter().filter(move |(_, l)| *l == wanted).map(|(s, _)| *s);
        let (mut won, mut pairs) = (0.0, 0.0);
        for positive in of(1) {
            for negative in of(0) {
                pairs += 1.0;
                won += if positive > negative { 1.0 } else if positive < negative { 0.0 } else { 0.5 };
            }
        }
        prop_assert_eq!(quality.auc.is_some(), pairs > 0.0);
        prop_assert!((quality.auc.unwrap_or(0.0) - won / f64::max(pairs, 1.0)).abs() < 1e-12);
        // Precision at the threshold of every positive.
        let above = |s: f64, label: u8| of(label).filter(|other| *other >= s).count();
        let precise = |s: f64| {
            let (right, wrong) = (above(s, 1), above(s, 0));
            f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(right + wrong).unwrap())
        };
        let positives = f64::from(u32::try_from(of(1).count()).unwrap());
        let ap = of(1).map(precise).sum::<f64>() / f64::max(positives, 1.0);
        prop_assert!((quality.ap.unwrap_or(0.0) - ap).abs() < 1e-12);
        let backwards: Vec<(f64, u8)> = rows.iter().rev().copied().collect();
        let turned = judged(&backwards);
        prop_assert_eq!((quality.auc, quality.rows), (turned.auc, turned.rows));
        prop_assert!((quality.ap.unwrap_or(0.0) - turned.ap.unwrap_or(0.0)).abs() < 1e-12);
    }

    #[test]
    fn candidates_are_what_the_definitions_say(
        history in history(), mut days in prop::collection::vec(-10.0f64..900.0, 1..20),
    ) {
        days.push(150.0);
        days.sort_by(f64::total_cmp);
        let snapshots: Vec<Timestamp> = days.iter().map(|days| at(*days)).collect();
        let mut found = Vec::new();
        candidates(&history, &snapshots, &Parameters::default(), |c| found.push(*c));
        let expected: Vec<Candidate> =
            snapshots.iter().filter_map(|now| by_definition(&history, *now)).collect();
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!(
                (found.at, found.labels, found.established),
                (expected.at, expected.labels, expected.established)
            );
            for (a, b) in found.scores.iter().zip(expected.scores) {
                prop_assert!((a - b).abs() < 1e-9, "{found:?}\n{expected:?}");
            }
        }
    }

    /// The variance from influences against that of leaving out one cluster at a time.
    #[test]
    fn the_error_of_an_auc_is_about_that_of_the_jackknife(
        rows in prop::collection::vec((0u8..40, 0u8..2, 0usize..30), 400..600),
    ) {
        let scores: Vec<f64> =
            rows.iter().map(|(s, l, _)| f64::from(*s) + 6.0 * f64::from(*l)).collect();
        let ranking = Ranking::of(&scores);
        let auc = |without: Option<usize>| {
            let label = |row: usize| if Some(rows[row].2) == without { 2 } else { rows[row].1 };
            ranking.quality(|row| outcome(label(row))).auc.unwrap()
        };
        let influence =
            ranking.influence(|row| outcome(rows[row].1), |row| rows[row].2, 30);
        prop_assert!(influence.iter().sum::<f64>().abs() < 1e-9);
        let variance = influence.iter().map(|i| i * i).sum::<f64>() * 30.0 / 29.0;
        let left_out: Vec<f64> = (0..30).map(|cluster| auc(Some(cluster))).collect();
        let mean = left_out.iter().sum::<f64>() / 30.0;
        let jackknife = left_out.iter().map(|a| (a - mean).powi(2)).sum::<f64>() * 29.0 / 30.0;
        prop_assert!((variance.sqrt() / jackknife.sqrt() - 1.0).abs() < 0.15, "{variance} {jackknife}");
    }
}

/// `count` relationships that write to each other every `gap` days until `until`.
fn written(builder: &mut Builder, name: &str, count: u32, gap: f64, until: f64) {
    for number in 0..count {
        let mut day = f64::from(number) / 10.0;
        while day < until {
            for (direction, later) in [(Direction::Outbound, 0.0), (Direction::Inbound, 0.3)] {
                let one = Interaction {
                    at: at(day + later),
                    direction,
                    kind: Kind::Message,
                    audience: 1,
                    linked: false,
                };
                builder.push("ann", &format!("{name}{number}"), one, None);
            }
            day += gap;
        }
    }
}

fn told(log: &Log) -> Vec<String> {
    let assessment = assess(log, &Window::default(), &Parameters::default(), |_, _| {});
    verdict(log, &assessment)
}

#[test]
fn the_verdict_says_what_there_is_to_say() {
    let empty = Builder::default().finish();
    assert_eq!(told(&empty), ["There is no history to judge by: the log holds no interactions."]);

    let mut short = Builder::default();
    written(&mut short, "c", 30, 10.0, 170.0);
    let short = told(&short.finish());
    assert_eq!(short.len(), 1);
    assert!(short[0].starts_with("There is too little history to tell: no snapshot"), "{short:?}");

    let mut few = Builder::default();
    written(&mut few, "c", 5, 10.0, 500.0);
    let few = told(&few.finish());
    assert!(few[0].starts_with("Of the relationships called strong, 100 % were"), "{few:?}");
    assert!(few[1].contains("5 were active again within 60 days"), "{few:?}");

    let mut enough = Builder::default();
    written(&mut enough, "steady", 40, 6.0, 700.0);
    written(&mut enough, "lapsed", 40, 6.0, 200.0);
    let enough = told(&enough.finish());
    // At the first of nine snapshots those that have lapsed are still strong.
    assert_eq!(
        enough[0],
        "Of the relationships called strong, 88 % were active again within 60 days; of those called \
         fair, 0 %."
    );
    assert!(enough[1].starts_with("Among relationships in which both had written, strength (AUC"));
}
