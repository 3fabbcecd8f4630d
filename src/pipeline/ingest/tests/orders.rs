//! What once depended on the order in which copies arrive, each by name and in every order; and
//! the rules of the model that are decided here (G6, G7, G8, G11).

use super::world::{Mailbox, World, about, answering, day, drawn, envelope, key, person};
use crate::model::{
    Attendee, Automated, Envelope, Meeting, MeetingStatus, Participation, Span, Version,
};
use crate::pipeline::ingest::Calendar;
use crate::store::{contact, relationship};

use Mailbox::{Inbox, Sent};

/// Every order of `0..count`.
pub(super) fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for place in 0..=shorter.len() {
            let mut order = shorter.clone();
            order.insert(place, count - 1);
            all.push(order);
        }
    }
    all
}

/// Checks what counts of some mail of the first rep, in every order: each copy in its own delta and
/// the first one twice; then all copies in one commit, after none and after the first.
fn check(what: &str, copies: &[(Mailbox, Envelope)], expected: &str) {
    let now = day(100.0);
    for order in orders(copies.len()) {
        let world = World::new();
        for n in order.iter().chain(order.first()) {
            let (mailbox, envelope) = &copies[*n];
            world.mail(0, *mailbox, std::slice::from_ref(envelope), now);
        }
        world.settle(now);
        assert_eq!(drawn(&world), expected, "{what}, in the order {order:?}");
        assert_eq!(world.differences(), Vec::<String>::new(), "{what}, in the order {order:?}");
    }
    for before in 0..2.min(copies.len()) {
        let world = World::new();
        for (mailbox, envelope) in copies.iter().take(before) {
            world.mail(0, *mailbox, std::slice::from_ref(envelope), now);
        }
        let rest = copies.iter().skip(before);
        let deltas = rest.map(|(mailbox, envelope)| (0, *mailbox, vec![envelope.clone()]));
        world.backfill(deltas.collect(), now);
        world.settle(now);
        assert_eq!(drawn(&world), expected, "{what}, at once after {before}");
        assert_eq!(world.differences(), Vec::<String>::new(), "{what}, at once after {before}");
    }
}

fn automated(mut envelope: Envelope, reason: Automated) -> Envelope {
    envelope.automated = Some(reason);
    envelope
}

fn unauthenticated(mut envelope: Envelope) -> Envelope {
    envelope.authenticated = Some(false);
    envelope
}

fn undated(mut envelope: Envelope) -> Envelope {
    envelope.dated = false;
    envelope
}

#[test]
fn g6_automated_and_blind_mail_has_no_mass() {
    for reason in Automated::ALL {
        let mail = [(Inbox, automated(envelope("m1", "bo>ann", 1.0), reason))];
        check(reason.code(), &mail, "");
    }
    check("a blind copy", &[(Inbox, envelope("m1", "bo>cy", 1.0))], "");
    check("undisclosed recipients", &[(Inbox, envelope("m1", "bo>", 1.0))], "");
    check(
        "a delivery report to a message",
        &[
            (Sent, envelope("m1", "ann>bo", 1.0)),
            (
                Inbox,
                automated(answering(envelope("m2", "bo>ann", 1.1), &["m1"]), Automated::Bounce),
            ),
        ],
        ">bo",
    );
}

#[test]
fn g7_own_aliases_and_colleagues_make_no_relationship() {
    for (what, who) in [
        ("to oneself", "bob>bob@old.example"),
        ("from an alias to oneself", "bob@old.example>bob"),
        ("to a colleague", "ann>carl"),
        ("from a colleague", "carl>ann"),
        ("to another rep", "ann>bob"),
    ] {
        check(what, &[(Sent, envelope("m1", who, 1.0))], "");
    }
    check("with a colleague in copy", &[(Sent, envelope("m1", "ann>bo,carl", 1.0))], ">bo");
}

#[test]
fn g8_a_message_counts_once_however_many_copies_there_are() {
    let sent = envelope("m1", "ann>bo", 1.0);
    let answer = answering(envelope("m2", "bo>ann", 1.5), &["m1"]);
    let renamed = answering(envelope("m2-rewritten", "bo>ann", 1.5), &["m1"]);
    check(
        "copied to the inbox and moved to an archive",
        &[(Sent, sent.clone()), (Inbox, sent.clone()), (Mailbox::Archive, sent.clone())],
        ">bo",
    );
    check("only in an inbox", &[(Inbox, sent.clone())], "");
    check(
        "delivered again under another id",
        &[(Sent, sent.clone()), (Inbox, answer.clone()), (Inbox, renamed)],
        ">bo <bo!",
    );
    check(
        "another message of the same second to somebody else",
        &[(Sent, sent), (Sent, envelope("m3", "ann>cy", 1.0)), (Inbox, answer)],
        ">bo >cy <bo!",
    );
}

#[test]
fn a_copy_that_touches_nobody_does_not_hide_one_that_does() {
    let mail = [(Inbox, envelope("m1", "bo>cy", 1.0)), (Inbox, envelope("m1", "bo>ann", 1.0))];
    check("blind", &mail, "<bo");
    let copy = |reason| (Inbox, automated(envelope("m1", "bo>ann", 1.0), reason));
    let both = [mail[0].clone(), mail[1].clone(), copy(Automated::List)];
    check("a list was in copy", &both, "<bo");
    check("only by the list", &[mail[0].clone(), copy(Automated::List)], "");
    check("a machine's", &[mail[1].clone(), copy(Automated::AutoReply)], "");
}

#[test]
fn the_other_ids_of_a_later_copy_name_the_message_too() {
    let mut bridge = undated(envelope("m2", "bo>ann", 1.0));
    bridge.aliases = vec![key("m1")];
    let mail = [
        (Inbox, undated(envelope("m1", "bo>ann", 1.0))),
        (Inbox, bridge),
        (Inbox, undated(envelope("m2", "bo>ann", 1.0))),
        (Sent, answering(envelope("m3", "ann>bo", 2.0), &["m2"])),
    ];
    check("bridged", &mail, "<bo >bo!");
}

#[test]
fn an_id_that_a_copy_left_out_gives_is_of_the_message_s_thread() {
    let mut blind = envelope("m1", "bo>cy", 1.0);
    blind.aliases = vec![key("m2")];
    let mail = [
        (Inbox, envelope("m1", "bo>ann", 1.0)),
        (Inbox, blind),
        (Sent, answering(envelope("m3", "ann>bo", 2.0), &["m2"])),
    ];
    check("answered by that id", &mail, "<bo >bo!");
}

#[test]
fn a_date_that_comes_with_a_later_copy_shows_a_copy_under_another_id() {
    let mail = [
        (Inbox, undated(envelope("m1", "bo>ann", 1.3))),
        (Inbox, envelope("m2", "bo>ann", 1.0)),
        (Inbox, envelope("m1", "bo>ann", 1.0)),
    ];
    check("dated late", &mail, "<bo");
}

#[test]
fn two_letters_of_one_second_stay_two_if_their_people_differ() {
    let mail = [(Sent, envelope("m1", "ann>bo,cy", 1.0)), (Sent, envelope("m2", "ann>cy", 1.0))];
    check("mail merge", &mail, ">bo >cy >cy");
}

#[test]
fn what_answered_a_message_that_is_taken_back_answers_nothing() {
    let sent = envelope("m1", "ann>bo", 1.0);
    let mail = [
        (Inbox, automated(sent.clone(), Automated::Calendar)),
        (Sent, sent),
        (Inbox, answering(envelope("m2", "bo>ann", 2.0), &["m1"])),
        (Inbox, unauthenticated(answering(envelope("m3", "bo>ann", 3.0), &["m1"]))),
    ];
    check("by reference", &mail, "<bo");
    let sent = about(envelope("m1", "ann>bo", 1.0), "lunch");
    let mail = [
        (Inbox, automated(sent.clone(), Automated::Calendar)),
        (Sent, sent),
        (Inbox, about(envelope("m2", "bo>ann", 2.0), "Re: lunch")),
    ];
    check("by subject", &mail, "<bo");
}

#[test]
fn an_answer_by_subject_follows_its_original_when_that_is_dated_anew() {
    let mail = [
        (Sent, undated(about(envelope("m1", "ann>bo", 10.0), "lunch"))),
        (Inbox, about(envelope("m2", "bo>ann", 20.0), "Re: lunch")),
        (Mailbox::Archive, about(envelope("m1", "ann>bo", 2.0), "lunch")),
    ];
    check("out of the fortnight", &mail, ">bo <bo");
    let mail = [
        (Sent, undated(about(envelope("m1", "ann>bo", 30.0), "lunch"))),
        (Inbox, about(envelope("m2", "bo>ann", 20.0), "Re: lunch")),
        (Mailbox::Archive, about(envelope("m1", "ann>bo", 15.0), "lunch")),
    ];
    check("into it", &mail, ">bo <bo!");
}

#[test]
fn a_copy_may_be_the_one_that_shows_an_answer_by_its_subject() {
    let sent = (Sent, about(envelope("m1", "ann>bo", 1.0), "lunch"));
    let answer = (Inbox, about(envelope("m2", "bo>ann", 2.0), "Re: lunch"));
    let tagged = (Inbox, about(envelope("m2", "bo>ann", 2.0), "[external] lunch"));
    check("its subject changed", &[sent.clone(), answer.clone(), tagged], ">bo <bo!");
    let blind = (Inbox, about(envelope("m2", "bo>cy", 2.0), "Re: lunch"));
    check("another copy is blind", &[sent, answer, blind], ">bo <bo!");
}

#[test]
fn of_what_is_dated_later_the_earliest_is_waited_for() {
    let mail = [
        (Sent, envelope("m1", "ann>bo", 120.0)),
        (Sent, envelope("m2", "ann>bo", 110.0)),
        (Sent, envelope("m3", "ann>bo", 10.0)),
    ];
    check("to come", &mail, ">bo >bo >bo");
}

#[test]
fn references_that_come_with_a_later_copy_replace_the_subject() {
    let mail = [
        (Sent, about(envelope("m1", "ann>bo", 1.0), "lunch")),
        (Inbox, about(envelope("m2", "bo>ann", 2.0), "Re: lunch")),
        (Inbox, answering(about(envelope("m2", "bo>ann", 2.0), "Re: lunch"), &["other"])),
    ];
    check("referring elsewhere", &mail, ">bo <bo");
}

#[test]
fn recipients_that_only_a_forged_copy_names_are_not_proven_by_the_sent_one() {
    let mail = [(Sent, envelope("m1", "ann>bo", 1.0)), (Inbox, envelope("m1", "ann>victim", 1.0))];
    check("forged", &mail, ">bo");
}

#[test]
fn a_copy_that_is_authenticated_lifts_the_doubt() {
    let one = envelope("m1", "bo>ann", 1.0);
    check("doubtful", &[(Inbox, unauthenticated(one.clone()))], "");
    check("lifted", &[(Inbox, unauthenticated(one.clone())), (Inbox, one)], "<bo");
}

#[test]
fn a_message_that_refers_to_its_own_copy_does_not_answer_itself() {
    let mail = [
        (Sent, envelope("m1", "ann>bo", 1.0)),
        (Inbox, answering(envelope("m1-again", "ann>bo", 1.0), &["m1"])),
        (Inbox, answering(envelope("m1", "bo>ann", 1.0), &["m1-again"])),
    ];
    check("both ways under one id", &mail, "<bo >bo");
}

#[test]
fn a_name_that_only_a_forged_message_gives_is_not_taken() {
    let world = World::new();
    let named = |mut envelope: Envelope, name: &str| {
        envelope.from.as_mut().unwrap().name = name.into();
        envelope
    };
    let genuine = named(envelope("m1", "bo>ann", 1.0), "Bo Li");
    let forged = named(unauthenticated(envelope("m2", "bo>ann", 2.0)), "Call 0900-1");
    world.mail(0, Inbox, &[genuine, forged], day(3.0));
    let name = world.write(|db| Ok(contact::get(db, relationship::all(db)?[0].contact)?.name));
    assert_eq!(name.unwrap(), "Bo Li");
}

/// A meeting of the first rep with `bo`, who answered `answer`.
fn meeting(uid: &str, days: f64, status: MeetingStatus, answer: Participation) -> Meeting {
    let attendee =
        |who, participation, organizer| Attendee { person: person(who), participation, organizer };
    Meeting {
        uid: uid.into(),
        recurrence_at: None,
        starts_at: day(days),
        ends_at: day(days) + Span::from_hours(1),
        status,
        attendees: vec![
            attendee("ann", Participation::Accepted, true),
            attendee("bo", answer, false),
        ],
        version: Version::default(),
    }
}

fn within(from: f64, to: f64, meetings: Vec<Meeting>) -> Calendar {
    Calendar { item: 0, window: (day(from), day(to)), meetings, whole: true }
}

/// What counts after a calendar has been read in several versions, each twice.
fn read(versions: Vec<Calendar>) -> String {
    let world = World::new();
    let now = day(100.0);
    for calendar in versions {
        world.calendar(0, calendar.clone(), now);
        world.calendar(0, calendar, now);
    }
    world.settle(now);
    assert_eq!(world.differences(), Vec::<String>::new());
    drawn(&world)
}

#[test]
fn g11_only_meetings_held_have_mass_and_a_series_one_a_day() {
    use MeetingStatus::{Cancelled, Confirmed};
    use Participation::{Accepted, Declined};
    let all = |meetings| vec![within(0.0, 50.0, meetings)];
    let held = meeting("a", 1.0, Confirmed, Accepted);
    let moved = meeting("a", 9.0, Confirmed, Accepted);
    let occurrence = |n: i64, days| {
        let recurrence_at = Some(day(0.0) + Span::from_hours(n));
        Meeting { recurrence_at, ..meeting("s", days, Confirmed, Accepted) }
    };
    for (what, versions, expected) in [
        ("held", all(vec![held.clone()]), "=bo!"),
        ("declined", all(vec![meeting("a", 1.0, Confirmed, Declined)]), ""),
        ("cancelled", all(vec![meeting("a", 1.0, Cancelled, Accepted)]), ""),
        (
            "cancelled later",
            [all(vec![held.clone()]), all(vec![meeting("a", 1.0, Cancelled, Accepted)])].concat(),
            "",
        ),
        ("moved", [all(vec![held.clone()]), all(vec![moved])].concat(), "=bo!"),
        ("deleted", [all(vec![held.clone()]), all(vec![])].concat(), ""),
        (
            "a daily series twice on one day",
            all(vec![occurrence(1, 1.0), occurrence(2, 1.2), occurrence(3, 2.0)]),
            "=bo! =bo!",
        ),
        (
            "two meetings on one day",
            all(vec![held.clone(), meeting("b", 1.2, Confirmed, Accepted)]),
            "=bo! =bo!",
        ),
        (
            "kept when the window passes on",
            vec![within(0.0, 50.0, vec![held]), within(5.0, 55.0, vec![])],
            "=bo!",
        ),
    ] {
        assert_eq!(read(versions), expected, "{what}");
    }
}

#[test]
fn a_meeting_moved_into_the_window_leaves_its_old_instant() {
    let old = meeting("a", 1.0, MeetingStatus::Confirmed, Participation::Accepted);
    let new = meeting("a", 9.0, MeetingStatus::Confirmed, Participation::Accepted);
    let world = World::new();
    world.calendar(0, within(0.0, 50.0, vec![old]), day(10.0));
    world.calendar(0, within(5.0, 50.0, vec![new.clone()]), day(10.0));
    let states = world.states(day(10.0));
    assert_eq!(states["ann/bo@acme.example"].last_meeting_at, Some(new.ends_at));
    assert_eq!(world.differences(), Vec::<String>::new());
}
