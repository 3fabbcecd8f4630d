//! Mail as it lies in a salesman's mailbox, the same on every run.
//!
//! Threads between one rep and contacts of several companies, with newsletters and notifications in
//! between; each message with the 1 to 3 KiB of Received, DKIM and ARC lines that real ones carry,
//! so that choosing header fields matters. Bodies are one line.

use std::fmt::Write;

/// The rep whose mailbox it is.
pub(crate) const REP: &str = "ann@us.example";

/// The first message's date: 2024-01-01T00:00:00Z.
const FIRST_S: u64 = 1_704_067_200;

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// `INBOX` or `Sent`.
    pub(crate) mailbox: &'static str,
    /// When it was sent, in seconds since the epoch.
    pub(crate) at: u64,
    /// Its Message-ID, without brackets.
    pub(crate) id: String,
    /// The whole message.
    pub(crate) bytes: Vec<u8>,
}

/// A stream of numbers that look drawn (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// `count` messages in order of time, about twenty minutes apart.
pub(crate) fn mailbox(seed: u64, count: usize) -> Vec<Mail> {
    mailbox_since(seed, count, FIRST_S)
}

/// The same from another day on.
pub(crate) fn mailbox_since(seed: u64, count: usize, first: u64) -> Vec<Mail> {
    let mut draw = Draw::new(seed);
    let mut threads: Vec<Thread> = Vec::new();
    let mut at = first;
    let mut mails = Vec::with_capacity(count);
    for number in 0..count {
        at += 600 + draw.below(1200);
        let mail = match draw.below(10) {
            0 | 1 => newsletter(&mut draw, number, at),
            2..=5 if !threads.is_empty() => {
                let open = threads.len().min(40) as u64;
                let place = threads.len() - 1 - usize::try_from(draw.below(open)).unwrap();
                threads[place].reply(&mut draw, number, at)
            }
            _ => {
                let mut thread = Thread::new(&mut draw);
                let mail = thread.reply(&mut draw, number, at);
                threads.push(thread);
                mail
            }
        };
        mails.push(mail);
    }
    mails
}

/// A letter between ann and an outsider, in a mailbox, answering another or none.
pub(crate) fn letter(
    mailbox: &'static str,
    [from, to]: [&str; 2],
    at: u64,
    id: &str,
    answers: Option<&str>,
) -> Mail {
    let mut fields = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: About {id}\r\n");
    if let Some(parent) = answers {
        let _ = write!(fields, "In-Reply-To: <{parent}>\r\nReferences: <{parent}>\r\n");
    }
    mail(&mut Draw::new(at), mailbox, at, id.to_owned(), &fields)
}

/// A letter to `contact` and its answer an hour later, every week, so many times; the last answer
/// is at `last`.
pub(crate) fn weekly(contact: &str, weeks: u64, last: u64) -> Vec<Mail> {
    const WEEK_S: u64 = 7 * 86_400;
    let mut mails = Vec::new();
    for week in (0..weeks).rev() {
        let answered = last - week * WEEK_S;
        let (question, answer) = (format!("{week}.q.{contact}"), format!("{week}.a.{contact}"));
        mails.push(letter("Sent", [REP, contact], answered - 3600, &question, None));
        mails.push(letter("INBOX", [contact, REP], answered, &answer, Some(&question)));
    }
    mails
}

const NAMES: &[&str] = &[
    "Bo Li",
    "Carla Núñez",
    "Dieter Groß",
    "Eve Adams",
    "Farid Haddad",
    "Grace Obi",
    "Hana Satō",
    "Ivan Petrov",
    "Jürgen Müller",
    "Kate O'Brien",
    "Luis Costa",
    "Mia Larsen",
];
const COMPANIES: &[&str] =
    &["acme.example", "globex.example", "initech.example", "umbrella.example", "hooli.example"];
const SUBJECTS: &[&str] = &[
    "Quarterly review",
    "Angebot für 2025",
    "Pricing question",
    "Next steps",
    "Kick-off agenda",
    "Contract draft",
    "Demo on Thursday",
    "Renewal",
];

#[derive(Clone, Debug)]
struct Thread {
    contact: String,
    address: String,
    subject: String,
    ids: Vec<String>,
    outbound: bool,
}

impl Thread {
    fn new(draw: &mut Draw) -> Self {
        let name = draw.of(NAMES);
        let local: String = name
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphabetic() { c } else { '.' })
            .collect();
        Self {
            contact: name.to_owned(),
            address: format!("{local}{}@{}", draw.below(30), draw.of(COMPANIES)),
            subject: draw.of(SUBJECTS).to_owned(),
            ids: Vec::new(),
            outbound: draw.below(2) == 0,
        }
    }

    fn reply(&mut self, draw: &mut Draw, number: usize, at: u64) -> Mail {
        let contact = format!("{} <{}>", encoded(&self.contact), self.address);
        let rep = format!("Ann Lee <{REP}>");
        let (from, to) = if self.outbound { (rep, contact) } else { (contact, rep) };
        let mut fields = format!("From: {from}\r\nTo: {to}\r\n");
        if draw.below(4) == 0 {
            let _ = write!(fields, "Cc: <team{}@{}>\r\n", draw.below(5), draw.of(COMPANIES));
        }
        let prefix = if self.ids.is_empty() { "" } else { "Re: " };
        let _ = write!(fields, "Subject: {}\r\n", encoded(&format!("{prefix}{}", self.subject)));
        if let Some(parent) = self.ids.last() {
            let all: Vec<String> = self.ids.iter().map(|id| format!("<{id}>")).collect();
            let _ =
                write!(fields, "In-Reply-To: <{parent}>\r\nReferences: {}\r\n", all.join("\r\n "));
        }
        let mailbox = if self.outbound { "Sent" } else { "INBOX" };
        let id = format!("{number:08x}.{:016x}@mail.example", draw.next());
        self.ids.push(id.clone());
        if self.ids.len() > 20 {
            self.ids.remove(0);
        }
        self.outbound = !self.outbound;
        mail(draw, mailbox, at, id, &fields)
    }
}

fn newsletter(draw: &mut Draw, number: usize, at: u64) -> Mail {
    let company = draw.of(COMPANIES);
    let id = format!("{number:08x}.{:016x}@news.{company}", draw.next());
    let fields = format!(
        "From: News <news@news.{company}>\r\nTo: {REP}\r\nSubject: This week\r\n\
         List-Id: <weekly.news.{company}>\r\nPrecedence: bulk\r\n\
         List-Unsubscribe: <https://news.{company}/u/{:x}>\r\n",
        draw.next()
    );
    mail(draw, "INBOX", at, id, &fields)
}

fn mail(draw: &mut Draw, mailbox: &'static str, at: u64, id: String, fields: &str) -> Mail {
    let date = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
    let date = date.format("%a, %d %b %Y %H:%M:%S +0000");
    let mut text = format!("Return-Path: <bounce-{:x}@mail.example>\r\n", draw.next());
    for hop in 0..2 + draw.below(4) {
        let _ = write!(
            text,
            "Received: from mx{hop}.mail.example (mx{hop}.mail.example [192.0.2.{}])\r\n\
             \tby relay{hop}.us.example (Postfix) with ESMTPS id {:016X}\r\n\
             \tfor <{REP}>; {date}\r\n",
            draw.below(255),
            draw.next()
        );
    }
    let _ = write!(
        text,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=mail.example; s=s1;\r\n\
         \th=from:to:subject:date:message-id; bh={};\r\n\tb={}\r\n",
        noise(draw, 3),
        noise(draw, 21)
    );
    for _ in 0..draw.below(3) {
        let _ = write!(text, "X-Diagnostics: {}\r\n", noise(draw, 24));
    }
    let _ = write!(
        text,
        "{fields}Date: {date}\r\nMessage-ID: <{id}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n"
    );
    Mail { mailbox, at, id, bytes: text.into_bytes() }
}

fn noise(draw: &mut Draw, words: usize) -> String {
    (0..words).map(|_| format!("{:016x}", draw.next())).collect()
}

/// A phrase as a header carries it (RFC 2047).
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let hex: String = text.bytes().map(|byte| format!("={byte:02X}")).collect();
    format!("=?utf-8?Q?{hex}?=")
}
