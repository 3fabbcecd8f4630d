//! From a meeting to the interactions it makes once it has been held.
//!
//! A meeting counts for the rep whose calendar it stands in, with every outsider, if it was not
//! cancelled and both accepted. Organising is accepting, unless the organiser declines. With one who
//! has not answered a rep's invitation it counts if that person has written to the rep about then:
//! people come without answering, but who never wrote was only written to, and a rep could invite
//! strangers every day. So that inviting does not count for more than what comes back, one message
//! speaks for one such meeting. It is dated when both are known, at its end or at that message, so
//! that what is known as of any day is not told by what came after; and it opens no gate, for nothing
//! was accepted. A rep who has not answered was not there.
//!
//! One meeting may stand in several calendars of a rep and in invitations by mail. Of its copies one
//! counts ([`speaking`]), chosen by what they are and not by when they were read; of the occurrences
//! of one UID at most one a day counts with each contact (G11). A contact may be asked at several
//! addresses: who has accepted at one has accepted, and one message speaks for all of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::{
    Attendee, Meeting, MeetingStatus, Participation, Person, Span, Standing, Timestamp, Version,
};

use super::people::{Own, Who};

pub use missed::{Missed, missed};

mod missed;

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
    let mut spelled = HashSet::new();
    let people: Vec<(&Attendee, Who)> = meeting
        .attendees
        .iter()
        .filter(|a| spelled.insert(own.fold(&a.person.address)))
        .map(|a| (a, own.who(&a.person.address)))
        .collect();
    let Some((me, _)) = people.iter().find(|(_, who)| *who == Who::Rep(rep)) else {
        return Vec::new();
    };
    if own.leaves_out(meeting.attendees.iter().map(|a| &a.person.address)) {
        return Vec::new();
    }
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
            let address = own.fold(&a.person.address).into_owned();
            let contact = Person { address, name: a.person.name.clone() };
            Some(Met { contact, audience, standing })
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

/// A meeting with a contact who has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unanswered<'a> {
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Its UID, and where the series' rule put it.
    pub name: (&'a str, Timestamp),
}

impl Unanswered<'_> {
    /// When the contact must have written for it to count: the first and the last instant.
    #[must_use]
    pub fn about_then(&self) -> (Timestamp, Timestamp) {
        (self.starts_at - ABOUT_THEN, self.ends_at + ABOUT_THEN)
    }
}

/// What speaks for each of a relationship's unanswered meetings, and when it is dated; `wrote` is
/// when the contact has written to the rep, by messages that count. The earliest meeting has the
/// first message about then, the next one the first that is left: a later message changes nothing
/// of what is dated before it. One meeting that the contact was asked to at two addresses is one.
#[must_use]
pub fn weigh(asked: &[Unanswered<'_>], wrote: &[Timestamp]) -> Vec<(Timestamp, Standing)> {
    let mut left: BTreeSet<(Timestamp, usize)> =
        wrote.iter().enumerate().map(|(n, at)| (*at, n)).collect();
    let mut in_order: Vec<(usize, &Unanswered<'_>)> = asked.iter().enumerate().collect();
    in_order.sort_by_key(|(_, meeting)| *meeting);
    let mut weighed = BTreeMap::new();
    let mut before = None;
    for (n, meeting) in in_order {
        if let Some((_, dated)) = before.filter(|(one, _)| *one == meeting) {
            weighed.insert(n, dated);
            continue;
        }
        let (from, to) = meeting.about_then();
        let first = left.range((from, 0)..=(to, usize::MAX)).next().copied();
        let dated = match first {
            Some(message) => {
                left.remove(&message);
                (message.0.max(meeting.ends_at), Standing::Unverified)
            }
            None => (meeting.ends_at, Standing::Unproven),
        };
        weighed.insert(n, dated);
        before = Some((meeting, dated));
    }
    weighed.into_values().collect()
}

/// A copy of a meeting that a rep has, of all that have one UID.
#[derive(Clone, Debug)]
pub struct Copy<'a> {
    /// Its row.
    pub id: i64,
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

/// The copies that speak for the occurrences of one UID, one for each, also where it makes no
/// interaction: that of a calendar before one from mail, then the latest version, then the first by
/// mailbox, source and object.
#[must_use]
pub fn speaking<'c, 'a>(copies: &'c [Copy<'a>]) -> BTreeMap<Timestamp, &'c Copy<'a>> {
    let mut speaking = BTreeMap::new();
    for copy in copies {
        let first = speaking.entry(copy.recurrence_at).or_insert(copy);
        if first.weight() < copy.weight() {
            *first = copy;
        }
    }
    speaking
}

/// Which interactions of the copies of one UID count, by row: those of the copies that speak, and of
/// a contact's on one day, in `zone`, the earliest; of two at one instant, as of a contact asked at
/// two addresses, the accepted one.
#[must_use]
pub fn counted(copies: &[Copy<'_>], zone: chrono_tz::Tz) -> BTreeSet<i64> {
    let mut earliest = BTreeMap::new();
    for copy in speaking(copies).into_values() {
        let day = copy.starts_at.local_day(zone);
        for touch in copy.touches.iter().filter(|touch| touch.standing != Standing::Unproven) {
            let rank = (touch.at, copy.starts_at, copy.recurrence_at, touch.standing, touch.id);
            let first = earliest.entry((touch.relationship, day)).or_insert(rank);
            *first = rank.min(*first);
        }
    }
    earliest.into_values().map(|(.., id)| id).collect()
}

#[cfg(test)]
mod tests;
