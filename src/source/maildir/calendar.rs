//! The calendar part of a message in a file, where its header says that it has one.
//!
//! Bounded: 1 MiB of the file is looked at, and nothing where that has more parts than mail has;
//! the parser follows messages within messages until the stack is full. What cannot be read is no
//! calendar part: the message stands without it.

use std::fs::File;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::Path;

use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};

use crate::normalise::invitation::{Announced, MAX_BYTES, announced, is_calendar};

/// The most that is read of a file, in bytes.
const FILE_BYTES: u64 = 1 << 20;

/// Each part within another has this field, but at the outermost places.
const FIELD: &[u8] = b"content-type";

/// A message with more parts is not looked at. An invitation has three or four.
const MOST_PARTS: usize = 200;

/// The calendar part of the message in a file, its transfer encoding undone.
pub(super) fn part(path: &Path, header: &[u8]) -> Option<Vec<u8>> {
    let said = announced(header);
    if said == Announced::No {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(FILE_BYTES).read_to_end(&mut bytes).ok()?;
    let fields = bytes.windows(FIELD.len()).filter(|at| at.eq_ignore_ascii_case(FIELD)).count();
    if fields > MOST_PARTS {
        return None;
    }
    catch_unwind(|| find(&bytes, said)).ok().flatten()
}

/// The part that says by its `method` that it is an invitation, else the first that may be one.
fn find(message: &[u8], said: Announced) -> Option<Vec<u8>> {
    let message = MessageParser::new().with_mime_headers().parse(message)?;
    let calendars = message.parts.iter().filter(|part| is_calendar(&kind(part)));
    let by_method = |part: &&MessagePart<'_>| {
        part.content_type().is_some_and(|kind| kind.attribute("method").is_some())
    };
    let found = calendars.clone().find(by_method).or_else(|| {
        let mut others = calendars.filter(|_| said == Announced::Plainly);
        others.next()
    });
    let bytes = match &found?.body {
        PartType::Text(text) | PartType::Html(text) => text.as_bytes(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.as_ref(),
        PartType::Message(_) | PartType::Multipart(_) => return None,
    };
    (bytes.len() <= MAX_BYTES).then(|| bytes.to_vec())
}

fn kind(part: &MessagePart<'_>) -> String {
    let of = part.content_type();
    let kind = of.map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()));
    kind.unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "Content-class: urn:content-classes:calendarmessage\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n";
    const USUAL: &str = "Subject: Accepted: x\r\nContent-Type: multipart/mixed; boundary=b\r\n";

    fn multipart(header: &str, parts: &[&str]) -> String {
        let parts: String = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
        format!("{header}\r\n{parts}--b--\r\n")
    }

    #[test]
    fn the_part_that_says_that_it_is_an_invitation_is_found() {
        let text = "Content-Type: text/plain\r\n\r\nhello";
        let with_method = "Content-Type: Text/Calendar; method=REQUEST\r\n\r\nyes";
        let without = "Content-Type: text/calendar\r\n\r\nplain";
        let base64 = "Content-Type: text/calendar; method=REPLY\r\n\
            Content-Transfer-Encoding: base64\r\n\r\neWVz";
        let quoted = "Content-Type: text/calendar; method=REPLY\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\ny=65=\r\ns";
        let file = "Content-Type: application/ics\r\nContent-Transfer-Encoding: base64\r\n\r\neWVz";
        let forwarded = "Content-Type: message/rfc822\r\n\r\nContent-Type: text/calendar; \
            method=REQUEST\r\n\r\nno";
        let long = format!("{with_method}{}", "x".repeat(MAX_BYTES));
        let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(30_000);
        for (what, message, expected) in [
            ("all of it", "Content-Type: text/calendar\r\n\r\nyes".to_owned(), Some("yes")),
            ("a part", multipart(MIXED, &[text, with_method]), Some("yes")),
            ("base64", multipart(MIXED, &[text, base64]), Some("yes")),
            ("quoted", multipart(MIXED, &[text, quoted]), Some("yes")),
            ("by its method", multipart(MIXED, &[without, with_method]), Some("yes")),
            ("without", multipart(MIXED, &[text, without]), Some("plain")),
            ("a file", multipart(MIXED, &[text, file]), Some("yes")),
            ("perhaps one", multipart(USUAL, &[text, with_method]), Some("yes")),
            ("perhaps, and no method", multipart(USUAL, &[text, without]), None),
            ("a forwarded one", multipart(USUAL, &[text, forwarded]), None),
            ("none", multipart(MIXED, &[text]), None),
            ("too long", multipart(MIXED, &[&long]), None),
            ("too deep", multipart(MIXED, &[&deep]), None),
            (
                "a letter",
                multipart("Content-Type: multipart/mixed; boundary=b\r\n", &[base64]),
                None,
            ),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("message");
            std::fs::write(&path, &message).unwrap();
            let (header, _) = message.split_once("\r\n\r\n").unwrap();
            let found = part(&path, header.as_bytes());
            let found = found.map(|bytes| String::from_utf8(bytes).unwrap().trim().to_owned());
            assert_eq!(found.as_deref(), expected, "{what}");
        }
    }
}
