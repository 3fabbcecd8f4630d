//! The story's calendar: days counted back from today, minutes on the wall of the office.
//!
//! Guarantees that every (day, minute) is an instant, also where clocks are put forward, and that
//! nothing depends on which day today is.

use chrono::{Datelike, Days as ChronoDays, MappedLocalTime, NaiveDate, TimeZone, Timelike};
use chrono_tz::Tz;

use super::lots::Lots;
use crate::model::{Span, Timestamp};

/// When work begins, in minutes after midnight.
const OPENS: i64 = 8 * 60;
/// When work ends.
const CLOSES: i64 = 18 * 60 + 30;

/// Today in the office, from which everything is counted back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Days {
    /// The office's time zone.
    pub(super) zone: Tz,
    /// The day on which the story ends.
    pub(super) today: NaiveDate,
    /// The instant at which it ends.
    pub(super) now: Timestamp,
}

impl Days {
    /// The calendar of a story that ends at `now`.
    pub(super) fn until(now: Timestamp, zone: Tz) -> Self {
        let utc = now.to_utc().unwrap_or_default();
        Self { zone, today: utc.with_timezone(&zone).date_naive(), now }
    }

    /// The date so many days ago; a negative number is in the future.
    pub(super) fn date(&self, ago: i64) -> NaiveDate {
        let days = ChronoDays::new(ago.unsigned_abs());
        let date = if ago < 0 {
            self.today.checked_add_days(days)
        } else {
            self.today.checked_sub_days(days)
        };
        date.unwrap_or(self.today)
    }

    /// The instant at `minute` of the day so many days ago, on the office's clock.
    ///
    /// A time that comes twice is the first of the two; one that is left out is an hour later.
    pub(super) fn at(&self, ago: i64, minute: i64) -> Timestamp {
        let midnight = self.date(ago).and_time(chrono::NaiveTime::MIN);
        let local = midnight + chrono::TimeDelta::minutes(minute);
        let resolved = match self.zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.timestamp(),
            MappedLocalTime::None => self
                .zone
                .from_local_datetime(&(local + chrono::TimeDelta::hours(1)))
                .earliest()
                .map_or_else(|| local.and_utc().timestamp(), |at| at.timestamp()),
        };
        Timestamp::from_seconds(resolved)
    }

    /// That day if it is a working day, else the Friday before.
    pub(super) fn workday(&self, ago: i64) -> i64 {
        ago + i64::from(self.date(ago).weekday().num_days_from_monday()).saturating_sub(4).max(0)
    }

    /// The first day from that one on, towards the future, that is a working day.
    pub(super) fn workday_from(&self, ago: i64) -> i64 {
        match self.date(ago).weekday().num_days_from_monday() {
            5 => ago - 2,
            6 => ago - 1,
            _ => ago,
        }
    }

    /// How many days ago an instant was, and its minute on the office's clock.
    pub(super) fn wall(&self, at: Timestamp) -> (i64, i64) {
        let local = at.to_utc().unwrap_or_default().with_timezone(&self.zone);
        let ago = self.today.signed_duration_since(local.date_naive()).num_days();
        (ago, i64::from(local.hour() * 60 + local.minute()))
    }

    /// The instant itself if somebody is at work, else some time after work begins again.
    ///
    /// Few work at the weekend.
    pub(super) fn at_work(&self, at: Timestamp, lots: &mut Lots) -> Timestamp {
        let (ago, minute) = self.wall(at);
        let morning = OPENS + lots.between(5, 110);
        let weekend_worker = lots.percent(6);
        let (ago, minute) = match minute {
            early if early < OPENS => (ago, morning),
            late if late > CLOSES => (ago - 1, morning),
            _ => (ago, minute),
        };
        let monday = self.workday_from(ago);
        let (ago, minute) =
            if weekend_worker || monday == ago { (ago, minute) } else { (monday, morning) };
        self.at(ago, minute) + Span::from_seconds(lots.between(0, 59))
    }
}
