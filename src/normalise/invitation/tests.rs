//! Messages as they are met, as tables; and that their order does not matter.

mod stories;

use proptest::prelude::*;

use self::stories::{REQUEST, STORIES, WEEKLY};
use super::{Heard, Invitation, Method, Problem, Said, Writers, meetings, read};
use crate::model::{Meeting, MeetingStatus, Participation, Timestamp};
use crate::normalise::Own;
use crate::normalise::address::canonical;

const REP: i64 = 1;

fn own() -> Own {
    let reps = [("ann@us.example", REP), ("lee@old.example", REP), ("bob@us.example", 2)];
    let reps = reps.map(|(address, rep)| (canonical(address).unwrap(), rep));
    Own::new(reps, ["us.example".to_owned()])
        .excluding([canonical("lawyer@firm.example").unwrap()], [])
}

/// A calendar with a method and these lines, parted by `|`; `@x` stands for people at acme.example.
fn calendar(method: &str, lines: &str) -> String {
    format!("BEGIN:VCALENDAR|METHOD:{method}|{lines}|END:VCALENDAR|")
        .replace("mailto:@", "mailto:@@")
        .replace('|', "\r\n")
        .replace("mailto:@@ann", "mailto:ann@us.example")
        .replace("mailto:@@lee", "mailto:lee@old.example")
        .replace("mailto:@@bob", "mailto:bob@us.example")
        .replace("mailto:@@bo", "mailto:bo@acme.example")
        .replace("mailto:@@cy", "mailto:cy@acme.example")
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT|UID:u|{lines}|END:VEVENT")
}

fn writer(name: &str) -> Writers {
    let full = match name {
        "ann" | "bob" => format!("{name}@us.example"),
        "lee" => "lee@old.example".to_owned(),
        _ if name.contains('@') => name.to_owned(),
        _ => format!("{name}@acme.example"),
    };
    Writers { from: canonical(&full), sender: None }
}

/// What is kept of a message: who sends it, its method and its event.
fn kept((from, method, lines): &(&str, &str, &str)) -> Option<Invitation> {
    let text = calendar(method, &event(lines));
    match read(text.as_bytes()).unwrap().unwrap().heard(&writer(from), &own()) {
        Heard::Kept(kept) => Some(kept),
        _ => None,
    }
}

fn derived(kept: &[Invitation]) -> Vec<Meeting> {
    let at = |invitation: &Invitation| invitation.stamped_at.unwrap_or_default();
    let said: Vec<Said<'_>> = kept
        .iter()
        .map(|one| Said { method: one.method, stamped_at: at(one), text: &one.text })
        .collect();
    let year = ("2026-01-01".parse().unwrap(), "2027-01-01".parse().unwrap());
    meetings(&said, REP, &own(), year, chrono_tz::Europe::Berlin)
}

/// `03-02T10:00 *bo ann+`: when, and of whom what; `x` before one that is called off.
fn drawn(meetings: &[Meeting]) -> String {
    let one = |meeting: &Meeting| {
        let people = meeting.attendees.iter().map(|who| {
            let sign = match (who.organizer, who.participation) {
                (true, _) => "",
                (_, Participation::Accepted) => "+",
                (_, Participation::Declined) => "-",
                (_, Participation::Tentative) => "~",
                (_, Participation::NeedsAction) => "?",
            };
            let star = if who.organizer { "*" } else { "" };
            format!(" {star}{}{sign}", who.person.address.local())
        });
        let off = if meeting.status == MeetingStatus::Cancelled { "x" } else { "" };
        let at = meeting.starts_at.to_string();
        format!("{off}{}{}", at.get(5..16).unwrap(), people.collect::<String>())
    };
    meetings.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn stories_come_out_as_they_should_in_any_order() {
    for (what, mails, expected) in STORIES {
        let mut said: Vec<Invitation> = mails.iter().filter_map(kept).collect();
        assert_eq!(drawn(&derived(&said)), *expected, "{what}");
        said.reverse();
        said.extend(said.clone());
        assert_eq!(drawn(&derived(&said)), *expected, "{what}, backwards and twice");
    }
}

#[test]
fn what_is_kept_decides_meetings_and_nothing_else() {
    let text = calendar(
        "REQUEST",
        "PRODID:secret|BEGIN:VTIMEZONE|TZID:W. Europe Standard Time|TZURL:http://secret.example|\
         BEGIN:STANDARD|DTSTART:16010101T030000|TZOFFSETFROM:+0200|TZOFFSETTO:+0100|TZNAME:secret|\
         RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10|END:STANDARD|END:VTIMEZONE|BEGIN:VEVENT|UID: u |\
         SUMMARY:secret|DESCRIPTION:secret\r\n  secret|LOCATION:secret|URL:http://secret.example|\
         DTSTART;TZID=W. Europe Standard Time:20260302T100000|X-ALT-DESC:secret|\
         ATTENDEE;X-SECRET=secret;CN=\"Li, Bo\";PARTSTAT=ACCEPTED;DIR=\"secret\":MAILTO:\r\n bo@acme.example|\
         BEGIN:VALARM|DESCRIPTION:secret|TRIGGER:-PT5M|END:VALARM|ORGANIZER:mailto:@bo|END:VEVENT|\
         BEGIN:VEVENT|UID:secret|DTSTART:20260302T100000Z|END:VEVENT",
    );
    let kept = read(text.as_bytes()).unwrap().unwrap();
    assert!(!kept.text.contains("secret"), "{}", kept.text);
    assert_eq!((kept.uid.as_str(), kept.method, kept.sequence), ("u", Method::Request, 0));
    let meetings = derived(&[kept]);
    assert_eq!(drawn(&meetings), "03-02T09:00 *bo");
    assert_eq!(meetings[0].attendees[0].person.name, "Li, Bo");
}

#[test]
fn what_cannot_be_kept_says_why() {
    let long = format!("DTSTART:20260302T100000Z|RDATE:{}", "20260302T100000Z,".repeat(4000));
    let whole = |lines: &str| calendar("REQUEST", lines);
    for (what, text, expected) in [
        ("no calendar", "Dear Ann".to_owned(), Err(Problem::NoCalendar)),
        ("nothing", String::new(), Err(Problem::NoCalendar)),
        ("no method", whole(&event("DTSTART:20260302T100000Z")).replace("METHOD", "X"), Ok(None)),
        ("another method", whole("").replace("REQUEST", "OTHER"), Ok(None)),
        ("a task", whole(&event("").replace("VEVENT", "VTODO")), Ok(None)),
        ("no uid", whole("BEGIN:VEVENT|DTSTART:20260302T100000Z|END:VEVENT"), Err(Problem::NoUid)),
        (
            "a long uid",
            whole(&event("").replace("UID:u", &format!("UID:{}", "u".repeat(600)))),
            Err(Problem::NoUid),
        ),
        ("many events", whole(&format!("{}|", event("X:")).repeat(201)), Err(Problem::TooLarge)),
        (
            "cut",
            whole(&event("DTSTART:20260302T100000Z")).replace("END:VCALENDAR", ""),
            Err(Problem::Truncated),
        ),
        ("long", whole(&event(&long)), Err(Problem::TooLarge)),
        ("longer", whole(&event(&long.repeat(4))), Err(Problem::TooLarge)),
    ] {
        assert_eq!(read(text.as_bytes()), expected, "{what}");
    }
    assert_eq!(read(&[0xff; 90]), Err(Problem::NoCalendar));
}

#[test]
fn lines_that_readers_could_take_otherwise_are_nobodys_word() {
    for attendee in [
        "ATTENDEE;CN=\"x\rATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@us.example\r\":mailto:evil@acme.example",
        "ATTENDEE;PARTSTAT=ACCEPTED;CN=a\"b:mailto:ann@us.example;c\":mailto:evil@acme.example",
        "ATTENDEE;PARTSTAT=ACCEPTED;CN=\"a\\\":mailto:ann@us.example;X=\":mailto:evil@acme.example",
        "ATTENDEE;PARTSTAT=ACCEPTED;EMAIL=evil@acme.example:mailto:ann@us.example",
    ] {
        let text = calendar("REPLY", &event(&format!("ORGANIZER:mailto:@bo|{attendee}")));
        let heard = read(text.as_bytes()).unwrap().unwrap().heard(&writer("evil"), &own());
        let mut said = vec![kept(&("bo", "REQUEST", REQUEST)).unwrap()];
        if let Heard::Kept(kept) = heard {
            said.push(kept);
        }
        assert_eq!(drawn(&derived(&said)), "03-02T10:00 *bo ann? cy+", "{attendee:?}");
    }
}

#[test]
fn a_calendar_at_google_speaks_by_its_sender() {
    let lines = "DTSTART:20260302T100000Z|ORGANIZER:mailto:c_1@group.calendar.google.com|\
        ATTENDEE;PARTSTAT=ACCEPTED:mailto:@cy";
    let text = calendar("REQUEST", &event(lines));
    let by = |sender: Option<&str>| {
        let writers = Writers { sender: sender.and_then(canonical), ..writer("bo") };
        read(text.as_bytes()).unwrap().unwrap().heard(&writers, &own())
    };
    assert!(matches!(by(Some("calendar-notification@google.com")), Heard::Kept(_)));
    assert_eq!(by(None), Heard::NotTheOrganizer);
    assert_eq!(by(Some("c@evil.example")), Heard::NotTheOrganizer);
}

/// Any invitation, answer or cancellation of one series, by a few people in a few versions.
fn mail() -> impl Strategy<Value = (&'static str, &'static str, String)> {
    let people = prop::sample::select(vec!["ann", "bo", "cy"]);
    let ids = prop::sample::select(vec![
        "",
        "|RECURRENCE-ID:20260323T090000Z",
        "|RECURRENCE-ID;VALUE=DATE:20260330",
        "|RECURRENCE-ID;RANGE=THISANDFUTURE:20260323T090000Z",
    ]);
    let methods = prop::sample::select(vec!["REQUEST", "REPLY", "CANCEL", "ADD"]);
    let states = prop::sample::select(vec!["ACCEPTED", "DECLINED", "TENTATIVE"]);
    (people.clone(), people, methods, ids, states, 0..3u8, 1..4u8, 9..12u8).prop_map(
        |(from, organizer, method, id, state, sequence, stamp, hour)| {
            let rule = if id.is_empty() { "|RRULE:FREQ=WEEKLY;COUNT=3" } else { "" };
            let people: String = ["ann", "bo", "cy"]
                .into_iter()
                .filter(|who| method != "REPLY" || *who == from)
                .map(|who| format!("|ATTENDEE;PARTSTAT={state}:mailto:@{who}"))
                .collect();
            let lines = format!(
                "SEQUENCE:{sequence}|DTSTAMP:2026020{stamp}T080000Z|ORGANIZER:mailto:@{organizer}|\
                 DTSTART;TZID=Europe/Berlin:20260316T{hour:02}0000|DURATION:PT1H{rule}{id}{people}"
            );
            (from, method, lines)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_duplicates_change_nothing(
        (mails, order) in prop::collection::vec(mail(), 1..9).prop_flat_map(|mails| {
            let order: Vec<usize> = (0..mails.len()).chain(0..mails.len() / 2).collect();
            (Just(mails), Just(order).prop_shuffle())
        }),
    ) {
        let said: Vec<Option<Invitation>> =
            mails.iter().map(|(from, method, lines)| kept(&(*from, *method, lines))).collect();
        let straight: Vec<Invitation> = said.iter().flatten().cloned().collect();
        let shuffled: Vec<Invitation> = order.iter().filter_map(|n| said[*n].clone()).collect();
        prop_assert_eq!(derived(&shuffled), derived(&straight));
        let own_word = |one: &Invitation| one.method == Method::Reply && one.text.contains("ann");
        let accepts = derived(&straight).into_iter().flat_map(|m| m.attendees).any(|who| {
            let is_rep = who.person.address.local() == "ann";
            is_rep && !who.organizer && who.participation == Participation::Accepted
        });
        prop_assert!(!accepts || straight.iter().any(own_word));
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0..600usize) {
        let _ = read(&bytes);
        let text = calendar("REQUEST", &event(WEEKLY));
        let _ = read(&text.as_bytes()[..cut.min(text.len())]);
        let mut odd = text.into_bytes();
        let at = cut % odd.len();
        odd.splice(at..at, bytes);
        if let Ok(Some(kept)) = read(&odd) {
            let _ = derived(&[kept]);
        }
    }
}

#[test]
fn a_stamp_is_read_as_utc() {
    let at: Timestamp = "2026-02-01T08:00:00Z".parse().unwrap();
    assert_eq!(kept(&("bo", "REQUEST", REQUEST)).unwrap().stamped_at, Some(at));
}
