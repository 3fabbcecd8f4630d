//! Invitations in mail (RFC 5546 by RFC 6047): what one message says of a meeting, and what all of
//! them together make of it.
//!
//! Pure and total. [`read`] reduces the calendar part of a message to what decides meetings: no
//! summary, description, place or link is left. [`Invitation::heard`] keeps what its sender may
//! say: an organiser tells when and with whom, an attendee whether he comes. [`meetings`] is a
//! function of the set of all that was said of one UID, whatever the order in which it came; how
//! occurrences follow from events is left to `normalise::calendar`. Lines are kept as they were
//! written, since the library's writer makes midnight of a day.

mod announced;
mod derive;
mod lines;
mod part;

use std::borrow::Cow;
use std::fmt;

use chrono::NaiveDateTime;

use crate::model::{Address, Timestamp};

use super::people::{Own, Who};
use lines::Object;

pub use announced::{Announced, announced, is_calendar};
pub use derive::{Outlook, Said, meetings, outlook};

/// The largest calendar part that is looked at, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// The most that is kept of one, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// The longest UID that is kept, in bytes: every occurrence of a meeting has it.
const MAX_UID: usize = 512;

/// Events of one message: a series, and what replaces occurrences of it.
const MAX_EVENTS: usize = 200;

/// Who sends for organisers that are no people: calendars at Google that belong to a group.
const GOOGLE_SENDER: &str = "calendar-notification@google.com";
const GOOGLE_CALENDARS: &str = "calendar.google.com";

/// What a message does (RFC 5546, 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Says that there is a meeting.
    Publish,
    /// Invites to it, or says what has become of it.
    Request,
    /// Adds an occurrence.
    Add,
    /// Calls it, an occurrence, or somebody off.
    Cancel,
    /// Answers.
    Reply,
    /// Proposes something else, declines a proposal or asks for the state: nothing is decided.
    Talk,
}

/// What one message says of one meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The meeting.
    pub uid: String,
    /// What is done.
    pub method: Method,
    /// The highest version of the meeting that it speaks of.
    pub sequence: i64,
    /// When it was written, the latest of its DTSTAMPs; `None` if it does not say.
    pub stamped_at: Option<Timestamp>,
    /// iCalendar with the lines that decide meetings, at most 64 KiB.
    pub text: String,
}

/// Why nothing is kept of a calendar part. Prints as words for the admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no calendar in it.
    NoCalendar,
    /// It ends in the middle.
    Truncated,
    /// Its event has no UID, or one that nobody gives.
    NoUid,
    /// More would have to be kept than is.
    TooLarge,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCalendar => "its invitation is not a calendar",
            Self::Truncated => "its invitation ends in the middle",
            Self::NoUid => "its invitation has no uid that is kept",
            Self::TooLarge => "its invitation is larger than is kept",
        })
    }
}

/// What is made of a message by whom it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is as its sender may say.
    Kept(Invitation),
    /// It speaks for an organiser who has not sent it.
    NotTheOrganizer,
    /// It answers for somebody who has not sent it.
    NotTheAttendee,
    /// It decides nothing.
    Talk,
    /// Of its organiser nothing may be written down.
    Excluded,
}

/// Who has sent a message, as far as that is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writers {
    /// Who wrote it.
    pub from: Option<Address>,
    /// Who sent it for them, where that may be believed.
    pub sender: Option<Address>,
}

/// Reads the calendar part of a message, its transfer encoding undone: `None` if it has no METHOD
/// or no events and so is no invitation.
///
/// # Errors
/// [`Problem`]: it is one, and nothing of it can be kept.
pub fn read(bytes: &[u8]) -> Result<Option<Invitation>, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::TooLarge);
    }
    let text = decode(bytes);
    let mut object = Object::read(&text).ok_or(Problem::NoCalendar)?;
    let Some(method) = object.method.as_deref().and_then(Method::of) else { return Ok(None) };
    if !object.ended {
        return Err(Problem::Truncated);
    }
    let Some(first) = object.events.first() else { return Ok(None) };
    let kept = |uid: &&str| !uid.is_empty() && uid.len() <= MAX_UID;
    let uid = first.value("UID").filter(kept).ok_or(Problem::NoUid)?.to_owned();
    object.events.retain(|event| event.value("UID") == Some(uid.as_str()));
    for event in &mut object.events {
        if event.is_private() {
            event.lines.retain(|line| line.name != "ATTENDEE");
        }
        if method == Method::Add {
            event.stand_by_itself();
        }
    }
    let sequence = object.events.iter().map(lines::Event::sequence).max().unwrap_or(0);
    let stamped_at = object.events.iter().filter_map(lines::Event::stamped_at).max();
    let text = object.to_string();
    if text.len() > MAX_TEXT || object.events.len() > MAX_EVENTS {
        return Err(Problem::TooLarge);
    }
    Ok(Some(Invitation { uid, method, sequence, stamped_at, text }))
}

impl Invitation {
    /// What is left of it by who has sent it, without people of whom nothing may be written down.
    ///
    /// The organiser's word is that of From, or of Sender where `writers` has it. Nobody else's is:
    /// SENT-BY is what a sender says of himself.
    #[must_use]
    pub fn heard(mut self, writers: &Writers, own: &Own) -> Heard {
        let Some(mut object) = Object::read(&self.text) else { return Heard::Talk };
        let organizers = object.events.iter().filter_map(lines::Event::organizer);
        if organizers.clone().any(|organizer| own.who(&organizer) == Who::Excluded) {
            return Heard::Excluded;
        }
        let people: Vec<Address> = object.events.iter().flat_map(lines::Event::attendees).collect();
        if own.leaves_out(&people) {
            return Heard::Excluded;
        }
        match self.method {
            Method::Talk => return Heard::Talk,
            Method::Reply => {
                for event in &mut object.events {
                    let may = |who: &Address| own.who(who) != Who::Excluded;
                    event.keep_people(|who| writers.speak_for(who, own) && may(who));
                }
                object.events.retain(|event| event.attendees().next().is_some());
                if object.events.is_empty() {
                    return Heard::NotTheAttendee;
                }
            }
            Method::Publish | Method::Request | Method::Add | Method::Cancel => {
                let spoken = |event: &lines::Event| {
                    event.organizer().is_some_and(|who| writers.speak_for_organizer(&who, own))
                };
                if !object.events.iter().all(spoken) {
                    return Heard::NotTheOrganizer;
                }
                for event in &mut object.events {
                    event.keep_people(|who| own.who(who) != Who::Excluded);
                }
            }
        }
        self.text = object.to_string();
        Heard::Kept(self)
    }
}

/// What is kept of an invitation without one person, in whose place stands nobody (see
/// [`super::people::Erased::nobody`]), so that the audience stays what it was; `None` if they are not in it.
#[must_use]
pub fn forget(text: &str, person: &Address, nobody: &str) -> Option<String> {
    let mut object = Object::read(text)?;
    let mut found = false;
    for event in &mut object.events {
        found |= event.forget(person, nobody);
    }
    found.then(|| object.to_string())
}

impl Writers {
    fn speak_for(&self, who: &Address, own: &Own) -> bool {
        let mut writers = self.from.iter().chain(&self.sender);
        writers.any(|writer| is_same(writer, who, own))
    }

    fn speak_for_organizer(&self, who: &Address, own: &Own) -> bool {
        let is_calendar = who.domain().strip_suffix(GOOGLE_CALENDARS);
        let by_google = is_calendar.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            && self.sender.as_ref().is_some_and(|sender| sender.as_str() == GOOGLE_SENDER);
        by_google || self.speak_for(who, own)
    }
}

impl Method {
    /// Every method, with its word in the database.
    const WORDS: [(Self, &'static str); 6] = [
        (Self::Publish, "publish"),
        (Self::Request, "request"),
        (Self::Add, "add"),
        (Self::Cancel, "cancel"),
        (Self::Reply, "reply"),
        (Self::Talk, "talk"),
    ];

    /// The word for it in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::WORDS.iter().find(|(method, _)| *method == self).map_or("talk", |(_, word)| word)
    }

    /// The method of a word as it stands in the database or in a calendar.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        match word.as_str() {
            "counter" | "declinecounter" | "refresh" => Some(Self::Talk),
            _ => Self::WORDS.iter().find(|(_, of)| *of == word).map(|(method, _)| *method),
        }
    }
}

/// Whether two addresses are of one person: a rep's are.
fn is_same(a: &Address, b: &Address, own: &Own) -> bool {
    own.fold(a) == own.fold(b)
        || matches!((own.who(a), own.who(b)), (Who::Rep(a), Who::Rep(b)) if a == b)
}

/// The bytes as text: UTF-8, else Latin-1.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// An instant in UTC such as `20261102T140000Z`.
fn utc(text: &str) -> Option<Timestamp> {
    let at = NaiveDateTime::parse_from_str(text.trim().trim_end_matches('Z'), "%Y%m%dT%H%M%S");
    Some(Timestamp::from_seconds(at.ok()?.and_utc().timestamp()))
}

#[cfg(test)]
mod tests;
