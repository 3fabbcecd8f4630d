//! Working hours, as the rep's clock shows them: how much of a span of time was work.
//!
//! Days and hours are read off the clock of a time zone, so that a change of the clock at night
//! makes no difference. Holidays are not known.

use std::str::FromStr;

use crate::model::Span;
use crate::model::time::{DAY_MS, Timestamp};

use super::Zone;

const MINUTE_MS: i64 = 60_000;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The days of a week on which people work, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingDays([bool; 7]);

/// The part of a working day in which people work, in minutes after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayHours {
    from: i64,
    to: i64,
}

/// When people work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingHours {
    /// On which days.
    pub days: WorkingDays,
    /// From when to when.
    pub hours: DayHours,
}

impl Default for WorkingHours {
    /// Monday to Friday, 9 to 17.
    fn default() -> Self {
        let days = WorkingDays([true, true, true, true, true, false, false]);
        Self { days, hours: DayHours { from: 9 * 60, to: 17 * 60 } }
    }
}

impl WorkingDays {
    /// Whether people work on a day of the week, 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn includes(&self, weekday: usize) -> bool {
        self.0.get(weekday).copied().unwrap_or(false)
    }
}

impl WorkingHours {
    /// How much of the time between two instants was work in `zone`; none if `to` is not later.
    #[must_use]
    pub fn between(&self, from: Timestamp, to: Timestamp, zone: Zone) -> Span {
        let until = |at: Timestamp| self.until(at.local_millis(zone));
        Span::from_millis(until(to).saturating_sub(until(from)).max(0))
    }

    /// Work, in milliseconds, between the Monday before the epoch and what a clock shows.
    fn until(&self, clock: i64) -> i64 {
        // The epoch was a Thursday.
        let clock = clock.saturating_add(3 * DAY_MS);
        let (week, rest) = (clock.div_euclid(7 * DAY_MS), clock.rem_euclid(7 * DAY_MS));
        let (today, time) = (rest.div_euclid(DAY_MS), rest.rem_euclid(DAY_MS));
        let (begins, ends) = (self.hours.from * MINUTE_MS, self.hours.to * MINUTE_MS);
        let worked = (0..).zip(self.days.0).filter(|(_, works)| *works).map(|(day, _)| {
            if day < today {
                ends - begins
            } else if day == today {
                time.clamp(begins, ends) - begins
            } else {
                0
            }
        });
        let days = self.days.0.iter().filter(|works| **works).count();
        let a_week = (ends - begins) * i64::try_from(days).unwrap_or(0);
        week.saturating_mul(a_week).saturating_add(worked.sum())
    }
}

impl FromStr for WorkingDays {
    type Err = String;

    /// Reads days and ranges of days, separated by commas: `mon-fri`, `mon,tue,thu`, `sun-thu`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut works = [false; 7];
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first)?, day(last)?);
            // A range may go over the end of the week.
            let days = (last + 7 - first) % 7;
            for step in 0..=days {
                if let Some(one) = works.get_mut((first + step) % 7) {
                    *one = true;
                }
            }
        }
        Ok(Self(works))
    }
}

fn day(text: &str) -> Result<usize, String> {
    let name = text.trim().to_ascii_lowercase();
    DAYS.iter().position(|day| *day == name).ok_or_else(|| format!("`{name}` is no day"))
}

impl FromStr for DayHours {
    type Err = String;

    /// Reads `09:00-17:30`; the day ends with `24:00`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once('-').ok_or("without `-`")?;
        let (from, to) = (minute(from)?, minute(to)?);
        if from < to { Ok(Self { from, to }) } else { Err("ends before it begins".to_owned()) }
    }
}

/// Minutes after midnight, from `00:00` to `24:00`.
fn minute(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no time of day");
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let digits = |part: &str| {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| plain).ok_or_else(wrong)
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let all = hours * 60 + minutes;
    if minutes < 60 && all <= 24 * 60 { Ok(all) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn work_is_counted_by_the_clock_of_the_zone() {
        let (berlin, new_york) = (chrono_tz::Europe::Berlin, chrono_tz::America::New_York);
        let usual = WorkingHours::default();
        // 2026-11-20 was a Friday; Berlin is an hour ahead of UTC in winter.
        for (what, from, to, zone, expected) in [
            ("within a day", "2026-11-20T09:00:00Z", "2026-11-20T10:30:00Z", berlin, 90),
            ("before work", "2026-11-20T05:00:00Z", "2026-11-20T09:00:00Z", berlin, 60),
            ("over night", "2026-11-19T15:30:00Z", "2026-11-20T08:30:00Z", berlin, 60),
            ("over a weekend", "2026-11-20T15:00:00Z", "2026-11-23T09:00:00Z", berlin, 120),
            ("on a weekend", "2026-11-21T08:00:00Z", "2026-11-22T20:00:00Z", berlin, 0),
            ("elsewhere", "2026-11-20T15:00:00Z", "2026-11-23T15:00:00Z", new_york, 480),
            ("a week", "2026-11-18T03:00:00Z", "2026-11-25T03:00:00Z", berlin, 5 * 480),
            ("summer time ends", "2026-10-23T12:00:00Z", "2026-10-26T12:00:00Z", berlin, 420),
            ("backwards", "2026-11-20T10:30:00Z", "2026-11-20T09:00:00Z", berlin, 0),
            (
                "before the epoch",
                "1969-12-31T08:00:00Z",
                "1970-01-02T16:00:00Z",
                chrono_tz::UTC,
                1380,
            ),
        ] {
            let worked = usual.between(at(from), at(to), zone);
            assert_eq!(worked.millis(), expected * MINUTE_MS, "{what}");
        }
    }

    #[test]
    fn days_and_hours_are_read_as_people_write_them() {
        let week = |text: &str| text.parse::<WorkingDays>().map(|days| days.0.map(u8::from));
        for (text, expected) in [
            ("mon-fri", [1, 1, 1, 1, 1, 0, 0]),
            ("sun-thu", [1, 1, 1, 1, 0, 0, 1]),
            ("Mon, wed ,fri-sat", [1, 0, 1, 0, 1, 1, 0]),
            ("sat", [0, 0, 0, 0, 0, 1, 0]),
        ] {
            assert_eq!(week(text), Ok(expected), "{text}");
        }
        for text in ["", "monday", "mon-", "mon,,tue", "1-5", "mon - fri - sun"] {
            assert!(week(text).is_err(), "{text}");
        }
        for (text, from, to) in
            [("09:00-17:30", 540, 1050), ("0:00 - 24:00", 0, 1440), ("7:05-7:06", 425, 426)]
        {
            assert_eq!(text.parse(), Ok(DayHours { from, to }), "{text}");
        }
        for text in [
            "9-17",
            "09:00",
            "17:00-09:00",
            "09:00-09:00",
            "09:60-17:00",
            "09:00-24:01",
            "9:00-17:000",
            "+9:00-17:00",
            "22:00-06:00",
        ] {
            assert!(text.parse::<DayHours>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_is_what_looking_at_every_minute_gives(
            from in 0i64..40 * 1440, minutes in 0i64..9 * 1440,
            all in prop::array::uniform7(any::<bool>()), (begin, length) in (0i64..1439, 1i64..900),
        ) {
            let zone = chrono_tz::America::New_York;
            let day = DayHours { from: begin, to: (begin + length).min(1440) };
            let hours = WorkingHours { days: WorkingDays(all), hours: day };
            // Over the end of summer time, on 2026-11-01 at 2 o'clock.
            let start = at("2026-10-15T00:00:00Z") + Span::from_millis(from * MINUTE_MS);
            let works = |minute: &i64| {
                let clock = (start + Span::from_millis(minute * MINUTE_MS)).local_millis(zone);
                let (today, time) = (clock.div_euclid(DAY_MS), clock.rem_euclid(DAY_MS) / MINUTE_MS);
                let weekday = usize::try_from((today + 3).rem_euclid(7)).unwrap();
                all[weekday] && (day.from..day.to).contains(&time)
            };
            let counted = i64::try_from((0..minutes).filter(works).count()).unwrap();
            let end = start + Span::from_millis(minutes * MINUTE_MS);
            let worked = hours.between(start, end, zone).millis() / MINUTE_MS;
            // The hour that the clocks show twice is one hour of the clock.
            prop_assert!(worked <= counted && counted - worked <= 60, "{worked} of {counted}");
            let shift = at("2026-11-01T06:00:00Z");
            if end <= shift - Span::from_hours(1) || start >= shift {
                prop_assert_eq!(worked, counted);
            }
        }
    }
}
