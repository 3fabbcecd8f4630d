//! What carries a strength: each interaction's mass, its rank of the day and what is left of it, so
//! that anybody can add up O and I by hand.
//!
//! ```text
//! O = Σ mass / rank² · Σ w_k 2^(-age/h_k)       over all that touch the outbound side; I likewise
//! ```

use crate::model::{Interaction, Timestamp};

use super::decay::{decay, weights};
use super::fold::Zone;
use super::mass::{Parameters, Side, entry};

/// One interaction's part in O or in I.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Its mass, when it happened.
    pub mass: f64,
    /// Its place among the masses of that side and day, the largest first, of equals the earlier.
    pub rank: u32,
    /// What it still adds: mass / rank², decayed and weighted over the half-lives.
    pub left: f64,
}

/// What an interaction carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carried {
    /// Its day in the rep's time zone, since the epoch.
    pub day: i64,
    /// What is left of a mass of 1 by now, for each half-life.
    pub decay: [f64; 4],
    /// Its part in O.
    pub outbound: Option<Part>,
    /// Its part in I.
    pub inbound: Option<Part>,
}

/// What each interaction of a log, sorted by time, carries at `at`; in the same order.
#[must_use]
pub fn carried(
    log: &[Interaction],
    zone: Zone,
    parameters: &Parameters,
    at: Timestamp,
) -> Vec<Carried> {
    let mut all = Vec::with_capacity(log.len());
    for day in log.chunk_by(|a, b| a.at.local_day(zone) == b.at.local_day(zone)) {
        let parts = [Side::Outbound, Side::Inbound].map(|side| parts(day, side, parameters, at));
        let [outbound, inbound] = parts;
        all.extend(day.iter().zip(outbound).zip(inbound).map(|((one, outbound), inbound)| {
            let (day, decay) = (one.at.local_day(zone), decay(at.days_since(one.at)));
            Carried { day, decay, outbound, inbound }
        }));
    }
    all
}

/// The part of each interaction of a day in one side.
fn parts(
    day: &[Interaction],
    side: Side,
    parameters: &Parameters,
    at: Timestamp,
) -> Vec<Option<Part>> {
    let mut ranked: Vec<(usize, f64, Timestamp)> = day
        .iter()
        .enumerate()
        .filter_map(|(n, one)| entry(one, side, parameters).map(|entry| (n, entry.mass, entry.at)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.2.cmp(&b.2)));
    let mut parts = vec![None; day.len()];
    for (rank, (n, mass, when)) in (1u32..).zip(ranked) {
        let decayed = decay(at.days_since(when)).into_iter().zip(weights());
        let factor: f64 = decayed.map(|(left, weight)| left * weight).sum();
        let left = mass / f64::from(rank).powi(2) * factor;
        if let Some(part) = parts.get_mut(n) {
            *part = Some(Part { mass, rank, left });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Kind, Span};
    use crate::score::{rebuild, strength_at};

    const NOON: Timestamp = Timestamp::from_seconds(1_577_880_000);

    fn one(minutes: i64, direction: Direction, kind: Kind, audience: u32) -> Interaction {
        Interaction {
            at: NOON + Span::from_seconds(60 * minutes),
            direction,
            kind,
            audience,
            linked: true,
        }
    }

    /// A meeting may be the first of its day to one side and the third to the other.
    #[test]
    fn each_side_has_its_own_ranks_and_they_add_up_to_the_strength() {
        let (parameters, zone) = (Parameters::default(), chrono_tz::UTC);
        let log = [
            one(0, Direction::Outbound, Kind::Message, 1),
            one(0, Direction::Outbound, Kind::Message, 1),
            one(9, Direction::Mutual, Kind::Meeting, 16),
            one(20, Direction::Inbound, Kind::Message, 81),
            one(3000, Direction::Inbound, Kind::Message, 1),
        ];
        let at = NOON + Span::from_days(40);
        let carried = carried(&log, zone, &parameters, at);
        let ranks: Vec<_> = carried
            .iter()
            .map(|c| [c.outbound, c.inbound].map(|part| part.map(|part| part.rank)))
            .collect();
        let expected = [
            [Some(1), None],
            [Some(2), None],
            [Some(3), Some(1)],
            [None, Some(2)],
            [None, Some(1)],
        ];
        assert_eq!(ranks, expected);
        let sum = |part: fn(&Carried) -> Option<Part>| -> f64 {
            carried.iter().filter_map(part).map(|part| part.left).sum()
        };
        let strength = strength_at(&rebuild(&log, zone, &parameters, at), at);
        assert!((sum(|c| c.outbound) - strength.outbound).abs() < 1e-12);
        assert!((sum(|c| c.inbound) - strength.inbound).abs() < 1e-12);
    }
}
