//! The times of an event: when it begins, how long it takes, and the days and instants at which it
//! recurs. iCalendar's five ways of writing one end here, as an instant or a wall clock with its
//! zone.

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarPeriod,
    ICalendarProperty, ICalendarValue,
};
use chrono::{Days, NaiveDate, NaiveDateTime};

use super::zone::{self, Zone, Zones};
use super::{Problem, first_value};
use crate::model::{Span, Timestamp};

/// Dates read of one event, of each kind: more are not written by people.
const MAX_DATES: usize = 20_000;

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

/// A place in a series: the instant at which its rule put an occurrence, or just the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// An instant.
    At(Timestamp),
    /// A day on the calendar of the series.
    On(NaiveDate),
}

/// When an event begins.
pub(super) struct Begin {
    /// The wall clock.
    pub(super) local: NaiveDateTime,
    /// Whose it is.
    pub(super) zone: Zone,
    /// The same as an instant.
    pub(super) at: Timestamp,
    /// How exact it is.
    pub(super) precision: Precision,
}

/// Whether a value names a time or just a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Time,
    Day,
}

/// Reads DTSTART.
pub(super) fn begin(
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
pub(super) fn instant(value: &PartialDateTime, zone: &Zone) -> Option<Timestamp> {
    match zone::naive(value)? {
        (local, Some(offset_s)) => Zone::UTC.instant(shifted(local, offset_s)?),
        (local, None) => zone.instant(local),
    }
}

/// The zone of a property beside DTSTART: its own if it states a known one, else the event's.
pub(super) fn zone_beside(
    entry: &ICalendarEntry,
    event_zone: &Zone,
    zones: &mut Zones<'_>,
) -> Zone {
    stated_zone(entry).and_then(|tzid| zones.find(tzid)).unwrap_or_else(|| event_zone.clone())
}

/// How long the event takes, by DTEND or DURATION; a day or no time if neither says, no time if it
/// ends too early. From DTEND every occurrence has the same exact length (RFC 5545, 3.8.5.3).
pub(super) fn length(
    component: &ICalendarComponent,
    begin: &Begin,
    zones: &mut Zones<'_>,
) -> Length {
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

/// The dates of all EXDATEs or RDATEs, with their own lengths where they are periods.
pub(super) fn dates(
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
pub(super) fn slot(value: &ICalendarValue, zone: &Zone) -> Option<(Slot, Option<Length>)> {
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
