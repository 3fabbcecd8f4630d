//! One VEVENT as read: when, for how long, who, and how it recurs. Nothing is expanded here.
//!
//! Every time becomes an instant or a wall clock with its zone at once, so that what follows does
//! not know iCalendar's five ways of writing one.

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendarClassification, ICalendarComponent, ICalendarDuration, ICalendarEntry,
    ICalendarParameterName, ICalendarParameterValue, ICalendarPeriod, ICalendarProperty,
    ICalendarRecurrenceRule, ICalendarStatus, ICalendarTransparency, ICalendarValue,
};
use chrono::{Days, NaiveDate, NaiveDateTime};

use super::zone::{self, Zone, Zones};
use super::{Problem, Standing, first_value, people, text, values};
use crate::model::{Attendee, MeetingStatus, Span, Timestamp};

/// Dates and rules read of one event, of each kind: more are not written by people.
const MAX_DATES: usize = 20_000;
const MAX_RULES: usize = 8;

/// An event, or one that replaces an occurrence of a series.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// When it begins on the wall clock of `zone`.
    pub(super) start: NaiveDateTime,
    /// The zone in which it recurs.
    pub(super) zone: Zone,
    /// The same beginning as an instant.
    pub(super) starts_at: Timestamp,
    /// How long it takes.
    pub(super) length: Length,
    /// Whether it is a meeting at all.
    pub(super) standing: Standing,
    /// Whether it takes place.
    pub(super) status: MeetingStatus,
    /// Organiser and attendees.
    pub(super) attendees: Vec<Attendee>,
    /// Which occurrence it replaces.
    pub(super) replaces: Option<Replaced>,
    /// Its version: the highest of several is the one that holds (RFC 5546, 2.1.5).
    pub(super) version: Version,
    /// The rules by which it recurs.
    pub(super) rules: Vec<ICalendarRecurrenceRule>,
    /// Further occurrences, some with a length of their own.
    pub(super) extra: Vec<(Slot, Option<Length>)>,
    /// Occurrences that are left out.
    pub(super) except: Vec<Slot>,
}

/// SEQUENCE, then DTSTAMP; 0 and the epoch if it states none.
pub(super) type Version = (i64, Timestamp);

/// How long an event takes, not negative. Days are those of the calendar, which a change of the
/// clock makes longer or shorter; the rest is exact (RFC 5545, 3.3.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Length {
    days: u64,
    rest: Span,
}

impl Length {
    /// So long by the stopwatch; no time if it is negative.
    fn exact(span: Span) -> Self {
        Self { days: 0, rest: span.max(Span::ZERO) }
    }

    /// When something ends that begins at an instant.
    pub(super) fn after(self, begin: Timestamp, zone: &Zone) -> Timestamp {
        let later = |local: NaiveDateTime| local.checked_add_days(Days::new(self.days));
        let day = match self.days {
            0 => None,
            _ => zone.local(begin).and_then(later).and_then(|local| zone.instant(local)),
        };
        day.unwrap_or(begin) + self.rest
    }
}

/// The occurrence that an event stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    /// Which one.
    pub(super) slot: Slot,
    /// How many of them.
    pub(super) range: Range,
}

/// How far a replacement goes (RFC 5545, 3.2.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// That occurrence.
    This,
    /// That one and those after it.
    ThisAndFuture,
}

/// A place in a series: the instant at which its rule put an occurrence, or just the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// An instant.
    At(Timestamp),
    /// A day on the calendar of the series.
    On(NaiveDate),
}

impl Event {
    /// Reads a VEVENT; `None` if it has no beginning, or replaces nobody knows what.
    pub(super) fn read(
        component: &ICalendarComponent,
        zones: &mut Zones<'_>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let Some(begin) = begin(component, zones, problems) else {
            problems.push(Problem::NoStart);
            return None;
        };
        let replaces = replaced(component, &begin.zone, zones);
        if replaces.is_none() && component.has_property(&ICalendarProperty::RecurrenceId) {
            problems.push(Problem::NoStart);
            return None;
        }
        let extra = dates(component, &ICalendarProperty::Rdate, &begin.zone, zones);
        let except = dates(component, &ICalendarProperty::Exdate, &begin.zone, zones);
        Some(Self {
            length: length(component, &begin, zones),
            standing: standing(component, &begin),
            start: begin.local,
            zone: begin.zone,
            starts_at: begin.at,
            status: status(component),
            attendees: people::read(component, problems),
            replaces,
            version: version(component),
            rules: rules(component),
            extra,
            except: except.into_iter().map(|(slot, _)| slot).collect(),
        })
    }

    /// The same event, called off.
    pub(super) fn cancelled(mut self) -> Self {
        self.status = MeetingStatus::Cancelled;
        self
    }

    /// Whether it makes a series.
    pub(super) fn recurs(&self) -> bool {
        !self.rules.is_empty() || !self.extra.is_empty()
    }
}

/// When an event begins.
struct Begin {
    local: NaiveDateTime,
    zone: Zone,
    at: Timestamp,
    precision: Precision,
}

/// Whether a value names a time or just a day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Precision {
    Time,
    Day,
}

/// Reads DTSTART.
fn begin(
    component: &ICalendarComponent,
    zones: &mut Zones<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Begin> {
    let entry = component.property(&ICalendarProperty::Dtstart)?;
    let value = entry.values.first()?.as_partial_date_time()?;
    let zone = match stated_zone(entry) {
        None => zones.floating(),
        Some(tzid) => zones.find(tzid).unwrap_or_else(|| {
            problems.push(Problem::UnknownZone);
            zones.floating()
        }),
    };
    let precision = if value.has_time() { Precision::Time } else { Precision::Day };
    let (local, own_offset_s) = zone::naive(value)?;
    let (local, zone) = match own_offset_s {
        Some(offset_s) => (shifted(local, offset_s)?, Zone::UTC),
        None => (local, zone),
    };
    Some(Begin { local, at: zone.instant(local)?, zone, precision })
}

/// The TZID of a property.
fn stated_zone(entry: &ICalendarEntry) -> Option<&str> {
    entry.parameter(&ICalendarParameterName::Tzid)?.as_text().filter(|tzid| !tzid.is_empty())
}

/// A time that carries its own offset, in UTC.
fn shifted(local: NaiveDateTime, offset_s: i32) -> Option<NaiveDateTime> {
    local.checked_sub_signed(chrono::TimeDelta::seconds(i64::from(offset_s)))
}

/// The instant of a value that stands in `zone` unless it says otherwise.
fn instant(value: &PartialDateTime, zone: &Zone) -> Option<Timestamp> {
    match zone::naive(value)? {
        (local, Some(offset_s)) => Zone::UTC.instant(shifted(local, offset_s)?),
        (local, None) => zone.instant(local),
    }
}

/// The zone of a property beside DTSTART: its own if it states a known one, else the event's.
fn zone_beside(entry: &ICalendarEntry, event_zone: &Zone, zones: &mut Zones<'_>) -> Zone {
    stated_zone(entry).and_then(|tzid| zones.find(tzid)).unwrap_or_else(|| event_zone.clone())
}

/// How long the event takes, by DTEND or DURATION; a day or no time if neither says, no time if it
/// ends too early. From DTEND every occurrence has the same exact length (RFC 5545, 3.8.5.3).
fn length(component: &ICalendarComponent, begin: &Begin, zones: &mut Zones<'_>) -> Length {
    if let Some(end) = component.property(&ICalendarProperty::Dtend)
        && let Some(value) = end.values.first().and_then(|value| value.as_partial_date_time())
    {
        if begin.precision == Precision::Day && !value.has_time() {
            let last = zone::naive(value).map_or(begin.local, |(local, _)| local);
            let days = u64::try_from((last.date() - begin.local.date()).num_days());
            return Length { days: days.unwrap_or(0), rest: Span::ZERO };
        }
        let zone = zone_beside(end, &begin.zone, zones);
        return instant(value, &zone)
            .map_or(Length::default(), |end| Length::exact(end - begin.at));
    }
    match first_value(component, &ICalendarProperty::Duration) {
        Some(ICalendarValue::Duration(duration)) => by_duration(duration),
        _ => Length { days: u64::from(begin.precision == Precision::Day), rest: Span::ZERO },
    }
}

/// A DURATION.
fn by_duration(duration: &ICalendarDuration) -> Length {
    let hours = i64::from(duration.hours);
    let seconds = (hours * 60 + i64::from(duration.minutes)) * 60 + i64::from(duration.seconds);
    match duration.neg {
        true => Length::default(),
        false => Length {
            days: u64::from(duration.weeks) * 7 + u64::from(duration.days),
            rest: Span::from_seconds(seconds),
        },
    }
}

/// Whether it is kept. Outlook writes some all-day events as midnight to midnight and says so.
fn standing(component: &ICalendarComponent, begin: &Begin) -> Standing {
    let all_day = ICalendarProperty::Other("X-MICROSOFT-CDO-ALLDAYEVENT".to_owned());
    let lasts_all_day = begin.precision == Precision::Day
        || text(component, &all_day).is_some_and(|value| value.eq_ignore_ascii_case("TRUE"));
    let free = component.transparency() == Some(&ICalendarTransparency::Transparent);
    let private = matches!(
        first_value(component, &ICalendarProperty::Class),
        Some(ICalendarValue::Classification(
            ICalendarClassification::Private | ICalendarClassification::Confidential
        ))
    );
    match (private, free, lasts_all_day) {
        (true, _, _) => Standing::Private,
        (false, true, _) => Standing::Free,
        (false, false, true) => Standing::AllDay,
        (false, false, false) => Standing::Meeting,
    }
}

/// Whether it takes place.
fn status(component: &ICalendarComponent) -> MeetingStatus {
    match component.status() {
        Some(ICalendarStatus::Cancelled) => MeetingStatus::Cancelled,
        Some(ICalendarStatus::Tentative) => MeetingStatus::Tentative,
        _ => MeetingStatus::Confirmed,
    }
}

/// Reads RECURRENCE-ID.
fn replaced(
    component: &ICalendarComponent,
    zone: &Zone,
    zones: &mut Zones<'_>,
) -> Option<Replaced> {
    let entry = component.property(&ICalendarProperty::RecurrenceId)?;
    let (slot, _) = slot(entry.values.first()?, &zone_beside(entry, zone, zones))?;
    // The parser keeps only THISANDFUTURE, the one value there is.
    let range = match entry.parameter(&ICalendarParameterName::Range) {
        Some(ICalendarParameterValue::Bool(true)) => Range::ThisAndFuture,
        _ => Range::This,
    };
    Some(Replaced { slot, range })
}

/// Its version.
fn version(component: &ICalendarComponent) -> Version {
    let sequence = first_value(component, &ICalendarProperty::Sequence);
    let stamp = match first_value(component, &ICalendarProperty::Dtstamp) {
        Some(ICalendarValue::PartialDateTime(stamp)) => instant(stamp, &Zone::UTC),
        _ => None,
    };
    (sequence.and_then(ICalendarValue::as_integer).unwrap_or(0), stamp.unwrap_or_default())
}

/// Its RRULEs.
fn rules(component: &ICalendarComponent) -> Vec<ICalendarRecurrenceRule> {
    let rules = values(component, &ICalendarProperty::Rrule).filter_map(|value| match value {
        ICalendarValue::RecurrenceRule(rule) => Some((**rule).clone()),
        _ => None,
    });
    rules.take(MAX_RULES).collect()
}

/// The dates of all EXDATEs or RDATEs, with their own lengths where they are periods.
fn dates(
    component: &ICalendarComponent,
    property: &ICalendarProperty,
    event_zone: &Zone,
    zones: &mut Zones<'_>,
) -> Vec<(Slot, Option<Length>)> {
    let mut dates = Vec::new();
    for entry in component.properties(property) {
        let zone = zone_beside(entry, event_zone, zones);
        let left = MAX_DATES - dates.len();
        dates.extend(entry.values.iter().filter_map(|value| slot(value, &zone)).take(left));
    }
    dates
}

/// One of them, or of a RECURRENCE-ID.
fn slot(value: &ICalendarValue, zone: &Zone) -> Option<(Slot, Option<Length>)> {
    let at = |value| instant(value, zone);
    let (value, length) = match value {
        ICalendarValue::PartialDateTime(value) => (&**value, None),
        ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
            (start, Some(Length::exact(at(end)? - at(start)?)))
        }
        ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
            (start, Some(by_duration(duration)))
        }
        _ => return None,
    };
    let slot = match value.has_time() {
        true => Slot::At(at(value)?),
        false => Slot::On(zone::naive(value)?.0.date()),
    };
    Some((slot, length))
}
