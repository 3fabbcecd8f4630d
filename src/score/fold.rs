//! Folding interactions into a relationship's state, a few at a time or all at once.
//!
//! `extend` costs what the touched days hold, not what the whole history holds. Two things cannot
//! be had that way when something arrives out of order: the baseline, which is a maximum over
//! time, and the cadence, which is about neighbours in time, are then marked stale and `rebuild`
//! makes them good from the log.

use std::collections::BTreeMap;

use crate::model::relationship::Masses;
use crate::model::{Direction, Interaction, Relationship, Timestamp};

use super::cadence;
use super::decay::decay;
use super::mass::{Entry, Parameters, Side, day_sums, entry};
use super::strength::strength_at;

/// The calendar by which days are told apart: the rep's time zone.
pub type Zone = chrono_tz::Tz;

/// Folds a whole history, in any order; interactions dated later than `until` are left out.
#[must_use]
pub fn rebuild(
    log: &[Interaction],
    zone: Zone,
    parameters: &Parameters,
    until: Timestamp,
) -> Relationship {
    let mut state = walk(log, zone, parameters, until, |_| {});
    state.pending_at = log.iter().map(|i| i.at).filter(|at| *at > until).min();
    state
}

/// Folds a history by time; shows the state after each instant at which something happened, and
/// gives the last.
pub fn walk(
    log: &[Interaction],
    zone: Zone,
    parameters: &Parameters,
    until: Timestamp,
    mut show: impl FnMut(&Relationship),
) -> Relationship {
    let mut past: Vec<Interaction> = log.iter().filter(|i| i.at <= until).copied().collect();
    past.sort_by_key(|i| i.at);
    let mut state = Relationship { folded_at: until, ..Relationship::default() };
    let mut day: Vec<Interaction> = Vec::new();
    let mut day_number = i64::MIN;
    for together in past.chunk_by(|a, b| a.at == b.at) {
        let Some(first) = together.first() else { continue };
        let today = first.at.local_day(zone);
        if today != day_number {
            day.clear();
            day_number = today;
        }
        push(&mut state, today, &day, together, parameters);
        day.extend_from_slice(together);
        show(&state);
    }
    state
}

/// Folds `added` into a state; none of them is later than `until`.
///
/// `folded` holds what had been folded before of the local days that `added` touches.
pub fn extend(
    state: &mut Relationship,
    folded: &[Interaction],
    added: &[Interaction],
    zone: Zone,
    parameters: &Parameters,
) {
    let mut days: BTreeMap<i64, (Vec<Interaction>, Vec<Interaction>)> = BTreeMap::new();
    for interaction in added {
        days.entry(interaction.at.local_day(zone)).or_default().1.push(*interaction);
    }
    for interaction in folded {
        if let Some((before, _)) = days.get_mut(&interaction.at.local_day(zone)) {
            before.push(*interaction);
        }
    }
    for (today, (mut before, mut new)) in days {
        new.sort_by_key(|i| i.at);
        for together in new.chunk_by(|a, b| a.at == b.at) {
            push(state, today, &before, together, parameters);
            before.extend_from_slice(together);
        }
    }
}

/// Adds interactions of one instant to a state whose day so far, `today`, is `day`.
fn push(
    state: &mut Relationship,
    today: i64,
    day: &[Interaction],
    together: &[Interaction],
    parameters: &Parameters,
) {
    let Some(at) = together.first().map(|i| i.at) else { return };
    let last = state.last_at();
    let reference = last.map_or(at, |last| last.max(at));
    bring_to(&mut state.masses, reference);
    for side in [Side::Outbound, Side::Inbound] {
        let mut entries: Vec<Entry> =
            day.iter().filter_map(|i| entry(i, side, parameters)).collect();
        let before = day_sums(&mut entries, reference);
        entries.extend(together.iter().filter_map(|i| entry(i, side, parameters)));
        let after = day_sums(&mut entries, reference);
        let sums = match side {
            Side::Outbound => &mut state.masses.outbound,
            Side::Inbound => &mut state.masses.inbound,
        };
        for ((sum, before), after) in sums.iter_mut().zip(before).zip(after) {
            *sum += after - before;
        }
    }
    count(state, day.is_empty(), together);
    if last.is_some_and(|last| at < last) {
        state.baseline_stale = true;
    } else {
        let faded = last.map_or(0.0, |last| {
            state.baseline * (-at.days_since(last) / parameters.baseline_half_life_days).exp2()
        });
        state.baseline = faded.max(strength_at(state, at).s);
        cadence::push(state, today, at);
    }
}

/// Decays the sums to a later instant.
fn bring_to(masses: &mut Masses, at: Timestamp) {
    let left = decay(at.days_since(masses.at));
    for side in [&mut masses.outbound, &mut masses.inbound] {
        for (sum, left) in side.iter_mut().zip(left) {
            *sum *= left;
        }
    }
    masses.at = at;
}

/// Counts and first and last instants; none of them depends on the order.
fn count(state: &mut Relationship, first_of_day: bool, together: &[Interaction]) {
    for interaction in together {
        let at = Some(interaction.at);
        let (count, last) = match interaction.direction {
            Direction::Outbound => (&mut state.counts.outbound, &mut state.last_outbound_at),
            Direction::Inbound => (&mut state.counts.inbound, &mut state.last_inbound_at),
            Direction::Mutual => (&mut state.counts.meetings, &mut state.last_meeting_at),
        };
        *count += 1;
        *last = (*last).max(at);
        state.first_at = Some(state.first_at.map_or(interaction.at, |f| f.min(interaction.at)));
        if interaction.linked {
            state.counts.reciprocations += 1;
            state.reciprocated_at =
                Some(state.reciprocated_at.map_or(interaction.at, |r| r.min(interaction.at)));
        }
    }
    state.counts.active_days += u32::from(first_of_day);
}
