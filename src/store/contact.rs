//! Contacts, their addresses and their organisations.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::key::public_id;
use crate::model::{Address, Timestamp};

/// Before any message: a name given then yields to any other.
pub const NEVER: Timestamp = Timestamp::from_millis(i64::MIN);

/// A contact, for payloads and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Row.
    pub id: i64,
    /// Public id `con_…`.
    pub public_id: String,
    /// Display name; the address where none was ever given.
    pub name: String,
    /// Every address, the first met first.
    pub addresses: Vec<String>,
    /// The organisation's domain.
    pub organisation: String,
}

/// Finds the contact of an address, or makes one without a name at the organisation of that domain.
///
/// # Errors
/// As every write.
pub fn ensure(
    db: &Db,
    address: &Address,
    organisation: impl FnOnce(&Address) -> String,
) -> Result<i64, StoreError> {
    if let Some(known) = db.memo.contacts.get(address.as_str()) {
        return Ok(known);
    }
    let contact = find_or_insert(db, address.as_str(), || organisation(address))?;
    Ok(db.memo.contacts.keep(address.as_str().into(), contact))
}

fn find_or_insert(
    db: &Db,
    address: &str,
    organisation: impl FnOnce() -> String,
) -> Result<i64, StoreError> {
    let found: Option<i64> = db
        .connection
        .prepare_cached("SELECT contact_id FROM address WHERE address = ?1")?
        .query_row([address], |row| row.get(0))
        .optional()?;
    if let Some(contact) = found {
        return Ok(contact);
    }
    let organisation = ensure_organisation(db, &organisation())?;
    let public_id = public_id("con_", &[address.as_bytes()]);
    db.connection
        .prepare_cached(
            "INSERT INTO contact (public_id, name, named_at, organisation_id)
             VALUES (?1, '', ?2, ?3)",
        )?
        .execute(params![public_id, NEVER, organisation])?;
    let contact = db.connection.last_insert_rowid();
    db.connection
        .prepare_cached("INSERT INTO address (address, contact_id) VALUES (?1, ?2)")?
        .execute(params![address, contact])?;
    Ok(contact)
}

/// Takes the name of a newer message; of two at one instant, the greater name.
///
/// # Errors
/// As every write.
pub fn rename(db: &Db, contact: i64, name: &str, at: Timestamp) -> Result<(), StoreError> {
    if name.is_empty() || db.memo.named.get(&contact).is_some_and(|newest| at.millis() < newest) {
        return Ok(());
    }
    db.memo.named.keep(contact, at.millis());
    db.connection
        .prepare_cached(
            "UPDATE contact SET name = ?2, named_at = ?3
             WHERE id = ?1 AND (named_at < ?3 OR (named_at = ?3 AND name < ?2))",
        )?
        .execute(params![contact, name, at])?;
    Ok(())
}

/// The contact of that row.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn get(db: &Db, id: i64) -> Result<Contact, StoreError> {
    let addresses: Vec<String> = db
        .connection
        .prepare_cached("SELECT address FROM address WHERE contact_id = ?1 ORDER BY id")?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut statement = db.connection.prepare_cached(
        "SELECT contact.public_id, contact.name, organisation.domain
         FROM contact JOIN organisation ON organisation.id = contact.organisation_id
         WHERE contact.id = ?1",
    )?;
    let (public_id, name, organisation): (String, String, String) =
        statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let name = if name.is_empty() { addresses.first().cloned().unwrap_or_default() } else { name };
    Ok(Contact { id, public_id, name, addresses, organisation })
}

/// The row of the contact with that address, or of that public id.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, address_or_id: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT contact_id FROM address WHERE address = ?1
         UNION SELECT id FROM contact WHERE public_id = ?1",
    )?;
    Ok(statement.query_row([address_or_id], |row| row.get(0)).optional()?)
}

fn ensure_organisation(db: &Db, domain: &str) -> Result<i64, StoreError> {
    let found: Option<i64> = db
        .connection
        .prepare_cached("SELECT id FROM organisation WHERE domain = ?1")?
        .query_row([domain], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    db.connection
        .prepare_cached("INSERT INTO organisation (domain) VALUES (?1)")?
        .execute([domain])?;
    Ok(db.connection.last_insert_rowid())
}
