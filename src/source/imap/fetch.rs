//! Opening a mailbox and fetching header fields from it.
//!
//! EXAMINE and BODY.PEEK only: nothing is ever marked as read. What the server sends beyond what
//! was asked (other UIDs, flag changes, duplicates) is passed over; what comes is converted at once
//! and the response dropped.

mod calendar;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, ResponseCode, SectionPath};
use chrono::format::{self, Item, Parsed, StrftimeItems};

use super::form::{Header, used};
use super::list::snapshot;
use super::plan::{Place, Snapshot};
use super::session::{Conversation, Failure, Pending};
use crate::model::{Marks, RawItem, Sent, Timestamp};
use crate::source::SourceError;
use crate::source::names::{covers, quoted, unescaped};

pub(super) use self::calendar::{Parts, announcing};

/// The most that is kept of a header block, in bytes.
const HEADER_BYTES: usize = 64 << 10;

/// The most that the windows in flight may hold, in bytes; with more, they are read in halves.
const FLIGHT_BYTES: usize = 16 << 20;

/// The header fields that are fetched. The server repeats the list in every answer, so it is short.
pub const FIELDS: &str = "FROM SENDER TO CC DATE SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES \
    X-MICROSOFT-ORIGINAL-MESSAGE-ID X-GOOGLE-ORIGINAL-MESSAGE-ID AUTO-SUBMITTED PRECEDENCE \
    LIST-ID LIST-UNSUBSCRIBE LIST-POST RETURN-PATH X-AUTO-RESPONSE-SUPPRESS X-AUTOREPLY \
    FEEDBACK-ID CONTENT-TYPE CONTENT-CLASS AUTHENTICATION-RESULTS SENSITIVITY \
    X-FAILED-RECIPIENTS \
    X-MS-EXCHANGE-CALENDAR-ORIGINATOR-ID X-MS-EXCHANGE-CALENDAR-SERIES-INSTANCE-ID";

/// The most UIDs that are taken from one answer; a window holds far fewer.
const MOST_LISTED: usize = 100_000;

/// Whether messages have labels (X-GM-EXT-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Labels {
    /// They have none.
    None,
    /// They have; what is under one of these, in lower case, must not be read.
    Excluding(Vec<String>),
}

/// Why a window was not read.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It holds more than is kept in memory at once; the conversation goes on.
    TooMuch,
    /// The server refused, in these words; the conversation goes on.
    Refused(String),
    /// The answer could not be parsed: the conversation is over, but another can be begun.
    Garbled(SourceError),
    /// The conversation is over for a reason that has nothing to do with the messages.
    Over(SourceError),
}

/// Opens a mailbox for reading (RFC 9051, 6.3.3).
pub(super) async fn examine(
    conversation: &mut Conversation,
    name: &str,
) -> Result<Snapshot, Failure> {
    let sent = conversation.send(&format!("EXAMINE {}", quoted(name))).await?;
    opened(conversation, name, sent).await
}

/// The same, asking along with it for places in it (see [`places`]): a round trip less. They are
/// missing where the numbers were of a mailbox that has changed meanwhile.
pub(super) async fn examine_asking(
    conversation: &mut Conversation,
    name: &str,
    sequences: &[String],
) -> Result<(Snapshot, Option<Vec<Place>>), Failure> {
    let sent = conversation.send(&format!("EXAMINE {}", quoted(name))).await?;
    let mut asked = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        asked.push(conversation.send(&format!("FETCH {sequence} (UID)")).await?);
    }
    let snapshot = match opened(conversation, name, sent).await {
        Err(over @ Failure::Over(_)) => return Err(over),
        other => other,
    };
    let mut found = Some(Vec::new());
    for (sent, sequence) in asked.into_iter().zip(sequences) {
        // What has not been opened gives none, and every answer is read.
        let places = listed(conversation, sent, most(sequence)).await.ok();
        found = found.zip(places).map(|(found, places)| [found, places].concat());
    }
    Ok((snapshot?, found))
}

/// The mailbox that was asked to be opened.
async fn opened(
    conversation: &mut Conversation,
    name: &str,
    sent: Pending,
) -> Result<Snapshot, Failure> {
    let (mut exists, mut uid_next, mut uid_validity) = (None, None, None);
    conversation
        .finish(sent, &[], |response| {
            match response {
                Response::MailboxData(MailboxDatum::Exists(count)) => exists = Some(*count),
                Response::Data { outcome, .. } => match &outcome.code {
                    Some(ResponseCode::UidValidity(value)) => uid_validity = Some(*value),
                    Some(ResponseCode::UidNext(uid)) => uid_next = Some(*uid),
                    _ => {}
                },
                _ => {}
            }
            Ok(())
        })
        .await?;
    // That it holds what it holds is no growth.
    conversation.has_grown();
    let incomplete =
        |what| Failure::Over(SourceError::Protocol(format!("a mailbox without {what}")));
    let exists = exists.ok_or_else(|| incomplete("EXISTS"))?;
    let uid_validity = uid_validity.ok_or_else(|| incomplete("UIDVALIDITY"))?;
    let uid_next = match uid_next {
        Some(uid) => uid,
        None => uid_next_otherwise(conversation, name, exists).await?,
    };
    Ok(Snapshot { uid_validity, uid_next: uid_next.max(1), exists })
}

/// UIDNEXT from servers that leave it out of EXAMINE: by STATUS, else from the last message.
async fn uid_next_otherwise(
    conversation: &mut Conversation,
    name: &str,
    exists: u32,
) -> Result<u32, Failure> {
    let mut found = None;
    let command = format!("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY)", quoted(name));
    let done = conversation
        .exec(&command, |response| {
            if let Response::MailboxData(MailboxDatum::Status { status, .. }) = response {
                found = snapshot(status);
            }
            Ok(())
        })
        .await;
    match (done, found) {
        (Ok(()), Some(state)) => return Ok(state.uid_next),
        (Ok(()) | Err(Failure::No(_)), _) if exists == 0 => return Ok(1),
        (Ok(()) | Err(Failure::No(_)), _) => {}
        (Err(over), _) => return Err(over),
    }
    let places = places(conversation, &exists.to_string()).await?;
    places
        .last()
        .map(|place| place.uid.saturating_add(1))
        .ok_or_else(|| Failure::Over(SourceError::Protocol("a mailbox without UIDNEXT".to_owned())))
}

/// Where the messages with these sequence numbers are, in the order in which the answers come.
pub(super) async fn places(
    conversation: &mut Conversation,
    sequence: &str,
) -> Result<Vec<Place>, Failure> {
    list(conversation, &format!("FETCH {sequence} (UID)"), most(sequence)).await
}

/// How many answers are taken to a list of sequence numbers.
fn most(sequence: &str) -> usize {
    sequence.split(',').count().saturating_mul(2)
}

/// The UIDs that a window holds, without anything of the messages.
pub(super) async fn uids(
    conversation: &mut Conversation,
    window: &RangeInclusive<u32>,
) -> Result<Vec<u32>, Failure> {
    let (low, high) = (window.start(), window.end());
    let command = format!("UID FETCH {low}:{high} (UID)");
    let mut found: Vec<u32> = list(conversation, &command, MOST_LISTED)
        .await?
        .into_iter()
        .map(|place| place.uid)
        .filter(|uid| window.contains(uid))
        .collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

async fn list(
    conversation: &mut Conversation,
    command: &str,
    most: usize,
) -> Result<Vec<Place>, Failure> {
    let sent = conversation.send(command).await?;
    listed(conversation, sent, most).await
}

async fn listed(
    conversation: &mut Conversation,
    sent: Pending,
    most: usize,
) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::new();
    conversation
        .finish(sent, &[], |response| {
            if let Response::Fetch(sequence, attributes) = response
                && let Some(uid) = attributes.iter().find_map(uid)
                && places.len() < most
            {
                places.push(Place { sequence: *sequence, uid });
            }
            Ok(())
        })
        .await?;
    Ok(places)
}

/// A window that was asked for.
#[derive(Debug)]
struct Asked {
    window: RangeInclusive<u32>,
    header: Header,
    pending: Pending,
}

/// Windows that were asked for and not read to their end, with what has come of them.
///
/// A server may work on two commands at once and mix their answers (RFC 9051, 5.5; Dovecot does):
/// what comes is kept for whichever window it belongs to.
#[derive(Debug, Default)]
pub(super) struct Flight {
    asked: VecDeque<Asked>,
    found: Vec<(u32, RawItem)>,
    bytes: usize,
}

/// The messages of a window, each once, by ascending UID.
pub(super) async fn window(
    conversation: &mut Conversation,
    window: &RangeInclusive<u32>,
    labels: &Labels,
) -> Result<Vec<RawItem>, Trouble> {
    let mut flight = Flight::default();
    flight.ask(conversation, window, Header::Fields, labels).await?;
    flight.answer(conversation, labels).await.map(|(items, _)| items)
}

impl Labels {
    /// The list of what is asked of a message. Parentheses always: some servers take only the first
    /// item else.
    fn items(&self, header: Header) -> String {
        let labels = match self {
            Self::None => "",
            Self::Excluding(_) => " X-GM-THRID X-GM-LABELS",
        };
        match header {
            Header::Fields => format!(
                "(UID INTERNALDATE{labels} BODY.PEEK[HEADER.FIELDS ({FIELDS})]<0.{HEADER_BYTES}>)"
            ),
            Header::Whole => {
                format!("(UID INTERNALDATE{labels} BODY.PEEK[HEADER]<0.{HEADER_BYTES}>)")
            }
        }
    }
}

impl Flight {
    /// Whether every window asked for has been read.
    pub(super) fn is_over(&self) -> bool {
        self.asked.is_empty()
    }

    /// How many windows have been asked for and not read.
    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    /// Asks for a window; [`Self::answer`] reads it. One that ends at the highest UID there can be
    /// has no end: what arrives meanwhile belongs to it.
    pub(super) async fn ask(
        &mut self,
        conversation: &mut Conversation,
        window: &RangeInclusive<u32>,
        header: Header,
        labels: &Labels,
    ) -> Result<(), Trouble> {
        let (low, items) = (window.start(), labels.items(header));
        let command = match *window.end() {
            u32::MAX => format!("UID FETCH {low}:* {items}"),
            high => format!("UID FETCH {low}:{high} {items}"),
        };
        let pending = conversation.send(&command).await.map_err(trouble)?;
        self.asked.push_back(Asked { window: window.clone(), header, pending });
        Ok(())
    }

    /// Reads the first of the windows asked for, and tells in which form that was.
    pub(super) async fn answer(
        &mut self,
        conversation: &mut Conversation,
        labels: &Labels,
    ) -> Result<(Vec<RawItem>, Header), Trouble> {
        let Some(Asked { window, header, pending }) = self.asked.pop_front() else {
            return Ok((Vec::new(), Header::Fields));
        };
        let largest = self.largest(header);
        let done = conversation
            .finish(pending, &[], |response| {
                if let Response::Fetch(_, attributes) = response {
                    self.keep(attributes, (labels, largest), Some(&window));
                }
                Ok(())
            })
            .await;
        done.map_err(trouble)?;
        if self.bytes > FLIGHT_BYTES {
            return Err(Trouble::TooMuch);
        }
        Ok((self.take(&window), header))
    }

    /// The larger form of those in which `one` and all that was asked ahead may come.
    fn largest(&self, one: Header) -> Header {
        let whole = self.asked.iter().any(|asked| asked.header == Header::Whole);
        if whole { Header::Whole } else { one }
    }

    /// Keeps an answer about a message of this window, or of one that was asked ahead.
    fn keep(
        &mut self,
        attributes: &[AttributeValue<'_>],
        (labels, largest): (&Labels, Header),
        window: Option<&RangeInclusive<u32>>,
    ) {
        let Some((uid, item)) = message(attributes, labels, largest) else { return };
        let mut asked = window.into_iter().chain(self.asked.iter().map(|asked| &asked.window));
        if asked.any(|window| window.contains(&uid)) {
            self.bytes = self.bytes.saturating_add(size(&item));
            if self.bytes <= FLIGHT_BYTES {
                self.found.push((uid, item));
            }
        }
    }

    /// Takes out what has come of a window, by ascending UID.
    fn take(&mut self, window: &RangeInclusive<u32>) -> Vec<RawItem> {
        let (mut of, rest) = std::mem::take(&mut self.found)
            .into_iter()
            .partition::<Vec<_>, _>(|(uid, _)| window.contains(uid));
        self.found = rest;
        self.bytes = self.found.iter().map(|(_, item)| size(item)).sum();
        // Of two answers about one message, one with a header goes before one without.
        of.sort_by_key(|(uid, item)| (*uid, matches!(item, RawItem::Unreadable { .. })));
        of.dedup_by_key(|(uid, _)| *uid);
        of.into_iter().map(|(_, item)| item).collect()
    }
}

fn trouble(failure: Failure) -> Trouble {
    match failure {
        Failure::No(text) => Trouble::Refused(text),
        Failure::Over(error @ SourceError::Protocol(_)) => Trouble::Garbled(error),
        Failure::Over(error) => Trouble::Over(error),
    }
}

/// An answer as an item, if it has a UID and says anything about the header.
fn message(
    attributes: &[AttributeValue<'_>],
    labels: &Labels,
    largest: Header,
) -> Option<(u32, RawItem)> {
    let uid = attributes.iter().find_map(uid)?;
    let item = i64::from(uid);
    let (mut header, mut received_at, mut marks) = (None, None, Marks::default());
    for attribute in attributes {
        match attribute {
            AttributeValue::BodySection { section: Some(SectionPath::Part(..)), .. } => {}
            AttributeValue::BodySection { data, .. } => header = Some(data),
            AttributeValue::InternalDate(date) => received_at = internal_date(date),
            AttributeValue::GmailThrId(thread) => marks.thread = Some(*thread),
            AttributeValue::GmailLabels(found) => {
                if labels.exclude(found) {
                    return Some((uid, RawItem::Excluded { item }));
                }
                marks.sent = Some(sent(found));
            }
            _ => {}
        }
    }
    // Not one byte, not even the empty line that ends every header: it has not been read.
    let Some(data) = header?.as_ref().filter(|data| !data.is_empty()) else {
        let why = "the server has no header for it".to_owned();
        return Some((uid, RawItem::Unreadable { item, why }));
    };
    let header = data.get(..HEADER_BYTES).unwrap_or(data);
    let header = match largest {
        Header::Fields => header.to_vec(),
        Header::Whole => used(header, FIELDS),
    };
    Some((uid, RawItem::Message { item, received_at, header, marks, calendar: None }))
}

impl Labels {
    /// Whether a message under these labels must not be read: a draft, which nobody has sent, or
    /// one under an excluded label. Labels are as people see them or as mailboxes are on the wire.
    fn exclude(&self, found: &[Cow<'_, str>]) -> bool {
        let Self::Excluding(excluded) = self else { return false };
        found.iter().any(|label| {
            let label = unescaped(label);
            label.eq_ignore_ascii_case("\\Draft")
                || excluded.iter().any(|name| covers(name, &label, "/"))
        })
    }
}

/// Whether the owner has sent it: Gmail puts its own label on that.
fn sent(labels: &[Cow<'_, str>]) -> Sent {
    let by_owner = labels.iter().any(|label| unescaped(label).eq_ignore_ascii_case("\\Sent"));
    if by_owner { Sent::ByOwner } else { Sent::ByOthers }
}

fn uid(attribute: &AttributeValue<'_>) -> Option<u32> {
    match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    }
}

fn size(item: &RawItem) -> usize {
    let header = match item {
        RawItem::Message { header, .. } => header.len(),
        _ => 0,
    };
    header.saturating_add(size_of::<(u32, RawItem)>())
}

/// ` 1-Nov-2026 08:15:00 +0100` (RFC 9051, date-time).
fn internal_date(text: &str) -> Option<Timestamp> {
    // Every message has one: the form is read once.
    static FORM: LazyLock<Vec<Item<'static>>> =
        LazyLock::new(|| StrftimeItems::new("%d-%b-%Y %H:%M:%S %z").collect());
    let mut parsed = Parsed::new();
    format::parse(&mut parsed, text.trim(), FORM.iter()).ok()?;
    Some(Timestamp::from_seconds(parsed.to_datetime().ok()?.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_dates_are_read() {
        for (text, expected) in [
            ("21-Nov-2026 08:00:00 +0000", Some("2026-11-21T08:00:00Z")),
            (" 1-Nov-2026 08:15:00 +0100", Some("2026-11-01T07:15:00Z")),
            ("31-Feb-2026 08:15:00 +0100", None),
            ("", None),
        ] {
            let expected = expected.map(|at| at.parse().unwrap());
            assert_eq!(internal_date(text), expected, "{text}");
        }
    }
}
