//! Hoodiecrow posing as Gmail: one store, of which mailboxes are labels, and logins by token.

use std::net::SocketAddr;

use super::{arrive, assert_clean, assert_read, count, fill};
use crate::support::client::Client;
use crate::support::generate::{Mail, REP, letter, mailbox};
use crate::support::process::Place;
use crate::support::served::{self, AllMail, Served, TOKEN, USER};

pub(super) const SENT: &str = "[Gmail]/Sent Mail";

/// A place that reads what is at this address, logging in with the token that is good.
pub(super) fn place(address: SocketAddr, lines: &str) -> Place {
    let place = served::place(address, USER, &format!("token_file = \"ann.token\"\n{lines}"));
    std::fs::write(place.path("ann.token"), format!("{TOKEN}\n")).unwrap();
    place
}

/// What must not be read, under the label that says so.
fn fill_unread(client: &mut Client, at: u64) {
    for label in ["[Gmail]/Drafts", "[Gmail]/Spam", "[Gmail]/Trash", "Customers"] {
        let id = label.replace(['[', ']', '/'], "");
        client.append_to(label, &letter("Sent", [REP, "bo@acme.example"], at, &id, None));
    }
}

/// An answer that says so by its subject alone.
fn loose_answer(at: u64) -> Mail {
    let mut mail = letter("INBOX", ["bo@acme.example", REP], at, "loose", None);
    let text = String::from_utf8(mail.bytes).unwrap();
    mail.bytes = text.replace("Subject: About loose", "Subject: Re: About asked").into_bytes();
    mail
}

#[test]
fn gmail_is_read_through_all_mail_with_labels_and_threads() {
    let server = Served::gmail(AllMail::Shown);
    let mut client = server.client();
    let mails = mailbox(62, 60);
    let (at, first) = (mails[59].at, &mails[..50]);
    fill(&mut client, SENT, first);
    fill_unread(&mut client, at);
    client.append_to(SENT, &letter("Sent", [REP, "bo@acme.example"], at, "asked", None));
    client.append_to("INBOX", &loose_answer(at + 60));

    let place = place(server.address, "exclude_mailboxes = [\"Customers\"]");
    // Drafts and what is under an excluded label are listed and not kept.
    for _ in 0..2 {
        place.once(&[]);
        assert_read(&place, &[("[Gmail]/All Mail", "all", 54)]);
    }
    let dump = place.dump();
    assert_eq!(dump.messages.len(), 52);
    let joined = dump.messages.values().filter(|message| {
        message.thread.len() == 2 && message.references.is_empty() && message.reply_subject
    });
    assert_eq!(joined.count(), 1, "the server knows what a loose answer belongs to");
    arrive(&place, &mut client, SENT, &mails[50..]);
    assert_clean(&place, "Gmail");
}

#[test]
fn gmail_that_hides_all_mail_is_read_through_inbox_and_sent_mail() {
    let server = Served::gmail(AllMail::Hidden);
    let mut client = server.client();
    let mails = mailbox(62, 60);
    let first = &mails[..50];
    fill(&mut client, SENT, first);
    fill_unread(&mut client, mails[59].at);
    let place = place(server.address, "");
    for _ in 0..2 {
        place.once(&[]);
        let (inbox, sent) = (count(first, "INBOX"), count(first, "Sent"));
        assert_read(&place, &[("INBOX", "inbox", inbox), (SENT, "sent", sent)]);
    }
    arrive(&place, &mut client, SENT, &mails[50..]);
    assert_clean(&place, "Gmail without All Mail");

    // The same mail, whichever way it is read.
    let server = Served::gmail(AllMail::Shown);
    let mut client = server.client();
    fill(&mut client, SENT, &mails);
    let whole = self::place(server.address, "");
    whole.once(&[]);
    let (found, expected) = (place.dump().without_cursors(), whole.dump().without_cursors());
    found.assert_same(&expected, "All Mail hidden and shown");
}

#[test]
fn a_token_that_gmail_refuses_is_told_as_such() {
    let server = Served::gmail(AllMail::Shown);
    let place = place(server.address, "");
    std::fs::write(place.path("ann.token"), "canary.expired").unwrap();
    let ran = place.keepwarm(&["run", "--once"]);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("login refused: "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert_eq!(place.json(&["status"])["sources"][0]["failures"], 1);
}
