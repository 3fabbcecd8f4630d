//! When a relationship that mattered has fallen, by one of three triggers, and what is done then.
//!
//! An episode runs from the fall to the recovery; a nudge belongs to one episode, and episodes keep
//! a distance. Falls and recoveries, by trigger:
//!
//! | trigger | falls when | recovers when |
//! |---|---|---|
//! | hazard | the probability of 30 more silent days is `hazard_probability` or more, or S is at most a quarter of the baseline | it is below 0.7 of that, and S above |
//! | drop | S is at most `drop_ratio` of the baseline | S is at least `recovery_ratio` of it |
//! | fixed | there was no contact for `fixed_days` | there has been contact since |

use crate::model::{Relationship, Span, Timestamp};
use crate::score::hazard::{self, Coefficients, probability};
use crate::score::{Trigger, strength_at};

/// What is likely to go on has ended when it is less likely than this share of the threshold.
pub const RECOVERED_SHARE: f64 = 0.7;

/// By what a relationship falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The silence will probably go on.
    Hazard,
    /// The strength is a share of what it was.
    Drop,
    /// There was no contact for some days.
    Fixed,
}

impl Rule {
    /// The word for it in the configuration and in what is printed.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hazard => "hazard",
            Self::Drop => "drop",
            Self::Fixed => "fixed",
        }
    }
}

/// Thresholds, all with defaults in config/default.toml, `[nudge]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// By which of the three an episode begins.
    pub rule: Rule,
    /// The hazard: 30 more silent days must be at least so probable.
    pub hazard_probability: f64,
    /// By what that is computed.
    pub hazard: Coefficients,
    /// The drop: S must be at most this share of the baseline.
    pub drop_ratio: f64,
    /// The drop's episode ends when S is at least this share of it.
    pub recovery_ratio: f64,
    /// Fixed: so much time without contact.
    pub fixed: Span,
    /// A relationship whose baseline never was this high did not matter enough.
    pub min_baseline: f64,
    /// No nudge before so much silence.
    pub min_silence: Span,
    /// Established: at least so many answers of either side …
    pub min_reciprocations: u32,
    /// … on at least so many days.
    pub min_active_days: u32,
    /// From the beginning of one episode to that of the next.
    pub between_episodes: Span,
    /// What fell longer ago is history, not news.
    pub max_age: Span,
    /// All of the rep's sources must have been read within this time.
    pub fresh: Span,
    /// A meeting planned within this time speaks for itself.
    pub meeting_ahead: Span,
}

impl Policy {
    /// The trigger with its threshold.
    #[must_use]
    pub const fn trigger(&self) -> Trigger {
        match self.rule {
            Rule::Hazard => {
                Trigger::Hazard { coefficients: self.hazard, probability: self.hazard_probability }
            }
            Rule::Drop => Trigger::Drop(self.drop_ratio),
            Rule::Fixed => Trigger::Fixed(self.fixed),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rule: Rule::Drop,
            hazard_probability: 0.6,
            hazard: hazard::SHIPPED,
            drop_ratio: 0.5,
            recovery_ratio: 0.7,
            fixed: Span::from_days(45),
            min_baseline: 0.6,
            min_silence: Span::from_days(7),
            min_reciprocations: 3,
            min_active_days: 5,
            between_episodes: Span::from_days(21),
            max_age: Span::from_days(60),
            fresh: Span::from_hours(24),
            meeting_ahead: Span::from_days(14),
        }
    }
}

/// What depends on the world outside, such as on sources that were not read, is asked again after
/// this at the latest.
pub const AGAIN: Span = Span::from_hours(1);

/// A meeting that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// When it begins; it may have begun.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// What must be known besides the state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Facts {
    /// When it fell, or falls, by the trigger.
    pub falls_at: Option<Timestamp>,
    /// Whether an episode is under way.
    pub in_episode: bool,
    /// When the last episode began.
    pub last_episode_at: Option<Timestamp>,
    /// The rep's source that was read longest ago; `None` if one was never read through.
    pub oldest_read: Option<Timestamp>,
    /// Whether one of the rep's mailboxes is being read for the first time, or again.
    pub backfilling: bool,
    /// The next meeting with the contact that both have accepted. What the contact has not answered
    /// is no sign of life, and a rep could hold back every nudge by inviting.
    pub next_meeting: Option<Ahead>,
    /// Until when nothing may be said.
    pub silenced_until: Option<Timestamp>,
}

/// What to do about a relationship, with the reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Begin an episode and tell the rep. It fell at `fell_at`.
    Nudge {
        /// When the threshold was crossed.
        fell_at: Timestamp,
    },
    /// Begin an episode without a word: it fell before anybody could have been told.
    FellLongAgo {
        /// When the threshold was crossed.
        fell_at: Timestamp,
    },
    /// Not one that mattered, or not yet established.
    NotEstablished,
    /// Still above the threshold, or not silent long enough: look again then.
    Warm {
        /// When it falls if nothing happens.
        until: Option<Timestamp>,
    },
    /// The rep has been told of this decay.
    InEpisode,
    /// The last episode began too recently.
    TooSoon {
        /// When the distance is kept.
        until: Timestamp,
    },
    /// The rep asked for silence.
    Silenced {
        /// Until then.
        until: Timestamp,
    },
    /// A meeting is planned.
    MeetingAhead {
        /// When it will be over.
        until: Timestamp,
    },
    /// A source of the rep has not been read lately: what looks like silence may be missing mail.
    Stale,
    /// A mailbox of the rep is still being read for the first time, or again.
    Backfilling,
    /// Too many of the rep's relationships decay at once.
    Held,
    /// Decays are not told of.
    Off,
}

impl Decision {
    /// The word for it in logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nudge { .. } => "nudge",
            Self::FellLongAgo { .. } => "fell_long_ago",
            Self::NotEstablished => "not_established",
            Self::Warm { .. } => "warm",
            Self::InEpisode => "in_episode",
            Self::TooSoon { .. } => "too_soon",
            Self::Silenced { .. } => "silenced",
            Self::MeetingAhead { .. } => "meeting_ahead",
            Self::Stale => "stale",
            Self::Backfilling => "backfilling",
            Self::Held => "held",
            Self::Off => "off",
        }
    }
}

/// Decides about one relationship at `now`. What lies in the state comes before what lies outside
/// it, and what will last comes before what will pass.
#[must_use]
pub fn decide(state: &Relationship, facts: &Facts, policy: &Policy, now: Timestamp) -> Decision {
    if facts.in_episode {
        return Decision::InEpisode;
    }
    if !established(state, policy) {
        return Decision::NotEstablished;
    }
    let due = due_at(state, facts.falls_at, policy);
    let Some(fell_at) = facts.falls_at.filter(|_| due.is_some_and(|due| due <= now)) else {
        return Decision::Warm { until: due };
    };
    if facts.backfilling {
        return Decision::Backfilling;
    }
    if facts.oldest_read.is_none_or(|at| now - at > policy.fresh) {
        return Decision::Stale;
    }
    if now - fell_at > policy.max_age {
        return Decision::FellLongAgo { fell_at };
    }
    let keeps_distance = facts.last_episode_at.map(|at| at + policy.between_episodes);
    if let Some(until) = keeps_distance.filter(|until| *until > now) {
        return Decision::TooSoon { until };
    }
    if let Some(until) = facts.silenced_until.filter(|until| *until > now) {
        return Decision::Silenced { until };
    }
    let is_near = |next: &Ahead| next.starts_at - now <= policy.meeting_ahead;
    if let Some(next) = facts.next_meeting.filter(is_near) {
        return Decision::MeetingAhead { until: next.ends_at };
    }
    Decision::Nudge { fell_at }
}

/// When to look at a relationship next if nothing happens before: `None` is never. `decision` is
/// the last one, if there was one since the state changed.
#[must_use]
pub fn looks_next(
    state: &Relationship,
    falls_at: Option<Timestamp>,
    in_episode: bool,
    policy: &Policy,
    decision: Option<(Decision, Timestamp)>,
) -> Option<Timestamp> {
    let by_trigger = match decision {
        None if in_episode || !established(state, policy) => None,
        None => due_at(state, falls_at, policy),
        Some((Decision::Warm { until }, _)) => until,
        Some((Decision::TooSoon { until } | Decision::Silenced { until }, _)) => Some(until),
        Some((Decision::MeetingAhead { until }, _)) => Some(until + Span::from_days(1)),
        Some((Decision::Stale | Decision::Backfilling | Decision::Held, now)) => Some(now + AGAIN),
        Some(_) => None,
    };
    match (by_trigger, state.pending_at) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Whether an episode under way is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recovery {
    /// The relationship is back.
    Recovered,
    /// It is not.
    StillDown,
}

/// Decides whether the episode under way is over at `now`.
#[must_use]
pub fn recovery(state: &Relationship, policy: &Policy, now: Timestamp) -> Recovery {
    let now = now.max(state.masses.at);
    let back = match policy.rule {
        Rule::Hazard => {
            let p = probability(state, &policy.hazard, now);
            p.is_some_and(|p| p < RECOVERED_SHARE * policy.hazard_probability)
                && !policy.trigger().down(state, now)
        }
        Rule::Drop => strength_at(state, now).s >= policy.recovery_ratio * state.baseline,
        Rule::Fixed => !policy.trigger().down(state, now),
    };
    if back { Recovery::Recovered } else { Recovery::StillDown }
}

/// By what the budget of a rep is given out: what there is to lose, times how likely it is lost if
/// the trigger says so.
#[must_use]
pub fn stake(state: &Relationship, policy: &Policy, now: Timestamp) -> f64 {
    let likely = match policy.rule {
        Rule::Hazard => probability(state, &policy.hazard, now.max(state.masses.at)).unwrap_or(0.0),
        Rule::Drop | Rule::Fixed => 1.0,
    };
    likely * state.baseline
}

/// Whether the relationship ever mattered and is known well enough to say so.
pub fn established(state: &Relationship, policy: &Policy) -> bool {
    state.counts.reciprocations >= policy.min_reciprocations
        && state.counts.active_days >= policy.min_active_days
        && state.baseline >= policy.min_baseline
}

/// When it has fallen and has been silent for long enough.
fn due_at(state: &Relationship, falls_at: Option<Timestamp>, policy: &Policy) -> Option<Timestamp> {
    Some(falls_at?.max(silent_since(state, policy)? + policy.min_silence))
}

/// Since when it has been silent. By the drop, silence is of either side: messages that the other
/// does not answer are silence too. The others know what contact is.
#[must_use]
pub fn silent_since(state: &Relationship, policy: &Policy) -> Option<Timestamp> {
    match policy.rule {
        Rule::Drop => state.both_ways_at(),
        Rule::Hazard | Rule::Fixed => state.cadence.contact_at,
    }
}

#[cfg(test)]
mod tests;
