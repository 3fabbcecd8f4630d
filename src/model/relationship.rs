//! The pair (rep, contact): what is kept of it so that the next interaction costs little.

use super::Timestamp;

/// Half-lives of the four decayed sums, in days.
pub const HALF_LIVES_DAYS: [f64; 4] = [7.0, 30.0, 120.0, 480.0];

/// Decayed sums of mass by direction, one for each half-life, as they stood at `at`.
///
/// Additive: the sums of two disjoint sets of interactions, brought to one instant, add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Masses {
    /// From the rep to the contact.
    pub outbound: [f64; 4],
    /// From the contact to the rep.
    pub inbound: [f64; 4],
    /// The instant for which the sums hold: the last interaction's.
    pub at: Timestamp,
}

/// How many interactions a relationship counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages from the rep.
    pub outbound: u32,
    /// Messages from the contact.
    pub inbound: u32,
    /// Meetings held.
    pub meetings: u32,
    /// Interactions that answer the other party, and meetings both accepted.
    pub reciprocations: u32,
    /// Days (in the rep's time zone) with at least one interaction.
    pub active_days: u32,
}

/// The rhythm of a relationship: when there was contact, and how long it usually is between.
///
/// An exchange is what happens on a local day and the one after it, so that an answer after midnight
/// makes no gap of its own. Which interactions are contact, `score::cadence` says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cadence {
    /// The last contact.
    pub contact_at: Option<Timestamp>,
    /// How many exchanges.
    pub exchanges: u32,
    /// The local day on which the last exchange began, in days since 1970-01-01.
    pub exchange_day: i64,
    /// Exponentially weighted mean of the natural logarithms of the gaps between the beginnings of
    /// exchanges, in days; 0 before the second.
    pub mean_ln_gap: f64,
    /// Their exponentially weighted variance.
    pub variance_ln_gap: f64,
}

/// The state of a relationship: a function of its counted interactions up to `folded_at`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relationship {
    /// Decayed sums.
    pub masses: Masses,
    /// How many of what.
    pub counts: Counts,
    /// The highest S so far, fading, as of the last interaction; see `score::baseline`.
    pub baseline: f64,
    /// When there was contact, and how often; of a stale state it means nothing.
    pub cadence: Cadence,
    /// Whether interactions came out of order, so that `baseline` and `cadence` must be folded from
    /// the log.
    pub baseline_stale: bool,
    /// The first interaction that answers the other party: before it the strength is 0.
    pub reciprocated_at: Option<Timestamp>,
    /// The first interaction.
    pub first_at: Option<Timestamp>,
    /// The last one of each direction, and the last meeting.
    pub last_outbound_at: Option<Timestamp>,
    /// The last message from the contact.
    pub last_inbound_at: Option<Timestamp>,
    /// The last meeting held.
    pub last_meeting_at: Option<Timestamp>,
    /// Everything dated up to here has been folded in.
    pub folded_at: Timestamp,
    /// The earliest interaction dated later than `folded_at`, such as a meeting to come.
    pub pending_at: Option<Timestamp>,
}

impl Relationship {
    /// The last interaction of any direction.
    #[must_use]
    pub fn last_at(&self) -> Option<Timestamp> {
        self.last_outbound_at.max(self.last_inbound_at).max(self.last_meeting_at)
    }

    /// When the contact last took part.
    #[must_use]
    pub fn heard_at(&self) -> Option<Timestamp> {
        self.last_inbound_at.max(self.last_meeting_at)
    }

    /// Up to when both sides have taken part: the earlier of the last touches of either side.
    #[must_use]
    pub fn both_ways_at(&self) -> Option<Timestamp> {
        let outbound = self.last_outbound_at.max(self.last_meeting_at)?;
        let inbound = self.heard_at()?;
        Some(outbound.min(inbound))
    }
}
