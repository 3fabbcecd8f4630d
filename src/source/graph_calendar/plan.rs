//! Which months of a calendar are read, and what is gone from them. Pure.
//!
//! A calendar is read month by month. The number of an object has its month in its last 12 bits, so
//! that what is missing from one month can be told without the others.

use std::collections::BTreeSet;

use chrono::{Datelike as _, Months, NaiveDate};

use crate::model::{Cursor, Key, Object, Span, Timestamp, window};

/// What lies further back than this seldom changes, and is read again with all.
const RECENT: Span = Span::from_days(30);
/// The token of a calendar that has been read through: Graph itself has none for this.
const READ: &str = "months";

/// A month, counted from January of the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(i32);

/// What a pass reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The months, in order.
    pub(super) months: Vec<Month>,
    /// Which objects are sent.
    pub(super) send: Send,
    /// Which objects can be found to be gone.
    pub(super) sweep: Sweep,
    /// The cursor for when all is read.
    pub(super) cursor: Cursor,
}

/// Which objects are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Send {
    /// All of them.
    All,
    /// Those that are not known as they are.
    Changed,
}

/// Which objects can be found to be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sweep {
    /// Those of the months that are read: what is older is kept.
    Months,
    /// All: they are of another service, which the source was read by before.
    Everything,
}

impl Month {
    /// The month of an instant, in UTC.
    pub(super) fn of(at: Timestamp) -> Option<Self> {
        let utc = at.to_utc()?;
        Some(Self(utc.year() * 12 + i32::try_from(utc.month0()).ok()?))
    }

    /// Its first day and that of the next one, as Graph takes them.
    pub(super) fn bounds(self) -> Option<(String, String)> {
        let month = u32::try_from(self.0.rem_euclid(12)).ok()? + 1;
        let first = NaiveDate::from_ymd_opt(self.0.div_euclid(12), month, 1)?;
        let next = first.checked_add_months(Months::new(1))?;
        let written = |day: NaiveDate| format!("{day}T00:00:00Z");
        Some((written(first), written(next)))
    }

    /// The number of an object of this month.
    pub(super) fn item(self, id: &str) -> i64 {
        (Key::of("graph-event", &[id.as_bytes()]).0 << BITS) | self.tail()
    }

    /// Whether an object is of this month.
    fn holds(self, item: i64) -> bool {
        item & ((1 << BITS) - 1) == self.tail()
    }

    fn tail(self) -> i64 {
        i64::from(self.0) & ((1 << BITS) - 1)
    }
}

/// Bits of an object's number that tell its month: enough for 340 years.
const BITS: u32 = 12;

/// What to read by what is known.
pub(super) fn plan(cursor: Option<&Cursor>, now: Timestamp, today: i64) -> Plan {
    let (send, sweep, day) = match cursor {
        Some(Cursor::Calendar { token: Some(token), .. }) if token != READ => {
            (Send::All, Sweep::Everything, today)
        }
        Some(Cursor::Calendar { token: Some(_), day })
            if (0..window::ROLL_DAYS).contains(&(today - day)) =>
        {
            (Send::Changed, Sweep::Months, *day)
        }
        _ => (Send::All, Sweep::Months, today),
    };
    let back = if send == Send::All { window::BACK } else { RECENT };
    let months = match (Month::of(now - back), Month::of(now + window::AHEAD)) {
        (Some(Month(first)), Some(Month(last))) => (first..=last).map(Month).collect(),
        _ => Vec::new(),
    };
    Plan { months, send, sweep, cursor: Cursor::Calendar { token: Some(READ.to_owned()), day } }
}

/// What of the known objects a month no longer holds.
pub(super) fn gone(month: Month, known: &[Object], held: &[Object]) -> Vec<i64> {
    let held: BTreeSet<i64> = held.iter().map(|object| object.item).collect();
    let of_month = known.iter().map(|object| object.item).filter(|item| month.holds(*item));
    of_month.filter(|item| !held.contains(item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_cover_the_window_and_meet_each_other() {
        let now = at("2026-11-21T08:00:00Z");
        let read = Cursor::Calendar { token: Some(READ.to_owned()), day: 100 };
        let foreign = Cursor::Calendar { token: Some("x".to_owned()), day: 100 };
        let interrupted = Cursor::Calendar { token: None, day: 100 };
        for (cursor, today, send, first, last, count) in [
            (None, 100, Send::All, "2025-10-01T00:00:00Z", "2027-05-01T00:00:00Z", 19),
            (Some(&foreign), 100, Send::All, "2025-10-01T00:00:00Z", "2027-05-01T00:00:00Z", 19),
            (Some(&read), 113, Send::Changed, "2026-10-01T00:00:00Z", "2027-05-01T00:00:00Z", 7),
            (Some(&read), 114, Send::All, "2025-10-01T00:00:00Z", "2027-05-01T00:00:00Z", 19),
            (
                Some(&interrupted),
                100,
                Send::All,
                "2025-10-01T00:00:00Z",
                "2027-05-01T00:00:00Z",
                19,
            ),
        ] {
            let plan = plan(cursor, now, today);
            let bounds: Vec<_> = plan.months.iter().filter_map(|month| month.bounds()).collect();
            assert_eq!(plan.sweep == Sweep::Everything, cursor == Some(&foreign), "{cursor:?}");
            assert_eq!((plan.send, bounds.len()), (send, count), "{cursor:?} on day {today}");
            assert_eq!(bounds[0].0, first);
            assert_eq!(bounds[count - 1].1, last);
            assert!(bounds.windows(2).all(|pair| pair[0].1 == pair[1].0), "{bounds:?}");
        }
    }

    #[test]
    fn a_month_is_swept_without_the_others() {
        let month = |text| Month::of(at(text)).unwrap();
        let (october, november) = (month("2026-10-31T23:59:59Z"), month("2026-11-01T00:00:00Z"));
        let object = |month: Month, id: &str| Object { item: month.item(id), tag: 1 };
        let known = [object(october, "a"), object(november, "a"), object(november, "b")];
        assert_eq!(gone(november, &known, &[known[2]]), [known[1].item]);
        assert_eq!(gone(october, &known, &[]), [known[0].item]);
        assert_eq!(gone(month("2026-12-01"), &known, &[]), Vec::<i64>::new());
    }
}
