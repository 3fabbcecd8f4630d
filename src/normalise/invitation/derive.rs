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
//! What instants and attendees lines mean is asked of `normalise::calendar`, by events that stand in
//! for them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono_tz::Tz;

use crate::model::{Address, Attendee, Meeting, MeetingStatus, Participation, Timestamp};
use crate::normalise::calendar;
use crate::normalise::people::{Own, Who};

use super::lines::{Event, Line, Object};
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

/// Every instant there is.
const ALWAYS: (Timestamp, Timestamp) =
    (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

/// The beginning of an event that stands in for one that has none.
const SOME_TIME: &str = "DTSTART:20000101T000000Z\r\n";

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

/// One event of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    method: Method,
    /// SEQUENCE and DTSTAMP.
    version: (i64, Timestamp),
    organizer: Option<Address>,
    /// Whom it names, and what they do.
    people: Vec<Attendee>,
    scope: Scope,
    /// As lines; those of one message share them.
    zones: Rc<str>,
    event: Event,
}

/// What of a meeting is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// All of it.
    Whole,
    /// The occurrence that the rule put there.
    At(Timestamp),
    /// That one and those after it.
    From(Timestamp),
    /// Nobody knows.
    Unknown,
}

impl Scope {
    fn covers(self, meeting: &Meeting) -> bool {
        let slot = meeting.recurrence_at.unwrap_or(meeting.starts_at);
        match self {
            Self::Whole => true,
            Self::At(at) => at == slot,
            Self::From(at) => at <= slot,
            Self::Unknown => false,
        }
    }
}

impl Part {
    /// The greatest holds. Of equal versions the greater text: any rule will do that does not ask
    /// for an order.
    fn rank(&self) -> ((i64, Timestamp), &Event, &str) {
        (self.version, &self.event, &self.zones)
    }

    /// Whether it speaks of this version or of a later one. An answer may be younger than what it
    /// answers by another clock: there the sequence alone counts.
    fn applies_to(&self, version: (i64, Timestamp)) -> bool {
        match self.method {
            Method::Reply => self.version.0 >= version.0,
            _ => self.version >= version,
        }
    }

    /// Whether it calls off the meeting, not only the part of some of its people.
    fn calls_off(&self) -> bool {
        let status = self.event.value("STATUS").unwrap_or_default();
        self.method == Method::Cancel
            && (status.eq_ignore_ascii_case("CANCELLED") || self.people.is_empty())
    }

    /// An event of one hour that begins at what RECURRENCE-ID names, with the same people. A day
    /// stands for the occurrence on it, which has the time of day of the series.
    /// Gives the zones that it is in, too.
    fn stand_in(&self, number: usize, series: Option<&Self>) -> (Rc<str>, String) {
        let id = self.event.line("RECURRENCE-ID");
        let by_day = id.filter(|id| !id.value.contains(['T', 't']));
        let series = series.and_then(|series| Some((series, series.event.line("DTSTART")?)));
        let (zones, begin) = match (id, by_day, series) {
            (Some(id), Some(_), Some((series, begin))) => {
                let time = begin.value.trim().get(8..).unwrap_or_default();
                let value = format!("{}{time}", id.value.trim());
                (&series.zones, Line { value, ..begin.clone() }.to_string())
            }
            (Some(id), ..) => {
                let mut begin = Line { name: "DTSTART".to_owned(), ..id.clone() };
                begin.parameters.retain(|(name, _)| name != "RANGE");
                (&self.zones, begin.to_string())
            }
            (None, ..) => (&self.zones, SOME_TIME.to_owned()),
        };
        let people = self.event.lines.iter().filter(|line| line.name == "ATTENDEE");
        let people: String = people.map(Line::to_string).collect();
        let event = format!(
            "BEGIN:VEVENT\r\nUID:{number}\r\n{begin}DURATION:PT1H\r\n{people}END:VEVENT\r\n"
        );
        (Rc::clone(zones), event)
    }
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

const fn invites(method: Method) -> bool {
    matches!(method, Method::Publish | Method::Request | Method::Add)
}

/// Events in calendars, one for each set of zones: a zone of one message may be another's in another.
fn calendars(events: impl Iterator<Item = (Rc<str>, String)>) -> String {
    let mut by_zones: BTreeMap<Rc<str>, String> = BTreeMap::new();
    for (zones, event) in events {
        by_zones.entry(zones).or_default().push_str(&event);
    }
    let calendar = |(zones, events): (Rc<str>, String)| {
        format!("BEGIN:VCALENDAR\r\n{zones}{events}END:VCALENDAR\r\n")
    };
    by_zones.into_iter().map(calendar).collect()
}

/// The events of all messages, each once.
fn parts(said: &[Said<'_>]) -> Vec<Part> {
    let mut met: BTreeSet<(Method, Timestamp, Rc<str>, Event)> = BTreeSet::new();
    for one in said {
        let object = Object::read(one.text).unwrap_or_default();
        let zones: Rc<str> = object.zones.into();
        for event in object.events {
            let stamped_at = event.stamped_at().unwrap_or(one.stamped_at);
            met.insert((one.method, stamped_at, Rc::clone(&zones), event));
        }
    }
    let part = |(method, stamped_at, zones, event): (_, _, _, Event)| Part {
        method,
        version: (event.sequence(), stamped_at),
        organizer: event.organizer(),
        people: Vec::new(),
        scope: Scope::Whole,
        zones,
        event,
    };
    met.into_iter().map(part).collect()
}

/// Finds out which occurrences are meant, and who says what of himself.
fn place(parts: &mut [Part], zone: Tz) {
    let mut newest: BTreeMap<Option<Address>, Part> = BTreeMap::new();
    for part in parts.iter().filter(|part| invites(part.method)) {
        if part.event.line("RECURRENCE-ID").is_none() {
            let known = newest.entry(part.organizer.clone()).or_insert_with(|| part.clone());
            if part.rank() > known.rank() {
                known.clone_from(part);
            }
        }
    }
    let numbered = parts.iter().enumerate();
    let stand_ins =
        numbered.map(|(number, part)| part.stand_in(number, newest.get(&part.organizer)));
    let text = calendars(stand_ins);
    let (found, _) = calendar::meetings(text.as_bytes(), ALWAYS, zone);
    let mut found: BTreeMap<String, Meeting> =
        found.into_iter().map(|meeting| (meeting.uid.clone(), meeting)).collect();
    for (number, part) in parts.iter_mut().enumerate() {
        let placed = found.remove(&number.to_string());
        let at = placed.as_ref().map(|meeting| meeting.starts_at);
        part.scope = match (part.event.line("RECURRENCE-ID"), at) {
            (None, _) => Scope::Whole,
            (Some(_), None) => Scope::Unknown,
            (Some(id), Some(at)) => match id.parameter("RANGE") {
                Some(range) if range.eq_ignore_ascii_case("THISANDFUTURE") => Scope::From(at),
                _ => Scope::At(at),
            },
        };
        part.people = placed.map(|meeting| meeting.attendees).unwrap_or_default();
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
