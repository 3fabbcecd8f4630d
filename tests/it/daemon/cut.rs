//! A connection that breaks at any byte costs a pass and nothing else.

use super::{NOW, fill};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::dump::assert_sound;
use crate::support::generate::mailbox;
use crate::support::process::Place;
use crate::support::proxy::Proxy;

/// Places at which the conversation is cut, evenly from its first byte to its last.
const CUTS: u64 = 52;

#[test]
fn a_connection_cut_anywhere_leaves_what_a_clean_sync_finds() {
    let server = Dovecot::start(&["ann"]);
    fill(&server, "ann", &mailbox(21, 360));
    for (folder, uids) in [("Acme", "1:50"), ("Globex", "51:100"), ("Hooli", "101:150")] {
        server.doveadm(&["mailbox", "create", "-u", "ann", folder]);
        server.move_messages("ann", "INBOX", folder, &["uid", uids]);
    }
    let proxy = Proxy::start(server.imaps);
    let at = |address| Place::new().imap_at("ann-mail", &server, address, "ann", PASSWORD);
    let clean = at(proxy.address);
    clean.once(&["--now", NOW]);
    let (whole, length) = (clean.dump(), proxy.passed());
    assert_eq!(whole.messages.len(), 360);

    let place = at(proxy.address);
    let (mut failed, mut resumed) = (0, 0);
    for cut in (0..CUTS).map(|place| 1 + length * place / CUTS) {
        place.forget();
        proxy.cut_after(cut);
        let ran = place.keepwarm(&["run", "--once", "--now", NOW]);
        proxy.cut_after(u64::MAX);
        let stored = place.dump().messages.len();
        failed += u32::from(!ran.status.success());
        resumed += u32::from(stored > 0 && stored < 360);
        place.once(&["--now", NOW]);
        place.dump().assert_same(&whole, &format!("cut after {cut} of {length} bytes"));
        assert_sound(&place.database());
    }
    let seen = format!("{failed} of {CUTS} passes failed, {resumed} had stored some");
    assert!(failed >= 50 && resumed >= 15, "{seen}");
}
