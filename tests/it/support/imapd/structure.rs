//! Parts of a message: their structure as a server tells it (RFC 9051, 7.5.2), and their bytes.

use std::fmt::Write;

use mail_parser::{Encoding, Message, MessageParser, MimeHeaders, PartType};

/// BODYSTRUCTURE, with extension data that most servers send.
pub(super) fn of(message: &[u8]) -> String {
    let parsed = MessageParser::default().parse(message).unwrap();
    let mut out = String::new();
    write(&parsed, 0, &mut out);
    out
}

/// The bytes of a part such as `1.2`, as they travel.
pub(super) fn part(message: &[u8], section: &str) -> Option<Vec<u8>> {
    let parsed = MessageParser::default().parse(message)?;
    let mut id = 0;
    for number in section.split('.') {
        let number: usize = number.parse().ok()?;
        id = match &parsed.parts.get(usize::try_from(id).ok()?)?.body {
            PartType::Multipart(parts) => *parts.get(number.checked_sub(1)?)?,
            _ if number == 1 => id,
            _ => return None,
        };
    }
    Some(message.get(range(&parsed, id))?.to_vec())
}

fn range(parsed: &Message<'_>, id: u32) -> std::ops::Range<usize> {
    let part = &parsed.parts[id as usize];
    part.offset_body as usize..part.offset_end as usize
}

fn write(parsed: &Message<'_>, id: u32, out: &mut String) {
    let part = &parsed.parts[id as usize];
    let kind = part.content_type();
    let subtype = kind.and_then(|kind| kind.subtype()).unwrap_or("plain");
    if let PartType::Multipart(parts) = &part.body {
        out.push('(');
        parts.iter().for_each(|part| write(parsed, *part, out));
        let _ = write!(out, " \"{subtype}\" (\"boundary\" \"b\") NIL NIL)");
        return;
    }
    let top = kind.map_or("text", |kind| kind.ctype());
    let attributes = kind.and_then(|kind| kind.attributes()).into_iter().flatten();
    let parameters: Vec<String> =
        attributes.map(|one| format!("\"{}\" \"{}\"", one.name, one.value)).collect();
    let parameters = match parameters.as_slice() {
        [] => "NIL".to_owned(),
        some => format!("({})", some.join(" ")),
    };
    let encoding = match part.encoding {
        Encoding::None => "7bit",
        Encoding::QuotedPrintable => "quoted-printable",
        Encoding::Base64 => "base64",
    };
    let octets = range(parsed, id).len();
    let lines = if top.eq_ignore_ascii_case("text") { " 1" } else { "" };
    let _ = write!(
        out,
        "(\"{top}\" \"{subtype}\" {parameters} NIL NIL \"{encoding}\" {octets}{lines} \
         NIL NIL NIL NIL)"
    );
}
