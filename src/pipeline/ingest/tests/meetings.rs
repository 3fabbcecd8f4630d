//! Meetings by name: which copy counts, what an invitation without an answer comes to, and what has
//! become of either later.

use super::world::{Mailbox, START, World, answering, day, drawn, envelope, person};
use crate::model::{
    Attendee, Automated, Cursor, Envelope, MailboxInfo, Meeting, MeetingStatus, Participation,
    Role, Span, Version,
};
use crate::pipeline::Rules;
use crate::pipeline::ingest::{Batch, Calendar};
use crate::store::{Db, held, relationship};

use Mailbox::{Inbox, Sent};
use Participation::{Accepted, Declined, NeedsAction, Tentative};

/// A meeting of an hour to which the first rep asked `bo`, who answered `answer`.
fn asked(uid: &str, days: f64, answer: Participation) -> Meeting {
    let attendee =
        |who, participation, organizer| Attendee { person: person(who), participation, organizer };
    Meeting {
        uid: uid.into(),
        recurrence_at: None,
        starts_at: day(days),
        ends_at: day(days) + Span::from_hours(1),
        status: MeetingStatus::Confirmed,
        attendees: vec![attendee("ann", Accepted, true), attendee("bo", answer, false)],
        version: Version::default(),
    }
}

fn whole(meetings: Vec<Meeting>) -> Calendar {
    Calendar { item: 0, window: (day(-10.0), day(90.0)), meetings, whole: true }
}

/// What counts of the rep's unanswered meeting on day 50 and of mail, in both orders.
fn counted(mail: &[Envelope]) -> String {
    let now = day(100.0);
    let calendar = || whole(vec![asked("a", 50.0, NeedsAction)]);
    let (before, after) = (World::new(), World::new());
    before.calendar(0, calendar(), now);
    for envelope in mail {
        before.mail(0, Inbox, std::slice::from_ref(envelope), now);
        after.mail(0, Inbox, std::slice::from_ref(envelope), now);
    }
    after.calendar(0, calendar(), now);
    for world in [&before, &after] {
        world.settle(now);
        assert_eq!(world.differences(), Vec::<String>::new());
    }
    assert_eq!(drawn(&before), drawn(&after));
    drawn(&after)
}

#[test]
fn without_an_answer_a_meeting_counts_if_the_contact_wrote_about_then() {
    let wrote = |id: &str, days| envelope(id, "bo>ann", days);
    let doubtful = |mut envelope: Envelope| {
        envelope.authenticated = Some(false);
        envelope
    };
    let by_machine = |mut envelope: Envelope| {
        envelope.automated = Some(Automated::AutoReply);
        envelope
    };
    for (what, mail, expected) in [
        ("nothing", vec![], ""),
        ("fifteen days before", vec![wrote("m1", 35.9)], "<bo"),
        ("a fortnight before", vec![wrote("m1", 36.0)], "<bo =bo"),
        ("a fortnight after", vec![wrote("m1", 64.0)], "<bo =bo"),
        ("fifteen days after", vec![wrote("m1", 65.0)], "<bo"),
        ("twice", vec![wrote("m1", 40.0), wrote("m2", 60.0)], "<bo =bo <bo"),
        ("the same twice", vec![wrote("m1", 40.0), wrote("m1", 40.0)], "<bo =bo"),
        ("to somebody else", vec![envelope("m1", "bo>carl", 50.0)], ""),
        ("somebody else", vec![envelope("m1", "cy>ann", 50.0)], "<cy"),
        ("doubtful", vec![doubtful(wrote("m1", 49.0))], ""),
        ("doubtful, then not", vec![doubtful(wrote("m1", 49.0)), wrote("m1", 49.0)], "<bo =bo"),
        ("a machine's", vec![by_machine(wrote("m1", 49.0))], ""),
        (
            "a machine's, as a copy tells",
            vec![wrote("m1", 49.0), by_machine(wrote("m1", 49.0))],
            "",
        ),
        ("only written to", vec![envelope("m1", "ann>bo", 49.0)], ""),
    ] {
        assert_eq!(counted(&mail), expected, "{what}");
    }
}

/// Else what is known as of a day would be told by what came after it.
#[test]
fn an_unanswered_meeting_is_dated_by_what_made_it_count() {
    let world = World::new();
    world.calendar(0, whole(vec![asked("a", 50.0, NeedsAction)]), day(100.0));
    let met = |days| {
        let states = world.states(day(days));
        states.get("ann/bo@acme.example").map_or(0, |state| state.counts.meetings)
    };
    assert_eq!(met(100.0), 0);
    world.mail(0, Inbox, &[envelope("m1", "bo>ann", 55.0)], day(100.0));
    world.settle(day(100.0));
    assert_eq!((met(54.9), met(55.0)), (0, 1));
    world.mail(0, Inbox, &[envelope("m2", "bo>ann", 45.0)], day(100.0));
    world.settle(day(100.0));
    assert_eq!((met(50.0), met(50.1)), (0, 1), "it was written before, too");
}

#[test]
fn g13_invitations_to_one_who_only_writes_newsletters_open_no_gate() {
    let world = World::new();
    let days = (0u8..60).map(f64::from);
    let letters: Vec<_> =
        days.clone().map(|d| envelope(&format!("m{d}"), "bo>ann", d + 0.5)).collect();
    let asked = days.map(|d| asked(&format!("a{d}"), d, NeedsAction)).collect();
    world.mail(0, Inbox, &letters, day(60.0));
    world.calendar(0, whole(asked), day(60.0));
    let state = world.states(day(60.0))["ann/bo@acme.example"];
    assert_eq!((state.counts.meetings, state.counts.reciprocations), (60, 0));
    assert_eq!(state.reciprocated_at, None);
}

/// Else a rep could hold back every nudge by inviting.
#[test]
fn an_unanswered_meeting_to_come_is_none_that_is_ahead_though_it_will_count() {
    let world = World::new();
    let ahead = |meetings| {
        world.calendar(0, whole(meetings), day(49.5));
        let next = |db: &Db| held::next(db, relationship::all(db)?[0].id, day(49.5));
        world.write(next).unwrap().map(|next| (next.starts_at, next.ends_at))
    };
    world.mail(0, Inbox, &[envelope("m1", "bo>ann", 49.0)], day(49.5));
    let (open, agreed) = (asked("a", 50.0, NeedsAction), asked("b", 55.0, Accepted));
    assert_eq!(ahead(vec![open.clone()]), None);
    assert_eq!(world.states(day(50.1))["ann/bo@acme.example"].counts.meetings, 1);
    assert_eq!(ahead(vec![open, agreed.clone()]), Some((agreed.starts_at, agreed.ends_at)));
}

/// G1: who only invites gets no further than who only writes.
#[test]
fn of_unanswered_meetings_no_more_count_than_messages_were_written() {
    let world = World::new();
    let letters = [5.0, 33.0].map(|d| envelope(&format!("m{d}"), "bo>ann", d));
    let days = (0u8..60).map(f64::from);
    let asked = days.map(|d| asked(&format!("a{d}"), d, NeedsAction)).collect();
    world.calendar(0, whole(asked), day(60.0));
    for (n, letter) in (1u32..).zip(letters) {
        world.mail(0, Inbox, &[letter.clone(), letter], day(60.0));
        world.settle(day(60.0));
        let state = world.states(day(60.0))["ann/bo@acme.example"];
        assert_eq!((state.counts.inbound, state.counts.meetings), (n, n));
    }
}

#[test]
fn two_copies_of_an_unanswered_meeting_take_one_message() {
    let world = World::new();
    world.mail(0, Inbox, &[envelope("m1", "bo>ann", 49.0)], day(100.0));
    let meetings = |uid, days| vec![asked(uid, days, NeedsAction)];
    for (what, name, item, meetings, expected) in [
        ("one", "work", 1, meetings("a", 50.0), "<bo =bo"),
        ("a copy that speaks", "home", 1, meetings("a", 50.0), "<bo =bo"),
        ("another before it", "work", 2, meetings("b", 48.0), "<bo =bo"),
        ("that is gone", "work", 2, vec![], "<bo =bo"),
        ("another after it", "work", 2, meetings("b", 52.0), "<bo =bo"),
        ("the copy is gone", "home", 1, vec![], "<bo =bo"),
        ("only another is left", "work", 1, vec![], "<bo =bo"),
        ("nothing is left", "work", 2, vec![], "<bo"),
    ] {
        assert_eq!(put(&world, name, Role::Calendar, item, meetings), expected, "{what}");
    }
}

#[test]
fn one_who_does_not_come_was_not_met_whatever_was_written() {
    for answer in [Declined, Tentative] {
        let world = World::new();
        let mail =
            [envelope("m1", "ann>bo", 48.0), answering(envelope("m2", "bo>ann", 49.0), &["m1"])];
        world.mail(0, Sent, &mail[..1], day(100.0));
        world.mail(0, Inbox, &mail[1..], day(100.0));
        world.calendar(0, whole(vec![asked("a", 50.0, answer)]), day(100.0));
        assert_eq!(drawn(&world), ">bo <bo!", "{answer:?}");
    }
}

/// A commit of the first rep's calendar `name`, or of his mail, and what counts afterwards.
fn put(world: &World, name: &str, role: Role, item: i64, meetings: Vec<Meeting>) -> String {
    let batch = Batch {
        source: world.source(0, "ann-dav"),
        mailbox: MailboxInfo { name: name.into(), role },
        cursor: Cursor::Calendar { token: None, day: 0 },
        calendars: vec![Calendar { item, ..whole(meetings) }],
        ..world.batch(0, Mailbox::Calendar)
    };
    world.commit(batch, day(100.0));
    assert_eq!(world.differences(), Vec::<String>::new());
    drawn(world)
}

#[test]
fn of_the_copies_of_a_meeting_one_counts_and_then_the_next() {
    let world = World::new();
    let (calendar, mail) = (Role::Calendar, Role::Inbox);
    let at = |days| vec![asked("a", days, Accepted)];
    let moved = |days| vec![Meeting { version: version(1), ..asked("a", days, Accepted) }];
    for (what, name, role, item, meetings, expected) in [
        ("in mail", "INBOX", mail, 5, at(50.0), "=bo!"),
        ("and in a calendar", "work", calendar, 1, at(50.0), "=bo!"),
        ("and in another", "home", calendar, 1, at(50.0), "=bo!"),
        ("and in another object", "home", calendar, 2, at(50.0), "=bo!"),
        ("declined in what does not speak", "work", calendar, 1, declined(0), "=bo!"),
        ("declined in a later version", "work", calendar, 1, declined(1), ""),
        ("moved in a later one of a calendar", "home", calendar, 2, moved(60.0), "=bo!"),
        ("gone from there", "home", calendar, 2, vec![], ""),
        ("gone from where it was declined", "work", calendar, 1, vec![], "=bo!"),
        ("gone from every calendar", "home", calendar, 1, vec![], "=bo!"),
        ("gone from mail", "INBOX", mail, 5, vec![], ""),
    ] {
        assert_eq!(put(&world, name, role, item, meetings), expected, "{what}");
    }
}

fn version(sequence: i64) -> Version {
    Version { sequence, modified_at: None }
}

fn declined(sequence: i64) -> Vec<Meeting> {
    vec![Meeting { version: version(sequence), ..asked("a", 50.0, Declined) }]
}

#[test]
fn a_series_counts_once_a_day_over_objects_and_calendars() {
    let world = World::new();
    let occurrence = |n: i64, days| {
        let recurrence_at = Some(START + Span::from_hours(n));
        Meeting { recurrence_at, ..asked("s", days, Accepted) }
    };
    for (what, name, item, meetings, expected) in [
        ("one", "work", 1, vec![occurrence(1, 50.4)], "=bo!"),
        ("one more, that day", "work", 2, vec![occurrence(2, 50.6)], "=bo!"),
        ("in another calendar", "home", 1, vec![occurrence(3, 50.7)], "=bo!"),
        ("the day after", "home", 2, vec![occurrence(4, 51.5)], "=bo! =bo!"),
        ("moved onto the day before", "home", 2, vec![occurrence(4, 50.5)], "=bo!"),
        ("the first one is gone", "work", 1, vec![], "=bo!"),
    ] {
        assert_eq!(put(&world, name, Role::Calendar, item, meetings), expected, "{what}");
    }
}

#[test]
fn the_days_of_a_series_follow_the_rep_s_time_zone_when_it_is_read_again() {
    let mut world = World::new();
    let occurrence = |n: i64, days| {
        let recurrence_at = Some(START + Span::from_hours(n));
        Meeting { recurrence_at, ..asked("s", days, Accepted) }
    };
    // One in the evening and one in the night of New York, both on one day of UTC.
    let series = || vec![occurrence(1, 50.1), occurrence(2, 50.4)];
    assert_eq!(put(&world, "work", Role::Calendar, 1, series()), "=bo! =bo!");
    let zones = std::collections::HashMap::new();
    world.rules = std::sync::Arc::new(Rules { zones, ..(*world.rules).clone() });
    assert_eq!(put(&world, "work", Role::Calendar, 1, series()), "=bo!");
}

#[test]
fn what_falls_out_of_the_window_stays_and_what_moves_in_is_found() {
    let world = World::new();
    let window = |from, to, days: &[f64]| Calendar {
        window: (day(from), day(to)),
        ..whole(days.iter().map(|d| asked(&format!("a{d}"), *d, Accepted)).collect())
    };
    world.calendar(0, window(0.0, 20.0, &[5.0, 15.0]), day(100.0));
    world.calendar(0, window(10.0, 30.0, &[15.0, 25.0]), day(100.0));
    assert_eq!(drawn(&world), "=bo! =bo! =bo!", "5, 15, 25");
    world.calendar(0, window(20.0, 40.0, &[]), day(100.0));
    assert_eq!(drawn(&world), "=bo! =bo!", "25 was deleted");
}

#[test]
fn an_object_that_goes_takes_back_what_is_not_long_ago() {
    let world = World::new();
    let meetings = vec![asked("a", 5.0, Accepted), asked("b", 50.0, Accepted)];
    assert_eq!(put(&world, "work", Role::Calendar, 1, meetings), "=bo! =bo!");
    let gone = Batch {
        source: world.source(0, "ann-dav"),
        mailbox: MailboxInfo { name: "work".into(), role: Role::Calendar },
        cursor: Cursor::Calendar { token: None, day: 0 },
        gone: vec![1],
        ..world.batch(0, Mailbox::Calendar)
    };
    world.commit(gone, day(406.0));
    assert_eq!(world.differences(), Vec::<String>::new());
    let last = world.states(day(406.0))["ann/bo@acme.example"].last_meeting_at;
    assert_eq!((drawn(&world).as_str(), last), ("=bo!", Some(day(5.0) + Span::from_hours(1))));
}
