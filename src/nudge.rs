//! Nudges: whether a relationship's decay is worth a word to its rep, and which words.
//!
//! Pure: a decision is a function of the relationship's state and a few facts, and carries its
//! reason. What is decided here is stored and delivered elsewhere.

pub mod decide;
pub mod effect;
pub mod guard;
pub mod kinds;
pub mod payload;
pub mod reason;
pub mod restraint;

pub use decide::{
    AGAIN, Ahead, Decision, Facts, Policy, Recovery, Rule, decide, established, looks_next,
    recovery, stake,
};
pub use kinds::Matters;
pub use payload::{Event, Payload, body, nudge_id};
pub use reason::{Colleague, Evidence, reasons, suggestion};
pub use restraint::Restraint;
