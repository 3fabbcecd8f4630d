//! Mailboxes: cursors, items seen, the quarantine.

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use crate::model::{Cursor, KnownMailbox, MailboxInfo, Role, Timestamp};

/// Enters a mailbox or brings its role up to date; gives the row.
///
/// # Errors
/// As every write.
pub fn ensure(db: &Db, source: i64, mailbox: &MailboxInfo) -> Result<i64, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO mailbox (source_id, name, role) VALUES (?1, ?2, ?3)
         ON CONFLICT (source_id, name) DO UPDATE SET role = excluded.role RETURNING id",
    )?;
    let role = role_code(mailbox.role);
    Ok(statement.query_row(params![source, mailbox.name, role], |row| row.get(0))?)
}

/// What is known of a source's mailboxes, for the next pass.
///
/// # Errors
/// As every read.
pub fn known(db: &Db, source: i64) -> Result<Vec<KnownMailbox>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT id, name, cursor FROM mailbox WHERE source_id = ?1 ORDER BY id")?;
    let rows = statement.query_map([source], |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let mut known = Vec::new();
    for row in rows {
        let (id, name, cursor) = row?;
        let cursor = cursor.and_then(|json| serde_json::from_str(&json).ok());
        known.push(KnownMailbox { name, cursor, seen: seen(db, id)? });
    }
    Ok(known)
}

fn seen(db: &Db, mailbox: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT item FROM seen WHERE mailbox_id = ?1 ORDER BY item")?;
    let rows = statement.query_map([mailbox], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Moves a mailbox's cursor. `complete` says that all of it has been read; once it has, it stays
/// so until the mailbox is renumbered, which `cursor` then tells by not being complete.
///
/// # Errors
/// As every write.
pub fn advance(
    db: &Db,
    mailbox: i64,
    cursor: &Cursor,
    complete: bool,
    total: Option<u64>,
) -> Result<(), StoreError> {
    let json = serde_json::to_string(cursor).unwrap_or_default();
    let uid_validity = match cursor {
        Cursor::Imap { uid_validity, .. } => Some(*uid_validity),
        Cursor::Maildir | Cursor::Whole { .. } => None,
    };
    db.connection
        .prepare_cached(
            "UPDATE mailbox SET
                 complete = ?3 OR (complete AND coalesce(cursor ->> 'uid_validity', 0) = coalesce(?5, 0)),
                 cursor = ?2, total = coalesce(?4, total)
             WHERE id = ?1",
        )?
        .execute(params![
            mailbox,
            json,
            complete,
            total.and_then(|n| i64::try_from(n).ok()),
            uid_validity
        ])?;
    Ok(())
}

/// Notes items of an unordered mailbox as read, and forgets those that have gone.
///
/// # Errors
/// As every write.
pub fn note_seen(db: &Db, mailbox: i64, new: &[i64], gone: &[i64]) -> Result<(), StoreError> {
    let mut insert = db.connection.prepare_cached(
        "INSERT INTO seen (mailbox_id, item) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for item in new {
        insert.execute(params![mailbox, item])?;
    }
    let mut delete =
        db.connection.prepare_cached("DELETE FROM seen WHERE mailbox_id = ?1 AND item = ?2")?;
    for item in gone {
        delete.execute(params![mailbox, item])?;
    }
    Ok(())
}

/// Puts an item aside that cannot be understood, with the reason.
///
/// # Errors
/// As every write.
pub fn quarantine(
    db: &Db,
    mailbox: i64,
    item: i64,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO quarantine (mailbox_id, item, reason, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (mailbox_id, item) DO UPDATE SET reason = excluded.reason",
        )?
        .execute(params![mailbox, item, reason, now])?;
    Ok(())
}

const fn role_code(role: Role) -> &'static str {
    match role {
        Role::Inbox => "inbox",
        Role::Sent => "sent",
        Role::All => "all",
        Role::Other => "other",
        Role::Calendar => "calendar",
    }
}
