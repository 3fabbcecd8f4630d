//! Weekly relationships that go quiet, from the mail to the rows of nudge and outbox.

mod life;
mod matters;

use std::sync::Arc;

use super::{Destination, Moment, Outcome, step};
use crate::deliver::format::Route;
use crate::model::{
    Attendee, Condition, Envelope, Key, Link, Meeting, MeetingStatus, Participation, Span,
    Timestamp, Version,
};
use crate::nudge::{AGAIN, Policy, Restraint, Rule};
use crate::pipeline::Rules;
use crate::pipeline::ingest::tests::world::{
    Mailbox, World, answering, at_once, day, envelope, person,
};
use crate::pipeline::ingest::{Batch, Calendar};
use crate::pipeline::sync::catch_up;
use crate::store::{Db, StoreError, endpoint, nudge, outbox, relationship, rep, source};

/// The last of 40 weekly exchanges.
const LAST: f64 = 39.0 * 7.0;

/// What the rep sent, and what the contact answered, at those days.
fn exchanges(contact: &str, days: &[f64]) -> (Vec<Envelope>, Vec<Envelope>) {
    let id = |n: f64, way: &str| format!("{contact}-{n}-{way}");
    let sent = days.iter().map(|d| envelope(&id(*d, "out"), &format!("ann>{contact}"), *d));
    let answered = days.iter().map(|d| {
        let answer = envelope(&id(*d, "in"), &format!("{contact}>ann"), *d + 0.1);
        answering(answer, &[&id(*d, "out")])
    });
    (sent.collect(), answered.collect())
}

fn weekly() -> Vec<f64> {
    (0..40).map(|week| 7.0 * f64::from(week)).collect()
}

fn exchange(world: &World, contact: &str, days: &[f64], now: Timestamp) {
    let (sent, answered) = exchanges(contact, days);
    world.mail(0, Mailbox::Sent, &sent, now);
    world.mail(0, Mailbox::Inbox, &answered, now);
    world.settle(now);
}

/// A rep with a weekly relationship to each contact, all read through.
fn quiet(contacts: &[&str]) -> World {
    let world = World::new();
    for contact in contacts {
        exchange(&world, contact, &weekly(), day(LAST + 1.0));
    }
    world
}

/// One step with one endpoint, every source read just before.
fn at(world: &World, now: Timestamp) -> Outcome {
    read_through(world, now);
    stepped(world, now)
}

fn read_through(world: &World, now: Timestamp) {
    let sources = world.sources.clone();
    let well = Condition::NEW.succeeded(Link::Closed, now);
    let succeed =
        move |db: &Db| sources.iter().try_for_each(|id| source::succeed(db, *id, &well, now));
    world.write(succeed).unwrap();
}

fn crm(endpoint: i64) -> Destination {
    Destination { endpoint, name: "crm".into(), route: Route::default(), digest: false }
}

const fn given(now: Timestamp) -> Moment {
    Moment { now, given: true }
}

fn stepped(world: &World, now: Timestamp) -> Outcome {
    let rules = Arc::clone(&world.rules);
    world
        .write(move |db| {
            let (row, _) = endpoint::ensure(db, "crm", Key(1))?;
            step(db, &rules, &[crm(row)], given(now))
        })
        .unwrap()
}

/// Nudges and deliveries owed.
fn rows(world: &World) -> (usize, u32) {
    world
        .write(|db| {
            let ever = Timestamp::from_millis(i64::MAX);
            Ok((nudge::list(db, ever, 100)?.len(), outbox::counts(db, ever)?.pending))
        })
        .unwrap()
}

fn due_at(world: &World) -> Timestamp {
    world.write(|db| Ok(relationship::next_due(db)?.unwrap())).unwrap()
}

#[test]
fn what_falls_is_told_once_at_its_time() {
    let world = quiet(&["bo"]);
    let falls = due_at(&world);
    assert!(falls > day(LAST + 20.0), "{falls}");
    let early = at(&world, falls - Span::from_millis(1));
    assert_eq!(early, Outcome { next_due: Some(falls), ..Outcome::default() });
    let told = at(&world, falls);
    assert_eq!((told.made.len(), told.next_due), (1, None));
    assert_eq!(rows(&world), (1, 1));
    for later in [falls, falls + Span::from_hours(1), falls + Span::from_days(30)] {
        assert_eq!(at(&world, later), Outcome::default(), "at {later}");
    }
    exchange(&world, "bo", &weekly(), falls + Span::from_days(1));
    assert_eq!(at(&world, falls + Span::from_days(1)), Outcome::default(), "all mail again");
    assert_eq!(rows(&world), (1, 1));
}

#[test]
fn each_trigger_tells_once_at_its_time_and_says_why() {
    for (rule, hazard_probability, code) in [
        (Rule::Hazard, 0.3, "hazard"),
        // S has fallen deep before it is as probable as that.
        (Rule::Hazard, 0.6, "drop"),
        (Rule::Drop, 0.6, "drop"),
        (Rule::Fixed, 0.6, "silence"),
    ] {
        let mut world = World::new();
        let policy = Policy { rule, hazard_probability, ..world.rules.policy };
        world.rules = Arc::new(Rules { policy, ..(*world.rules).clone() });
        exchange(&world, "bo", &weekly(), day(LAST + 1.0));
        let falls = due_at(&world);
        assert!(falls >= day(LAST + 7.0), "{rule:?}: {falls}");
        assert_eq!(at(&world, falls - Span::from_seconds(61)).made.len(), 0, "{rule:?}");
        assert_eq!(at(&world, falls).made.len(), 1, "{rule:?}");
        let ever = Timestamp::from_millis(i64::MAX);
        let told = world.write(move |db| nudge::list(db, ever, 9)).unwrap();
        let codes: Vec<_> = told[0].nudge.reasons.iter().map(|r| r.code.as_str()).collect();
        assert!(codes.contains(&code), "{rule:?}: {codes:?}");
        assert_eq!(at(&world, falls + Span::from_days(30)).made.len(), 0, "{rule:?}, again");
        let back = (falls + Span::from_days(31)).days_since(day(0.0));
        exchange(&world, "bo", &[back, back + 1.0, back + 2.0], day(back + 3.0));
        let resolved = world.write(move |db| nudge::list(db, ever, 9)).unwrap()[0].resolved.clone();
        let resolved = resolved.map(|(at, _)| at);
        assert_eq!(resolved, Some(day(back + 3.0)), "{rule:?}");
    }
}

#[test]
fn nothing_is_said_from_data_that_may_lack_something() {
    let incomplete = |world: &World, complete| {
        let batch = Batch { complete, ..world.batch(0, Mailbox::Archive) };
        world.commit(batch, day(LAST));
    };
    let falls = due_at(&quiet(&["bo"]));
    let hour = Span::from_hours(1);
    for (what, held, read_at, complete) in [
        ("never read", "stale", None, true),
        ("read 25 hours ago", "stale", Some(falls - Span::from_hours(25)), true),
        ("being read", "backfilling", Some(falls), false),
    ] {
        let world = quiet(&["bo"]);
        read_at.iter().for_each(|then| read_through(&world, *then));
        incomplete(&world, complete);
        let outcome = stepped(&world, falls);
        assert_eq!(outcome.decided.keys().copied().collect::<Vec<_>>(), [held], "{what}");
        assert_eq!((rows(&world), outcome.next_due), ((0, 0), Some(falls + hour)), "{what}");
        if !complete {
            // Of a mailbox that is new or renumbered, until it has been read through.
            incomplete(&world, true);
        }
        assert_eq!(at(&world, falls + hour).made.len(), 1, "{what}, an hour later");
    }
    let world = quiet(&["bo"]);
    incomplete(&world, false);
    read_through(&world, falls);
    assert_eq!(stepped(&world, falls).made.len(), 1, "a mailbox that went while it was being read");
}

#[test]
fn what_is_put_off_while_a_pass_runs_is_decided_when_that_ends() {
    let world = quiet(&["bo"]);
    let began = due_at(&world);
    let during = stepped(&world, began + Span::from_seconds(5));
    assert_eq!(during.decided.keys().copied().collect::<Vec<_>>(), ["stale"]);
    read_through(&world, began);
    world.write(move |db| catch_up(db, rep::find(db, "ann")?.unwrap(), began)).unwrap();
    assert_eq!(stepped(&world, began + Span::from_seconds(10)).made.len(), 1);
}

/// A meeting of the rep with `bo` that both have accepted.
fn planned(starts_at: Timestamp, ends_at: Timestamp) -> Meeting {
    let attendee = |who, organizer| Attendee {
        person: person(who),
        participation: Participation::Accepted,
        organizer,
    };
    Meeting {
        uid: "plan".into(),
        recurrence_at: None,
        starts_at,
        ends_at,
        status: MeetingStatus::Confirmed,
        attendees: vec![attendee("ann", true), attendee("bo", false)],
        version: Version::default(),
    }
}

fn plan(world: &World, meeting: Meeting, now: Timestamp) {
    let window = (day(0.0), now + Span::from_days(100));
    let calendar = Calendar { item: 0, window, meetings: vec![meeting], whole: true };
    world.calendar(0, calendar, now);
}

#[test]
fn a_meeting_to_come_speaks_for_itself() {
    let world = quiet(&["bo"]);
    let falls = due_at(&world);
    let soon = falls + Span::from_days(3);
    let meeting = planned(soon, soon + Span::from_hours(1));
    plan(&world, meeting.clone(), falls - Span::from_days(1));
    let outcome = at(&world, falls);
    assert_eq!(outcome.decided.keys().copied().collect::<Vec<_>>(), ["meeting_ahead"]);
    // It is cancelled: what it held back is said.
    plan(&world, Meeting { status: MeetingStatus::Cancelled, ..meeting }, falls);
    assert_eq!(at(&world, falls).made.len(), 1);
}

/// Else it would be due again and again until that is over.
#[test]
fn while_a_long_meeting_goes_on_nothing_is_due() {
    let world = quiet(&["bo"]);
    let falls = due_at(&world);
    let two_days = Span::from_days(2);
    plan(&world, planned(falls - two_days, falls + two_days), falls - two_days);
    let outcome = at(&world, falls);
    assert_eq!(outcome.decided.keys().copied().collect::<Vec<_>>(), ["meeting_ahead"]);
    assert_eq!(outcome.next_due, Some(falls + two_days), "when it counts");
}

#[test]
fn a_rep_gets_at_most_five_a_week_and_the_rest_after() {
    let contacts = ["a", "b", "c", "d", "e", "f", "g"];
    let mut world = quiet(&contacts);
    world.rules = Arc::new(Rules {
        restraint: Restraint { per_day: 4, per_week: 5, ..at_once() },
        ..(*world.rules).clone()
    });
    let falls = due_at(&world) + Span::from_hours(1);
    let first = at(&world, falls);
    assert_eq!((first.made.len(), first.owed), (7, 4), "four in a day");
    assert_eq!(first.next_due, Some(falls + AGAIN), "the others wait");
    assert_eq!(at(&world, falls + Span::from_days(1)).owed, 1, "five in a week");
    assert_eq!(at(&world, falls + Span::from_days(6)).owed, 0);
    assert_eq!(at(&world, falls + Span::from_hours(7 * 24 + 1)).owed, 2);
    assert_eq!(rows(&world), (7, 7));
}

#[test]
fn what_has_waited_too_long_for_room_is_counted_and_not_said() {
    let mut world = quiet(&["a", "b", "c"]);
    world.rules = Arc::new(Rules {
        restraint: Restraint { per_week: 1, patience: Span::from_days(3), ..at_once() },
        ..(*world.rules).clone()
    });
    let falls = due_at(&world) + Span::from_hours(1);
    assert_eq!(at(&world, falls).owed, 1);
    assert_eq!(at(&world, falls + Span::from_days(3)).owed, 0);
    let ever = Timestamp::from_millis(i64::MAX);
    let listed = world.write(move |db| nudge::list(db, ever, 9)).unwrap();
    let mut states: Vec<_> = listed.iter().map(|l| l.nudge.state.code()).collect();
    states.sort_unstable();
    assert_eq!(states, ["over_budget", "over_budget", "released"]);
    assert_eq!(at(&world, falls + Span::from_days(30)).owed, 0, "never");
}

#[test]
fn a_recovery_ends_the_episode_and_a_later_fall_begins_another() {
    let world = quiet(&["bo"]);
    let falls = due_at(&world);
    let first = at(&world, falls).made;
    let back = (falls + Span::from_days(1)).days_since(day(0.0));
    exchange(&world, "bo", &[back, back + 1.0, back + 2.0], day(back + 3.0));
    let resolved = world
        .write(|db| Ok(nudge::list(db, Timestamp::from_millis(i64::MAX), 9)?[0].resolved.clone()))
        .unwrap();
    assert_eq!(resolved, Some((day(back + 3.0), "recovered".to_owned())));
    let mut now = due_at(&world);
    let mut second = Vec::new();
    while second.is_empty() {
        let outcome = at(&world, now);
        second = outcome.made;
        now = outcome.next_due.unwrap_or(now);
    }
    assert_ne!(first, second);
    let made = |n: usize| {
        let all = world.write(|db| nudge::list(db, Timestamp::from_millis(i64::MAX), 9)).unwrap();
        all[n].nudge.created_at
    };
    assert!(made(0) - made(1) >= Span::from_days(21), "{} {}", made(1), made(0));
    assert_eq!(rows(&world), (2, 2));
}

#[test]
fn a_contact_that_is_split_is_not_told_of_again() {
    let world = World::new();
    world.regroup(&["bo cy di"], day(0.0));
    for who in ["bo", "cy", "di"] {
        exchange(&world, who, &weekly(), day(LAST + 1.0));
    }
    let falls = due_at(&world);
    assert_eq!(at(&world, falls).made.len(), 1);
    for (days, groups) in [(1, &["bo", "cy di"][..]), (2, &["bo", "cy", "di"]), (3, &["bo cy di"])]
    {
        let now = falls + Span::from_days(days);
        world.regroup(groups, now);
        for later in [0, 1, 22, 60] {
            let told = at(&world, now + Span::from_days(later));
            assert_eq!(told.made, Vec::<String>::new(), "{groups:?}, {later} days later");
        }
        let kept = |db: &Db| nudge::list(db, Timestamp::from_millis(i64::MAX), 9);
        let nudges = world.write(kept).unwrap();
        assert_eq!((nudges.len(), nudges[0].resolved.clone()), (1, None), "{groups:?}");
    }
}

#[test]
fn a_job_that_fails_leaves_neither_nudge_nor_delivery_nor_episode() {
    let world = quiet(&["bo"]);
    let falls = due_at(&world);
    read_through(&world, falls);
    let rules = Arc::clone(&world.rules);
    let failed = world.write(move |db| {
        let (row, _) = endpoint::ensure(db, "crm", Key(1))?;
        assert_eq!(step(db, &rules, &[crm(row)], given(falls))?.made.len(), 1);
        Err::<(), _>(StoreError::Closed)
    });
    assert!(matches!(failed, Err(StoreError::Closed)));
    assert_eq!((rows(&world), due_at(&world)), ((0, 0), falls));
    assert_eq!(stepped(&world, falls).made.len(), 1);
}

#[test]
fn two_databases_of_one_history_give_the_same_ids() {
    let straight = quiet(&["bo", "cy"]);
    let backwards = World::new();
    for contact in ["cy", "bo"] {
        let (mut sent, mut answered) = exchanges(contact, &weekly());
        sent.reverse();
        answered.reverse();
        for chunk in answered.chunks(7) {
            backwards.mail(0, Mailbox::Inbox, chunk, day(LAST + 1.0));
        }
        for chunk in sent.chunks(9) {
            backwards.mail(0, Mailbox::Sent, chunk, day(LAST + 1.0));
        }
    }
    backwards.settle(day(LAST + 1.0));
    let falls = due_at(&straight);
    let made = |world: &World| {
        let mut made = at(world, falls + Span::from_hours(1)).made;
        made.sort();
        made
    };
    let ids = made(&straight);
    assert_eq!(ids.len(), 2);
    assert_eq!(made(&backwards), ids);
}
