//! What is stored of threads for engagement: after an upgrade as if it had always been, and of
//! meetings that did not come about, by copies.

use proptest::prelude::*;

use super::at_once;
use super::orders::orders;
use super::story::story;
use super::world::{Mailbox, World, answering, day, envelope, key, person};
use crate::model::{
    Attendee, Automated, Cursor, Envelope, Fate, MailboxInfo, Meeting, MeetingStatus,
    Participation, Role, Span, Timestamp, Turn, Version,
};
use crate::pipeline::engagement;
use crate::pipeline::ingest::{Batch, Calendar, place};
use crate::store::{contact, interaction, relationship, turn};

/// Forgets what threads say, as a database of an earlier version has it.
pub(super) fn forget(world: &World) {
    let forget = |db: &crate::store::Db| {
        let (all, ever) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        for row in relationship::all(db)? {
            for one in interaction::between(db, row.id, all, ever)? {
                turn::relink(db, one.id, one.interaction.linked, true, Turn::default())?;
            }
        }
        Ok(())
    };
    world.write(forget).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_an_upgrade_threads_say_what_they_would_have_said(story in story(14)) {
        let now = day(36.0);
        let world = at_once(&story, now);
        let before = world.view(&story.keys());
        forget(&world);
        let mut after = Some(0);
        while let Some(from) = after {
            let rules = std::sync::Arc::clone(&world.rules);
            after = world.write(move |db| place(db, &rules, now, from)).unwrap();
        }
        prop_assert_eq!(world.view(&story.keys()), before);
        let left = world.write(|db| turn::unplaced(db, 0, 1)).unwrap();
        prop_assert!(left.is_empty(), "{:?}", left);
    }
}

/// A copy of a message that is left out may join the threads of others: these are looked at again.
#[test]
fn threads_that_a_copy_of_what_is_left_out_has_joined_are_linked() {
    use Mailbox::Inbox;
    let x = |days| envelope("x", "bo>ann", days);
    let bounce = Envelope { automated: Some(Automated::Bounce), ..x(2.0) };
    let now = day(10.0);
    let world = World::new();
    for mail in [
        answering(envelope("m2", "bo>ann", 5.0), &["x"]),
        x(2.0),
        bounce,
        // A younger thread: the message's own one is what is left of both.
        envelope("m1", "bo>ann", 1.0),
        answering(x(2.0), &["m1"]),
    ] {
        world.mail(0, Inbox, &[mail], now);
    }
    let keys = ["m1", "m2", "x"].map(key).into();
    let before = world.view(&keys);
    let opens = |yes: bool| format!("opens: Some({yes})");
    let told: Vec<bool> = before.counted.iter().map(|one| one.contains(&opens(true))).collect();
    assert_eq!(told, [true, false], "{:?}", before.counted);
    forget(&world);
    let rules = std::sync::Arc::clone(&world.rules);
    world.write(move |db| place(db, &rules, now, 0)).unwrap();
    assert_eq!(world.view(&keys), before);
}

/// What counts, by day, and the day of what it was the first to answer.
fn parents(world: &World) -> Vec<String> {
    let told = |db: &crate::store::Db| {
        let mut found = Vec::new();
        for row in relationship::all(db)? {
            for one in turn::observed(db, row.id, (day(-90.0), day(90.0)), usize::MAX)? {
                let parent = one.turn.parent_at.map(|at| at.days_since(day(0.0)));
                let (way, at) = (one.interaction.direction.code(), one.interaction.at);
                found.push(format!("{way} {} answers {parent:?}", at.days_since(day(0.0))));
            }
        }
        Ok(found)
    };
    world.write(told).unwrap()
}

/// A message with a copy that was a machine's makes nothing, but what came of its other copies may be
/// in the thread: with the date of whichever came first, it was taken for a parent or not.
#[test]
fn a_message_that_is_left_out_is_nobody_s_parent() {
    use Mailbox::{Inbox, Sent};
    let bounce = |days| {
        let mut copy = answering(envelope("left out", "bo>ann", days), &["m1"]);
        copy.automated = Some(Automated::Bounce);
        (Inbox, copy)
    };
    let letter = |days| (Inbox, answering(envelope("left out", "bo>ann", days), &["m1"]));
    let now = day(10.0);
    for (what, refers) in [
        ("one of several", vec!["m1", "left out", "never met"]),
        ("the last one", vec!["m1", "left out"]),
    ] {
        let sent = (Sent, envelope("m1", "ann>bo", 1.0));
        let answer = (Inbox, answering(envelope("m2", "bo>ann", 2.0), &refers));
        for copies in [vec![bounce(0.5)], vec![bounce(0.5), letter(1.5)]] {
            let mail = [vec![sent.clone(), answer.clone()], copies].concat();
            for order in orders(mail.len()) {
                let world = World::new();
                for (mailbox, envelope) in order.iter().map(|n| &mail[*n]) {
                    world.mail(0, *mailbox, std::slice::from_ref(envelope), now);
                }
                world.settle(now);
                let expected = ["outbound 1 answers None", "inbound 2 answers Some(1.0)"];
                assert_eq!(parents(&world), expected, "{what}, in the order {order:?}");
            }
        }
    }
}

/// A meeting of an hour to which the first rep asked `bo`.
fn asked(days: f64, status: MeetingStatus, answer: Participation, sequence: i64) -> Meeting {
    let attendee =
        |who, participation, organizer| Attendee { person: person(who), participation, organizer };
    Meeting {
        uid: "u".into(),
        recurrence_at: None,
        starts_at: day(days),
        ends_at: day(days) + Span::from_hours(1),
        status,
        attendees: vec![
            attendee("ann", Participation::Accepted, true),
            attendee("bo", answer, false),
        ],
        version: Version { sequence, modified_at: None },
    }
}

/// What did not come about of the meetings with anybody, by contact.
fn missed(world: &World) -> Vec<(String, Fate)> {
    world
        .write(|db| {
            let mut found = Vec::new();
            for row in relationship::all(db)? {
                let name = contact::get(db, row.contact)?.addresses[0].clone();
                for (_, fate) in engagement::missed(db, row.id, day(-90.0), day(90.0))? {
                    found.push((name.clone(), fate));
                }
            }
            Ok(found)
        })
        .unwrap()
}

#[test]
fn a_meeting_that_did_not_come_about_is_told_of_once_by_the_copy_that_speaks() {
    use MeetingStatus::{Cancelled, Confirmed};
    use Participation::{Accepted, Declined};
    let now = day(80.0);
    let (stands, off) = (asked(50.0, Confirmed, Accepted, 0), asked(50.0, Cancelled, Accepted, 1));
    let declined = asked(50.0, Confirmed, Declined, 2);
    for (what, copies, expected) in [
        ("it stands", vec![&stands], None),
        ("it was called off", vec![&off], Some(Fate::Cancelled)),
        ("in two calendars", vec![&off, &off], Some(Fate::Cancelled)),
        ("an older copy", vec![&stands, &off], Some(Fate::Cancelled)),
        ("a later copy", vec![&off, &declined], Some(Fate::DeclinedByContact)),
        ("on again", vec![&asked(50.0, Confirmed, Accepted, 3), &declined], None),
    ] {
        for turned in [false, true] {
            let world = World::new();
            let mut shelves: Vec<(usize, &Meeting)> = copies.iter().copied().enumerate().collect();
            if turned {
                shelves.reverse();
            }
            let put = |shelf: usize, meetings: Vec<Meeting>| {
                let window = (day(-10.0), day(70.0));
                let calendars = vec![Calendar { item: 0, window, meetings, whole: true }];
                let mailbox =
                    MailboxInfo { name: format!("calendar-{shelf}"), role: Role::Calendar };
                let cursor = Cursor::Calendar { token: None, day: 0 };
                let batch = world.batch(0, Mailbox::Calendar);
                world.commit(Batch { mailbox, calendars, cursor, ..batch }, now);
            };
            for (shelf, meeting) in &shelves {
                put(*shelf, vec![(*meeting).clone()]);
            }
            let expected: Vec<_> =
                expected.iter().map(|fate| ("bo@acme.example".to_owned(), *fate)).collect();
            assert_eq!(missed(&world), expected, "{what}");
            for (shelf, _) in &shelves {
                put(*shelf, Vec::new());
            }
            assert_eq!(missed(&world), [], "{what}, then deleted");
        }
    }
}
