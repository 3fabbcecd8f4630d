//! What one interaction weighs, and what a day of them weighs.
//!
//! Within one day and direction the largest mass counts whole, the second a quarter, the third a
//! ninth …: a burst of messages is worth less than π²/6 of one (G2).

use crate::model::relationship::Masses;
use crate::model::{Direction, Interaction, Kind, Timestamp};

use super::decay::decay;

/// What an admin may set of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// Mass of a held one-to-one meeting, half of it to each direction; a message has 1.
    pub meeting_mass: f64,
    /// A mass is divided by audience to this power.
    pub audience_exponent: f64,
    /// Half-life in days of the memory of the best strength.
    pub baseline_half_life_days: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { meeting_mass: 2.5, audience_exponent: 0.25, baseline_half_life_days: 365.0 }
    }
}

/// One interaction's mass in one direction, at its instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) mass: f64,
}

/// The two directions that have a sum of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Outbound,
    Inbound,
}

/// The interaction's mass on one side; `None` if it does not touch that side.
pub(super) fn entry(of: &Interaction, side: Side, parameters: &Parameters) -> Option<Entry> {
    let share = match (of.direction, side) {
        (Direction::Outbound, Side::Outbound) | (Direction::Inbound, Side::Inbound) => 1.0,
        (Direction::Mutual, _) => 0.5,
        _ => return None,
    };
    let kind = match of.kind {
        Kind::Message => 1.0,
        Kind::Meeting => parameters.meeting_mass,
    };
    let audience = f64::from(of.audience.max(1)).powf(-parameters.audience_exponent);
    Some(Entry { at: of.at, mass: share * kind * audience })
}

/// The decayed sums that one side of one day adds up to at `at`, one for each half-life.
///
/// The order of `entries` does not matter: they are ranked by mass, then by age.
pub(super) fn day_sums(entries: &mut [Entry], at: Timestamp) -> [f64; 4] {
    entries.sort_by(|a, b| b.mass.total_cmp(&a.mass).then(a.at.cmp(&b.at)));
    let mut sums = [0.0; 4];
    let mut rank = 0.0_f64;
    for entry in entries.iter() {
        rank += 1.0;
        let mass = entry.mass / (rank * rank);
        for (sum, factor) in sums.iter_mut().zip(decay(at.days_since(entry.at))) {
            *sum += mass * factor;
        }
    }
    sums
}

/// The sums as they stood at `then`, from those of a later state: what has been added since is taken
/// away again, and the rest is what it was before it faded.
///
/// `log` holds what the state counts of the local day of `then` and of all later ones.
#[must_use]
pub fn before(
    masses: &Masses,
    log: &[Interaction],
    zone: chrono_tz::Tz,
    parameters: &Parameters,
    then: Timestamp,
) -> Masses {
    if log.iter().all(|one| one.at <= then) {
        return *masses;
    }
    let first_day = then.local_day(zone);
    let since: Vec<&Interaction> =
        log.iter().filter(|one| one.at.local_day(zone) >= first_day).collect();
    let grown = decay(then.days_since(masses.at));
    let side = |side: Side, sums: [f64; 4]| {
        let mut rest = sums;
        for day in since.chunk_by(|a, b| a.at.local_day(zone) == b.at.local_day(zone)) {
            let entries = |from: &mut dyn Iterator<Item = &&Interaction>| -> [f64; 4] {
                let mut entries: Vec<Entry> =
                    from.filter_map(|one| entry(one, side, parameters)).collect();
                day_sums(&mut entries, masses.at)
            };
            let (now, kept) =
                (entries(&mut day.iter()), entries(&mut day.iter().filter(|one| one.at <= then)));
            for ((sum, now), kept) in rest.iter_mut().zip(now).zip(kept) {
                *sum -= now - kept;
            }
        }
        for (sum, grown) in rest.iter_mut().zip(grown) {
            // What is left of nothing is a rounding.
            *sum = sum.max(0.0) * grown;
        }
        rest
    };
    Masses {
        outbound: side(Side::Outbound, masses.outbound),
        inbound: side(Side::Inbound, masses.inbound),
        at: then,
    }
}
