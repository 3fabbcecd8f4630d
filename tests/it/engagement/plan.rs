//! A year of conversations between ann and three contacts: begun, answered, followed up, copied to
//! others, and some of it lost.

use std::fmt::Write as _;

use keepwarm::model::Timestamp;

use crate::support::generate::{Draw, REP};

pub(super) const CONTACTS: [&str; 3] = ["bo@acme.example", "cy@acme.example", "di@beta.example"];

/// Others who are in copy, and with whom nothing else is exchanged.
const COPIED: [&str; 4] = ["e1@x.example", "e2@x.example", "e3@x.example", "e4@x.example"];

/// One message, lost or not.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    /// In seconds, whole minutes.
    pub(super) at: u64,
    pub(super) from: &'static str,
    pub(super) to: Vec<&'static str>,
    /// What it answers, and what stands in References before that; by number.
    pub(super) in_reply_to: Option<usize>,
    pub(super) references: Vec<usize>,
    /// Whether its header has References beside In-Reply-To, only the one, or only the other.
    headers: u64,
    /// Whether nobody has it any more.
    pub(super) lost: bool,
    id: String,
}

impl Mail {
    /// The message as it lies in a mailbox.
    pub(super) fn text(&self, all: &[Self]) -> String {
        let at = Timestamp::from_seconds(i64::try_from(self.at).unwrap());
        let date = at.to_utc().unwrap().to_rfc2822();
        let mut text =
            format!("From: <{}>\r\nDate: {date}\r\nMessage-ID: <{}>\r\n", self.from, self.id);
        let to: Vec<String> = self.to.iter().map(|to| format!("<{to}>")).collect();
        let _ = write!(text, "To: {}\r\nSubject: About {}\r\n", to.join(", "), self.id);
        let id = |n: &usize| format!("<{}>", all[*n].id);
        if let Some(parent) = self.in_reply_to {
            if self.headers != 1 {
                let _ = write!(text, "In-Reply-To: {}\r\n", id(&parent));
            }
            if self.headers != 2 {
                let line = self.references.iter().chain([&parent]).map(id).collect::<Vec<_>>();
                let _ = write!(text, "References: {}\r\n", line.join("\r\n "));
            }
        }
        text + "\r\nHello.\r\n"
    }

    /// Whether ann has it: nobody else's mail is read.
    pub(super) fn is_known(&self) -> bool {
        !self.lost && (self.from == REP || self.to.contains(&REP))
    }

    /// Everything that its header says it refers to, oldest first.
    pub(super) fn refers_to(&self) -> Vec<usize> {
        match (self.in_reply_to, self.headers) {
            (None, _) => Vec::new(),
            (Some(parent), 2) => vec![parent],
            (Some(parent), _) => self.references.iter().copied().chain([parent]).collect(),
        }
    }
}

/// `count` messages in order of time, of about a year before March 2026.
pub(super) fn plan(seed: u64, count: usize) -> Vec<Mail> {
    let mut draw = Draw::new(seed);
    let mut at = 1_740_787_200 / 60;
    let mut mails: Vec<Mail> = Vec::new();
    for n in 0..count {
        // Most follow within hours, some after weeks of nothing.
        at += 1 + match draw.below(10) {
            0 => draw.below(12 * 1440),
            1..5 => draw.below(2 * 1440),
            _ => draw.below(300),
        };
        let answers = n > 0 && draw.below(10) < 7;
        let parent = answers.then(|| n - 1 - usize::try_from(draw.below(6)).unwrap().min(n - 1));
        let (from, to) = match parent.map(|parent| &mails[parent]) {
            Some(parent) => answer(&mut draw, parent),
            None => begin(&mut draw),
        };
        let references = parent.map_or(Vec::new(), |parent| mails[parent].refers_to());
        let (headers, lost) = (draw.below(4), draw.below(20) == 0);
        let id = format!("{n}.{seed}@mail.example");
        mails.push(Mail {
            at: at * 60,
            from,
            to,
            in_reply_to: parent,
            references,
            headers,
            lost,
            id,
        });
    }
    mails
}

fn begin(draw: &mut Draw) -> (&'static str, Vec<&'static str>) {
    let contact = CONTACTS[usize::try_from(draw.below(3)).unwrap()];
    let mut to = Vec::new();
    if draw.below(4) == 0 {
        to.push(CONTACTS[usize::try_from(draw.below(3)).unwrap()]);
    }
    let copied = [0, 0, 0, 1, 4][usize::try_from(draw.below(5)).unwrap()];
    to.extend(COPIED.iter().take(copied));
    let from = if draw.below(2) == 0 { REP } else { contact };
    to.insert(0, if from == REP { contact } else { REP });
    to.retain(|who| *who != from);
    to.sort_unstable();
    to.dedup();
    (from, to)
}

/// Somebody who got it answers to all, or its writer follows it up.
fn answer(draw: &mut Draw, parent: &Mail) -> (&'static str, Vec<&'static str>) {
    let mut people: Vec<&'static str> = parent.to.clone();
    people.push(parent.from);
    let writers: Vec<&'static str> =
        people.iter().copied().filter(|who| !COPIED.contains(who)).collect();
    let from = match draw.below(6) {
        0 => parent.from,
        _ => writers[usize::try_from(draw.below(writers.len() as u64)).unwrap()],
    };
    people.retain(|who| *who != from);
    (from, people)
}
