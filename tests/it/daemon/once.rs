//! `run --once` over IMAP: whatever happens to the mailbox, what is known of the same messages
//! stays the same.

use std::os::unix::fs::PermissionsExt;

use super::{NOW, fill};
use crate::support::dovecot::{Dovecot, put};
use crate::support::dump::Dump;
use crate::support::generate::{REP, letter, mailbox};
use crate::support::process::Place;

const FIRST_S: u64 = 1_704_067_200;

/// The counts that status gives.
fn counts(place: &Place) -> serde_json::Value {
    let mut status = place.json(&["status", "--now", NOW]);
    status.as_object_mut().unwrap().remove("sources");
    status
}

/// The state that status gives of a source, and its last error.
fn state(place: &Place, name: &str) -> (String, String) {
    let status = place.json(&["status"]);
    let sources = status["sources"].as_array().unwrap().clone();
    let of = sources.into_iter().find(|source| source["name"] == name).unwrap();
    let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
    (text("state"), text("error"))
}

/// What is known of messages and people, however far mailboxes were read.
fn known(place: &Place) -> Dump {
    place.dump().without_cursors()
}

#[test]
fn a_second_pass_stores_nothing_and_a_third_only_what_is_new() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(11, 301);
    fill(&server, "ann", &mails[..300]);
    let place = Place::new().imap("ann-mail", &server, "ann");
    place.once(&["--now", NOW]);
    let (first, told) = (place.dump(), counts(&place));
    assert_eq!(told["messages"], 300);
    assert_eq!(first.messages.len(), 300);
    assert!(first.counted() > 200, "{} count", first.counted());
    assert_eq!(state(&place, "ann-mail"), ("ok".to_owned(), String::new()));

    let ran = place.once(&["--now", NOW]);
    assert_eq!(counts(&place), told, "{}", ran.stderr);
    place.dump().assert_same(&first, "a second pass");

    fill(&server, "ann", &mails[300..]);
    place.once(&["--now", NOW]);
    assert_eq!(counts(&place)["messages"], 301);
    let other = Place::new().imap("ann-mail", &server, "ann");
    other.once(&["--now", NOW]);
    place.dump().assert_same(&other.dump(), "in two passes and in one");
}

#[test]
fn a_moved_message_changes_nothing() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(12, 80));
    let place = Place::new().imap("ann-mail", &server, "ann");
    place.once(&["--now", NOW]);
    let before = known(&place);
    server.doveadm(&["mailbox", "create", "-u", "ann", "Archive"]);
    server.move_messages("ann", "INBOX", "Archive", &["1:20"]);
    place.once(&["--now", NOW]);
    known(&place).assert_same(&before, "after 20 messages were moved");
    let archive = ("ann-mail".to_owned(), "Archive".to_owned());
    assert_eq!(place.dump().mailboxes[&archive].total, Some(20));
}

#[test]
fn another_uidvalidity_changes_nothing() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(13, 80));
    let place = Place::new().imap("ann-mail", &server, "ann");
    place.once(&["--now", NOW]);
    let before = place.dump();
    server.forget_uids("ann", "INBOX");
    place.once(&["--now", NOW]);
    let after = place.dump();
    let inbox = ("ann-mail".to_owned(), "INBOX".to_owned());
    assert_ne!(after.mailboxes[&inbox].cursor, before.mailboxes[&inbox].cursor);
    assert!(after.mailboxes[&inbox].complete);
    let told = place.json(&["status"])["sources"][0].clone();
    assert_eq!((&told["seen"], &told["on_server"]), (&80.into(), &80.into()), "counted anew");
    after.without_cursors().assert_same(&before.without_cursors(), "after a rescan");
}

#[test]
fn what_was_sent_counts_once_and_only_if_it_was_sent() {
    let server = Dovecot::start(&["ann"]);
    let to = |contact| [REP, contact];
    let copied = letter("Sent", to("bo@acme.example"), FIRST_S, "copied@us.example", None);
    let forged = letter("INBOX", to("eve@acme.example"), FIRST_S + 60, "forged@us.example", None);
    fill(&server, "ann", &[copied.clone(), forged.clone()]);
    server.deliver("ann", "INBOX", copied.at, &copied.bytes);
    let place = Place::new().imap("ann-mail", &server, "ann");
    place.once(&["--now", NOW]);
    let counted = || {
        let dump = place.dump();
        let of = |contact: &str| -> Vec<bool> {
            let touches = dump.interactions.iter();
            touches.filter(|t| t.pair.1 == [contact]).map(|t| t.counted).collect()
        };
        (of("bo@acme.example"), of("eve@acme.example"))
    };
    assert_eq!(counted(), (vec![true], vec![false]));
    server.deliver("ann", "Sent", forged.at, &forged.bytes);
    place.once(&["--now", NOW]);
    assert_eq!(counted(), (vec![true], vec![true]));
}

#[test]
fn a_wrong_password_is_told_and_the_others_are_read() {
    let server = Dovecot::start(&["ann"]);
    let place = Place::new()
        .imap_at("ann-mail", &server, server.imaps, "ann", "wrong")
        .maildir("ann-archive");
    let kept = letter("INBOX", ["bo@acme.example", REP], FIRST_S, "kept@acme.example", None);
    put(&place.path("ann-archive"), kept.at, &kept.bytes);
    let ran = place.keepwarm(&["run", "--once", "--now", NOW]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    let told = "error: syncing source ann-mail: login refused";
    assert!(ran.stderr.contains(told) && ran.stderr.contains("hint:"), "{}", ran.stderr);
    let (found, error) = state(&place, "ann-mail");
    assert!(found == "degraded" && error.contains("hint:"), "{found}: {error}");
    assert_eq!(state(&place, "ann-archive").0, "ok");
    assert_eq!(place.dump().messages.len(), 1);
}

/// Else silence in a mailbox that cannot be read would be taken for that of a contact.
#[test]
fn a_source_that_lacks_a_mailbox_is_not_fresh() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(14, 30));
    for folder in ["Archive", "Shared"] {
        server.doveadm(&["mailbox", "create", "-u", "ann", folder]);
    }
    let lock = |folder: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(server.maildir("ann", folder), permissions).unwrap();
    };
    lock("Shared", 0);
    let place = Place::new().imap("ann-mail", &server, "ann");
    place.once(&["--now", NOW]);
    assert_eq!(state(&place, "ann-mail").0, "ok", "one that was never read may be nobody's");

    lock("Archive", 0);
    let new = letter("INBOX", ["bo@acme.example", REP], FIRST_S, "new@acme.example", None);
    fill(&server, "ann", &[new]);
    let ran = place.keepwarm(&["run", "--once", "--now", "2025-06-02T00:00:00Z"]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    let (found, error) = state(&place, "ann-mail");
    assert!(found == "degraded" && error.starts_with("partly read:"), "{found}: {error}");
    assert_eq!(place.json(&["status"])["sources"][0]["fresh_at"], NOW, "as before");
    assert_eq!(place.dump().messages.len(), 31, "the others are read");

    lock("Archive", 0o755);
    place.once(&["--now", NOW]);
    assert_eq!(state(&place, "ann-mail").0, "ok");
}

#[test]
fn a_calendar_that_is_being_written_takes_no_meeting_back() {
    let event = |n: u32| {
        format!(
            "BEGIN:VEVENT\r\nUID:m{n}\r\nDTSTART:202401{n:02}T090000Z\r\nDTEND:202401{n:02}T093000Z\r\n\
             ORGANIZER:mailto:ann@us.example\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED:mailto:bo@acme.example\r\nEND:VEVENT\r\n"
        )
    };
    let all = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n",
        (10..20).map(event).collect::<String>()
    );
    let place = Place::new().with(
        "[[source]]\nname = \"ann-calendar\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"ann.ics\"",
    );
    let met = |text: &str| {
        std::fs::write(place.path("ann.ics"), text).unwrap();
        place.once(&["--now", "2024-02-01T00:00:00Z"]);
        let status = place.json(&["status", "--now", "2024-02-01T00:00:00Z"]);
        (status["meetings"].as_u64().unwrap(), status["interactions"].as_u64().unwrap())
    };
    assert_eq!(met(&all), (10, 10));
    let cut = all.find("UID:m15").unwrap();
    for end in [cut, cut - "BEGIN:VEVENT\r\n".len()] {
        assert_eq!(met(all.get(..end).unwrap()), (10, 10), "cut after {end} bytes");
    }
    let without_one = all.replace(&event(12), "");
    assert_eq!(met(&without_one), (9, 9), "whole again, with one meeting less");
    for other in ["", "<html>Sign in</html>", &"x".repeat(9000)] {
        std::fs::write(place.path("ann.ics"), other).unwrap();
        let ran = place.keepwarm(&["run", "--once", "--now", "2024-02-01T00:00:00Z"]);
        assert!(ran.stderr.contains("it is no calendar; hint:"), "{other:.9}: {}", ran.stderr);
        let status = place.json(&["status", "--now", "2024-02-01T00:00:00Z"]);
        assert_eq!(status["sources"][0]["state"], "degraded", "{other:.9}: {status}");
        assert_eq!(status["meetings"], 9, "{other:.9}: {status}");
    }
}
