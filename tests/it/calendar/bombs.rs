//! What calendars that are made to do harm cost: `tests/bench/calendar` runs it with optimisation.

use std::fmt::Write;
use std::time::{Duration, Instant};

use keepwarm::normalise::calendar::meetings;

use super::{BERLIN, at, calendar, event};

/// What each of them may take.
const TARGET: Duration = Duration::from_millis(50);

/// What, and the beginning and rule of a series.
const RULES: &[(&str, &str, &str)] = &[
    ("by the second, without end", "20260101", "FREQ=SECONDLY"),
    ("by the minute since 2010", "20100101", "FREQ=MINUTELY"),
    ("by the hour since 1601", "16010101", "FREQ=HOURLY"),
    ("COUNT=10^9", "20260101", "FREQ=DAILY;COUNT=1000000000"),
    ("COUNT=10^9 since year 1", "00010101", "FREQ=DAILY;COUNT=1000000000"),
    ("COUNT=10^9 weeks since year 1", "00010101", "FREQ=WEEKLY;COUNT=1000000000"),
    ("COUNT=10^9 years since year 1", "00010101", "FREQ=YEARLY;COUNT=1000000000;BYDAY=MO,TU"),
    ("30 February, of every hour", "20260101", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"),
    ("30 February, of every day", "20260101", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    ("30 February, of every week", "20260101", "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30"),
    ("30 February, of every month", "20260101", "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"),
    ("30 February, of every year", "20260101", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    ("30 February since year 1", "00010101", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    ("week 53 in June", "20260101", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6"),
    ("INTERVAL=0", "20260101", "FREQ=DAILY;INTERVAL=0"),
    ("INTERVAL=0 by the second", "20260101", "FREQ=SECONDLY;INTERVAL=0"),
    ("INTERVAL=65535 years", "20260101", "FREQ=YEARLY;INTERVAL=65535"),
    ("every second of a day", "20260101", "FREQ=DAILY;BYHOUR=ALL;BYMINUTE=ALL;BYSECOND=ALL"),
    ("every position of a year", "20260101", "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=ALL"),
];

/// All of them: what, and the calendar.
fn bombs() -> Vec<(String, String)> {
    let all = (1..60).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let rule = |(what, begin, rule): &(&str, &str, &str)| {
        let rule = rule.replace("ALL", &all);
        ((*what).to_owned(), event(&format!("DTSTART:{begin}T090000Z|RRULE:{rule}")))
    };
    let mut bombs: Vec<_> = RULES.iter().map(rule).collect();
    let lines = |count: usize, line: &dyn Fn(usize) -> String| {
        (0..count).fold(String::new(), |mut text, n| {
            let _ = write!(text, "|{}", line(n));
            text
        })
    };
    let hour = |n: usize| {
        format!("2026{:02}{:02}T{:02}0000Z", n / 24 / 28 % 12 + 1, n / 24 % 28 + 1, n % 24)
    };
    let exceptions = lines(10_000, &|n| format!("EXDATE:{}", hour(n)));
    let additions = lines(10_000, &|n| format!("RDATE:{}", hour(n)));
    let people = lines(5_000, &|n| format!("ATTENDEE:mailto:a{n}@acme.example"));
    let daily = "DTSTART:20260101T090000Z|RRULE:FREQ=DAILY";
    bombs.push(("10,000 EXDATEs".to_owned(), event(&format!("{daily}{exceptions}"))));
    bombs.push(("10,000 RDATEs".to_owned(), event(&format!("{daily}{additions}"))));
    let once = "DTSTART:20260101T090000Z";
    bombs.push(("5,000 attendees".to_owned(), event(&format!("{once}{people}"))));
    let overrides = lines(5_000, &|n| {
        let at = hour(n);
        format!("END:VEVENT|BEGIN:VEVENT|UID:u|RECURRENCE-ID;RANGE=THISANDFUTURE:{at}|DTSTART:{at}")
    });
    bombs.push(("5,000 of this and future".to_owned(), event(&format!("{daily}{overrides}"))));
    let observance = |rule: &str| {
        format!(
            "BEGIN:STANDARD|DTSTART:16010101T000000|TZOFFSETFROM:+0100|TZOFFSETTO:+0200|\
             RRULE:{rule}|END:STANDARD"
        )
    };
    let zone = |parts: &str| {
        let event = "BEGIN:VEVENT|UID:u|DTSTART;TZID=Z:20260101T090000|RRULE:FREQ=DAILY|END:VEVENT";
        calendar(&format!("BEGIN:VTIMEZONE|TZID:Z|{parts}|END:VTIMEZONE|{event}"))
    };
    for (what, rule) in [
        ("a zone that changes by the second", "FREQ=SECONDLY"),
        ("a zone that changes every hour since 1601", "FREQ=HOURLY"),
        ("a zone that changes on 30 February", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    ] {
        bombs.push((what.to_owned(), zone(&observance(rule))));
    }
    let parts = lines(1_000, &|_| observance("FREQ=YEARLY"));
    bombs.push(("a zone of 1,000 parts".to_owned(), zone(parts.trim_start_matches('|'))));
    bombs
}

#[test]
#[ignore = "a measurement; run tests/bench/calendar"]
fn bombs_are_defused_in_time() {
    let window = (at("2025-10-17"), at("2027-03-21"));
    println!("{:>9}  {:>8}  {:>5}", "ms", "meetings", "");
    let mut slow = Vec::new();
    for (what, text) in bombs() {
        let mut took = Duration::MAX;
        let mut count = 0;
        for _ in 0..3 {
            let begun = Instant::now();
            count = meetings(text.as_bytes(), window, BERLIN).0.len();
            took = took.min(begun.elapsed());
        }
        println!("{:>9.2}  {count:>8}  {what}", took.as_secs_f64() * 1e3);
        if took >= TARGET {
            slow.push(what);
        }
    }
    println!("target: each below {} ms", TARGET.as_millis());
    assert!(slow.is_empty(), "too slow: {slow:?}");
}
