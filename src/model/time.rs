//! Instants and spans: integer milliseconds, UTC, as they stand in the database.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds in a day of 24 hours.
pub const DAY_MS: i64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Printed and parsed as RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in milliseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Timestamp {
    /// The instant that many milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant that many seconds after the epoch, saturating.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Days from `earlier` to here, as a fraction; negative if `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> f64 {
        (self - earlier).days()
    }

    /// The calendar form in UTC, `None` outside chrono's range of years (±262,000).
    #[must_use]
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        Utc.timestamp_millis_opt(self.0).single()
    }

    /// Days since the epoch on the calendar of `zone`: the unit of the day mass.
    #[must_use]
    pub fn local_day(self, zone: chrono_tz::Tz) -> i64 {
        self.local_millis(zone).div_euclid(DAY_MS)
    }

    /// What the clocks of `zone` show, as if they stood in UTC: milliseconds since the epoch.
    #[must_use]
    pub fn local_millis(self, zone: chrono_tz::Tz) -> i64 {
        let offset_s = self.to_utc().map_or(0, |utc| {
            use chrono::Offset;
            i64::from(zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc())
        });
        self.0.saturating_add(offset_s.saturating_mul(1000))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of that many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A span of that many seconds, saturating.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// A span of that many hours, saturating.
    #[must_use]
    pub const fn from_hours(hours: i64) -> Self {
        Self(hours.saturating_mul(3_600_000))
    }

    /// A span of that many days of 24 hours, saturating.
    #[must_use]
    pub const fn from_days(days: i64) -> Self {
        Self(days.saturating_mul(DAY_MS))
    }

    /// Its length in milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Its length in days of 24 hours.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact below 285,000 years")]
    pub fn days(self) -> f64 {
        self.0 as f64 / DAY_MS as f64
    }

    /// A duration as a span; one beyond what a span can hold is the longest.
    #[must_use]
    pub fn from_duration(duration: std::time::Duration) -> Self {
        Self(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
    }

    /// The same as a standard duration; a negative span is no time.
    #[must_use]
    pub fn to_duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with milliseconds only where there are some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format =
            if self.0.rem_euclid(1000) == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        match self.to_utc() {
            Some(utc) => f.write_str(&utc.to_rfc3339_opts(format, true)),
            None => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = String;

    /// Reads RFC 3339 (`2026-11-21T08:00:00Z`) or a plain date, which means its midnight in UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        DateTime::parse_from_rfc3339(&full)
            .map(|at| Self(at.timestamp_millis()))
            .map_err(|_| format!("`{text}` is not an instant such as 2026-11-21T08:00:00Z"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_rfc_3339() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-21T08:00:00Z", 1_795_248_000_000),
            ("2026-11-21T08:00:00.250Z", 1_795_248_000_250),
            ("1969-12-31T23:59:59Z", -1000),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
            assert_eq!(text.parse::<Timestamp>(), Ok(Timestamp::from_millis(millis)), "{text}");
        }
        assert_eq!("2026-11-21".parse(), Ok(Timestamp::from_millis(1_795_219_200_000)));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_local_day_begins_at_local_midnight() {
        let at: Timestamp = "2026-11-21T03:00:00Z".parse().unwrap();
        let utc = at.local_day(chrono_tz::UTC);
        assert_eq!(at.local_day(chrono_tz::America::New_York), utc - 1);
        assert_eq!(at.local_day(chrono_tz::Asia::Tokyo), utc);
    }

    #[test]
    fn extreme_instants_do_not_overflow() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end + Span::from_days(1), end);
        assert!(end.local_day(chrono_tz::Europe::Berlin) > 0);
        assert_eq!(end.to_string(), format!("{}ms", i64::MAX));
    }
}
