//! How series, what replaces their occurrences, and lengths go together.

use keepwarm::model::Meeting;
use keepwarm::normalise::calendar::{Standing, instances};

use super::{BERLIN, calendar, event, read, starts, year};

const WEEKLY: &str = "BEGIN:VEVENT|UID:u|DTSTART;TZID=Europe/Berlin:20260309T090000|\
                      DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=4|";

fn with(lines: &str) -> String {
    calendar(&format!("{WEEKLY}{lines}|END:VEVENT"))
}

fn replaced(series: &str, lines: &str) -> String {
    calendar(&format!("{WEEKLY}{series}|END:VEVENT|BEGIN:VEVENT|UID:u|{lines}|END:VEVENT"))
}

/// Beginning and minutes: `03-09T08:00 60`.
fn spans(text: &str) -> Vec<String> {
    let minutes = |meeting: &Meeting| (meeting.ends_at - meeting.starts_at).millis() / 60_000;
    let meetings = read(text).0;
    meetings.iter().map(|one| format!("{} {}", super::short(one), minutes(one))).collect()
}

#[test]
fn this_and_future_moves_the_rest_on_the_wall_clock() {
    let from = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260316T090000";
    let series = |lines: &str| spans(&replaced("X-A:B", lines));
    assert_eq!(
        series(&format!("{from}|DTSTART;TZID=Europe/Berlin:20260317T110000|DURATION:PT30M")),
        ["03-09T08:00 60", "03-17T10:00 30", "03-24T10:00 30", "03-31T09:00 30"],
        "over the change to summer time at the same hour"
    );
    assert_eq!(
        series(&format!("{from}|DTSTART:20260317T100000Z|DURATION:PT30M")),
        ["03-09T08:00 60", "03-17T10:00 30", "03-24T10:00 30", "03-31T09:00 30"],
        "though it is itself in UTC"
    );
    let single = "RECURRENCE-ID:20260323T080000Z|DTSTART:20260323T180000Z|DURATION:PT5M";
    let lasting = format!("{from}|DTSTART:20260316T090000Z|DURATION:PT30M");
    let both = format!("{lasting}|END:VEVENT|BEGIN:VEVENT|UID:u|{single}");
    assert_eq!(
        series(&both),
        ["03-09T08:00 60", "03-16T09:00 30", "03-23T18:00 5", "03-30T08:00 30"],
        "but for one that is replaced itself"
    );
    let newer = format!("SEQUENCE:3|{}", lasting.replace(";RANGE=THISANDFUTURE", ""));
    assert_eq!(
        series(&format!("{lasting}|END:VEVENT|BEGIN:VEVENT|UID:u|{newer}")).last().unwrap(),
        "03-30T08:00 30",
        "a newer one of a single occurrence leaves the rest moved"
    );
    let far = "DTSTART;TZID=Europe/Berlin:20250316T090000|DURATION:PT5M";
    assert_eq!(
        spans(&replaced("RDATE:20270105T080000Z", &format!("{from}|{far}"))),
        ["01-05T08:00 5", "03-09T08:00 60"],
        "into the window from far"
    );
    let free = "TRANSP:TRANSPARENT";
    assert_eq!(
        spans(&replaced(free, &lasting)),
        ["03-16T09:00 30", "03-23T09:00 30", "03-30T08:00 30"],
        "a series of free time may become one of meetings"
    );
}

#[test]
fn what_is_left_out_stays_out_though_it_was_moved() {
    let moved = "RECURRENCE-ID:20260316T080000Z|DTSTART:20260317T120000Z";
    let rest = ["03-09T08:00", "03-23T08:00", "03-30T07:00"];
    assert_eq!(starts(&replaced("EXDATE:20260316T080000Z", moved)), rest);
    assert_eq!(starts(&replaced("EXDATE;VALUE=DATE:20260316", moved)), rest);
}

#[test]
fn lengths_are_exact_but_for_days() {
    for (what, lines, expected) in [
        (
            "a period has its own",
            "RDATE;VALUE=PERIOD:20260401T100000Z/PT25M,20260402T100000Z/20260402T110500Z",
            &["04-01T10:00 25", "04-02T10:00 65"][..],
        ),
        (
            "a period of an occurrence that the rule has",
            "RDATE;VALUE=PERIOD:20260330T070000Z/PT25M",
            &["03-30T07:00 25"],
        ),
    ] {
        let found = spans(&with(lines));
        assert_eq!(found[found.len() - expected.len()..], *expected, "{what}");
    }
    let night = "DTSTART;TZID=Europe/Berlin:20260327T230000|RRULE:FREQ=DAILY;COUNT=2";
    for (what, length, expected) in [
        ("DTEND", "DTEND;TZID=Europe/Berlin:20260328T040000", [300, 300]),
        ("hours", "DURATION:PT24H", [24 * 60, 24 * 60]),
        ("a day of the calendar", "DURATION:P1D", [24 * 60, 23 * 60]),
        ("a day and an hour", "DURATION:P1DT1H", [25 * 60, 24 * 60]),
        ("too short", "DURATION:-PT1H", [0, 0]),
    ] {
        let found = spans(&event(&format!("{night}|{length}")));
        let expected = [("03-27T22:00", expected[0]), ("03-28T22:00", expected[1])];
        let expected = expected.map(|(start, minutes)| format!("{start} {minutes}"));
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn of_two_versions_the_later_stamp_holds() {
    let event = |stamp: u8, hour: u8| {
        format!(
            "BEGIN:VEVENT|UID:u|DTSTAMP:2026010{stamp}T000000Z|DTSTART:20260302T{hour}0000Z|END:VEVENT"
        )
    };
    assert_eq!(starts(&calendar(&format!("{}|{}", event(2, 15), event(1, 11)))), ["03-02T15:00"]);
    assert_eq!(starts(&calendar(&format!("{}|{}", event(1, 15), event(1, 11)))), ["03-02T11:00"]);
}

#[test]
fn all_occurrences_say_what_they_stand_as() {
    let day = "DTSTART;VALUE=DATE:20260302";
    let time = "DTSTART:20260302T090000Z|DURATION:PT1H";
    for (lines, standing, hours) in [
        (time.to_owned(), Standing::Meeting, 1),
        (day.to_owned(), Standing::AllDay, 24),
        (format!("{day}|DTEND;VALUE=DATE:20260305"), Standing::AllDay, 72),
        (format!("{time}|X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"), Standing::AllDay, 1),
        (format!("{day}|TRANSP:TRANSPARENT"), Standing::Free, 24),
        (format!("{time}|TRANSP:TRANSPARENT|CLASS:PRIVATE"), Standing::Private, 1),
    ] {
        let (found, issues) = instances(event(&lines).as_bytes(), year(), BERLIN);
        let length = |one: &Meeting| (one.ends_at - one.starts_at).millis() / 3_600_000;
        let found: Vec<_> = found.iter().map(|one| (one.standing, length(&one.meeting))).collect();
        assert_eq!(found, [(standing, hours)], "{lines}");
        assert_eq!(issues, [], "{lines}");
    }
}

#[test]
fn the_days_of_a_series_may_be_named_as_midnights_in_utc() {
    let days = "BEGIN:VEVENT|UID:u|DTSTART;VALUE=DATE:20260302|RRULE:FREQ=DAILY;COUNT=4|\
                EXDATE:20260303T000000Z|END:VEVENT|BEGIN:VEVENT|UID:u|\
                RECURRENCE-ID:20260304T000000Z|DTSTART;VALUE=DATE:20260310|END:VEVENT";
    let (found, _) = instances(calendar(days).as_bytes(), year(), BERLIN);
    let found: Vec<_> = found.iter().map(|one| super::short(&one.meeting)).collect();
    assert_eq!(found, ["03-01T23:00", "03-04T23:00", "03-09T23:00"]);
}
