//! Everything there is of addresses, taken away: their lines with the interactions, messages that
//! were nobody else's, names, what was said of them, relationships with their nudges, and silences.
//!
//! What stays are rows that name nobody: keys of messages in their threads, meetings of calendars, and
//! messages that touch others too.

use std::collections::BTreeSet;

use rusqlite::params;

use super::connection::Db;
use super::error::StoreError;
use super::thread::{self, Known};
use super::{identity, line, message};
use crate::model::Key;

/// How much was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Addresses.
    pub addresses: usize,
    /// Interactions.
    pub interactions: usize,
    /// Messages that were nobody else's.
    pub messages: usize,
    /// Nudges.
    pub nudges: usize,
}

/// Takes addresses away, each given with its row and the key under which reports of failed delivery
/// name it. Other people's relationships do not change: an audience counts who was written to.
///
/// # Errors
/// As every write; nothing is taken away then.
pub fn addresses(db: &Db, erased: &[(i64, Key)]) -> Result<Erased, StoreError> {
    let mut done = Erased { addresses: erased.len(), ..Erased::default() };
    let mut messages = BTreeSet::new();
    for (address, _) in erased {
        for (_, line) in line::of_address(db, *address)? {
            messages.extend(messages_of(db, line.id)?);
            done.interactions += run(db, "DELETE FROM interaction WHERE line_id = ?1", line.id)?;
            run(db, "DELETE FROM fate WHERE line_id = ?1", line.id)?;
            run(db, "DELETE FROM line WHERE id = ?1", line.id)?;
        }
    }
    for message in messages {
        done.messages += usize::from(forget_message(db, message)?);
    }
    for (address, key) in erased {
        identity::forget(db, *address)?;
        for sql in [
            "DELETE FROM address_name WHERE address_id = ?1",
            "DELETE FROM answered_from WHERE written_id = ?1 OR answered_id = ?1",
            "DELETE FROM silence WHERE contact_id = ?1 OR feedback_id IN (
                 SELECT feedback.id FROM feedback JOIN nudge ON nudge.id = nudge_id
                 JOIN relationship AS r ON r.id = relationship_id WHERE r.contact_id = ?1)",
            "DELETE FROM feedback WHERE nudge_id IN (
                 SELECT nudge.id FROM nudge JOIN relationship AS r ON r.id = relationship_id
                 WHERE r.contact_id = ?1)",
        ] {
            run(db, sql, *address)?;
        }
        forget_messages_about(db, *address)?;
        done.nudges += run(
            db,
            "DELETE FROM nudge WHERE relationship_id IN (
                 SELECT id FROM relationship WHERE contact_id = ?1)",
            *address,
        )?;
        run(db, "DELETE FROM relationship WHERE contact_id = ?1", *address)?;
        db.connection
            .prepare_cached("DELETE FROM bounce WHERE instr(failed, ?1) > 0")?
            .execute(params![key.0.to_be_bytes()])?;
    }
    for (address, _) in erased {
        run(db, "DELETE FROM address WHERE id = ?1", *address)?;
    }
    for (address, _) in erased {
        run(db, "DELETE FROM contact WHERE id = ?1", *address)?;
    }
    db.connection.execute(
        "DELETE FROM organisation WHERE id NOT IN (SELECT organisation_id FROM address)",
        [],
    )?;
    db.memo.forget();
    Ok(done)
}

/// Whether anything is left of an address: an interaction, or one that did not come about.
///
/// # Errors
/// As every read.
pub fn is_left(db: &Db, address: i64) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM line JOIN interaction ON line_id = line.id
                        WHERE address_id = ?1)
             OR EXISTS (SELECT 1 FROM line JOIN fate ON fate.line_id = line.id
                        WHERE address_id = ?1)",
    )?;
    Ok(statement.query_row([address], |row| row.get(0))?)
}

/// Forgets what was sent to endpoints, or is to be, about a contact: a digest that names others too
/// goes as a whole if it has been written, since its bytes cannot be changed any more.
fn forget_messages_about(db: &Db, contact: i64) -> Result<(), StoreError> {
    const ABOUT: &str = "SELECT outbox_id FROM outbox_nudge
        JOIN nudge ON nudge.id = nudge_id JOIN relationship AS r ON r.id = relationship_id
        WHERE r.contact_id = ?1";
    let gone = format!(
        "SELECT id FROM outbox WHERE id IN ({ABOUT})
         AND (body IS NOT NULL OR NOT EXISTS (
             SELECT 1 FROM outbox_nudge JOIN nudge ON nudge.id = nudge_id
             JOIN relationship AS r ON r.id = relationship_id
             WHERE outbox_id = outbox.id AND r.contact_id <> ?1))"
    );
    let mut statement = db.connection.prepare_cached(&gone)?;
    let ids = statement.query_map([contact], |row| row.get(0))?;
    let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
    for id in ids {
        run(db, "DELETE FROM attempt WHERE outbox_id = ?1", id)?;
        run(db, "DELETE FROM outbox_nudge WHERE outbox_id = ?1", id)?;
        run(db, "DELETE FROM outbox WHERE id = ?1", id)?;
    }
    run(
        db,
        "DELETE FROM outbox_nudge WHERE nudge_id IN (
             SELECT nudge.id FROM nudge JOIN relationship AS r ON r.id = relationship_id
             WHERE r.contact_id = ?1)",
        contact,
    )?;
    Ok(())
}

fn run(db: &Db, sql: &str, row: i64) -> Result<usize, StoreError> {
    Ok(db.connection.prepare_cached(sql)?.execute([row])?)
}

fn messages_of(db: &Db, line: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT message_id FROM interaction
         WHERE line_id = ?1 AND message_id IS NOT NULL",
    )?;
    let rows = statement.query_map([line], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets a message that touches nobody any more; its keys keep their thread, but name nothing.
fn forget_message(db: &Db, message: i64) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM interaction WHERE message_id = ?1)
                 OR EXISTS (SELECT 1 FROM colleague WHERE message_id = ?1)",
    )?;
    if statement.query_row([message], |row| row.get(0))? {
        return Ok(false);
    }
    let mut keys = message::get(db, message)?.keys;
    keys.sort_unstable();
    let known = thread::look_up(db, &keys)?.into_iter();
    let unnamed: Vec<(Key, Known)> = keys
        .into_iter()
        .zip(known)
        .filter_map(|(key, known)| Some((key, Known { message: None, ..known? })))
        .collect();
    thread::note(db, &unnamed)?;
    message::delete(db, message)?;
    Ok(true)
}
