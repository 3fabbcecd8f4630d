//! FETCH: which messages, and what of them.

use std::ops::RangeInclusive;

use super::mail::{Letter, Mailbox};
use super::structure;

/// What the numbers of a set count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Number,
    Uid,
}

/// The untagged answers to `SET ITEMS` (RFC 9051, 6.4.5); `None` if that is not understood.
pub(super) fn fetch(mailbox: &Mailbox, arguments: &str, by: By) -> Option<Vec<u8>> {
    let (set, items) = arguments.split_once(' ')?;
    let items = items.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(items);
    let mut items = split(items);
    if by == By::Uid && !items.contains(&"UID") {
        items.insert(0, "UID");
    }
    let mut out = Vec::new();
    for range in set.split(',') {
        for number in numbers(mailbox, range, by)? {
            one(mailbox, number, &items, &mut out)?;
        }
    }
    Some(out)
}

/// The sequence numbers that a range of a set names.
fn numbers(mailbox: &Mailbox, range: &str, by: By) -> Option<RangeInclusive<u32>> {
    let exists = mailbox.exists();
    let last = match by {
        By::Number => exists,
        By::Uid => mailbox.uid(exists).unwrap_or(0),
    };
    let end = |text: &str| if text == "*" { Some(last) } else { text.parse::<u32>().ok() };
    let (a, b) = range.split_once(':').unwrap_or((range, range));
    let (a, b) = (end(a)?, end(b)?);
    let (low, high) = (a.min(b), a.max(b));
    let (low, high) = match by {
        By::Number => (low.max(1), high),
        By::Uid => (mailbox.number(low), mailbox.number(high.checked_add(1)?) - 1),
    };
    Some(low..=high.min(exists))
}

/// Items at the top level, which contain blanks only within brackets.
fn split(items: &str) -> Vec<&str> {
    let mut depth = 0;
    let ends = move |c: char| {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            _ => {}
        }
        c == ' ' && depth == 0
    };
    items.split(ends).collect()
}

fn one(mailbox: &Mailbox, number: u32, items: &[&str], out: &mut Vec<u8>) -> Option<()> {
    let uid = mailbox.uid(number)?;
    let letter = if items == ["UID"] { None } else { mailbox.letter(number) };
    out.extend(format!("* {number} FETCH (").bytes());
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        match letter.as_ref() {
            _ if *item == "UID" => out.extend(format!("UID {uid}").bytes()),
            Some(letter) => of_letter(uid, letter, item, out)?,
            None => return None,
        }
    }
    out.extend(b")\r\n");
    Some(())
}

fn of_letter(uid: u32, letter: &Letter, item: &str, out: &mut Vec<u8>) -> Option<()> {
    match item {
        "FLAGS" => out.extend(b"FLAGS (\\Seen)"),
        "RFC822.SIZE" => out.extend(format!("RFC822.SIZE {}", letter.header.len()).bytes()),
        "INTERNALDATE" => {
            let at = chrono::DateTime::from_timestamp(i64::try_from(letter.at).unwrap(), 0)?;
            let date = at.format("INTERNALDATE \"%e-%b-%Y %H:%M:%S +0000\"");
            out.extend(date.to_string().bytes());
        }
        "X-GM-MSGID" | "X-GM-THRID" | "X-GM-LABELS" => {
            let gmail = letter.gmail.as_ref();
            let value = match item {
                "X-GM-MSGID" => gmail.map_or(u64::from(uid), |gmail| gmail.message).to_string(),
                "X-GM-THRID" => gmail.map_or(u64::from(uid), |gmail| gmail.thread).to_string(),
                _ => format!("({})", gmail.map_or("", |gmail| gmail.labels.as_str())),
            };
            out.extend(format!("{item} {value}").bytes());
        }
        "BODYSTRUCTURE" => {
            let text = structure::of(&letter.message());
            out.extend(format!("BODYSTRUCTURE {text}").bytes());
        }
        _ => section(letter, item, out)?,
    }
    Some(())
}

/// `BODY.PEEK[HEADER]`, `BODY.PEEK[HEADER.FIELDS (A B)]` or `BODY.PEEK[1.2]`, with or without `<0.n>`.
fn section(letter: &Letter, item: &str, out: &mut Vec<u8>) -> Option<()> {
    let (what, partial) = item.strip_prefix("BODY.PEEK[")?.rsplit_once(']')?;
    let mut bytes = match what.strip_prefix("HEADER.FIELDS (") {
        Some(names) => fields(&letter.header, names.strip_suffix(')')?),
        None if what == "HEADER" => letter.header.to_vec(),
        None => structure::part(&letter.message(), what)?,
    };
    let mut origin = "";
    if let Some(most) = partial.strip_prefix("<0.") {
        bytes.truncate(most.strip_suffix('>')?.parse().ok()?);
        origin = "<0>";
    }
    out.extend(format!("BODY[{what}]{origin} {{{}}}\r\n", bytes.len()).bytes());
    out.extend(bytes);
    Some(())
}

/// The fields of a header with these names, folded lines included, and the empty line.
fn fields(header: &[u8], names: &str) -> Vec<u8> {
    let names: Vec<&str> = names.split(' ').collect();
    let (mut kept, mut keeps) = (Vec::new(), false);
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            keeps = names.iter().any(|of| of.as_bytes().eq_ignore_ascii_case(name));
        }
        if keeps {
            kept.extend(line);
        }
    }
    kept.extend(b"\r\n");
    kept
}
