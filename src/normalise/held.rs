//! From a meeting to the interactions it makes once it has been held.
//!
//! A meeting counts for the rep whose calendar it stands in, with every outsider, if it was not
//! cancelled and both accepted. Organising is accepting, unless the organiser declines. To one who
//! has not answered a rep's invitation it counts if that person has written to the rep about then:
//! people come without answering, but who never wrote was only written to, and a rep could invite
//! strangers every day. It is dated when the later of both is known, at its end or at that message,
//! so that what is known as of any day is not told by what came after; and it opens no gate, for
//! nothing was accepted. A rep who has not answered was not there.
//!
//! One meeting may stand in several calendars of a rep and in invitations by mail. Of its copies one
//! counts ([`counted`]), chosen by what they are and not by when they were read; of the occurrences
//! of one UID at most one a day counts with each contact (G11).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Attendee, Meeting, MeetingStatus, Participation, Person, Span, Standing, Timestamp, Version,
};

use super::people::{Own, Who};

/// Before a meeting begins and after it ends: what is written then is about then.
const ABOUT_THEN: Span = Span::from_days(14);

/// One outsider met by the rep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Who.
    pub contact: Person,
    /// How many people besides the rep were asked to come, aliases folded.
    pub audience: u32,
    /// `Sound` if both accepted, `Unproven` if the contact has not answered the rep's invitation.
    pub standing: Standing,
}

/// Whom the rep has met in this meeting, once it is over; empty if it does not count.
#[must_use]
pub fn met(meeting: &Meeting, rep: i64, own: &Own) -> Vec<Met> {
    let people: Vec<(&Attendee, Who)> =
        meeting.attendees.iter().map(|a| (a, own.who(&a.person.address))).collect();
    let Some((me, _)) = people.iter().find(|(_, who)| *who == Who::Rep(rep)) else {
        return Vec::new();
    };
    if meeting.status == MeetingStatus::Cancelled || answer(me) != Answer::Comes {
        return Vec::new();
    }
    let others = people.iter().filter(|(_, who)| *who != Who::Rep(rep)).count();
    let audience = u32::try_from(others).unwrap_or(u32::MAX);
    people
        .iter()
        .filter(|(_, who)| *who == Who::Outsider)
        .filter_map(|(a, _)| {
            let standing = match answer(a) {
                Answer::Comes => Standing::Sound,
                Answer::None if me.organizer => Standing::Unproven,
                Answer::None | Answer::Doubtful => return None,
            };
            Some(Met { contact: a.person.clone(), audience, standing })
        })
        .collect()
}

/// What an attendee has let be known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Comes,
    /// Will not come, or may not.
    Doubtful,
    None,
}

const fn answer(attendee: &Attendee) -> Answer {
    match attendee.participation {
        Participation::Accepted => Answer::Comes,
        Participation::Declined => Answer::Doubtful,
        Participation::Tentative | Participation::NeedsAction if attendee.organizer => {
            Answer::Comes
        }
        Participation::Tentative => Answer::Doubtful,
        Participation::NeedsAction => Answer::None,
    }
}

/// When a contact who has not answered must have written for the meeting to count, first and last
/// instant.
#[must_use]
pub fn about_then(starts_at: Timestamp, ends_at: Timestamp) -> (Timestamp, Timestamp) {
    (starts_at - ABOUT_THEN, ends_at + ABOUT_THEN)
}

/// What speaks for a meeting with a contact who has not answered, and when it is dated. `wrote` is
/// the first message from the contact that counts in [`about_then`].
#[must_use]
pub fn unanswered(ends_at: Timestamp, wrote: Option<Timestamp>) -> (Timestamp, Standing) {
    match wrote {
        Some(at) => (at.max(ends_at), Standing::Unverified),
        None => (ends_at, Standing::Unproven),
    }
}

/// A copy of a meeting that a rep has, of all that have one UID.
#[derive(Clone, Debug)]
pub struct Copy<'a> {
    /// Which occurrence it is: where the series' rule put it.
    pub recurrence_at: Timestamp,
    /// When it begins.
    pub starts_at: Timestamp,
    /// Where it was found.
    pub found: Found,
    /// Which version of the event it is.
    pub version: Version,
    /// The names of its mailbox and source, and its object.
    pub place: (&'a str, &'a str, i64),
    /// The interactions that it makes.
    pub touches: Vec<Touch>,
}

impl Copy<'_> {
    /// Of two copies of one meeting the one that weighs more counts.
    fn weight(&self) -> impl Ord {
        (self.found, self.version, Reverse(self.place))
    }
}

/// Where a copy of a meeting was found; what weighs more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// In invitations by mail, which do not tell of everything.
    InMail,
    /// In a calendar, which says how it stands.
    InCalendar,
}

/// An interaction that a copy makes.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    /// Its row.
    pub id: i64,
    /// With whom.
    pub relationship: i64,
    /// When it is dated.
    pub at: Timestamp,
    /// What speaks for it.
    pub standing: Standing,
}

/// Which interactions of the copies of one UID count, by row. Of the copies of an occurrence those
/// of one do: that of a calendar before one from mail, then the latest version, then the first by
/// mailbox, source and object; it also speaks where it makes none. Of a contact's on one day, in
/// `zone`, the earliest does.
#[must_use]
pub fn counted(copies: &[Copy<'_>], zone: chrono_tz::Tz) -> BTreeSet<i64> {
    let mut speaking: BTreeMap<Timestamp, &Copy<'_>> = BTreeMap::new();
    for copy in copies {
        let first = speaking.entry(copy.recurrence_at).or_insert(copy);
        if first.weight() < copy.weight() {
            *first = copy;
        }
    }
    let mut earliest = BTreeMap::new();
    for copy in speaking.into_values() {
        let day = copy.starts_at.local_day(zone);
        for touch in copy.touches.iter().filter(|touch| touch.standing != Standing::Unproven) {
            let rank = (touch.at, copy.starts_at, copy.recurrence_at, touch.id);
            let first = earliest.entry((touch.relationship, day)).or_insert(rank);
            *first = rank.min(*first);
        }
    }
    earliest.into_values().map(|(_, _, _, id)| id).collect()
}

#[cfg(test)]
mod tests;
