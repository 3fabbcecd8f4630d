//! A year of many reps in virtual time: what is said, when, how much, and of whom not.
//!
//! Mail arrives every six hours through the real ingest, the nudge step is taken whenever it asks for
//! it, and what it gave to the endpoints is looked at as a whole afterwards.

mod checks;
mod story;

use std::collections::BTreeMap;
use std::time::Instant;

use keepwarm::deliver::format::Route;
use keepwarm::model::{Condition, Interaction, Key, Link, Relationship, Span, Timestamp};
use keepwarm::normalise::Own;
use keepwarm::nudge::Restraint;
use keepwarm::pipeline::ingest::{Batch, commit_deltas};
use keepwarm::pipeline::nudge::{Destination, Moment, step};
use keepwarm::pipeline::{Rules, fold};
use keepwarm::score::Zone;
use keepwarm::store::nudge::Listed;
use keepwarm::store::{
    Db, Store, StoreError, contact, endpoint, interaction, nudge, outbox, relationship, rep,
    silence, source,
};

use story::{Mail, story};

/// 2025-01-01, a Wednesday.
const START: Timestamp = Timestamp::from_seconds(1_735_689_600);
/// Mail arrives so often.
const ROUND: Span = Span::from_hours(6);
/// Days of the year in which the first rep's server gives nothing.
const OUTAGE: (i64, i64) = (200, 215);
/// Days between which nothing may be said of every so-many-th contact of a rep.
const SILENCE: (i64, i64, usize) = (120, 210, 11);
/// The zones of the reps, in turn.
const ZONES: [Zone; 3] =
    [chrono_tz::America::New_York, chrono_tz::Europe::Berlin, chrono_tz::Asia::Kolkata];

/// What a year came to.
struct Year {
    restraint: Restraint,
    /// By code: the zone.
    zones: BTreeMap<String, Zone>,
    nudges: Vec<Listed>,
    /// Of each relationship, by row: rep, contact, log, and its state in the end.
    relationships: BTreeMap<i64, (String, String, Vec<Interaction>, Relationship)>,
    /// The relationships of which nothing may be said for a while, by row.
    silenced: Vec<i64>,
    /// When messages were owed.
    owed_at: Vec<(String, Timestamp)>,
}

fn day(count: i64) -> Timestamp {
    START + Span::from_days(count)
}

/// A company and its database.
struct Company {
    store: Store,
    runtime: tokio::runtime::Runtime,
    /// The rows of each rep and of the rep's source.
    reps: Vec<(i64, i64)>,
    endpoint: i64,
    rules: Rules,
    _directory: tempfile::TempDir,
}

impl Company {
    fn new(reps: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("kw.db")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let enter = move |db: &Db| {
            let mut entered = Vec::new();
            for n in 0..reps {
                let code = format!("rep{n}");
                let row = rep::ensure(db, &code, &code, story::rep(n).as_str())?;
                entered.push((row, source::ensure(db, &code, row, "imap")?));
            }
            Ok((entered, endpoint::ensure(db, "crm", Key(1))?.0))
        };
        let (reps, endpoint) = runtime.block_on(store.write(enter)).unwrap();
        let own = reps.iter().enumerate().map(|(n, (row, _))| (story::rep(n), *row));
        let rules = Rules {
            own: Own::new(own, ["us.example".to_owned()]),
            zones: reps.iter().enumerate().map(|(n, (row, _))| (*row, zone(n))).collect(),
            ..Rules::default()
        };
        Self { store, runtime, reps, endpoint, rules, _directory: directory }
    }

    /// Takes a step, and with it what came of the mail; gives when the next one is due.
    fn step(&self, batches: Vec<Batch>, now: Timestamp) -> Option<Timestamp> {
        let (rules, endpoint) = (self.rules.clone(), self.endpoint);
        let job = move |db: &Db| {
            let well = Condition::NEW.succeeded(Link::Closed, now);
            for batch in &batches {
                source::succeed(db, batch.source, &well, now)?;
            }
            if !batches.is_empty() {
                commit_deltas(db, &batches, &rules, now)?;
                let mut after = Some(0);
                while let Some(from) = after {
                    after = fold::settle(db, &rules, now, from)?;
                }
            }
            let route = Route::default();
            let crm = Destination { endpoint, name: "crm".into(), route, digest: false };
            step(db, &rules, &[crm], Moment { now, given: false })
        };
        let done = self.runtime.block_on(self.store.write(job)).unwrap();
        done.next_due.map(|due| due.max(now + Span::from_seconds(1)))
    }

    /// Begins the silences; gives their relationships.
    fn hush(&self, now: Timestamp) -> Vec<i64> {
        let job = move |db: &Db| {
            let every = relationship::all(db)?.into_iter().step_by(SILENCE.2);
            every.map(|row| hush(db, &row, now)).collect::<Result<Vec<i64>, StoreError>>()
        };
        self.runtime.block_on(self.store.write(job)).unwrap()
    }
}

fn hush(db: &Db, row: &relationship::Stored, now: Timestamp) -> Result<i64, StoreError> {
    let new = silence::New {
        rep: row.rep,
        contact: row.contact,
        kind: None,
        until: Some(day(SILENCE.1)),
        reason: "command",
        feedback: None,
    };
    silence::begin(db, &new, now)?;
    Ok(row.id)
}

fn zone(rep: usize) -> Zone {
    ZONES[rep % ZONES.len()]
}

/// Plays a year.
fn play(reps: usize, contacts: usize) -> Year {
    let company = Company::new(reps);
    let mut mail: Vec<Vec<Mail>> = (0..reps).map(|n| story(n, contacts)).collect();
    mail.iter_mut().for_each(|mail| mail.sort_by_key(|one| std::cmp::Reverse(one.envelope.at)));
    let (mut now, mut next_due) = (START, None);
    let mut silenced = Vec::new();
    while now < day(365) {
        now = now + ROUND;
        if silenced.is_empty() && now >= day(SILENCE.0) {
            silenced = company.hush(now);
        }
        while let Some(due) = next_due.filter(|due| *due < now) {
            next_due = company.step(Vec::new(), due);
        }
        let mut batches = Vec::new();
        for (n, rows) in company.reps.iter().enumerate() {
            if n == 0 && day(OUTAGE.0) <= now && now < day(OUTAGE.1) {
                continue;
            }
            let ahead = mail[n].partition_point(|one| one.envelope.at > now);
            batches.extend(story::batches(*rows, mail[n].split_off(ahead)));
        }
        next_due = company.step(batches, now);
    }
    let restraint = company.rules.restraint.clone();
    let zones = (0..reps).map(|n| (format!("rep{n}"), zone(n))).collect();
    let gathered = company.store.write(move |db| gather(db, restraint, zones, silenced));
    company.runtime.block_on(gathered).unwrap()
}

fn gather(
    db: &Db,
    restraint: Restraint,
    zones: BTreeMap<String, Zone>,
    silenced: Vec<i64>,
) -> Result<Year, StoreError> {
    let ever = Timestamp::from_millis(i64::MAX);
    let mut nudges = nudge::list(db, ever, usize::MAX)?;
    nudges.reverse();
    let mut relationships = BTreeMap::new();
    for row in relationship::all(db)? {
        let log = interaction::log(db, row.id)?;
        let (rep, contact) = (rep::get(db, row.rep)?.code, contact::get(db, row.contact)?);
        let contact = contact.addresses.first().cloned().unwrap_or_default();
        relationships.insert(row.id, (rep, contact, log, row.state));
    }
    let owed_at = outbox::made(db)?;
    Ok(Year { restraint, zones, nudges, relationships, silenced, owed_at })
}

/// A smaller year, looked at in every way, with what was said as a snapshot.
#[test]
fn a_year_of_nudges_is_few_and_right() {
    let year = play(6, 40);
    checks::all(&year);
    let written = year.nudges.iter().filter(|listed| !listed.nudge.body.is_empty());
    let events: Vec<String> = written.map(|listed| listed.nudge.body.clone()).collect();
    crate::format::fit(&events);
    insta::assert_snapshot!(checks::told(&year));
}

/// The year of the benchmark: `tests/bench/nudges`.
#[test]
#[ignore = "a measurement: tests/bench/nudges"]
fn fifty_reps() {
    let began = Instant::now();
    let year = play(50, 200);
    println!("50 reps with 200 contacts each: a year in {:.1} s", began.elapsed().as_secs_f64());
    checks::all(&year);
    println!("{}", checks::summary(&year));
}
