//! One event of one message, and what of a meeting it speaks of.
//!
//! What instants and attendees the lines mean is asked of `normalise::calendar`, by events that
//! stand in for them: an answer may have no beginning, and a RECURRENCE-ID is no event.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono_tz::Tz;

use crate::model::{Address, Attendee, Meeting, Timestamp};
use crate::normalise::calendar;

use super::lines::{Event, Line, Object};
use super::{Method, Said};

/// Every instant there is.
const ALWAYS: (Timestamp, Timestamp) =
    (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

/// The beginning of an event that stands in for one that has none.
const SOME_TIME: &str = "DTSTART:20000101T000000Z\r\n";

/// One event of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) method: Method,
    /// SEQUENCE and DTSTAMP.
    pub(super) version: (i64, Timestamp),
    pub(super) organizer: Option<Address>,
    /// Whom it names, and what they do.
    pub(super) people: Vec<Attendee>,
    pub(super) scope: Scope,
    /// As lines; those of one message share them.
    pub(super) zones: Rc<str>,
    pub(super) event: Event,
}

/// What of a meeting is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
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
    pub(super) fn covers(self, meeting: &Meeting) -> bool {
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
    pub(super) fn rank(&self) -> ((i64, Timestamp), &Event, &str) {
        (self.version, &self.event, &self.zones)
    }

    /// Whether it speaks of this version or of a later one. An answer may be younger than what it
    /// answers by another clock: there the sequence alone counts.
    pub(super) fn applies_to(&self, version: (i64, Timestamp)) -> bool {
        match self.method {
            Method::Reply => self.version.0 >= version.0,
            _ => self.version >= version,
        }
    }

    /// Whether it calls off the meeting, not only the part of some of its people.
    pub(super) fn calls_off(&self) -> bool {
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

/// Events in calendars, one for each set of zones: a zone of one message may be another's in another.
pub(super) fn calendars(events: impl Iterator<Item = (Rc<str>, String)>) -> String {
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
pub(super) fn parts(said: &[Said<'_>]) -> Vec<Part> {
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
pub(super) fn place(parts: &mut [Part], zone: Tz) {
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

/// Whether a message says when a meeting is.
pub(super) const fn invites(method: Method) -> bool {
    matches!(method, Method::Publish | Method::Request | Method::Add)
}
