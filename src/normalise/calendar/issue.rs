//! What may be odd about a calendar, without personal data in it.

use std::fmt;

use crate::model::Key;

/// Something in a calendar that could not be taken as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Issue {
    /// The event: the key of its UID, as [`event_key`] makes it; 0 for the object as a whole.
    pub item: i64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What may be wrong with a calendar. Prints as words for the admin, without personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    /// The object is larger than [`super::MAX_BYTES`] and was not read.
    TooLarge,
    /// There is no calendar in the bytes.
    NoCalendar,
    /// The bytes end before the calendar does; what there was of it was read.
    Truncated,
    /// A library panicked over it; what was not read by then was passed over.
    Panicked,
    /// There are more than [`super::MAX_EVENTS`] events, or more meetings than are kept; the rest was
    /// passed over.
    TooMany,
    /// The event has no UID and was passed over.
    NoUid,
    /// The event has no beginning that can be read, or does not say readably which occurrence it
    /// replaces, and was passed over.
    NoStart,
    /// The time zone is unknown; the calendar's own was taken.
    UnknownZone,
    /// The rule is impossible or recurs more often than can be followed; only the first
    /// occurrence was taken.
    BadRule,
    /// The series has more than [`super::MAX_INSTANCES`] occurrences; the first ones were taken.
    TooManyInstances,
    /// The meeting has more than [`super::MAX_ATTENDEES`] people; the first ones were taken.
    TooManyAttendees,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the calendar is larger than 64 MiB",
            Self::NoCalendar => "it is not a calendar",
            Self::Truncated => "the calendar ends in the middle",
            Self::Panicked => "the event cannot be interpreted",
            Self::TooMany => "the calendar has more events than are read",
            Self::NoUid => "the event has no uid",
            Self::NoStart => "the event has no readable beginning",
            Self::UnknownZone => "the event is in an unknown time zone",
            Self::BadRule => "the event's recurrence rule cannot be followed",
            Self::TooManyInstances => "the event recurs more often than is read",
            Self::TooManyAttendees => "the event has more attendees than are read",
        })
    }
}

/// The key that names an event in issues.
#[must_use]
pub fn event_key(uid: &str) -> i64 {
    Key::of("uid", &[uid.as_bytes()]).0
}
