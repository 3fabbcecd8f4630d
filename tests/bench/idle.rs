//! Thousands of sources of which nothing new is told: memory of each, and what the daemon takes of
//! a processor.

use std::time::{Duration, Instant};

use super::measure::verdict;
use super::number;
use super::running::{Daemon, reading, until};
use crate::support::dovecot::Dovecot;
use crate::support::generate::mailbox;
use crate::support::imapd::{Imapd, Letter, Profile};

/// Sources on Dovecot, which takes a process of 6 MB for each.
const ON_DOVECOT: usize = 200;
/// Messages in each mailbox.
const MESSAGES: usize = 3;
/// After all are connected, before anything is measured.
const SETTLE: Duration = Duration::from_secs(20);
/// For all to be connected: 50 are in a second.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a daemon takes that waits.
struct Idle {
    anonymous_kb: f64,
    /// Of one processor, in percent.
    cpu: f64,
}

#[test]
#[ignore = "a measurement: tests/bench/daemon idle"]
fn idle() {
    let (sources, seconds) = (number("KEEPWARM_BENCH_SOURCES"), number("KEEPWARM_BENCH_SECONDS"));
    let time = Duration::from_secs(seconds as u64);
    println!("idle sources over TLS, nothing happens, measured for {seconds} s");
    let [one, all] = [1, 1 + sources].map(|count| scripted(count, time));
    judge("scripted server", sources, &one, &all);
    let [one, all] = [1, 1 + ON_DOVECOT].map(|count| dovecot(count, time));
    judge("Dovecot", ON_DOVECOT, &one, &all);
}

fn scripted(count: usize, time: Duration) -> Idle {
    let server = Imapd::start(Profile::DOVECOT);
    let users = users(count);
    for (number, user) in users.iter().enumerate() {
        let account = server.account(user);
        for mail in mailbox(number as u64, MESSAGES) {
            account.append("INBOX", Letter::of(&mail));
        }
    }
    let place = reading(&users, server.imaps, server.ca_pem().as_bytes());
    let daemon = Daemon::start(&place);
    let expected = u32::try_from(count).unwrap();
    let idles = || server.commands().get("IDLE").copied().unwrap_or(0);
    until("all wait for mail", PATIENCE, || idles() >= expected && server.open() == expected);
    let idle = measured(&daemon, time);
    assert_eq!(server.connections(), expected, "no connection was made anew");
    idle
}

fn dovecot(count: usize, time: Duration) -> Idle {
    let users = users(count);
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let server = Dovecot::start(&names);
    for (number, user) in names.iter().enumerate() {
        for mail in mailbox(number as u64, MESSAGES) {
            server.deliver(user, "INBOX", mail.at, &mail.bytes);
        }
    }
    let place = reading(&users, server.imaps, server.ca_pem());
    let daemon = Daemon::start(&place);
    let log = place.path("daemon.log");
    let read = || std::fs::read_to_string(&log).unwrap().matches("source read").count();
    until("all are read", PATIENCE, || read() >= count);
    measured(&daemon, time)
}

fn measured(daemon: &Daemon, time: Duration) -> Idle {
    std::thread::sleep(SETTLE);
    let (before, began) = (daemon.cpu_s(), Instant::now());
    std::thread::sleep(time);
    let cpu = 100.0 * (daemon.cpu_s() - before) / began.elapsed().as_secs_f64();
    Idle { anonymous_kb: daemon.anonymous_kb(), cpu }
}

fn users(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("u{number}")).collect()
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn judge(server: &str, more: usize, one: &Idle, all: &Idle) {
    let each = (all.anonymous_kb - one.anonymous_kb) / more as f64;
    println!(
        "{server}: one source {:.0} kB and {:.2} % of a processor; {} sources {:.0} kB and {:.2} %",
        one.anonymous_kb,
        one.cpu,
        more + 1,
        all.anonymous_kb,
        all.cpu
    );
    verdict("memory of each source beyond the first, kB", each, 40.0);
    verdict("processor, percent of one", all.cpu, 1.0);
}
