//! The interactions that carry a strength, each with all that it takes to add them up by hand.

use serde::Serialize;

use super::super::output::{Align, Cell, Column, Table};
use crate::model::time::DAY_MS;
use crate::model::{Interaction, Timestamp};
use crate::score::carry::{Carried, Part};

/// One interaction and what is left of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Evidence {
    at: Timestamp,
    direction: &'static str,
    kind: &'static str,
    audience: u32,
    linked: bool,
    /// What it adds to O, to I, or to both, today; of two that differ the greater.
    weight: f64,
    /// Its day in the rep's time zone.
    day: String,
    /// Kind, audience and, for a meeting, half to each side.
    mass: f64,
    /// Its place among the masses of its day, on either side that it touches.
    rank_outbound: Option<u32>,
    rank_inbound: Option<u32>,
    /// What is left of a mass of 1, for each of `half_lives_days`.
    decay: [f64; 4],
    /// What it adds to O and to I today: mass / rank² · Σ weights · decay.
    weight_outbound: Option<f64>,
    weight_inbound: Option<f64>,
}

/// An interaction with what it carries.
pub(super) fn evidence((interaction, carried): (&Interaction, &Carried)) -> Evidence {
    let Carried { day, decay, outbound, inbound } = *carried;
    let parts = || [outbound, inbound].into_iter().flatten();
    let greatest = |of: fn(Part) -> f64| parts().map(of).fold(0.0, f64::max);
    Evidence {
        at: interaction.at,
        direction: interaction.direction.code(),
        kind: interaction.kind.code(),
        audience: interaction.audience,
        linked: interaction.linked,
        weight: greatest(|part| part.left),
        day: super::super::day(Some(Timestamp::from_millis(day.saturating_mul(DAY_MS)))),
        mass: greatest(|part| part.mass),
        rank_outbound: outbound.map(|part| part.rank),
        rank_inbound: inbound.map(|part| part.rank),
        decay,
        weight_outbound: outbound.map(|part| part.left),
        weight_inbound: inbound.map(|part| part.left),
    }
}

/// The heaviest first, at most so many.
pub(super) fn heaviest(evidence: &[Evidence], most: usize) -> Vec<Evidence> {
    let mut heaviest: Vec<&Evidence> = evidence.iter().collect();
    heaviest.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    heaviest.into_iter().take(most).cloned().collect()
}

/// The table of them.
pub(super) fn table(evidence: &[Evidence]) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("at", "at", Align::Right),
        column("direction", "direction", Align::Left),
        column("kind", "kind", Align::Left),
        column("audience", "audience", Align::Right),
        column("linked", "answer", Align::Left),
        column("mass", "mass", Align::Right),
        column("weight", "weight left", Align::Right),
    ]);
    for one in evidence {
        table.push(vec![
            Cell::text(one.at.to_string()),
            Cell::text(one.direction),
            Cell::text(one.kind),
            Cell::number(one.audience.to_string()),
            Cell::text(if one.linked { "yes" } else { "" }),
            Cell::number(format!("{:.3}", one.mass)),
            Cell::number(format!("{:.4}", one.weight)),
        ]);
    }
    table
}
