//! mbsync and mu: what a first sync of a mailbox and a search index of it take elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::{Cost, measure};
use crate::support::dovecot::{Dovecot, PASSWORD};

/// Pulls a user's mailboxes by mbsync, without fsync and without TLS, into a Maildir below
/// `directory`, and has mu index it.
pub(super) fn mbsync_and_mu(server: &Dovecot, user: &str, directory: &Path) -> [Cost; 2] {
    let (mail, home) = (directory.join("mail"), directory.join("mu"));
    fs::create_dir_all(&mail).unwrap();
    fs::write(directory.join("password"), PASSWORD).unwrap();
    let config = directory.join("mbsyncrc");
    fs::write(&config, settings(server, user, directory)).unwrap();
    let pulled = measure(Command::new("mbsync").arg("-c").arg(&config).arg("all"));
    let init = Command::new("mu")
        .arg("init")
        .arg("--muhome")
        .arg(&home)
        .arg("--maildir")
        .arg(&mail)
        .output();
    assert!(init.unwrap().status.success(), "mu init");
    let indexed = measure(Command::new("mu").args(["index", "--quiet", "--muhome"]).arg(&home));
    [pulled, indexed]
}

fn settings(server: &Dovecot, user: &str, directory: &Path) -> String {
    let (port, directory) = (server.imap.port(), directory.display());
    format!(
        "FSync no\n\n\
         IMAPAccount peer\nHost localhost\nPort {port}\nUser {user}\n\
         PassCmd \"cat {directory}/password\"\nSSLType None\n\n\
         IMAPStore far\nAccount peer\n\n\
         MaildirStore near\nPath {directory}/mail/\nInbox {directory}/mail/INBOX\n\
         SubFolders Verbatim\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Near\n\
         SyncState {directory}/\n"
    )
}
