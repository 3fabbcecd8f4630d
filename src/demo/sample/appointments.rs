//! What is in the calendars: meetings held, planned, cancelled and declined, and entries that are
//! no meetings at all.

use super::arcs::{self, Arc};
use super::cast::{Contact, REPS};
use super::days::Days;
use super::lots::Lots;
use super::story::{Party, contact_party, dates, usual_party};

/// How an entry says when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// On the office's clock: days ago, minute, minutes long.
    Local(i64, i64, i64),
    /// The same, written down in UTC.
    Utc(i64, i64, i64),
    /// A whole day.
    Day(i64),
}

/// Whether an entry takes place and takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does.
    Confirmed,
    /// It does not.
    Cancelled,
    /// It is in the calendar, but nobody is busy.
    Transparent,
}

/// A weekly repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    /// Weeks between two.
    pub(super) every: i64,
    /// The last occurrence in days ago; `None` goes on.
    pub(super) until: Option<i64>,
    /// Occurrences left out, in days ago.
    pub(super) except: Vec<i64>,
}

/// A calendar entry.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The UID.
    pub(super) uid: String,
    /// What it is about.
    pub(super) summary: String,
    /// When it is, the first time.
    pub(super) when: When,
    /// How it repeats.
    pub(super) repeat: Option<Repeat>,
    /// Who invites.
    pub(super) organizer: Party,
    /// Who is invited, with the answer (RFC 5545, PARTSTAT).
    pub(super) attendees: Vec<(Party, &'static str)>,
    /// Whether it takes place.
    pub(super) standing: Standing,
    /// In whose calendars it is.
    pub(super) calendars: Vec<usize>,
}

/// Every entry of every calendar.
pub(super) fn all(cast: &[Contact], days: &Days) -> Vec<Event> {
    let mut events = Vec::new();
    for (index, contact) in cast.iter().enumerate() {
        let lots = &mut Lots::of(&format!("meetings {index}"));
        with_contact(contact, index, days, lots, &mut events);
    }
    for rep in 0..REPS.len() {
        own(rep, days, &mut Lots::of(&format!("diary {rep}")), &mut events);
    }
    together(days, &mut events);
    events
}

/// Meetings with one contact.
fn with_contact(
    contact: &Contact,
    index: usize,
    days: &Days,
    lots: &mut Lots,
    events: &mut Vec<Event>,
) {
    let party = contact_party(contact, index);
    let about = |what: &str| format!("{what} with {}", contact.name);
    if let Some(rhythm) = arcs::meetings(contact.arc, contact.slot) {
        for (nth, day) in dates(rhythm, days, lots).into_iter().enumerate() {
            let (minute, length) = (lots.between(18, 32) * 30, lots.between(1, 2) * 30);
            let when = match lots.between(0, 3) {
                0 => When::Utc(days.workday(day), minute, length),
                _ => When::Local(days.workday(day), minute, length),
            };
            let mut event = meeting(contact.rep, &party, when, about("Review"), lots);
            spoil(&mut event, contact.arc, nth);
            events.push(event);
        }
    }
    if contact.arc == Arc::Steady && contact.slot < 2 {
        let (from, every) = if contact.slot == 0 { (182, 1) } else { (616, 2) };
        let from = days.workday(from);
        let when = When::Local(from, 10 * 60 + 30 * contact.slot, 30);
        let mut event = meeting(contact.rep, &party, when, about("One-to-one"), lots);
        let until = (contact.slot == 1).then_some(from - 28 * 14);
        let except = vec![from - 7 * every * 3, from - 7 * every * 9];
        event.repeat = Some(Repeat { every, until, except });
        events.push(event);
    }
    if contact.arc == Arc::Planned {
        let when = When::Local(days.workday_from(-5), 14 * 60, 45);
        events.push(meeting(contact.rep, &party, when, about("Lunch and planning"), lots));
    }
}

/// Among the meetings with steady contacts, some were cancelled, declined or nobody was busy.
fn spoil(event: &mut Event, arc: Arc, nth: usize) {
    match (arc, nth) {
        (Arc::Steady, 3) => event.standing = Standing::Cancelled,
        (Arc::Steady, 5) => event.attendees.iter_mut().for_each(|(_, answer)| *answer = "DECLINED"),
        (Arc::Steady, 7) => event.standing = Standing::Transparent,
        _ => {}
    }
}

/// A meeting between a rep and one other, accepted.
fn meeting(rep: usize, other: &Party, when: When, summary: String, lots: &mut Lots) -> Event {
    let own = usual_party(rep);
    let (organizer, guest) =
        if lots.percent(70) { (own, other.clone()) } else { (other.clone(), own) };
    Event {
        uid: format!("{:016x}@calendar.hearth.example", lots.next()),
        summary,
        when,
        repeat: None,
        organizer,
        attendees: vec![(guest, "ACCEPTED")],
        standing: Standing::Confirmed,
        calendars: vec![rep],
    }
}

/// What a rep has alone: days off, fairs, time for work.
fn own(rep: usize, days: &Days, lots: &mut Lots, events: &mut Vec<Event>) {
    for nth in 0..10 {
        let day = days.workday(20 + nth * 70 + lots.between(0, 20));
        let (when, standing, summary) = match nth % 3 {
            0 => (When::Day(day), Standing::Transparent, "Day off"),
            1 => (When::Day(day), Standing::Confirmed, "Trade fair"),
            _ => (When::Local(day, 13 * 60, 120), Standing::Transparent, "Quiet work"),
        };
        events.push(Event {
            uid: format!("{:016x}@calendar.hearth.example", lots.next()),
            summary: summary.to_owned(),
            when,
            repeat: None,
            organizer: usual_party(rep),
            attendees: Vec::new(),
            standing,
            calendars: vec![rep],
        });
    }
}

/// What the reps have together: the Monday round, the same entry in three calendars.
fn together(days: &Days, events: &mut Vec<Event>) {
    let lots = &mut Lots::of("together");
    events.push(Event {
        uid: format!("{:016x}@calendar.hearth.example", lots.next()),
        summary: "Sales round".to_owned(),
        when: When::Local(days.workday(700), 9 * 60, 30),
        repeat: Some(Repeat { every: 1, until: None, except: Vec::new() }),
        organizer: usual_party(0),
        attendees: (1..REPS.len()).map(|rep| (usual_party(rep), "ACCEPTED")).collect(),
        standing: Standing::Confirmed,
        calendars: (0..REPS.len()).collect(),
    });
}
