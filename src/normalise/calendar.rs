//! Turns iCalendar bytes (RFC 5545) into the meetings of a window of time.
//!
//! Pure and total: whatever the bytes are, it answers with the meetings it could read and a list
//! of what was odd. It groups events by UID, expands series within the window, lays overrides over
//! them, and leaves out what is no meeting with people: all-day events, time marked as free,
//! private events, answers to invitations, rooms and resources. Its work is bounded by the caps
//! below, whatever the input. It leaves to others who is a contact and whether a meeting counts.
//!
//! Parsing is calcard's and expansion is rrule's; what lies between is here, because calcard's own
//! expansion loses instances in everyday calendars (overrides of two series that share an instant,
//! UNTIL east of Greenwich, EXDATE as dates). Series are expanded on the wall clock of their zone
//! and only then become instants, so that they keep their hour over changes to summer time.

mod event;
mod issue;
mod people;
mod recur;
mod series;
mod time;
mod vtimezone;
mod zone;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;

use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarMethod, ICalendarProperty};
use calcard::icalendar::{ICalendarComponent, ICalendarValue};
use calcard::{Entry, Parser};

use chrono::NaiveDate;

use crate::model::time::DAY_MS;
use crate::model::{Meeting, Timestamp};
use event::Event;
use recur::Effort;
use zone::Zones;

pub use issue::{Issue, Problem, event_key};

/// The largest object that is parsed, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Occurrences of one series within the window.
pub const MAX_INSTANCES: usize = 2_000;

/// People of one meeting.
pub const MAX_ATTENDEES: usize = 500;

/// Events and series of one object that touch the window.
pub const MAX_EVENTS: usize = 10_000;

/// Meetings of one object: what a busy person has in a year, many times over.
const MAX_MEETINGS: usize = 100_000;

/// People of all meetings of one object together, so that large meetings cannot recur for ever.
const MAX_SEATS: usize = 2_000_000;

/// An occurrence of an event, whether it is a meeting or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// When, and with whom.
    pub meeting: Meeting,
    /// What it counts as.
    pub standing: Standing,
}

/// What an event counts as. Of several the last one here holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is a meeting.
    Meeting,
    /// It lasts all day.
    AllDay,
    /// It takes no time: others may still book it (TRANSP:TRANSPARENT).
    Free,
    /// It is nobody else's business (CLASS:PRIVATE or CONFIDENTIAL).
    Private,
}

/// The meetings of `bytes` that begin in `window` (its first instant included, its last one not),
/// sorted by UID and beginning, and what was odd, each oddity once.
///
/// Times without a zone are taken in the calendar's own (`X-WR-TIMEZONE`), else in `default_zone`.
#[must_use]
pub fn meetings(
    bytes: &[u8],
    window: (Timestamp, Timestamp),
    default_zone: chrono_tz::Tz,
) -> (Vec<Meeting>, Vec<Issue>) {
    let (instances, issues) = read(bytes, window, default_zone, Scope::Meetings);
    (instances.into_iter().map(|instance| instance.meeting).collect(), issues)
}

/// What [`meetings`] gives, and with it what it leaves out: all-day, free and private occurrences.
#[must_use]
pub fn instances(
    bytes: &[u8],
    window: (Timestamp, Timestamp),
    default_zone: chrono_tz::Tz,
) -> (Vec<Instance>, Vec<Issue>) {
    read(bytes, window, default_zone, Scope::Everything)
}

/// The days that events of a calendar last all day on, such as public holidays, which may take no time
/// of those who keep the calendar; of the years in which anybody asks.
#[must_use]
pub fn days_off(bytes: &[u8]) -> BTreeSet<NaiveDate> {
    // A date is the same everywhere: with a zone of the calendar it would begin at other instants.
    let zoned = |line: &&[u8]| line.starts_with(b"X-WR-TIMEZONE");
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !zoned(line));
    let bytes: Vec<u8> = lines.flatten().copied().collect();
    let (instances, _) = instances(&bytes, ASKED_FOR, chrono_tz::UTC);
    let midnight = |at: Timestamp| at.millis().rem_euclid(DAY_MS) == 0;
    let day = |at: Timestamp| at.to_utc().map(|utc| utc.date_naive());
    instances
        .into_iter()
        .filter(|one| matches!(one.standing, Standing::AllDay | Standing::Free))
        .map(|one| (one.meeting.starts_at, one.meeting.ends_at))
        .filter(|(from, to)| midnight(*from) && midnight(*to))
        .filter_map(|(from, to)| day(from).zip(day(to)))
        .flat_map(|(first, end)| first.iter_days().take_while(move |day| *day < end).take(LONGEST))
        .collect()
}

/// What is asked of a calendar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Occurrences that stand as meetings.
    Meetings,
    /// All of them.
    Everything,
}

/// 2020 to 2050: no holiday before it matters, and the program is renewed until then.
const ASKED_FOR: (Timestamp, Timestamp) =
    (Timestamp::from_seconds(1_577_836_800), Timestamp::from_seconds(2_524_608_000));
/// Days that one event lasts at most.
const LONGEST: usize = 366;

/// Reads bytes to the end.
fn read(
    bytes: &[u8],
    window: (Timestamp, Timestamp),
    default_zone: chrono_tz::Tz,
    scope: Scope,
) -> (Vec<Instance>, Vec<Issue>) {
    let mut issues = Vec::new();
    let mut groups = BTreeMap::new();
    let mut effort = Effort::default();
    for calendar in parse(bytes, &mut issues) {
        let mut zones = Zones::of(&calendar, default_zone, &mut effort);
        collect_events(&calendar, &mut zones, &mut groups, &mut issues);
    }
    let instances = assemble(groups, window, scope, &mut effort, &mut issues);
    issues.sort_unstable();
    issues.dedup();
    (instances, issues)
}

/// The calendars in the bytes.
fn parse(bytes: &[u8], issues: &mut Vec<Issue>) -> Vec<ICalendar> {
    if bytes.len() > MAX_BYTES {
        issues.push(Issue { item: 0, problem: Problem::TooLarge });
        return Vec::new();
    }
    let text = decode(bytes);
    let parsed = catch_unwind(|| {
        let mut parser = Parser::new(&text);
        let mut calendars = Vec::new();
        loop {
            match parser.entry() {
                Entry::ICalendar(calendar) => calendars.push(calendar),
                Entry::Eof | Entry::TooManyComponents => break calendars,
                _ => {}
            }
        }
    });
    let problem = match &parsed {
        Err(_) => Some(Problem::Panicked),
        Ok(calendars) if calendars.is_empty() => Some(Problem::NoCalendar),
        Ok(_) if !ends_properly(&text) => Some(Problem::Truncated),
        Ok(_) => None,
    };
    issues.extend(problem.map(|problem| Issue { item: 0, problem }));
    parsed.unwrap_or_default()
}

/// The bytes as text: UTF-8, else Latin-1, in which every byte means something.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Whether every component that begins also ends.
fn ends_properly(text: &str) -> bool {
    let starts = |line: &&str, word: &str| {
        line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let count = |word| text.split(['\n', '\r']).filter(|line| starts(line, word)).count();
    count("BEGIN:") <= count("END:")
}

/// Reads the events of a calendar into their groups by UID.
fn collect_events(
    calendar: &ICalendar,
    zones: &mut Zones<'_>,
    groups: &mut BTreeMap<String, Vec<Event>>,
    issues: &mut Vec<Issue>,
) {
    let method = method(calendar);
    if matches!(method, Method::Answer) {
        return;
    }
    for component in &calendar.components {
        if component.component_type != ICalendarComponentType::VEvent {
            continue;
        }
        let Some(uid) = component.uid().map(str::trim).filter(|uid| !uid.is_empty()) else {
            issues.push(Issue { item: 0, problem: Problem::NoUid });
            continue;
        };
        let mut problems = Vec::new();
        let event = Event::read(component, zones, &mut problems);
        issues.extend(
            problems.iter().map(|problem| Issue { item: event_key(uid), problem: *problem }),
        );
        if let Some(event) = event {
            let event = if matches!(method, Method::Cancel) { event.cancelled() } else { event };
            groups.entry(uid.to_owned()).or_default().push(event);
        }
    }
}

/// What an object says of its events (RFC 5546).
enum Method {
    /// They are as they stand.
    Publish,
    /// They are called off.
    Cancel,
    /// They are an answer or a proposal of one attendee.
    Answer,
}

/// The object's METHOD.
fn method(calendar: &ICalendar) -> Method {
    let root = calendar.components.first();
    let value = root.and_then(|root| first_value(root, &ICalendarProperty::Method));
    match value {
        Some(ICalendarValue::Method(ICalendarMethod::Cancel)) => Method::Cancel,
        Some(ICalendarValue::Method(
            ICalendarMethod::Reply
            | ICalendarMethod::Refresh
            | ICalendarMethod::Counter
            | ICalendarMethod::Declinecounter,
        )) => Method::Answer,
        _ => Method::Publish,
    }
}

/// The first value of a component's property.
fn first_value<'c>(
    component: &'c ICalendarComponent,
    property: &ICalendarProperty,
) -> Option<&'c ICalendarValue> {
    component.property(property)?.values.first()
}

/// The values of all of a component's properties of that name.
fn values<'c>(
    component: &'c ICalendarComponent,
    property: &'c ICalendarProperty,
) -> impl Iterator<Item = &'c ICalendarValue> {
    component.properties(property).flat_map(|entry| entry.values.iter())
}

/// The text of a component's property, trimmed.
fn text<'c>(component: &'c ICalendarComponent, property: &ICalendarProperty) -> Option<&'c str> {
    first_value(component, property)?.as_text().map(str::trim)
}

/// Lays each group out as occurrences, within the caps.
fn assemble(
    groups: BTreeMap<String, Vec<Event>>,
    window: (Timestamp, Timestamp),
    scope: Scope,
    effort: &mut Effort,
    issues: &mut Vec<Issue>,
) -> Vec<Instance> {
    let mut instances: Vec<Instance> = Vec::new();
    let (mut touching, mut seats) = (0usize, 0usize);
    for (uid, events) in groups {
        if touching >= MAX_EVENTS || instances.len() >= MAX_MEETINGS || seats >= MAX_SEATS {
            issues.push(Issue { item: 0, problem: Problem::TooMany });
            break;
        }
        let item = event_key(&uid);
        let mut problems = Vec::new();
        let found = series::instances(&uid, events, window, scope, effort, &mut problems);
        issues.extend(problems.into_iter().map(|problem| Issue { item, problem }));
        touching += usize::from(!found.is_empty());
        seats += found.iter().map(|instance| instance.meeting.attendees.len()).sum::<usize>();
        instances.extend(found);
    }
    instances
}
