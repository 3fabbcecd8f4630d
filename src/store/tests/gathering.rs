//! What is gathered: committed within two seconds, before whatever is written, and all of it or nothing.

use std::time::{Duration, Instant};

use super::*;
use crate::store::{Gathering, connection};

fn gather<T: Send + 'static>(
    store: &Store,
    since: Gathering,
    job: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    runtime().block_on(store.gather(since, job))
}

fn entered(code: &'static str) -> impl FnOnce(&Db) -> Result<(), StoreError> + Send + 'static {
    move |db| rep::ensure(db, code, code, &format!("{code}@us.example")).map(drop)
}

#[test]
fn what_is_gathered_is_committed_soon_and_before_anything_else() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let reader = open_reader(&path).unwrap();
    let since = store.gathering();
    gather(&store, since, entered("ann")).unwrap();
    gather(&store, since, entered("bob")).unwrap();
    assert_eq!(reps(&reader), 0);
    assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 2);
    assert_eq!(reps(&reader), 2);
    gather(&store, since, entered("cy")).unwrap();
    let began = Instant::now();
    while reps(&reader) < 3 {
        assert!(began.elapsed() < Duration::from_secs(20), "never committed");
        std::thread::sleep(Duration::from_millis(10));
    }
    gather(&store, since, entered("dan")).unwrap();
    runtime().block_on(store.keep(since)).unwrap();
    assert_eq!(reps(&reader), 4);
    gather(&store, since, entered("eve")).unwrap();
    drop(store);
    assert_eq!(reps(&reader), 5);
}

#[test]
fn what_is_lost_is_told_to_all_who_gathered_and_nothing_of_theirs_follows_it() {
    type Fault = fn(&Db) -> Result<(), StoreError>;
    let faults: [Fault; 3] = [
        |db| Ok(db.connection.execute_batch("INSERT INTO nowhere VALUES (1)")?),
        |db| {
            assert!(reps(db) > 100, "a fault in a job");
            Ok(())
        },
        // Found only by the COMMIT.
        |db| {
            Ok(db.connection.execute_batch(
                "PRAGMA defer_foreign_keys = ON;
                 INSERT INTO line (rep_id, address_id, relationship_id) VALUES (7, 7, 7)",
            )?)
        },
    ];
    for fault in faults {
        let (_directory, path) = directory();
        let store = Store::open(&path).unwrap();
        enter(&store, "before").unwrap();
        let [one, other] = [(); 2].map(|()| store.gathering());
        gather(&store, one, entered("ann")).unwrap();
        gather(&store, other, entered("bob")).unwrap();
        let _ = gather(&store, other, fault);
        enter(&store, "after").unwrap();
        assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 2);
        for since in [one, other] {
            let late = gather(&store, since, entered("cy"));
            assert!(matches!(late, Err(StoreError::Lost(_))), "{late:?}");
            let kept = runtime().block_on(store.keep(since));
            assert!(matches!(kept, Err(StoreError::Lost(_))), "{kept:?}");
        }
        let again = store.gathering();
        gather(&store, again, entered("ann")).unwrap();
        runtime().block_on(store.keep(again)).unwrap();
        assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 3);
    }
}

#[test]
fn another_connection_looks_only_at_what_it_sees_whole() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    enter(&store, "ann").unwrap();
    let seen = write(&store, |db| {
        let before = connection::beside(db)?.map(|other| reps(&other));
        rep::ensure(db, "bob", "Bob", "bob@us.example")?;
        Ok((before, connection::beside(db)?.is_some()))
    });
    assert_eq!(seen.unwrap(), (Some(1), false));
}

#[test]
fn a_command_gets_its_word_in_while_a_backfill_goes_on() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let asking = std::thread::spawn(move || {
        let asker = crate::store::request::Asker::open(&path)?;
        asker.ask("anything", Timestamp::from_seconds(0))
    });
    let since = store.gathering();
    while !asking.is_finished() {
        gather(&store, since, |db| {
            std::thread::sleep(Duration::from_millis(30));
            Ok(db.connection.execute_batch("UPDATE rep SET name = name")?)
        })
        .unwrap();
    }
    asking.join().unwrap().unwrap();
}
