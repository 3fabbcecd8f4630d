//! Meetings that did not come about, though somebody would have come: which of its outsiders it says
//! something of, and what.
//!
//! Each takes an act of the rep, who asked, accepted or declined: strangers who invite and call off
//! leave no trace. An invitation without an answer says nothing.

use crate::model::{Attendee, Fate, Meeting, MeetingStatus, Participation, Person};
use crate::normalise::people::{Own, Who};

use super::{Answer, answer};

/// One outsider with whom a meeting did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Who.
    pub contact: Person,
    /// By whose doing.
    pub fate: Fate,
}

/// With whom the rep would have met in this meeting, and why that did not come about.
#[must_use]
pub fn missed(meeting: &Meeting, rep: i64, own: &Own) -> Vec<Missed> {
    let people: Vec<(&Attendee, Who)> =
        meeting.attendees.iter().map(|a| (a, own.who(&a.person.address))).collect();
    let Some((me, _)) = people.iter().find(|(_, who)| *who == Who::Rep(rep)) else {
        return Vec::new();
    };
    if own.leaves_out(meeting.attendees.iter().map(|a| &a.person.address)) {
        return Vec::new();
    }
    let outsiders = people.iter().filter(|(_, who)| *who == Who::Outsider).map(|(a, _)| *a);
    let told = outsiders.filter_map(|contact| {
        let fate = fate(meeting.status, me, contact)?;
        let address = own.fold(&contact.person.address).into_owned();
        let contact = Person { address, name: contact.person.name.clone() };
        Some(Missed { contact, fate })
    });
    told.collect()
}

fn fate(status: MeetingStatus, me: &Attendee, contact: &Attendee) -> Option<Fate> {
    let declines = |who: &Attendee| who.participation == Participation::Declined;
    let comes = answer(me) == Answer::Comes;
    match status {
        MeetingStatus::Cancelled => {
            let would_come = match answer(contact) {
                Answer::Comes => true,
                Answer::None => me.organizer,
                Answer::Doubtful => false,
            };
            (comes && would_come).then_some(Fate::Cancelled)
        }
        _ if comes && declines(contact) => Some(Fate::DeclinedByContact),
        // What somebody else has asked both to is no answer to the contact.
        _ if declines(me) && contact.organizer && !declines(contact) => Some(Fate::DeclinedByRep),
        _ => None,
    }
}
