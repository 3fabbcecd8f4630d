//! The Maildir source on real directories.

use std::fs;
use std::path::Path;

use keepwarm::model::{Delta, Role};
use keepwarm::source::maildir::{Settings, read};
use keepwarm::source::{Pass, SourceError};
use tokio::sync::mpsc;

use crate::support::dovecot::{make_maildir, put};
use crate::support::generate::mailbox;
use crate::support::replica::{Replica, header_bytes};

const AT: u64 = 1_704_067_200;

async fn pass(replica: &mut Replica, path: &Path) -> (Result<Pass, SourceError>, Vec<Delta>) {
    let settings =
        Settings { path: path.to_owned(), exclude_mailboxes: vec!["Private".to_owned()] };
    let (sink, mut received) = mpsc::channel(1);
    let known = replica.known();
    let collect = async {
        let mut deltas = Vec::new();
        while let Some(delta) = received.recv().await {
            replica.apply(&delta);
            deltas.push(delta);
        }
        deltas
    };
    tokio::join!(read(&settings, &known, sink), collect)
}

fn roles(deltas: &[Delta]) -> Vec<(&str, Role)> {
    deltas.iter().map(|delta| (&*delta.mailbox.name, delta.mailbox.role)).collect()
}

fn message(id: &str) -> Vec<u8> {
    format!("Message-ID: <{id}>\n\nbody with Message-ID: <other>\n").into_bytes()
}

#[tokio::test]
async fn layouts_and_roles_are_told_by_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let of = |layout: &str, mailboxes: &[&str]| {
        let root = directory.path().join(layout);
        for mailbox in mailboxes {
            make_maildir(&root.join(mailbox));
            put(&root.join(mailbox), AT, &message(mailbox));
        }
        root
    };
    let one = of("one", &[""]);
    let tree = of("tree", &["", ".Sent", ".Entw&APw-rfe", ".Archive.2020", ".Private", ".Junk"]);
    let nested = of("nested", &["INBOX", "Gesendet", "Archive/2020", "Trash"]);
    for (root, expected) in [
        (&one, vec![("INBOX", Role::All)]),
        (&tree, vec![("INBOX", Role::Inbox), ("Sent", Role::Sent), ("Archive.2020", Role::Other)]),
        (
            &nested,
            vec![("INBOX", Role::Inbox), ("Gesendet", Role::Sent), ("Archive/2020", Role::Other)],
        ),
    ] {
        let mut replica = Replica::default();
        let (result, deltas) = pass(&mut replica, root).await;
        assert_eq!(roles(&deltas), expected, "{}", root.display());
        assert_eq!(result.unwrap().messages, expected.len() as u64);
    }
    for wrong in [directory.path().join("none"), one.join("cur")] {
        let (result, _) = pass(&mut Replica::default(), &wrong).await;
        let error = result.unwrap_err();
        assert!(error.code() == "misconfigured" && error.to_string().contains("hint:"), "{error}");
    }
}

#[tokio::test]
async fn only_what_is_new_is_read_and_what_is_gone_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    make_maildir(root);
    let paths: Vec<_> = (0..5).map(|n| put(root, AT + n, &message(&format!("m{n}")))).collect();
    fs::write(root.join("cur/.hidden"), "x").unwrap();
    std::os::unix::fs::symlink(root, root.join("cur/loop")).unwrap();
    std::os::unix::fs::symlink(root.join("nowhere"), root.join("cur/dangling")).unwrap();
    let mut replica = Replica::default();
    let (_, deltas) = pass(&mut replica, root).await;
    assert_eq!(deltas.len(), 1);
    let read: Vec<&str> = replica.items.iter().map(|item| item.2.as_str()).collect();
    assert_eq!(read, ["m4", "m3", "m2", "m1", "m0"], "newest first");

    // Reading a message elsewhere moves its file to `cur` and adds flags.
    let name = paths[0].file_name().unwrap().to_string_lossy().into_owned();
    fs::rename(&paths[0], root.join(format!("cur/{name}:2,S"))).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    put(root, AT + 9, &message("m9"));
    let (_, deltas) = pass(&mut replica, root).await;
    let [delta] = deltas.as_slice() else { panic!("{deltas:?}") };
    assert_eq!((delta.items.len(), delta.vanished.len(), delta.total), (1, 1, Some(5)));
    assert_eq!(replica.ids("INBOX"), ["m0", "m2", "m3", "m4", "m9"]);

    let (_, deltas) = pass(&mut replica, root).await;
    let [delta] = deltas.as_slice() else { panic!("{deltas:?}") };
    assert!(delta.complete && delta.items.is_empty() && delta.vanished.is_empty());
}

#[tokio::test]
async fn a_large_maildir_comes_in_pieces_of_headers_only() {
    let directory = tempfile::tempdir().unwrap();
    make_maildir(directory.path());
    let mails = mailbox(6, 2500);
    for mail in &mails {
        put(directory.path(), mail.at, &mail.bytes);
    }
    let mut replica = Replica::default();
    let (result, deltas) = pass(&mut replica, directory.path()).await;
    assert_eq!(result.unwrap().messages, 2500);
    let sizes: Vec<(usize, bool)> = deltas.iter().map(|d| (d.items.len(), d.complete)).collect();
    assert_eq!(sizes, [(1000, false), (1000, false), (500, true)]);
    let read: Vec<&str> = replica.items.iter().map(|item| item.2.as_str()).collect();
    let expected: Vec<&str> = mails.iter().rev().map(|mail| mail.id.as_str()).collect();
    assert_eq!(read, expected);
    let headers = header_bytes(&deltas);
    assert!(headers.contains("Received:") && !headers.contains("Hello"), "header and no body");
}
