//! Whether nudging changes anything: the share that came back of those nudged, against the share of
//! those held back.
//!
//! Source of the intervals: E. B. Wilson (1927) for one share; R. G. Newcombe, "Interval estimation for
//! the difference between independent proportions", Statistics in Medicine 17 (1998), method 10, for
//! the difference of two. Both hold for few cases, where the usual ones do not.

use serde::Serialize;

use crate::model::{Direction, Interaction, Kind, Span, Timestamp};

/// Somebody has come back if it was within so much time.
pub const WITHIN: Span = Span::from_days(14);
/// With fewer cases on either side nothing is said.
pub const LEAST: u32 = 20;
/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_964;

/// How many of a group came back. The names of the fields are a contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// Cases whose fourteen days have passed.
    pub cases: u32,
    /// Those that came back.
    pub came_back: u32,
}

/// An estimate with its 95 % interval. The names of the fields are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What can be said of the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There are too few cases.
    TooEarly,
    /// The interval holds 0.
    NoDifference,
    /// Nudging brings people back.
    Helps,
    /// Nudging keeps them away.
    Harms,
}

/// Whether a relationship came back after `at`: words both ways or a meeting, within fourteen days.
#[must_use]
pub fn came_back(log: &[Interaction], at: Timestamp) -> bool {
    let after = || log.iter().filter(|one| one.at > at && one.at <= at + WITHIN);
    let went = |direction| after().any(|one| one.direction == direction);
    after().any(|one| one.kind == Kind::Meeting)
        || (went(Direction::Outbound) && went(Direction::Inbound))
}

impl Group {
    /// The share that came back; `None` without a case.
    #[must_use]
    pub fn share(&self) -> Option<Estimate> {
        let n = f64::from(self.cases);
        if self.cases == 0 {
            return None;
        }
        let p = f64::from(self.came_back) / n;
        let middle = p + Z * Z / (2.0 * n);
        let spread = Z * ((p * (1.0 - p) + Z * Z / (4.0 * n)) / n).sqrt();
        let all = 1.0 + Z * Z / n;
        Some(Estimate {
            value: p,
            low: ((middle - spread) / all).max(0.0),
            high: ((middle + spread) / all).min(1.0),
        })
    }
}

/// The share of those nudged less that of those held back; `None` without a case on either side.
#[must_use]
pub fn difference(nudged: Group, held_back: Group) -> Option<Estimate> {
    let (a, b) = nudged.share().zip(held_back.share())?;
    let value = a.value - b.value;
    let away = |one: f64, other: f64| (one * one + other * other).sqrt();
    Some(Estimate {
        value,
        low: value - away(a.value - a.low, b.high - b.value),
        high: value + away(a.high - a.value, b.value - b.low),
    })
}

/// What can be said.
#[must_use]
pub fn verdict(nudged: Group, held_back: Group) -> Verdict {
    match difference(nudged, held_back) {
        _ if nudged.cases.min(held_back.cases) < LEAST => Verdict::TooEarly,
        Some(found) if found.low > 0.0 => Verdict::Helps,
        Some(found) if found.high < 0.0 => Verdict::Harms,
        _ => Verdict::NoDifference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(came_back: u32, cases: u32) -> Group {
        Group { cases, came_back }
    }

    /// The published example: 56 of 70 against 48 of 80 (Newcombe 1998, table II, row (a), method 10).
    #[test]
    fn intervals_are_the_published_ones() {
        let found = difference(group(56, 70), group(48, 80)).unwrap();
        for (value, expected) in [(found.value, 0.2), (found.low, 0.0524), (found.high, 0.3339)] {
            assert!((value - expected).abs() < 5e-5, "{value}, not {expected}");
        }
        let found = difference(group(9, 10), group(3, 10)).unwrap();
        for (value, expected) in [(found.low, 0.1705), (found.high, 0.8090)] {
            assert!((value - expected).abs() < 5e-5, "{value}, not {expected}");
        }
    }

    #[test]
    fn nothing_is_claimed_of_few_cases_or_of_chance() {
        for (nudged, held_back, said) in [
            (group(0, 0), group(0, 0), Verdict::TooEarly),
            (group(60, 100), group(2, 19), Verdict::TooEarly),
            (group(60, 100), group(11, 20), Verdict::NoDifference),
            (group(600, 1000), group(30, 100), Verdict::Helps),
            (group(100, 1000), group(30, 100), Verdict::Harms),
        ] {
            assert_eq!(verdict(nudged, held_back), said, "{nudged:?} {held_back:?}");
        }
    }

    #[test]
    fn coming_back_takes_both_or_a_meeting_within_a_fortnight() {
        let at = Timestamp::from_seconds(1_795_248_000);
        for (told, back) in [
            ("3o 4i", true),
            ("13o 14i", true),
            ("3o 15i", false),
            ("0o 3i", false),
            ("3o", false),
            ("3i", false),
            ("7m", true),
            ("", false),
        ] {
            let log: Vec<Interaction> = told
                .split_whitespace()
                .map(|entry| {
                    let (days, what) = entry.split_at(entry.len() - 1);
                    let (direction, kind) = match what {
                        "o" => (Direction::Outbound, Kind::Message),
                        "i" => (Direction::Inbound, Kind::Message),
                        _ => (Direction::Mutual, Kind::Meeting),
                    };
                    let at = at + Span::from_days(days.parse().unwrap());
                    Interaction { at, direction, kind, audience: 1, linked: true }
                })
                .collect();
            assert_eq!(came_back(&log, at), back, "{told}");
        }
    }
}
