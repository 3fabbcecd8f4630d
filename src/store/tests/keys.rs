//! Keys of threads, and rows that the writer remembers, however they are stored.

use super::{directory, enter, write};
use crate::model::{Address, Key};
use crate::store::thread::{Known, look_up, note};
use crate::store::{Db, Store, StoreError, contact, line, relationship};

/// The nth key, in no order.
fn key(n: i64) -> Key {
    Key::of("key", &[&n.to_be_bytes()])
}

/// Rows begin at 1: 0 is none.
fn known(n: i64) -> Known {
    Known { thread: Some(-1 - n), message: Some(1 + n) }
}

/// Notes keys with the message that each names, in one commit.
fn note_all(store: &Store, keys: impl Iterator<Item = (Key, i64)>) {
    let mut keys: Vec<_> = keys.map(|(key, message)| (key, known(message))).collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    write(store, move |db| note(db, &keys)).unwrap();
}

fn count(db: &Db, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    db.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// How many notes of keys have gathered.
fn gathered(db: &Db) -> i64 {
    let sql = "SELECT coalesce(sum(length(keys)), 0) / 24 FROM recent_ref";
    db.connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_was_said_last_of_a_key_holds_before_it_has_moved_over_and_after() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let extremes = [(Key(i64::MIN), 1), (Key(i64::MAX), 2), (Key(0), 3), (Key(-1), 4)];
    note_all(&store, (0..60_000).map(|n| (key(n), n)).chain(extremes));
    note_all(&store, (30_000..110_000).map(|n| (key(n), n + 1)));
    let counts = |db: &Db| Ok((gathered(db), count(db, "thread_ref")));
    assert_eq!(write(&store, counts).unwrap(), (0, 110_004), "all have moved over");
    note_all(&store, (0..10).map(|n| (key(n), n + 2)));
    assert_eq!(write(&store, counts).unwrap(), (10, 110_004));
    for (n, expected) in [
        (0, Some(2)),
        (9, Some(11)),
        (10, Some(10)),
        (29_999, Some(29_999)),
        (30_000, Some(30_001)),
        (109_999, Some(110_000)),
        (110_000, None),
    ] {
        let found = write(&store, move |db| look_up(db, &[key(n)])).unwrap();
        assert_eq!(found, [expected.map(known)], "key {n}");
    }
    for (key, expected) in extremes {
        let found = write(&store, move |db| look_up(db, &[key])).unwrap();
        assert_eq!(found, [Some(known(expected))], "{key:?}");
    }
}

#[test]
fn rows_of_a_transaction_that_failed_are_not_remembered() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let rep = enter(&store, "ann").unwrap();
    let of = move |db: &Db, address: &str| {
        let address: Address = Address::from_canonical(address.to_owned());
        line::ensure(db, rep, &address, |_| "acme.example".to_owned())
    };
    let failed = write(&store, move |db| {
        of(db, "bo@acme.example")?;
        Err::<(), _>(StoreError::Closed)
    });
    assert!(failed.is_err());
    // Takes the rows that the first one had.
    let cy = write(&store, move |db| of(db, "cy@acme.example")).unwrap();
    let bo = write(&store, move |db| of(db, "bo@acme.example")).unwrap();
    assert_ne!(bo, cy);
    assert_eq!(write(&store, move |db| of(db, "cy@acme.example")).unwrap(), cy);
    let stored = |db: &Db| Ok(["contact", "line", "relationship"].map(|table| count(db, table)));
    assert_eq!(write(&store, stored).unwrap(), [2, 2, 2]);
}

#[test]
fn keys_of_a_transaction_that_failed_or_of_an_earlier_writer_are_as_stored() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    note_all(&store, (0..10).map(|n| (key(n), n + 1)));
    note_all(&store, (5..10).map(|n| (key(n), n + 2)));
    let failed = write(&store, |db| {
        note(db, &[(key(0), known(99)), (key(10), known(99))])?;
        Err::<(), _>(StoreError::Closed)
    });
    assert!(failed.is_err());
    let expected = [Some(known(1)), Some(known(11)), None];
    let asked = |db: &Db| look_up(db, &[key(0), key(9), key(10)]);
    assert_eq!(write(&store, asked).unwrap(), expected, "after a failure");
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(write(&store, asked).unwrap(), expected, "by another writer");
    note_all(&store, (100..100_100).map(|n| (key(n), n)));
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(write(&store, asked).unwrap(), expected, "moved over, by another writer");
    note_all(&store, (200_000..300_000).map(|n| (key(n), n)));
    assert_eq!(write(&store, |db| Ok(gathered(db))).unwrap(), 0, "moved over again");
    assert_eq!(write(&store, asked).unwrap(), expected, "moved over again");
}

#[test]
fn what_is_remembered_of_relationships_and_names_is_what_is_stored() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let rep = enter(&store, "ann").unwrap();
    let (contact, id) = write(&store, move |db| {
        let address = Address::from_canonical("bo@acme.example".to_owned());
        let contact = contact::ensure(db, &address, |_| "acme.example".to_owned())?;
        Ok((contact, relationship::ensure(db, rep, contact)?))
    })
    .unwrap();
    let state = move |db: &Db| {
        let row = relationship::get(db, id)?;
        assert_eq!(relationship::loose_replies(db, id)?, row.loose_replies);
        Ok((row.state.baseline_stale, row.loose_replies))
    };
    let mark = |loose| write(&store, move |db| relationship::mark_stale(db, id, loose)).unwrap();
    mark(false);
    assert_eq!(write(&store, state).unwrap(), (true, false));
    mark(true);
    assert_eq!(write(&store, state).unwrap(), (true, true));
    let fold = move |db: &Db| {
        let mut row = relationship::get(db, id)?;
        row.state.baseline_stale = false;
        relationship::save(db, &row)
    };
    write(&store, fold).unwrap();
    assert_eq!(write(&store, state).unwrap(), (false, true));
    mark(false);
    assert_eq!(write(&store, state).unwrap(), (true, true), "stale again");
    for (name, at, expected) in
        [("Bo", 5, "Bo"), ("Old", 4, "Bo"), ("Cy", 5, "Cy"), ("Bo", 5, "Cy"), ("New", 6, "New")]
    {
        let at = crate::model::Timestamp::from_millis(at);
        write(&store, move |db| contact::rename(db, contact, name, at)).unwrap();
        let named = write(&store, move |db| Ok(contact::get(db, contact)?.name)).unwrap();
        assert_eq!(named, expected, "{name} at {at}");
    }
}
