//! Which time zone a TZID means, and which instant a time on its wall clock is.
//!
//! Guarantees an answer for every name: the IANA name, the Windows name, what the calendar's own
//! VTIMEZONE says of it, a UTC offset in words, and at last the calendar's default. CalConnect's
//! advice (CC/R 0602) is followed: the name is trusted more than the rules that come with it.

use std::collections::HashMap;
use std::str::FromStr;

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz as NamedZone;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty,
};
use calcard::icalendar::{ICalendarRecurrenceRule, ICalendarValue};
use chrono::offset::LocalResult;
use chrono::{Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::{first_value, text};
use crate::model::Timestamp;

/// The year whose offsets are compared with a private VTIMEZONE: those describe today's rules.
const REFERENCE_YEAR: i32 = 2025;

/// Zone names of one object that are looked up: a calendar has a handful.
const MAX_ZONES: usize = 200;

/// The zones of one calendar object.
pub(super) struct Zones<'c> {
    calendar: &'c ICalendar,
    floating: Tz,
    known: HashMap<String, Option<Tz>>,
}

impl<'c> Zones<'c> {
    /// The zones that `calendar` defines; times without one are in `X-WR-TIMEZONE`, else in
    /// `default`.
    pub(super) fn of(calendar: &'c ICalendar, default: Tz) -> Self {
        let property = ICalendarProperty::Other("X-WR-TIMEZONE".to_owned());
        let stated = calendar.components.first().and_then(|root| text(root, &property));
        let floating = stated.and_then(by_name).unwrap_or(default);
        Self { calendar, floating, known: HashMap::new() }
    }

    /// The zone of times that name none.
    pub(super) fn floating(&self) -> Tz {
        self.floating
    }

    /// The zone that `tzid` means; `None` if nobody knows.
    pub(super) fn find(&mut self, tzid: &str) -> Option<Tz> {
        if let Some(known) = self.known.get(tzid) {
            return *known;
        }
        if self.known.len() >= MAX_ZONES {
            return None;
        }
        let found = self.resolve(tzid);
        self.known.insert(tzid.to_owned(), found);
        found
    }

    /// The ways of telling, the surest first.
    fn resolve(&self, tzid: &str) -> Option<Tz> {
        let definition = self.definition(tzid);
        by_name(tzid)
            .or_else(|| {
                let location = ICalendarProperty::Other("X-LIC-LOCATION".to_owned());
                definition.and_then(|zone| text(zone, &location)).and_then(by_name)
            })
            .or_else(|| by_last_segments(tzid))
            .or_else(|| by_offset_in_words(tzid))
            .or_else(|| definition.and_then(|zone| self.by_rules(zone)))
    }

    /// The VTIMEZONE of that id.
    fn definition(&self, tzid: &str) -> Option<&'c ICalendarComponent> {
        self.calendar.components.iter().find(|component| {
            component.component_type == ICalendarComponentType::VTimezone
                && text(component, &ICalendarProperty::Tzid) == Some(tzid.trim())
        })
    }

    /// A zone whose offsets over a year are those of the VTIMEZONE, the default one if it fits.
    fn by_rules(&self, definition: &ICalendarComponent) -> Option<Tz> {
        let rules = Rules::read(self.calendar, definition)?;
        let candidates = std::iter::once(self.floating).chain(chrono_tz::TZ_VARIANTS);
        candidates.into_iter().find(|zone| rules.fit(*zone))
    }
}

/// The offsets of a VTIMEZONE in seconds east, and the months in which they begin.
struct Rules {
    standard: (i32, u32),
    daylight: Option<(i32, u32)>,
}

impl Rules {
    /// Reads the last observance of each kind, which is the one in force.
    fn read(calendar: &ICalendar, definition: &ICalendarComponent) -> Option<Self> {
        let observances = |kind: &ICalendarComponentType| {
            let parts = definition.component_ids.iter().rev();
            parts
                .filter_map(|id| calendar.component_by_id(*id))
                .find(|part| part.component_type == *kind)
                .and_then(observance)
        };
        let daylight = observances(&ICalendarComponentType::Daylight);
        let standard = observances(&ICalendarComponentType::Standard).or(daylight)?;
        Some(Self { standard, daylight: daylight.filter(|(offset, _)| *offset != standard.0) })
    }

    /// Whether a zone has these offsets in the middle of every month but those of the changes.
    fn fit(&self, zone: Tz) -> bool {
        (1..=12).all(|month| {
            let Some(expected) = self.offset_in(month) else { return true };
            let middle = NaiveDate::from_ymd_opt(REFERENCE_YEAR, month, 15);
            middle.and_then(|day| day.and_hms_opt(12, 0, 0)).is_some_and(|noon| {
                zone.offset_from_utc_datetime(&noon).fix().local_minus_utc() == expected
            })
        })
    }

    /// The offset in a month; `None` where it changes.
    fn offset_in(&self, month: u32) -> Option<i32> {
        let (standard, back) = self.standard;
        let Some((daylight, forth)) = self.daylight else { return Some(standard) };
        if month == forth || month == back {
            return None;
        }
        let northern = forth < back;
        let between = forth.min(back) < month && month < forth.max(back);
        Some(if between == northern { daylight } else { standard })
    }
}

/// An observance's offset in seconds east and the month in which it begins.
fn observance(part: &ICalendarComponent) -> Option<(i32, u32)> {
    let offset = match first_value(part, &ICalendarProperty::Tzoffsetto)? {
        ICalendarValue::PartialDateTime(offset) => offset_seconds(offset)?,
        _ => return None,
    };
    let start = match first_value(part, &ICalendarProperty::Dtstart) {
        Some(ICalendarValue::PartialDateTime(start)) => start.month.map(u32::from),
        _ => None,
    };
    let by_rule = match first_value(part, &ICalendarProperty::Rrule) {
        Some(ICalendarValue::RecurrenceRule(rule)) => rule_month(rule),
        _ => None,
    };
    Some((offset, by_rule.or(start).unwrap_or(1)))
}

fn rule_month(rule: &ICalendarRecurrenceRule) -> Option<u32> {
    rule.bymonth.first().map(|month| u32::from(month.month()))
}

/// A UTC offset as the parser keeps it, in seconds east.
fn offset_seconds(offset: &PartialDateTime) -> Option<i32> {
    let hours = i32::from(offset.tz_hour?);
    let seconds = hours * 3600 + i32::from(offset.tz_minute.unwrap_or(0)) * 60;
    Some(if offset.tz_minus { -seconds } else { seconds })
}

/// An IANA or a Windows name.
fn by_name(name: &str) -> Option<Tz> {
    match NamedZone::from_str(name.trim()) {
        Ok(NamedZone::Tz(zone)) => Some(zone),
        _ => None,
    }
}

/// A path that ends in an IANA name: `/freeassociation.sourceforge.net/Europe/Berlin`.
fn by_last_segments(tzid: &str) -> Option<Tz> {
    let segments: Vec<&str> = tzid.trim().split('/').collect();
    (1..segments.len().min(4)).rev().find_map(|count| {
        let last = segments.get(segments.len() - count..)?.join("/");
        by_name(&last)
    })
}

/// `GMT+0100`, `UTC-5`, `UTC+02:00`: whole hours only, which is what is met.
fn by_offset_in_words(tzid: &str) -> Option<Tz> {
    let upper = tzid.trim().to_ascii_uppercase();
    let offset = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC"))?;
    let (sign, digits) = match offset.trim().split_at_checked(1)? {
        ("+", digits) => ('-', digits),
        ("-", digits) => ('+', digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let hours = match digits.len() {
        1 | 2 => digits.as_str(),
        _ => digits.strip_suffix("00")?,
    };
    // POSIX names count westward: GMT+0100 is Etc/GMT-1.
    by_name(&format!("Etc/GMT{sign}{}", hours.parse::<u8>().ok()?))
}

/// The instant at which the wall clock of `zone` shows `local`.
///
/// Where it does so twice, the earlier; where it skips the time, as far after the gap as `local`
/// is after its beginning (RFC 5545, 3.3.5). `None` at the ends of the calendar.
pub(super) fn instant(zone: Tz, local: NaiveDateTime) -> Option<Timestamp> {
    let utc = match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => {
            local.checked_sub_offset(offset.fix())?
        }
        LocalResult::None => local.checked_sub_offset(offset_before_gap(zone, local)?)?,
    };
    Some(Timestamp::from_millis(utc.and_utc().timestamp_millis()))
}

/// What the wall clock of `zone` shows at an instant.
pub(super) fn local(zone: Tz, at: Timestamp) -> Option<NaiveDateTime> {
    at.to_utc().map(|utc| utc.with_timezone(&zone).naive_local())
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
