//! A salesman's mail of several years, the same on every run, made one message at a time.
//!
//! Per 50,000 messages about 5,200 addresses, a few of them written with every week and most of
//! them once or twice; threads of a few messages, newsletters, old mail in an archive. Headers are
//! 3.1 KB in the mean, with the Received, DKIM and ARC lines of real ones; whole messages 36 KB:
//! most are text of a few KB, one in seven carries an attachment of up to 900 KB.

use std::collections::VecDeque;
use std::fmt::Write as _;

use crate::support::generate::{Draw, Mail, REP};

/// 2016-01-01T00:00:00Z.
const FIRST_S: u64 = 1_451_606_400;
/// The seconds over which the messages are spread: up to the end of 2025.
const YEARS_S: u64 = 10 * 365 * 86_400;
/// Conversations that may still be answered.
const OPEN: usize = 60;
/// Of a hundred messages, those from a robot or a newsletter.
const ROBOTS: u64 = 22;
/// Of a hundred messages, those that answer an open conversation.
const ANSWERS: u64 = 46;
/// Of a hundred people a new conversation is with, those who were never written with before.
const STRANGERS: u64 = 11;
/// Bytes of a line of a body with its end, and lines of text and of base64 to draw from.
const LINE: usize = 78;
const LINES: usize = 12_000;

const WORDS: [&str; 24] = [
    "quarter",
    "offer",
    "meeting",
    "draft",
    "review",
    "pricing",
    "agenda",
    "renewal",
    "contract",
    "demo",
    "timeline",
    "budget",
    "Angebot",
    "Termin",
    "Vertrag",
    "livraison",
    "factura",
    "status",
    "question",
    "workshop",
    "pilot",
    "roadmap",
    "support",
    "licence",
];
const FIRST_NAMES: [&str; 12] = [
    "Bo", "Carla", "Dieter", "Eve", "Farid", "Grace", "Hana", "Ivan", "Jürgen", "Kate", "Luis",
    "Mia",
];

/// Whether messages have their bodies: half a million would fill a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// Text and attachments.
    Whole,
    /// One line.
    OneLine,
}

/// An iterator over the messages, by time.
#[derive(Debug)]
pub(crate) struct Corpus {
    draw: Draw,
    number: usize,
    count: usize,
    bodies: Bodies,
    people: Vec<Human>,
    open: VecDeque<Conversation>,
    text: Vec<u8>,
    base64: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Human {
    name: String,
    address: String,
}

#[derive(Clone, Debug)]
struct Conversation {
    with: Vec<usize>,
    subject: String,
    ids: VecDeque<String>,
    outbound: bool,
}

/// What differs from message to message of the writer's kind.
struct Letter {
    mailbox: &'static str,
    id: String,
    fields: String,
}

/// `count` messages in INBOX, Sent, Archive and Junk.
pub(crate) fn corpus(seed: u64, count: usize, bodies: Bodies) -> Corpus {
    let mut draw = Draw::new(seed);
    let text = lines(&mut draw, |draw, line| {
        while line.len() < LINE {
            let word = WORDS[below(draw, WORDS.len())];
            let _ = write!(line, "{word}{} ", draw.below(200));
        }
    });
    let base64 = lines(&mut draw, |draw, line| {
        while line.len() < LINE {
            let _ = write!(line, "{:016x}", draw.next());
        }
    });
    Corpus {
        draw,
        number: 0,
        count,
        bodies,
        people: Vec::new(),
        open: VecDeque::new(),
        text,
        base64,
    }
}

impl Iterator for Corpus {
    type Item = Mail;

    fn next(&mut self) -> Option<Mail> {
        if self.number == self.count {
            return None;
        }
        let age = (self.number as u64) * YEARS_S / self.count as u64;
        let at = FIRST_S + age + self.draw.below(60);
        self.number += 1;
        let letter = match self.draw.below(100) {
            kind if kind < ROBOTS => self.robot(),
            kind if kind < ROBOTS + ANSWERS && !self.open.is_empty() => self.answer(),
            _ => self.opening(),
        };
        Some(self.mail(letter, at))
    }
}

impl Corpus {
    fn id(&mut self) -> String {
        format!("{:016x}.{:08x}@mail.example", self.draw.next(), self.number)
    }

    /// Of ten one is junk, four are notifications and five newsletters.
    fn robot(&mut self) -> Letter {
        let company = self.draw.below(40);
        let id = self.id();
        let mut fields = format!(
            "From: News <news@list{company}.example>\r\nTo: {REP}\r\nSubject: This week\r\n"
        );
        let mailbox = match self.draw.below(10) {
            0 => "Junk",
            1..=4 => "INBOX",
            _ => {
                let _ = write!(
                    fields,
                    "List-Id: <weekly.list{company}.example>\r\nPrecedence: bulk\r\n\
                     List-Unsubscribe: <https://list{company}.example/u/{:x}>\r\n",
                    self.draw.next()
                );
                "INBOX"
            }
        };
        if mailbox == "INBOX" && !fields.contains("List-Id") {
            fields.push_str("Auto-Submitted: auto-generated\r\n");
        }
        Letter { mailbox, id, fields }
    }

    fn opening(&mut self) -> Letter {
        let people = 1 + below(&mut self.draw, 5);
        let mut with: Vec<usize> = (0..people).map(|_| self.somebody()).collect();
        with.dedup();
        let words = [(); 3].map(|()| WORDS[below(&mut self.draw, WORDS.len())]);
        let conversation = Conversation {
            with,
            subject: format!("{} {}", words.join(" "), self.draw.below(1000)),
            ids: VecDeque::new(),
            outbound: self.draw.below(2) == 0,
        };
        self.open.push_back(conversation);
        if self.open.len() > OPEN {
            self.open.pop_front();
        }
        let last = self.open.len() - 1;
        self.letter(last)
    }

    fn answer(&mut self) -> Letter {
        let which = below(&mut self.draw, self.open.len());
        self.letter(which)
    }

    /// Somebody new, or somebody known: those met first are met most.
    fn somebody(&mut self) -> usize {
        let known = self.people.len();
        if known < 20 || self.draw.below(100) < STRANGERS {
            let name = FIRST_NAMES[below(&mut self.draw, FIRST_NAMES.len())];
            let company = known / 4;
            self.people.push(Human {
                name: format!("{name} Nr{known}"),
                address: format!("p{known}@c{company}.example"),
            });
            return known;
        }
        let (one, two) = (below(&mut self.draw, known), below(&mut self.draw, known));
        one * two / known
    }

    fn letter(&mut self, which: usize) -> Letter {
        let id = self.id();
        let cc = self.draw.below(5) == 0;
        let filed = self.draw.below(10) < 4;
        let colleague = self.draw.below(12);
        let conversation = &mut self.open[which];
        let mailbox = match (conversation.outbound, filed) {
            (true, _) => "Sent",
            (false, true) => "Archive",
            (false, false) => "INBOX",
        };
        // Those addressed by the rep take turns to answer.
        conversation.with.rotate_left(usize::from(!conversation.outbound));
        let mut others = conversation.with.iter().map(|n| written(&self.people[*n]));
        let (first, rest) = (others.next().unwrap(), others.collect::<Vec<_>>());
        let rep = format!("Ann Lee <{REP}>");
        let (from, to) = if conversation.outbound { (rep, first) } else { (first, rep) };
        let mut fields =
            format!("From: {from}\r\nTo: {}\r\n", [&[to], &rest[..]].concat().join(",\r\n "));
        if cc {
            let _ = write!(fields, "Cc: Colleague <c{colleague}@us.example>\r\n");
        }
        let prefix = if conversation.ids.is_empty() { "" } else { "Re: " };
        let _ = write!(fields, "Subject: {prefix}{}\r\n", conversation.subject);
        if let Some(parent) = conversation.ids.back() {
            let all: Vec<String> = conversation.ids.iter().map(|id| format!("<{id}>")).collect();
            let all = all.join("\r\n ");
            let _ = write!(fields, "In-Reply-To: <{parent}>\r\nReferences: {all}\r\n");
        }
        conversation.ids.push_back(id.clone());
        if conversation.ids.len() > 12 {
            conversation.ids.remove(1);
        }
        conversation.outbound = !conversation.outbound;
        Letter { mailbox, id, fields }
    }

    fn mail(&mut self, letter: Letter, at: u64) -> Mail {
        let date = chrono::DateTime::from_timestamp(i64::try_from(at).unwrap(), 0).unwrap();
        let date = date.format("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let mut bytes = hops(&mut self.draw, &date).into_bytes();
        let Letter { mailbox, id, fields } = letter;
        let head = format!("{fields}Date: {date}\r\nMessage-ID: <{id}>\r\nMIME-Version: 1.0\r\n");
        bytes.extend_from_slice(head.as_bytes());
        self.body(&mut bytes);
        Mail { mailbox, at, id, bytes }
    }

    /// The fields that describe the body, and it.
    fn body(&mut self, into: &mut Vec<u8>) {
        if self.bodies == Bodies::OneLine {
            return into.extend_from_slice(b"Content-Type: text/plain\r\n\r\nHello.\r\n");
        }
        let text = 1 + below(&mut self.draw, 90);
        let attached = match self.draw.below(100) {
            0..=2 => 2_500 + self.draw.below(7_000),
            3..=15 => 300 + self.draw.below(1_900),
            16..=35 => 50 + self.draw.below(300),
            _ => 0,
        };
        if attached == 0 {
            into.extend_from_slice(b"Content-Type: text/plain; charset=utf-8\r\n\r\n");
            return fill(&mut self.draw, &self.text, text, into);
        }
        into.extend_from_slice(
            b"Content-Type: multipart/mixed; boundary=\"=_part\"\r\n\r\n--=_part\r\n\
              Content-Type: text/plain; charset=utf-8\r\n\r\n",
        );
        fill(&mut self.draw, &self.text, text, into);
        into.extend_from_slice(
            b"--=_part\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n\
              Content-Disposition: attachment; filename=\"a.bin\"\r\n\
              Content-Transfer-Encoding: base64\r\n\r\n",
        );
        fill(&mut self.draw, &self.base64, usize::try_from(attached).unwrap(), into);
        into.extend_from_slice(b"--=_part--\r\n");
    }
}

/// What the servers on the way have added.
fn hops(draw: &mut Draw, date: &str) -> String {
    let mut text = format!("Return-Path: <bounce-{:x}@mail.example>\r\n", draw.next());
    for hop in 0..3 + draw.below(3) {
        let _ = write!(
            text,
            "Received: from mx{hop}.mail.example (mx{hop}.mail.example [192.0.2.{}])\r\n\
             \t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\
             \tby relay{hop}.us.example (Postfix) with ESMTPS id {:016X}\r\n\
             \tfor <{REP}>; {date}\r\n",
            draw.below(255),
            draw.next()
        );
    }
    let signed = "h=from:to:subject:date:message-id:in-reply-to:references:content-type";
    for field in ["DKIM-Signature: v=1", "ARC-Message-Signature: i=1"] {
        let (bh, b) = (noise(draw, 3), noise(draw, 22));
        let _ = write!(
            text,
            "{field}; a=rsa-sha256; c=relaxed/relaxed; d=mail.example; s=s1;\r\n\t{signed};\r\n\
             \tbh={bh};\r\n\tb={b}\r\n"
        );
    }
    let seal = noise(draw, 18);
    let _ = write!(
        text,
        "ARC-Seal: i=1; a=rsa-sha256; s=s1; d=mail.example; cv=none;\r\n\tb={seal}\r\n\
         ARC-Authentication-Results: i=1; mx.us.example; spf=pass smtp.mailfrom=mail.example;\r\n\
         \tdkim=pass header.d=mail.example; dmarc=pass header.from=mail.example\r\n"
    );
    let spam = noise(draw, 3);
    let _ = write!(text, "X-Spam-Diagnostics: {spam}\r\n");
    text
}

fn noise(draw: &mut Draw, words: usize) -> String {
    let mut text = String::with_capacity(words * 17);
    for word in 0..words {
        let gap = if word % 4 == 3 { "\r\n\t" } else { "" };
        let _ = write!(text, "{:016x}{gap}", draw.next());
    }
    text
}

fn written(human: &Human) -> String {
    if human.name.is_ascii() {
        return format!("{} <{}>", human.name, human.address);
    }
    let hex: String = human.name.bytes().map(|byte| format!("={byte:02X}")).collect();
    format!("=?utf-8?Q?{hex}?= <{}>", human.address)
}

fn lines(draw: &mut Draw, mut write: impl FnMut(&mut Draw, &mut String)) -> Vec<u8> {
    let mut all = Vec::with_capacity(LINE * LINES);
    let mut line = String::new();
    for _ in 0..LINES {
        line.clear();
        write(draw, &mut line);
        all.extend_from_slice(&line.as_bytes()[..LINE - 2]);
        all.extend_from_slice(b"\r\n");
    }
    all
}

/// So many lines of a stock, from a drawn one on.
fn fill(draw: &mut Draw, stock: &[u8], lines: usize, into: &mut Vec<u8>) {
    let lines = lines.min(LINES);
    let from = below(draw, LINES - lines + 1);
    into.extend_from_slice(&stock[from * LINE..(from + lines) * LINE]);
}

fn below(draw: &mut Draw, end: usize) -> usize {
    usize::try_from(draw.below(end as u64)).unwrap()
}
