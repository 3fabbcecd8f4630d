//! New mail while the daemon waits for it: from the server's word to what can be read in the
//! database: the interaction, and with it in one transaction strength and due time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, OpenFlags};

use super::measure::verdict;
use super::number;
use super::running::{Daemon, reading, until};
use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::generate::{Draw, Mail, REP, letter, weekly};
use crate::support::imapd::{Imapd, Letter, Profile};
use crate::support::process::Place;

/// Who writes; with each of them there was a letter and an answer every week for half a year.
const CONTACTS: usize = 50;
const WEEKS: u64 = 26;
/// How often the database is looked at.
const LOOK: Duration = Duration::from_micros(500);
/// The longest that a message may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages appended to Dovecot, which tells of each half a second later.
const APPENDED: usize = 100;

#[test]
#[ignore = "a measurement: tests/bench/daemon latency"]
fn latency() {
    scripted(number("KEEPWARM_BENCH_NEW"));
    dovecot();
}

/// From the instant at which the server has given its EXISTS to the system.
fn scripted(count: usize) {
    let server = Imapd::start(Profile::DOVECOT);
    let account = server.account("ann");
    for mail in history() {
        account.deliver(&mail);
    }
    let place = reading(&["ann".to_owned()], server.imaps, server.ca_pem().as_bytes());
    let _daemon = Daemon::start(&place);
    let idles = || server.commands().get("IDLE").copied().unwrap_or(0);
    until("waiting for mail", PATIENCE, || idles() > 0);
    let (watch, mut draw) = (Watch::over(&place), Draw::new(1));
    let mut waits = Vec::new();
    let mut otherwise = 0;
    while waits.len() < count {
        let (idled, told) = (idles(), server.pushes().len());
        let before = watch.newest();
        account.append("INBOX", Letter::of(&new(waits.len() + otherwise)));
        let stored = watch.after(before);
        match server.pushes().get(told) {
            Some(pushed) => waits.push(ms(stored - pushed.at)),
            // It came in the moment in which the daemon looked at all mailboxes.
            None => otherwise += 1,
        }
        until("waiting for more", PATIENCE, || idles() > idled);
        std::thread::sleep(Duration::from_millis(5 + draw.below(60)));
    }
    watch.assert_told(count);
    println!("EXISTS to commit, {count} messages ({otherwise} more not told by IDLE)");
    let [half, most] = quantiles(waits);
    verdict("EXISTS to commit: p50, ms", half, 20.0);
    verdict("EXISTS to commit: p99, ms", most, 150.0);
}

/// From the instant before another connection begins to append.
fn dovecot() {
    let server = Dovecot::start(&["ann"]);
    for mail in history() {
        server.deliver("ann", mail.mailbox, mail.at, &mail.bytes);
    }
    let place = reading(&["ann".to_owned()], server.imaps, server.ca_pem());
    let _daemon = Daemon::start(&place);
    let watch = Watch::over(&place);
    until("all history", PATIENCE, || watch.count() >= (2 * CONTACTS as u64 * WEEKS));
    std::thread::sleep(Duration::from_secs(2));
    let mut client = Client::connect(server.imap);
    let (mut waits, mut draw) = (Vec::new(), Draw::new(1));
    for n in 0..APPENDED {
        let before = watch.newest();
        let began = Instant::now();
        client.append(&new(n).bytes);
        waits.push(ms(watch.after(before) - began));
        // The daemon is back in IDLE a moment later; Dovecot tells of nothing for a while anyway.
        std::thread::sleep(Duration::from_millis(50 + draw.below(200)));
    }
    watch.assert_told(APPENDED);
    println!("APPEND to commit, Dovecot, {APPENDED} messages");
    let [_, most] = quantiles(waits);
    verdict("APPEND to commit, Dovecot: p99, ms", most, 700.0);
}

/// What the contacts wrote until a few days ago.
fn history() -> Vec<Mail> {
    let last = now() - 3 * 86_400;
    (0..CONTACTS).flat_map(|n| weekly(&contact(n), WEEKS, last - 60 * n as u64)).collect()
}

fn new(number: usize) -> Mail {
    letter("INBOX", [&contact(number % CONTACTS), REP], now(), &format!("new.{number}"), None)
}

fn contact(number: usize) -> String {
    format!("c{number}@company{}.example", number / 4)
}

#[expect(clippy::disallowed_methods, reason = "the daemon goes by the system's clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// The database as another process sees it.
struct Watch {
    db: Connection,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "looked at from outside")]
    fn over(place: &Place) -> Self {
        let path: &Path = &place.database();
        until("a database", PATIENCE, || path.exists());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = Connection::open_with_flags(path, flags).unwrap();
        db.busy_timeout(PATIENCE).unwrap();
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'interaction'";
        until("its tables", PATIENCE, || db.query_row(tables, [], |row| row.get(0)) == Ok(1));
        Self { db }
    }

    fn ask(&self, sql: &str) -> i64 {
        self.db.prepare_cached(sql).unwrap().query_row([], |row| row.get(0)).unwrap()
    }

    fn newest(&self) -> i64 {
        self.ask("SELECT coalesce(max(id), 0) FROM interaction")
    }

    fn count(&self) -> u64 {
        u64::try_from(self.ask("SELECT count(*) FROM interaction")).unwrap()
    }

    /// When a newer interaction than that one was there.
    fn after(&self, newest: i64) -> Instant {
        let deadline = Instant::now() + PATIENCE;
        while self.newest() <= newest {
            assert!(Instant::now() < deadline, "not stored within {PATIENCE:?}");
            std::thread::sleep(LOOK);
        }
        let seen = Instant::now();
        let folded = self.ask(
            "SELECT r.last_inbound_at >= i.at AND r.sums_at >= i.at AND r.falls_at > i.at \
             FROM interaction i JOIN line ON line.id = i.line_id \
             JOIN relationship r ON r.id = line.relationship_id \
             ORDER BY i.id DESC LIMIT 1",
        );
        assert_eq!(folded, 1, "strength and due time are committed with the interaction");
        seen
    }

    fn assert_told(&self, at_least: usize) {
        let expected = 2 * CONTACTS as u64 * WEEKS + at_least as u64;
        assert!(self.count() >= expected, "{} interactions", self.count());
    }
}

/// Another client of the same mailbox.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self { stream: BufReader::new(stream) };
        client.wait_for("* OK");
        let password = PASSWORD.replace('"', "\\\"");
        client.say(format!("a LOGIN ann \"{password}\"\r\n").as_bytes());
        client.wait_for("a OK");
        client
    }

    fn append(&mut self, message: &[u8]) {
        self.say(format!("a APPEND INBOX {{{}}}\r\n", message.len()).as_bytes());
        self.wait_for("+");
        self.say(&[message, b"\r\n"].concat());
        self.wait_for("a OK");
    }

    fn say(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    fn wait_for(&mut self, prefix: &str) {
        let mut line = String::new();
        while !line.starts_with(prefix) {
            line.clear();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "no {prefix}");
            assert!(!line.starts_with("a NO") && !line.starts_with("a BAD"), "{line}");
        }
    }
}

fn ms(time: Duration) -> f64 {
    1000.0 * time.as_secs_f64()
}

/// Prints a row; answers with the median and the 99th of a hundred.
fn quantiles(mut waits: Vec<f64>) -> [f64; 2] {
    waits.sort_by(f64::total_cmp);
    let of = |percent: usize| waits[(waits.len() * percent / 100).min(waits.len() - 1)];
    println!(
        "  least {:.1}  p50 {:.1}  p90 {:.1}  p99 {:.1}  most {:.1} ms",
        waits[0],
        of(50),
        of(90),
        of(99),
        waits[waits.len() - 1]
    );
    [of(50), of(99)]
}
