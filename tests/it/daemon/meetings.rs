//! Meetings, from calendar files to strengths and nudges: what an admin and a rep see of them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use keepwarm::model::{Span, Timestamp};

use super::now_s;
use super::nudges::{SECRET, went_quiet};
use crate::support::dovecot::put;
use crate::support::generate::{REP, letter};
use crate::support::hook::Hook;
use crate::support::process::Place;

/// A calendar event of an hour to which ann asked a contact.
struct Event {
    uid: &'static str,
    starts_at: Timestamp,
    contact: &'static str,
    /// RFC 5545, PARTSTAT.
    answer: &'static str,
    /// Further lines.
    more: &'static str,
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn days_ahead(days: i64) -> Timestamp {
    Timestamp::from_seconds(i64::try_from(now_s()).unwrap()) + Span::from_days(days)
}

/// The form of iCalendar, in UTC.
fn written(at: Timestamp) -> String {
    at.to_utc().unwrap().format("%Y%m%dT%H%M%SZ").to_string()
}

fn event(uid: &'static str, starts_at: Timestamp, answer: &'static str) -> Event {
    Event { uid, starts_at, contact: "bo@acme.example", answer, more: "" }
}

/// Writes a calendar file beside the configuration.
fn write(place: &Place, name: &str, events: &[Event]) {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_owned();
    for Event { uid, starts_at, contact, answer, more } in events {
        let (from, to) = (written(*starts_at), written(*starts_at + Span::from_hours(1)));
        let _ = write!(
            text,
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:{from}\r\nDTEND:{to}\r\n{more}\
             ORGANIZER:mailto:{REP}\r\nATTENDEE;PARTSTAT={answer}:mailto:{contact}\r\n\
             END:VEVENT\r\n"
        );
    }
    text.push_str("END:VCALENDAR\r\n");
    std::fs::write(place.path(name), text).unwrap();
}

/// With a calendar file read for ann.
fn calendar(place: Place, name: &str) -> Place {
    write(&place, &format!("{name}.ics"), &[]);
    place.with(&format!(
        "[[source]]\nname = \"{name}\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"{name}.ics\""
    ))
}

/// Meetings held with bo by then, as they are shown.
fn shown(place: &Place, now: &str) -> u64 {
    let all = place.json(&["relationships", "--now", now]);
    let all = all.as_array().unwrap();
    all.first().map_or(0, |one| one["meetings"].as_u64().unwrap())
}

/// Meetings in the stored states.
fn stored(place: &Place) -> Vec<u32> {
    place.dump().relationships.values().map(|state| state.counts.meetings).collect()
}

#[test]
fn a_meeting_read_before_it_is_held_counts_when_it_is_over_though_nothing_is_read() {
    let place = calendar(Place::new(), "ann-calendar");
    let held = event("m1", instant("2024-03-10T09:00:00Z"), "ACCEPTED");
    write(&place, "ann-calendar.ics", &[held]);
    place.once(&["--now", "2024-03-01T00:00:00Z"]);
    assert_eq!(stored(&place), [0], "to come");
    std::fs::remove_file(place.path("ann-calendar.ics")).unwrap();
    for (now, expected) in [("2024-03-10T09:59:59Z", 0), ("2024-03-10T10:00:00Z", 1)] {
        assert_eq!(shown(&place, now), expected, "asked at {now}");
        let ran = place.keepwarm(&["run", "--once", "--now", now]);
        assert_eq!(ran.status.code(), Some(1), "nothing could be read: {}", ran.stderr);
        assert_eq!(stored(&place), [u32::try_from(expected).unwrap()], "in the database at {now}");
    }
}

#[test]
fn what_is_ahead_in_a_calendar_that_is_read_no_more_is_not_taken_for_held() {
    let place = calendar(Place::new(), "ann-calendar");
    let events = [
        event("m1", instant("2024-03-10T09:00:00Z"), "ACCEPTED"),
        event("m2", instant("2024-04-10T09:00:00Z"), "ACCEPTED"),
    ];
    write(&place, "ann-calendar.ics", &events);
    place.once(&["--now", "2024-03-20T00:00:00Z"]);
    assert_eq!(place.json(&["status"])["meetings"], 2);
    let with_it = std::fs::read_to_string(place.path("keepwarm.toml")).unwrap();
    let (without_it, _) = with_it.split_once("[[source]]").unwrap();
    let other = with_it.replace("\"ics\"", "\"maildir\"").replace("ann-calendar.ics", "mail");
    for directory in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(place.path("mail").join(directory)).unwrap();
    }
    for (config, expected) in [(without_it, 1), (&with_it, 2), (&other, 1)] {
        std::fs::write(place.path("keepwarm.toml"), config).unwrap();
        place.once(&["--now", "2024-03-20T00:00:00Z"]);
        place.once(&["--now", "2024-05-01T00:00:00Z"]);
        assert_eq!(shown(&place, "2024-05-01T00:00:00Z"), expected, "{config}");
        assert_eq!(stored(&place), [u32::try_from(expected).unwrap()], "{config}");
    }
}

#[test]
fn a_running_daemon_counts_a_meeting_the_moment_it_is_over() {
    let place = calendar(Place::new(), "ann-calendar").with("poll_seconds = 3600");
    let ends_at = Timestamp::from_seconds(i64::try_from(now_s()).unwrap() + 4);
    write(&place, "ann-calendar.ics", &[event("m1", ends_at - Span::from_hours(1), "ACCEPTED")]);
    place.once(&[]);
    assert_eq!(stored(&place), [0]);
    std::fs::remove_file(place.path("ann-calendar.ics")).unwrap();
    let daemon = place.start(&["run"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while stored(&place) != [1] {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(now_s() >= u64::try_from(ends_at.seconds()).unwrap(), "not before it was over");
    daemon.terminate(Duration::from_secs(5));
}

#[test]
fn a_meeting_ahead_holds_a_nudge_back_until_it_is_called_off() {
    let hook = Hook::start();
    let place = Place::new().maildir("ann-mail").endpoint("crm", hook.address(), SECRET);
    let place = calendar(place, "ann-calendar");
    let events = |more| {
        [
            Event { contact: "soon@acme.example", more, ..event("m1", days_ahead(10), "ACCEPTED") },
            Event { contact: "declined@acme.example", ..event("m2", days_ahead(10), "DECLINED") },
            Event { contact: "open@acme.example", ..event("m3", days_ahead(10), "NEEDS-ACTION") },
            Event { contact: "later@acme.example", ..event("m4", days_ahead(20), "ACCEPTED") },
        ]
    };
    let all = events("");
    for event in &all {
        went_quiet(&place, "ann-mail", event.contact, now_s(), 45);
    }
    write(&place, "ann-calendar.ics", &all);
    place.once(&[]);
    let told = || {
        let requests = hook.requests();
        let address = |r: &crate::support::hook::Request| {
            let address = r.json()["data"]["contact"]["address"].clone();
            address.as_str().unwrap().split('@').next().unwrap().to_owned()
        };
        let mut told: Vec<String> = requests.iter().map(address).collect();
        told.sort();
        told.join(" ")
    };
    assert_eq!(told(), "declined later open");
    place.once(&[]);
    assert_eq!(told(), "declined later open", "it is still ahead");
    write(&place, "ann-calendar.ics", &events("STATUS:CANCELLED\r\n"));
    place.once(&[]);
    assert_eq!(told(), "declined later open soon", "by the pass that read that it was called off");
}

#[test]
fn a_meeting_in_two_calendars_counts_once_and_follows_both() {
    let place = calendar(calendar(Place::new(), "a-work"), "b-home");
    let now = "2024-04-01T00:00:00Z";
    let at = instant("2024-03-10T09:00:00Z");
    let newer = |answer| Event { more: "SEQUENCE:1\r\n", ..event("m1", at, answer) };
    for (what, work, home, expected) in [
        ("in one", vec![event("m1", at, "ACCEPTED")], vec![], 1),
        ("in both", vec![event("m1", at, "ACCEPTED")], vec![event("m1", at, "ACCEPTED")], 1),
        ("another", vec![event("m2", at, "ACCEPTED")], vec![event("m1", at, "ACCEPTED")], 2),
        ("declined later", vec![newer("DECLINED")], vec![event("m1", at, "ACCEPTED")], 0),
        ("that is gone", vec![], vec![event("m1", at, "ACCEPTED")], 1),
        ("both are gone", vec![], vec![], 0),
    ] {
        write(&place, "a-work.ics", &work);
        write(&place, "b-home.ics", &home);
        place.once(&["--now", now]);
        assert_eq!(shown(&place, now), expected, "{what}");
        let other = calendar(calendar(Place::new(), "a-work"), "b-home");
        write(&other, "a-work.ics", &work);
        write(&other, "b-home.ics", &home);
        other.once(&["--now", now]);
        let states = |place: &Place| {
            let mut dump = place.dump().without_cursors();
            // What was once learnt of a person stays.
            dump.relationships.retain(|_, state| state.first_at.is_some());
            dump.contacts.clear();
            dump
        };
        states(&place).assert_same(&states(&other), what);
    }
}

#[test]
fn explain_and_status_tell_of_meetings() {
    let place = calendar(Place::new().maildir("ann-mail"), "ann-calendar");
    let bo = ["bo@acme.example", REP];
    let wrote = letter("INBOX", bo, 1_710_000_000, "m1@acme.example", None);
    put(&place.path("ann-mail"), wrote.at, &wrote.bytes);
    let events = [
        event("m1", instant("2024-03-01T09:00:00Z"), "ACCEPTED"),
        event("m2", instant("2024-03-08T09:00:00Z"), "NEEDS-ACTION"),
        event("m3", instant("2024-03-20T09:00:00Z"), "NEEDS-ACTION"),
        event("m4", instant("2024-04-10T09:00:00Z"), "ACCEPTED"),
        Event {
            more: "STATUS:CANCELLED\r\n",
            ..event("m5", instant("2024-04-12T09:00:00Z"), "ACCEPTED")
        },
    ];
    write(&place, "ann-calendar.ics", &events);
    let now = "2024-03-15T00:00:00Z";
    place.once(&["--now", now]);

    let explained = place.json(&["explain", "ann", "bo@acme.example", "--now", now]);
    let met = |from: &str, to: &str, accepted: bool| serde_json::json!({"starts_at": from, "ends_at": to, "audience": 1, "accepted": accepted});
    let expected = serde_json::json!([
        met("2024-03-01T09:00:00Z", "2024-03-01T10:00:00Z", true),
        met("2024-03-08T09:00:00Z", "2024-03-08T10:00:00Z", false),
    ]);
    assert_eq!(explained["meetings_held"], expected);
    assert_eq!(explained["next_meeting_at"], "2024-04-10T09:00:00Z");
    assert_eq!(explained["next_meeting_ends_at"], "2024-04-10T10:00:00Z");
    let printed = place.keepwarm(&["explain", "ann", "bo@acme.example", "--now", now]).stdout;
    for line in [
        "next meeting: 2024-04-10T09:00:00Z to 2024-04-10T10:00:00Z",
        "meetings held, the last of 2:",
        "2024-03-08T09:00:00Z to 2024-03-08T10:00:00Z, 1 asked, not answered but written about then",
        "2024-03-01T09:00:00Z to 2024-03-01T10:00:00Z, 1 asked",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }

    let status = place.json(&["status", "--now", now]);
    assert_eq!((&status["meetings"], &status["interactions"]), (&2.into(), &3.into()));
    let source = &status["sources"][0];
    assert_eq!((&source["name"], &source["fresh_at"]), (&"ann-calendar".into(), &now.into()));
    for told in [source, &source["mailboxes"][0]] {
        assert_eq!((&told["meetings"], &told["meetings_ahead"]), (&5.into(), &2.into()), "{told}");
    }
    assert!(status["sources"][1]["meetings"].is_null(), "of mail: {}", status["sources"][1]);
    let printed = place.keepwarm(&["status", "--now", now]).stdout;
    let line = printed.lines().find(|line| line.starts_with("ann-calendar")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let read = ["ann-calendar", "ann", "ics", "ok", "1", "1", "1", "5", "2", now];
    assert_eq!(words, read, "{printed}");
}
