//! Calendar parts of messages whose headers announce one: where they are, by BODYSTRUCTURE, and
//! what they say.
//!
//! Bounded: parts of up to 256 KiB by the server's word and by ours, some MiB of them in one window,
//! and structures as deep as `guard` lets pass. Whatever is odd leaves a message without its part.
//! What a server mixes in of the windows that were asked ahead goes to them.

use std::collections::{BTreeMap, HashMap};

use async_imap::imap_proto::{
    AttributeValue, BodyContentCommon, BodyContentSinglePart, BodyStructure, ContentEncoding,
    Response, SectionPath,
};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

use super::{Flight, Header, Labels, Trouble, trouble, uid};
use crate::model::RawItem;
use crate::normalise::invitation::{Announced, MAX_BYTES, announced, is_calendar};
use crate::source::imap::session::Conversation;

/// UIDs in one command: servers take lines of a thousand characters (RFC 2683, 3.2.1.5).
const AT_ONCE: usize = 100;

/// The most that is fetched for one window, in bytes; an invitation has some KiB.
const WINDOW_BYTES: usize = 8 << 20;

/// A message that announces an invitation, and how.
pub(in crate::source::imap) type Asked = (u32, Announced);

/// The calendar parts of a window's messages, by UID.
#[derive(Debug, Default)]
pub(in crate::source::imap) struct Parts {
    found: HashMap<u32, Vec<u8>>,
    bytes: usize,
}

/// Where in a message a calendar part is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: Vec<u32>,
    encoding: Encoding,
    octets: usize,
    method: Method,
}

/// Whether a part says what is to be done with it (RFC 6047, 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Stated,
    Missing,
}

/// How the bytes of a part were made to travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

/// The messages that announce an invitation, as many at a time as one command asks for.
pub(in crate::source::imap) fn announcing(items: &[RawItem]) -> Vec<Vec<Asked>> {
    let asked = items.iter().filter_map(|item| {
        let RawItem::Message { item, header, .. } = item else { return None };
        let said = announced(header);
        (said != Announced::No).then_some((u32::try_from(*item).ok()?, said))
    });
    let asked: Vec<Asked> = asked.collect();
    asked.chunks(AT_ONCE).map(<[Asked]>::to_vec).collect()
}

impl Parts {
    /// Gives messages their parts.
    pub(in crate::source::imap) fn give_to(mut self, items: &mut [RawItem]) {
        for item in items {
            if let RawItem::Message { item, calendar, .. } = item {
                *calendar = u32::try_from(*item).ok().and_then(|uid| self.found.remove(&uid));
            }
        }
    }

    /// Makes room for a part that has so many bytes.
    fn reserve(&mut self, octets: usize) -> Option<()> {
        self.bytes = self.bytes.checked_add(octets).filter(|bytes| *bytes <= WINDOW_BYTES)?;
        Some(())
    }
}

impl Flight {
    /// Fetches the calendar parts of messages: where they are, then each place by one command.
    pub(in crate::source::imap) async fn calendars(
        &mut self,
        conversation: &mut Conversation,
        asked: &[Asked],
        labels: &Labels,
        parts: &mut Parts,
    ) -> Result<(), Trouble> {
        let mut places: BTreeMap<Vec<u32>, HashMap<u32, Encoding>> = BTreeMap::new();
        let command = format!("UID FETCH {} (UID BODYSTRUCTURE)", set(asked.iter().map(|a| a.0)));
        self.run(conversation, &command, labels, |uid, attribute| {
            let said = asked.iter().find(|(of, _)| *of == uid).map(|(_, said)| *said);
            if let (Some(said), AttributeValue::BodyStructure(body)) = (said, attribute)
                && let Some(place) = place(body, said)
                && parts.reserve(place.octets).is_some()
            {
                places.entry(place.path).or_default().insert(uid, place.encoding);
            }
        })
        .await?;
        for (path, encodings) in places {
            let section: Vec<String> = path.iter().map(u32::to_string).collect();
            let (uids, section) = (set(encodings.keys().copied()), section.join("."));
            let command = format!("UID FETCH {uids} (UID BODY.PEEK[{section}]<0.{MAX_BYTES}>)");
            self.run(conversation, &command, labels, |uid, attribute| {
                if let AttributeValue::BodySection { section, data: Some(data), .. } = attribute
                    && matches!(section, Some(SectionPath::Part(of, None)) if *of == path)
                    && let Some(encoding) = encodings.get(&uid)
                    && let Some(bytes) = decoded(data, *encoding)
                {
                    parts.found.insert(uid, bytes);
                }
            })
            .await?;
        }
        Ok(())
    }

    /// Runs a command, showing what is said of each message; what belongs to windows that were asked
    /// ahead is kept for them.
    async fn run(
        &mut self,
        conversation: &mut Conversation,
        command: &str,
        labels: &Labels,
        mut seen: impl FnMut(u32, &AttributeValue<'_>),
    ) -> Result<(), Trouble> {
        let largest = self.largest(Header::Fields);
        let sent = conversation.send(command).await.map_err(trouble)?;
        let done = conversation.finish(sent, &[], |response| {
            if let Response::Fetch(_, attributes) = response {
                if let Some(uid) = attributes.iter().find_map(uid) {
                    attributes.iter().for_each(|attribute| seen(uid, attribute));
                }
                self.keep(attributes, (labels, largest), None);
            }
            Ok(())
        });
        done.await.map_err(trouble)
    }
}

/// A set of UIDs as a command has it.
fn set(uids: impl Iterator<Item = u32>) -> String {
    let mut uids: Vec<u32> = uids.collect();
    uids.sort_unstable();
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// The part that says by its `method` that it is an invitation, else the first that may be one.
fn place(body: &BodyStructure<'_>, said: Announced) -> Option<Place> {
    let mut places = Vec::new();
    walk(body, &mut Vec::new(), &mut places);
    let stated = places.iter().position(|place| place.method == Method::Stated);
    let first = Some(0).filter(|_| said == Announced::Plainly);
    let place = places.into_iter().nth(stated.or(first)?)?;
    (place.octets <= MAX_BYTES).then_some(place)
}

/// Every calendar part, in order. What is in a message that is forwarded is not this one's.
fn walk(body: &BodyStructure<'_>, path: &mut Vec<u32>, places: &mut Vec<Place>) {
    match body {
        BodyStructure::Multipart { bodies, .. } => {
            for (number, part) in (1..).zip(bodies) {
                path.push(number);
                walk(part, path, places);
                path.pop();
            }
        }
        BodyStructure::Basic { common, other, .. } | BodyStructure::Text { common, other, .. } => {
            places.extend(leaf(common, other, path));
        }
        BodyStructure::Message { .. } => {}
    }
}

fn leaf(
    common: &BodyContentCommon<'_>,
    other: &BodyContentSinglePart<'_>,
    path: &[u32],
) -> Option<Place> {
    let kind = format!("{}/{}", common.ty.ty, common.ty.subtype).to_ascii_lowercase();
    let encoding = match other.transfer_encoding {
        ContentEncoding::Base64 => Encoding::Base64,
        ContentEncoding::QuotedPrintable => Encoding::QuotedPrintable,
        _ => Encoding::Plain,
    };
    let mut parameters = common.ty.params.iter().flatten();
    let stated = parameters.any(|(name, _)| name.eq_ignore_ascii_case("method"));
    let method = if stated { Method::Stated } else { Method::Missing };
    let octets = usize::try_from(other.octets).unwrap_or(usize::MAX);
    // A message that is not of parts has one (RFC 9051, 6.4.5).
    let path = if path.is_empty() { vec![1] } else { path.to_vec() };
    is_calendar(&kind).then_some(Place { path, encoding, octets, method })
}

fn decoded(data: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    if data.len() > MAX_BYTES {
        return None;
    }
    match encoding {
        Encoding::Plain => Some(data.to_vec()),
        Encoding::Base64 => base64_decode(data),
        Encoding::QuotedPrintable => quoted_printable_decode(data),
    }
}

#[cfg(test)]
mod tests;
