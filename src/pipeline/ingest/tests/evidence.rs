//! Who the mail makes one person, and whom it does not, however it was met.

use std::collections::BTreeSet;

use super::orders::orders;
use super::turns::forget;
use super::world::{Mailbox, World, address, answering, day, envelope, person};
use crate::model::Envelope;
use crate::normalise::people::organisation;
use crate::pipeline::identity::{roster, undo};
use crate::pipeline::ingest::place;
use crate::store::{Db, contact, identity};

use Mailbox::{Inbox, Sent};

fn from(mut envelope: Envelope, name: &str) -> Envelope {
    envelope.from.as_mut().unwrap().name = name.into();
    envelope
}

fn to(mut envelope: Envelope, name: &str) -> Envelope {
    envelope.to[0].name = name.into();
    envelope
}

/// A message of ann's to bo, and the answer from another address under the same name.
fn answered() -> [(Mailbox, Envelope); 2] {
    let answer = answering(envelope("m2", "bo@beta.example>ann", 2.0), &["m1"]);
    [(Sent, to(envelope("m1", "ann>bo", 1.0), "Bo Li")), (Inbox, from(answer, "Bo Li"))]
}

fn changes(world: &World) -> usize {
    world.write(|db| identity::all(db, day(1000.0), 99)).unwrap().len()
}

#[test]
fn an_answer_to_another_rep_too_does_not_make_those_written_to_one() {
    for (what, asked, answer) in [
        ("with oneself", "ann>bo", "bo>ann,bob"),
        ("with another recipient", "ann>bo,cy", "cy>ann,bob"),
        ("to the other rep alone", "ann>bo,cy", "cy>bob"),
    ] {
        let world = World::new();
        for who in ["bo>ann", "cy>ann"] {
            world.mail(0, Inbox, &[from(envelope(who, who, 0.5), "Bo Li")], day(9.0));
        }
        world.mail(0, Sent, &[envelope("m1", asked, 1.0)], day(9.0));
        let answer = from(answering(envelope("m2", answer, 2.0), &["m1"]), "Bo Li");
        world.mail(1, Inbox, std::slice::from_ref(&answer), day(9.0));
        world.mail(0, Inbox, &[answer], day(9.0));
        assert_eq!(changes(&world), 0, "{what}");
        assert_eq!(world.contact_of("bo@acme.example").addresses, ["bo@acme.example"], "{what}");
    }
}

#[test]
fn a_relay_that_writes_as_several_people_makes_nobody_one_in_any_order() {
    let relayed = |id: &str, answers: &str, days: f64, name: &str| {
        let answer = envelope(id, "x@relay.example>ann", days);
        (Inbox, from(answering(answer, &[answers]), name))
    };
    let mail = [
        (Sent, to(envelope("m1", "ann>bo", 1.0), "Bo Li")),
        relayed("m2", "m1", 2.0, "Bo Li"),
        (Sent, to(envelope("m3", "ann>cy", 3.0), "Cy Wu")),
        relayed("m4", "m3", 4.0, "Cy Wu"),
    ];
    for order in orders(mail.len()) {
        let world = World::new();
        for n in &order {
            world.mail(0, mail[*n].0, std::slice::from_ref(&mail[*n].1), day(9.0));
        }
        world.settle(day(9.0));
        for who in ["bo@acme.example", "cy@acme.example", "x@relay.example"] {
            assert_eq!(world.contact_of(who).addresses, [who], "{order:?}");
        }
        assert_eq!(world.differences(), Vec::<String>::new(), "{order:?}");
    }
}

#[test]
fn answers_found_when_contacts_are_split_are_kept_and_an_upgrade_looks_at_those_it_finds() {
    let world = World::new();
    let now = day(9.0);
    world.regroup(&["bo bo@beta.example"], now);
    for (mailbox, one) in answered() {
        world.mail(0, mailbox, &[one], now);
    }
    let answers = |db: &Db| {
        let bo = contact::find(db, "bo@acme.example")?.unwrap();
        identity::answers_of(db, bo)
    };
    assert_eq!(world.write(answers).unwrap(), [], "linked, for they are one");
    world.regroup(&["bo", "bo@beta.example"], now);
    assert_eq!(world.write(answers).unwrap().len(), 1, "kept");
    assert_eq!(world.contact_of("bo@acme.example").addresses.len(), 1);
    forget(&world);
    let rules = std::sync::Arc::clone(&world.rules);
    world.write(move |db| place(db, &rules, now, 0)).unwrap();
    assert_eq!(world.contact_of("bo@acme.example").addresses.len(), 2);
    world.settle(now);
    assert_eq!(world.differences(), Vec::<String>::new());
}

/// An earlier version kept the newest name of an address, not its full names.
#[test]
fn names_of_addresses_that_were_met_before_an_upgrade_count() {
    for (kept, addresses) in [(false, 1), (true, 2)] {
        let world = World::new();
        let met = move |db: &Db| {
            let bo = contact::ensure(db, &person("bo").address, organisation)?;
            contact::rename(db, bo, "Li, Bo", day(0.0))?;
            if kept { roster::keep_names(db) } else { Ok(()) }
        };
        world.write(met).unwrap();
        for (mailbox, mut one) in answered() {
            one.to[0].name.clear();
            world.mail(0, mailbox, &[one], day(9.0));
        }
        assert_eq!(world.contact_of("bo@acme.example").addresses.len(), addresses, "{kept}");
    }
}

#[test]
fn who_was_taken_from_a_person_of_the_file_stays_away_when_the_row_grows() {
    let world = World::new();
    let now = day(1.0);
    let apply = |words: &'static str| {
        let rules = std::sync::Arc::clone(&world.rules);
        let people: BTreeSet<_> = words.split(' ').map(|word| person(word).address).collect();
        world.write(move |db| roster::apply(db, &rules, &[people], now)).unwrap();
        let of = |word: &str| world.contact_of(address(word).as_str()).addresses.len();
        (of("bo@acme.example"), of("cy@acme.example"), of("di@acme.example"))
    };
    assert_eq!(apply("bo cy di"), (3, 3, 3));
    let rules = std::sync::Arc::clone(&world.rules);
    world.write(move |db| undo(db, &rules, 1, now)).unwrap();
    assert_eq!(apply("bo cy di"), (2, 1, 2), "the first change was bo and cy");
    assert_eq!(apply("al bo cy di"), (3, 1, 3), "al comes before them");
    assert_eq!(apply("bo cy di"), (2, 1, 2), "al has left");
}
