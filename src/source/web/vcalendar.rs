//! Events of a service's own interface as iCalendar text, so that one parser reads all calendars.
//!
//! Pure. Guarantees that nothing which a service or its users write can end a line or a parameter.
//! What an event is about has no place here.

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use crate::model::{MeetingStatus, Participation, Timestamp};

/// An event, or one that replaces an occurrence of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Vevent {
    /// What names it and its series in all calendars.
    pub(in crate::source) uid: String,
    /// Its version.
    pub(in crate::source) sequence: i64,
    /// When it begins.
    pub(in crate::source) starts: When,
    /// When it ends, if it takes time.
    pub(in crate::source) ends: Option<When>,
    /// Where the rule of its series put it.
    pub(in crate::source) replaces: Option<When>,
    /// RRULE, RDATE, EXDATE and the like as whole lines.
    pub(in crate::source) recurrence: Vec<String>,
    /// Whether it takes place.
    pub(in crate::source) status: MeetingStatus,
    /// Whether it is kept at all.
    pub(in crate::source) standing: Standing,
    /// Who organises it.
    pub(in crate::source) organizer: Option<Guest>,
    /// Who is asked to come.
    pub(in crate::source) attendees: Vec<Guest>,
}

/// Whether an event is a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Standing {
    /// It may be.
    Meeting,
    /// It is private, or time that is free, or its people are unknown: it is left out, and so is
    /// the occurrence that it replaces.
    LeftOut,
}

/// When something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum When {
    /// A whole day.
    Day(NaiveDate),
    /// An instant.
    At(Timestamp),
    /// A time on the wall clock of a zone, by which a series recurs.
    Local(NaiveDateTime, Tz),
}

/// Somebody of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Guest {
    /// The address.
    pub(in crate::source) email: String,
    /// The name, or nothing.
    pub(in crate::source) name: String,
    /// What was answered.
    pub(in crate::source) participation: Participation,
}

/// All of them as one iCalendar object.
pub(in crate::source) fn write(events: &[Vevent]) -> Vec<u8> {
    let mut text = Lines(String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"));
    for event in events {
        text.event(event);
    }
    text.line("END", "", "VCALENDAR");
    text.0.into_bytes()
}

struct Lines(String);

impl Lines {
    fn event(&mut self, event: &Vevent) {
        self.line("BEGIN", "", "VEVENT");
        self.line("UID", "", &event.uid);
        self.line("SEQUENCE", "", &event.sequence.to_string());
        self.when("DTSTART", event.starts);
        if let Some(ends) = event.ends {
            self.when("DTEND", ends);
        }
        if let Some(slot) = event.replaces {
            self.when("RECURRENCE-ID", slot);
        }
        for line in &event.recurrence {
            self.recurrence(line);
        }
        self.line("STATUS", "", &event.status.code().to_uppercase());
        if event.standing == Standing::LeftOut {
            self.line("TRANSP", "", "TRANSPARENT");
        }
        if let Some(organizer) = &event.organizer {
            self.guest("ORGANIZER", "", organizer);
        }
        for guest in &event.attendees {
            self.guest("ATTENDEE", partstat(guest.participation), guest);
        }
        self.line("END", "", "VEVENT");
    }

    fn when(&mut self, name: &str, when: When) {
        match when {
            When::Day(day) => self.line(name, ";VALUE=DATE", &day.format("%Y%m%d").to_string()),
            When::At(at) => {
                let utc = chrono::DateTime::from_timestamp_millis(at.millis()).unwrap_or_default();
                self.line(name, "", &utc.format("%Y%m%dT%H%M%SZ").to_string());
            }
            When::Local(local, zone) => {
                let zone = format!(";TZID={}", zone.name());
                self.line(name, &zone, &local.format("%Y%m%dT%H%M%S").to_string());
            }
        }
    }

    /// A line about recurrence as the service has it; anything else is passed over.
    fn recurrence(&mut self, line: &str) {
        let Some((name, _)) = line.split_once([':', ';']) else { return };
        if ["RRULE", "RDATE", "EXDATE", "EXRULE"].iter().any(|word| name.eq_ignore_ascii_case(word))
        {
            self.0.extend(line.chars().filter(|c| !c.is_control()));
            self.0.push_str("\r\n");
        }
    }

    fn guest(&mut self, name: &str, parameters: &str, guest: &Guest) {
        let plain: String = guest.name.chars().filter(|c| !c.is_control() && *c != '"').collect();
        let parameters = match plain.trim() {
            "" => parameters.to_owned(),
            named => format!("{parameters};CN=\"{named}\""),
        };
        self.line(name, &parameters, &format!("mailto:{}", guest.email));
    }

    /// A property; nothing in its value ends the line.
    fn line(&mut self, name: &str, parameters: &str, value: &str) {
        self.0.push_str(name);
        self.0.push_str(parameters);
        self.0.push(':');
        self.0.extend(value.chars().filter(|c| !c.is_control()));
        self.0.push_str("\r\n");
    }
}

const fn partstat(participation: Participation) -> &'static str {
    match participation {
        Participation::Accepted => ";PARTSTAT=ACCEPTED",
        Participation::Declined => ";PARTSTAT=DECLINED",
        Participation::Tentative => ";PARTSTAT=TENTATIVE",
        Participation::NeedsAction => ";PARTSTAT=NEEDS-ACTION",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::calendar::meetings;

    /// Whatever stands in a name, an address or a UID, the event has the one attendee it has.
    #[test]
    fn nothing_that_people_write_breaks_a_line() {
        for odd in ["a\r\nATTENDEE:mailto:x@x.example", "\";X=\"", "a:b;c,d", "\u{85}\u{2028}é", ""]
        {
            let guest = Guest {
                email: "bo@acme.example".to_owned(),
                name: odd.to_owned(),
                participation: Participation::Accepted,
            };
            let event = Vevent {
                uid: format!("u{odd}"),
                sequence: 0,
                starts: When::At("2026-11-21T08:00:00Z".parse().unwrap()),
                ends: None,
                replaces: None,
                recurrence: vec![format!("X{odd}"), format!("RRULE:FREQ=DAILY;COUNT=1{odd}")],
                status: MeetingStatus::Confirmed,
                standing: Standing::Meeting,
                organizer: None,
                attendees: vec![guest],
            };
            let window = ("2026-01-01".parse().unwrap(), "2027-01-01".parse().unwrap());
            let (found, _) = meetings(&write(&[event]), window, Tz::UTC);
            assert_eq!(found.len(), 1, "{odd:?}");
            assert_eq!(found[0].attendees.len(), 1, "{odd:?}: {found:?}");
            assert_eq!(found[0].attendees[0].person.address.to_string(), "bo@acme.example");
        }
    }
}
