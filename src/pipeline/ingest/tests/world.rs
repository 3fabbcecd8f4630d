//! A database in a temporary directory, two reps with their mailboxes, and views of what is in it
//! that do not depend on rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{
    Address, Cadence, Cursor, Direction, Envelope, Key, MailboxInfo, NudgeKind, Person,
    Relationship, Role, Span, Timestamp,
};
use crate::normalise::Own;
use crate::normalise::people::organisation;
use crate::nudge::{Matters, Restraint, looks_next};
use crate::pipeline::ingest::{Batch, Calendar, Outcome, commit_delta, commit_deltas, regroup};
use crate::pipeline::{Rules, engagement, fold};
use crate::score::{rebuild, strength_at};
use crate::store::{
    Db, Store, StoreError, contact, interaction, message, relationship, rep, report, source,
    thread, turn,
};

/// The first instant of the stories: midnight, UTC.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// An instant of a story, in days after its beginning.
pub(crate) fn day(days: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "days of a story")]
    let millis = (days * 86_400_000.0).round() as i64;
    START + Span::from_millis(millis)
}

/// The reps; the second writes from two addresses.
const REPS: [(&str, &[&str]); 2] =
    [("ann", &["ann@us.example"]), ("bob", &["bob@us.example", "bob@old.example"])];

/// A mailbox of a rep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mailbox {
    Inbox,
    Sent,
    Archive,
    Calendar,
}

/// A database with its reps.
pub(crate) struct World {
    store: Store,
    runtime: tokio::runtime::Runtime,
    pub(crate) rules: Arc<Rules>,
    /// Reps and sources by row, in the order of [`REPS`].
    pub(crate) reps: Vec<i64>,
    pub(crate) sources: Vec<i64>,
    _directory: tempfile::TempDir,
}

/// What must not depend on the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// Rep, contact, instant, direction, kind, audience, whether it is an answer, and what its
    /// thread says of it; then what has become of meetings that were not held.
    pub(crate) counted: Vec<String>,
    /// Messages by their keys, with the reason why they are left out.
    pub(crate) messages: BTreeSet<(Vec<Key>, Option<String>)>,
    /// Threads by the keys of their messages.
    pub(crate) threads: BTreeSet<BTreeSet<Key>>,
    /// Interactions, relationships and contacts that are reported.
    pub(crate) totals: [i64; 3],
    /// The contacts that have an interaction, by their first address.
    pub(crate) contacts: BTreeMap<String, contact::Contact>,
}

/// Everything is said as soon as it is decided, and nothing is held back.
pub(crate) fn at_once() -> Restraint {
    Restraint {
        observe: Span::ZERO,
        digest_at: None,
        quiet: None,
        working_days: "mon-sun".parse().unwrap(),
        per_day: 1000,
        per_week: 1000,
        held_back_percent: 0,
        reminders: 0,
        mass_least: u32::MAX,
        ..Restraint::default()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path: PathBuf = directory.path().join("keepwarm.db");
        let store = Store::open(&path).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let enter = |db: &Db| {
            let mut rows = Vec::new();
            for (code, addresses) in REPS {
                let rep = rep::ensure(db, code, code, addresses[0])?;
                rows.push((rep, source::ensure(db, &format!("{code}-mail"), rep, "imap")?));
            }
            Ok(rows)
        };
        let rows = runtime.block_on(store.write(enter)).unwrap();
        let mut addresses = Vec::new();
        for ((rep, _), (_, own)) in rows.iter().zip(REPS) {
            addresses.extend(own.iter().map(|a| (address(a), *rep)));
        }
        let own = Own::new(addresses, ["us.example".to_owned()])
            .excluding([address("lawyer@firm.example")], []);
        let (reps, sources): (Vec<i64>, Vec<i64>) = rows.into_iter().unzip();
        let zones = [(reps[0], chrono_tz::America::New_York)].into_iter().collect();
        // When to look at anything else than decays is tested with what is then found.
        let matters = Matters { enabled: [NudgeKind::Decay].into(), ..Matters::default() };
        let restraint = at_once();
        let rules = Arc::new(Rules { own, zones, restraint, matters, ..Rules::default() });
        Self { store, runtime, rules, reps, sources, _directory: directory }
    }

    /// Runs a job on the writer.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.runtime.block_on(self.store.write(job))
    }

    /// A further source of a rep.
    pub(crate) fn source(&self, rep: usize, name: &str) -> i64 {
        let (rep, name) = (self.reps[rep], name.to_owned());
        self.write(move |db| source::ensure(db, &name, rep, "caldav")).unwrap()
    }

    /// Commits messages of one mailbox of a rep.
    pub(crate) fn mail(
        &self,
        rep: usize,
        mailbox: Mailbox,
        messages: &[Envelope],
        now: Timestamp,
    ) -> Outcome {
        let messages = messages.to_vec();
        let batch = Batch { messages, ..self.batch(rep, mailbox) };
        self.commit(batch, now)
    }

    /// Commits messages of several mailboxes at once, with more to come.
    pub(crate) fn backfill(&self, mail: Vec<(usize, Mailbox, Vec<Envelope>)>, now: Timestamp) {
        let rules = Arc::clone(&self.rules);
        let batches: Vec<Batch> = mail
            .into_iter()
            .map(|(rep, mailbox, messages)| Batch {
                messages,
                complete: false,
                ..self.batch(rep, mailbox)
            })
            .collect();
        self.write(move |db| commit_deltas(db, &batches, &rules, now)).unwrap();
    }

    /// Commits a calendar of a rep as it is at one time.
    pub(crate) fn calendar(&self, rep: usize, calendar: Calendar, now: Timestamp) -> Outcome {
        self.commit(Batch { calendars: vec![calendar], ..self.batch(rep, Mailbox::Calendar) }, now)
    }

    pub(crate) fn commit(&self, batch: Batch, now: Timestamp) -> Outcome {
        let rules = Arc::clone(&self.rules);
        self.write(move |db| commit_delta(db, &batch, &rules, now)).unwrap()
    }

    /// An empty delta of a mailbox.
    pub(crate) fn batch(&self, rep: usize, mailbox: Mailbox) -> Batch {
        let (name, role) = match mailbox {
            Mailbox::Inbox => ("INBOX", Role::Inbox),
            Mailbox::Sent => ("Sent", Role::Sent),
            Mailbox::Archive => ("Archive", Role::Other),
            Mailbox::Calendar => ("calendar", Role::Calendar),
        };
        Batch {
            source: self.sources[rep],
            rep: self.reps[rep],
            mailbox: MailboxInfo { name: name.into(), role },
            messages: Vec::new(),
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

    /// Makes groups of addresses, such as `bo di@beta.example`, one contact each; addresses that were
    /// never met are entered.
    pub(crate) fn regroup(&self, groups: &[&str], now: Timestamp) -> bool {
        let rules = Arc::clone(&self.rules);
        let groups: Vec<Vec<Address>> = groups
            .iter()
            .map(|words| words.split_whitespace().map(|word| person(word).address).collect())
            .collect();
        self.write(move |db| {
            let mut rows = Vec::new();
            for group in groups {
                let mut one = BTreeSet::new();
                for address in group {
                    one.insert(contact::ensure(db, &address, organisation)?);
                }
                rows.push(one);
            }
            regroup(db, &rules, &rows, now)
        })
        .unwrap()
    }

    /// The contact of an address.
    pub(crate) fn contact_of(&self, address: &str) -> contact::Contact {
        let address = address.to_owned();
        let of = move |db: &Db| contact::get(db, contact::find(db, &address)?.unwrap());
        self.write(of).unwrap()
    }

    /// Folds what backfills have left, to the end.
    pub(crate) fn settle(&self, now: Timestamp) {
        let mut after = Some(0);
        while let Some(from) = after {
            let rules = Arc::clone(&self.rules);
            after = self.write(move |db| fold::settle(db, &rules, now, from)).unwrap();
        }
    }

    /// What is in the database, without its rows; `keys` are all that the story names.
    pub(crate) fn view(&self, keys: &BTreeSet<Key>) -> View {
        let keys = keys.clone();
        self.write(move |db| view(db, &keys)).unwrap()
    }

    /// Every relationship as of an instant, by rep and contact.
    pub(crate) fn states(&self, at: Timestamp) -> BTreeMap<String, Relationship> {
        let rules = Arc::clone(&self.rules);
        self.write(move |db| {
            let mut states = BTreeMap::new();
            for row in relationship::all(db)? {
                let state = fold::as_of(db, &rules, &row, at)?;
                if state.first_at.is_some() || state.pending_at.is_some() {
                    states.insert(name_of(db, &row)?, state);
                }
            }
            Ok(states)
        })
        .unwrap()
    }

    /// What differs between the stored relationships and what a rebuild of their logs gives.
    pub(crate) fn differences(&self) -> Vec<String> {
        let rules = Arc::clone(&self.rules);
        self.write(move |db| {
            let mut found = Vec::new();
            for row in relationship::all(db)? {
                let log = interaction::log(db, row.id)?;
                let zone = rules.zone(row.rep);
                let whole = rebuild(&log, zone, &rules.parameters, row.state.folded_at);
                let name = name_of(db, &row)?;
                found.extend(differ(&row.state, &whole).map(|what| format!("{name}: {what}")));
                let falls = fold::falls_at(db, &rules, &row, &whole, whole.folded_at)?;
                let due = looks_next(&whole, falls, row.episode_id.is_some(), &rules.policy, None);
                // The bisection is to a minute.
                let near = match (row.due_at, due) {
                    (Some(a), Some(b)) => (a - b).millis().abs() <= 60_000,
                    (a, b) => a == b,
                };
                if !near {
                    found.push(format!("{name}: due at {:?}, not {due:?}", row.due_at));
                }
            }
            Ok(found)
        })
        .unwrap()
    }
}

/// How two states differ by more than 1e-9, if they do; not in how far they have been folded.
pub(crate) fn differ(a: &Relationship, b: &Relationship) -> Option<String> {
    let at = a.masses.at.max(b.masses.at);
    let numbers = |state: &Relationship| {
        let strength = strength_at(state, at);
        let sums = [strength.outbound, strength.inbound, strength.score, state.baseline];
        let one = |sums: [f64; 4]| {
            let days = at.days_since(state.masses.at);
            let left = crate::model::relationship::HALF_LIVES_DAYS.map(|h| (-days / h).exp2());
            [0, 1, 2, 3].map(|k| sums[k] * left[k])
        };
        let gaps = [state.cadence.mean_ln_gap, state.cadence.variance_ln_gap, 0.0, 0.0];
        [sums, gaps, one(state.masses.outbound), one(state.masses.inbound)].concat()
    };
    let close = numbers(a).iter().zip(numbers(b)).all(|(x, y)| (x - y).abs() < 1e-9);
    let rest = |state: &Relationship| {
        let zero = crate::model::relationship::Masses::default();
        let cadence = Cadence { mean_ln_gap: 0.0, variance_ln_gap: 0.0, ..state.cadence };
        Relationship { masses: zero, baseline: 0.0, cadence, folded_at: START, ..*state }
    };
    (!close || rest(a) != rest(b)).then(|| format!("{a:?}\nis not\n{b:?}"))
}

fn view(db: &Db, keys: &BTreeSet<Key>) -> Result<View, StoreError> {
    let mut counted = Vec::new();
    let mut contacts = BTreeMap::new();
    let (all, ever) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    for row in relationship::all(db)? {
        let pair = name_of(db, &row)?;
        let log = turn::observed(db, row.id, (all, ever), usize::MAX)?;
        if !log.is_empty() {
            let contact = contact::Contact { id: 0, ..contact::get(db, row.contact)? };
            contacts.insert(contact.addresses[0].clone(), contact);
        }
        for one in log {
            let i = one.interaction;
            let (direction, kind) = (i.direction.code(), i.kind.code());
            let (audience, linked, turn) = (i.audience, i.linked, one.turn);
            counted
                .push(format!("{pair} {} {direction} {kind} {audience} {linked} {turn:?}", i.at));
        }
        for (at, fate) in engagement::missed(db, row.id, all, ever)? {
            counted.push(format!("{pair} {at} {fate:?}"));
        }
    }
    counted.sort();
    let mut by_message: BTreeMap<i64, Vec<Key>> = BTreeMap::new();
    for key in keys {
        if let Some(id) = thread::look_up(db, &[*key])?[0].and_then(|known| known.message) {
            by_message.entry(id).or_default().push(*key);
        }
    }
    let mut messages = BTreeSet::new();
    let mut by_thread: BTreeMap<i64, BTreeSet<Key>> = BTreeMap::new();
    for (id, keys) in by_message {
        let stored = message::get(db, id)?;
        if let (None, Some(of)) = (&stored.left_out, stored.thread) {
            by_thread.entry(thread::root(db, of)?).or_default().extend(&keys);
        }
        messages.insert((keys, stored.left_out));
    }
    let totals = report::totals(db, ever)?;
    let totals = [totals.interactions, totals.relationships, totals.contacts];
    let threads = by_thread.into_values().collect();
    Ok(View { counted, messages, threads, totals, contacts })
}

fn name_of(db: &Db, row: &relationship::Stored) -> Result<String, StoreError> {
    let (rep, contact) = (rep::get(db, row.rep)?, contact::get(db, row.contact)?);
    Ok(format!("{}/{}", rep.code, contact.addresses[0]))
}

pub(crate) fn address(text: &str) -> Address {
    Address::from_canonical(text.to_owned())
}

/// The key of a Message-ID.
pub(crate) fn key(id: &str) -> Key {
    Key::of("message-id", &[id.as_bytes()])
}

/// An envelope such as `envelope("m1", "ann>bo,cy", 3.5)`: dated, sound, without subject. A word
/// without `@` is of `acme.example`, but for the reps and the colleague `carl`.
pub(crate) fn envelope(id: &str, who: &str, days: f64) -> Envelope {
    let (from, to) = who.split_once('>').unwrap();
    Envelope {
        key: key(id),
        aliases: Vec::new(),
        references: Vec::new(),
        at: day(days),
        dated: true,
        from: Some(person(from)),
        to: to.split(',').filter(|word| !word.is_empty()).map(person).collect(),
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

/// The person of a word, without a name.
pub(crate) fn person(word: &str) -> Person {
    let full = match word {
        _ if word.contains('@') => word.to_owned(),
        "ann" | "bob" | "carl" => format!("{word}@us.example"),
        _ => format!("{word}@acme.example"),
    };
    Person { address: address(&full), name: String::new() }
}

/// The envelope as an answer to others.
pub(crate) fn answering(mut envelope: Envelope, ids: &[&str]) -> Envelope {
    envelope.references = ids.iter().map(|id| key(id)).collect();
    envelope
}

/// The envelope with a subject; `Re: x` is an answer's.
pub(crate) fn about(mut envelope: Envelope, subject: &str) -> Envelope {
    let base = subject.trim_start_matches("Re: ");
    envelope.subject = Some(Key::of("subject", &[base.as_bytes()]));
    envelope.reply_subject = base != subject;
    envelope
}

/// The directions of what counts, for short tables: `>` outbound, `<` inbound, `=` mutual, and
/// `!` behind an answer.
pub(crate) fn drawn(world: &World) -> String {
    world
        .write(|db| {
            let mut log = Vec::new();
            for row in relationship::all(db)? {
                let contact = contact::get(db, row.contact)?;
                let name = contact.addresses[0].split('@').next().unwrap_or_default().to_owned();
                for i in interaction::log(db, row.id)? {
                    let way = match i.direction {
                        Direction::Outbound => '>',
                        Direction::Inbound => '<',
                        Direction::Mutual => '=',
                    };
                    log.push((i.at, format!("{way}{name}{}", if i.linked { "!" } else { "" })));
                }
            }
            log.sort();
            Ok(log.into_iter().map(|(_, drawn)| drawn).collect::<Vec<_>>().join(" "))
        })
        .unwrap()
}
