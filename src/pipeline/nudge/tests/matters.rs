//! Nudges beside decays, from the mail: each when it is due, once, and not when it has passed.

use super::*;
use crate::model::{NudgeKind, NudgeState};
use crate::normalise::{Account, Accounts};
use crate::nudge::Matters;

/// A rep who exchanges letters weekly with everybody: some opened by the rep, others by the contact,
/// all answered within hours; and one kind of nudge.
fn lively(kind: NudgeKind, contacts: &[&str]) -> World {
    let mut world = World::new();
    let matters = Matters { enabled: [kind].into(), ..Matters::default() };
    world.rules = Arc::new(Rules { matters, ..(*world.rules).clone() });
    for contact in contacts {
        let days: Vec<f64> = (0..20).map(|week| 7.0 * f64::from(week)).collect();
        exchange(&world, contact, &days, day(134.0));
        for week in 0..20 {
            let at = 7.0 * f64::from(week) + 3.0;
            let (asked, answered) =
                (format!("{contact}-{week}-ask"), format!("{contact}-{week}-reply"));
            let opened = envelope(&asked, &format!("{contact}>ann"), at);
            let reply =
                answering(envelope(&answered, &format!("ann>{contact}"), at + 0.2), &[&asked]);
            world.mail(0, Mailbox::Inbox, &[opened], day(137.0));
            world.mail(0, Mailbox::Sent, &[reply], day(137.0));
        }
    }
    world.settle(day(137.0));
    world
}

fn told(world: &World, now: f64) -> Vec<(NudgeKind, String)> {
    at(world, day(now));
    let ever = Timestamp::from_millis(i64::MAX);
    let mut listed = world.write(move |db| nudge::list(db, ever, 99)).unwrap();
    listed.reverse();
    listed.iter().map(|one| (one.nudge.kind, one.nudge.reasons[0].text.clone())).collect()
}

fn open_states(world: &World) -> Vec<(NudgeState, bool)> {
    let ever = Timestamp::from_millis(i64::MAX);
    let listed = world.write(move |db| nudge::list(db, ever, 99)).unwrap();
    listed.iter().map(|one| (one.nudge.state, one.resolved.is_some())).collect()
}

#[test]
fn an_answer_is_owed_after_two_working_days_and_not_once_it_is_given() {
    let world = lively(NudgeKind::OwedReply, &["bo"]);
    // Day 141 of the test's calendar; weekends are left out below.
    world.mail(0, Mailbox::Inbox, &[envelope("q", "bo>ann", 141.0)], day(141.1));
    let due = due_at(&world);
    assert!((2.0..5.0).contains(&due.days_since(day(141.0))), "{due}");
    assert_eq!(at(&world, due - Span::from_seconds(60)).made.len(), 0);
    let said = told(&world, due.days_since(day(0.0)));
    let [(NudgeKind::OwedReply, text)] = said.as_slice() else { panic!("{said:?}") };
    assert!(text.contains("has had no answer for 2 working days"), "{text}");
    assert!(text.contains("you usually answer within 5 hours"), "{text}");
    assert_eq!(told(&world, 150.0).len(), 1, "once");
    let reply = answering(envelope("a", "ann>bo", 150.5), &["q"]);
    world.mail(0, Mailbox::Sent, &[reply], day(150.6));
    assert_eq!(open_states(&world), [(NudgeState::Released, true)]);
}

#[test]
fn what_the_rep_never_answers_is_not_owed() {
    for (what, letter) in [
        (
            "an answer of the contact, as they always end",
            answering(envelope("x", "bo>ann", 140.1), &["bo-last"]),
        ),
        ("to many", envelope("x", "bo>ann,p1,p2,p3", 140.1)),
    ] {
        let world = lively(NudgeKind::OwedReply, &["bo"]);
        world.mail(0, Mailbox::Sent, &[envelope("bo-last", "ann>bo", 140.0)], day(140.05));
        world.mail(0, Mailbox::Inbox, &[letter], day(140.2));
        for now in [142.0, 145.0, 150.0, 165.0] {
            assert_eq!(told(&world, now), [], "{what}, day {now}");
        }
    }
}

#[test]
fn three_days_of_messages_into_the_void_are_enough() {
    let world = lively(NudgeKind::StoppedAnswering, &["bo"]);
    for (n, at) in [140.0, 144.0].into_iter().enumerate() {
        world.mail(0, Mailbox::Sent, &[envelope(&format!("v{n}"), "ann>bo", at)], day(at + 0.1));
    }
    assert_eq!(told(&world, 152.0), [], "two are not");
    world.mail(0, Mailbox::Sent, &[envelope("v3", "ann>bo", 153.0)], day(153.1));
    assert_eq!(told(&world, 159.9), [], "not before a week");
    let said = told(&world, 160.1);
    let [(NudgeKind::StoppedAnswering, text)] = said.as_slice() else { panic!("{said:?}") };
    assert!(text.starts_with("Your 3 messages since "), "{text}");
    world.mail(0, Mailbox::Inbox, &[envelope("hi", "bo>ann", 161.0)], day(161.1));
    assert_eq!(open_states(&world), [(NudgeState::Released, true)]);
}

#[test]
fn a_meeting_is_followed_up_or_told_of() {
    let world = lively(NudgeKind::NoFollowUp, &["bo"]);
    plan(&world, planned(day(140.0), day(140.04)), day(139.0));
    at(&world, day(140.1));
    let due = due_at(&world);
    assert!((2.0..5.0).contains(&due.days_since(day(140.0))), "{due}");
    let said = told(&world, due.days_since(day(0.0)));
    let [(NudgeKind::NoFollowUp, text)] = said.as_slice() else { panic!("{said:?}") };
    assert!(text.ends_with("2 working days ago, and nobody has written since."), "{text}");

    let world = lively(NudgeKind::NoFollowUp, &["bo"]);
    plan(&world, planned(day(140.0), day(140.04)), day(139.0));
    world.mail(0, Mailbox::Sent, &[envelope("thanks", "ann>bo", 140.5)], day(140.6));
    assert_eq!(told(&world, 150.0), []);
}

#[test]
fn an_account_that_hangs_on_one_person_is_told_to_whom_it_hangs_on_once_a_quarter() {
    let mut world = lively(NudgeKind::SingleThreaded, &["bo"]);
    let account = Account { name: "Acme".into(), domains: vec!["acme.example".into()], target: 5 };
    world.rules =
        Arc::new(Rules { accounts: Accounts::new(vec![account], 5), ..(*world.rules).clone() });
    let said = told(&world, 141.0);
    let [(NudgeKind::SingleThreaded, text)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(text, "Only 1 person at Acme is close; 5 should be.");
    assert_eq!(told(&world, 141.5).len(), 1);
    assert_eq!(told(&world, 143.0).len(), 1, "not every day");
    // Others come in: the account stands.
    world.rules = Arc::new(Rules { accounts: Accounts::default(), ..(*world.rules).clone() });
    assert_eq!(told(&world, 145.0).len(), 1);
}

#[test]
fn a_contact_whose_mail_comes_back_and_who_writes_from_elsewhere_has_moved() {
    let world = lively(NudgeKind::ContactMoved, &[]);
    let named = |mut envelope: Envelope, name: &str| {
        envelope.from.as_mut().unwrap().name = name.to_owned();
        envelope
    };
    for week in 0..10 {
        let at = 7.0 * f64::from(week);
        let (sent, reply) = (format!("s{week}"), format!("r{week}"));
        world.mail(0, Mailbox::Sent, &[envelope(&sent, "ann>bo", at)], day(70.0));
        let answer = answering(envelope(&reply, "bo>ann", at + 0.1), &[&sent]);
        world.mail(0, Mailbox::Inbox, &[named(answer, "Bo Li")], day(70.0));
    }
    world.mail(0, Mailbox::Sent, &[envelope("lost", "ann>bo", 80.0)], day(80.1));
    let report = Envelope {
        automated: Some(crate::model::Automated::Bounce),
        undelivered: Some(vec![person("bo").address]),
        ..answering(envelope("dsn", "mailer@us.example>ann", 80.1), &["lost"])
    };
    world.mail(0, Mailbox::Inbox, &[report], day(80.2));
    world.settle(day(80.2));
    assert_eq!(told(&world, 81.0), [], "nobody knows where to");
    let hello = named(envelope("new", "bo.li@initech.example>ann", 85.0), "Bo Li");
    world.mail(0, Mailbox::Inbox, &[hello], day(85.1));
    let said = told(&world, 86.0);
    let [(NudgeKind::ContactMoved, text)] = said.as_slice() else { panic!("{said:?}") };
    assert!(text.contains("acme.example came back") && text.contains("initech.example"), "{text}");
    assert_eq!(told(&world, 90.0), said, "once");
}

/// Sent mail is read late: what counts is what was written, not when it was read.
#[test]
fn an_answer_that_was_written_before_the_nudge_and_read_after_it_cancels_it() {
    let mut world = lively(NudgeKind::OwedReply, &["bo"]);
    let restraint = Restraint { observe: Span::ZERO, held_back_percent: 0, ..Restraint::default() };
    world.rules = Arc::new(Rules { restraint, ..(*world.rules).clone() });
    world.mail(0, Mailbox::Inbox, &[envelope("q", "bo>ann", 141.0)], day(141.1));
    let due = due_at(&world);
    let made = at(&world, due);
    assert_eq!((made.made.len(), made.owed), (1, 0), "it waits for the digest");
    let written = due.days_since(day(0.0)) - 0.01;
    let reply = answering(envelope("a", "ann>bo", written), &["q"]);
    world.mail(0, Mailbox::Sent, &[reply], due + Span::from_hours(1));
    assert_eq!(open_states(&world), [(NudgeState::Cancelled, true)]);
    assert_eq!(at(&world, made.next_due.unwrap()).owed, 0);
}

#[test]
fn mail_to_many_that_nobody_answers_is_no_sign() {
    let world = lively(NudgeKind::StoppedAnswering, &["bo"]);
    for (n, at) in [140.0, 144.0, 148.0].into_iter().enumerate() {
        let news = envelope(&format!("n{n}"), "ann>bo,p1,p2,p3,p4", at);
        world.mail(0, Mailbox::Sent, &[news], day(at + 0.1));
    }
    assert_eq!(told(&world, 156.0), []);
}
