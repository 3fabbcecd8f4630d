//! Interactions: the log from which every strength can be rebuilt.

use rusqlite::{Row, Statement, params};

use super::connection::Db;
use super::error::StoreError;
use super::line;
use super::turn::turn;
use crate::model::{Direction, Interaction, Key, Kind, Standing, Timestamp, Turn};

pub(super) const BETWEEN: &str = "SELECT id, at, direction, kind, audience, linked FROM interaction
     WHERE line_id = ?1 AND at BETWEEN ?2 AND ?3 AND counted = 1 ORDER BY at, id";

const INSERT: &str = "INSERT INTO interaction (id, line_id, at, direction, kind, audience, linked,
         standing, counted, message_id, meeting_id, parent_at, opens, followed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
     ON CONFLICT (message_id, line_id, direction) WHERE message_id IS NOT NULL DO NOTHING
     ON CONFLICT (meeting_id, line_id) WHERE meeting_id IS NOT NULL DO NOTHING";

/// Where an interaction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A message's row.
    Message(i64),
    /// A meeting's row.
    Meeting(i64),
}

/// An interaction of the log with its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logged {
    /// Row.
    pub id: i64,
    /// As scoring sees it.
    pub interaction: Interaction,
}

/// An interaction to be stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct New {
    /// The line's row.
    pub line: i64,
    /// As scoring sees it.
    pub interaction: Interaction,
    /// Where it comes from.
    pub origin: Origin,
    /// What speaks for it.
    pub standing: Standing,
    /// Whether it has mass.
    pub counted: bool,
    /// What its thread says of it.
    pub turn: Turn,
}

/// The first row after all that are taken.
///
/// # Errors
/// As every read.
pub fn free(db: &Db) -> Result<i64, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM interaction")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Stores an interaction in a row that is free; gives whether it was not there already.
///
/// # Errors
/// As every write; a row that is taken by another is one.
pub fn insert(db: &Db, row: i64, new: &New) -> Result<bool, StoreError> {
    Ok(insert_by(&mut *db.connection.prepare_cached(INSERT)?, row, new)?)
}

/// Stores interactions in rows that are free; fastest by line and time.
///
/// # Errors
/// As [`insert`].
pub fn insert_all(db: &Db, all: impl IntoIterator<Item = (i64, New)>) -> Result<(), StoreError> {
    let mut statement = db.connection.prepare_cached(INSERT)?;
    for (row, new) in all {
        insert_by(&mut statement, row, &new)?;
    }
    Ok(())
}

fn insert_by(statement: &mut Statement<'_>, row: i64, new: &New) -> rusqlite::Result<bool> {
    let New { line, interaction, origin, standing, counted, turn } = new;
    let (message, meeting) = match origin {
        Origin::Message(id) => (Some(id), None),
        Origin::Meeting(id) => (None, Some(id)),
    };
    let changed = statement.execute(params![
        row,
        line,
        interaction.at,
        interaction.direction,
        interaction.kind,
        interaction.audience,
        interaction.linked,
        standing,
        counted,
        message,
        meeting,
        turn.parent_at,
        turn.opens,
        turn.followed_at,
    ])?;
    Ok(changed > 0)
}

/// The counted interactions of a relationship in `from..=to`, by time.
///
/// # Errors
/// As every read.
pub fn between(
    db: &Db,
    relationship: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Logged>, StoreError> {
    let lines = line::of_relationship(db, relationship)?;
    let mut statement = db.connection.prepare_cached(BETWEEN)?;
    let mut found = Vec::new();
    for line in &lines {
        for row in statement.query_map(params![line, from, to], logged)? {
            found.push(row?);
        }
    }
    if lines.len() > 1 {
        found.sort_by_key(|logged: &Logged| (logged.interaction.at, logged.id));
    }
    Ok(found)
}

/// Every counted interaction of a relationship, by time.
///
/// # Errors
/// As every read.
pub fn log(db: &Db, relationship: i64) -> Result<Vec<Interaction>, StoreError> {
    let (all, ever) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    Ok(between(db, relationship, all, ever)?.into_iter().map(|l| l.interaction).collect())
}

/// How a relationship's log ends, of what is counted up to `now`, by time: what the rep has sent since
/// anything else happened, and what that was. At most so many.
///
/// # Errors
/// As every read.
pub fn ending(
    db: &Db,
    relationship: i64,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Interaction>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT i.id, at, direction, kind, audience, linked FROM interaction AS i
         WHERE line_id = ?1 AND at <= ?2 AND counted = 1 ORDER BY at DESC, i.id DESC",
    )?;
    let mut found: Vec<Logged> = Vec::new();
    for line in line::of_relationship(db, relationship)? {
        for row in statement.query_map(params![line, now], logged)?.take(most) {
            let row = row?;
            found.push(row);
            if row.interaction.direction != Direction::Outbound {
                break;
            }
        }
    }
    found.sort_by_key(|one| (one.interaction.at, one.id));
    let from = found.len().saturating_sub(most);
    Ok(found.drain(from..).map(|one| one.interaction).collect())
}

fn logged(row: &Row<'_>) -> rusqlite::Result<Logged> {
    Ok(Logged {
        id: row.get(0)?,
        interaction: Interaction {
            at: row.get(1)?,
            direction: row.get(2)?,
            kind: row.get(3)?,
            audience: row.get(4)?,
            linked: row.get(5)?,
        },
    })
}

/// A touch with what decides whether it counts: a message's, for linking its thread, or a meeting's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MessageTouch {
    /// Row.
    pub id: i64,
    /// The line's row.
    pub line: i64,
    /// The relationship's row.
    pub relationship: i64,
    /// As scoring sees it.
    pub interaction: Interaction,
    /// What speaks for it.
    pub standing: Standing,
    /// Whether it has mass so far.
    pub counted: bool,
    /// What its thread says of it; of a meeting nothing is known.
    pub turn: Turn,
}

/// The touches of a message.
///
/// # Errors
/// As every read.
pub fn of_message(db: &Db, message: i64) -> Result<Vec<MessageTouch>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT i.id, at, direction, kind, audience, linked, line_id, relationship_id, standing,
             counted, parent_at, opens, followed_at
         FROM interaction AS i JOIN line ON line.id = line_id
         WHERE message_id = ?1 ORDER BY i.id",
    )?;
    let rows = statement.query_map([message], |row| touch_in_thread(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A touch from ten columns that begin at `first`, in the order of [`of_message`].
pub(super) fn touch(row: &Row<'_>, first: usize) -> rusqlite::Result<MessageTouch> {
    Ok(MessageTouch {
        id: row.get(first)?,
        interaction: Interaction {
            at: row.get(first + 1)?,
            direction: row.get(first + 2)?,
            kind: row.get(first + 3)?,
            audience: row.get(first + 4)?,
            linked: row.get(first + 5)?,
        },
        line: row.get(first + 6)?,
        relationship: row.get(first + 7)?,
        standing: row.get(first + 8)?,
        counted: row.get(first + 9)?,
        turn: Turn::default(),
    })
}

/// The same with what its thread says of it, from three columns more.
pub(super) fn touch_in_thread(row: &Row<'_>, first: usize) -> rusqlite::Result<MessageTouch> {
    Ok(MessageTouch { turn: turn(row, first + 10)?, ..touch(row, first)? })
}

/// Stores what another copy of the message says of a touch.
///
/// # Errors
/// As every write.
pub fn revise(db: &Db, id: i64, standing: Standing, audience: u32) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE interaction SET standing = ?2, audience = ?3 WHERE id = ?1")?
        .execute(params![id, standing, audience])?;
    Ok(())
}

/// Moves the touches of a message to another instant.
///
/// # Errors
/// As every write.
pub fn redate(db: &Db, message: i64, at: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE interaction SET at = ?2 WHERE message_id = ?1")?
        .execute(params![message, at])?;
    Ok(())
}

/// Takes a message's interactions back.
///
/// # Errors
/// As every write.
pub fn delete_of_message(db: &Db, message: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("DELETE FROM interaction WHERE message_id = ?1")?
        .execute([message])?;
    Ok(())
}

/// A message that may be linked by its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BySubject {
    /// The message's row.
    pub message: i64,
    /// Its thread.
    pub thread: i64,
    /// When.
    pub at: Timestamp,
    /// Which way.
    pub direction: Direction,
    /// Whether its subject had a reply's prefix.
    pub reply_subject: bool,
    /// Whether it has references of its own.
    pub has_references: bool,
}

/// The messages of a relationship in `from..=to` with that subject.
///
/// # Errors
/// As every read.
pub fn with_subject(
    db: &Db,
    relationship: i64,
    subject: Key,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<BySubject>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT message.id, thread_id, interaction.at, direction, reply_subject, refs <> x''
         FROM line JOIN interaction ON line_id = line.id
             JOIN message ON message.id = interaction.message_id
         WHERE relationship_id = ?1 AND interaction.at BETWEEN ?3 AND ?4 AND message.subject = ?2
           AND thread_id IS NOT NULL
         ORDER BY message.id",
    )?;
    let rows = statement.query_map(params![relationship, subject, from, to], |row| {
        Ok(BySubject {
            message: row.get(0)?,
            thread: row.get(1)?,
            at: row.get(2)?,
            direction: row.get(3)?,
            reply_subject: row.get(4)?,
            has_references: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The interactions of a copy of a meeting.
///
/// # Errors
/// As every read.
pub fn of_meeting(db: &Db, meeting: i64) -> Result<Vec<MessageTouch>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT i.id, at, direction, kind, audience, linked, line_id, relationship_id, standing,
             counted
         FROM interaction AS i JOIN line ON line.id = line_id
         WHERE meeting_id = ?1 ORDER BY i.id",
    )?;
    let rows = statement.query_map([meeting], |row| touch(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores what has become of an interaction of a meeting.
///
/// # Errors
/// As every write.
pub fn rewrite(db: &Db, touch: &MessageTouch) -> Result<(), StoreError> {
    let MessageTouch { id, interaction, standing, counted, .. } = touch;
    db.connection
        .prepare_cached(
            "UPDATE interaction SET at = ?2, audience = ?3, linked = ?4, standing = ?5,
                 counted = ?6
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            interaction.at,
            interaction.audience,
            interaction.linked,
            standing,
            counted
        ])?;
    Ok(())
}

/// Takes an interaction back.
///
/// # Errors
/// As every write.
pub fn delete(db: &Db, id: i64) -> Result<(), StoreError> {
    db.connection.prepare_cached("DELETE FROM interaction WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// When the contact has written in `from..=to`, by messages that count, in order.
///
/// # Errors
/// As every read.
pub fn inbound(
    db: &Db,
    relationship: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let all = between(db, relationship, from, to)?.into_iter().map(|logged| logged.interaction);
    let wrote = all.filter(|i| i.direction == Direction::Inbound && i.kind == Kind::Message);
    Ok(wrote.map(|i| i.at).collect())
}
