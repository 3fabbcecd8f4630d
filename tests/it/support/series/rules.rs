//! Recurrence rules as people make them, and where on the wall clock they put occurrences.

use chrono::{NaiveDateTime, TimeZone};
use rrule::RRuleSet;

use super::super::generate::Draw;
use super::one;

/// Twice a day.
pub(super) const HALF_DAYS: &str = "FREQ=HOURLY;INTERVAL=12";

const DAILY: &[&str] = &[
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=2",
    "FREQ=DAILY;INTERVAL=10",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=DAILY;BYMONTH=1,3,10,11",
    "FREQ=DAILY;INTERVAL=3;BYMONTHDAY=1,2,3,15,16,17,-1",
    HALF_DAYS,
];
const WEEKLY: &[&str] = &[
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO",
    "FREQ=WEEKLY;INTERVAL=3;BYDAY=SA,SU,MO",
    "FREQ=WEEKLY;BYMONTH=3,10;BYDAY=SU",
];
const MONTHLY: &[&str] = &[
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYMONTHDAY=-1,15",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=5MO",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
    "FREQ=MONTHLY;BYDAY=SU,MO;BYSETPOS=3",
    "FREQ=MONTHLY;BYDAY=-1SU;BYMONTH=3,10",
];
const YEARLY: &[&str] = &[
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
    "FREQ=YEARLY;BYMONTH=1,6;BYMONTHDAY=7",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;BYYEARDAY=1,100,-1",
    "FREQ=YEARLY;BYWEEKNO=20,45;BYDAY=MO",
    "FREQ=YEARLY;BYDAY=20MO",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYSETPOS=2",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=1MO",
];

/// A rule without its end.
pub(super) fn rule(draw: &mut Draw) -> &'static str {
    let among = one(draw, &[DAILY, WEEKLY, WEEKLY, MONTHLY, YEARLY]);
    one(draw, among)
}

/// The first occurrences from `start` on, as the rule alone has them, at most `count`.
pub(super) fn slots(rule: &str, start: NaiveDateTime, count: u16) -> Vec<NaiveDateTime> {
    let begin = rrule::Tz::UTC.from_utc_datetime(&start).format("%Y%m%dT%H%M%SZ");
    let set: RRuleSet = format!("DTSTART:{begin}\nRRULE:{rule}").parse().unwrap();
    set.all(count).dates.into_iter().map(|at| at.naive_utc()).collect()
}
