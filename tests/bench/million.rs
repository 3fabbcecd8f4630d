//! A store of many interactions, and how long `keepwarm explain` takes in it: whole processes.
//!
//! ```text
//! cargo run --release --example million -- DIRECTORY INTERACTIONS KEEPWARM
//! ```
//!
//! Makes the store in DIRECTORY, by the same code that mail comes in by, unless it is there; then
//! explains the relationships that have most interactions and others at random, with the program
//! KEEPWARM, as a table and as JSON.

use std::io::{Stdout, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use keepwarm::model::{
    Cursor, Envelope, Key, MailboxInfo, Person, Role, Span, Timestamp, address::Address,
};
use keepwarm::normalise::Own;
use keepwarm::pipeline::ingest::{Batch, commit_deltas};
use keepwarm::pipeline::{Rules, fold};
use keepwarm::store::{Db, Store, StoreError, contact, open_reader, relationship, rep, source};

/// Reps, and contacts of any of them.
const REPS: u64 = 20;
const CONTACTS: u64 = 10_000;
/// The first message's date, 2023-01-01, and the last one's three years later.
const FIRST: Timestamp = Timestamp::from_seconds(1_672_531_200);
const LAST: Timestamp = Timestamp::from_seconds(1_672_531_200 + 3 * 365 * 86_400);
/// Messages of one commit.
const AT_ONCE: u64 = 5_000;
/// Relationships explained: those with most interactions, and others.
const HEAVIEST: usize = 25;
const OTHERS: usize = 175;
/// What the issue asks for, in milliseconds.
const MOST_MS: f64 = 50.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, count, keepwarm] = arguments.as_slice() else {
        bail!("usage: million DIRECTORY INTERACTIONS KEEPWARM");
    };
    let directory = Path::new(directory);
    let path = directory.join("keepwarm.db");
    if !path.exists() {
        std::fs::create_dir_all(directory)?;
        std::fs::write(directory.join("keepwarm.toml"), configuration())?;
        make(&path, count.parse().context("INTERACTIONS must be a number")?)?;
    }
    measure(directory, &path, Path::new(keepwarm))
}

fn out() -> Stdout {
    std::io::stdout()
}

fn configuration() -> String {
    let mut text = "[store]\npath = \"keepwarm.db\"\n[organization]\n\
                    domains = [\"us.example\"]\ntime_zone = \"America/New_York\"\n"
        .to_owned();
    for rep in 0..REPS {
        text.push_str(&format!(
            "[[rep]]\nid = \"rep{rep}\"\nname = \"Rep {rep}\"\naddresses = [\"rep{rep}@us.example\"]\n"
        ));
    }
    text
}

/// A stream of numbers that look drawn (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end.max(1)
    }
}

fn make(path: &Path, count: u64) -> Result<()> {
    let began = Instant::now();
    let store = Store::open(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let rows = runtime.block_on(store.write(enter))?;
    let own = rows.iter().zip(0..).map(|((rep, _), n): (_, u64)| (address("rep", n), *rep));
    let rules = Rules {
        own: Own::new(own, ["us.example".to_owned()]),
        zones: rows.iter().map(|(rep, _)| (*rep, chrono_tz::America::New_York)).collect(),
        ..Rules::default()
    };
    let mut draw = Draw(7);
    let mut last = vec![None; usize::try_from(REPS * CONTACTS)?];
    let mut number = 0;
    while number < count {
        let messages: Vec<(u64, Envelope)> = (number..count.min(number + AT_ONCE))
            .map(|n| message(&mut draw, &mut last, n, count))
            .collect();
        number += AT_ONCE;
        let batches: Vec<Batch> = (0..REPS)
            .zip(&rows)
            .map(|(rep, (row, source))| batch(*row, *source, rep, &messages))
            .collect();
        let rules = rules.clone();
        runtime.block_on(store.write(move |db| commit_deltas(db, &batches, &rules, LAST)))?;
    }
    let mut after = Some(0);
    while let Some(from) = after {
        let rules = rules.clone();
        after = runtime.block_on(store.write(move |db| fold::settle(db, &rules, LAST, from)))?;
    }
    writeln!(out(), "{count} messages stored in {:.0} s", began.elapsed().as_secs_f64())?;
    Ok(())
}

fn enter(db: &Db) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut rows = Vec::new();
    for rep in 0..REPS {
        let code = format!("rep{rep}");
        let row = rep::ensure(db, &code, &code, address("rep", rep).as_str())?;
        rows.push((row, source::ensure(db, &code, row, "imap")?));
    }
    Ok(rows)
}

fn address(kind: &str, number: u64) -> Address {
    let domain =
        if kind == "rep" { "us.example".to_owned() } else { format!("acme{}.example", number / 5) };
    Address::from_canonical(format!("{kind}{number}@{domain}"))
}

/// One message: a few contacts get most of it, mostly from one rep, and most answer the last one.
fn message(
    draw: &mut Draw,
    last: &mut [Option<(Key, bool)>],
    number: u64,
    count: u64,
) -> (u64, Envelope) {
    let among = draw.below(CONTACTS) + 1;
    let contact = draw.below(among);
    let rep = if draw.below(5) == 0 { draw.below(REPS) } else { contact % REPS };
    let pair = usize::try_from(rep * CONTACTS + contact).unwrap_or_default();
    let before = last.get(pair).copied().flatten();
    // Threads of five messages or so: what arrives in a thread has all of it decided anew.
    let (outbound, references) = match before {
        Some((key, outbound)) if draw.below(5) > 0 => (!outbound, vec![key]),
        _ => (draw.below(2) == 0, Vec::new()),
    };
    let person = |address| Person { address, name: String::new() };
    let (me, them) = (person(address("rep", rep)), person(address("contact", contact)));
    let (from, to) = if outbound { (me, them) } else { (them, me) };
    let key = Key::of("message-id", &[&number.to_be_bytes()]);
    if let Some(slot) = last.get_mut(pair) {
        *slot = Some((key, outbound));
    }
    let span = (LAST - FIRST).millis() / i64::try_from(count).unwrap_or(i64::MAX).max(1);
    let envelope = Envelope {
        key,
        aliases: Vec::new(),
        references,
        at: FIRST + Span::from_millis(span * i64::try_from(number).unwrap_or_default()),
        dated: true,
        from: Some(from),
        to: vec![to],
        cc: Vec::new(),
        subject: None,
        reply_subject: false,
        automated: None,
        authenticated: None,
        thread: None,
        sent: None,
        undelivered: None,
    };
    (rep, envelope)
}

/// What a rep's mailbox has of some messages, with more to come.
fn batch(row: i64, source: i64, rep: u64, messages: &[(u64, Envelope)]) -> Batch {
    let own = messages.iter().filter(|(of, _)| *of == rep);
    Batch {
        source,
        rep: row,
        mailbox: MailboxInfo { name: "All".into(), role: Role::Other },
        messages: own.map(|(_, envelope)| envelope.clone()).collect(),
        invitations: Vec::new(),
        calendars: Vec::new(),
        objects: Vec::new(),
        quarantined: Vec::new(),
        seen: Vec::new(),
        gone: Vec::new(),
        private: Vec::new(),
        excluded: 0,
        complete: false,
        cursor: Cursor::Maildir,
        total: None,
    }
}

fn measure(directory: &Path, path: &Path, keepwarm: &Path) -> Result<()> {
    let db = open_reader(path)?;
    let mut all = relationship::all(&db)?;
    all.sort_by_key(|row| std::cmp::Reverse(row.state.counts.outbound + row.state.counts.inbound));
    let interactions: u32 =
        all.iter().map(|row| row.state.counts.outbound + row.state.counts.inbound).sum();
    let most = all.first().map_or(0, |row| row.state.counts.outbound + row.state.counts.inbound);
    writeln!(
        out(),
        "{interactions} interactions in {} relationships, {most} in the largest",
        all.len()
    )?;
    let step = (all.len().saturating_sub(HEAVIEST) / OTHERS).max(1);
    let chosen = (0..HEAVIEST).chain((HEAVIEST..all.len()).step_by(step));
    let mut pairs = Vec::new();
    for row in chosen.filter_map(|n| all.get(n)) {
        let contact = contact::get(&db, row.contact)?.public_id;
        pairs.push((rep::get(&db, row.rep)?.code, contact));
    }
    for format in ["table", "json"] {
        let mut times = Vec::new();
        for (rep, contact) in &pairs {
            times.push(timed(keepwarm, directory, &["explain", rep, contact, "--format", format])?);
        }
        let heaviest = times.iter().take(HEAVIEST).copied().fold(0.0, f64::max);
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        let slowest = times.last().copied().unwrap_or_default();
        let word = if slowest <= MOST_MS { "kept" } else { "MISSED" };
        writeln!(
            out(),
            "explain --format {format:<5} median {:5.1} ms, 99 of 100 within {:5.1} ms, slowest \
             {slowest:5.1} ms (of the {HEAVIEST} largest {heaviest:5.1} ms), at most {MOST_MS} ms: \
             {word}",
            at(50),
            at(99)
        )?;
    }
    for command in ["relationships", "accounts"] {
        let took = timed(keepwarm, directory, &[command, "--limit", "20"])?;
        writeln!(out(), "{command:<22} {took:7.1} ms")?;
    }
    Ok(())
}

/// How long a whole process took, in milliseconds.
fn timed(keepwarm: &Path, directory: &Path, arguments: &[&str]) -> Result<f64> {
    let mut command = Command::new(keepwarm);
    command.args(arguments).arg("--now").arg(LAST.to_string());
    command.arg("--config").arg(directory.join("keepwarm.toml"));
    let began = Instant::now();
    let done = command.stdout(Stdio::null()).status()?;
    ensure!(done.success(), "{arguments:?} has failed");
    Ok(1000.0 * began.elapsed().as_secs_f64())
}
