//! Random edits of several calendars, of invitations and of mail: after each the strengths are what
//! a rebuild gives, and in the end what counts is what all of it at once gives.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::story::meeting;
use super::world::{Mailbox, World, day, differ, envelope};
use crate::model::{Automated, Cursor, Envelope, MailboxInfo, Meeting, Role, Timestamp};
use crate::pipeline::ingest::{Batch, Calendar};

/// Where copies of meetings are kept: rep, source, mailbox, and what that is for. The first and the
/// last are read as a whole, the others object by object.
const SHELVES: [(usize, &str, &str, Role); 6] = [
    (0, "ann-ics", "calendar", Role::Calendar),
    (0, "ann-dav", "work", Role::Calendar),
    (0, "ann-dav", "home", Role::Calendar),
    (0, "ann-mail", "INBOX", Role::Inbox),
    (1, "bob-mail", "INBOX", Role::Inbox),
    (1, "bob-ics", "calendar", Role::Calendar),
];

#[derive(Clone, Debug)]
enum Edit {
    /// An object of a shelf holds these meetings now.
    Put { shelf: usize, item: i64, meetings: Vec<Meeting> },
    /// An object of a shelf has gone.
    Remove { shelf: usize, item: i64 },
    /// A message, or another copy of one.
    Mail { mailbox: Mailbox, envelope: Envelope },
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = || (0..SHELVES.len(), 1i64..3);
    let whole = |shelf: usize| SHELVES[shelf].1.ends_with("-ics");
    let put = (place(), prop::collection::vec(meeting(), 0..4)).prop_map(
        move |((shelf, item), meetings)| {
            let item = if whole(shelf) { 0 } else { item };
            Edit::Put { shelf, item, meetings }
        },
    );
    let remove = place().prop_map(move |(shelf, item)| match whole(shelf) {
        true => Edit::Put { shelf, item: 0, meetings: Vec::new() },
        false => Edit::Remove { shelf, item },
    });
    let mail = (0u8..8, 0i32..60, 0u8..5).prop_map(|(id, days, what)| {
        let contact = if id % 2 == 0 { "bo" } else { "cy" };
        // A message has one date; copies differ in what they say besides.
        let days = f64::from(days % 4 * 15 + i32::from(id)) + 0.3;
        let to = if id % 3 == 0 { "bob" } else { "ann" };
        let mut envelope = envelope(&format!("m{id}-{days}"), &format!("{contact}>{to}"), days);
        match what {
            0 => envelope.automated = Some(Automated::AutoReply),
            1 => envelope.authenticated = Some(false),
            _ => {}
        }
        Edit::Mail { mailbox: Mailbox::Inbox, envelope }
    });
    prop_oneof![5 => put, 1 => remove, 3 => mail]
}

fn commit(world: &World, edit: &Edit, now: Timestamp) {
    match edit {
        Edit::Mail { mailbox, envelope } => {
            let rep = usize::from(envelope.to.iter().any(|to| to.address.local() == "bob"));
            world.mail(rep, *mailbox, std::slice::from_ref(envelope), now);
        }
        Edit::Put { shelf, item, meetings } => {
            let (window, whole) = ((day(-10.0), day(70.0)), true);
            let calendar = Calendar { item: *item, window, meetings: meetings.clone(), whole };
            world.commit(Batch { calendars: vec![calendar], ..shelved(world, *shelf) }, now);
        }
        Edit::Remove { shelf, item } => {
            world.commit(Batch { gone: vec![*item], ..shelved(world, *shelf) }, now);
        }
    }
}

fn shelved(world: &World, shelf: usize) -> Batch {
    let (rep, source, name, role) = SHELVES[shelf];
    Batch {
        source: world.source(rep, source),
        mailbox: MailboxInfo { name: name.to_owned(), role },
        cursor: Cursor::Calendar { token: None, day: 0 },
        ..world.batch(rep, Mailbox::Calendar)
    }
}

/// The edits without those that later ones undo, in another order.
fn in_the_end(edits: &[Edit]) -> Vec<Edit> {
    let mut last: BTreeMap<(usize, i64), &Edit> = BTreeMap::new();
    let mut mail = Vec::new();
    for edit in edits {
        match edit {
            Edit::Put { shelf, item, .. } => {
                last.insert((*shelf, *item), edit);
            }
            Edit::Remove { shelf, item } => {
                last.remove(&(*shelf, *item));
            }
            Edit::Mail { .. } => mail.push(edit.clone()),
        }
    }
    mail.extend(last.into_values().cloned());
    mail.reverse();
    mail
}

/// All of it at once.
fn at_once(edits: impl Iterator<Item = Edit>, now: Timestamp) -> World {
    let world = World::new();
    for edit in edits {
        commit(&world, &edit, now);
        commit(&world, &edit, now);
    }
    world.settle(now);
    world
}

/// How the relationships of two worlds differ as of an instant, if they do.
fn differences(a: &World, b: &World, at: Timestamp) -> Option<String> {
    let known = |world: &World| {
        let mut states = world.states(at);
        // What is to come may be known in one of them only.
        states.retain(|_, state| state.first_at.is_some());
        states.values_mut().for_each(|state| state.pending_at = None);
        states
    };
    let (a, b) = (known(a), known(b));
    if !a.keys().eq(b.keys()) {
        return Some(format!("{:?} and {:?}", a.keys(), b.keys()));
    }
    a.iter().find_map(|(pair, state)| differ(state, &b[pair]).map(|how| format!("{pair}: {how}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strengths_follow_calendars_exactly(edits in prop::collection::vec(edit(), 1..20)) {
        let (end, earlier) = (day(70.0), day(30.0));
        let world = World::new();
        for (n, edit) in edits.iter().enumerate() {
            // Time goes by: what was ahead comes due.
            let now = day(10.0 + 2.0 * f64::from(u32::try_from(n).unwrap()));
            commit(&world, edit, now);
            world.settle(now);
            let differences = world.differences();
            prop_assert!(differences.is_empty(), "after {:?}:\n{}", edit, differences.join("\n"));
        }
        let other = at_once(in_the_end(&edits).into_iter(), end);
        let nobody = std::collections::BTreeSet::new();
        prop_assert_eq!(world.view(&nobody).counted, other.view(&nobody).counted);
        prop_assert_eq!(differences(&world, &other, end), None);
        // What was written later tells nothing of that day.
        let known = |edit: &Edit| match edit {
            Edit::Mail { envelope, .. } => envelope.at <= earlier,
            Edit::Put { .. } | Edit::Remove { .. } => true,
        };
        let then = at_once(in_the_end(&edits).into_iter().filter(known), earlier);
        prop_assert_eq!(differences(&world, &then, earlier), None);
    }
}
