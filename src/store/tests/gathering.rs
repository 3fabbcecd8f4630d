//! What is gathered: committed within two seconds, before whatever is written, and all of it or nothing.

use std::time::{Duration, Instant};

use super::*;
use crate::store::{Gathering, connection};

fn gather<T: Send + 'static>(
    store: &Store,
    gathering: &mut Gathering,
    job: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    runtime().block_on(store.gather(gathering, job))
}

fn keep(store: &Store, gathering: &mut Gathering) -> Result<(), StoreError> {
    runtime().block_on(store.keep(gathering))
}

fn entered(code: &'static str) -> impl FnOnce(&Db) -> Result<(), StoreError> + Send + 'static {
    move |db| rep::ensure(db, code, code, &format!("{code}@us.example")).map(drop)
}

#[test]
fn what_is_gathered_is_committed_soon_and_before_anything_else() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let reader = open_reader(&path).unwrap();
    let mut own = Gathering::default();
    gather(&store, &mut own, entered("ann")).unwrap();
    gather(&store, &mut own, entered("bob")).unwrap();
    assert_eq!(reps(&reader), 0);
    assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 2);
    assert_eq!(reps(&reader), 2);
    gather(&store, &mut own, entered("cy")).unwrap();
    let began = Instant::now();
    while reps(&reader) < 3 {
        assert!(began.elapsed() < Duration::from_secs(20), "never committed");
        std::thread::sleep(Duration::from_millis(10));
    }
    gather(&store, &mut own, entered("dan")).unwrap();
    keep(&store, &mut own).unwrap();
    assert_eq!(reps(&reader), 4);
    gather(&store, &mut own, entered("eve")).unwrap();
    drop(store);
    assert_eq!(reps(&reader), 5);
}

type Fault = fn(&Db) -> Result<(), StoreError>;

const FAULTS: [Fault; 4] = [
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
    // As SQLite ends a transaction when the disk is full, and the job says nothing of it.
    |db| Ok(db.connection.execute_batch("ROLLBACK")?),
];

#[test]
fn what_is_lost_is_told_to_all_whose_it_was_and_nothing_of_theirs_follows_it() {
    for fault in FAULTS {
        let (_directory, path) = directory();
        let store = Store::open(&path).unwrap();
        enter(&store, "before").unwrap();
        let [mut one, mut other, mut kept] = [(); 3].map(|()| Gathering::default());
        gather(&store, &mut kept, entered("kept")).unwrap();
        keep(&store, &mut kept).unwrap();
        gather(&store, &mut one, entered("ann")).unwrap();
        gather(&store, &mut other, entered("bob")).unwrap();
        let _ = gather(&store, &mut other, fault);
        enter(&store, "after").unwrap();
        assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 3);
        for of in [&mut one, &mut other] {
            let late = gather(&store, of, entered("cy"));
            assert!(matches!(late, Err(StoreError::Lost(_))), "{late:?}");
            let kept = keep(&store, of);
            assert!(matches!(kept, Err(StoreError::Lost(_))), "{kept:?}");
        }
        // Of whoever has lost nothing.
        gather(&store, &mut kept, entered("ann")).unwrap();
        keep(&store, &mut kept).unwrap();
        assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 4);
    }
}

#[test]
fn after_a_loss_each_job_stands_by_itself() {
    for fault in FAULTS {
        let (_directory, path) = directory();
        let store = Store::open(&path).unwrap();
        let again = |code| {
            let mut own = Gathering::default();
            gather(&store, &mut own, entered(code)).unwrap();
            let _ = gather(&store, &mut own, fault);
            enter(&store, "other").unwrap();
            write(&store, |db| Ok(reps(db))).unwrap()
        };
        assert_eq!(again("ann"), 1, "lost with the job that failed");
        assert_eq!(again("ann"), 2, "stored before the job that failed");
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
    let mut own = Gathering::default();
    while !asking.is_finished() {
        gather(&store, &mut own, |db| {
            std::thread::sleep(Duration::from_millis(30));
            Ok(db.connection.execute_batch("UPDATE rep SET name = name")?)
        })
        .unwrap();
    }
    asking.join().unwrap().unwrap();
}
