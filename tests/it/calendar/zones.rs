//! Time zones as calendars name and define them.

use keepwarm::normalise::calendar::Problem;

use super::{calendar, event, read, starts};

#[test]
fn zones_by_what_the_calendar_says_of_them() {
    let zone = |id: &str, lines: &str| format!("BEGIN:VTIMEZONE|TZID:{id}|{lines}|END:VTIMEZONE|");
    let part = |kind: &str, month: u8, from: &str, to: &str| {
        format!(
            "BEGIN:{kind}|DTSTART:1601{month:02}01T020000|TZOFFSETFROM:{from}|TZOFFSETTO:{to}|\
             RRULE:FREQ=YEARLY;BYMONTH={month};BYDAY=1SU|END:{kind}"
        )
    };
    let eastern =
        part("STANDARD", 11, "-0400", "-0500") + "|" + &part("DAYLIGHT", 3, "-0500", "-0400");
    let sydney =
        part("STANDARD", 4, "+1100", "+1000") + "|" + &part("DAYLIGHT", 10, "+1000", "+1100");
    let india = part("STANDARD", 1, "+0530", "+0530");
    for (id, definition, july, january) in [
        ("Europe/Berlin", String::new(), "07-01T07:00", "12-01T08:00"),
        ("W. Europe Standard Time", String::new(), "07-01T07:00", "12-01T08:00"),
        (
            "/freeassociation.sourceforge.net/Europe/London",
            String::new(),
            "07-01T08:00",
            "12-01T09:00",
        ),
        ("/x/America/Argentina/Buenos_Aires", String::new(), "07-01T12:00", "12-01T12:00"),
        ("Central Asia Standard Time", String::new(), "07-01T03:00", "12-01T03:00"),
        ("Mountain Standard Time (Mexico)", String::new(), "07-01T16:00", "12-01T16:00"),
        ("South Sudan Standard Time", String::new(), "07-01T07:00", "12-01T07:00"),
        ("GMT+0200", String::new(), "07-01T07:00", "12-01T07:00"),
        ("UTC-05:00", String::new(), "07-01T14:00", "12-01T14:00"),
        ("Ours", zone("Ours", "X-LIC-LOCATION:Asia/Tokyo"), "07-01T00:00", "12-01T00:00"),
        (
            "Customized Time Zone",
            zone("Customized Time Zone", &eastern),
            "07-01T13:00",
            "12-01T14:00",
        ),
        (
            "tzone://Microsoft/Custom",
            zone("tzone://Microsoft/Custom", &sydney),
            "06-30T23:00",
            "11-30T22:00",
        ),
        ("Ours too", zone("Ours too", &india), "07-01T03:30", "12-01T03:30"),
    ] {
        let text = calendar(&format!(
            "{definition}BEGIN:VEVENT|UID:a|DTSTART;TZID=\"{id}\":20260701T090000|END:VEVENT|\
             BEGIN:VEVENT|UID:b|DTSTART;TZID=\"{id}\":20261201T090000|END:VEVENT"
        ));
        assert_eq!(starts(&text), [july, january], "{id}");
        assert_eq!(read(&text).1, [], "{id}");
    }
    let unknown = event("DTSTART;TZID=Nowhere:20260701T090000");
    assert_eq!(starts(&unknown), ["07-01T07:00"]);
    assert_eq!(read(&unknown).1, [Problem::UnknownZone]);
    let stated =
        event("DTSTART:20260701T090000").replace("VERSION:2.0", "X-WR-TIMEZONE:Asia/Tokyo");
    assert_eq!(starts(&stated), ["07-01T00:00"]);
}

/// Where nobody is: 3:45 east, an hour more from the second Saturday of April at 1:00 to the third
/// Friday of October at 2:00; until 2025 the same without summer time.
const OURS: &str = "BEGIN:VTIMEZONE|TZID:Ours|\
    BEGIN:STANDARD|DTSTART:20251017T020000|TZOFFSETFROM:+0445|TZOFFSETTO:+0345|\
    RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=3FR|END:STANDARD|\
    BEGIN:DAYLIGHT|DTSTART:20260411T010000|TZOFFSETFROM:+0345|TZOFFSETTO:+0445|\
    RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=2SA;UNTIL=20270409T211500Z|END:DAYLIGHT|END:VTIMEZONE|";

#[test]
fn a_zone_of_the_calendars_own_goes_by_its_rules() {
    for (what, local, utc) in [
        ("before", "20260110T090000", "01-10T05:15"),
        ("the last minute before the gap", "20260411T005900", "04-10T21:14"),
        ("within the gap, by the offset before it", "20260411T013000", "04-10T21:45"),
        ("the first minute after it", "20260411T020000", "04-10T21:15"),
        ("in summer", "20260701T090000", "07-01T04:15"),
        ("the earlier of two", "20261016T013000", "10-15T20:45"),
        ("the first time that is there once again", "20261016T020000", "10-15T22:15"),
        ("after", "20261201T090000", "12-01T05:15"),
    ] {
        let text = format!("{OURS}BEGIN:VEVENT|UID:a|DTSTART;TZID=Ours:{local}|END:VEVENT");
        assert_eq!(starts(&calendar(&text)), [utc], "{what}");
        assert_eq!(read(&calendar(&text)).1, [], "{what}");
    }
    let daily = "BEGIN:VEVENT|UID:a|DTSTART;TZID=Ours:20260409T090000|\
                 RRULE:FREQ=DAILY;UNTIL=20260412T041500Z|EXDATE:20260410T051500Z|END:VEVENT";
    assert_eq!(
        starts(&calendar(&format!("{OURS}{daily}"))),
        ["04-09T05:15", "04-11T04:15", "04-12T04:15"]
    );
}

#[test]
fn a_zone_that_changes_by_dates_or_says_little() {
    let zone = |parts: &str| format!("BEGIN:VTIMEZONE|TZID:Z|{parts}|END:VTIMEZONE|");
    let dates = "BEGIN:STANDARD|DTSTART:20200101T000000|TZOFFSETFROM:+0100|TZOFFSETTO:+0200|\
                 END:STANDARD|BEGIN:DAYLIGHT|DTSTART:20250601T000000|RDATE:20260601T000000|\
                 TZOFFSETFROM:+0200|TZOFFSETTO:+0330|END:DAYLIGHT|BEGIN:STANDARD|\
                 DTSTART:20250901T000000|TZOFFSETFROM:+0330|TZOFFSETTO:+0200|END:STANDARD";
    let seconds = "BEGIN:STANDARD|DTSTART:18000101T000000|TZOFFSETTO:-012345|END:STANDARD";
    for (what, parts, expected) in [
        ("dates", dates, ["03-01T07:00", "07-01T05:30"]),
        ("one part without an offset from", seconds, ["03-01T10:23", "07-01T10:23"]),
    ] {
        let event = |uid: &str, month: u8| {
            format!("BEGIN:VEVENT|UID:{uid}|DTSTART;TZID=Z:2026{month:02}01T090000|END:VEVENT|")
        };
        let text = calendar(&format!("{}{}{}", zone(parts), event("a", 3), event("b", 7)));
        assert_eq!(starts(&text), expected, "{what}");
        assert_eq!(read(&text).1, [], "{what}");
    }
    let nothing = zone("BEGIN:STANDARD|DTSTART:20200101T000000|END:STANDARD");
    let text = format!("{nothing}BEGIN:VEVENT|UID:a|DTSTART;TZID=Z:20260701T090000|END:VEVENT");
    assert_eq!(starts(&calendar(&text)), ["07-01T07:00"]);
    assert_eq!(read(&calendar(&text)).1, [Problem::UnknownZone]);
}

#[test]
fn offsets_in_words_may_have_minutes() {
    for (id, expected) in [
        ("UTC+05:30", "07-01T03:30"),
        ("GMT-0330", "07-01T12:30"),
        ("GMT+9", "07-01T00:00"),
        ("UTC+99", "07-01T07:00"),
    ] {
        let text = event(&format!("DTSTART;TZID=\"{id}\":20260701T090000"));
        assert_eq!(starts(&text), [expected], "{id}");
    }
}
