//! Dovecot posing as Exchange Online: its capabilities, a prefix before every name, two connections.

use std::time::Duration;

use keepwarm::clock::Clock;
use keepwarm::model::Timestamp;

use super::{arrive, assert_clean, assert_read, count, fill};
use crate::support::client::Client;
use crate::support::dovecot::{Dovecot, PASSWORD, Storage};
use crate::support::dump::execute;
use crate::support::generate::{letter, mailbox};
use crate::support::process::Place;

/// Before login and after it, as Exchange Online says; STARTTLS and SPECIAL-USE are not among it.
const CONFIG: &str = "
namespace inbox {
  prefix = INBOX.
  separator = .
}
protocol imap {
  mail_max_userip_connections = 2
  imap_capability = IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT \
CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+
}
";

pub(super) const SENT: &str = "INBOX.Sent Items";

/// A server with the user ann, whose mailbox of sent mail does not exist yet.
pub(super) fn start() -> Dovecot {
    Dovecot::start_with(Storage::Sdbox, &["ann"], CONFIG)
}

#[test]
fn exchange_is_known_and_read_one_command_at_a_time() {
    let server = start();
    let mut client = Client::login(server.imap, "ann", PASSWORD);
    for name in [SENT, "INBOX.Deleted Items", "INBOX.Junk Email", "INBOX.Customers.Acme"] {
        client.run(&format!("CREATE \"{name}\""));
    }
    let mails = mailbox(63, 60);
    let first = &mails[..50];
    fill(&mut client, SENT, first);
    let people = ["bo@acme.example", "ann@us.example"];
    client.append_to("INBOX.Customers.Acme", &letter("INBOX", people, mails[0].at, "kept", None));
    let unread = [("Deleted Items", "deleted"), ("Junk Email", "junk"), ("Drafts", "draft")];
    for (name, id) in unread {
        let mail = letter("INBOX", people, mails[0].at, id, None);
        client.append_to(&format!("INBOX.{name}"), &mail);
    }

    let place = Place::new().imap("ann-mail", &server, "ann");
    let debug = [("KEEPWARM_LOG", "keepwarm=debug")];
    let ran = place.start_with(&["run", "--once"], &debug).finish(Duration::from_secs(60));
    assert!(ran.status.success(), "{}", ran.stderr);
    assert!(ran.stderr.contains("provider=Exchange"), "{}", ran.stderr);
    assert!(ran.stderr.contains("in_flight: 1"), "{}", ran.stderr);
    let expected = [
        ("INBOX", "inbox", count(first, "INBOX")),
        (SENT, "sent", count(first, "Sent")),
        ("INBOX.Sent", "sent", 0),
        ("INBOX.Customers.Acme", "other", 1),
    ];
    assert_read(&place, &expected);
    place.once(&[]);
    assert_read(&place, &expected);
    arrive(&place, &mut client, SENT, &mails[50..]);
    assert_clean(&place, "Dovecot posing as Exchange");
}

#[test]
fn a_login_beyond_the_servers_limit_is_left_for_later() {
    let server = start();
    let mut client = Client::login(server.imap, "ann", PASSWORD);
    client.run(&format!("CREATE \"{SENT}\""));
    fill(&mut client, SENT, &mailbox(64, 20));
    let second = Client::login(server.imap, "ann", PASSWORD);
    let third = Client::try_login(server.imap, "ann", PASSWORD).unwrap_err();
    // By its words: the code is [LIMIT] or, before Dovecot was mended (CVE-2026-33263), [UNAVAILABLE].
    assert!(third.contains("Maximum number of connections"), "{third}");

    let place = Place::new().imap("ann-mail", &server, "ann");
    let ran = place.keepwarm(&["run", "--once"]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    let source = place.json(&["status"])["sources"][0].clone();
    assert_eq!(source["state"], "throttled", "not refused, which somebody would have to see to");
    let retry_at: Timestamp = source["retry_at"].as_str().unwrap().parse().unwrap();
    assert!(retry_at > Clock::System.now(), "{source}");

    drop((client, second));
    execute(&place.database(), "UPDATE source SET retry_at = 0");
    place.once(&[]);
    assert_eq!(place.json(&["status"])["sources"][0]["state"], "ok");
    assert_clean(&place, "after a limit");
}
