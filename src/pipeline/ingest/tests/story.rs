//! Random stories: messages and their copies as they lie about in mailboxes, forged ones among
//! them, and calendars that change.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{Mailbox, day, key, person};
use crate::model::{
    Attendee, Automated, Envelope, Key, Meeting, MeetingStatus, Participation, Span, Timestamp,
    Version,
};
use crate::pipeline::ingest::Calendar;

/// One copy of a message in a mailbox of a rep.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) rep: usize,
    pub(super) mailbox: Mailbox,
    pub(super) envelope: Envelope,
}

/// What two reps have in their mailboxes, and the versions of their calendars.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) copies: Vec<Found>,
    /// The rep, and the calendar as it is then; in the order in which it changes.
    pub(super) calendars: Vec<(usize, Calendar)>,
}

impl Story {
    /// Every key that names or is referred to.
    pub(super) fn keys(&self) -> BTreeSet<Key> {
        let of = |e: &Envelope| {
            std::iter::once(e.key).chain(e.aliases.clone()).chain(e.references.clone())
        };
        self.copies.iter().flat_map(|copy| of(&copy.envelope)).collect()
    }
}

const PEOPLE: [&str; 10] = [
    "ann",
    "bob",
    "bob@old.example",
    "carl",
    "bo",
    "cy",
    "di@beta.example",
    "ed@gamma.example",
    "lawyer@firm.example",
    "bo",
];

/// Messages, before copies are made of them. Few ids, hours and subjects, so that they meet.
fn message() -> impl Strategy<Value = Envelope> {
    let people = prop::collection::vec(0..PEOPLE.len(), 0..3);
    let refs = prop::collection::vec(0u8..14, 0..3);
    (0u8..12, 0..PEOPLE.len(), people.clone(), people, 0i64..40 * 24, refs, 0u8..5, any::<bool>())
        .prop_map(|(id, from, to, cc, hour, refs, subject, reply)| {
            let named = |who: &usize| {
                let mut person = person(PEOPLE[*who]);
                // Some give a name, and it changes over time.
                if (hour + i64::try_from(*who).unwrap()) % 3 == 0 {
                    person.name = format!("Name {}", hour % 7);
                }
                person
            };
            let subject = (subject > 0).then(|| Key::of("subject", &[&[subject]]));
            let mut references: Vec<Key> = Vec::new();
            for id in refs.iter().map(|id| key(&format!("m{id}"))) {
                if !references.contains(&id) && id != key(&format!("m{id:?}")) {
                    references.push(id);
                }
            }
            let own = key(&format!("m{id}"));
            references.retain(|key| *key != own);
            Envelope {
                key: own,
                aliases: Vec::new(),
                references,
                at: day(0.0) + Span::from_hours(hour),
                dated: true,
                from: Some(named(&from)),
                to: to.iter().map(named).collect(),
                cc: cc.iter().map(named).collect(),
                subject,
                reply_subject: reply && subject.is_some(),
                automated: None,
                authenticated: None,
                thread: None,
                sent: None,
                undelivered: None,
            }
        })
}

/// What befalls a copy on its way, and where it ends.
fn copied() -> impl Strategy<Value = (u8, u8, usize, u8)> {
    (0u8..16, 0u8..12, 0usize..2, 0u8..4)
}

fn copy(of: &Envelope, what: (u8, u8, usize, u8)) -> Found {
    let (fate, other, rep, place) = what;
    let mut envelope = of.clone();
    let other_id = key(&format!("m{other}"));
    match fate {
        0 => envelope.authenticated = Some(false),
        1 => envelope.authenticated = Some(true),
        2 => {
            envelope.dated = false;
            envelope.at = of.at + Span::from_hours(i64::from(other));
        }
        3 => envelope.key = key(&format!("copy{other}")),
        4 => envelope.aliases = vec![other_id],
        5 => envelope.automated = Some(Automated::ALL[usize::from(other) % 8]),
        6 => envelope.references = Vec::new(),
        7 => envelope.references.push(other_id),
        8 => envelope.reply_subject = false,
        9 => envelope.subject = Some(Key::of("subject", &[&[other % 4]])),
        10 => {
            envelope.to.pop();
        }
        11 => envelope.cc.push(person("cy")),
        12 => {
            envelope.key = key(&format!("copy{other}"));
            envelope.references.push(of.key);
        }
        13 if other < 3 => envelope.from = None,
        _ => {}
    }
    envelope.references.retain(|key| *key != envelope.key);
    let mailbox = [Mailbox::Inbox, Mailbox::Inbox, Mailbox::Sent, Mailbox::Archive]
        .into_iter()
        .nth(usize::from(place))
        .unwrap();
    Found { rep, mailbox, envelope }
}

/// An occurrence: uid, series or not, hour, status, what those asked have answered, who asks, and
/// which version it is.
pub(super) fn meeting() -> impl Strategy<Value = Meeting> {
    let answers = prop::collection::vec(0u8..4, 3);
    let version = (0i64..2, prop::option::of(0i64..2));
    (0u8..4, 0i64..4, 0i64..45 * 4, 0u8..6, answers, any::<bool>(), version).prop_map(
        |(uid, occurrence, quarter, status, answers, rep_organises, (sequence, modified_s))| {
            let starts_at = day(0.0) + Span::from_hours(6 * quarter);
            let attendee = |(n, (who, answer)): (usize, (&str, &u8))| Attendee {
                person: person(who),
                participation: match answer {
                    0 => Participation::NeedsAction,
                    1 => Participation::Declined,
                    _ => Participation::Accepted,
                },
                organizer: n == usize::from(!rep_organises),
            };
            let people = ["ann", "bo", "bob"].into_iter().zip(&answers);
            Meeting {
                uid: format!("meeting-{uid}"),
                recurrence_at: (uid > 1).then(|| day(0.0) + Span::from_days(7 * occurrence)),
                starts_at,
                ends_at: starts_at + Span::from_hours(1),
                status: match status {
                    0 => MeetingStatus::Cancelled,
                    1 => MeetingStatus::Tentative,
                    _ => MeetingStatus::Confirmed,
                },
                attendees: people.enumerate().map(attendee).collect(),
                version: Version { sequence, modified_at: modified_s.map(Timestamp::from_seconds) },
            }
        },
    )
}

fn calendar() -> impl Strategy<Value = (usize, Calendar)> {
    (0usize..2, prop::collection::vec(meeting(), 0..5)).prop_map(|(rep, mut meetings)| {
        meetings.sort_by_key(|m| (m.uid.clone(), m.recurrence_at));
        meetings.dedup_by_key(|m| (m.uid.clone(), m.recurrence_at));
        (rep, Calendar { item: 0, window: (day(-10.0), day(60.0)), meetings, whole: true })
    })
}

/// A story with at most that many messages.
pub(super) fn story(most: usize) -> impl Strategy<Value = Story> {
    let messages =
        prop::collection::vec((message(), prop::collection::vec(copied(), 1..4)), 1..most);
    (messages, prop::collection::vec(calendar(), 0..4)).prop_map(|(messages, calendars)| {
        let copies = messages
            .iter()
            .flat_map(|(of, copies)| copies.iter().map(|what| copy(of, *what)))
            .collect();
        Story { copies, calendars }
    })
}
