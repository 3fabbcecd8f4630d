//! When something may be said, and how much: working days, the time of the digest, quiet hours,
//! budgets, and the share that is held back.
//!
//! Days and times are those of the rep's clock. A day that is no working day, or a holiday, is quiet
//! from midnight to midnight.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeZone};

use crate::model::{Key, NudgeKind, Span, Timestamp};
use crate::score::{WorkingDays, Zone};

/// Days looked ahead for one on which something may be said: more than any holiday lasts.
const LOOKED_AHEAD: u64 = 400;

/// How much is said and when, all with defaults in config/default.toml, `[nudge]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Restraint {
    /// Nothing is said for so long after the first decision, unless somebody says that it may be.
    pub observe: Span,
    /// When a rep's nudges come, together; `None` is each at once.
    pub digest_at: Option<NaiveTime>,
    /// When nothing comes at all.
    pub quiet: Option<QuietHours>,
    /// On which days something comes.
    pub working_days: WorkingDays,
    /// On which of these days nothing does.
    pub holidays: BTreeSet<NaiveDate>,
    /// What does not wait for the digest.
    pub immediate: BTreeSet<NudgeKind>,
    /// At most so many nudges to a rep in a day of the rep's calendar, and in seven days.
    pub per_day: u32,
    /// In seven days.
    pub per_week: u32,
    /// What has waited for room so long is not said any more.
    pub patience: Span,
    /// So many of a hundred are held back.
    pub held_back_percent: u32,
    /// The first reminder of what still holds comes after so long, each further one after twice as long
    /// as the one before.
    pub reminder_after: Span,
    /// At most so many reminders.
    pub reminders: u32,
    /// More than this share of a rep's established relationships decaying in a day is missing mail …
    pub mass_share: f64,
    /// … if they are at least so many.
    pub mass_least: u32,
}

impl Default for Restraint {
    fn default() -> Self {
        Self {
            observe: Span::from_days(14),
            digest_at: NaiveTime::from_hms_opt(8, 30, 0),
            quiet: "19:00-07:00".parse().ok(),
            working_days: crate::score::WorkingHours::default().days,
            holidays: BTreeSet::new(),
            immediate: BTreeSet::new(),
            per_day: 3,
            per_week: 5,
            patience: Span::from_days(14),
            held_back_percent: 10,
            reminder_after: Span::from_days(21),
            reminders: 2,
            mass_share: 0.2,
            mass_least: 5,
        }
    }
}

/// A part of each day in which nothing is said; it may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
}

impl FromStr for QuietHours {
    type Err = String;

    /// Reads `19:00-07:00`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once('-').ok_or("without `-`")?;
        let (from, to) = (time_of_day(from)?, time_of_day(to)?);
        if from == to { Err("begins when it ends".to_owned()) } else { Ok(Self { from, to }) }
    }
}

impl QuietHours {
    /// Whether a time of day is quiet.
    #[must_use]
    pub fn hold(&self, time: NaiveTime) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// Reads `08:30`.
///
/// # Errors
/// That it is no time of day.
pub fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text.trim(), "%H:%M")
        .map_err(|_| format!("`{text}` is no time of day"))
}

impl Restraint {
    /// When a nudge made at `made` may first be said.
    #[must_use]
    pub fn moment(&self, kind: NudgeKind, made: Timestamp, zone: Zone) -> Timestamp {
        match self.digest_at {
            Some(time) if !self.immediate.contains(&kind) => self.digest(time, made, zone),
            _ => self.open_from(made, zone),
        }
    }

    /// The first instant from `at` on at which something may be said.
    #[must_use]
    pub fn open_from(&self, at: Timestamp, zone: Zone) -> Timestamp {
        let Some(local) = at.to_utc().map(|utc| utc.with_timezone(&zone).naive_local()) else {
            return at;
        };
        let today = local.date();
        if self.is_working(today) && !self.quiet.is_some_and(|quiet| quiet.hold(local.time())) {
            return at;
        }
        let night = self.quiet.filter(|quiet| quiet.hold(NaiveTime::MIN));
        let opens = match self.quiet {
            // It is quiet in the middle of a day on which people work.
            Some(quiet) if self.is_working(today) => quiet.to,
            _ => night.map_or(NaiveTime::MIN, |quiet| quiet.to),
        };
        self.first(at, today, opens, zone)
    }

    /// The first digest from `at` on.
    fn digest(&self, time: NaiveTime, at: Timestamp, zone: Zone) -> Timestamp {
        let local = at.to_utc().map(|utc| utc.with_timezone(&zone).date_naive());
        local.map_or(at, |today| self.first(at, today, time, zone))
    }

    /// That time of day on the first working day from `today` on, if not before `at`.
    fn first(&self, at: Timestamp, today: NaiveDate, time: NaiveTime, zone: Zone) -> Timestamp {
        let days = (0..LOOKED_AHEAD).filter_map(|n| today.checked_add_days(Days::new(n)));
        let mut instants =
            days.filter(|day| self.is_working(*day)).filter_map(|day| instant(day, time, zone));
        // Where nobody ever works, a day is as good as any other.
        instants.find(|found| *found >= at).unwrap_or(at)
    }

    /// So many working days after an instant, at the same time of day.
    #[must_use]
    pub fn working_days_after(&self, at: Timestamp, count: u32, zone: Zone) -> Timestamp {
        let Some(local) = at.to_utc().map(|utc| utc.with_timezone(&zone).naive_local()) else {
            return at;
        };
        let days = (1..LOOKED_AHEAD).filter_map(|n| local.date().checked_add_days(Days::new(n)));
        let mut working = days.filter(|day| self.is_working(*day));
        let last = count.checked_sub(1).and_then(|before| working.nth(before as usize));
        last.and_then(|day| instant(day, local.time(), zone)).unwrap_or(at)
    }

    /// How many working days of the rep's calendar have begun between two instants.
    #[must_use]
    pub fn working_days_between(&self, from: Timestamp, to: Timestamp, zone: Zone) -> u32 {
        let day = |at: Timestamp| at.to_utc().map(|utc| utc.with_timezone(&zone).date_naive());
        let Some((first, last)) = day(from).zip(day(to)) else { return 0 };
        let days = first.iter_days().skip(1).take_while(|day| *day <= last);
        u32::try_from(days.filter(|day| self.is_working(*day)).count()).unwrap_or(u32::MAX)
    }

    /// Whether something may be said on that day at all.
    fn is_working(&self, day: NaiveDate) -> bool {
        let weekday = day.weekday().num_days_from_monday() as usize;
        self.working_days.includes(weekday) && !self.holidays.contains(&day)
    }

    /// Whether a nudge is held back: decided by its id, so that a repetition decides the same.
    #[must_use]
    pub fn holds_back(&self, nudge_id: &str) -> bool {
        let drawn = Key::of("held_back", &[nudge_id.as_bytes()]).0.rem_euclid(100);
        drawn < i64::from(self.held_back_percent)
    }

    /// When what was said at `said` for the `told`-th time (0 is the first) is said again.
    #[must_use]
    pub fn reminds_at(&self, said: Timestamp, told: u32) -> Option<Timestamp> {
        if told >= self.reminders || self.reminder_after == Span::ZERO {
            return None;
        }
        let wait = self.reminder_after.millis().saturating_mul(1 << told.min(16));
        Some(said + Span::from_millis(wait))
    }
}

/// A time of day as an instant: the first where the clock shows it twice, an hour later where it
/// does not show it.
fn instant(day: NaiveDate, time: NaiveTime, zone: Zone) -> Option<Timestamp> {
    let local = day.and_time(time);
    let shown = zone.from_local_datetime(&local).earliest();
    let shown = shown
        .or_else(|| zone.from_local_datetime(&(local + chrono::TimeDelta::hours(1))).earliest());
    Some(Timestamp::from_millis(shown?.timestamp_millis()))
}

#[cfg(test)]
mod tests;
