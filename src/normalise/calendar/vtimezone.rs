//! A zone as a calendar defines it itself (RFC 5545, 3.6.5), for names that nobody knows.
//!
//! Guarantees an offset for every instant: that of the last onset before it, and before the first
//! onset the one from which that leads. The rules of observances are followed from 1960 to 2100.

use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType};
use calcard::icalendar::{ICalendarProperty, ICalendarRecurrenceRule, ICalendarValue};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::recur::{self, Effort};
use super::zone::{self, Zone};
use super::{first_value, values};

/// Observances that are read, and changes after which no more of them are: a century and a half
/// has some 300.
const MAX_OBSERVANCES: usize = 200;
const MAX_ONSETS: usize = 1_000;

/// A zone that a calendar defines, or an offset that is always the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnZone {
    /// The offset before every onset, in seconds east.
    first_s: i32,
    /// The changes, in order.
    onsets: Vec<Onset>,
}

/// A change of the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Onset {
    /// When it is, on the clock of UTC.
    utc: NaiveDateTime,
    /// The offset from then on, in seconds east.
    offset_s: i32,
}

impl OwnZone {
    /// The zone that is always so many seconds east.
    pub(super) fn fixed(offset_s: i32) -> Self {
        Self { first_s: offset_s, onsets: Vec::new() }
    }

    /// Reads a VTIMEZONE; `None` if it says nothing.
    pub(super) fn read(
        calendar: &ICalendar,
        definition: &ICalendarComponent,
        effort: &mut Effort,
    ) -> Option<Self> {
        let parts = definition.component_ids.iter().take(MAX_OBSERVANCES);
        let mut observances: Vec<Observance> = parts
            .filter_map(|id| calendar.component_by_id(*id))
            .filter(|part| {
                let kind = &part.component_type;
                matches!(kind, ICalendarComponentType::Standard | ICalendarComponentType::Daylight)
            })
            .filter_map(Observance::read)
            .collect();
        observances.sort_by_key(|observance| observance.start);
        let first_s = observances.first()?.from_s;
        let mut onsets: Vec<Onset> = Vec::new();
        for observance in &observances {
            if onsets.len() < MAX_ONSETS {
                onsets.extend(observance.onsets(effort));
            }
        }
        onsets.sort_unstable();
        onsets.dedup();
        Some(Self { first_s, onsets })
    }

    /// The offset at an instant, given on the clock of UTC, in seconds east.
    pub(super) fn offset_s(&self, utc: NaiveDateTime) -> i32 {
        let passed = self.onsets.partition_point(|onset| onset.utc <= utc);
        let last = passed.checked_sub(1).and_then(|last| self.onsets.get(last));
        last.map_or(self.first_s, |onset| onset.offset_s)
    }

    /// The instant, on the clock of UTC, at which the zone's clock shows `local`: the earlier of
    /// two; where it is skipped, by the offset before the gap.
    pub(super) fn utc(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = TimeDelta::days(1);
        let near = |around: Option<NaiveDateTime>| {
            let offset_s = self.offset_s(around?);
            let utc = local.checked_sub_signed(TimeDelta::seconds(i64::from(offset_s)))?;
            Some((utc, self.offset_s(utc) == offset_s))
        };
        let (before, before_fits) = near(local.checked_sub_signed(day))?;
        let (after, after_fits) = near(local.checked_add_signed(day))?;
        Some(match (before_fits, after_fits) {
            (true, true) => before.min(after),
            (false, true) => after,
            (true, false) | (false, false) => before,
        })
    }
}

/// A STANDARD or DAYLIGHT part.
struct Observance {
    start: NaiveDateTime,
    from_s: i32,
    to_s: i32,
    rule: Option<ICalendarRecurrenceRule>,
    dates: Vec<NaiveDateTime>,
}

impl Observance {
    fn read(part: &ICalendarComponent) -> Option<Self> {
        let time = |value: &ICalendarValue| match value {
            ICalendarValue::PartialDateTime(value) => Some(zone::naive(value)?.0),
            _ => None,
        };
        let offset = |property| match first_value(part, property)? {
            ICalendarValue::PartialDateTime(offset) => zone::offset_seconds(offset),
            _ => None,
        };
        let to_s = offset(&ICalendarProperty::Tzoffsetto)?;
        let rule = match first_value(part, &ICalendarProperty::Rrule) {
            Some(ICalendarValue::RecurrenceRule(rule)) => Some((**rule).clone()),
            _ => None,
        };
        Some(Self {
            start: time(first_value(part, &ICalendarProperty::Dtstart)?)?,
            from_s: offset(&ICalendarProperty::Tzoffsetfrom).unwrap_or(to_s),
            to_s,
            rule,
            dates: values(part, &ICalendarProperty::Rdate)
                .filter_map(time)
                .take(MAX_ONSETS)
                .collect(),
        })
    }

    /// When it begins, again and again; its times are on the clock that it ends.
    fn onsets(&self, effort: &mut Effort) -> Vec<Onset> {
        let mut starts = vec![self.start];
        starts.extend_from_slice(&self.dates);
        if let (Some(rule), Some(years)) = (&self.rule, years()) {
            let before = Zone::fixed(self.from_s);
            starts.extend(recur::expand(self.start, &before, rule, years, effort).starts);
        }
        let east = TimeDelta::seconds(i64::from(self.from_s));
        let onset = |start: NaiveDateTime| {
            Some(Onset { utc: start.checked_sub_signed(east)?, offset_s: self.to_s })
        };
        starts.into_iter().filter_map(onset).collect()
    }
}

/// The years in which changes are looked for.
fn years() -> Option<(NaiveDateTime, NaiveDateTime)> {
    let first = |year| NaiveDate::from_ymd_opt(year, 1, 1)?.and_hms_opt(0, 0, 0);
    Some((first(1960)?, first(2100)?))
}
