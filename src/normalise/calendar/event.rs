//! One VEVENT as read: when, for how long, who, and how it recurs. Nothing is expanded here.

use calcard::icalendar::{
    ICalendarClassification, ICalendarComponent, ICalendarParameterName, ICalendarParameterValue,
    ICalendarProperty, ICalendarRecurrenceRule, ICalendarStatus, ICalendarTransparency,
    ICalendarValue,
};
use chrono::{NaiveDateTime, NaiveTime};

use super::time::{self, Begin, Length, Precision, Slot};
use super::zone::{Zone, Zones};
use super::{Problem, Standing, first_value, people, text, values};
use crate::model::{Attendee, MeetingStatus, Timestamp};

/// Rules read of one event: more are not written by people.
const MAX_RULES: usize = 8;

/// An event, or one that replaces an occurrence of a series.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// When it begins on the wall clock of `zone`.
    pub(super) start: NaiveDateTime,
    /// Whether that is a time.
    pub(super) precision: Precision,
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

impl Event {
    /// Reads a VEVENT; `None` if it has no beginning, or replaces nobody knows what.
    pub(super) fn read(
        component: &ICalendarComponent,
        zones: &mut Zones<'_>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let Some(begin) = time::begin(component, zones, problems) else {
            problems.push(Problem::NoStart);
            return None;
        };
        let replaces = replaced(component, &begin.zone, zones);
        if replaces.is_none() && component.has_property(&ICalendarProperty::RecurrenceId) {
            problems.push(Problem::NoStart);
            return None;
        }
        let extra = time::dates(component, &ICalendarProperty::Rdate, &begin.zone, zones);
        let except = time::dates(component, &ICalendarProperty::Exdate, &begin.zone, zones);
        Some(Self {
            length: time::length(component, &begin, zones),
            standing: standing(component, &begin),
            start: begin.local,
            precision: begin.precision,
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

    /// A slot as the series names it. Some calendars name the days of a series of days as
    /// midnights in UTC.
    pub(super) fn named(&self, slot: Slot) -> Slot {
        match (slot, self.precision) {
            (Slot::At(at), Precision::Day) => match at.to_utc().map(|utc| utc.naive_utc()) {
                Some(utc) if utc.time() == NaiveTime::MIN => Slot::On(utc.date()),
                _ => slot,
            },
            _ => slot,
        }
    }

    /// Whether it makes a series.
    pub(super) fn recurs(&self) -> bool {
        !self.rules.is_empty() || !self.extra.is_empty()
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
    let (slot, _) = time::slot(entry.values.first()?, &time::zone_beside(entry, zone, zones))?;
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
        Some(ICalendarValue::PartialDateTime(stamp)) => time::instant(stamp, &Zone::UTC),
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
