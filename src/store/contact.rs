//! Contacts, their addresses and their organisations.
//!
//! A contact is a set of addresses. Every address is made with a contact of its own, whose row has
//! the same number and whose public id is a hash of the address; a contact of several addresses is
//! the one of them whose public id is least, so that who was met first decides nothing. The contacts
//! that its other addresses are by themselves stay as rows without addresses, and their public ids
//! still lead to it.

use rusqlite::{OptionalExtension, Row, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::key::public_id;
use crate::model::{Address, Key, Timestamp};

/// Before any message: a name given then yields to any other.
pub const NEVER: Timestamp = Timestamp::from_millis(i64::MIN);

/// A contact, for payloads and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Row.
    pub id: i64,
    /// Public id `con_…`.
    pub public_id: String,
    /// Display name, the newest of any address; the first address where none was ever given.
    pub name: String,
    /// Every address: the one with the latest interaction first.
    pub addresses: Vec<String>,
    /// The domain of the first address's organisation.
    pub organisation: String,
}

/// Finds an address, or makes it, with a contact of its own without a name, at the organisation of
/// that domain; gives its row.
///
/// # Errors
/// As every write.
pub fn ensure(
    db: &Db,
    address: &Address,
    organisation: impl FnOnce(&Address) -> String,
) -> Result<i64, StoreError> {
    if let Some(known) = db.memo.addresses.get(address.as_str()) {
        return Ok(known);
    }
    let row = match find_address(db, address.as_str())? {
        Some(row) => row,
        None => insert(db, address, &organisation(address))?,
    };
    Ok(db.memo.addresses.keep(address.as_str().into(), row))
}

/// The row of an address.
///
/// # Errors
/// As every read.
pub fn find_address(db: &Db, address: &str) -> Result<Option<i64>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT id FROM address WHERE address = ?1")?;
    Ok(statement.query_row([address], |row| row.get(0)).optional()?)
}

fn insert(db: &Db, address: &Address, organisation: &str) -> Result<i64, StoreError> {
    let organisation = ensure_organisation(db, organisation)?;
    let public_id = public_id("con_", &[address.as_str().as_bytes()]);
    db.connection
        .prepare_cached("INSERT INTO contact (public_id) VALUES (?1)")?
        .execute([public_id])?;
    let contact = db.connection.last_insert_rowid();
    db.connection
        .prepare_cached(
            "INSERT INTO address (id, address, contact_id, organisation_id, name, named_at)
             VALUES (?1, ?2, ?1, ?3, '', ?4)",
        )?
        .execute(params![contact, address.as_str(), organisation, NEVER])?;
    Ok(contact)
}

/// Gives an address the name of a newer message; of two at one instant, the greater name.
///
/// # Errors
/// As every write.
pub fn rename(db: &Db, address: i64, name: &str, at: Timestamp) -> Result<(), StoreError> {
    if name.is_empty() || db.memo.named.get(&address).is_some_and(|newest| at.millis() < newest) {
        return Ok(());
    }
    db.memo.named.keep(address, at.millis());
    db.connection
        .prepare_cached(
            "UPDATE address SET name = ?2, named_at = ?3
             WHERE id = ?1 AND (named_at < ?3 OR (named_at = ?3 AND name < ?2))",
        )?
        .execute(params![address, name, at])?;
    Ok(())
}

/// Notes a full name that an address was given; gives whether it is new.
///
/// # Errors
/// As every write.
pub fn add_name(db: &Db, address: i64, name: Key) -> Result<bool, StoreError> {
    if db.memo.names.get(&(address, name.0)).is_some() {
        return Ok(false);
    }
    let changed = db
        .connection
        .prepare_cached(
            "INSERT INTO address_name (address_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![address, name])?;
    db.memo.names.keep((address, name.0), ());
    Ok(changed > 0)
}

/// Whether two addresses were ever given one full name.
///
/// # Errors
/// As every read.
pub fn share_a_name(db: &Db, a: i64, b: i64) -> Result<bool, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM address_name AS a JOIN address_name AS b ON b.name = a.name
                        WHERE a.address_id = ?1 AND b.address_id = ?2)",
    )?;
    Ok(statement.query_row([a, b], |row| row.get(0))?)
}

/// Whether an address was ever given two different full names.
///
/// # Errors
/// As every read.
pub fn has_several_names(db: &Db, address: i64) -> Result<bool, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT count(*) > 1 FROM address_name WHERE address_id = ?1")?;
    Ok(statement.query_row([address], |row| row.get(0))?)
}

/// The names that addresses have, by row, where no full name is kept of any address: those that were
/// met before full names were.
///
/// # Errors
/// As every read.
pub fn names_not_kept(db: &Db) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT id, name FROM address
         WHERE name <> '' AND NOT EXISTS (SELECT 1 FROM address_name)",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every organisation's domain with a contact who has an address there.
///
/// # Errors
/// As every read.
pub fn at_organisations(db: &Db) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT DISTINCT domain, contact_id FROM address
         JOIN organisation ON organisation.id = organisation_id ORDER BY domain, contact_id",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every pair of an address and a full name that it was given, name by name.
///
/// # Errors
/// As every read.
pub fn all_full_names(db: &Db) -> Result<Vec<(Key, i64)>, StoreError> {
    let mut statement = db
        .connection
        .prepare_cached("SELECT name, address_id FROM address_name ORDER BY name, address_id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An address as it stands in its table, with its organisation's domain.
struct Identity {
    row: i64,
    address: String,
    name: String,
    named_at: Timestamp,
    organisation: String,
}

/// The contact of that row; of the row of a contact that was merged, the one that it is part of.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn get(db: &Db, id: i64) -> Result<Contact, StoreError> {
    let mut of = identities(db, id)?;
    let id = if of.is_empty() { of_address(db, id)? } else { id };
    if of.is_empty() {
        of = identities(db, id)?;
    }
    if of.len() > 1 {
        let mut dated = Vec::with_capacity(of.len());
        for identity in of {
            dated.push((latest(db, identity.row)?, identity));
        }
        dated
            .sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.address.cmp(&other.address)));
        of = dated.into_iter().map(|(_, identity)| identity).collect();
    }
    let newest = of.iter().max_by_key(|of| (of.named_at, &of.name));
    let name = newest.filter(|of| !of.name.is_empty()).map(|of| of.name.clone());
    let first = of.first();
    let public_id = db
        .connection
        .prepare_cached("SELECT public_id FROM contact WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    Ok(Contact {
        id,
        public_id,
        name: name.or_else(|| first.map(|of| of.address.clone())).unwrap_or_default(),
        organisation: first.map(|of| of.organisation.clone()).unwrap_or_default(),
        addresses: of.into_iter().map(|of| of.address).collect(),
    })
}

fn identities(db: &Db, contact: i64) -> Result<Vec<Identity>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT address.id, address, name, named_at, domain
         FROM address JOIN organisation ON organisation.id = organisation_id
         WHERE contact_id = ?1",
    )?;
    let rows = statement.query_map([contact], |row: &Row<'_>| {
        Ok(Identity {
            row: row.get(0)?,
            address: row.get(1)?,
            name: row.get(2)?,
            named_at: row.get(3)?,
            organisation: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The latest interaction with an address, of whatever nothing speaks against, to come or past.
fn latest(db: &Db, address: i64) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT max((SELECT at FROM interaction
                     WHERE line_id = line.id AND (standing = 0 OR linked = 1)
                     ORDER BY at DESC LIMIT 1))
         FROM line WHERE address_id = ?1",
    )?;
    Ok(statement.query_row([address], |row| row.get(0))?)
}

/// The public id of a contact, as [`get`] has it.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn public_id_of(db: &Db, id: i64) -> Result<String, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT public_id FROM contact WHERE id = iif(
             EXISTS (SELECT 1 FROM address WHERE contact_id = ?1), ?1,
             (SELECT contact_id FROM address WHERE id = ?1))",
    )?;
    Ok(statement.query_row([id], |row| row.get(0))?)
}

/// The row of the contact whose an address is, both by row.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn of_address(db: &Db, address: i64) -> Result<i64, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT contact_id FROM address WHERE id = ?1")?;
    Ok(statement.query_row([address], |row| row.get(0))?)
}

/// The text of an address, by row, if there is one.
///
/// # Errors
/// As every read.
pub fn address_of(db: &Db, address: i64) -> Result<Option<String>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT address FROM address WHERE id = ?1")?;
    Ok(statement.query_row([address], |row| row.get(0)).optional()?)
}

/// The domain of an address's organisation.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn organisation_of(db: &Db, address: i64) -> Result<String, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT domain FROM address JOIN organisation ON organisation.id = organisation_id
         WHERE address.id = ?1",
    )?;
    Ok(statement.query_row([address], |row| row.get(0))?)
}

/// The row of the address whose own contact has a public id.
///
/// # Errors
/// As every read.
pub fn find_own_id(db: &Db, public_id: &str) -> Result<Option<i64>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT id FROM contact WHERE public_id = ?1")?;
    Ok(statement.query_row([public_id], |row| row.get(0)).optional()?)
}

/// Every address, each with the public id of its own contact.
///
/// # Errors
/// As every read.
pub fn all_names(db: &Db) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT address, public_id FROM address JOIN contact ON contact.id = address.id",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The rows of a contact's addresses.
///
/// # Errors
/// As every read.
pub fn addresses(db: &Db, contact: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT id FROM address WHERE contact_id = ?1 ORDER BY id")?;
    let rows = statement.query_map([contact], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The public id of the contact that an address is by itself.
///
/// # Errors
/// As every read; a row that does not exist is one.
pub fn own_id(db: &Db, address: i64) -> Result<String, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT public_id FROM contact WHERE id = ?1")?;
    Ok(statement.query_row([address], |row| row.get(0))?)
}

/// Makes an address one of a contact's.
///
/// # Errors
/// As every write.
pub fn assign(db: &Db, address: i64, contact: i64) -> Result<(), StoreError> {
    db.connection
        .prepare_cached("UPDATE address SET contact_id = ?2 WHERE id = ?1")?
        .execute([address, contact])?;
    Ok(())
}

/// The row of the contact with that address, or of that public id, also one that it had before it
/// was merged.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, address_or_id: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = db.connection.prepare_cached(
        "SELECT contact_id FROM address WHERE address = ?1
         UNION SELECT contact_id FROM contact JOIN address ON address.id = contact.id
               WHERE public_id = ?1",
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
