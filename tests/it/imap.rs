//! The IMAP source against a real Dovecot.

use std::collections::BTreeSet;
use std::sync::Arc;

use keepwarm::http::tls_config;
use keepwarm::model::{Cursor, Role};
use keepwarm::source::imap::{Compression, Settings, TlsMode, probe};
use keepwarm::source::{SkipReason, SourceError};

use crate::support::dovecot::{Dovecot, PASSWORD, Storage};
use crate::support::generate::{Mail, mailbox};
use crate::support::proxy::Proxy;
use crate::support::replica::{Replica, header_bytes};

fn fill(server: &Dovecot, mails: &[Mail]) {
    for mail in mails {
        server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    }
}

fn ids(mails: &[Mail], mailbox: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        mails.iter().filter(|mail| mail.mailbox == mailbox).map(|mail| mail.id.clone()).collect();
    ids.sort();
    ids
}

fn trusting(server: &Dovecot) -> Arc<rustls::ClientConfig> {
    tls_config(Some(server.ca_pem())).unwrap()
}

fn small(server: &Dovecot) -> Settings {
    Settings { window: 20, ..server.settings("ann") }
}

#[tokio::test]
async fn every_message_is_read_once_and_the_newest_first() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(1, 200);
    fill(&server, &mails);
    let mut replica = Replica::default();
    let (pass, deltas) = replica.pass(&small(&server), &trusting(&server)).await;
    let pass = pass.unwrap();
    assert_eq!((pass.mailboxes, pass.messages), (2, 200));
    let skipped: BTreeSet<_> =
        pass.skipped.iter().map(|s| (&*s.mailbox, s.reason.code())).collect();
    assert_eq!(skipped, [("Drafts", "drafts"), ("Junk", "junk"), ("Trash", "trash")].into());
    for (name, role) in [("INBOX", Role::Inbox), ("Sent", Role::Sent)] {
        assert_eq!(replica.ids(name), ids(&mails, name), "{name}");
        let of: Vec<_> = deltas.iter().filter(|delta| delta.mailbox.name == name).collect();
        assert!(of.len() > 2 && of.iter().all(|delta| delta.mailbox.role == role), "{name}");
        let lows: Vec<u32> = of.iter().map(|delta| low(&delta.cursor)).collect();
        assert!(lows.is_sorted_by(|a, b| a > b), "backwards through {name}: {lows:?}");
        let complete: Vec<bool> = of.iter().map(|delta| delta.complete).collect();
        assert_eq!(complete.iter().position(|c| *c), Some(of.len() - 1), "{name}");
    }
    let text = header_bytes(&deltas);
    assert!(!text.contains("Received:") && !text.contains("DKIM") && !text.contains("Hello"));
    assert!(text.contains("References:") && text.contains("List-Id:"));

    let (pass, deltas) = replica.pass(&small(&server), &trusting(&server)).await;
    assert_eq!((pass.unwrap().messages, deltas.len()), (0, 2), "nothing new, but told so");
    assert!(deltas.iter().all(|delta| delta.complete && delta.items.is_empty()));
}

fn low(cursor: &Cursor) -> u32 {
    let Cursor::Imap { low, .. } = cursor else { panic!("{cursor:?}") };
    *low
}

#[tokio::test]
async fn what_is_new_or_moved_comes_and_nothing_else() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(2, 60);
    fill(&server, &mails[..50]);
    let (settings, tls) = (small(&server), trusting(&server));
    let mut replica = Replica::default();
    replica.pass(&settings, &tls).await.0.unwrap();

    fill(&server, &mails[50..]);
    let (pass, _) = replica.pass(&settings, &tls).await;
    assert_eq!(pass.unwrap().messages, 10);

    server.doveadm(&["mailbox", "create", "-u", "ann", "Customers/Gro\u{df} \"& Co\""]);
    server.move_messages("ann", "INBOX", "Customers/Gro\u{df} \"& Co\"", &["1:3"]);
    let (pass, deltas) = replica.pass(&settings, &tls).await;
    assert_eq!(pass.unwrap().messages, 3);
    let moved = deltas.iter().find(|delta| delta.items.len() == 3).unwrap();
    assert_eq!(moved.mailbox.name, "Customers/Gro&AN8- \"&- Co\"");
    assert_eq!(moved.mailbox.role, Role::Other);
    assert_eq!(replica.ids("INBOX"), ids(&mails, "INBOX"), "the old sight stays");
}

#[tokio::test]
async fn another_uidvalidity_means_reading_again_under_it() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(3, 50);
    fill(&server, &mails);
    let (settings, tls) = (small(&server), trusting(&server));
    let mut replica = Replica::default();
    replica.pass(&settings, &tls).await.0.unwrap();
    let before = replica.cursors["INBOX"].clone();

    server.forget_uids("ann", "INBOX");
    let mut again = Replica { items: Vec::new(), ..replica.clone() };
    let (pass, _) = again.pass(&settings, &tls).await;
    assert_eq!(pass.unwrap().messages, ids(&mails, "INBOX").len() as u64);
    assert_eq!(again.ids("INBOX"), ids(&mails, "INBOX"));
    let validity = |cursor: &Cursor| match cursor {
        Cursor::Imap { uid_validity, .. } => *uid_validity,
        other => panic!("{other:?}"),
    };
    assert_ne!(validity(&before), validity(&again.cursors["INBOX"]));
    assert_eq!(again.pass(&settings, &tls).await.0.unwrap().messages, 0);
}

#[tokio::test]
async fn errors_tell_the_admin_what_to_do() {
    let server = Dovecot::start(&["ann"]);
    let good = server.settings("ann");
    let tls = trusting(&server);
    let plain = server.imap.port();
    let wrong_password = Settings { credentials: "wrong".into(), ..good.clone() };
    let no_server = Settings { port: 1, ..good.clone() };
    let plain_port = Settings { port: plain, ..good.clone() };
    let wrong_name = Settings { host: "127.0.0.2".to_owned(), ..good.clone() };
    let table = [
        (&wrong_password, &tls, "unauthorized", "username and password"),
        (&no_server, &tls, "unreachable", "refused"),
        (&plain_port, &tls, "misconfigured", "starttls"),
        (&good, &tls_config(None).unwrap(), "misconfigured", "ca_file"),
    ];
    for (settings, tls, code, words) in table {
        let error = probe(settings, tls).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("wrong") && !error.to_string().contains(PASSWORD));
    }
    // Listens on 127.0.0.1 only: through a proxy, the name in the certificate is not the host's.
    let proxy = Proxy::start(server.imaps);
    let wrong_name = Settings { port: proxy.address.port(), ..wrong_name };
    let error = probe(&wrong_name, &tls).await.unwrap_err();
    assert!(
        matches!(error, SourceError::Misconfigured(_) | SourceError::Unreachable(_)),
        "{error}"
    );
}

#[tokio::test]
async fn every_way_to_connect_brings_the_same() {
    let server = Dovecot::start_with(Storage::Sdbox, &["ann"], "");
    let mails = mailbox(4, 30);
    fill(&server, &mails);
    let good = small(&server);
    let plain = server.imap.port();
    let tls = trusting(&server);
    for settings in [
        good.clone(),
        Settings { tls: TlsMode::StartTls, port: plain, ..good.clone() },
        Settings { tls: TlsMode::None, port: plain, ..good.clone() },
        Settings { host: "127.0.0.1".to_owned(), ..good.clone() },
        Settings { compression: Compression::Always, ..good.clone() },
    ] {
        let mut replica = Replica::default();
        let (pass, _) = replica.pass(&settings, &tls).await;
        assert_eq!(pass.unwrap().messages, 30, "{settings:?}");
        assert_eq!(replica.ids("Sent"), ids(&mails, "Sent"), "{settings:?}");
    }
}

#[tokio::test]
async fn an_excluded_mailbox_is_not_read() {
    let server = Dovecot::start(&["ann"]);
    server.deliver("ann", "Private", 1_704_067_200, b"Message-ID: <p@x>\r\n\r\n");
    server.deliver("ann", "INBOX", 1_704_067_200, b"Message-ID: <i@x>\r\n\r\n");
    let settings = Settings { exclude_mailboxes: vec!["private".to_owned()], ..small(&server) };
    let mut replica = Replica::default();
    let (pass, _) = replica.pass(&settings, &trusting(&server)).await;
    let pass = pass.unwrap();
    assert_eq!(pass.messages, 1);
    assert!(
        pass.skipped.iter().any(|s| s.mailbox == "Private" && s.reason == SkipReason::Excluded)
    );
}

/// Wherever the connection is cut: what was delivered is what the cursors claim, and one more pass
/// brings exactly the rest.
#[tokio::test]
async fn a_connection_cut_anywhere_loses_and_repeats_nothing() {
    let server = Dovecot::start(&["ann"]);
    let mails = mailbox(5, 120);
    fill(&server, &mails);
    let tls = trusting(&server);
    let proxy = Proxy::start(server.imaps);
    let settings = Settings { port: proxy.address.port(), ..small(&server) };
    let mut whole = Replica::default();
    whole.pass(&settings, &tls).await.0.unwrap();
    let length = proxy.passed();

    let (mut failed, mut resumed) = (0, 0);
    for cut in (1..=60).map(|place| length * place / 61) {
        let mut replica = Replica::default();
        proxy.cut_after(cut);
        let (pass, _) = replica.pass(&settings, &tls).await;
        proxy.cut_after(u64::MAX);
        failed += u32::from(pass.is_err());
        resumed += u32::from(!replica.items.is_empty());
        for (name, cursor) in &replica.cursors {
            let Cursor::Imap { low, high, .. } = cursor else { panic!("{cursor:?}") };
            let claimed: Vec<i64> = whole
                .numbers(name)
                .into_iter()
                .filter(|uid| (i64::from(*low)..=i64::from(*high)).contains(uid))
                .collect();
            assert_eq!(replica.numbers(name), claimed, "cut after {cut}: {name}");
        }
        replica.pass(&settings, &tls).await.0.unwrap();
        for name in ["INBOX", "Sent"] {
            assert_eq!(replica.ids(name), ids(&mails, name), "cut after {cut}: {name}");
        }
    }
    assert!(
        failed >= 55 && resumed >= 20,
        "{failed} of 60 passes failed, {resumed} had brought some"
    );
}
