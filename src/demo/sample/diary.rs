//! A rep's calendar as an iCalendar file (RFC 5545).

use std::fmt::Write;

use chrono::NaiveDate;

use super::appointments::{Event, Repeat, Standing, When};
use super::days::Days;
use super::story::Party;
use crate::model::{Span, Timestamp};

/// The time zone as two programs name it: by its IANA name, and as Windows does.
const ZONES: [&str; 3] = ["America/New_York", "America/New_York", "Eastern Standard Time"];

/// The rules since 2007.
const RULES: &str = "BEGIN:DAYLIGHT\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nTZNAME:EDT\r\n\
    DTSTART:20070311T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nEND:DAYLIGHT\r\n\
    BEGIN:STANDARD\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nTZNAME:EST\r\n\
    DTSTART:20071104T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\nEND:STANDARD\r\n";

/// The calendar of one rep, and how many entries it has.
pub(super) fn calendar(events: &[Event], rep: usize, days: &Days) -> (String, usize) {
    let zone = ZONES.get(rep).copied().unwrap_or(ZONES[0]);
    let mut text =
        String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Hearth//Diary//EN\r\n");
    _ = write!(text, "BEGIN:VTIMEZONE\r\nTZID:{zone}\r\n{RULES}END:VTIMEZONE\r\n");
    let mut count = 0;
    for event in events.iter().filter(|event| event.calendars.contains(&rep)) {
        entry(&mut text, event, zone, days);
        count += 1;
    }
    text.push_str("END:VCALENDAR\r\n");
    (text, count)
}

fn entry(text: &mut String, event: &Event, zone: &str, days: &Days) {
    line(text, "BEGIN:VEVENT");
    line(text, &format!("UID:{}", event.uid));
    line(text, &format!("DTSTAMP:{}", utc(days.at(730, 0))));
    times(text, event.when, zone, days);
    if let (Some(repeat), When::Local(_, minute, _)) = (&event.repeat, event.when) {
        rule(text, repeat, minute, zone, days);
    }
    line(text, &format!("SUMMARY:{}", event.summary));
    if !event.attendees.is_empty() {
        line(text, &person("ORGANIZER", &event.organizer, None));
        line(text, &person("ATTENDEE", &event.organizer, Some("ACCEPTED")));
    }
    for (party, answer) in &event.attendees {
        line(text, &person("ATTENDEE", party, Some(answer)));
    }
    match event.standing {
        Standing::Confirmed => line(text, "STATUS:CONFIRMED"),
        Standing::Cancelled => line(text, "STATUS:CANCELLED"),
        Standing::Transparent => line(text, "TRANSP:TRANSPARENT"),
    }
    line(text, "END:VEVENT");
}

fn times(text: &mut String, when: When, zone: &str, days: &Days) {
    match when {
        When::Local(ago, minute, length) => {
            let date = days.date(ago);
            line(text, &format!("DTSTART;TZID={zone}:{}", local(date, minute)));
            line(text, &format!("DTEND;TZID={zone}:{}", local(date, minute + length)));
        }
        When::Utc(ago, minute, length) => {
            let starts = days.at(ago, minute);
            line(text, &format!("DTSTART:{}", utc(starts)));
            line(text, &format!("DTEND:{}", utc(starts + Span::from_seconds(length * 60))));
        }
        When::Day(ago) => {
            line(text, &format!("DTSTART;VALUE=DATE:{}", days.date(ago).format("%Y%m%d")));
            line(text, &format!("DTEND;VALUE=DATE:{}", days.date(ago - 1).format("%Y%m%d")));
        }
    }
}

fn rule(text: &mut String, repeat: &Repeat, minute: i64, zone: &str, days: &Days) {
    let until = repeat.until.map(|ago| format!(";UNTIL={}", utc(days.at(ago, minute))));
    line(
        text,
        &format!("RRULE:FREQ=WEEKLY;INTERVAL={}{}", repeat.every, until.unwrap_or_default()),
    );
    for ago in &repeat.except {
        line(text, &format!("EXDATE;TZID={zone}:{}", local(days.date(*ago), minute)));
    }
}

fn person(property: &str, party: &Party, answer: Option<&str>) -> String {
    let answer = answer.map(|answer| format!(";PARTSTAT={answer}")).unwrap_or_default();
    format!("{property};CN=\"{}\"{answer}:mailto:{}", party.name, party.address)
}

fn local(date: NaiveDate, minute: i64) -> String {
    format!("{}T{:02}{:02}00", date.format("%Y%m%d"), minute / 60, minute % 60)
}

fn utc(at: Timestamp) -> String {
    at.to_utc().unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string()
}

/// A content line, folded after at most 75 bytes and never within a letter.
fn line(text: &mut String, content: &str) {
    let mut width = 0;
    for letter in content.chars() {
        if width + letter.len_utf8() > 75 {
            text.push_str("\r\n ");
            width = 1;
        }
        text.push(letter);
        width += letter.len_utf8();
    }
    text.push_str("\r\n");
}
