//! The program as a process, against a real Dovecot and real receivers: what its users see.

mod cut;
mod nudges;
mod once;
mod running;
mod secrets;
mod states;

use crate::support::dovecot::Dovecot;
use crate::support::generate::Mail;

/// An instant after all generated mail: `--now` of passes whose results are compared.
const NOW: &str = "2025-06-01T00:00:00Z";

/// Seconds since the epoch.
fn now_s() -> u64 {
    u64::try_from(keepwarm::clock::Clock::System.now().seconds()).unwrap()
}

fn fill(server: &Dovecot, user: &str, mails: &[Mail]) {
    for mail in mails {
        server.deliver(user, mail.mailbox, mail.at, &mail.bytes);
    }
}
