//! What the stored states were computed by: if that changes, they are computed again.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Key;

/// Notes what states are computed by from now on; if it was something else, every relationship is
/// marked to be folded from its log. Gives whether it was.
///
/// # Errors
/// As every write.
pub fn adopt(db: &Db, basis: Key) -> Result<bool, StoreError> {
    let before: Option<Key> = db
        .connection
        .query_row("SELECT digest FROM basis WHERE id = 1", [], |row| row.get(0))
        .optional()?;
    if before == Some(basis) {
        return Ok(false);
    }
    db.connection.execute(
        "INSERT INTO basis (id, digest) VALUES (1, ?1)
         ON CONFLICT (id) DO UPDATE SET digest = excluded.digest",
        params![basis],
    )?;
    let marked = db.connection.execute("UPDATE relationship SET baseline_stale = 1", [])?;
    Ok(marked > 0)
}
