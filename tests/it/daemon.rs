//! The program as a process, against a real Dovecot and real receivers: what its users see.

mod cut;
mod formats;
mod idle;
mod meetings;
mod nudges;
mod once;
mod protection;
mod reload;
mod running;
mod secrets;
mod service;
mod states;

use std::time::{Duration, Instant};

use crate::support::dovecot::Dovecot;
use crate::support::dump::rows;
use crate::support::generate::Mail;
use crate::support::process::Place;

/// An instant after all generated mail: `--now` of passes whose results are compared.
const NOW: &str = "2025-06-01T00:00:00Z";

/// Seconds since the epoch.
fn now_s() -> u64 {
    u64::try_from(keepwarm::clock::Clock::System.now().seconds()).unwrap()
}

pub(crate) fn fill(server: &Dovecot, user: &str, mails: &[Mail]) {
    for mail in mails {
        server.deliver(user, mail.mailbox, mail.at, &mail.bytes);
    }
}

/// Waits until so many messages are stored.
fn wait_for_messages(place: &Place, count: i64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while rows(&place.database(), "message") != count {
        let found = rows(&place.database(), "message");
        assert!(Instant::now() < deadline, "{found} messages, not {count}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
