//! From decayed sums to a strength between 0 and 100.
//!
//! ```text
//! O = Σ w_k out[k] 2^(-(T-t)/h_k), I likewise            h = 7, 30, 120, 480 days, w_k = h_k^-0.75
//! S = 2 min(O,I) + 0.5 min((I-O)+, 1) + 0.25 min((O-I)+, 0.35)
//! strength = 100 S/(S+2) once reciprocated, else 0
//! ```

use crate::model::relationship::Masses;
use crate::model::{Relationship, Timestamp};

use super::decay::{decay, weights};

/// At most so much of what the rep sends without an answer counts (in units of mass).
const OUTBOUND_SURPLUS_CAP: f64 = 0.35;
/// At most so much of what the contact sends without an answer counts.
const INBOUND_SURPLUS_CAP: f64 = 1.0;

/// A strength, term by term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// O: decayed, weighted mass from the rep.
    pub outbound: f64,
    /// I: decayed, weighted mass from the contact.
    pub inbound: f64,
    /// 2 min(O, I): what both sides hold up.
    pub balanced: f64,
    /// What the surplus of either side adds, capped.
    pub surplus: f64,
    /// S: the sum, without the gate; this is what ranks.
    pub s: f64,
    /// Whether the other party had answered by then; without it the score is 0.
    pub reciprocated: bool,
    /// 0 to 100.
    pub score: f64,
}

/// A strength in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// 0.
    None,
    /// Below 10.
    Weak,
    /// 10 to 30.
    Fair,
    /// 30 to 45.
    Good,
    /// 45 and more.
    Strong,
}

impl Band {
    /// The band in which a score lies.
    #[must_use]
    pub fn of(score: f64) -> Self {
        match score {
            s if s >= 45.0 => Self::Strong,
            s if s >= 30.0 => Self::Good,
            s if s >= 10.0 => Self::Fair,
            s if s > 0.0 => Self::Weak,
            _ => Self::None,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Weak => "weak",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Strong => "strong",
        }
    }
}

/// The strength at `at`, which is not before the last interaction folded in.
#[must_use]
pub fn strength_at(relationship: &Relationship, at: Timestamp) -> Strength {
    let (outbound, inbound) = weighted(&relationship.masses, at);
    let (balanced, surplus) = terms(outbound, inbound);
    let s = balanced + surplus;
    let reciprocated = relationship.reciprocated_at.is_some_and(|first| first <= at);
    let score = if reciprocated { score_of(s) } else { 0.0 };
    Strength { outbound, inbound, balanced, surplus, s, reciprocated, score }
}

/// S of decayed sums at `at`.
#[must_use]
pub(super) fn s_of(masses: &Masses, at: Timestamp) -> f64 {
    let (outbound, inbound) = weighted(masses, at);
    let (balanced, surplus) = terms(outbound, inbound);
    balanced + surplus
}

/// What both sides hold up, and what the surplus of either adds.
fn terms(outbound: f64, inbound: f64) -> (f64, f64) {
    let balanced = 2.0 * outbound.min(inbound);
    let surplus = 0.5 * (inbound - outbound).clamp(0.0, INBOUND_SURPLUS_CAP)
        + 0.25 * (outbound - inbound).clamp(0.0, OUTBOUND_SURPLUS_CAP);
    (balanced, surplus)
}

/// 100 S/(S+2).
#[must_use]
pub fn score_of(s: f64) -> f64 {
    100.0 * s / (s + 2.0)
}

/// O and I at `at`.
fn weighted(masses: &Masses, at: Timestamp) -> (f64, f64) {
    let left = decay(at.days_since(masses.at));
    let sum = |side: &[f64; 4]| -> f64 {
        side.iter()
            .zip(left)
            .zip(weights())
            .map(|((mass, left), weight)| mass * left * weight)
            .sum()
    };
    (sum(&masses.outbound), sum(&masses.inbound))
}
