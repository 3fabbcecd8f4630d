//! What happened: every message and event of the story, in memory and in order.
//!
//! Pure: the cast and the day on which it ends go in, the whole correspondence comes out. How it
//! is written down is left to `letter` and `diary`.

use super::arcs::{self, Arc, Rhythm};
use super::cast::{Client, Contact, HOME, REPS, Rep};
use super::days::Days;
use super::lots::Lots;
use super::{appointments, extras};
use crate::model::{Span, Timestamp};

/// Who somebody is to the story, whatever a header calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// A person of the own organisation, by number.
    Rep(usize),
    /// A person outside, by number in the cast.
    Contact(usize),
    /// A machine, or somebody of no importance.
    Other,
}

/// Somebody as a header names them.
#[derive(Clone, Debug)]
pub(super) struct Party {
    /// Who it is, or claims to be.
    pub(super) who: Who,
    /// The display name; may be empty.
    pub(super) name: String,
    /// The address, as spelled in this header.
    pub(super) address: String,
}

/// A place in a rep's Maildir.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    /// Where mail arrives.
    Inbox,
    /// What was sent.
    Sent,
    /// Read and put away.
    Archive,
    /// Taken for spam.
    Junk,
    /// Not sent yet.
    Drafts,
    /// Thrown away.
    Trash,
}

/// What kind of message it is; all but a letter are to be left out by the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Genre {
    /// From a person to persons.
    Letter,
    /// A letter that answers without saying so in its headers.
    BareReply,
    /// A newsletter or a mailing list.
    Newsletter,
    /// Written by a machine.
    Robot,
    /// A delivery report.
    Bounce,
    /// An out-of-office reply.
    AutoReply,
    /// An invitation or an answer to one; the iTIP method.
    Invitation(&'static str),
    /// Not from whom it says.
    Forged,
    /// Advertising.
    Spam,
    /// Sent to nobody visible.
    Hidden,
    /// Not sent yet.
    Draft,
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    /// The Message-ID, without brackets.
    pub(super) id: String,
    /// When it was sent and received.
    pub(super) at: Timestamp,
    /// The sender's clock, in minutes east of Greenwich; `None` for the office's own.
    pub(super) offset: Option<i32>,
    /// The sender.
    pub(super) from: Party,
    /// Addressed directly.
    pub(super) to: Vec<Party>,
    /// Addressed in copy.
    pub(super) cc: Vec<Party>,
    /// The subject.
    pub(super) subject: String,
    /// The ids of what it answers, oldest first.
    pub(super) answers: Vec<String>,
    /// What kind it is.
    pub(super) genre: Genre,
    /// How the sender's program writes headers.
    pub(super) client: Client,
    /// Where it lies: rep and folder.
    pub(super) copies: Vec<(usize, Folder)>,
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// Messages, oldest first, none later than now.
    pub(super) mails: Vec<Mail>,
    /// Calendar entries, by the calendars that hold them.
    pub(super) events: Vec<appointments::Event>,
}

/// The whole story, as it stands at the end of `days`.
pub(super) fn tell(cast: &[Contact], days: &Days) -> Story {
    let mut mails = Vec::new();
    for (index, contact) in cast.iter().enumerate() {
        let lots = &mut Lots::of(&format!("letters {index}"));
        for rhythm in arcs::rhythms(contact.arc, contact.rep, contact.slot) {
            for day in dates(rhythm, days, lots) {
                exchange(
                    cast,
                    index,
                    (day, lots.between(rhythm.turns.0, rhythm.turns.1)),
                    days,
                    lots,
                )
                .into_iter()
                .for_each(|mail| mails.push(mail));
            }
        }
    }
    let events = appointments::all(cast, days);
    extras::add(cast, days, &events, &mut mails);
    mails.retain(|mail| mail.at <= days.now);
    mails.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    Story { mails, events }
}

/// The days of a rhythm, latest first: working days, but for a few.
pub(super) fn dates(rhythm: Rhythm, days: &Days, lots: &mut Lots) -> Vec<i64> {
    let mut dates = vec![days.workday(rhythm.until)];
    let mut day = rhythm.until + rhythm.every;
    while day <= rhythm.from {
        let about = (day + lots.between(-rhythm.jitter, rhythm.jitter)).max(rhythm.until + 1);
        dates.push(if lots.percent(4) { about } else { days.workday(about) });
        day += rhythm.every;
    }
    dates
}

/// One exchange with a contact: so many messages from that day on, turn by turn.
fn exchange(
    cast: &[Contact],
    index: usize,
    (day, turns): (i64, i64),
    days: &Days,
    lots: &mut Lots,
) -> Vec<Mail> {
    let Some(contact) = cast.get(index) else { return Vec::new() };
    let (rep, topic) = (contact.rep, topic(lots));
    let mut outbound = contact.arc == Arc::Cold || lots.percent(55);
    let colleague =
        (contact.arc == Arc::Steady && lots.percent(5)).then_some((rep + 1) % REPS.len());
    let mut at =
        days.at(day, lots.between(9 * 60, 16 * 60)) + Span::from_seconds(lots.between(0, 59));
    let mut mails: Vec<Mail> = Vec::new();
    for _ in 0..turns {
        let (here, there) = (rep_party(rep, lots), contact_party(contact, index));
        let (from, to) = if outbound {
            (here, written_by_rep(there, contact, lots))
        } else {
            (there, written_to_rep(here, rep, lots))
        };
        mails.push(Mail {
            id: message_id(&from, lots),
            at,
            offset: (!outbound).then_some(contact.offset),
            from,
            to: vec![to],
            cc: colleague.map(usual_party).into_iter().collect(),
            subject: if mails.is_empty() { topic.clone() } else { format!("Re: {topic}") },
            answers: mails.iter().map(|mail| mail.id.clone()).collect(),
            genre: genre(contact, mails.len(), lots),
            client: if outbound { Client::Plain } else { contact.client },
            copies: Vec::new(),
        });
        outbound = !outbound;
        let usual = if outbound { 150 } else { contact.latency };
        let wait = (usual * lots.between(30, 260) / 100).max(8);
        at = days.at_work(at + Span::from_seconds(wait * 60), lots);
    }
    for mail in &mut mails {
        mail.copies = copies(mail, days);
    }
    mails
}

/// A phone now and then answers without saying what.
fn genre(contact: &Contact, turn: usize, lots: &mut Lots) -> Genre {
    if contact.client == Client::Phone && turn == 1 && lots.percent(20) {
        Genre::BareReply
    } else {
        Genre::Letter
    }
}

/// Where a letter lies: with its sender if that is a rep, and with every rep it is addressed to.
/// What is older than a year has been put away.
pub(super) fn copies(mail: &Mail, days: &Days) -> Vec<(usize, Folder)> {
    let arrived = if mail.at < days.at(365, 0) { Folder::Archive } else { Folder::Inbox };
    let mut copies = Vec::new();
    if let Who::Rep(rep) = mail.from.who {
        copies.push((rep, Folder::Sent));
    }
    for party in mail.to.iter().chain(&mail.cc) {
        if let Who::Rep(rep) = party.who {
            copies.push((rep, arrived));
        }
    }
    copies
}

/// A rep's own program, now and then set to the alias.
pub(super) fn rep_party(rep: usize, lots: &mut Lots) -> Party {
    let mut party = usual_party(rep);
    if lots.percent(6) {
        party.address = format!("{}@{HOME}", person(rep).alias);
    }
    party
}

/// A rep under the usual address.
pub(super) fn usual_party(rep: usize) -> Party {
    let Rep { name, local, .. } = person(rep);
    Party { who: Who::Rep(rep), name: (*name).to_owned(), address: format!("{local}@{HOME}") }
}

/// A contact as the contact's own program writes it.
pub(super) fn contact_party(contact: &Contact, index: usize) -> Party {
    Party { who: Who::Contact(index), name: contact.name.clone(), address: contact.address() }
}

fn person(rep: usize) -> &'static Rep {
    REPS.get(rep).unwrap_or(&REPS[0])
}

/// Reps write addresses as they please: in capitals, in Unicode, without a name.
fn written_by_rep(mut party: Party, contact: &Contact, lots: &mut Lots) -> Party {
    match lots.between(0, 19) {
        0 => party.name.clear(),
        1 => party.address = party.address.to_uppercase(),
        2 => party.address = format!("{}+orders@{}", contact.local, contact.domain),
        3..=9 => party.address = format!("{}@{}", contact.local, contact.domain),
        _ => {}
    }
    party
}

/// So do contacts.
fn written_to_rep(mut party: Party, rep: usize, lots: &mut Lots) -> Party {
    match lots.between(0, 19) {
        0 => party.name.clear(),
        1 => party.address = format!("{}+quotes@{HOME}", person(rep).local),
        2 => party.name = format!("{} (Hearth)", party.name),
        _ => {}
    }
    party
}

/// An id as the sender's server makes it.
pub(super) fn message_id(from: &Party, lots: &mut Lots) -> String {
    let domain = from.address.rsplit_once('@').map_or(HOME, |(_, domain)| domain);
    format!("{:016x}.{:04x}@{domain}", lots.next(), lots.next() & 0xffff)
}

/// What an exchange is about.
pub(super) fn topic(lots: &mut Lots) -> String {
    const ABOUT: [&str; 16] = [
        "Quote for {}",
        "Delivery dates, {}",
        "Question about {}",
        "{}: next steps",
        "Your order of {}",
        "{}: revised drawing",
        "Pricing for {}",
        "Notes on {}",
        "{} for the new site",
        "Samples of {}",
        "Renewal: {}",
        "{}: lead time",
        "Trial of {}",
        "{}, second batch",
        "Invoice for {}",
        "Call about {}?",
    ];
    const THINGS: [&str; 14] = [
        "the pellet stoves",
        "flue kits",
        "the Größe-4 burners",
        "spare gaskets",
        "control panels",
        "the service contract",
        "heat exchangers",
        "cast plates",
        "the showroom units",
        "sensor kits",
        "the spring order",
        "door glass",
        "fans",
        "the demo unit",
    ];
    let topic = lots.pick(&ABOUT).replace("{}", lots.pick(&THINGS));
    let mut letters = topic.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
