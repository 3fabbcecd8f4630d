//! A nudge: "this relationship is decaying, for these reasons", addressed to a rep.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Why a rep is nudged: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable word: `silence`, `drop` …
    pub code: String,
    /// Days without an interaction, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub days: Option<i64>,
    /// The usual gap between active days, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usual_gap_days: Option<i64>,
    /// The sentence.
    pub text: String,
}

/// A nudge as it is stored, with the body that is delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Nudge {
    /// Public id `ndg_…`, derived from the episode.
    pub id: String,
    /// Public id `eps_…` of the decay it belongs to.
    pub episode_id: String,
    /// What kind it is: `decay`.
    pub kind: String,
    /// The relationship's row.
    pub relationship: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The webhook body, made once so that every retry sends the same bytes.
    pub body: String,
}
