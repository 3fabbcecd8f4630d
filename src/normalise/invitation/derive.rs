//! The meetings of one UID from all that was said of it, in any order and any number of times.
//!
//! - Of the invitations by one organiser the highest (SEQUENCE, DTSTAMP) holds, for the series and
//!   for each of its occurrences. Of several organisers the one holds whom the rep has answered, or
//!   is; else the one who wrote first: a stranger who takes somebody's UID changes nothing.
//! - An answer sets what one attendee does, if it is to that version or a later one; the last one
//!   holds. What the rep does is told by his own answers alone, and where he invites, what the
//!   others do by theirs: nobody accepts for somebody else.
//! - A cancellation of that version or a later one calls it off: all of it, one occurrence, or the
//!   part of those it names without calling off the meeting (RFC 5546, 3.2.5).
//!
//! What single events say is left to `part`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono_tz::Tz;

use crate::model::{Address, Meeting, MeetingStatus, Participation, Timestamp};
use crate::normalise::calendar;
use crate::normalise::people::{Own, Who};

use super::lines::Object;
use super::part::{Part, Scope, calendars, invites, parts, place};
use super::{Method, is_same};

/// What one message said, as it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'t> {
    /// What it does.
    pub method: Method,
    /// When it was written.
    pub stamped_at: Timestamp,
    /// What it says, as [`Invitation::text`](super::Invitation::text).
    pub text: &'t str,
}

/// What there is to be laid out for a rep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing: he does not invite, and has not answered.
    Nothing,
    /// One meeting, or some that are named.
    Once,
    /// A series, of which there may be more than can be laid out at once.
    Series,
}

/// What follows for a rep from what was said of a meeting, before anything is laid out.
#[must_use]
pub fn outlook(said: &[Said<'_>], rep: i64, own: &Own) -> Outlook {
    let is_rep = |who: Address| own.who(&who) == Who::Rep(rep);
    let (mut concerned, mut recurs) = (false, false);
    for one in said {
        for event in Object::read(one.text).unwrap_or_default().events {
            if invites(one.method) {
                recurs |= event.line("RRULE").or(event.line("RDATE")).is_some();
                concerned |= event.organizer().is_some_and(is_rep);
            } else if one.method == Method::Reply {
                concerned |= event.attendees().any(is_rep);
            }
        }
    }
    match (concerned, recurs) {
        (false, _) => Outlook::Nothing,
        (true, false) => Outlook::Once,
        (true, true) => Outlook::Series,
    }
}

/// The meetings of a rep that begin in `window`, sorted by their beginning. Times without a zone are
/// in `zone`.
#[must_use]
pub fn meetings(
    said: &[Said<'_>],
    rep: i64,
    own: &Own,
    window: (Timestamp, Timestamp),
    zone: Tz,
) -> Vec<Meeting> {
    let mut parts = parts(said);
    place(&mut parts, zone);
    let Some(organizer) = organizer(&parts, rep, own) else { return Vec::new() };
    parts.retain(|part| part.organizer.is_none() || part.organizer == organizer);
    let held = Held::of(&parts);
    let text =
        calendars(held.events().map(|part| (Rc::clone(&part.zones), part.event.to_string())));
    let (mut meetings, _) = calendar::meetings(text.as_bytes(), window, zone);
    let rep_invites = organizer.is_some_and(|who| own.who(&who) == Who::Rep(rep));
    for meeting in &mut meetings {
        let Some(version) = held.version(meeting) else { continue };
        let speaks = |part: &&Part| part.scope.covers(meeting) && part.applies_to(version);
        let later: Vec<&Part> = parts.iter().filter(speaks).collect();
        if later.iter().any(|part| part.calls_off()) {
            meeting.status = MeetingStatus::Cancelled;
        }
        for attendee in meeting.attendees.iter_mut().filter(|attendee| !attendee.organizer) {
            let is_rep = own.who(&attendee.person.address) == Who::Rep(rep);
            if is_rep || rep_invites {
                attendee.participation = Participation::NeedsAction;
            }
            if let Some(answer) = answer(&later, &attendee.person.address, own) {
                attendee.participation = answer;
            }
        }
    }
    meetings
}

/// The invitations that hold.
struct Held<'p> {
    series: Option<&'p Part>,
    occurrences: BTreeMap<Scope, &'p Part>,
}

impl<'p> Held<'p> {
    fn of(parts: &'p [Part]) -> Self {
        let mut occurrences = BTreeMap::new();
        for part in parts.iter().filter(|part| invites(part.method)) {
            let held = occurrences.entry(part.scope).or_insert(part);
            if part.rank() > held.rank() {
                *held = part;
            }
        }
        let series = occurrences.remove(&Scope::Whole);
        occurrences.remove(&Scope::Unknown);
        Self { series, occurrences }
    }

    fn events(&self) -> impl Iterator<Item = &'p Part> {
        self.series.into_iter().chain(self.occurrences.values().copied())
    }

    /// The version by which a meeting is as it is.
    fn version(&self, meeting: &Meeting) -> Option<(i64, Timestamp)> {
        let own = meeting.recurrence_at.and_then(|slot| {
            self.occurrences.get(&Scope::At(slot)).or_else(|| {
                let earlier = self.occurrences.range(..=Scope::From(slot)).rev();
                let mut lasting = earlier.filter(|(scope, _)| matches!(scope, Scope::From(_)));
                lasting.next().map(|(_, part)| part)
            })
        });
        own.copied().or(self.series).map(|part| part.version)
    }
}

/// Whose invitations hold; `None` if there are none.
fn organizer(parts: &[Part], rep: i64, own: &Own) -> Option<Option<Address>> {
    let is_rep = |who: &Address| own.who(who) == Who::Rep(rep);
    let answered: BTreeSet<&Option<Address>> = parts
        .iter()
        .filter(|part| part.method == Method::Reply)
        .filter(|part| part.people.iter().any(|who| is_rep(&who.person.address)))
        .map(|part| &part.organizer)
        .collect();
    let inviting = parts.iter().filter(|part| invites(part.method));
    let rank = |part: &&Part| {
        let known =
            part.organizer.as_ref().is_some_and(is_rep) || answered.contains(&part.organizer);
        (Reverse(known), part.version.1, part.organizer.clone())
    };
    inviting.min_by_key(rank).map(|part| part.organizer.clone())
}

/// What an attendee has said last, or what the organiser has said of him.
fn answer(parts: &[&Part], who: &Address, own: &Own) -> Option<Participation> {
    let mut said = Vec::new();
    for part in parts {
        let own_word = part.people.iter().find(|one| is_same(&one.person.address, who, own));
        let Some(one) = own_word else { continue };
        let order = |said| (part.version.1, weight(said), said);
        match part.method {
            Method::Reply => said.push(order(one.participation)),
            Method::Cancel if !part.calls_off() => said.push(order(Participation::Declined)),
            _ => {}
        }
    }
    said.into_iter().max_by_key(|(at, weight, _)| (*at, *weight)).map(|(_, _, said)| said)
}

/// Of two answers of one instant the more reserved one holds.
const fn weight(said: Participation) -> u8 {
    match said {
        Participation::Accepted => 0,
        Participation::NeedsAction => 1,
        Participation::Tentative => 2,
        Participation::Declined => 3,
    }
}
