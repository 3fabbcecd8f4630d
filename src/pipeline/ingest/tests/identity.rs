//! Merged contacts are as if they had always been one, and split ones as if they had never been
//! (G12): whatever was stored before, between and after.

use proptest::prelude::*;

use super::story::{Story, story};
use super::world::{Mailbox, World, about, answering, day, drawn, envelope};
use super::{assert_same, at_once, by_mailbox, commit};
use crate::model::{Envelope, Span, Timestamp};
use crate::pipeline::ingest::Calendar;

use Mailbox::{Inbox, Sent};

/// Partitions of those outsiders of a story who can be met.
const GROUPS: [&[&str]; 8] = [
    &["bo", "cy", "di@beta.example", "ed@gamma.example"],
    &["bo cy", "di@beta.example", "ed@gamma.example"],
    &["bo di@beta.example", "cy", "ed@gamma.example"],
    &["bo di@beta.example", "cy ed@gamma.example"],
    &["ed@gamma.example cy", "bo", "di@beta.example"],
    &["bo cy di@beta.example", "ed@gamma.example"],
    &["cy di@beta.example ed@gamma.example", "bo"],
    &["bo cy di@beta.example ed@gamma.example"],
];

fn regroup(world: &World, groups: usize, now: Timestamp) {
    world.regroup(GROUPS[groups], now);
}

/// All of it, by people who were who they are from the beginning.
fn always(story: &Story, groups: usize, now: Timestamp) -> World {
    let world = World::new();
    regroup(&world, groups, now);
    commit(&world, &story.copies, now);
    for (rep, calendar) in super::last_of_each(story) {
        world.calendar(rep, calendar, now);
    }
    world.settle(now);
    world
}

/// A piece at a time, with people taken for others between the pieces and in the middle of a
/// backfill, and put right in the end.
fn changing(
    story: &Story,
    order: &[usize],
    between: &[usize],
    groups: usize,
    now: Timestamp,
) -> World {
    let world = World::new();
    let size = story.copies.len().div_ceil(between.len()).max(1);
    let mut calendars = story.calendars.iter();
    for (n, chunk) in order.chunks(size).enumerate() {
        let found: Vec<_> = chunk.iter().map(|n| story.copies[*n].clone()).collect();
        if n % 2 == 0 {
            let deltas = by_mailbox(&found).into_iter();
            world.backfill(deltas.map(|((rep, of), mail)| (rep, of, mail)).collect(), now);
        } else {
            commit(&world, &found, now);
        }
        regroup(&world, between[n % between.len()], now - Span::from_days(20 * i64::from(n == 0)));
        if let Some((rep, calendar)) = calendars.next() {
            world.calendar(*rep, calendar.clone(), now);
        }
    }
    for (rep, calendar) in calendars {
        world.calendar(*rep, calendar.clone(), now);
    }
    regroup(&world, groups, now);
    world.settle(now);
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn g12_merged_and_split_contacts_are_as_if_they_had_always_been_so(
        (story, order) in story(14).prop_flat_map(|story| {
            let order = Just((0..story.copies.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(story), order)
        }),
        between in prop::collection::vec(0..GROUPS.len(), 1..5),
        groups in 0..GROUPS.len(),
    ) {
        let now = day(36.0);
        let keys = story.keys();
        let parts = changing(&story, &order, &between, groups, now);
        let whole = if groups == 0 { at_once(&story, now) } else { always(&story, groups, now) };
        assert_same(&parts, &whole, &keys, now)?;
    }
}

/// What counts of some mail once `bo` and `bo@beta.example` are one, whenever that was found out.
#[test]
fn what_was_said_to_one_address_may_be_answered_from_another() {
    let new = "bo@beta.example";
    let sent = || (Sent, envelope("m1", "ann>bo", 1.0));
    let doubtful = || {
        let mut answer = answering(envelope("m2", "bo@beta.example>ann", 2.0), &["m1"]);
        answer.authenticated = Some(false);
        (Inbox, answer)
    };
    for (what, mail, apart, together) in [
        (
            "by reference",
            vec![sent(), (Inbox, answering(envelope("m2", "bo@beta.example>ann", 2.0), &["m1"]))],
            ">bo <bo",
            ">bo <bo!",
        ),
        ("though not authenticated", vec![sent(), doubtful()], ">bo", ">bo <bo!"),
        (
            "by its subject",
            vec![
                (Sent, about(envelope("m1", "ann>bo", 1.0), "lunch")),
                (Inbox, about(envelope("m2", "bo@beta.example>ann", 2.0), "Re: lunch")),
            ],
            ">bo <bo",
            ">bo <bo!",
        ),
        (
            "a message to both",
            vec![(Sent, envelope("m1", "ann>bo,bo@beta.example", 1.0))],
            ">bo >bo",
            ">bo",
        ),
    ] {
        let now = day(10.0);
        for at in 0..=mail.len() {
            let world = World::new();
            for (n, (mailbox, envelope)) in mail.iter().enumerate() {
                if n == at {
                    world.regroup(&[&format!("bo {new}")], now);
                }
                world.mail(0, *mailbox, std::slice::from_ref(envelope), now);
            }
            if at == mail.len() {
                assert_eq!(drawn(&world), apart, "{what}, apart");
                assert!(world.regroup(&[&format!("bo {new}")], now));
            }
            assert!(!world.regroup(&[&format!("bo {new}")], now), "they are one already");
            assert_eq!(drawn(&world), together, "{what}, one after {at}");
            assert_eq!(world.differences(), Vec::<String>::new(), "{what}");
            world.regroup(&["bo", new], now);
            assert_eq!(drawn(&world), apart, "{what}, apart again");
            assert_eq!(world.differences(), Vec::<String>::new(), "{what}, apart again");
        }
    }
}

/// Whether the copies of each message say of it when it was.
fn is_consistent(story: &Story) -> bool {
    let mut times = std::collections::HashMap::new();
    story.copies.iter().all(|found| {
        let at = found.envelope.at;
        *times.entry(found.envelope.key).or_insert(at) == at
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nobody else's relationship tells that somebody was there.
    #[test]
    fn an_erased_contact_leaves_everybody_else_as_they_were(
        story in story(14),
        groups in 0..GROUPS.len(),
        who in 0..4usize,
    ) {
        let now = day(36.0);
        let world = always(&story, groups, now);
        let erased = ["bo@acme.example", "cy@acme.example", "di@beta.example", "ed@gamma.example"][who];
        let gone = world.contact_of(erased).addresses;
        let (before, states) = (world.view(&story.keys()), world.states(now));
        world.write(move |db| crate::pipeline::identity::erase(db, erased, Timestamp::default())).unwrap();
        let others = |counted: &[String]| {
            let of_gone = |line: &String| gone.iter().any(|address| line.contains(address.as_str()));
            counted.iter().filter(|line| !of_gone(line)).cloned().collect::<Vec<_>>()
        };
        let after = world.view(&story.keys());
        prop_assert_eq!(&after.counted, &others(&before.counted));
        for (pair, state) in world.states(now) {
            prop_assert_eq!(Some(&state), states.get(&pair), "{}", pair);
        }
        let differences = world.differences();
        prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
        // Everything is read again, and they do not come back.
        let again = always(&story, groups, now);
        commit(&world, &story.copies, now);
        for (rep, calendar) in super::last_of_each(&story) {
            world.calendar(rep, Calendar { meetings: Vec::new(), ..calendar.clone() }, now);
            world.calendar(rep, calendar, now);
        }
        regroup(&world, groups, now);
        world.settle(now);
        let left = others(&again.view(&story.keys()).counted);
        // What two messages under one id say of each other hangs on everybody whom they name.
        if is_consistent(&story) {
            prop_assert_eq!(world.view(&story.keys()).counted, left);
        }
        let back = |line: &String| gone.iter().any(|address| line.contains(address.as_str()));
        prop_assert!(!world.view(&story.keys()).counted.iter().any(back), "somebody has come back");
    }
}

/// Names, and answers from addresses that were not written to: who is one by the mail alone does not
/// depend on which of it was read first.
#[test]
fn who_is_one_by_the_mail_is_told_in_any_order() {
    let named = |mut envelope: Envelope, name: &str| {
        envelope.from.as_mut().unwrap().name = name.into();
        envelope
    };
    let mail = [
        (Inbox, named(envelope("m0", "bo>ann", 0.5), "Bo Li")),
        (Sent, envelope("m1", "ann>bo", 1.0)),
        (Inbox, named(answering(envelope("m2", "bo@beta.example>ann", 2.0), &["m1"]), "Bo")),
        (Inbox, named(envelope("m3", "bo@beta.example>ann", 3.0), "Li, Bo")),
    ];
    let now = day(10.0);
    for order in super::orders::orders(mail.len()) {
        for at_once in [false, true] {
            let world = World::new();
            if at_once {
                let deltas = order.iter().map(|n| (0, mail[*n].0, vec![mail[*n].1.clone()]));
                world.backfill(deltas.collect(), now);
            } else {
                for n in &order {
                    world.mail(0, mail[*n].0, std::slice::from_ref(&mail[*n].1), now);
                }
            }
            world.settle(now);
            assert_eq!(drawn(&world), "<bo >bo <bo! <bo", "{order:?}, at once: {at_once}");
            assert_eq!(world.differences(), Vec::<String>::new(), "{order:?}");
        }
    }
}

/// `cargo test --release --lib figures_of_merge -- --ignored --nocapture`: what merging, splitting and
/// erasing one contact takes in a store of 100,000 interactions, and that it is exact.
#[test]
#[ignore = "takes minutes and prints figures"]
fn figures_of_merge_split_and_erase() {
    let world = World::new();
    let now = day(1_000.0);
    let mut count = 0_u32;
    let mut mail = Vec::new();
    for contact in 0..500_u32 {
        // Two addresses of one contact have a thousand each; of one, in one thread with the other.
        let heavy = contact < 2;
        for n in 0..if heavy { 500 } else { 99 } {
            let who = format!("c{contact}@org{}.example", contact % 90);
            let days = f64::from(n) * if heavy { 1.9 } else { 9.0 } + f64::from(contact) / 600.0;
            let asked = format!("q{contact}.{n}");
            mail.push((Sent, envelope(&asked, &format!("ann>{who}"), days)));
            let answer = envelope(&format!("r{contact}.{n}"), &format!("{who}>ann"), days + 0.1);
            mail.push((Inbox, answering(answer, &[&asked])));
            count += 2;
        }
    }
    for chunk in mail.chunks(500) {
        let deltas = chunk.iter().map(|(of, one)| (0, *of, vec![one.clone()])).collect();
        world.backfill(deltas, now);
    }
    world.settle(now);
    let pair = "c0@org0.example c1@org1.example";
    let timed = |what: &str, job: &dyn Fn()| {
        let began = std::time::Instant::now();
        job();
        println!("{what}: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    };
    println!("{count} interactions, 2 addresses of 1000 each");
    for _ in 0..3 {
        timed("merge", &|| assert!(world.regroup(&[pair], now)));
        assert_eq!(world.differences(), Vec::<String>::new());
        timed("split", &|| assert!(world.regroup(&["c0@org0.example", "c1@org1.example"], now)));
        assert_eq!(world.differences(), Vec::<String>::new());
    }
    let erase = |name: &'static str| {
        let erased = world
            .write(move |db| crate::pipeline::identity::erase(db, name, Timestamp::default()))
            .unwrap();
        assert_eq!(erased.unwrap().interactions, 1000);
    };
    timed("erase", &|| erase("c0@org0.example"));
    timed("erase", &|| erase("c1@org1.example"));
    assert_eq!(world.differences(), Vec::<String>::new());
}
