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
