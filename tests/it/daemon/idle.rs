//! `run` on a connection that it keeps: news is told, not asked for; a lost connection is replaced.

use std::time::{Duration, Instant};

use super::{fill, wait_for_messages};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::generate::mailbox;
use crate::support::process::Place;
use crate::support::proxy::Proxy;

/// How long things may take that should take a second.
const SOON: Duration = Duration::from_secs(20);
/// No poll comes within a test.
const NO_POLL: &str = "[sync]\npoll_seconds = 3600";

fn place(proxy: &Proxy, server: &Dovecot, settings: &str) -> Place {
    Place::new().with(settings).imap_at("ann-mail", server, proxy.address, "ann", PASSWORD)
}

#[test]
fn new_mail_is_told_of_on_the_connection_that_is_kept() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(41, 60);
    fill(&server, "ann", &mails[..50]);
    let proxy = Proxy::start(server.imaps);
    let place = place(&proxy, &server, NO_POLL);
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("source read", SOON);
    for count in 51..=53 {
        let at = mails[count - 1].at;
        server.deliver("ann", "INBOX", at, &mails[count - 1].bytes);
        wait_for_messages(&place, i64::try_from(count).unwrap());
    }
    assert_eq!(proxy.connections(), 1);
    let ran = daemon.terminate(SOON);
    assert!(ran.status.success(), "{}", ran.stderr);
    let clean = Place::new().imap("ann-mail", &server, "ann");
    clean.once(&[]);
    place.dump().assert_same(&clean.dump(), "told of one after the other");
}

#[test]
fn what_is_sent_is_found_by_a_glance_on_the_same_connection() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(42, 40);
    fill(&server, "ann", &mails[..30]);
    let proxy = Proxy::start(server.imaps);
    let place = place(&proxy, &server, "[sync]\npoll_seconds = 1");
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("source read", SOON);
    for (mail, count) in mails[30..].iter().zip(31..) {
        server.deliver("ann", "Sent", mail.at, &mail.bytes);
        wait_for_messages(&place, count);
        if count == 33 {
            break;
        }
    }
    assert_eq!(proxy.connections(), 1);
    drop(daemon);
}

#[test]
fn a_lost_connection_is_replaced_and_what_came_meanwhile_is_found() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(43, 31);
    fill(&server, "ann", &mails[..30]);
    let proxy = Proxy::start(server.imaps);
    let place = place(&proxy, &server, NO_POLL);
    let mut daemon = place.start(&["run"]);
    daemon.wait_for("source read", SOON);
    server.deliver("ann", "Archive", mails[30].at, &mails[30].bytes);
    let before = Instant::now();
    server.doveadm(&["kick", "ann"]);
    wait_for_messages(&place, 31);
    assert!(before.elapsed() < SOON);
    assert_eq!(proxy.connections(), 2);
    drop(daemon);
}
