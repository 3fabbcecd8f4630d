//! Strength: how much a relationship holds, from its interactions alone.
//!
//! Pure and order-free: folding interactions one by one, in any order and any chunks, gives the
//! state that a rebuild from the whole log gives (within 1e-9). The formula and its reference
//! values are in README.md, "The model".

pub mod account;
pub mod cadence;
pub mod calibration;
pub mod carry;
pub mod decay;
pub mod engagement;
pub mod fold;
pub mod hazard;
pub mod logistic;
pub mod mass;
pub mod outlook;
pub mod path;
pub mod silence;
pub mod strength;
pub mod working;

pub use cadence::usual_gap_days;
pub use engagement::{Engagement, Evidence, engagement};
pub use fold::{Zone, extend, rebuild};
pub use mass::Parameters;
pub use silence::{Fall, Trigger, deep, fall, fell_at};
pub use strength::{Band, Strength, strength_at};
pub use working::{WorkingDays, WorkingHours};

/// The form of the model: greater by one with every change that gives other strengths, so that
/// stored states are computed again.
pub const MODEL: u32 = 2;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod reference;
