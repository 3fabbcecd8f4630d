//! Mailboxes: cursors, and what was read of them beside what they hold.

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use super::object;
use super::quarantine::{self, Aside};
use crate::model::{Cursor, KnownMailbox, MailboxInfo, Object, Role, SourceState, Timestamp};

/// A mailbox as status tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Its name, as in [`MailboxInfo::name`].
    pub name: String,
    /// The word for what it is for.
    pub role: String,
    /// Items read from it, those put aside too; `None` if they were not counted from the beginning.
    pub seen: Option<i64>,
    /// Items that it holds, if its source told.
    pub on_server: Option<i64>,
    /// Whether everything that was there when it was first met has been read.
    pub complete: bool,
}

/// One step of reading a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Items that were given, understood or not.
    pub read: &'a [i64],
    /// Objects that were given, of a calendar that is read object by object.
    pub objects: &'a [Object],
    /// Items that have gone from a mailbox without an order, or objects from a calendar.
    pub gone: &'a [i64],
    /// Items to put aside.
    pub aside: &'a [Aside],
    /// Where the next step continues.
    pub cursor: &'a Cursor,
    /// Whether it was the last one.
    pub complete: bool,
    /// How many items the mailbox holds, if its source told.
    pub total: Option<u64>,
}

/// Enters a mailbox or brings its role up to date; gives the row.
///
/// # Errors
/// As every write.
pub fn ensure(db: &Db, source: i64, mailbox: &MailboxInfo) -> Result<i64, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "INSERT INTO mailbox (source_id, name, role, seen_count) VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (source_id, name) DO UPDATE SET role = excluded.role RETURNING id",
    )?;
    let role = role_code(mailbox.role);
    Ok(statement.query_row(params![source, mailbox.name, role], |row| row.get(0))?)
}

/// What is known of a source's mailboxes, for a pass that begins at `now`.
///
/// # Errors
/// As every read.
pub fn known(db: &Db, source: i64, now: Timestamp) -> Result<Vec<KnownMailbox>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT id, name, cursor FROM mailbox WHERE source_id = ?1 ORDER BY id")?;
    let rows = statement.query_map([source], |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let mut known = Vec::new();
    for row in rows {
        let (id, name, cursor) = row?;
        let (seen, retry) = (seen(db, id)?, quarantine::due(db, id, now)?);
        let objects = object::all(db, id)?;
        known.push(KnownMailbox { name, cursor: parsed(cursor), seen, objects, retry });
    }
    Ok(known)
}

/// A source's mailboxes, by name.
///
/// # Errors
/// As every read.
pub fn all(db: &Db, source: i64) -> Result<Vec<Mailbox>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT name, role, seen_count, total, complete FROM mailbox
         WHERE source_id = ?1 ORDER BY name",
    )?;
    let rows = statement.query_map([source], |row| {
        Ok(Mailbox {
            name: row.get(0)?,
            role: row.get(1)?,
            seen: row.get(2)?,
            on_server: row.get(3)?,
            complete: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How far each mailbox of a source was read, by name.
///
/// # Errors
/// As every read.
pub fn cursors(db: &Db, source: i64) -> Result<Vec<(String, Option<Cursor>)>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT name, cursor FROM mailbox WHERE source_id = ?1")?;
    let rows = statement.query_map([source], |row| Ok((row.get(0)?, parsed(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Calendars that are not read any more: of a source that is not in the configuration, or that was of
/// another kind when it was read.
pub(super) const UNREAD_CALENDARS: &str = "SELECT mailbox.id FROM source
    JOIN mailbox ON mailbox.source_id = source.id
    WHERE mailbox.role = 'calendar' AND (source.state = 'disabled'
        OR cursor ->> 'kind' <> CASE WHEN source.kind = 'ics' THEN 'whole'
            WHEN source.kind IN ('caldav', 'google_calendar', 'graph_calendar') THEN 'calendar'
            ELSE '' END)";

/// Forgets how far the calendars were read that are not read any more: if one comes back, all of it
/// is read again.
///
/// # Errors
/// As every write.
pub fn forget_unread(db: &Db) -> Result<(), StoreError> {
    let of_objects = format!("DELETE FROM object WHERE mailbox_id IN ({UNREAD_CALENDARS})");
    db.connection.execute(&of_objects, [])?;
    let of_cursors = format!("UPDATE mailbox SET cursor = NULL WHERE id IN ({UNREAD_CALENDARS})");
    db.connection.execute(&of_cursors, [])?;
    Ok(())
}

/// All mailboxes of a source together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Items read; `None` if they were not counted in every mailbox.
    pub seen: Option<i64>,
    /// Items that the mailboxes hold; `None` if their source told of none.
    pub on_server: Option<i64>,
    /// Items that are missing, where that is known.
    pub missing: i64,
}

impl Mailbox {
    /// How many items it holds that were not read although it has been read through: the server
    /// lists them and does not give them. Unknown while it is being read for the first time, while
    /// its source, in that state, is catching up with what arrived, or if nobody counted.
    #[must_use]
    pub fn missing(&self, state: SourceState) -> Option<i64> {
        let (seen, on_server) = (self.seen?, self.on_server?);
        let read_through = self.complete && state != SourceState::Syncing;
        read_through.then(|| on_server.saturating_sub(seen).max(0))
    }
}

/// What the mailboxes of a source in that state come to.
#[must_use]
pub fn reading(mailboxes: &[Mailbox], state: SourceState) -> Reading {
    Reading {
        seen: mailboxes.iter().map(|mailbox| mailbox.seen).sum(),
        on_server: mailboxes.iter().filter_map(|m| m.on_server).reduce(i64::saturating_add),
        missing: mailboxes.iter().filter_map(|mailbox| mailbox.missing(state)).sum(),
    }
}

fn seen(db: &Db, mailbox: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT item FROM seen WHERE mailbox_id = ?1 ORDER BY item")?;
    let rows = statement.query_map([mailbox], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Moves a mailbox on by one step: its cursor, what was read of it, what is put aside and what need
/// not be any more. Once all of it has been read it stays complete until it is renumbered, which
/// the cursor of a step tells that is not complete.
///
/// # Errors
/// As every write.
pub fn advance(db: &Db, mailbox: i64, step: &Step<'_>, now: Timestamp) -> Result<(), StoreError> {
    let (before, counted) = stand(db, mailbox)?;
    let onward = before.as_ref().is_some_and(|before| continues(before, step.cursor));
    if !onward && matches!(step.cursor, Cursor::Imap { .. }) {
        // Its numbers name other items now, or none.
        quarantine::forget(db, mailbox)?;
    }
    quarantine::release(db, mailbox, step.gone)?;
    if step.complete && is_read_anew(before.as_ref(), step.cursor) {
        // What is still wrong with it is said again.
        quarantine::forget(db, mailbox)?;
    }
    let fresh = quarantine::settle(db, mailbox, step.read, step.aside, now)?;
    let total = step.total.and_then(|total| i64::try_from(total).ok());
    let seen = match step.cursor {
        Cursor::Imap { .. } if onward => counted.map(|counted| counted.saturating_add(fresh)),
        Cursor::Imap { .. } => Some(fresh),
        Cursor::Maildir => {
            let more = note_seen(db, mailbox, step.read, step.gone)?;
            counted.map(|counted| counted.saturating_add(more))
        }
        Cursor::Whole { .. } => total,
        Cursor::Calendar { .. } => Some(object::note(db, mailbox, step.objects, step.gone)?),
    };
    // What was read and has been deleted since must not make up for what was never read.
    let seen = if step.complete { seen.map(|seen| seen.min(total.unwrap_or(seen))) } else { seen };
    let json = serde_json::to_string(step.cursor).unwrap_or_default();
    let renumbered = before.as_ref().and_then(uid_validity) != uid_validity(step.cursor);
    db.connection
        .prepare_cached(
            "UPDATE mailbox SET complete = ?3 OR (complete AND NOT ?4), cursor = ?2,
                 total = coalesce(?5, total), seen_count = ?6
             WHERE id = ?1",
        )?
        .execute(params![mailbox, json, step.complete, renumbered, total, seen])?;
    Ok(())
}

/// Where a mailbox stands: its cursor, and how many items were read.
fn stand(db: &Db, mailbox: i64) -> Result<(Option<Cursor>, Option<i64>), StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT cursor, seen_count FROM mailbox WHERE id = ?1")?;
    Ok(statement.query_row([mailbox], |row| Ok((parsed(row.get(0)?), row.get(1)?)))?)
}

fn parsed(cursor: Option<String>) -> Option<Cursor> {
    cursor.and_then(|json| serde_json::from_str(&json).ok())
}

/// Whether one cursor takes up where another left off, so that nothing is read twice.
const fn continues(before: &Cursor, after: &Cursor) -> bool {
    match (before, after) {
        (
            Cursor::Imap { uid_validity: old, low: from, high: to },
            Cursor::Imap { uid_validity: new, low, high },
        ) => *old == *new && *low <= *from && *high >= *to,
        _ => false,
    }
}

/// Whether a calendar that is read as a whole was read, and not only found to be as it was.
fn is_read_anew(before: Option<&Cursor>, after: &Cursor) -> bool {
    let version = |cursor: &Cursor| match cursor {
        Cursor::Whole { digest, day, .. } => Some((*digest, *day)),
        _ => None,
    };
    version(after).is_some_and(|new| before.and_then(version) != Some(new))
}

const fn uid_validity(cursor: &Cursor) -> Option<u32> {
    match cursor {
        Cursor::Imap { uid_validity, .. } => Some(*uid_validity),
        Cursor::Maildir | Cursor::Whole { .. } | Cursor::Calendar { .. } => None,
    }
}

/// Notes items of a mailbox without an order as read and forgets those that have gone; gives how
/// many more are known now.
fn note_seen(db: &Db, mailbox: i64, new: &[i64], gone: &[i64]) -> Result<i64, StoreError> {
    let mut more = 0;
    let mut insert = db.connection.prepare_cached(
        "INSERT INTO seen (mailbox_id, item) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    for item in new {
        more += i64::from(insert.execute(params![mailbox, item])? > 0);
    }
    let mut delete =
        db.connection.prepare_cached("DELETE FROM seen WHERE mailbox_id = ?1 AND item = ?2")?;
    for item in gone {
        more -= i64::from(delete.execute(params![mailbox, item])? > 0);
    }
    Ok(more)
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
