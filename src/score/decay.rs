//! How a mass fades: four half-lives at once, so that what is older and stronger fades more slowly.

use crate::model::relationship::HALF_LIVES_DAYS;

/// The weight of each half-life, h^-0.75.
#[must_use]
pub fn weights() -> [f64; 4] {
    HALF_LIVES_DAYS.map(|half_life| half_life.powf(-0.75))
}

/// What is left of 1 after `days` of silence, for each half-life.
pub(super) fn decay(days: f64) -> [f64; 4] {
    HALF_LIVES_DAYS.map(|half_life| (-days / half_life).exp2())
}
