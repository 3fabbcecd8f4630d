//! Measurements: not run with the tests, each started by its script in tests/bench.

mod backtest;
mod calendars;
mod corpus;
mod idle;
mod latency;
mod line;
mod measure;
mod peers;
mod running;
mod slow;
mod unchanged;

use std::path::PathBuf;
use std::process::Command;

use corpus::{Bodies, corpus};
use measure::{Cost, measure, row, summary, verdict};

use crate::support::dovecot::{Dovecot, PASSWORD, Storage};
use crate::support::dump::rows;
use crate::support::process::Place;
use crate::support::proxy::Proxy;

/// An instant after all generated mail.
const NOW: &str = "2026-01-01T00:00:00Z";
/// What keepwarm reads of the mailboxes there are; Junk it does not.
const READ: [&str; 3] = ["INBOX", "Sent", "Archive"];
/// The smaller mailbox holds one in so many of the messages.
const SMALLER: usize = 10;

#[test]
#[ignore = "a measurement: tests/bench/first_sync"]
fn first_sync() {
    let (messages, rounds) = (number("KEEPWARM_BENCH_MESSAGES"), number("KEEPWARM_BENCH_ROUNDS"));
    // The server's cache of half a million headers is larger than it lets a process be.
    let users = ["ann", "bob"];
    let server = Dovecot::start_with(Storage::Maildir, &users, "default_vsz_limit = 0");
    let whole = number("KEEPWARM_BENCH_BODIES") > 0;
    let bodies = if whole { Bodies::Whole } else { Bodies::OneLine };
    let large = Bench::new(&server, "ann", messages, bodies);
    let small = Bench::new(&server, "bob", messages / SMALLER, bodies);
    println!("{:<28} {:>8} {:<18} {:>6}   wall / bare", "", "wall s", "[range]", "MB");
    warm(&large, &small, rounds);
    cold(&large, rounds);
    wire(&large);
    if number("KEEPWARM_BENCH_PEERS") > 0 {
        beside_peers(&large);
    }
}

/// With the server's caches filled, in turn: the reference, a first sync, one with nothing new, and
/// a first sync of the smaller mailbox.
fn warm(large: &Bench<'_>, small: &Bench<'_>, rounds: usize) {
    large.bare();
    small.bare();
    let [mut bare, mut first, mut again, mut less] = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        bare.push(large.bare());
        first.push(large.first());
        again.push(large.again());
        less.push(small.first());
    }
    row("bare fetch, warm", &bare, &bare);
    let ratio = row("keepwarm, first sync, warm", &first, &bare);
    row("keepwarm, nothing new", &again, &bare);
    row("keepwarm, a tenth, warm", &less, &bare);
    let (peak, ..) = summary(first.iter().map(|cost| cost.peak_mb).collect());
    let times = first.iter().zip(&less).map(|(all, tenth)| all.wall_s / tenth.wall_s);
    let (times, ..) = summary(times.collect());
    verdict("first sync, warm: wall / bare fetch", ratio, 4.0);
    verdict("first sync: peak memory, MB", peak, 60.0);
    verdict("ten times the messages: wall / that of a tenth", times, 11.0);
}

/// With the server's caches deleted before each.
fn cold(large: &Bench<'_>, rounds: usize) {
    let (mut bare, mut first) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        large.chill();
        bare.push(large.bare());
        large.chill();
        first.push(large.first());
    }
    row("bare fetch, cold", &bare, &bare);
    let ratio = row("keepwarm, first sync, cold", &first, &bare);
    verdict("first sync, cold: wall / bare fetch", ratio, 1.3);
}

/// Bytes from the server, TLS and all, counted by a proxy in runs of their own.
#[expect(clippy::cast_precision_loss, reason = "bytes of a mailbox")]
fn wire(large: &Bench<'_>) {
    let proxy = Proxy::start(large.server.imaps);
    large.fetch(proxy.address.port());
    let bare = proxy.passed();
    let through = Place::new().imap_at("mail", large.server, proxy.address, large.user, PASSWORD);
    sync(&large.programs, &through, large.read);
    let first = proxy.passed() - bare;
    println!("bytes from the server: bare fetch {bare}, keepwarm {first}");
    verdict("first sync: bytes on the wire / bare fetch", first as f64 / bare as f64, 1.15);
}

/// A first sync after mbsync and mu have taken the same mail in.
fn beside_peers(large: &Bench<'_>) {
    let directory = tempfile::Builder::new().prefix("kw-peers-").tempdir().unwrap();
    let [pulled, indexed] = peers::mbsync_and_mu(large.server, large.user, directory.path());
    let first = large.first();
    row("mbsync, no fsync", &[pulled], &[first]);
    row("mu index", &[indexed], &[first]);
    row("keepwarm, first sync", &[first], &[first]);
    let share = first.wall_s / (pulled.wall_s + indexed.wall_s);
    println!("  mbsync and mu together took {:.0} times as long", 1.0 / share);
    verdict("first sync: wall / mbsync and mu, in percent", 100.0 * share, 1.0);
}

/// A mailbox and where it is synced to.
struct Bench<'a> {
    programs: PathBuf,
    server: &'a Dovecot,
    user: &'a str,
    place: Place,
    /// Messages in the mailboxes that are read.
    read: usize,
}

impl<'a> Bench<'a> {
    fn new(server: &'a Dovecot, user: &'a str, messages: usize, bodies: Bodies) -> Self {
        let (mut read, mut bytes, mut headers) = (0, 0, 0);
        for mail in corpus(1, messages, bodies) {
            read += usize::from(READ.contains(&mail.mailbox));
            bytes += mail.bytes.len();
            headers += mail.bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
            server.deliver(user, mail.mailbox, mail.at, &mail.bytes);
        }
        println!(
            "{user}: {messages} messages, {read} of them not in Junk; {} MB, {} bytes each, \
             headers {}",
            bytes / 1_000_000,
            bytes / messages,
            headers / messages
        );
        let programs = programs();
        let place = Place::new().imap("mail", server, user);
        Self { programs, server, user, place, read }
    }

    /// The reference: the same fields of the same messages by one connection, thrown away.
    fn bare(&self) -> Cost {
        self.fetch(self.server.imaps.port())
    }

    fn fetch(&self, port: u16) -> Cost {
        let mut command = Command::new(self.programs.join("examples/bare_fetch"));
        command.args(["localhost", &port.to_string(), self.user, PASSWORD]);
        measure(command.arg(self.place.path("ca.pem")).args(READ))
    }

    /// A first sync, into an empty database.
    fn first(&self) -> Cost {
        self.place.forget();
        self.again()
    }

    fn again(&self) -> Cost {
        sync(&self.programs, &self.place, self.read)
    }

    /// Deletes the server's caches: headers are parsed anew.
    fn chill(&self) {
        for mailbox in READ {
            for entry in std::fs::read_dir(self.server.maildir(self.user, mailbox)).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().unwrap().to_string_lossy().starts_with("dovecot.index") {
                    std::fs::remove_file(path).unwrap();
                }
            }
        }
    }
}

/// One complete pass, after which so many messages are stored.
fn sync(programs: &std::path::Path, place: &Place, messages: usize) -> Cost {
    let mut command = Command::new(programs.join("keepwarm"));
    command.arg("--config").arg(place.path("keepwarm.toml"));
    command.args(["--log", "error", "run", "--once", "--now", NOW]);
    let cost = measure(&mut command);
    let stored = rows(&place.database(), "message");
    assert_eq!(stored, i64::try_from(messages).unwrap(), "messages stored");
    cost
}

/// Where the programs are that were built with optimisation.
fn programs() -> PathBuf {
    PathBuf::from(std::env::var_os("KEEPWARM_BENCH_DIR").expect("run a script of tests/bench"))
}

fn number(name: &str) -> usize {
    let text = std::env::var(name).unwrap_or_else(|_| panic!("run a script of tests/bench"));
    text.parse().unwrap()
}
