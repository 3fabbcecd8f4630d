//! What sources log in with and nobody has configured: refresh tokens, sealed by whoever keeps them.

use rusqlite::{OptionalExtension, params};

use super::connection::Db;
use super::error::StoreError;
use crate::model::Timestamp;

/// What is kept for a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Hash of what the token comes from.
    pub origin: String,
    /// The token, sealed.
    pub sealed: Vec<u8>,
}

/// What is kept for a source of that name.
///
/// # Errors
/// As every read.
pub fn find(db: &Db, source: &str) -> Result<Option<Login>, StoreError> {
    let mut statement =
        db.connection.prepare_cached("SELECT origin, sealed FROM login WHERE source = ?1")?;
    let found =
        statement.query_row([source], |row| Ok(Login { origin: row.get(0)?, sealed: row.get(1)? }));
    Ok(found.optional()?)
}

/// Keeps a token, in the place of any other.
///
/// # Errors
/// As every write.
pub fn keep(db: &Db, source: &str, login: &Login, now: Timestamp) -> Result<(), StoreError> {
    db.connection
        .prepare_cached(
            "INSERT INTO login (source, origin, sealed, kept_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (source) DO UPDATE SET origin = excluded.origin, sealed = excluded.sealed,
                 kept_at = excluded.kept_at",
        )?
        .execute(params![source, login.origin, login.sealed, now])?;
    Ok(())
}

/// Keeps a token that was got in exchange, unless something of another origin than `before` has come
/// meanwhile: somebody has signed in anew then, and that is what counts. Gives whether it was kept.
///
/// # Errors
/// As every write.
pub fn exchange(
    db: &Db,
    source: &str,
    before: Option<&str>,
    login: &Login,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = find(db, source)?;
    if found.is_some_and(|found| before != Some(found.origin.as_str())) {
        return Ok(false);
    }
    keep(db, source, login, now)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn what_was_exchanged_does_not_undo_a_sign_in() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(&place.path().join("kw.db")).unwrap();
        let login = |origin: &str, byte| Login { origin: origin.to_owned(), sealed: vec![byte] };
        let at = Timestamp::from_seconds(1);
        for (before, new, kept, found) in [
            (None, login("a", 1), true, 1),
            (Some("a"), login("a", 2), true, 2),
            (None, login("a", 3), false, 2),
            (Some("b"), login("b", 4), false, 2),
            (Some("a"), login("b", 5), true, 5),
        ] {
            let what = format!("{before:?} {new:?}");
            let (was_kept, now) = store
                .write(move |db| {
                    let kept = exchange(db, "s", before, &new, at)?;
                    Ok((kept, find(db, "s")?))
                })
                .await
                .unwrap();
            assert_eq!((was_kept, now.unwrap().sealed), (kept, vec![found]), "{what}");
        }
        let other = store.look(|db| find(db, "t")).await.unwrap();
        assert_eq!(other, None, "each source has its own");
    }
}
