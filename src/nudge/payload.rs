//! The event of a nudge in its standard form, `nudge.<kind>.v1`: a contract, README.md "Webhook" and
//! config/schemas. What is optional is left out where it does not apply.

use serde::{Deserialize, Serialize};

use crate::model::key::public_id;
use crate::model::{NudgeKind, Reason, Timestamp};

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// `nudge.decay.v1` and its like.
    pub r#type: String,
    /// When it was made.
    pub timestamp: Timestamp,
    /// What it says.
    pub data: Payload,
}

/// Everything that the body says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// How often the rep has been told of the same before, if at all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reminder: Option<u32>,
    /// The account that hangs on too few, where that is the matter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<AccountPart>,
    /// Where the contact seems to be now, where that is the matter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub moved_to: Option<MovedPart>,
}

/// The rep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepPart {
    /// The id that the configuration gives.
    pub id: String,
    /// The name.
    pub name: String,
    /// The first address.
    pub address: String,
}

/// The contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrengthPart {
    /// At the time of the nudge.
    pub now: f64,
    /// At its best, remembered.
    pub baseline: f64,
    /// `cooling` above a third of the baseline, else `cold`.
    pub band: String,
}

/// The last touch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastPart {
    /// When.
    pub at: Timestamp,
    /// `message` or `meeting`.
    pub kind: String,
    /// `outbound`, `inbound` or `mutual`.
    pub direction: String,
}

/// An account, as far as people there are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountPart {
    /// Its name in the configuration, else its domain.
    pub name: String,
    /// How many people there have a strong relationship with anybody.
    pub strong: u32,
    /// How many there should be.
    pub target: u32,
    /// The share of the account's strength that the strongest person has, from 0 to 1.
    pub top_share: f64,
}

/// Where somebody seems to be now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MovedPart {
    /// The new address.
    pub address: String,
    /// Its organisation's domain.
    pub organisation: String,
}

/// The event's body, made once.
#[must_use]
pub fn body(kind: NudgeKind, payload: Payload, now: Timestamp) -> String {
    let event = Event { r#type: kind.event_type(), timestamp: now, data: payload };
    serde_json::to_string(&event).unwrap_or_default()
}

/// The id of an episode: the relationship and the touch after which it fell silent.
#[must_use]
pub fn episode_id(rep: &str, contact: &str, last_at: Timestamp) -> String {
    public_id("eps_", &[rep.as_bytes(), contact.as_bytes(), &last_at.millis().to_le_bytes()])
}

/// The id of what is about one message, meeting or day rather than a silence.
#[must_use]
pub fn episode_of_kind(kind: NudgeKind, rep: &str, contact: &str, about: &str) -> String {
    let parts = [kind.code(), rep, contact, about].map(str::as_bytes);
    public_id("eps_", &parts)
}

/// The id of an episode's nudge; of its reminders, which are told apart by their number.
#[must_use]
pub fn nudge_id(episode_id: &str, kind: NudgeKind, reminder: u32) -> String {
    let (kind, number) = (kind.event_type(), reminder.to_le_bytes());
    match reminder {
        0 => public_id("ndg_", &[episode_id.as_bytes(), kind.as_bytes()]),
        _ => public_id("ndg_", &[episode_id.as_bytes(), kind.as_bytes(), &number]),
    }
}

/// How far down: `cooling` or `cold`.
#[must_use]
pub fn band(now: f64, baseline: f64) -> String {
    let band = if now * 3.0 > baseline { "cooling" } else { "cold" };
    band.to_owned()
}
