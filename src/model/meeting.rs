//! One concrete occurrence of a calendar event.

use super::{Person, Timestamp};

/// Whether the event takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeetingStatus {
    /// It does, or nothing is said.
    Confirmed,
    /// It may.
    Tentative,
    /// It does not.
    Cancelled,
}

/// What an attendee has answered (RFC 5545, PARTSTAT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Participation {
    /// Comes; the organiser always does.
    Accepted,
    /// Does not come.
    Declined,
    /// May come.
    Tentative,
    /// Has not answered.
    NeedsAction,
}

/// A person of a meeting; rooms and resources are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub person: Person,
    /// What they answered.
    pub participation: Participation,
    /// Whether they organise it.
    pub organizer: bool,
}

/// A meeting: `(uid, recurrence_at)` names it within a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// The event's UID.
    pub uid: String,
    /// For an occurrence of a series, the instant at which the rule put it; `None` for a single
    /// event.
    pub recurrence_at: Option<Timestamp>,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends, not before `starts_at`.
    pub ends_at: Timestamp,
    /// Whether it takes place.
    pub status: MeetingStatus,
    /// Organiser and attendees, each once, at most 500.
    pub attendees: Vec<Attendee>,
    /// Which version of the event this is.
    pub version: Version,
}

/// A version of an event, the later the greater: one meeting may stand in two calendars that do not
/// say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// SEQUENCE (RFC 5545, 3.8.7.4).
    pub sequence: i64,
    /// LAST-MODIFIED, if it says.
    pub modified_at: Option<Timestamp>,
}

impl MeetingStatus {
    /// The word for it in the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Tentative => "tentative",
            Self::Cancelled => "cancelled",
        }
    }
}
