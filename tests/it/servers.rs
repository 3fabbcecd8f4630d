//! The program against servers of other makers and habits: each is read from nothing, then tells a
//! running daemon of new mail, and in the end the database equals that of a clean sync of what the
//! server finally holds; so it does when the connection was cut.

mod cut;
mod cyrus;
mod exchange;
mod gmail;
mod minimal;

use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::dump::rows;
use crate::support::generate::Mail;
use crate::support::process::Place;

/// How long things may take that should take a second.
const SOON: Duration = Duration::from_secs(30);

/// How long stopping may take.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A mailbox as `status` tells: name, role, messages read.
type Told = (&'static str, &'static str, i64);

/// Puts generated mail into a server, on which the mailbox of what is sent has this name.
fn fill(client: &mut Client, sent: &str, mails: &[Mail]) {
    for mail in mails {
        put(client, sent, mail);
    }
}

fn put(client: &mut Client, sent: &str, mail: &Mail) {
    let mailbox = if mail.mailbox == "Sent" { sent } else { mail.mailbox };
    client.append_to(mailbox, mail);
}

/// How many of these are in that mailbox.
fn count(mails: &[Mail], mailbox: &str) -> i64 {
    let count = mails.iter().filter(|mail| mail.mailbox == mailbox).count();
    i64::try_from(count).unwrap()
}

/// Mail arrives: in INBOX some while nothing runs, the rest while nothing but waiting can tell of it;
/// then what is sent, while the daemon asks every second.
fn arrive(place: &Place, client: &mut Client, sent: &str, mails: &[Mail]) {
    let mut stored = rows(&place.database(), "message");
    let (told, asked) = mails.iter().partition::<Vec<&Mail>, _>(|mail| mail.mailbox == "INBOX");
    for (poll, mails) in [("3600", told), ("1", asked)] {
        assert!(mails.len() > 1, "too few to tell, polling every {poll} s");
        put(client, sent, mails[0]);
        let mut daemon = place.start_with(&["run"], &[("KEEPWARM__SYNC__POLL_SECONDS", poll)]);
        daemon.wait_for("source read", SOON);
        for mail in &mails[1..] {
            stored += 1;
            wait_for_messages(place, stored);
            put(client, sent, mail);
        }
        stored += 1;
        wait_for_messages(place, stored);
        let ran = daemon.terminate(AT_ONCE);
        assert!(ran.status.success(), "{}", ran.stderr);
    }
}

#[track_caller]
fn wait_for_messages(place: &Place, count: i64) {
    let deadline = Instant::now() + SOON;
    while rows(&place.database(), "message") != count {
        let found = rows(&place.database(), "message");
        assert!(Instant::now() < deadline, "{found} messages, not {count}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What `status` says was read: all of it, in these mailboxes.
#[track_caller]
fn assert_read(place: &Place, mailboxes: &[Told]) {
    let status = place.json(&["status"]);
    let source = &status["sources"][0];
    assert_eq!((&source["state"], &status["quarantined"]), (&"ok".into(), &0.into()), "{status}");
    let found: Vec<(String, String, i64)> = source["mailboxes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mailbox| {
            assert_eq!((&mailbox["complete"], &mailbox["missing"]), (&true.into(), &0.into()));
            let word = |key: &str| mailbox[key].as_str().unwrap().to_owned();
            (word("name"), word("role"), mailbox["seen"].as_i64().unwrap())
        })
        .collect();
    let mut found: Vec<_> = found.iter().map(|(n, r, count)| (&**n, &**r, *count)).collect();
    let mut expected = mailboxes.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Reads everything again into a new database, which must come to the same.
#[track_caller]
fn assert_clean(place: &Place, context: &str) {
    let before = place.dump();
    assert!(before.counted() > 10, "{context}: {} interactions", before.counted());
    place.forget();
    place.once(&[]);
    before.assert_same(&place.dump(), context);
}
