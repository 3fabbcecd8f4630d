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
