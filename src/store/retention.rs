//! What is old enough to go, counted and taken out a few rows at a time.
//!
//! Nothing goes that something still hangs on: no message of a thread that is younger, no meeting of which
//! a copy is, nothing that waits or is owed, no nudge of an episode that is open, none whose answer still
//! keeps somebody silent. Of nudges a line remains that names nobody.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use super::thread::{self, Known};
use super::{message, relationship};
use crate::model::{Key, Timestamp};

mod parts;

pub use parts::{Before, Due, Part, due};

/// Rows of a table that go in one transaction: the writer is free again within a fraction of a second.
const AT_ONCE: i64 = 300;

/// What one transaction has taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Rows of the part's own table.
    pub rows: usize,
    /// Interactions that went with them.
    pub interactions: usize,
    /// The last row looked at; `None` if there are no more.
    pub last: Option<i64>,
}

/// When all was last taken out that was old enough.
///
/// # Errors
/// As every read.
pub fn done_at(db: &Db) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.connection.prepare_cached("SELECT done_at FROM retention")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Notes that it has been.
///
/// # Errors
/// As every write.
pub fn done(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO retention (id, done_at) VALUES (1, ?1)
             ON CONFLICT (id) DO UPDATE SET done_at = excluded.done_at",
        )?
        .execute([now])?;
    Ok(())
}

/// Takes out some rows of a part above `after`, and notes the relationships whose log has changed to be
/// folded from it.
///
/// # Errors
/// As every write; nothing is taken out then.
pub fn take(db: &Db, part: Part, before: &Before, after: i64) -> Result<Taken, StoreError> {
    let Some(limit) = part.limit(before) else { return Ok(Taken::default()) };
    let sql = format!("{} LIMIT {AT_ONCE}", part.rows_above());
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![limit, after], |row| row.get(0))?;
    let rows: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let mut taken = Taken { rows: rows.len(), interactions: 0, last: rows.last().copied() };
    for row in rows {
        match part {
            Part::Messages => taken.interactions += forget_message(db, row)?,
            Part::Meetings => taken.interactions += forget_meeting(db, row)?,
            Part::Nudges => forget_nudge(db, row)?,
            Part::Deliveries => run(
                db,
                &[
                    "DELETE FROM attempt WHERE outbox_id = ?1",
                    "DELETE FROM outbox_nudge WHERE outbox_id = ?1",
                    "DELETE FROM outbox WHERE id = ?1",
                ],
                row,
            )?,
            Part::Silences => run(db, &["DELETE FROM silence WHERE id = ?1"], row)?,
            Part::Quarantine => run(db, &["DELETE FROM quarantine WHERE id = ?1"], row)?,
            Part::Invitations => run(db, &["DELETE FROM invitation WHERE id = ?1"], row)?,
            Part::Bounces => run(db, &["DELETE FROM bounce WHERE message = ?1"], row)?,
            Part::Requests => run(db, &["DELETE FROM request WHERE id = ?1"], row)?,
        }
    }
    Ok(taken)
}

fn run(db: &Db, statements: &[&str], row: i64) -> Result<(), StoreError> {
    for sql in statements {
        db.connection.prepare_cached(sql)?.execute([row])?;
    }
    Ok(())
}

/// Leaves the relationships of interactions, found by a column of theirs, to be folded from their logs.
fn unsettle(db: &Db, column: &str, row: i64) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT DISTINCT relationship_id FROM interaction JOIN line ON line.id = line_id
         WHERE {column} = ?1"
    );
    let mut statement = db.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([row], |row| row.get(0))?;
    let rows: Vec<i64> = rows.collect::<Result<_, _>>()?;
    rows.into_iter().try_for_each(|row| relationship::mark_stale(db, row, false))
}

/// Forgets a message with all that it was to relationships, and the keys that nothing else needs.
fn forget_message(db: &Db, row: i64) -> Result<usize, StoreError> {
    unsettle(db, "message_id", row)?;
    let gone = db
        .connection
        .prepare_cached("DELETE FROM interaction WHERE message_id = ?1")?
        .execute([row])?;
    let message = message::get(db, row)?;
    let mut keys: Vec<Key> = message.keys.iter().chain(&message.references).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let known = thread::look_up(db, &keys)?;
    let mut changed = Vec::new();
    for (key, known) in keys.into_iter().zip(known) {
        let Some(Known { thread: of, message: named }) = known else { continue };
        if named.is_some_and(|named| named != row) {
            continue;
        }
        let root = of.map(|of| thread::root(db, of)).transpose()?;
        // The whole thread goes; what is in another one is referred to there.
        let thread = of.filter(|_| root != message.thread);
        changed.push((key, Known { thread, message: None }));
    }
    thread::note(db, &changed)?;
    message::delete(db, row)?;
    Ok(gone)
}

/// Forgets a copy of a meeting with all that it was to relationships.
fn forget_meeting(db: &Db, row: i64) -> Result<usize, StoreError> {
    unsettle(db, "meeting_id", row)?;
    let gone = db
        .connection
        .prepare_cached("DELETE FROM interaction WHERE meeting_id = ?1")?
        .execute([row])?;
    super::meeting::delete(db, row)?;
    Ok(gone)
}

/// Forgets a nudge, and notes that there was one.
fn forget_nudge(db: &Db, row: i64) -> Result<(), StoreError> {
    run(
        db,
        &[
            "INSERT INTO past_nudge (kind, state, resolved_by, created_at, release_at, came_back)
             SELECT kind, state, resolved_by, created_at, release_at,
                    iif(kind = 'decay' AND reminder = 0 AND stake > 0
                        AND state IN ('released', 'held_back'), came_back, NULL)
             FROM nudge WHERE id = ?1",
            "DELETE FROM silence WHERE feedback_id IN (SELECT id FROM feedback WHERE nudge_id = ?1)",
            "DELETE FROM feedback WHERE nudge_id = ?1",
            "DELETE FROM nudge WHERE id = ?1",
        ],
        row,
    )
}

/// Contacts above `after` of whom nothing is left, each with its addresses' rows: no interaction, none
/// that did not come about, no nudge that something hangs on, no silence that lasts at `now`. At most 100.
///
/// # Errors
/// As every read.
pub fn left_empty(
    db: &Db,
    before: Timestamp,
    now: Timestamp,
    after: i64,
) -> Result<Vec<(i64, Vec<i64>)>, StoreError> {
    let mut statement = db.connection.prepare_cached(parts::EMPTY_CONTACTS)?;
    let rows = statement.query_map(params![before, after, now], |row| row.get(0))?;
    let contacts: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let with_addresses = |contact| Ok((contact, super::contact::addresses(db, contact)?));
    contacts.into_iter().map(with_addresses).collect()
}

/// Forgets the nudges of contacts, by row, and notes that there were some.
///
/// # Errors
/// As every write.
pub fn forget_nudges_of(db: &Db, contact: i64) -> Result<(), StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT nudge.id FROM nudge JOIN relationship AS r ON r.id = relationship_id
         WHERE r.contact_id = ?1",
    )?;
    let rows = statement.query_map([contact], |row| row.get(0))?;
    let rows: Vec<i64> = rows.collect::<Result<_, _>>()?;
    rows.into_iter().try_for_each(|row| forget_nudge(db, row))
}
