//! The invariants of the model (README.md, "The model"), each over random histories.
//!
//! A test is named after the invariant that it holds:
//!
//! | | invariant | where |
//! |---|---|---|
//! | G1 | while O ≥ I, unanswered messages raise S by at most .0875; never reciprocated means 0 | here |
//! | G2 | a message in pieces weighs less than π²/6 of it | here |
//! | G3 | more recipients never raise the strength with any of them | here |
//! | G4 | S never rises in silence, and never without an interaction | here |
//! | G5 | any order and chunking of arrival gives the same state | here; `pipeline::ingest::tests` |
//! | G6 | automated, list, bounced, Bcc-only and calendar mail has no mass | `pipeline::ingest::tests::noise` |
//! | G7 | own aliases and colleagues make no relationship | `pipeline::ingest::tests::noise` |
//! | G8 | a copied, moved or re-delivered message counts once | `pipeline::ingest::tests::noise` |
//! | G9 | at equal volume, balanced beats unbalanced | here |
//! | G10 | at equal activity lately, the older relationship keeps the larger share | here |
//! | G11 | declined and cancelled meetings have no mass, a series one a day | `pipeline::ingest::tests::noise` |
//! | G12 | merged contacts score as if they had always been one | here, of states and logs |
//! | G13 | two monologues stay at 0 | here |

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::model::{Direction, Interaction, Kind, Relationship, Span, Timestamp};

use super::hazard::SHIPPED;
use super::mass::{Side, day_sums, entry};
use super::{Fall, Parameters, Trigger, extend, fall, rebuild, strength_at};

const START: Timestamp = Timestamp::from_seconds(1_577_836_800);
const END: Timestamp = Timestamp::from_seconds(1_577_836_800 + 400 * 86_400);
const ZONE: chrono_tz::Tz = chrono_tz::America::New_York;

fn message(minute: i64, direction: Direction, audience: u32, linked: bool) -> Interaction {
    let at = START + Span::from_seconds(minute * 60);
    Interaction { at, direction, kind: Kind::Message, audience, linked }
}

/// Minutes are few enough that ties of instant and of day are common.
fn interaction() -> impl Strategy<Value = Interaction> {
    (0i64..365 * 24, 0u8..8, 1u32..30, any::<bool>()).prop_map(|(hour, kind, audience, linked)| {
        let direction = match kind {
            0..=3 => Direction::Outbound,
            4..=6 => Direction::Inbound,
            _ => return meeting(hour * 60, audience),
        };
        message(hour * 60, direction, audience, linked)
    })
}

fn meeting(minute: i64, audience: u32) -> Interaction {
    Interaction {
        direction: Direction::Mutual,
        kind: Kind::Meeting,
        ..message(minute, Direction::Mutual, audience, true)
    }
}

fn history(max: usize) -> impl Strategy<Value = Vec<Interaction>> {
    prop::collection::vec(interaction(), 1..max)
}

fn fold(log: &[Interaction]) -> Relationship {
    rebuild(log, ZONE, &Parameters::default(), END)
}

fn s(log: &[Interaction], at: Timestamp) -> f64 {
    strength_at(&fold(log), at).s
}

/// What the store does: chunks arrive in some order, each extends the state with the days read
/// back, and a stale baseline is folded from the log at the end.
fn fold_in_chunks(chunks: &[Vec<Interaction>]) -> (Relationship, bool) {
    let parameters = Parameters::default();
    let mut state = Relationship { folded_at: END, ..Relationship::default() };
    let mut log: Vec<Interaction> = Vec::new();
    for chunk in chunks {
        extend(&mut state, &log, chunk, ZONE, &parameters);
        log.extend_from_slice(chunk);
    }
    let stale = state.baseline_stale;
    if stale {
        let whole = rebuild(&log, ZONE, &parameters, END);
        state.baseline = whole.baseline;
        state.cadence = whole.cadence;
        state.baseline_stale = false;
    }
    (state, stale)
}

fn close(a: &Relationship, b: &Relationship) -> Result<(), TestCaseError> {
    let sums = |r: &Relationship| {
        let at_end = strength_at(r, END);
        [at_end.outbound, at_end.inbound, at_end.s, r.baseline, at_end.score]
    };
    for (x, y) in sums(a).into_iter().zip(sums(b)) {
        prop_assert!((x - y).abs() < 1e-9, "{a:?}\n{b:?}");
    }
    let gaps = |r: &Relationship| [r.cadence.mean_ln_gap, r.cadence.variance_ln_gap];
    for (x, y) in gaps(a).into_iter().zip(gaps(b)) {
        prop_assert!((x - y).abs() < 1e-9, "{a:?}\n{b:?}");
    }
    let beats =
        |r: &Relationship| (r.cadence.contact_at, r.cadence.exchanges, r.cadence.exchange_day);
    prop_assert_eq!(beats(a), beats(b));
    prop_assert_eq!(a.counts, b.counts);
    prop_assert_eq!(a.first_at, b.first_at);
    prop_assert_eq!(a.last_at(), b.last_at());
    prop_assert_eq!(a.reciprocated_at, b.reciprocated_at);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn g1_unanswered_messages_raise_s_by_at_most_a_little(
        log in history(40),
        more in prop::collection::vec(0i64..365 * 1440, 1..80),
    ) {
        let before = strength_at(&fold(&log), END);
        let spam = more.iter().map(|m| message(*m, Direction::Outbound, 1, false));
        let after = strength_at(&fold(&log.iter().copied().chain(spam).collect::<Vec<_>>()), END);
        if before.outbound >= before.inbound {
            prop_assert!(after.s - before.s <= 0.0875 + 1e-12, "{} → {}", before.s, after.s);
        }
        let never: Vec<Interaction> = more.iter().map(|m| message(*m, Direction::Outbound, 1, false)).collect();
        prop_assert!(strength_at(&fold(&never), END).score <= 0.0);
    }

    /// Whatever else there is of that day.
    #[test]
    fn g2_splitting_a_message_gains_less_than_pi_squared_over_six(
        audience in 1u32..50, pieces in 1usize..200, others in prop::collection::vec(1u32..50, 0..6),
    ) {
        let of = |audience| message(600, Direction::Outbound, audience, false);
        let parameters = Parameters::default();
        let sums = |n: usize| {
            let same = std::iter::repeat_n(of(audience), n);
            let all = same.chain(others.iter().map(|audience| of(*audience)));
            let mut entries: Vec<_> =
                all.filter_map(|i| entry(&i, Side::Outbound, &parameters)).collect();
            day_sums(&mut entries, of(1).at)
        };
        for (split, whole) in sums(pieces).into_iter().zip(sums(1)) {
            prop_assert!(split / whole < std::f64::consts::PI.powi(2) / 6.0);
        }
    }

    #[test]
    fn g3_more_recipients_never_raise_the_strength(log in history(40), which: prop::sample::Index, more in 1u32..20) {
        let mut wider = log.clone();
        wider[which.index(log.len())].audience += more;
        prop_assert!(s(&wider, END) <= s(&log, END) + 1e-12);
    }

    #[test]
    fn g4_silence_never_raises_s(log in history(40), days in prop::collection::vec(0.0f64..500.0, 2)) {
        let state = fold(&log);
        let at = |d: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "at most 500 days")]
            let millis = (d * 86_400_000.0) as i64;
            state.last_at().unwrap() + Span::from_millis(millis)
        };
        let (near, far) = (days[0].min(days[1]), days[0].max(days[1]));
        prop_assert!(strength_at(&state, at(far)).s <= strength_at(&state, at(near)).s + 1e-12);
    }

    #[test]
    fn g4_without_an_interaction_there_is_nothing(at in 0i64..i64::MAX / 2) {
        prop_assert!(strength_at(&Relationship::default(), Timestamp::from_millis(at)).s <= 0.0);
    }

    #[test]
    fn in_silence_what_is_down_stays_down(log in history(60), days in prop::collection::vec(0i64..700, 2..12)) {
        let state = fold(&log);
        let mut days = days;
        days.sort_unstable();
        for trigger in [
            Trigger::Hazard { coefficients: SHIPPED, probability: 0.6 },
            Trigger::Drop(0.5),
            Trigger::Fixed(Span::from_days(45)),
        ] {
            let down = days.iter().map(|day| trigger.down(&state, END + Span::from_days(*day)));
            let down: Vec<bool> = down.collect();
            prop_assert!(down.is_sorted(), "{trigger:?} {down:?}");
            if let Fall::At(at) = fall(&state, &trigger) {
                prop_assert!(trigger.down(&state, at));
                let before = at - Span::from_seconds(61);
                prop_assert!(before < state.masses.at || !trigger.down(&state, before));
            }
        }
    }

    #[test]
    fn g5_any_order_and_chunking_gives_the_same_state(
        log in history(120).prop_shuffle(), sizes in prop::collection::vec(1usize..20, 1..40),
    ) {
        let mut rest = log.as_slice();
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break }
            let (chunk, more) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk.to_vec());
            rest = more;
        }
        close(&fold_in_chunks(&chunks).0, &fold(&log))?;
    }

    #[test]
    fn g5_arrival_in_order_needs_no_second_look(mut log in history(120)) {
        log.sort_by_key(|i| i.at);
        let chunks: Vec<Vec<Interaction>> = log.iter().map(|i| vec![*i]).collect();
        let (state, stale) = fold_in_chunks(&chunks);
        prop_assert!(!stale);
        close(&state, &fold(&log))?;
    }

    /// A message each way on some days, against the same with some of them turned round.
    #[test]
    fn g9_at_equal_volume_balanced_beats_unbalanced(
        days in prop::collection::btree_set(0i64..365, 1..40),
        turned in prop::collection::vec(0u8..3, 40),
        audience in 1u32..20,
    ) {
        use Direction::{Inbound, Outbound};
        let day = |(day, ways): (&i64, [Direction; 2])| {
            ways.map(|way| message(day * 1440 + 600, way, audience, way == Inbound))
        };
        let balanced: Vec<_> =
            days.iter().flat_map(|d| day((d, [Outbound, Inbound]))).collect();
        let ways = turned.iter().map(|turned| match turned {
            0 => [Outbound, Inbound],
            1 => [Outbound, Outbound],
            _ => [Inbound, Inbound],
        });
        let unbalanced: Vec<_> = days.iter().zip(ways).flat_map(day).collect();
        prop_assume!(unbalanced != balanced);
        prop_assert!(s(&balanced, END) > s(&unbalanced, END));
    }

    /// The same exchanges in the last week, and before them a year of others or nothing.
    #[test]
    fn g10_the_older_of_two_equally_active_keeps_more(
        lately in prop::collection::btree_set(359i64..=365, 1..7),
        before in prop::collection::btree_set(0i64..335, 12..120),
    ) {
        let kept = |days: BTreeSet<i64>| {
            let exchange = |day: i64| [
                message(day * 1440 + 600, Direction::Outbound, 1, false),
                message(day * 1440 + 660, Direction::Inbound, 1, true),
            ];
            let state = fold(&days.into_iter().flat_map(exchange).collect::<Vec<_>>());
            let last = state.last_at().unwrap();
            strength_at(&state, last + Span::from_days(60)).s / strength_at(&state, last).s
        };
        let young = kept(lately.clone());
        let old = kept(before.into_iter().chain(lately).collect());
        prop_assert!(old > young, "{old} {young}");
    }

    /// What merging does: the state of one is extended by the log of the other.
    #[test]
    fn g12_merged_contacts_score_as_if_they_had_always_been_one(
        mut one in history(60), other in history(60),
    ) {
        let parameters = Parameters::default();
        let mut merged = fold(&one);
        extend(&mut merged, &one, &other, ZONE, &parameters);
        one.extend(other);
        let whole = fold(&one);
        if merged.baseline_stale {
            merged.baseline = whole.baseline;
            merged.cadence = whole.cadence;
            merged.baseline_stale = false;
        }
        close(&merged, &whole)?;
    }

    /// Where no day was active with both, the states alone do: their sums add up.
    #[test]
    fn g12_sums_of_contacts_that_shared_no_day_add_up(
        one in history(60), other in history(60),
    ) {
        let day = |i: &Interaction| i.at.local_day(ZONE);
        let days: BTreeSet<i64> = one.iter().map(day).collect();
        let other: Vec<_> = other.into_iter().filter(|i| !days.contains(&day(i))).collect();
        let both: Vec<_> = one.iter().chain(&other).copied().collect();
        let [a, b, merged] = [&one, &other, &both].map(|log| strength_at(&fold(log), END));
        prop_assert!((a.outbound + b.outbound - merged.outbound).abs() < 1e-9);
        prop_assert!((a.inbound + b.inbound - merged.inbound).abs() < 1e-9);
    }

    #[test]
    fn g13_two_monologues_stay_at_nothing(
        log in history(120), linked in prop::option::of(any::<prop::sample::Index>()),
    ) {
        // Only an answer opens the gate: from it on, not before.
        let mut log: Vec<_> = log.into_iter().map(|i| Interaction { linked: false, ..i }).collect();
        prop_assert!(strength_at(&fold(&log), END).score <= 0.0);
        if let Some(linked) = linked {
            let answer = linked.index(log.len());
            log[answer].linked = true;
            prop_assert!(strength_at(&fold(&log), END).score > 0.0);
            let before = log[answer].at - Span::from_millis(1);
            let state = rebuild(&log, ZONE, &Parameters::default(), before);
            prop_assert!(strength_at(&state, before).score <= 0.0);
        }
    }

    #[test]
    fn nothing_dated_later_counts(log in history(60), day in 0i64..365) {
        let cut = START + Span::from_days(day);
        let past: Vec<_> = log.iter().filter(|i| i.at <= cut).copied().collect();
        let parameters = Parameters::default();
        let whole = rebuild(&log, ZONE, &parameters, cut);
        let known = rebuild(&past, ZONE, &parameters, cut);
        prop_assert_eq!(Relationship { pending_at: None, ..whole }, known);
    }
}
