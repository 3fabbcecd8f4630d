//! What a database says, without how it says it: two that came about on different ways are equal
//! if and only if these are.
//!
//! Rows are named by what they stand for (keys of messages, addresses, names of mailboxes), never
//! by their numbers. Left out is what tells when something was done rather than what is so: when
//! sources were read, up to when was folded, when to look again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;

use keepwarm::model::Relationship;
use rusqlite::{Connection, OpenFlags, Row};

mod read;

/// Bytes as a sorted list of 8-byte keys.
pub(crate) type Keys = Vec<i64>;

/// A rep's code and a contact's addresses.
pub(crate) type Pair = (String, Vec<String>);

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) at: i64,
    pub(crate) dated: bool,
    pub(crate) left_out: Option<String>,
    pub(crate) subject: Option<i64>,
    pub(crate) reply_subject: bool,
    pub(crate) references: Keys,
    /// The messages of its thread, by their keys.
    pub(crate) thread: BTreeSet<Keys>,
}

/// An interaction, of a message (its keys) or of a meeting (its UID and recurrence).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Touch {
    pub(crate) pair: Pair,
    pub(crate) at: i64,
    pub(crate) direction: i64,
    pub(crate) kind: i64,
    pub(crate) audience: u32,
    pub(crate) linked: bool,
    pub(crate) standing: i64,
    pub(crate) counted: bool,
    pub(crate) message: Option<Keys>,
    pub(crate) meeting: Option<(String, i64)>,
    /// What its thread says of it: when its parent was written that it is the first to answer,
    /// whether it opens, and when it was followed up.
    pub(crate) turn: (Option<i64>, Option<bool>, Option<i64>),
}

/// Where a mailbox stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) role: String,
    /// The cursor as stored.
    pub(crate) cursor: Option<String>,
    pub(crate) complete: bool,
    pub(crate) total: Option<i64>,
    pub(crate) seen: BTreeSet<i64>,
}

/// A whole database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dump {
    pub(crate) messages: BTreeMap<Keys, Message>,
    pub(crate) interactions: Vec<Touch>,
    pub(crate) relationships: BTreeMap<Pair, Relationship>,
    /// By addresses: name, when it was given, organisation, public id.
    pub(crate) contacts: BTreeMap<Vec<String>, (String, i64, String, String)>,
    /// By UID and recurrence: beginning, end, status.
    pub(crate) meetings: BTreeMap<(String, i64), (i64, i64, String)>,
    /// By source and name.
    pub(crate) mailboxes: BTreeMap<(String, String), Mailbox>,
    /// By source, mailbox and item: the reason.
    pub(crate) quarantine: BTreeMap<(String, String, i64), String>,
}

/// A nudge with what is owed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) body: String,
    /// Endpoint, state, attempts.
    pub(crate) outbox: Vec<(String, String, i64)>,
}

impl Dump {
    /// Reads the database at a path; another process may have it open.
    pub(crate) fn read(path: &Path) -> Self {
        let db = open(path);
        // All of it as of one moment.
        db.execute_batch("BEGIN").unwrap();
        read::dump(&db)
    }

    /// The same without where the mailboxes stand: what is known rather than how far was read.
    pub(crate) fn without_cursors(mut self) -> Self {
        self.mailboxes.clear();
        self
    }

    /// How many interactions count.
    pub(crate) fn counted(&self) -> usize {
        self.interactions.iter().filter(|touch| touch.counted).count()
    }

    /// Fails with the first differences, if there are any.
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self, context: &str) {
        let mut differences = Vec::new();
        compare("message", &self.messages, &other.messages, PartialEq::eq, &mut differences);
        let numbered = |dump: &Self| numbered(&dump.interactions);
        let (mine, others) = (numbered(self), numbered(other));
        compare("interaction", &mine, &others, PartialEq::eq, &mut differences);
        let (mine, others) = (&self.relationships, &other.relationships);
        compare("relationship", mine, others, same_state, &mut differences);
        compare("contact", &self.contacts, &other.contacts, PartialEq::eq, &mut differences);
        compare("meeting", &self.meetings, &other.meetings, PartialEq::eq, &mut differences);
        compare("mailbox", &self.mailboxes, &other.mailboxes, PartialEq::eq, &mut differences);
        compare("item", &self.quarantine, &other.quarantine, PartialEq::eq, &mut differences);
        let count = differences.len();
        differences.truncate(8);
        assert!(count == 0, "{context}: {count} differences:\n{}", differences.join("\n"));
    }
}

/// Every nudge by its id.
pub(crate) fn nudges(path: &Path) -> BTreeMap<String, Owed> {
    read::nudges(&open(path))
}

/// Makes everything that is owed due: the second wait of a delivery is up to five minutes long.
/// Nothing may have the database open.
#[expect(clippy::disallowed_methods, reason = "time is moved from outside")]
pub(crate) fn make_due(path: &Path) -> usize {
    let db = Connection::open(path).unwrap();
    db.execute("UPDATE outbox SET next_attempt_at = 0 WHERE state = 'pending'", []).unwrap()
}

/// Changes a database behind the back of the program.
#[expect(clippy::disallowed_methods, reason = "time is moved from outside")]
pub(crate) fn execute(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// What a statement finds, one value for each row, as text.
pub(crate) fn values(path: &Path, sql: &str) -> Vec<String> {
    let text = |row: &Row<'_>| {
        use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};
        Ok(match row.get_ref(0)? {
            Null => String::new(),
            Integer(number) => number.to_string(),
            Real(number) => number.to_string(),
            Text(text) => String::from_utf8_lossy(text).into_owned(),
            Blob(bytes) => format!("{bytes:?}"),
        })
    };
    collect(&open(path), sql, text)
}

/// Every row of every table, each with the table's name, but for what the daemon's own loops note of
/// themselves as they go: when sources were read, up to when the clock is trusted, and when what was old was
/// taken out.
pub(crate) fn everything(path: &Path) -> BTreeSet<String> {
    let db = open(path);
    // All of it as of one moment.
    db.execute_batch("BEGIN").unwrap();
    let sql = "SELECT name FROM sqlite_schema
               WHERE type = 'table' AND name NOT IN ('source', 'nudging', 'retention')";
    let tables = collect(&db, sql, |row| row.get::<_, String>(0));
    let rows = |table: String| {
        let name = table.clone();
        let whole = move |row: &Row<'_>| {
            let columns = row.as_ref().column_count();
            let value = |n| row.get_ref(n).map(|value| format!("{value:?}"));
            let values = (0..columns).map(value).collect::<rusqlite::Result<Vec<String>>>()?;
            Ok(format!("{name}: {}", values.join(" ")))
        };
        collect(&db, &format!("SELECT * FROM {table}"), whole)
    };
    tables.into_iter().flat_map(rows).collect()
}

/// Fails with what has gone and come, if anything has.
#[track_caller]
pub(crate) fn assert_unchanged(before: &BTreeSet<String>, after: &BTreeSet<String>, what: &str) {
    let gone: Vec<&String> = before.difference(after).collect();
    let come: Vec<&String> = after.difference(before).collect();
    assert!(gone.is_empty() && come.is_empty(), "{what}: gone {gone:#?}, come {come:#?}");
}

/// How many rows a table has.
pub(crate) fn rows(path: &Path, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    open(path).query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// Fails unless SQLite finds the file sound.
#[track_caller]
pub(crate) fn assert_sound(path: &Path) {
    let found: String =
        open(path).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok", "{}", path.display());
    let orphans = collect(&open(path), "PRAGMA foreign_key_check", |row| row.get::<_, String>(0));
    assert_eq!(orphans, Vec::<String>::new(), "rows that refer to nothing");
}

/// Whether two states are the same up to 1e-9 of the larger number, or of 1.
pub(crate) fn same_state(a: &Relationship, b: &Relationship) -> bool {
    let exact = |state: &Relationship| Relationship {
        masses: keepwarm::model::relationship::Masses { at: state.masses.at, ..Default::default() },
        baseline: 0.0,
        cadence: keepwarm::model::Cadence {
            mean_ln_gap: 0.0,
            variance_ln_gap: 0.0,
            ..state.cadence
        },
        ..*state
    };
    let numbers = |state: &Relationship| {
        let masses = state.masses.outbound.into_iter().chain(state.masses.inbound);
        let gaps = [state.cadence.mean_ln_gap, state.cadence.variance_ln_gap];
        masses.chain([state.baseline]).chain(gaps).collect::<Vec<f64>>()
    };
    let near = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0);
    exact(a) == exact(b) && numbers(a).into_iter().zip(numbers(b)).all(near)
}

/// Equal values are told apart by their number among each other.
fn numbered(touches: &[Touch]) -> BTreeMap<(Touch, usize), ()> {
    let mut count = BTreeMap::new();
    let mut numbered = BTreeMap::new();
    for touch in touches {
        let number = count.entry(touch).or_insert(0);
        numbered.insert((touch.clone(), *number), ());
        *number += 1;
    }
    numbered
}

fn compare<K: Ord + Debug, V: Debug>(
    what: &str,
    mine: &BTreeMap<K, V>,
    others: &BTreeMap<K, V>,
    same: impl Fn(&V, &V) -> bool,
    differences: &mut Vec<String>,
) {
    let keys: BTreeSet<&K> = mine.keys().chain(others.keys()).collect();
    for key in keys {
        match (mine.get(key), others.get(key)) {
            (Some(a), Some(b)) if same(a, b) => {}
            (a, b) => {
                differences.push(format!("{what} {key:?}:\n  found    {a:?}\n  expected {b:?}"));
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a look from outside, not through the code in test")]
fn open(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    connection
}

fn collect<T>(
    db: &Connection,
    sql: &str,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let rows = statement.query_map([], row).unwrap();
    rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{sql}: {error}"))
}
