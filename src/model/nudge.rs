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

/// What a nudge is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NudgeKind {
    /// A relationship that mattered is decaying.
    Decay,
    /// The contact waits for an answer.
    OwedReply,
    /// The contact used to answer, and does not any more.
    StoppedAnswering,
    /// An account hangs on one person, or on too few.
    SingleThreaded,
    /// The contact has left, and seems to be elsewhere.
    ContactMoved,
    /// There was a meeting, and nobody has written since.
    NoFollowUp,
}

impl NudgeKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Decay,
        Self::OwedReply,
        Self::StoppedAnswering,
        Self::SingleThreaded,
        Self::ContactMoved,
        Self::NoFollowUp,
    ];

    /// The word for it in the configuration, the database and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Decay => "decay",
            Self::OwedReply => "owed_reply",
            Self::StoppedAnswering => "stopped_answering",
            Self::SingleThreaded => "single_threaded_account",
            Self::ContactMoved => "contact_moved",
            Self::NoFollowUp => "no_follow_up",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The type of its event, `nudge.<code>.v1`.
    #[must_use]
    pub fn event_type(self) -> String {
        format!("nudge.{}.v1", self.code())
    }
}

/// How far a nudge has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NudgeState {
    /// Decided, and not said yet.
    Waiting,
    /// Given to the endpoints.
    Released,
    /// Held back so that the effect of nudging can be measured.
    HeldBack,
    /// Made while nothing was said yet.
    Observed,
    /// Never said: others had more at stake.
    OverBudget,
    /// Never said: no endpoint takes it.
    Unrouted,
    /// Never said: there was no more to say.
    Cancelled,
}

impl NudgeState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Released,
        Self::HeldBack,
        Self::Observed,
        Self::OverBudget,
        Self::Unrouted,
        Self::Cancelled,
    ];

    /// The word for it in the database, in lists and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Released => "released",
            Self::HeldBack => "held_back",
            Self::Observed => "observed",
            Self::OverBudget => "over_budget",
            Self::Unrouted => "unrouted",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Why there is no more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// What it was about has passed.
    Recovered,
    /// The rep has done something about it.
    Done,
    /// The rep wants to hear of it later.
    Snoozed,
    /// The rep does not want to hear of this contact.
    NotRelevant,
    /// It names somebody else than it should.
    WrongPerson,
    /// Something else was said instead.
    Superseded,
}

impl Resolution {
    /// The word for it in the database and in lists.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Done => "done",
            Self::Snoozed => "snoozed",
            Self::NotRelevant => "not_relevant",
            Self::WrongPerson => "wrong_person",
            Self::Superseded => "superseded",
        }
    }
}

/// A nudge as it is stored, with its event.
#[derive(Clone, Debug, PartialEq)]
pub struct Nudge {
    /// Public id `ndg_…`, derived from the episode, the kind and which reminder it is.
    pub id: String,
    /// Public id `eps_…` of what it belongs to.
    pub episode_id: String,
    /// What it is about.
    pub kind: NudgeKind,
    /// How often the rep has been told of the same before.
    pub reminder: u32,
    /// The relationship's row.
    pub relationship: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why; none before it is written.
    pub reasons: Vec<Reason>,
    /// The event in its standard form; empty before it is written.
    pub body: String,
    /// What there is to lose; 0 or more.
    pub stake: f64,
    /// How far it has come.
    pub state: NudgeState,
    /// When it may be said, while it waits; else when it was, or would have been.
    pub release_at: Timestamp,
}
