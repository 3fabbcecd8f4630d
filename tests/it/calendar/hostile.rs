//! Calendars that are broken, or made to do harm.

use std::time::{Duration, Instant};

use keepwarm::normalise::calendar::{Issue, Problem, event_key, meetings};

use proptest::prelude::*;

use super::{BERLIN, calendar, event, read, year};

#[test]
fn what_is_odd_is_told_and_the_rest_is_read() {
    let good = "BEGIN:VEVENT|UID:good|DTSTART:20260302T090000Z|END:VEVENT";
    for (bytes, expected, count) in [
        (Vec::new(), &[Problem::NoCalendar][..], 0),
        (b"<html>not found</html>".to_vec(), &[Problem::NoCalendar], 0),
        (
            calendar(&format!("BEGIN:VEVENT|DTSTART:20260302T090000Z|END:VEVENT|{good}"))
                .into_bytes(),
            &[Problem::NoUid],
            1,
        ),
        (
            event("DTSTART:20260302T090000Z|RECURRENCE-ID:yesterday").into_bytes(),
            &[Problem::NoStart],
            0,
        ),
        (
            calendar(&format!("BEGIN:VEVENT|UID:u|SUMMARY:x|END:VEVENT|{good}")).into_bytes(),
            &[Problem::NoStart],
            1,
        ),
        (
            calendar(&format!("BEGIN:VEVENT|UID:u|DTSTART:20261399T250000|END:VEVENT|{good}"))
                .into_bytes(),
            &[Problem::NoStart],
            1,
        ),
        (
            calendar(good)
                .replace("END:VCALENDAR\r\n", "BEGIN:VEVENT\r\nUID:cut\r\nDTSTA")
                .into_bytes(),
            &[Problem::Truncated, Problem::NoStart],
            1,
        ),
        (calendar(good).replace("END:VCALENDAR\r\n", "").into_bytes(), &[Problem::Truncated], 1),
        ([b"\xef\xbb\xbf", calendar(good).as_bytes()].concat(), &[], 1),
        (calendar(&good.replace("good", "g\u{fc}t")).chars().map(|c| c as u8).collect(), &[], 1),
        (calendar(good).replace("\r\n", "\n").into_bytes(), &[], 1),
        ([calendar(good), event("DTSTART:20260401T090000Z")].concat().into_bytes(), &[], 2),
    ] {
        let (meetings, issues) = meetings(&bytes, year(), BERLIN);
        let shown = String::from_utf8_lossy(&bytes);
        let mut problems: Vec<_> = issues.iter().map(|issue| issue.problem).collect();
        problems.sort_unstable();
        assert_eq!(problems, expected, "{shown}");
        assert_eq!(meetings.len(), count, "{shown}");
    }
    let (_, issues) = meetings(event("SUMMARY:x").as_bytes(), year(), BERLIN);
    assert_eq!(issues, [Issue { item: event_key("u"), problem: Problem::NoStart }]);
}

/// What, the beginning and the rule, how many meetings it makes in a year, and what is said of it.
const RULES: &[(&str, &str, &str, usize, &[Problem])] = &[
    ("by the second", "20260101", "FREQ=SECONDLY", 1, &[Problem::BadRule]),
    ("by the minute", "20100101", "FREQ=MINUTELY", 0, &[Problem::BadRule]),
    ("by the hour", "16010101", "FREQ=HOURLY", 2_000, &[Problem::TooManyInstances]),
    ("10^9 days", "20260101", "FREQ=DAILY;COUNT=1000000000", 365, &[]),
    ("2^32 days", "00010101", "FREQ=DAILY;COUNT=4294967295", 0, &[Problem::BadRule]),
    ("30 February", "20260101", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", 1, &[Problem::BadRule]),
    ("of a year", "20260101", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 1, &[Problem::BadRule]),
    ("of an hour", "20260101", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", 1, &[Problem::BadRule]),
    ("week 53 in June", "20260101", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", 1, &[Problem::BadRule]),
    ("month 13", "20260101", "FREQ=YEARLY;BYMONTH=13", 1, &[Problem::BadRule]),
    ("no interval", "20260101", "FREQ=DAILY;INTERVAL=0", 365, &[]),
    ("a long interval", "20260101", "FREQ=YEARLY;INTERVAL=65535", 1, &[Problem::BadRule]),
    ("no frequency", "20260101", "COUNT=3", 1, &[]),
    ("another calendar", "20260101", "RSCALE=CHINESE;FREQ=MONTHLY", 1, &[Problem::BadRule]),
    (
        "every second of a year",
        "20260101",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=ALL;BYMINUTE=ALL;BYSECOND=ALL",
        1,
        &[Problem::BadRule],
    ),
    (
        "every position of a year",
        "20260101",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=ALL",
        59,
        &[],
    ),
];

/// Lines of which broken events are made.
const LINES: &[&str] = &[
    "DTSTART:20260301T090000Z",
    "DTSTART;VALUE=DATE:20260301",
    "DTSTART;TZID=Europe/Berlin:99991231T235959",
    "DTSTART;TZID=Zone:00010101T000000",
    "DTEND:20260301T080000",
    "DURATION:-P9999999999W",
    "DURATION:P4294967295WT4294967295H",
    "RRULE:FREQ=WEEKLY;UNTIL=00010101",
    "RRULE:FREQ=MONTHLY;BYDAY=-5MO,99TU;BYSETPOS=-1,0,400",
    "RRULE:FREQ=YEARLY;BYWEEKNO=-53;BYYEARDAY=366;WKST=SU",
    "RRULE:FREQ=HOURLY;INTERVAL=65535;COUNT=4294967295",
    "RRULE:FREQ=DAILY;BYHOUR=99;BYMINUTE=60;BYSECOND=61;BYMONTHDAY=-31",
    "RDATE;VALUE=PERIOD:20260304T100000Z/20260304T090000Z,20260305T100000/-PT1H",
    "RDATE;VALUE=DATE:20260332,20260331",
    "EXDATE;TZID=Zone:20260301T090000",
    "RECURRENCE-ID;RANGE=THISANDFUTURE:20260308T090000Z",
    "RECURRENCE-ID;VALUE=DATE:99991231",
    "RECURRENCE-ID:yesterday",
    "SEQUENCE:-9223372036854775808",
    "ATTENDEE;CN=\"\u{202e}:;=\":mailto:",
    "ATTENDEE;PARTSTAT=MAYBE:mailto:a@b@c",
    "BEGIN:VTIMEZONE|TZID:Zone|BEGIN:DAYLIGHT|TZOFFSETTO:+9999|END:DAYLIGHT|END:VTIMEZONE",
    "BEGIN:VTIMEZONE|TZID:Zone|BEGIN:STANDARD|DTSTART:00010101T000000|TZOFFSETFROM:-9999|\
     TZOFFSETTO:+9999|RRULE:FREQ=DAILY;COUNT=4294967295|RDATE:20260301T090000,99991231T235959|\
     END:STANDARD|END:VTIMEZONE",
    "BEGIN:VEVENT",
    "END:VEVENT",
    "END:VCALENDAR",
    "\u{feff}:;,=\"",
];

proptest! {
    #[test]
    fn any_heap_of_lines_gives_meetings_in_the_window(
        heap in prop::collection::vec(prop::sample::select(LINES), 0..24),
        cut in 0usize..4000,
    ) {
        let mut text = calendar(&format!("BEGIN:VEVENT|UID:u|{}|END:VEVENT", heap.join("|")));
        if text.is_char_boundary(cut) {
            text.truncate(cut);
        }
        let (meetings, issues) = meetings(text.as_bytes(), year(), BERLIN);
        for meeting in meetings {
            prop_assert!(meeting.ends_at >= meeting.starts_at);
            prop_assert!(year().0 <= meeting.starts_at && meeting.starts_at < year().1);
        }
        prop_assert!(issues.iter().all(|issue| issue.problem != Problem::Panicked), "{text}");
    }
}

#[test]
fn rule_bombs_end_in_something_small() {
    let all = (1..60).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for (what, begin, rule, count, problems) in RULES {
        let rule = rule.replace("ALL", &all);
        let (meetings, found) = read(&event(&format!("DTSTART:{begin}T090000Z|RRULE:{rule}")));
        assert_eq!(meetings.len(), *count, "{what}");
        assert_eq!(found, *problems, "{what}");
    }
}

#[test]
fn ten_thousand_exceptions_and_five_thousand_attendees() {
    let exceptions: String = (0..10_000)
        .map(|n| format!("|EXDATE:2026{:02}01T{:02}0000Z", n / 24 % 12 + 1, n % 24))
        .collect();
    let (meetings, problems) =
        read(&event(&format!("DTSTART:20260101T090000Z|RRULE:FREQ=DAILY{exceptions}")));
    assert_eq!((meetings.len(), problems.as_slice()), (365 - 12, &[][..]));

    let attendees: String =
        (0..5_000).map(|n| format!("|ATTENDEE:mailto:a{n}@acme.example")).collect();
    let (meetings, problems) = read(&event(&format!("DTSTART:20260101T090000Z{attendees}")));
    assert_eq!((meetings.len(), problems.as_slice()), (1, &[Problem::TooManyAttendees][..]));
    assert_eq!(meetings[0].attendees.len(), 500);
}

#[test]
fn many_impossible_rules_are_given_up_together() {
    let events: String = (0..2_000)
        .map(|n| format!("BEGIN:VEVENT|UID:{n}|DTSTART:20260101T090000Z|RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30|END:VEVENT|"))
        .collect();
    let begun = Instant::now();
    let (meetings, problems) = read(&calendar(&events));
    assert_eq!((meetings.len(), problems.len()), (2_000, 2_000));
    // One by one they would take more than half a minute.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
