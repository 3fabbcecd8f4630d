//! A pass without changes: how often it asks the server, and what the process takes.

use std::collections::BTreeMap;

use super::measure::{summary, verdict};
use super::number;
use super::running::{Took, once, reading};
use crate::support::dovecot::{Dovecot, Storage};
use crate::support::generate::mailbox;
use crate::support::imapd::{Gmail, Imapd, Letter, Profile, letters_from};

/// Mailboxes of the account, INBOX among them.
const MAILBOXES: usize = 20;
/// Messages in them.
const MESSAGES: usize = 2_000;
#[test]
#[ignore = "a measurement: tests/bench/daemon unchanged"]
fn unchanged() {
    let rounds = number("KEEPWARM_BENCH_ROUNDS");
    println!("a pass without changes over {MAILBOXES} mailboxes, {MESSAGES} messages");
    scripted(rounds);
    dovecot(rounds);
}

/// The scripted server counts what it is asked.
fn scripted(rounds: usize) {
    let server = Imapd::start(Profile::DOVECOT);
    let account = server.account("ann");
    let given: Vec<&str> = Profile::DOVECOT.mailboxes.iter().map(|(name, _)| *name).collect();
    for name in (0..MAILBOXES - given.len()).map(folder) {
        account.create(&name, "\\HasNoChildren");
    }
    let each = MESSAGES / MAILBOXES;
    let names = given.into_iter().map(str::to_owned).chain((0..).map(folder)).take(MAILBOXES);
    for (number, name) in names.enumerate() {
        let first = 1_600_000_000 + number as u64;
        account.compute(&name, u32::try_from(each).unwrap(), letters_from(40, first, 86_400));
    }
    judge("scripted server", &server, rounds);
    gmail(rounds);
}

/// Gmail tells what it can do only when it is asked, and shows one mailbox.
fn gmail(rounds: usize) {
    let server = Imapd::start(Profile::GMAIL);
    let account = server.account("ann");
    for (number, mail) in (1..).zip(mailbox(1, MESSAGES)) {
        let labels = if mail.mailbox == "Sent" { "\"\\\\Sent\"" } else { "\"\\\\Inbox\"" };
        let gmail = Gmail { message: number, thread: number, labels: labels.to_owned() };
        account.append("[Gmail]/All Mail", Letter { gmail: Some(gmail), ..Letter::of(&mail) });
    }
    judge("scripted server as Gmail", &server, rounds);
}

fn judge(name: &str, server: &Imapd, rounds: usize) {
    let place = reading(&["ann".to_owned()], server.imaps, server.ca_pem().as_bytes());
    once(&place);
    let before = server.commands();
    once(&place);
    let asked = difference(&server.commands(), &before);
    round_trips(name, &asked);
    let took: Vec<Took> = (0..rounds).map(|_| once(&place)).collect();
    times(name, &took);
}

/// Dovecot writes down what a session says after the login.
fn dovecot(rounds: usize) {
    let config = "protocol imap {\n  rawlog_dir = @DIR@/mail/rawlog\n}";
    let server = Dovecot::start_with(Storage::Maildir, &["ann"], config);
    let names: Vec<String> = ["INBOX".to_owned(), "Sent".to_owned()]
        .into_iter()
        .chain((0..MAILBOXES - 2).map(folder))
        .collect();
    for (number, mail) in mailbox(1, MESSAGES).iter().enumerate() {
        server.deliver("ann", &names[number % MAILBOXES], mail.at, &mail.bytes);
    }
    let place = reading(&["ann".to_owned()], server.imaps, server.ca_pem());
    once(&place);
    let took: Vec<Took> = (0..rounds).map(|_| once(&place)).collect();
    let home = server.maildir("ann", "INBOX");
    let log = home.ancestors().nth(2).unwrap().join("rawlog");
    std::fs::create_dir(&log).unwrap();
    std::fs::set_permissions(&log, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    once(&place);
    round_trips("Dovecot, after the login", &logged(&log));
    times("Dovecot", &took);
}

fn folder(number: usize) -> String {
    format!("Customer {number}")
}

fn difference(
    after: &BTreeMap<String, u32>,
    before: &BTreeMap<String, u32>,
) -> BTreeMap<String, u32> {
    let since = |(name, count): (&String, &u32)| {
        let new = count - before.get(name).copied().unwrap_or(0);
        (new > 0).then(|| (name.clone(), new))
    };
    after.iter().filter_map(since).collect()
}

/// The commands in Dovecot's logs of what clients have said, each line with its time before it.
fn logged(directory: &std::path::Path) -> BTreeMap<String, u32> {
    let mut commands = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "in") {
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let name = line.split_whitespace().nth(2).unwrap_or(line).to_ascii_uppercase();
            *commands.entry(name).or_default() += 1;
        }
    }
    commands
}

/// No command is sent before the answer to the last, so that commands are round trips; nobody waits
/// for the answer to LOGOUT.
fn round_trips(server: &str, asked: &BTreeMap<String, u32>) {
    let counts: Vec<String> = asked.iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!("{server}: {}", counts.join(", "));
    let count = |name: &str| asked.get(name).copied().unwrap_or(0);
    // A server that does not tell what it can do is asked before the login and after it.
    let capabilities = count("CAPABILITY");
    let login = count("AUTHENTICATE") + count("LOGIN") + capabilities.div_ceil(2);
    let after = count("ID") + capabilities / 2;
    let rest = asked.values().sum::<u32>() - login - after - count("LOGOUT");
    verdict("round trips to the login", f64::from(login), 2.0);
    verdict("round trips after it", f64::from(after), 2.0);
    verdict("round trips for all mailboxes", f64::from(rest), 1.0);
}

fn times(server: &str, took: &[Took]) {
    let (cpu, least, most) = summary(took.iter().map(|took| took.cpu_ms).collect());
    let (wall, quickest, slowest) = summary(took.iter().map(|took| took.wall_ms).collect());
    println!(
        "{server}: CPU {cpu:.0} ms [{least:.0}..{most:.0}], wall {wall:.0} ms \
         [{quickest:.0}..{slowest:.0}], {} runs",
        took.len()
    );
    verdict("CPU of `run --once`, ms", cpu, 50.0);
}
