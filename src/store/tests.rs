//! The file, its lock and its transactions, on real files; and the plans of the hot statements.

mod gathering;
mod keys;
mod mailboxes;
mod silences;
mod upgrade;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{
    Db, Store, StoreError, colleague, fate, interaction, meeting, open_reader, outbox,
    relationship, rep, silence, thread, turn,
};
use crate::model::{Direction, Interaction, Kind, Timestamp, Turn};

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state").join("keepwarm.db");
    (directory, path)
}

fn write<T: Send + 'static>(
    store: &Store,
    job: impl FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    runtime().block_on(store.write(job))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn enter(store: &Store, code: &'static str) -> Result<i64, StoreError> {
    write(store, move |db| rep::ensure(db, code, code, "ann@us.example"))
}

fn reps(db: &Db) -> i64 {
    db.connection.query_row("SELECT count(*) FROM rep", [], |row| row.get(0)).unwrap()
}

fn pragma(path: &Path, pragma: &'static str) {
    let store = Store::open(path).unwrap();
    // Outside a transaction, which some pragmas ask for.
    let job =
        move |db: &Db| Ok(db.connection.execute_batch(&format!("COMMIT; {pragma}; BEGIN"))?);
    write(&store, job).unwrap();
}

#[test]
fn a_database_is_open_in_one_process_at_a_time() {
    let (_directory, path) = directory();
    let first = Store::open(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::InUse { .. })));
    enter(&first, "ann").unwrap();
    drop(first);
    let again = Store::open(&path).unwrap();
    assert_eq!(write(&again, |db| Ok(reps(db))).unwrap(), 1);
}

#[test]
fn only_the_owner_may_read() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    enter(&store, "ann").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let parent = path.parent().unwrap();
    assert_eq!(mode(parent), 0o700);
    let files: Vec<PathBuf> =
        std::fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "the file, its log, its index and the lock: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let (_directory, path) = directory();
    pragma(&path, "PRAGMA user_version = 99; PRAGMA journal_mode = DELETE");
    let before = std::fs::read(&path).unwrap();
    let newer = |opened| matches!(opened, Err(StoreError::Newer { found: 99, .. }));
    assert!(newer(Store::open(&path).map(drop)));
    assert!(newer(open_reader(&path).map(drop)));
    assert!(std::fs::read(&path).unwrap() == before, "not a byte has changed");
}

#[test]
fn what_is_no_database_is_said_to_be_damaged() {
    let (_directory, path) = directory();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "not a database, but long enough to have a header".repeat(100)).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Corrupt(_))));
    assert!(matches!(open_reader(&path), Err(StoreError::Corrupt(_))));
}

#[test]
fn a_reader_sees_what_is_committed_and_does_not_wait() {
    let (_directory, path) = directory();
    assert!(matches!(open_reader(&path), Err(StoreError::Missing { .. })));
    let store = Store::open(&path).unwrap();
    enter(&store, "ann").unwrap();
    let reader = open_reader(&path).unwrap();
    let during = path;
    let seen = write(&store, move |db| {
        rep::ensure(db, "bob", "Bob", "bob@us.example")?;
        Ok((reps(db), reps(&open_reader(&during)?)))
    });
    assert_eq!(seen.unwrap(), (2, 1));
    assert_eq!(reps(&reader), 2);
    let refused = rep::ensure(&reader, "cy", "Cy", "cy@us.example");
    assert!(matches!(refused, Err(StoreError::Unwritable(_))), "{refused:?}");
}

#[test]
fn a_job_that_fails_or_panics_leaves_nothing_and_the_next_one_runs() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    let entered = |db: &Db| rep::ensure(db, "ann", "Ann", "ann@us.example").map(drop);
    let fails = write(&store, move |db| {
        entered(db)?;
        // A relationship that is not there.
        let at = Timestamp::from_seconds(0);
        let (direction, kind) = (Direction::Outbound, Kind::Message);
        let new = interaction::New {
            line: 7,
            interaction: Interaction { at, direction, kind, audience: 1, linked: false },
            origin: interaction::Origin::Message(7),
            standing: crate::model::Standing::Sound,
            counted: true,
            turn: Turn::default(),
        };
        interaction::insert(db, 1, &new)
    });
    assert!(matches!(fails, Err(StoreError::Sql(_))), "foreign keys hold: {fails:?}");
    let panics = write(&store, move |db| {
        entered(db)?;
        assert!(reps(db) > 1, "a fault in a job");
        Ok(())
    });
    assert!(matches!(panics, Err(StoreError::Closed)), "{panics:?}");
    assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 0);
    enter(&store, "bob").unwrap();
}

#[test]
fn a_full_disk_is_said_to_be_unwritable_and_costs_nothing_that_was_committed() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    enter(&store, "ann").unwrap();
    let full = write(&store, |db| {
        db.connection.execute_batch("PRAGMA max_page_count = 1")?;
        let long = "x".repeat(100_000);
        rep::ensure(db, "bob", &long, "bob@us.example")
    });
    assert!(matches!(full, Err(StoreError::Unwritable(_))), "{full:?}");
    write(&store, |db| Ok(db.connection.execute_batch("PRAGMA max_page_count = 1000000")?))
        .unwrap();
    assert_eq!(write(&store, |db| Ok(reps(db))).unwrap(), 1);
    enter(&store, "bob").unwrap();
}

#[test]
fn a_directory_that_takes_no_files_is_said_to_be_unwritable() {
    // Of the kernel: it takes no files even from root.
    let opened = Store::open(Path::new("/sys/keepwarm.db"));
    assert!(matches!(opened, Err(StoreError::Unwritable(_))), "{opened:?}");
}

#[test]
fn hot_statements_use_their_index() {
    let (_directory, path) = directory();
    let store = Store::open(&path).unwrap();
    for (sql, index) in [
        (relationship::due_sql(), "USING INDEX relationship_by_due (due_at<?)"),
        (
            interaction::BETWEEN.to_owned(),
            "USING INDEX interaction_by_time (line_id=? AND at>? AND at<?)",
        ),
        (
            turn::OBSERVED.to_owned(),
            "USING INDEX interaction_by_time (line_id=? AND at>? AND at<?)",
        ),
        (turn::UNPLACED.to_owned(), "INDEX interaction_unplaced"),
        (fate::BETWEEN.to_owned(), "USING INDEX fate_by_time (line_id=? AND at>? AND at<?)"),
        (
            outbox::DUE.to_owned(),
            "USING INDEX outbox_pending (endpoint_id=? AND next_attempt_at<?)",
        ),
        (
            colleague::SENT.to_owned(),
            "USING INDEX colleague_by_pair (from_rep_id=? AND to_rep_id=?)",
        ),
        (silence::UNTIL.to_owned(), "USING INDEX silence_of_contact (contact_id=? AND rep_id=?)"),
        (thread::SETTLED.to_owned(), "USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            meeting::RIVALS.to_owned(),
            "USING INDEX meeting_by_uid (rep_id=? AND uid=? AND recurrence_at=?)",
        ),
        (meeting::ANY_UNANSWERED.to_owned(), "INDEX interaction_unanswered"),
        (meeting::UNANSWERED.to_owned(), "USING INDEX interaction_unanswered (line_id=?)"),
        (meeting::COPIES.to_owned(), "USING INDEX meeting_by_uid (rep_id=? AND uid=?)"),
    ] {
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        let plan = write(&store, move |db| {
            let mut statement = db.connection.prepare(&explained)?;
            let parameters = vec![rusqlite::types::Null; statement.parameter_count()];
            let rows = statement
                .query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(3))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.join("; "))
        })
        .unwrap();
        assert!(plan.contains(index), "{sql}: {plan}");
        // `interaction::between` sorts what shares an instant by row, which the index holds.
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
