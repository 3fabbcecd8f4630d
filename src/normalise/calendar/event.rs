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
use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use super::zone::{self, Zones};
use super::{Problem, first_value, people, text};
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
    pub(super) zone: Tz,
    /// The same beginning as an instant.
    pub(super) starts_at: Timestamp,
    /// How long it takes, not negative.
    pub(super) length: Span,
    /// Whether it is a meeting at all.
    pub(super) standing: Standing,
    /// Whether it takes place.
    pub(super) status: MeetingStatus,
    /// Organiser and attendees.
    pub(super) attendees: Vec<Attendee>,
    /// Which occurrence it replaces.
    pub(super) replaces: Option<Replaced>,
    /// Its version: the highest of several is the one that holds.
    pub(super) sequence: i64,
    /// The rules by which it recurs.
    pub(super) rules: Vec<ICalendarRecurrenceRule>,
    /// Further occurrences.
    pub(super) extra: Vec<Slot>,
    /// Occurrences that are left out.
    pub(super) except: Vec<Slot>,
    /// When it was last changed, if it says.
    pub(super) modified_at: Option<Timestamp>,
}

/// Whether an event is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is a meeting.
    Meeting,
    /// It lasts all day, takes no time, or is private: its occurrences are left out.
    LeftOut,
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
        let replaces = replaced(component, begin.zone, zones);
        if replaces.is_none() && component.has_property(&ICalendarProperty::RecurrenceId) {
            problems.push(Problem::NoStart);
            return None;
        }
        let mut slots = |property| {
            let entries = component.properties(property);
            let values = entries.flat_map(|entry| slots(entry, begin.zone, zones));
            values.take(MAX_DATES).collect::<Vec<_>>()
        };
        let extra = slots(&ICalendarProperty::Rdate);
        let except = slots(&ICalendarProperty::Exdate);
        Some(Self {
            start: begin.local,
            zone: begin.zone,
            starts_at: begin.at,
            length: length(component, &begin, zones),
            standing: standing(component, &begin),
            status: status(component),
            modified_at: modified_at(component),
            attendees: people::read(component, problems),
            replaces,
            sequence: sequence(component),
            rules: rules(component),
            extra,
            except,
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
    zone: Tz,
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
        Some(offset_s) => (shifted(local, offset_s)?, chrono_tz::UTC),
        None => (local, zone),
    };
    Some(Begin { local, zone, at: zone::instant(zone, local)?, precision })
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
fn instant(value: &PartialDateTime, zone: Tz) -> Option<Timestamp> {
    match zone::naive(value)? {
        (local, Some(offset_s)) => zone::instant(chrono_tz::UTC, shifted(local, offset_s)?),
        (local, None) => zone::instant(zone, local),
    }
}

/// The zone of a property beside DTSTART: its own if it states a known one, else the event's.
fn zone_beside(entry: &ICalendarEntry, event_zone: Tz, zones: &mut Zones<'_>) -> Tz {
    stated_zone(entry).and_then(|tzid| zones.find(tzid)).unwrap_or(event_zone)
}

/// How long the event takes, by DTEND or DURATION; no time if neither says or it ends too early.
fn length(component: &ICalendarComponent, begin: &Begin, zones: &mut Zones<'_>) -> Span {
    let end = component.property(&ICalendarProperty::Dtend).and_then(|entry| {
        let zone = zone_beside(entry, begin.zone, zones);
        instant(entry.values.first()?.as_partial_date_time()?, zone)
    });
    let length = match (end, first_value(component, &ICalendarProperty::Duration)) {
        (Some(end), _) => end - begin.at,
        (None, Some(ICalendarValue::Duration(duration))) => duration_span(duration),
        (None, _) => Span::ZERO,
    };
    length.max(Span::ZERO)
}

/// A DURATION; days count 24 hours.
fn duration_span(duration: &ICalendarDuration) -> Span {
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let hours = days * 24 + i64::from(duration.hours);
    let seconds = (hours * 60 + i64::from(duration.minutes)) * 60 + i64::from(duration.seconds);
    Span::from_seconds(if duration.neg { -seconds } else { seconds })
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
    if lasts_all_day || free || private { Standing::LeftOut } else { Standing::Meeting }
}

/// LAST-MODIFIED, which is in UTC.
fn modified_at(component: &ICalendarComponent) -> Option<Timestamp> {
    let value = first_value(component, &ICalendarProperty::LastModified)?;
    let (utc, _) = zone::naive(value.as_partial_date_time()?)?;
    Some(Timestamp::from_millis(utc.and_utc().timestamp_millis()))
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
fn replaced(component: &ICalendarComponent, zone: Tz, zones: &mut Zones<'_>) -> Option<Replaced> {
    let entry = component.property(&ICalendarProperty::RecurrenceId)?;
    let slot = slots(entry, zone, zones).into_iter().next()?;
    // The parser keeps only THISANDFUTURE, the one value there is.
    let range = match entry.parameter(&ICalendarParameterName::Range) {
        Some(ICalendarParameterValue::Bool(true)) => Range::ThisAndFuture,
        _ => Range::This,
    };
    Some(Replaced { slot, range })
}

/// Its version, 0 if it states none.
fn sequence(component: &ICalendarComponent) -> i64 {
    let value = first_value(component, &ICalendarProperty::Sequence);
    value.and_then(ICalendarValue::as_integer).unwrap_or(0)
}

/// Its RRULEs.
fn rules(component: &ICalendarComponent) -> Vec<ICalendarRecurrenceRule> {
    let values =
        component.properties(&ICalendarProperty::Rrule).flat_map(|entry| entry.values.iter());
    let rules = values.filter_map(|value| match value {
        ICalendarValue::RecurrenceRule(rule) => Some((**rule).clone()),
        _ => None,
    });
    rules.take(MAX_RULES).collect()
}

/// The dates of an EXDATE, RDATE or RECURRENCE-ID.
fn slots(entry: &ICalendarEntry, event_zone: Tz, zones: &mut Zones<'_>) -> Vec<Slot> {
    let zone = zone_beside(entry, event_zone, zones);
    entry.values.iter().filter_map(|value| slot(value, zone)).collect()
}

/// One of them.
fn slot(value: &ICalendarValue, zone: Tz) -> Option<Slot> {
    let value = match value {
        ICalendarValue::PartialDateTime(value) => value,
        ICalendarValue::Period(
            ICalendarPeriod::Range { start, .. } | ICalendarPeriod::Duration { start, .. },
        ) => start,
        _ => return None,
    };
    if value.has_time() {
        instant(value, zone).map(Slot::At)
    } else {
        zone::naive(value).map(|(local, _)| Slot::On(local.date()))
    }
}
