//! The content lines of an iCalendar object (RFC 5545, 3.1): unfolded, chosen, and written again as
//! they were.
//!
//! Keeps the lines that decide meetings and of each the parameters that do; everything else is gone
//! when an object has been read. Leaves what the lines mean to `normalise::calendar`.

use std::fmt;

use crate::model::{Address, Timestamp};
use crate::normalise::address;

use super::utc;

/// What is kept of an event.
const EVENT: [&str; 17] = [
    "UID",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "STATUS",
    "SEQUENCE",
    "DTSTAMP",
    "TRANSP",
    "CLASS",
    "ORGANIZER",
    "ATTENDEE",
    // Outlook's own word for an event that lasts all day.
    "X-MICROSOFT-CDO-ALLDAYEVENT",
    "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT",
];

/// What is kept of a time zone and its observances.
const ZONE: [&str; 7] =
    ["TZID", "X-LIC-LOCATION", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"];

/// Parameters that are kept: of times, and of people.
const PARAMETERS: [&str; 8] =
    ["TZID", "VALUE", "RANGE", "PARTSTAT", "ROLE", "CUTYPE", "CN", "EMAIL"];

/// One line, unfolded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// What it is, in upper case.
    pub(super) name: String,
    /// Its parameters, names in upper case, values as written.
    pub(super) parameters: Vec<(String, String)>,
    /// What it says.
    pub(super) value: String,
}

/// A VEVENT.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) lines: Vec<Line>,
}

/// A VCALENDAR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Object {
    /// Its METHOD as written.
    pub(super) method: Option<String>,
    /// What its times are in that name no zone, and its time zones, as lines.
    pub(super) zones: String,
    /// Its events, in order.
    pub(super) events: Vec<Event>,
    /// Whether it was read to its end.
    pub(super) ended: bool,
}

impl Object {
    /// The first calendar of a text; `None` if there is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut object = None;
        // The components that are open, outermost first.
        let mut open: Vec<String> = Vec::new();
        for unfolded in unfold(text) {
            let Some(line) = Line::read(&unfolded) else { continue };
            let word = line.value.trim().to_ascii_uppercase();
            match (line.name.as_str(), &mut object) {
                ("BEGIN", object) => {
                    if word == "VCALENDAR" {
                        object.get_or_insert_with(Self::default);
                    }
                    if let Some(object) = object {
                        open.push(word);
                        object.begin(&open);
                    }
                }
                ("END", Some(object)) => {
                    object.end(&open);
                    open.pop();
                    if open.is_empty() {
                        object.ended = true;
                        break;
                    }
                }
                (_, Some(object)) => object.take(line, &open),
                (_, None) => {}
            }
        }
        object
    }

    fn begin(&mut self, open: &[String]) {
        match words(open).as_slice() {
            ["VCALENDAR", "VEVENT"] => self.events.push(Event::default()),
            ["VCALENDAR", "VTIMEZONE"] | ["VCALENDAR", "VTIMEZONE", "STANDARD" | "DAYLIGHT"] => {
                self.zones.push_str(&format!("BEGIN:{}\r\n", open.last().map_or("", |w| w)));
            }
            _ => {}
        }
    }

    fn end(&mut self, open: &[String]) {
        if let ["VCALENDAR", "VTIMEZONE"] | ["VCALENDAR", "VTIMEZONE", "STANDARD" | "DAYLIGHT"] =
            words(open).as_slice()
        {
            self.zones.push_str(&format!("END:{}\r\n", open.last().map_or("", |w| w)));
        }
    }

    fn take(&mut self, mut line: Line, open: &[String]) {
        line.parameters.retain(|(name, _)| PARAMETERS.contains(&name.as_str()));
        let name = line.name.as_str();
        match words(open).as_slice() {
            ["VCALENDAR"] if name == "METHOD" => self.method = Some(line.value),
            ["VCALENDAR"] if name == "X-WR-TIMEZONE" => self.zones.push_str(&line.to_string()),
            ["VCALENDAR", "VEVENT"] if EVENT.contains(&name) => {
                if let Some(event) = self.events.last_mut() {
                    event.lines.push(line);
                }
            }
            ["VCALENDAR", "VTIMEZONE"] | ["VCALENDAR", "VTIMEZONE", "STANDARD" | "DAYLIGHT"]
                if ZONE.contains(&name) =>
            {
                self.zones.push_str(&line.to_string());
            }
            _ => {}
        }
    }
}

fn words(open: &[String]) -> Vec<&str> {
    open.iter().map(String::as_str).collect()
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BEGIN:VCALENDAR\r\n")?;
        if let Some(method) = &self.method {
            write!(f, "METHOD:{method}\r\n")?;
        }
        f.write_str(&self.zones)?;
        self.events.iter().try_for_each(|event| write!(f, "{event}"))?;
        f.write_str("END:VCALENDAR\r\n")
    }
}

impl Event {
    /// The first line of that name.
    pub(super) fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// What it says, trimmed.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.line(name).map(|line| line.value.trim())
    }

    /// Its version, 0 if it states none.
    pub(super) fn sequence(&self) -> i64 {
        self.value("SEQUENCE").and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// When it was written down.
    pub(super) fn stamped_at(&self) -> Option<Timestamp> {
        self.value("DTSTAMP").and_then(utc)
    }

    /// Who organises it, be it a person or a calendar.
    pub(super) fn organizer(&self) -> Option<Address> {
        self.line("ORGANIZER")?.address()
    }

    /// Its attendees.
    pub(super) fn attendees(&self) -> impl Iterator<Item = Address> {
        self.lines.iter().filter(|line| line.name == "ATTENDEE").filter_map(Line::address)
    }

    /// Drops the attendees who are not wanted.
    pub(super) fn keep_people(&mut self, wanted: impl Fn(&Address) -> bool) {
        self.lines.retain(|line| {
            line.name != "ATTENDEE" || line.address().is_some_and(|who| wanted(&who))
        });
    }

    /// Puts nobody in the place of a person; gives whether they were in it.
    pub(super) fn forget(&mut self, person: &Address, nobody: &str) -> bool {
        let mut found = false;
        for line in &mut self.lines {
            let is_person = matches!(line.name.as_str(), "ATTENDEE" | "ORGANIZER");
            if is_person && line.address().as_ref() == Some(person) {
                line.value = format!("mailto:{nobody}");
                line.parameters.retain(|(name, _)| name != "CN" && name != "EMAIL");
                found = true;
            }
        }
        found
    }

    /// Whether its people are nobody's business.
    pub(super) fn is_private(&self) -> bool {
        let class = self.value("CLASS").unwrap_or_default();
        class.eq_ignore_ascii_case("PRIVATE") || class.eq_ignore_ascii_case("CONFIDENTIAL")
    }

    /// Makes of an event that is added to a series one that stands for its own occurrence.
    pub(super) fn stand_by_itself(&mut self) {
        if self.line("RECURRENCE-ID").is_some() {
            return;
        }
        if let Some(begin) = self.line("DTSTART") {
            let id = Line { name: "RECURRENCE-ID".to_owned(), ..begin.clone() };
            self.lines.push(id);
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BEGIN:VEVENT\r\n")?;
        self.lines.iter().try_for_each(|line| write!(f, "{line}"))?;
        f.write_str("END:VEVENT\r\n")
    }
}

impl Line {
    /// `NAME;PARAMETER=VALUE;PARAMETER="VALUE":what it says`; `None` if it has not that form.
    fn read(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let (mut begin, mut quoted) = (0, false);
        for (at, c) in text.char_indices() {
            match c {
                '"' => quoted = !quoted,
                ';' | ':' if !quoted => {
                    pieces.push(text.get(begin..at)?);
                    begin = at.saturating_add(1);
                }
                _ => {}
            }
            if c == ':' && !quoted {
                break;
            }
        }
        let mut pieces = pieces.into_iter();
        let name = pieces.next()?.trim().to_ascii_uppercase();
        let parameters = pieces.filter_map(|piece| piece.split_once('='));
        let parameters = parameters.map(|(n, v)| (n.trim().to_ascii_uppercase(), v.to_owned()));
        let parameters = parameters.collect();
        let value = text.get(begin..)?.to_owned();
        Some(Self { name, parameters, value })
    }

    /// The value of a parameter, without its quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.trim().trim_matches('"'))
    }

    /// The address of an ORGANIZER or ATTENDEE; EMAIL holds it where the value is no mailto
    /// (RFC 7986, 6.2).
    fn address(&self) -> Option<Address> {
        let value = self.value.trim();
        let is_mail = value.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
        let written = if is_mail { value } else { self.parameter("EMAIL").unwrap_or(value) };
        address::canonical(written)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (name, value) in &self.parameters {
            // Written so that no reader can take it otherwise than this one has.
            let value = value.replace('"', "");
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
            let quote = if value.chars().all(plain) { "" } else { "\"" };
            write!(f, ";{name}={quote}{value}{quote}")?;
        }
        write!(f, ":{}\r\n", self.value)
    }
}

/// The lines of a text, those that are continued put together, without control characters, which
/// other readers may take for ends of lines.
fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in text.split('\n') {
        let shown = |piece: &str| piece.chars().filter(|c| !c.is_control()).collect::<String>();
        match (piece.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(line)) => line.push_str(&shown(rest)),
            _ => lines.push(shown(piece)),
        }
    }
    lines
}
