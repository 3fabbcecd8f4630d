//! One directed, dated touch between a rep and a contact.

use super::Timestamp;

/// Which way an interaction went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the rep to the contact.
    Outbound,
    /// From the contact to the rep.
    Inbound,
    /// Both at once: a meeting held.
    Mutual,
}

/// What kind of touch it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A message.
    Message,
    /// A meeting.
    Meeting,
}

/// What speaks for an interaction, the best first; `normalise::thread` decides what follows, and of
/// meetings `normalise::held`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing speaks against it.
    Sound,
    /// From the contact, but unauthenticated: counts only if linked. Of a meeting: the contact has
    /// not answered the invitation, but has written about then.
    Unverified,
    /// Claims to be from the rep, but was not met where only the rep's own messages are. Of a
    /// meeting: the contact has not answered the invitation, nor written about then.
    Unproven,
}

/// An interaction as scoring sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interaction {
    /// When it happened; a meeting happens at its end, or when it was first known to count.
    pub at: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// What it was.
    pub kind: Kind,
    /// To how many people it was addressed, at least 1.
    pub audience: u32,
    /// Whether it answers one of the other party, or is a meeting that both accepted.
    pub linked: bool,
}

/// What its thread says of a message, beside what it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// When the message of the other party was written that it is the first to answer; `None` if it
    /// answers none, or is not the first to do so.
    pub parent_at: Option<Timestamp>,
    /// Whether it is the first of its thread in its relationship; `None` is not known yet.
    pub opens: Option<bool>,
    /// When its own writer first followed it up: from then on that is what waits for an answer.
    pub followed_at: Option<Timestamp>,
}

/// An interaction of the log, with what its thread says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// As scoring sees it.
    pub interaction: Interaction,
    /// Of a message; of a meeting nothing is known.
    pub turn: Turn,
}

/// A meeting that did not come about, by whose doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It was called off; both would have come.
    Cancelled,
    /// The rep declined the contact's invitation.
    DeclinedByRep,
    /// The contact declined; the rep would have come.
    DeclinedByContact,
}

impl Direction {
    /// The word for it in the database, in logs of interactions and in payloads.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Mutual => "mutual",
        }
    }

    /// The other party's direction; a mutual one has none but itself.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Outbound => Self::Inbound,
            Self::Inbound => Self::Outbound,
            Self::Mutual => Self::Mutual,
        }
    }
}

impl Kind {
    /// The word for it in the database, in logs of interactions and in payloads.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Meeting => "meeting",
        }
    }
}
