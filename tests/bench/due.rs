//! The nudge step in a store of many relationships: with nothing due, and with some.
//!
//! ```text
//! cargo run --release --example due -- RELATIONSHIPS DUE
//! ```
//!
//! Makes the store below the system's temporary directory: DUE relationships a wave, of three waves,
//! with half a year of weekly mail each, by the same code that mail comes in by; all others as rows
//! whose time is far away. Prints how long the step takes, commit included, as a median and a range.

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use keepwarm::deliver::format::Route;
use keepwarm::model::address::Address;
use keepwarm::model::{
    Condition, Cursor, Envelope, Key, Link, MailboxInfo, Person, Role, Span, Timestamp,
};
use keepwarm::normalise::Own;
use keepwarm::nudge::Restraint;
use keepwarm::pipeline::Rules;
use keepwarm::pipeline::ingest::{Batch, commit_deltas};
use keepwarm::pipeline::nudge::{Destination, Moment, step};
use keepwarm::store::{Db, Store, StoreError, contact, endpoint, relationship, rep, source};
use tokio::runtime::Runtime;

/// Reps; contacts are dealt out among them in turn.
const REPS: u64 = 50;
/// 2025-01-01.
const START: Timestamp = Timestamp::from_seconds(1_735_689_600);
/// Weekly letters of everybody who will be due.
const WEEKS: u64 = 26;
/// Of each wave the last letter is so much later than that of the one before.
const WAVES: u64 = 3;
/// What the issue asks for, in milliseconds.
const MOST_MS: f64 = 50.0;
/// Rows made in one transaction.
const AT_ONCE: u64 = 50_000;

struct Bench {
    store: Store,
    runtime: Runtime,
    rules: Rules,
    endpoint: i64,
    sources: Vec<(i64, i64)>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [relationships, due] = arguments.as_slice() else {
        bail!("usage: due RELATIONSHIPS DUE");
    };
    let relationships: u64 = relationships.parse().context("RELATIONSHIPS must be a number")?;
    let due: u64 = due.parse().context("DUE must be a number")?;
    let directory = tempfile::tempdir()?;
    let began = Instant::now();
    let bench = Bench::new(&directory.path().join("keepwarm.db"))?;
    for wave in 0..WAVES {
        bench.correspond(wave, due)?;
    }
    bench.fill(due * WAVES, relationships)?;
    say(&format!("{relationships} relationships made in {:.0} s", began.elapsed().as_secs_f64()))?;
    bench.idle()?;
    bench.waves(due)
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn rep_address(n: u64) -> Address {
    Address::from_canonical(format!("rep{n}@us.example"))
}

fn address(n: u64) -> Address {
    Address::from_canonical(format!("c{n}@acme{}.example", n / 5))
}

fn day(days: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "a year in milliseconds")]
    let millis = (days * 86_400_000.0) as i64;
    START + Span::from_millis(millis)
}

/// When a wave's last letter is.
fn last(wave: u64) -> f64 {
    f64::from(u32::try_from(7 * WEEKS + wave).unwrap_or_default())
}

impl Bench {
    fn new(path: &std::path::Path) -> Result<Self> {
        let store = Store::open(path)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let enter = |db: &Db| {
            let mut sources = Vec::new();
            for n in 0..REPS {
                let code = format!("rep{n}");
                let row = rep::ensure(db, &code, &code, rep_address(n).as_str())?;
                sources.push((row, source::ensure(db, &code, row, "imap")?));
            }
            Ok((sources, endpoint::ensure(db, "crm", Key(1))?.0))
        };
        let (sources, endpoint) = runtime.block_on(store.write(enter))?;
        let own = (0..).zip(&sources).map(|(n, (row, _))| (rep_address(n), *row));
        let restraint = Restraint { observe: Span::ZERO, ..Restraint::default() };
        let own = Own::new(own, ["us.example".to_owned()]);
        let rules = Rules { own, restraint, ..Rules::default() };
        Ok(Self { store, runtime, rules, endpoint, sources })
    }

    fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        Ok(self.runtime.block_on(self.store.write(job))?)
    }

    /// Half a year of letters with everybody of a wave.
    fn correspond(&self, wave: u64, due: u64) -> Result<()> {
        for week in 0..WEEKS {
            let mut batches = Vec::new();
            for (n, (rep, source)) in (0..).zip(&self.sources) {
                let contacts = (wave * due..(wave + 1) * due).filter(|c| c % REPS == n);
                let at = last(wave) - 7.0 * f64::from(u32::try_from(WEEKS - 1 - week)?);
                let (mut sent, mut received) = (Vec::new(), Vec::new());
                for contact in contacts {
                    sent.push(letter(n, contact, at, true));
                    received.push(letter(n, contact, at + 0.1, false));
                }
                batches.push(batch((*rep, *source), "Sent", Role::Sent, sent));
                batches.push(batch((*rep, *source), "INBOX", Role::Inbox, received));
            }
            let (rules, now) = (self.rules.clone(), day(last(wave) + 1.0));
            self.write(move |db| commit_deltas(db, &batches, &rules, now).map(drop))?;
        }
        Ok(())
    }

    /// Rows of relationships whose time is far away.
    fn fill(&self, from: u64, to: u64) -> Result<()> {
        let mut from = from;
        while from < to {
            let until = to.min(from + AT_ONCE);
            let reps: Vec<i64> = self.sources.iter().map(|(rep, _)| *rep).collect();
            self.write(move |db| {
                for n in from..until {
                    let organisation = |_: &Address| {
                        Address::from_canonical(format!("acme{}.example", n / 5))
                            .as_str()
                            .to_owned()
                    };
                    let contact = contact::ensure(db, &address(n), organisation)?;
                    let rep = reps.get(usize::try_from(n % REPS).unwrap_or_default());
                    let id = relationship::ensure(db, rep.copied().unwrap_or_default(), contact)?;
                    let mut row = relationship::get(db, id)?;
                    row.state.counts.reciprocations = 9;
                    row.state.counts.active_days = 9;
                    row.state.baseline = 1.0;
                    let far = u32::try_from(n % 1000).unwrap_or_default();
                    row.due_at = Some(day(1000.0 + f64::from(far)));
                    relationship::save(db, &row)?;
                }
                Ok(())
            })?;
            from = until;
        }
        Ok(())
    }

    fn step(&self, now: Timestamp) -> Result<(usize, f64)> {
        let (rules, endpoint) = (self.rules.clone(), self.endpoint);
        let began = Instant::now();
        let made = self.write(move |db| {
            let route = Route::default();
            let crm = Destination { endpoint, name: "crm".into(), route, digest: false };
            Ok(step(db, &rules, &[crm], Moment { now, given: true })?.made.len())
        })?;
        Ok((made, began.elapsed().as_secs_f64() * 1000.0))
    }

    fn idle(&self) -> Result<()> {
        let now = day(last(WAVES) + 2.0);
        self.step(now)?;
        let mut took: Vec<f64> =
            (0..100).map(|_| self.step(now).map(|(_, ms)| ms)).collect::<Result<_>>()?;
        took.sort_by(f64::total_cmp);
        let at = |n: usize| took.get(n).copied().unwrap_or_default();
        say(&format!("nothing due: {:.3} ms [{:.3}..{:.3}]", at(50), at(0), at(99)))
    }

    /// Takes every step that is asked for, an hour after it is, and tells of those with a whole wave.
    fn waves(&self, due: u64) -> Result<()> {
        let (mut looks, mut decays) = (Vec::new(), Vec::new());
        while (decays.len() as u64) < WAVES {
            let next = self.write(relationship::next_due)?.context("nothing will be due")?;
            let now = next + Span::from_hours(1);
            ensure!(now < day(999.0), "only {} waves were told of", decays.len());
            let sources = self.sources.clone();
            self.write(move |db| {
                let well = Condition::NEW.succeeded(Link::Closed, now);
                sources.iter().try_for_each(|(_, id)| source::succeed(db, *id, &well, now))
            })?;
            let (made, ms) = self.step(now)?;
            match made as u64 == due {
                true => decays.push(ms),
                false => looks.push(ms),
            }
        }
        for (what, took) in [("looked at, nothing to say", looks), ("decayed, told of", decays)] {
            let mut took = took;
            took.sort_by(f64::total_cmp);
            let middle = took.get(took.len() / 2).copied().unwrap_or_default();
            let (first, last) = (took.first().copied(), took.last().copied());
            say(&format!(
                "{due} due, {what}: {middle:.1} ms [{:.1}..{:.1}], at most {MOST_MS:.0}: {}",
                first.unwrap_or_default(),
                last.unwrap_or_default(),
                if middle <= MOST_MS { "kept" } else { "MISSED" }
            ))?;
        }
        Ok(())
    }
}

fn letter(rep: u64, contact: u64, at: f64, sent: bool) -> Envelope {
    let key = |at: f64, sent: bool| {
        Key::of("due", &[format!("{rep} {contact} {at:.2} {sent}").as_bytes()])
    };
    let person = |address: Address| Person { name: String::new(), address };
    let (own, other) = (person(rep_address(rep)), person(address(contact)));
    let (from, to) = if sent { (own, other) } else { (other, own) };
    Envelope {
        key: key(at, sent),
        aliases: Vec::new(),
        references: if sent { Vec::new() } else { vec![key(at - 0.1, true)] },
        at: day(at),
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
    }
}

fn batch((rep, source): (i64, i64), name: &str, role: Role, messages: Vec<Envelope>) -> Batch {
    Batch {
        source,
        rep,
        mailbox: MailboxInfo { name: name.into(), role },
        messages,
        invitations: Vec::new(),
        calendars: Vec::new(),
        objects: Vec::new(),
        quarantined: Vec::new(),
        seen: Vec::new(),
        gone: Vec::new(),
        private: Vec::new(),
        excluded: 0,
        complete: true,
        cursor: Cursor::Maildir,
        total: None,
    }
}
