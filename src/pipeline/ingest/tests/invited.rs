//! Invitations met in mailboxes, in every order: what counts, and what nobody may say.

use super::orders::orders;
use super::world::{Mailbox, World, day, drawn, envelope};
use crate::model::{Address, Automated, Envelope, Timestamp};
use crate::normalise::invitation::{Writers, read};
use crate::pipeline::ingest::{Batch, Letter};
use crate::store::report;

use Mailbox::{Archive, Inbox, Sent};

/// A message: where it is met, who sends it, what it does, and the lines of its event.
type Mail<'t> = (Mailbox, &'t str, &'t str, &'t str);

const REQUEST: &str = "DTSTAMP:20260101T080000Z|DTSTART:20260105T100000Z|DURATION:PT1H|\
    ORGANIZER:mailto:bo@acme.example|ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@us.example";
const ACCEPT: &str = "DTSTAMP:20260102T080000Z|ORGANIZER:mailto:bo@acme.example|\
    ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@us.example";
const DECLINE: &str = "DTSTAMP:20260103T080000Z|ORGANIZER:mailto:bo@acme.example|\
    ATTENDEE;PARTSTAT=DECLINED:mailto:ann@us.example";
const CANCEL: &str = "SEQUENCE:1|DTSTAMP:20260106T080000Z|STATUS:CANCELLED|\
    ORGANIZER:mailto:bo@acme.example";
const DAILY: &str = "DTSTAMP:20260101T080000Z|DTSTART:20260105T100000Z|DURATION:PT1H|\
    RRULE:FREQ=DAILY;COUNT=3|ORGANIZER:mailto:bo@acme.example|ATTENDEE:mailto:ann@us.example";

/// The message with a number, as the pipeline hands it on.
fn letter(number: usize, (_, from, method, lines): &Mail<'_>) -> Letter {
    let lines = lines.replace('|', "\r\n");
    let text = format!(
        "BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:u\r\n{lines}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    );
    let mut envelope = envelope(&format!("m{number}@x"), &format!("{from}>bo"), 1.0);
    envelope.automated = Some(Automated::Calendar);
    let from: Option<Address> = envelope.from.as_ref().map(|from| from.address.clone());
    let writers = Writers { from, sender: None };
    Letter { envelope, writers, says: read(text.as_bytes()).unwrap().unwrap() }
}

fn commit(world: &World, mailbox: Mailbox, letters: Vec<Letter>, now: Timestamp) {
    let messages: Vec<Envelope> = letters.iter().map(|letter| letter.envelope.clone()).collect();
    world.commit(Batch { messages, invitations: letters, ..world.batch(0, mailbox) }, now);
}

/// Checks what counts, in every order, each message by itself and the first one twice.
fn check(what: &str, mails: &[Mail<'_>], expected: &str) {
    let now = day(100.0);
    for order in orders(mails.len()) {
        let world = World::new();
        for number in order.iter().chain(order.first()) {
            let mail = &mails[*number];
            commit(&world, mail.0, vec![letter(*number, mail)], now);
        }
        world.settle(now);
        assert_eq!(drawn(&world), expected, "{what}, in the order {order:?}");
        assert_eq!(world.differences(), Vec::<String>::new(), "{what}, in the order {order:?}");
    }
}

#[test]
fn what_was_said_counts_whatever_came_first() {
    let request: Mail<'_> = (Inbox, "bo", "REQUEST", REQUEST);
    let accept: Mail<'_> = (Sent, "ann", "REPLY", ACCEPT);
    check("an invitation", &[request], "");
    check("accepted", &[request, accept], "=bo!");
    check("declined later", &[request, accept, (Sent, "ann", "REPLY", DECLINE)], "");
    check("called off", &[request, accept, (Inbox, "bo", "CANCEL", CANCEL)], "");
    check("called off by another", &[request, accept, (Inbox, "eve", "CANCEL", CANCEL)], "=bo!");
    check("accepted by a forger", &[request, (Inbox, "ann", "REPLY", ACCEPT)], "");
    check(
        "filed",
        &[(Archive, "bo", "REQUEST", REQUEST), (Archive, "ann", "REPLY", ACCEPT)],
        "=bo!",
    );
    check("a series", &[(Inbox, "bo", "REQUEST", DAILY), accept], "=bo! =bo! =bo!");
}

#[test]
fn what_fails_authentication_is_not_kept() {
    let now = day(100.0);
    for (authenticated, expected) in [(None, "=bo!"), (Some(true), "=bo!"), (Some(false), "")] {
        let world = World::new();
        let mut request = letter(0, &(Inbox, "bo", "REQUEST", REQUEST));
        request.envelope.authenticated = authenticated;
        commit(&world, Inbox, vec![request], now);
        commit(&world, Sent, vec![letter(1, &(Sent, "ann", "REPLY", ACCEPT))], now);
        assert_eq!(drawn(&world), expected, "{authenticated:?}");
    }
}

#[test]
fn where_somebody_vouches_for_the_writer_nobody_does_for_the_sender() {
    let now = day(100.0);
    for (authenticated, expected) in [(None, "=bo!"), (Some(true), "")] {
        let world = World::new();
        let mut request = letter(0, &(Inbox, "eve", "REQUEST", REQUEST));
        request.envelope.authenticated = authenticated;
        request.writers.sender = Some(Address::from_canonical("bo@acme.example".to_owned()));
        commit(&world, Inbox, vec![request], now);
        commit(&world, Sent, vec![letter(1, &(Sent, "ann", "REPLY", ACCEPT))], now);
        assert_eq!(drawn(&world), expected, "{authenticated:?}");
    }
}

#[test]
fn one_commit_of_many_mailboxes_is_as_many_commits() {
    let now = day(100.0);
    let mails: [Mail<'_>; 3] = [
        (Inbox, "bo", "REQUEST", DAILY),
        (Sent, "ann", "REPLY", ACCEPT),
        (Archive, "bo", "REQUEST", DAILY),
    ];
    let world = World::new();
    for (mailbox, which) in [(Inbox, 0..1), (Sent, 1..2), (Archive, 0..3)] {
        let letters = which.map(|number| letter(number, &mails[number])).collect();
        commit(&world, mailbox, letters, now);
    }
    assert_eq!(drawn(&world), "=bo! =bo! =bo!");
    let meetings = world.write(move |db| report::totals(db, now)).unwrap().meetings;
    assert_eq!(meetings, 3, "one row for each, however many mailboxes it was met in");
}
