//! Whatever the order in which copies arrive and deltas are cut, what counts ends the same.

mod calendars;
mod colleagues;
mod evidence;
mod identity;
mod invited;
mod meetings;
mod noise;
mod orders;
mod story;
mod turns;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use self::story::{Found, Story, story};
use self::world::{Mailbox, World, day, differ};
use crate::model::{Envelope, Key, Timestamp};

/// All of it at once: each mailbox in one delta, the calendars as they are in the end.
fn at_once(story: &Story, now: Timestamp) -> World {
    let world = World::new();
    commit(&world, &story.copies, now);
    for (rep, calendar) in last_of_each(story) {
        world.calendar(rep, calendar, now);
    }
    world.settle(now);
    world
}

fn last_of_each(story: &Story) -> BTreeMap<usize, crate::pipeline::ingest::Calendar> {
    story.calendars.iter().cloned().collect()
}

/// Commits copies, each mailbox's in one delta.
fn commit(world: &World, copies: &[Found], now: Timestamp) {
    for ((rep, mailbox), messages) in by_mailbox(copies) {
        world.mail(rep, mailbox, &messages, now);
    }
}

fn by_mailbox(copies: &[Found]) -> BTreeMap<(usize, Mailbox), Vec<Envelope>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for copy in copies {
        found.entry((copy.rep, copy.mailbox)).or_default().push(copy.envelope.clone());
    }
    found
}

/// In another order, a few copies at a time, every other time all mailboxes in one commit with more
/// to come, some deltas twice, calendars coming and changing in between, and the first of it some
/// days earlier.
fn bit_by_bit(
    story: &Story,
    order: &[usize],
    sizes: &[usize],
    replayed: &[bool],
    now: Timestamp,
) -> World {
    let world = World::new();
    let mut rest: Vec<Found> = order.iter().map(|n| story.copies[*n].clone()).collect();
    let mut calendars = story.calendars.iter();
    let mut done: Vec<Vec<Found>> = Vec::new();
    for (n, (size, replay)) in sizes.iter().cycle().zip(replayed.iter().cycle()).enumerate() {
        if rest.is_empty() {
            break;
        }
        let now = if n < 2 { now - crate::model::Span::from_days(9) } else { now };
        let chunk: Vec<Found> = rest.drain(..(*size).min(rest.len())).collect();
        if n % 2 == 1 {
            let deltas = by_mailbox(&chunk).into_iter();
            world.backfill(deltas.map(|((rep, of), mail)| (rep, of, mail)).collect(), now);
        } else {
            commit(&world, &chunk, now);
        }
        done.push(chunk);
        if *replay {
            commit(&world, &done[n / 2], now);
            world.settle(now);
        }
        if let Some((rep, calendar)) = calendars.next() {
            world.calendar(*rep, calendar.clone(), now);
            world.calendar(*rep, calendar.clone(), now);
        }
    }
    for (rep, calendar) in calendars {
        world.calendar(*rep, calendar.clone(), now);
    }
    world.settle(now);
    world
}

/// That two worlds say the same of everything and each is consistent in itself; states to 1e-9.
fn assert_same(
    parts: &World,
    whole: &World,
    keys: &BTreeSet<Key>,
    now: Timestamp,
) -> TestCaseResult {
    prop_assert_eq!(parts.view(keys), whole.view(keys));
    for world in [whole, parts] {
        let differences = world.differences();
        prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
    let (a, b) = (parts.states(now), whole.states(now));
    prop_assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (pair, state) in &a {
        let differs = differ(state, &b[pair]);
        prop_assert!(differs.is_none(), "{}: {:?}", pair, differs);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn g5_order_chunks_and_replays_change_nothing(
        (story, order) in story(14).prop_flat_map(|story| {
            let order = Just((0..story.copies.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(story), order)
        }),
        sizes in prop::collection::vec(1usize..7, 1..6),
        replayed in prop::collection::vec(any::<bool>(), 1..6),
    ) {
        let now = day(36.0);
        let keys = story.keys();
        let whole = at_once(&story, now);
        let parts = bit_by_bit(&story, &order, &sizes, &replayed, now);
        assert_same(&parts, &whole, &keys, now)?;
    }
}
