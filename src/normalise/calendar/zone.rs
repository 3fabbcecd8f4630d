//! Which time zone a TZID means, and which instant a time on its wall clock is.
//!
//! Guarantees an answer for every name: the IANA name, the Windows name, the place that the
//! calendar's own VTIMEZONE names, a UTC offset in words, the rules of that VTIMEZONE, and at last
//! the calendar's default. CalConnect's advice (CC/R 0602) is followed: the name is trusted more
//! than the rules that come with it.

use std::collections::HashMap;
use std::rc::Rc;
use std::str::FromStr;

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz as NamedZone;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty,
};
use chrono::offset::LocalResult;
use chrono::{Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::recur::Effort;
use super::text;
use super::vtimezone::OwnZone;
use crate::model::Timestamp;

/// Zone names of one object that are looked up: a calendar has a handful.
const MAX_ZONES: usize = 200;

/// Windows names that the library does not have, or for places that have left them since
/// (Unicode CLDR, windowsZones.xml).
const MOVED_NAMES: &[(&str, Tz)] = &[
    ("Central Asia Standard Time", Tz::Asia__Bishkek),
    ("Mountain Standard Time (Mexico)", Tz::America__Mazatlan),
    ("South Sudan Standard Time", Tz::Africa__Juba),
];

/// The zone of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// One of the IANA's.
    Known(Tz),
    /// One that the calendar defines, or an offset.
    Own(Rc<OwnZone>),
}

impl Zone {
    /// The zone of instants that are given in UTC.
    pub(super) const UTC: Self = Self::Known(Tz::UTC);

    /// The zone that is always so many seconds east.
    pub(super) fn fixed(offset_s: i32) -> Self {
        Self::Own(Rc::new(OwnZone::fixed(offset_s)))
    }

    /// The instant at which the wall clock shows `local`.
    ///
    /// Where it does so twice, the earlier; where it skips the time, as far after the gap as
    /// `local` is after its beginning (RFC 5545, 3.3.5). `None` at the ends of the calendar.
    pub(super) fn instant(&self, local: NaiveDateTime) -> Option<Timestamp> {
        let utc = match self {
            Self::Known(zone) => known_utc(*zone, local)?,
            Self::Own(zone) => zone.utc(local)?,
        };
        Some(Timestamp::from_millis(utc.and_utc().timestamp_millis()))
    }

    /// What the wall clock shows at an instant.
    pub(super) fn local(&self, at: Timestamp) -> Option<NaiveDateTime> {
        let utc = at.to_utc()?;
        match self {
            Self::Known(zone) => Some(utc.with_timezone(zone).naive_local()),
            Self::Own(zone) => {
                let utc = utc.naive_utc();
                utc.checked_add_signed(TimeDelta::seconds(i64::from(zone.offset_s(utc))))
            }
        }
    }
}

/// The zones of one calendar object.
pub(super) struct Zones<'c> {
    calendar: &'c ICalendar,
    floating: Zone,
    known: HashMap<String, Option<Zone>>,
    effort: &'c mut Effort,
}

impl<'c> Zones<'c> {
    /// The zones that `calendar` defines; times without one are in `X-WR-TIMEZONE`, else in
    /// `default`. Rules of its own are followed within the `effort`.
    pub(super) fn of(calendar: &'c ICalendar, default: Tz, effort: &'c mut Effort) -> Self {
        let property = ICalendarProperty::Other("X-WR-TIMEZONE".to_owned());
        let stated = calendar.components.first().and_then(|root| text(root, &property));
        let floating = stated.and_then(by_name).unwrap_or(Zone::Known(default));
        Self { calendar, floating, known: HashMap::new(), effort }
    }

    /// The zone of times that name none.
    pub(super) fn floating(&self) -> Zone {
        self.floating.clone()
    }

    /// The zone that `tzid` means; `None` if nobody knows.
    pub(super) fn find(&mut self, tzid: &str) -> Option<Zone> {
        if let Some(known) = self.known.get(tzid) {
            return known.clone();
        }
        if self.known.len() >= MAX_ZONES {
            return None;
        }
        let found = self.resolve(tzid);
        self.known.insert(tzid.to_owned(), found.clone());
        found
    }

    /// The ways of telling, the surest first.
    fn resolve(&mut self, tzid: &str) -> Option<Zone> {
        let definition = self.definition(tzid);
        by_name(tzid)
            .or_else(|| {
                let location = ICalendarProperty::Other("X-LIC-LOCATION".to_owned());
                definition.and_then(|zone| text(zone, &location)).and_then(by_name)
            })
            .or_else(|| by_last_segments(tzid))
            .or_else(|| by_offset_in_words(tzid))
            .or_else(|| {
                let own = OwnZone::read(self.calendar, definition?, self.effort)?;
                Some(Zone::Own(Rc::new(own)))
            })
    }

    /// The VTIMEZONE of that id.
    fn definition(&self, tzid: &str) -> Option<&'c ICalendarComponent> {
        self.calendar.components.iter().find(|component| {
            component.component_type == ICalendarComponentType::VTimezone
                && text(component, &ICalendarProperty::Tzid) == Some(tzid.trim())
        })
    }
}

/// A UTC offset as the parser keeps it, in seconds east.
pub(super) fn offset_seconds(offset: &PartialDateTime) -> Option<i32> {
    let hours = i32::from(offset.tz_hour?);
    let seconds = hours * 3600 + i32::from(offset.tz_minute.unwrap_or(0)) * 60;
    Some(if offset.tz_minus { -seconds } else { seconds })
}

/// An IANA or a Windows name.
fn by_name(name: &str) -> Option<Zone> {
    let name = name.trim();
    if let Some((_, zone)) = MOVED_NAMES.iter().find(|(moved, _)| *moved == name) {
        return Some(Zone::Known(*zone));
    }
    match NamedZone::from_str(name) {
        Ok(NamedZone::Tz(zone)) => Some(Zone::Known(zone)),
        _ => None,
    }
}

/// A path that ends in an IANA name: `/freeassociation.sourceforge.net/Europe/Berlin`.
fn by_last_segments(tzid: &str) -> Option<Zone> {
    let segments: Vec<&str> = tzid.trim().split('/').collect();
    (1..segments.len().min(4)).rev().find_map(|count| {
        let last = segments.get(segments.len() - count..)?.join("/");
        by_name(&last)
    })
}

/// `GMT+0100`, `UTC-5`, `UTC+05:30`.
fn by_offset_in_words(tzid: &str) -> Option<Zone> {
    let upper = tzid.trim().to_ascii_uppercase();
    let offset = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC"))?;
    let (east, digits) = match offset.trim().split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        length => digits.split_at_checked(length - 2)?,
    };
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let within = hours <= 14 && minutes < 60;
    within.then(|| Zone::fixed(east * (i32::from(hours) * 3600 + i32::from(minutes) * 60)))
}

/// The instant at which the wall clock of a known zone shows `local`, on the clock of UTC.
fn known_utc(zone: Tz, local: NaiveDateTime) -> Option<NaiveDateTime> {
    match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => {
            local.checked_sub_offset(offset.fix())
        }
        LocalResult::None => local.checked_sub_offset(offset_before_gap(zone, local)?),
    }
}

/// The offset that held before the gap in which `local` lies. Gaps are of an hour or so, once of
/// a whole day (Samoa, 2011).
fn offset_before_gap(zone: Tz, local: NaiveDateTime) -> Option<chrono::FixedOffset> {
    [3, 27].into_iter().find_map(|hours| {
        let before = local.checked_sub_signed(TimeDelta::hours(hours))?;
        zone.offset_from_local_datetime(&before).latest().map(|offset| offset.fix())
    })
}

/// The date and time of a parsed value with its own offset in seconds east, if it has one; a
/// leap second counts as the one before.
pub(super) fn naive(value: &PartialDateTime) -> Option<(NaiveDateTime, Option<i32>)> {
    let date = NaiveDate::from_ymd_opt(
        i32::from(value.year?),
        u32::from(value.month?),
        u32::from(value.day?),
    )?;
    let time = date.and_hms_opt(
        u32::from(value.hour.unwrap_or(0)),
        u32::from(value.minute.unwrap_or(0)),
        u32::from(value.second.unwrap_or(0).min(59)),
    )?;
    (date.year() > 0).then(|| (time, offset_seconds(value)))
}
