//! A message of the story as bytes: the header block that a mail server would have stored.
//!
//! Line ends are LF, as in a Maildir; there is no body.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{FixedOffset, TimeZone, Utc};
use chrono_tz::Tz;

use super::AUTHSERV_ID;
use super::cast::{Client, HOME};
use super::story::{Folder, Genre, Mail, Party, Who};
use crate::model::Timestamp;

/// The header block of one copy, ended by an empty line.
pub(super) fn header(mail: &Mail, folder: Folder, zone: Tz) -> String {
    let mut text = String::with_capacity(1024);
    let received = !matches!(folder, Folder::Sent | Folder::Drafts);
    if received {
        trace(&mut text, mail);
    }
    field(&mut text, "Date", &date(mail.at, mail.offset, zone));
    field(&mut text, "From", &party(&mail.from));
    field(&mut text, "To", &parties(mail));
    if !mail.cc.is_empty() {
        field(&mut text, "Cc", &list(&mail.cc));
    }
    field(&mut text, "Subject", &phrase(&mail.subject));
    field(&mut text, "Message-ID", &format!("<{}>", mail.id));
    if mail.genre != Genre::BareReply {
        answers(&mut text, mail);
    }
    if mail.client == Client::Outlook {
        outlook(&mut text, mail);
    }
    nature(&mut text, mail, received);
    text.push('\n');
    text
}

/// What the own server wrote on top when the message came in.
fn trace(text: &mut String, mail: &Mail) {
    let sender = mail.from.address.as_str();
    let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
    let path = if mail.genre == Genre::Bounce { "" } else { sender };
    field(text, "Return-Path", &format!("<{path}>"));
    let by = format!(
        "from mail.{domain} ([192.0.2.{}])\n\tby {AUTHSERV_ID} with ESMTPS; {}",
        domain.len(),
        date(mail.at, None, chrono_tz::UTC)
    );
    field(text, "Received", &by);
    let verdict = match mail.genre {
        Genre::Forged | Genre::Spam => "fail",
        _ => "pass",
    };
    let checks = format!(
        "{AUTHSERV_ID};\n\tspf={verdict} smtp.mailfrom={domain};\n\tdkim={verdict} \
         header.d={domain};\n\tdmarc={verdict} header.from={domain}"
    );
    field(text, "Authentication-Results", &checks);
}

fn answers(text: &mut String, mail: &Mail) {
    let Some(last) = mail.answers.last() else { return };
    field(text, "In-Reply-To", &format!("<{last}>"));
    let all: Vec<String> = mail.answers.iter().map(|id| format!("<{id}>")).collect();
    field(text, "References", &all.join("\n "));
}

/// Outlook's own way to name a thread (MS-OXOMSG: 22 bytes, then 5 for each answer).
fn outlook(text: &mut String, mail: &Mail) {
    let topic = mail.subject.trim_start_matches("Re: ");
    field(text, "Thread-Topic", &phrase(topic));
    let root = mail.answers.first().unwrap_or(&mail.id);
    let mut index: Vec<u8> = [1].into_iter().chain(root.bytes().cycle().take(21)).collect();
    index.extend(mail.answers.iter().flat_map(|id| id.bytes().take(5)));
    field(text, "Thread-Index", &STANDARD.encode(index));
}

/// What kind of message it says it is.
fn nature(text: &mut String, mail: &Mail, received: bool) {
    match mail.genre {
        Genre::Newsletter => {
            field(text, "List-Id", &format!("<{}>", mail.from.address.replace('@', ".")));
            let leave = "<https://lists.example/leave?u=4711>";
            field(text, "List-Unsubscribe", leave);
            field(text, "Precedence", "bulk");
        }
        Genre::Robot => field(text, "Auto-Submitted", "auto-generated"),
        Genre::Bounce | Genre::AutoReply => field(text, "Auto-Submitted", "auto-replied"),
        Genre::Hidden if !received => {
            field(text, "Bcc", "greta.hale@redwharf.example, uma.costa@opalgrid.example");
        }
        _ => {}
    }
    field(text, "MIME-Version", "1.0");
    let content = match mail.genre {
        Genre::Bounce => "multipart/report; report-type=delivery-status;\n\tboundary=\"=_report\"",
        Genre::Invitation(method) => {
            return field(text, "Content-Type", &calendar_type(method));
        }
        _ => "text/plain; charset=utf-8",
    };
    field(text, "Content-Type", content);
}

fn calendar_type(method: &str) -> String {
    format!("text/calendar; charset=utf-8; method={method}")
}

fn parties(mail: &Mail) -> String {
    if mail.to.is_empty() { "undisclosed-recipients:;".to_owned() } else { list(&mail.to) }
}

fn list(parties: &[Party]) -> String {
    parties.iter().map(party).collect::<Vec<_>>().join(",\n ")
}

fn party(party: &Party) -> String {
    match (party.name.as_str(), party.who) {
        ("", _) => party.address.clone(),
        (name, Who::Other) => format!("\"{name}\" <{}>", party.address),
        (name, _) if name.ends_with(')') => format!("\"{}\" <{}>", fold(name), party.address),
        (name, _) => format!("{} <{}>", phrase(name), party.address),
    }
}

/// Letters that a quoted string may hold; others are left out.
fn fold(name: &str) -> String {
    name.chars().filter(char::is_ascii).collect()
}

/// Words as a header may hold them: ASCII as it is, else an encoded word (RFC 2047), in Latin-1
/// if that will do and the length is odd, as both are met.
fn phrase(words: &str) -> String {
    let latin: Option<Vec<u8>> = words.chars().map(|letter| u8::try_from(letter).ok()).collect();
    match latin {
        _ if words.is_ascii() => words.to_owned(),
        Some(bytes) if bytes.len() % 2 == 1 => quoted(&bytes),
        _ => format!("=?utf-8?B?{}?=", STANDARD.encode(words)),
    }
}

fn quoted(latin: &[u8]) -> String {
    let mut word = String::from("=?iso-8859-1?Q?");
    for byte in latin {
        match byte {
            b' ' => word.push('_'),
            plain if plain.is_ascii_alphanumeric() => word.push(char::from(*plain)),
            other => _ = write!(word, "={other:02X}"),
        }
    }
    word + "?="
}

/// RFC 5322's date, on the clock of the sender.
fn date(at: Timestamp, offset_min: Option<i32>, zone: Tz) -> String {
    const FORM: &str = "%a, %d %b %Y %H:%M:%S %z";
    let utc = at.to_utc().unwrap_or_default();
    match offset_min.and_then(|minutes| FixedOffset::east_opt(minutes * 60)) {
        Some(offset) => offset.from_utc_datetime(&utc.naive_utc()).format(FORM).to_string(),
        None if zone == Tz::UTC => Utc.from_utc_datetime(&utc.naive_utc()).format(FORM).to_string(),
        None => utc.with_timezone(&zone).format(FORM).to_string(),
    }
}

fn field(text: &mut String, name: &str, value: &str) {
    _ = writeln!(text, "{name}: {value}");
}

/// The file's name in a Maildir: when, what number, and that it has been read.
pub(super) fn file_name(mail: &Mail, folder: Folder, number: usize) -> (&'static str, String) {
    let (seconds, micros) = (mail.at.seconds(), number * 37 % 1_000_000);
    let unique = format!("{seconds}.M{micros:06}P4711Q{number}.mx.{HOME}");
    match (folder, mail.genre) {
        (Folder::Inbox, Genre::Newsletter | Genre::Robot) if number.is_multiple_of(4) => {
            ("new", unique)
        }
        (Folder::Inbox, _) if !mail.answers.is_empty() && number.is_multiple_of(3) => {
            ("cur", format!("{unique}:2,RS"))
        }
        (Folder::Drafts, _) => ("cur", format!("{unique}:2,DS")),
        (Folder::Junk, _) => ("cur", format!("{unique}:2,")),
        _ => ("cur", format!("{unique}:2,S")),
    }
}
