//! The body of a decay nudge, `nudge.decay.v1`: a contract, README.md "Webhook".

use serde::Serialize;

use crate::model::key::public_id;
use crate::model::{Reason, Timestamp};

/// The type of the event.
pub const TYPE: &str = "nudge.decay.v1";

/// Everything that the body says.
#[derive(Clone, Debug, Serialize)]
pub struct Payload {
    /// `ndg_…`
    pub nudge_id: String,
    /// `eps_…`
    pub episode_id: String,
    /// To whom.
    pub rep: RepPart,
    /// About whom.
    pub contact: ContactPart,
    /// How strong it is and was.
    pub strength: StrengthPart,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The last touch.
    pub last_interaction: LastPart,
    /// What might be done.
    pub suggestion: String,
    /// Up to when the rep's sources have been read.
    pub data_fresh_at: Timestamp,
}

/// The rep.
#[derive(Clone, Debug, Serialize)]
pub struct RepPart {
    /// The id that the configuration gives.
    pub id: String,
    /// The name.
    pub name: String,
    /// The first address.
    pub address: String,
}

/// The contact.
#[derive(Clone, Debug, Serialize)]
pub struct ContactPart {
    /// `con_…`
    pub id: String,
    /// The name.
    pub name: String,
    /// The first address.
    pub address: String,
    /// The organisation's domain.
    pub organisation: String,
}

/// Scores from 0 to 100, with one decimal.
#[derive(Clone, Debug, Serialize)]
pub struct StrengthPart {
    /// At the time of the nudge.
    pub now: f64,
    /// At its best, remembered.
    pub baseline: f64,
    /// `cooling` above a third of the baseline, else `cold`.
    pub band: &'static str,
}

/// The last touch.
#[derive(Clone, Debug, Serialize)]
pub struct LastPart {
    /// When.
    pub at: Timestamp,
    /// `message` or `meeting`.
    pub kind: &'static str,
    /// `outbound`, `inbound` or `mutual`.
    pub direction: &'static str,
}

#[derive(Serialize)]
struct Event<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: &'a Payload,
}

/// The body, made once and sent byte for byte at every try.
#[must_use]
pub fn body(payload: &Payload, now: Timestamp) -> String {
    let event = Event { r#type: TYPE, timestamp: now, data: payload };
    serde_json::to_string(&event).unwrap_or_default()
}

/// The id of an episode: the relationship and the touch after which it fell silent.
#[must_use]
pub fn episode_id(rep: &str, contact: &str, last_at: Timestamp) -> String {
    public_id("eps_", &[rep.as_bytes(), contact.as_bytes(), &last_at.millis().to_le_bytes()])
}

/// The id of the episode's nudge.
#[must_use]
pub fn nudge_id(episode_id: &str) -> String {
    public_id("ndg_", &[episode_id.as_bytes(), TYPE.as_bytes()])
}

/// How far down: `cooling` or `cold`.
#[must_use]
pub fn band(now: f64, baseline: f64) -> &'static str {
    if now * 3.0 > baseline { "cooling" } else { "cold" }
}
