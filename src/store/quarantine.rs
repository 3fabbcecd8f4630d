//! The quarantine: items of a mailbox that were not given or not understood, with the reason.
//!
//! What its source could not give is asked for again after growing pauses, and then no more; it
//! leaves the quarantine when it is read.

use std::collections::BTreeSet;

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Span, Timestamp};

/// How long an item that its source could not give is left before it is asked for again: the first
/// time, the second and so on. After the last one it is not asked for any more.
const PAUSES: [Span; 4] =
    [Span::from_seconds(600), Span::from_hours(1), Span::from_hours(6), Span::from_hours(24)];
/// How many such items of one mailbox are asked for again in one pass.
const MOST_RETRIES: usize = 50;

/// An item put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its number.
    pub item: i64,
    /// Why, in words.
    pub why: String,
    /// What is to be done about it.
    pub flaw: Flaw,
}

/// What is wrong with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its source could not give it: to be asked for again.
    Unreadable,
    /// It was given and could not be understood.
    Unusable,
}

/// The items put aside that are to be asked for again in a pass at `now`, the oldest first.
///
/// # Errors
/// As every read.
pub fn due(db: &Db, mailbox: i64, now: Timestamp) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT item, tries, at FROM quarantine WHERE mailbox_id = ?1 AND tries IS NOT NULL
         ORDER BY at, item",
    )?;
    let rows = statement.query_map([mailbox], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, Timestamp>(2)?))
    })?;
    let mut due = Vec::new();
    for row in rows {
        let (item, tries, at) = row?;
        if due.len() < MOST_RETRIES && is_due(tries, at, now) {
            due.push(item);
        }
    }
    Ok(due)
}

/// Whether anything that was put aside of a source is to be asked for again at `now`.
///
/// # Errors
/// As every read.
pub fn is_any_due(db: &Db, source: i64, now: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT tries, quarantine.at
         FROM mailbox JOIN quarantine ON quarantine.mailbox_id = mailbox.id
         WHERE mailbox.source_id = ?1 AND tries IS NOT NULL",
    )?;
    let rows = statement
        .query_map([source], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Timestamp>(1)?)))?;
    for row in rows {
        let (tries, at) = row?;
        if is_due(tries, at, now) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether what could not be given so many times, last at `at`, is to be asked for again.
fn is_due(tries: u32, at: Timestamp, now: Timestamp) -> bool {
    let pause = PAUSES.get(tries.saturating_sub(1) as usize);
    pause.is_some_and(|pause| now - at >= *pause)
}

/// Puts items aside and takes back those that were read now; gives how many of all these were met for
/// the first time.
pub(super) fn settle(
    db: &Db,
    mailbox: i64,
    read: &[i64],
    asides: &[Aside],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let waiting = all(db, mailbox)?;
    let aside: BTreeSet<i64> = asides.iter().map(|aside| aside.item).collect();
    let mut release = db
        .connection
        .prepare_cached("DELETE FROM quarantine WHERE mailbox_id = ?1 AND item = ?2")?;
    let mut fresh = 0;
    for item in read {
        if !waiting.contains(item) {
            fresh += i64::from(!aside.contains(item));
        } else if !aside.contains(item) {
            release.execute(params![mailbox, item])?;
        }
    }
    fresh += i64::try_from(aside.difference(&waiting).count()).unwrap_or(i64::MAX);
    for aside in asides {
        put(db, mailbox, aside, now)?;
    }
    Ok(fresh)
}

/// The items of a mailbox that are put aside.
fn all(db: &Db, mailbox: i64) -> Result<BTreeSet<i64>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT item FROM quarantine WHERE mailbox_id = ?1")?;
    let rows = statement.query_map([mailbox], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn put(db: &Db, mailbox: i64, aside: &Aside, now: Timestamp) -> Result<(), StoreError> {
    let tries = match aside.flaw {
        Flaw::Unreadable => Some(1),
        Flaw::Unusable => None,
    };
    db.connection
        .prepare_cached(
            "INSERT INTO quarantine (mailbox_id, item, reason, at, tries)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (mailbox_id, item) DO UPDATE SET reason = excluded.reason,
                 at = excluded.at, tries = coalesce(tries, 0) + excluded.tries",
        )?
        .execute(params![mailbox, aside.item, aside.why, now, tries])?;
    Ok(())
}

/// Forgets what was put aside of items that are not there any more.
///
/// # Errors
/// As every write.
pub(super) fn release(db: &Db, mailbox: i64, gone: &[i64]) -> Result<(), StoreError> {
    let mut release = db
        .connection
        .prepare_cached("DELETE FROM quarantine WHERE mailbox_id = ?1 AND item = ?2")?;
    for item in gone {
        release.execute([mailbox, *item])?;
    }
    Ok(())
}

/// Forgets what was put aside of a mailbox that has been renumbered, or read anew as a whole.
///
/// # Errors
/// As every write.
pub(super) fn forget(db: &Db, mailbox: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("DELETE FROM quarantine WHERE mailbox_id = ?1")?
        .execute([mailbox])?;
    Ok(())
}

/// An item put aside, as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The source's name.
    pub source: String,
    /// The mailbox's name.
    pub mailbox: String,
    /// The item's number in it.
    pub item: i64,
    /// Why, in words.
    pub reason: String,
    /// When it was put aside last.
    pub at: Timestamp,
    /// How often its source could not give it; `None` if it was given and not understood.
    pub tries: Option<u32>,
}

impl Listed {
    /// When it is asked for again: `None` is not, unless somebody says so.
    #[must_use]
    pub fn retry_at(&self) -> Option<Timestamp> {
        let pause = PAUSES.get(self.tries?.saturating_sub(1) as usize)?;
        Some(self.at + *pause)
    }
}

/// Which items are meant: all, of a source, of a mailbox, or one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Of the source of this name only.
    pub source: Option<String>,
    /// Of mailboxes of this name only.
    pub mailbox: Option<String>,
    /// Of this number only.
    pub item: Option<i64>,
}

const CHOSEN: &str = "FROM quarantine JOIN mailbox ON mailbox.id = mailbox_id
    JOIN source ON source.id = source_id
    WHERE (?1 IS NULL OR source.name = ?1) AND (?2 IS NULL OR mailbox.name = ?2)
      AND (?3 IS NULL OR item = ?3)";

/// Items put aside, the latest first, at most `limit`.
///
/// # Errors
/// As every read.
pub fn list(db: &Db, of: &Chosen, limit: usize) -> Result<Vec<Listed>, StoreError> {
    let sql = format!(
        "SELECT source.name, mailbox.name, item, reason, quarantine.at, tries {CHOSEN}
         ORDER BY quarantine.at DESC, source.name, mailbox.name, item LIMIT ?4"
    );
    let mut statement = db.connection.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![of.source, of.mailbox, of.item, limit], |row| {
        Ok(Listed {
            source: row.get(0)?,
            mailbox: row.get(1)?,
            item: row.get(2)?,
            reason: row.get(3)?,
            at: row.get(4)?,
            tries: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Has items asked for again in the next pass over their source, whatever became of them before; gives
/// how many these are. They stay put aside until they have been read.
///
/// # Errors
/// As every write.
pub fn retry(db: &Db, of: &Chosen) -> Result<usize, StoreError> {
    let sql = format!("SELECT mailbox.id, item, cursor ->> 'kind' {CHOSEN}");
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![of.source, of.mailbox, of.item], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let found: Vec<_> = rows.collect::<Result<_, _>>()?;
    for (mailbox, item, kind) in &found {
        let run = |sql| db.connection.prepare_cached(sql)?.execute([mailbox, item]);
        match kind.as_deref() {
            // What is not known to be read is new.
            Some("maildir") => {
                let known = run("DELETE FROM seen WHERE mailbox_id = ?1 AND item = ?2")?;
                let sql = "UPDATE mailbox SET seen_count = seen_count - ?2 WHERE id = ?1";
                db.connection.prepare_cached(sql)?.execute(params![mailbox, known > 0])?;
            }
            // One that is not known to have been read is fetched.
            Some("calendar") => {
                run("DELETE FROM object WHERE mailbox_id = ?1 AND item = ?2")?;
            }
            // Read as a whole, or not at all.
            Some("whole") => {
                run("UPDATE mailbox SET cursor = NULL WHERE id = ?1 AND ?2 IS NOT NULL")?;
            }
            _ => {}
        }
        run("UPDATE quarantine SET at = 0, tries = 1 WHERE mailbox_id = ?1 AND item = ?2")?;
    }
    Ok(found.len())
}
