//! Calendars as they are met: bytes in, meetings out.

mod bombs;
mod corpus;
mod files;
mod hostile;
mod oracle;
mod series;
mod zones;

use chrono_tz::Tz;
use keepwarm::model::{Meeting, MeetingStatus, Participation, Timestamp};
use keepwarm::normalise::calendar::{Problem, meetings};

const BERLIN: Tz = Tz::Europe__Berlin;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The year 2026, as the window of most tests.
fn year() -> (Timestamp, Timestamp) {
    (at("2026-01-01"), at("2027-01-01"))
}

/// A calendar of one event with the UID `u` and these lines, parted by `|`.
fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT|UID:u|{lines}|END:VEVENT"))
}

fn calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR|VERSION:2.0|{lines}|END:VCALENDAR|").replace('|', "\r\n")
}

fn read(text: &str) -> (Vec<Meeting>, Vec<Problem>) {
    let (meetings, issues) = meetings(text.as_bytes(), year(), BERLIN);
    (meetings, issues.into_iter().map(|issue| issue.problem).collect())
}

/// The beginnings, without year, seconds and zone: `03-09T08:00`.
fn starts(text: &str) -> Vec<String> {
    read(text).0.iter().map(short).collect()
}

fn short(meeting: &Meeting) -> String {
    meeting.starts_at.to_string().get(5..16).unwrap().to_owned()
}

/// What, the event, the beginnings.
const SERIES: &[(&str, &str, &[&str])] = &[
    (
        "until in utc, east of greenwich",
        "DTSTART;TZID=Europe/Berlin:20260316T090000|RRULE:FREQ=WEEKLY;UNTIL=20260413T070000Z",
        &["03-16T08:00", "03-23T08:00", "03-30T07:00", "04-06T07:00", "04-13T07:00"],
    ),
    (
        "until as a local time",
        "DTSTART;TZID=Europe/Berlin:20260316T090000|RRULE:FREQ=WEEKLY;UNTIL=20260330T090000",
        &["03-16T08:00", "03-23T08:00", "03-30T07:00"],
    ),
    (
        "until as a day counts to its end",
        "DTSTART;TZID=Europe/Berlin:20260316T090000|RRULE:FREQ=WEEKLY;UNTIL=20260330",
        &["03-16T08:00", "03-23T08:00", "03-30T07:00"],
    ),
    (
        "until before the beginning leaves the beginning",
        "DTSTART;TZID=Europe/Berlin:20260316T090000|RRULE:FREQ=WEEKLY;UNTIL=20200101T000000Z",
        &["03-16T08:00"],
    ),
    (
        "count",
        "DTSTART;TZID=America/New_York:20260302T170000|RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=MO",
        &["03-02T22:00", "03-09T21:00"],
    ),
    (
        "a windows zone",
        "DTSTART;TZID=\"Eastern Standard Time\":20260302T170000|RRULE:FREQ=WEEKLY;COUNT=2",
        &["03-02T22:00", "03-09T21:00"],
    ),
    (
        "floating times are in the default zone",
        "DTSTART:20260316T090000|RRULE:FREQ=WEEKLY;COUNT=3",
        &["03-16T08:00", "03-23T08:00", "03-30T07:00"],
    ),
    (
        "utc does not move",
        "DTSTART:20260316T090000Z|RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2",
        &["03-16T09:00", "03-30T09:00"],
    ),
    (
        "a series of many years ago keeps its fortnight",
        "DTSTART;TZID=Europe/Berlin:19990104T090000|RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20260130",
        &["01-12T08:00", "01-26T08:00"],
    ),
    (
        "the beginning counts though the rule has it not",
        "DTSTART:20260317T090000Z|RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3",
        &["03-17T09:00", "03-23T09:00", "03-30T09:00"],
    ),
    (
        "the last friday",
        "DTSTART:20261030T090000Z|RRULE:FREQ=MONTHLY;BYDAY=-1FR",
        &["10-30T09:00", "11-27T09:00", "12-25T09:00"],
    ),
    (
        "the last working day",
        "DTSTART:20261030T090000Z|RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        &["10-30T09:00", "11-30T09:00", "12-31T09:00"],
    ),
];

#[test]
fn a_weekly_meeting_keeps_its_hour_over_summer_time() {
    for (what, lines, expected) in SERIES {
        let (_, problems) = read(&event(lines));
        assert_eq!(starts(&event(lines)), *expected, "{what}");
        assert_eq!(problems, [], "{what}");
    }
}

#[test]
fn times_that_do_not_exist_or_exist_twice() {
    for (what, lines, expected) in [
        ("a gap moves forward", "DTSTART;TZID=Europe/Berlin:20260329T023000", "03-29T01:30"),
        ("the earlier of two", "DTSTART;TZID=Europe/Berlin:20261025T023000", "10-25T00:30"),
        ("a gap at midnight", "DTSTART;TZID=Africa/Cairo:20260424T003000", "04-23T22:30"),
        ("a leap second", "DTSTART:20260630T235960Z", "06-30T23:59"),
    ] {
        assert_eq!(starts(&event(lines)), [expected], "{what}");
    }
    let daily = "DTSTART;TZID=Europe/Berlin:20260328T023000|RRULE:FREQ=DAILY;COUNT=3";
    assert_eq!(starts(&event(daily)), ["03-28T01:30", "03-29T01:30", "03-30T00:30"]);
}

#[test]
fn exceptions_and_additions() {
    let series = "DTSTART;TZID=Europe/Berlin:20260302T090000|RRULE:FREQ=WEEKLY;COUNT=4";
    for (what, lines, expected) in [
        (
            "exdate in the same zone",
            "EXDATE;TZID=Europe/Berlin:20260309T090000",
            &["03-02T08:00", "03-16T08:00", "03-23T08:00"][..],
        ),
        (
            "exdate in utc",
            "EXDATE:20260309T080000Z,20260316T080000Z",
            &["03-02T08:00", "03-23T08:00"],
        ),
        (
            "exdate as a day",
            "EXDATE;VALUE=DATE:20260309",
            &["03-02T08:00", "03-16T08:00", "03-23T08:00"],
        ),
        (
            "exdate without a zone",
            "EXDATE:20260302T090000",
            &["03-09T08:00", "03-16T08:00", "03-23T08:00"],
        ),
        (
            "exdate that hits nothing",
            "EXDATE:20260309T090000Z",
            &["03-02T08:00", "03-09T08:00", "03-16T08:00", "03-23T08:00"],
        ),
        (
            "rdate, one of them twice",
            "RDATE;TZID=Europe/Berlin:20260304T100000,20260309T090000|EXDATE:20260323T080000Z",
            &["03-02T08:00", "03-04T09:00", "03-09T08:00", "03-16T08:00"],
        ),
        (
            "exdate applies to rdate",
            "RDATE:20260304T100000Z|EXDATE:20260304T100000Z,20260316T080000Z,20260323T080000Z",
            &["03-02T08:00", "03-09T08:00"],
        ),
        (
            "rdate as a period",
            "RDATE;VALUE=PERIOD:20260304T100000Z/PT1H|EXDATE;VALUE=DATE:20260302,20260309,20260316",
            &["03-04T10:00", "03-23T08:00"],
        ),
    ] {
        assert_eq!(starts(&event(&format!("{series}|{lines}"))), expected, "{what}");
    }
}

#[test]
fn overrides_move_cancel_and_stand_alone() {
    let series = "BEGIN:VEVENT|UID:u|SEQUENCE:7|DTSTART;TZID=Europe/Berlin:20260302T090000|\
                  RRULE:FREQ=WEEKLY;COUNT=3|END:VEVENT";
    let other = "BEGIN:VEVENT|UID:v|DTSTART;TZID=Europe/Berlin:20260302T090000|\
                 RRULE:FREQ=WEEKLY;COUNT=3|END:VEVENT";
    for (what, lines, expected) in [
        (
            "moved, with a lower sequence",
            "SEQUENCE:0|RECURRENCE-ID;TZID=Europe/Berlin:20260309T090000|DTSTART:20260310T120000Z",
            &["u 03-02T08:00", "u 03-10T12:00", "u 03-16T08:00"][..],
        ),
        (
            "named in utc",
            "RECURRENCE-ID:20260309T080000Z|DTSTART:20260310T120000Z",
            &["u 03-02T08:00", "u 03-10T12:00", "u 03-16T08:00"],
        ),
        (
            "named by its day",
            "RECURRENCE-ID;VALUE=DATE:20260309|DTSTART:20260310T120000Z",
            &["u 03-02T08:00", "u 03-10T12:00", "u 03-16T08:00"],
        ),
        (
            "made an all-day event",
            "RECURRENCE-ID:20260309T080000Z|DTSTART;VALUE=DATE:20260310",
            &["u 03-02T08:00", "u 03-16T08:00"],
        ),
        (
            "moved out of the window",
            "RECURRENCE-ID:20260309T080000Z|DTSTART:20270110T120000Z",
            &["u 03-02T08:00", "u 03-16T08:00"],
        ),
        (
            "this and future",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260309T080000Z|DTSTART:20260309T100000Z",
            &["u 03-02T08:00", "u 03-09T10:00", "u 03-16T10:00"],
        ),
        (
            "of an occurrence that the rule has not",
            "RECURRENCE-ID:20260501T080000Z|DTSTART:20260502T120000Z",
            &["u 03-02T08:00", "u 03-09T08:00", "u 03-16T08:00", "u 05-02T12:00"],
        ),
    ] {
        let text = calendar(&format!("BEGIN:VEVENT|UID:u|{lines}|END:VEVENT|{series}|{other}"));
        let (meetings, problems) = read(&text);
        let of = |uid: &str| {
            let wanted = meetings.iter().filter(|meeting| meeting.uid == uid);
            let lines: Vec<String> = wanted.map(|m| format!("{} {}", m.uid, short(m))).collect();
            lines
        };
        assert_eq!(of("u"), expected, "{what}");
        assert_eq!(of("v").len(), 3, "{what}: the other series is untouched");
        assert_eq!(problems, [], "{what}");
    }
}

#[test]
fn an_override_keeps_the_place_that_the_rule_gave_it() {
    let text = calendar(
        "BEGIN:VEVENT|UID:u|DTSTART:20260302T090000Z|DURATION:PT45M|RRULE:FREQ=WEEKLY;COUNT=2|\
         END:VEVENT|BEGIN:VEVENT|UID:u|RECURRENCE-ID:20260309T090000Z|STATUS:CANCELLED|\
         DTSTART:20260310T120000Z|DTEND:20260310T123000Z|END:VEVENT",
    );
    let (meetings, _) = read(&text);
    let seen: Vec<_> = meetings
        .iter()
        .map(|m| (m.recurrence_at.unwrap(), m.starts_at, m.ends_at, m.status))
        .collect();
    assert_eq!(
        seen,
        [
            (
                at("2026-03-02T09:00:00Z"),
                at("2026-03-02T09:00:00Z"),
                at("2026-03-02T09:45:00Z"),
                MeetingStatus::Confirmed
            ),
            (
                at("2026-03-09T09:00:00Z"),
                at("2026-03-10T12:00:00Z"),
                at("2026-03-10T12:30:00Z"),
                MeetingStatus::Cancelled
            ),
        ]
    );
}

#[test]
fn an_invitation_to_one_occurrence_stands_alone_and_twice_is_once() {
    let lines = |sequence: u8, hour: u8| {
        format!(
            "BEGIN:VEVENT|UID:u|SEQUENCE:{sequence}|RECURRENCE-ID:20260309T090000Z|\
             DTSTART:20260309T{hour}0000Z|END:VEVENT"
        )
    };
    assert_eq!(starts(&calendar(&format!("{}|{}", lines(2, 15), lines(1, 11)))), ["03-09T15:00"]);
}

#[test]
fn what_is_no_meeting() {
    let begin = "DTSTART:20260302T090000Z";
    for lines in [
        "DTSTART;VALUE=DATE:20260302",
        "DTSTART;VALUE=DATE:20260302|RRULE:FREQ=WEEKLY",
        "DTSTART:20260302T000000Z|X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
        "DTSTART:20260302T090000Z|TRANSP:TRANSPARENT",
        "DTSTART:20260302T090000Z|CLASS:PRIVATE",
        "DTSTART:20260302T090000Z|CLASS:CONFIDENTIAL",
        "DTSTART:20251231T235959Z",
        "DTSTART:20270101T000000Z",
    ] {
        assert_eq!(starts(&event(lines)), [""; 0], "{lines}");
    }
    for method in ["REPLY", "COUNTER", "REFRESH"] {
        let text = event(begin).replace("VERSION:2.0", &format!("METHOD:{method}"));
        assert_eq!(starts(&text), [""; 0], "{method}");
    }
    let cancelled = event(begin).replace("VERSION:2.0", "METHOD:CANCEL");
    assert_eq!(read(&cancelled).0[0].status, MeetingStatus::Cancelled);
    let todo = event(begin).replace("VEVENT", "VTODO");
    assert_eq!(starts(&todo), [""; 0]);
}

#[test]
fn who_takes_part() {
    let text = event(
        "DTSTART:20260302T090000Z|DTEND:20260302T080000Z|STATUS:TENTATIVE|\
         ORGANIZER;CN=Ann Lee:mailto:Ann@US.example|\
         ATTENDEE;PARTSTAT=DECLINED;CN=Ann:MAILTO:ann@us.example|\
         ATTENDEE;PARTSTAT=ACCEPTED;CN=\"Li, Bo\":Mailto:bo@acme.example|\
         ATTENDEE;PARTSTAT=TENTATIVE;EMAIL=cy@acme.example;CN=Cy:urn:uuid:1234|\
         ATTENDEE;EMAIL=dee@acme.example:/o=ExchangeLabs/cn=Recipients/cn=dee|\
         ATTENDEE;PARTSTAT=DECLINED:mailto:eve@acme.example|\
         ATTENDEE;PARTSTAT=DELEGATED:mailto:fay@acme.example|\
         ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED:mailto:room@us.example|\
         ATTENDEE;CUTYPE=RESOURCE:mailto:beamer@us.example|\
         ATTENDEE;CUTYPE=GROUP:mailto:sales@acme.example|\
         ATTENDEE;MEMBER=\"mailto:sales@acme.example\";PARTSTAT=ACCEPTED;\
         SENT-BY=\"mailto:assistant@acme.example\":mailto:gus@acme.example|\
         ATTENDEE;ROLE=NON-PARTICIPANT:mailto:copy@us.example|\
         ATTENDEE:mailto:c_188a@resource.calendar.google.com|\
         ATTENDEE:urn:uuid:5678|ATTENDEE:invalid:nomail|\
         ATTENDEE;PARTSTAT=ACCEPTED:mailto:bo@acme.example",
    );
    let (meetings, problems) = read(&text);
    let people: Vec<_> = meetings[0]
        .attendees
        .iter()
        .map(|a| (a.person.address.as_str(), a.person.name.as_str(), a.participation, a.organizer))
        .collect();
    assert_eq!(
        people,
        [
            ("ann@us.example", "Ann Lee", Participation::Accepted, true),
            ("bo@acme.example", "Li, Bo", Participation::Accepted, false),
            ("cy@acme.example", "Cy", Participation::Tentative, false),
            ("dee@acme.example", "", Participation::NeedsAction, false),
            ("eve@acme.example", "", Participation::Declined, false),
            ("fay@acme.example", "", Participation::Declined, false),
            ("gus@acme.example", "", Participation::Accepted, false),
        ]
    );
    assert_eq!(meetings[0].status, MeetingStatus::Tentative);
    assert_eq!(meetings[0].recurrence_at, None);
    assert_eq!(meetings[0].ends_at, meetings[0].starts_at, "an end before the beginning");
    assert_eq!(problems, []);
}
