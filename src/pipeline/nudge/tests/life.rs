//! What becomes of a nudge between its decision and its end, and what holds everything up.

use super::*;
use crate::model::NudgeState;
use crate::pipeline::nudge::guard::Notice;
use crate::pipeline::request::{Request, perform};
use crate::store::outbox as owed;

/// The same world with other restraint.
fn restrained(contacts: &[&str], restraint: Restraint) -> World {
    let mut world = quiet(contacts);
    world.rules = Arc::new(Rules { restraint, ..(*world.rules).clone() });
    world
}

/// How far every nudge has come, in order.
fn states(world: &World) -> Vec<&'static str> {
    let ever = Timestamp::from_millis(i64::MAX);
    let mut listed = world.write(move |db| nudge::list(db, ever, 999)).unwrap();
    listed.reverse();
    listed.iter().map(|one| one.nudge.state.code()).collect()
}

fn ask(world: &World, asked: Request, now: Timestamp) {
    let rules = Arc::clone(&world.rules);
    world.write(move |db| perform(db, &rules, &asked, now)).unwrap();
}

/// The relationship is as lively as ever again.
fn revive(world: &World, contact: &str, now: Timestamp) {
    let back = now.days_since(day(0.0));
    exchange(world, contact, &[back - 3.0, back - 2.0, back - 1.0], now);
}

#[test]
fn in_the_first_days_nothing_is_sent_and_later_what_still_holds() {
    let world = restrained(
        &["bo"],
        Restraint {
            observe: Span::from_days(14),
            reminder_after: Span::from_days(21),
            reminders: 1,
            ..at_once()
        },
    );
    let falls = due_at(&world);
    assert_eq!((at(&world, falls).owed, states(&world)), (0, vec!["observed"]));
    ask(&world, Request::EnableNudges {}, falls + Span::from_days(1));
    assert_eq!(at(&world, falls + Span::from_days(1)).owed, 0, "what was watched is not sent");
    let told = at(&world, falls + Span::from_days(21));
    assert_eq!((told.owed, states(&world)), (1, vec!["observed", "released"]));
    // A fall in the days that follow is told at once.
    let later = restrained(&["cy"], Restraint { observe: Span::from_days(14), ..at_once() });
    at(&later, due_at(&later) - Span::from_days(15));
    assert_eq!(at(&later, due_at(&later)).owed, 1, "the fourteen days have passed");
}

#[test]
fn what_still_holds_is_said_again_ever_more_seldom_until_it_has_passed() {
    let policy = Restraint { reminder_after: Span::from_days(21), reminders: 2, ..at_once() };
    let world = restrained(&["bo"], policy.clone());
    let falls = due_at(&world) + Span::from_hours(1);
    assert_eq!(at(&world, falls).owed, 1);
    for (days, owed) in [(20, 0), (21, 1), (22, 0), (62, 0), (63, 1), (200, 0)] {
        let told = at(&world, falls + Span::from_days(days));
        assert_eq!(told.owed, owed, "after {days} days");
    }
    let back = restrained(&["cy"], policy);
    assert_eq!(at(&back, falls).owed, 1);
    revive(&back, "cy", falls + Span::from_days(5));
    assert_eq!(at(&back, falls + Span::from_days(21)).owed, 0, "it has passed");
    let ever = Timestamp::from_millis(i64::MAX);
    let listed = world.write(move |db| nudge::list(db, ever, 9)).unwrap();
    let of_one: Vec<u32> =
        listed.iter().filter(|one| one.resolved.is_none()).map(|one| one.nudge.reminder).collect();
    assert_eq!(of_one, [2, 1, 0]);
    assert!(listed[0].nudge.body.contains("\"reminder\":2"), "{}", listed[0].nudge.body);
    let ids: std::collections::BTreeSet<_> = listed.iter().map(|one| &one.nudge.id).collect();
    assert_eq!(ids.len(), listed.len(), "each under an id of its own");
}

#[test]
fn what_passes_while_it_waits_is_never_said() {
    let world = restrained(&["bo"], Restraint { ..Restraint::default() });
    ask(&world, Request::EnableNudges {}, day(0.0));
    let falls = due_at(&world);
    let made = at(&world, falls);
    assert_eq!((made.made.len(), made.owed, states(&world)), (1, 0, vec!["waiting"]));
    let digest = made.next_due.unwrap();
    assert!(digest > falls, "{digest}");
    revive(&world, "bo", falls + Span::from_seconds(60));
    assert_eq!((at(&world, digest).owed, states(&world)), (0, vec!["cancelled"]));
    assert_eq!(world.write(owed::made).unwrap(), []);
}

#[test]
fn a_digest_waits_for_sources_that_have_not_been_read() {
    let world = restrained(&["bo"], Restraint { held_back_percent: 0, ..Restraint::default() });
    ask(&world, Request::EnableNudges {}, day(0.0));
    let falls = due_at(&world);
    let digest = at(&world, falls).next_due.unwrap();
    let late = digest + Span::from_hours(26);
    assert_eq!(stepped(&world, late).owed, 0, "nothing was read for more than a day");
    read_through(&world, late);
    let next = stepped(&world, late).next_due.unwrap();
    read_through(&world, next);
    assert_eq!(stepped(&world, next).owed, 1);
}

#[test]
fn what_is_held_back_takes_room_and_is_never_sent() {
    let contacts: Vec<String> = (0..30).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = contacts.iter().map(String::as_str).collect();
    let world = restrained(&names, Restraint { held_back_percent: 50, per_week: 20, ..at_once() });
    let falls = due_at(&world) + Span::from_hours(1);
    let told = at(&world, falls);
    let count = |state: NudgeState| states(&world).iter().filter(|s| **s == state.code()).count();
    let (sent, held) = (count(NudgeState::Released), count(NudgeState::HeldBack));
    assert_eq!((sent + held, told.owed), (20, sent));
    assert!((4..=16).contains(&held), "{held} of 20 at one half");
    let ever = Timestamp::from_millis(i64::MAX);
    at(&world, falls + Span::from_days(8));
    let (all_sent, all_held) = (count(NudgeState::Released), count(NudgeState::HeldBack));
    assert_eq!((all_sent + all_held, all_held > held), (30, true));
    let pending = world.write(move |db| outbox::counts(db, ever)).unwrap().pending;
    assert_eq!(usize::try_from(pending), Ok(all_sent));
}

#[test]
fn too_many_decays_at_once_hold_everything_until_the_admin_or_the_mail_says_otherwise() {
    let contacts = ["a", "b", "c", "d", "e", "f"];
    let held = Restraint { mass_share: 0.2, mass_least: 5, ..at_once() };
    let notice = Notice::Held { rep: "ann".into(), decaying: 6, established: 6 };

    let world = restrained(&contacts, held.clone());
    let falls = due_at(&world) + Span::from_hours(1);
    let first = at(&world, falls);
    assert_eq!((first.made.len(), first.notices), (0, vec![notice.clone()]));
    assert_eq!(first.decided["held"], 6);
    assert_eq!(first.next_due, Some(falls + AGAIN), "looked at again");
    assert_eq!(at(&world, falls + AGAIN).notices, [], "said once");
    let resume = Request::ResumeNudges { rep: Some("ann".into()) };
    ask(&world, resume, falls + AGAIN + AGAIN);
    let resumed = at(&world, falls + AGAIN + AGAIN + AGAIN);
    assert_eq!((resumed.made.len(), resumed.owed), (6, 6));

    // The mail that was missing comes.
    let world = restrained(&contacts, held);
    assert_eq!(at(&world, falls).notices, [notice]);
    let came = falls + Span::from_hours(5);
    contacts.iter().for_each(|contact| revive(&world, contact, came));
    let told = at(&world, came);
    assert_eq!((told.owed, told.notices), (0, vec![Notice::Lifted { rep: "ann".into() }]));
    assert_eq!(states(&world), Vec::<&str>::new());
}

#[test]
fn a_clock_that_jumps_is_believed_when_mail_speaks_for_it() {
    for days in [400, -400] {
        let world = restrained(&["bo"], at_once());
        let falls = due_at(&world);
        let by_clock = |now: Timestamp| {
            read_through(&world, now);
            let rules = Arc::clone(&world.rules);
            let job = move |db: &Db| {
                let (row, _) = endpoint::ensure(db, "crm", Key(1))?;
                step(db, &rules, &[crm(row)], Moment { now, given: false })
            };
            world.write(job).unwrap()
        };
        let before = falls - Span::from_hours(1);
        assert_eq!(by_clock(before).notices, []);
        let jumped = before + Span::from_days(days);
        let (first, second) = (by_clock(jumped), by_clock(jumped + AGAIN));
        assert!(matches!(first.notices.as_slice(), [Notice::ClockJumped { .. }]), "{first:?}");
        assert_eq!((first.made.len(), second.made.len(), second.notices), (0, 0, vec![]));
        // It was set right.
        let right = by_clock(falls + Span::from_hours(2));
        assert_eq!(right.notices, [Notice::ClockBelieved], "{days}");
        assert_eq!(right.made.len(), 1);
        // It is right, and the machine was off for long: mail that has come since says so.
        let later = falls + Span::from_days(90);
        assert!(matches!(by_clock(later).notices.as_slice(), [Notice::ClockJumped { .. }]));
        let at = later.days_since(day(0.0)) - 0.5;
        let automated = crate::model::Automated::Bulk;
        let news = Envelope { automated: Some(automated), ..envelope("news", "x>ann", at) };
        world.mail(0, Mailbox::Inbox, &[news], later);
        assert_eq!(by_clock(later + AGAIN).notices, [Notice::ClockBelieved]);
    }
}

/// What decays while the others are held is one more of them, not a sign that it is over.
#[test]
fn one_more_decay_does_not_end_a_hold() {
    let contacts = ["a", "b", "c", "d", "e", "f"];
    let held = Restraint { mass_share: 0.2, mass_least: 5, ..at_once() };
    let world = restrained(&contacts, held);
    let falls = due_at(&world) + Span::from_hours(1);
    let later: Vec<f64> = (0..40).map(|week| 7.0 * f64::from(week) + 0.02).collect();
    exchange(&world, "g", &later, day(LAST + 1.0));
    assert_eq!(at(&world, falls).notices.len(), 1);
    let between = falls + Span::from_seconds(40 * 60);
    let alone = at(&world, between);
    assert_eq!((alone.made.len(), alone.notices), (0, vec![]), "{:?}", alone.decided);
}

#[test]
fn one_exchange_while_it_waits_is_enough_and_a_meeting_to_come_speaks_for_itself() {
    let waits = Restraint { observe: Span::ZERO, held_back_percent: 0, ..Restraint::default() };
    let world = restrained(&["bo"], waits.clone());
    let falls = due_at(&world);
    let digest = at(&world, falls).next_due.unwrap();
    let now = falls + Span::from_seconds(60);
    exchange(&world, "bo", &[now.days_since(day(0.0)) - 0.2], now);
    assert_eq!((at(&world, digest).owed, states(&world)), (0, vec!["cancelled"]));
    let mut again = at(&world, digest + Span::from_days(1));
    while let (0, Some(next)) = (again.made.len(), again.next_due) {
        again = at(&world, next);
    }
    assert_eq!(again.made.len(), 1, "nobody had been told: quiet again, it is told");

    let world = restrained(&["bo"], waits);
    let digest = at(&world, falls).next_due.unwrap();
    let soon = digest + Span::from_hours(6);
    plan(&world, planned(soon, soon + Span::from_hours(1)), falls + Span::from_seconds(60));
    let told = at(&world, digest);
    assert_eq!((told.owed, states(&world)), (0, vec!["waiting"]));
    assert!(told.next_due > Some(soon), "{told:?}");
}

#[test]
fn what_no_endpoint_takes_takes_no_room() {
    let world = restrained(&["bo"], Restraint { per_week: 1, ..at_once() });
    let falls = due_at(&world);
    read_through(&world, falls);
    let rules = Arc::clone(&world.rules);
    let nowhere = world.write(move |db| step(db, &rules, &[], given(falls))).unwrap();
    assert_eq!((nowhere.made.len(), states(&world)), (1, vec!["unrouted"]));
    exchange(&world, "cy", &weekly(), falls + Span::from_seconds(60));
    assert_eq!(at(&world, falls + Span::from_hours(1)).owed, 1, "another has the room");
}
