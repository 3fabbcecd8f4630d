//! Strength: how much a relationship holds, from its interactions alone.
//!
//! Pure and order-free: folding interactions one by one, in any order and any chunks, gives the
//! state that a rebuild from the whole log gives (within 1e-9). The formula and its reference
//! values are in README.md, "The model".

pub mod account;
pub mod carry;
pub mod decay;
pub mod engagement;
pub mod fold;
pub mod mass;
pub mod outlook;
pub mod path;
pub mod silence;
pub mod strength;
pub mod working;

pub use engagement::{Engagement, Evidence, engagement};
pub use fold::{Zone, extend, rebuild};
pub use mass::Parameters;
pub use silence::{Fall, fall, fell_at, usual_gap_days};
pub use strength::{Band, Strength, strength_at};
pub use working::WorkingHours;

/// The form of the model: greater by one with every change that gives other strengths, so that
/// stored states are computed again.
pub const MODEL: u32 = 1;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod reference;
