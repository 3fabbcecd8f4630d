//! Invitations in mail, by the program: evidence of meetings where no calendar is connected.

use keepwarm::model::Timestamp;
use keepwarm::normalise::calendar::meetings;
use keepwarm::normalise::invitation::read;

use crate::support::dovecot::{Dovecot, put};
use crate::support::generate::{Mail, REP, letter};
use crate::support::invite::Invite;
use crate::support::process::Place;

const BO: &str = "bo@acme.example";

/// The invitation of most tests: an hour on the morning of 2024-03-04.
const REQUEST: Invite<'static> = Invite {
    from: BO,
    to: REP,
    method: "REQUEST",
    lines: "UID:u1|DTSTAMP:20240201T090000Z|DTSTART:20240304T100000Z|DTEND:20240304T110000Z|\
            ORGANIZER:mailto:bo@acme.example|ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@us.example",
};
/// The rep's answer to it.
const ACCEPT: Invite<'static> = Invite {
    from: REP,
    to: BO,
    method: "REPLY",
    lines: "UID:u1|DTSTAMP:20240202T090000Z|ORGANIZER:mailto:bo@acme.example|\
            ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@us.example",
};
/// It is called off.
const CANCEL: Invite<'static> = Invite {
    from: BO,
    to: REP,
    method: "CANCEL",
    lines: "UID:u1|SEQUENCE:1|DTSTAMP:20240305T090000Z|STATUS:CANCELLED|\
            ORGANIZER:mailto:bo@acme.example|ATTENDEE:mailto:ann@us.example",
};

fn seconds(text: &str) -> u64 {
    let at: Timestamp = text.parse().unwrap();
    u64::try_from(at.seconds()).unwrap()
}

/// Meetings with bo, and all interactions, as of an instant, after a pass then.
#[track_caller]
fn held(place: &Place, now: &str) -> (i64, i64) {
    place.once(&["--now", now]);
    let status = place.json(&["status", "--now", now]);
    assert_eq!(status["quarantined"], 0, "{status}");
    let all = place.json(&["relationships", "--now", now]);
    let of = |with: &serde_json::Value| with["addresses"][0] == BO;
    let bo = all.as_array().unwrap().iter().find(|with| of(with)).cloned();
    let meetings = bo.and_then(|bo| bo["meetings"].as_i64()).unwrap_or(0);
    (meetings, status["interactions"].as_i64().unwrap())
}

fn deliver(server: &Dovecot, mails: &[Mail]) {
    for mail in mails {
        server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    }
}

#[test]
fn an_invitation_that_the_rep_accepts_is_a_meeting_until_it_is_called_off() {
    let server = Dovecot::start(&["ann"]);
    let forged = Invite { to: REP, ..ACCEPT };
    let stranger = Invite { from: "eve@evil.example", to: REP, ..ACCEPT };
    deliver(
        &server,
        &[
            REQUEST.mail("INBOX", seconds("2024-02-01T09:00:00Z")),
            forged.mail("INBOX", seconds("2024-02-01T10:00:00Z")),
            stranger.mail("INBOX", seconds("2024-02-01T11:00:00Z")),
        ],
    );
    let place = Place::new().imap("ann-mail", &server, "ann");
    assert_eq!(held(&place, "2024-03-04T12:00:00Z"), (0, 0), "nobody accepts for the rep");

    deliver(&server, &[ACCEPT.mail("Sent", seconds("2024-02-02T09:00:00Z"))]);
    assert_eq!(held(&place, "2024-03-04T10:30:00Z"), (0, 0), "it has not ended");
    assert_eq!(held(&place, "2024-03-04T12:00:00Z"), (1, 1));
    let (before, clean) = (place.dump(), Place::new().imap("ann-mail", &server, "ann"));
    assert_eq!(held(&clean, "2024-03-04T12:00:00Z"), (1, 1));
    before.assert_same(&clean.dump(), "in three passes and in one");

    let forged = Invite { from: "eve@evil.example", ..CANCEL };
    deliver(&server, &[forged.mail("INBOX", seconds("2024-03-05T08:00:00Z"))]);
    assert_eq!(held(&place, "2024-03-05T12:00:00Z"), (1, 1), "who calls it off may not");
    deliver(&server, &[CANCEL.mail("INBOX", seconds("2024-03-05T09:00:00Z"))]);
    assert_eq!(held(&place, "2024-03-05T12:00:00Z"), (0, 0));
}

#[test]
fn news_of_a_meeting_are_read_as_they_arrive() {
    let server = Dovecot::start(&["ann"]);
    deliver(&server, &[ACCEPT.mail("Sent", seconds("2024-02-02T09:00:00Z"))]);
    // The INBOX must exist to be watched.
    deliver(&server, &[letter("INBOX", [BO, REP], seconds("2024-02-01"), "first", None)]);
    let place = Place::new().imap("ann-mail", &server, "ann");
    let polls = [("KEEPWARM__SYNC__POLL_SECONDS", "3600")];
    let mut daemon = place.start_with(&["run"], &polls);
    daemon.wait_for("source read", std::time::Duration::from_secs(30));
    deliver(&server, &[REQUEST.mail("INBOX", seconds("2024-02-01T09:00:00Z"))]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while place.dump().meetings.is_empty() {
        assert!(std::time::Instant::now() < deadline, "no meeting:\n{}", daemon.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(daemon.terminate(std::time::Duration::from_secs(10)).status.success());
}

#[test]
fn a_series_is_laid_out_as_time_goes_by() {
    let weekly = Invite {
        lines: "UID:u2|DTSTAMP:20240201T090000Z|DTSTART;TZID=Europe/Berlin:20240205T100000|\
                DURATION:PT1H|RRULE:FREQ=WEEKLY|ORGANIZER:mailto:bo@acme.example|\
                ATTENDEE:mailto:ann@us.example",
        ..REQUEST
    };
    let accept = Invite {
        lines: "UID:u2|DTSTAMP:20240202T090000Z|ORGANIZER:mailto:bo@acme.example|\
                ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@us.example",
        ..ACCEPT
    };
    let place = Place::new().maildir("mail");
    for mail in [weekly.mail("INBOX", 1_706_778_000), accept.mail("Sent", 1_706_864_400)] {
        put(&place.path("mail"), mail.at, &mail.bytes);
    }
    for (now, meetings) in [
        ("2024-02-06T00:00:00Z", 1),
        ("2024-02-13T00:00:00Z", 2),
        ("2024-09-01T00:00:00Z", 30),
        ("2025-03-01T00:00:00Z", 56),
    ] {
        assert_eq!(held(&place, now).0, meetings, "{now}");
    }
}

#[test]
fn a_letter_with_a_file_is_a_letter_and_an_answer_of_a_calendar_is_none() {
    let place = Place::new().maildir("mail");
    let at = seconds("2024-02-01T09:00:00Z");
    let invite = String::from_utf8(REQUEST.mail("INBOX", at).bytes).unwrap();
    let plain = invite.replace("Content-Class: urn:content-classes:calendarmessage\r\n", "");
    // As people attach a file, and as Thunderbird answers.
    let file = plain.replace("; method=REQUEST", "; name=invite.ics").replace("@calendar", "@a");
    let answer = plain.replace("Subject: Review", "Subject: Accepted: Review");
    put(&place.path("mail"), at, file.as_bytes());
    put(&place.path("mail"), at + 60, answer.as_bytes());
    assert_eq!(held(&place, "2024-02-02T00:00:00Z"), (0, 1));
    let left_out: Vec<Option<String>> =
        place.dump().messages.into_values().map(|message| message.left_out).collect();
    assert!(left_out.contains(&Some("calendar".to_owned())), "{left_out:?}");
}

#[test]
fn what_a_calendar_holds_too_counts_once() {
    let place = Place::new().maildir("mail").with(
        "[[source]]\nname = \"ann-calendar\"\nrep = \"ann\"\nkind = \"ics\"\npath = \"ann.ics\"",
    );
    for mail in [REQUEST.mail("INBOX", 1_706_778_000), ACCEPT.mail("Sent", 1_706_864_400)] {
        put(&place.path("mail"), mail.at, &mail.bytes);
    }
    let accepted = REQUEST.calendar().replace("NEEDS-ACTION", "ACCEPTED");
    let calendar = accepted.replace("METHOD:REQUEST\r\n", "");
    std::fs::write(place.path("ann.ics"), &calendar).unwrap();
    assert_eq!(held(&place, "2024-03-05T00:00:00Z").0, 1);
    let declined = calendar.replace("PARTSTAT=ACCEPTED", "PARTSTAT=DECLINED");
    std::fs::write(place.path("ann.ics"), declined).unwrap();
    assert_eq!(held(&place, "2024-03-06T00:00:00Z").0, 0, "the calendar knows better");
}

/// Every file below the directory named by `KEEPWARM_ICS_CORPUS`, as if it had been sent.
#[test]
#[ignore = "reads KEEPWARM_ICS_CORPUS, a directory of calendars that is not part of the repository"]
fn what_is_kept_of_a_calendar_says_of_meetings_what_all_of_it_says() {
    let root = std::env::var_os("KEEPWARM_ICS_CORPUS").expect("KEEPWARM_ICS_CORPUS");
    let (mut open, mut kept) = (vec![std::path::PathBuf::from(root)], 0);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let sent = text.replacen("BEGIN:VCALENDAR", "BEGIN:VCALENDAR\r\nMETHOD:REQUEST", 1);
        let Ok(Some(invitation)) = read(sent.as_bytes()) else { continue };
        let window = ("2010-01-01".parse().unwrap(), "2028-01-01".parse().unwrap());
        let (mut all, _) = meetings(sent.as_bytes(), window, chrono_tz::UTC);
        all.retain(|meeting| meeting.uid == invitation.uid);
        let (found, _) = meetings(invitation.text.as_bytes(), window, chrono_tz::UTC);
        assert_eq!(found, all, "{}", path.display());
        kept += 1;
    }
    println!("{kept} calendars");
    assert!(kept > 300, "{kept} calendars");
}
