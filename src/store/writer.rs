//! The one writer: a thread that owns the connection and runs jobs, each in one transaction.

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::connection::{Db, create, create_directory, open_writer, sibling};
use super::error::StoreError;

type Job = Box<dyn FnOnce(&mut Db) + Send>;

/// Handle to the database; cheap to share behind an `Arc`. Dropping it ends the writer after the
/// jobs already given to it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Held as long as the store is open: one process per database.
    _lock: File,
}

impl Store {
    /// Opens or creates the database at `path`, migrates it and starts the writer.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it, [`StoreError::Newer`] if a later version
    /// wrote it, [`StoreError::Unwritable`] or [`StoreError::Io`] if it cannot be created,
    /// [`StoreError::Corrupt`] if it is no database.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        create_directory(path)?;
        let lock = lock(path)?;
        let mut db = open_writer(path)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                for job in queue {
                    run(&mut db, job);
                }
            })
            .map_err(|source| StoreError::io(path, source))?;
        Ok(Self { path: path.to_owned(), jobs: Some(jobs), writer: Some(writer), _lock: lock })
    }

    /// Where the database is, for readers.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a job on the writer's thread inside one transaction: all of it is committed, durably,
    /// or none of it.
    ///
    /// # Errors
    /// What the job returns, or what committing it met; the transaction is rolled back.
    /// [`StoreError::Closed`] if the job panicked.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.run(move |db| transact(db, job)).await
    }

    /// Looks something up on the writer's connection, which no other one can tell, outside any
    /// transaction.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn look<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.run(|db| job(db)).await
    }

    async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move |db: &mut Db| {
            // Nobody waits for the answer any more when the caller was cancelled; the work stands.
            let _ = answer.send(job(db));
        };
        self.jobs
            .as_ref()
            .ok_or(StoreError::Closed)?
            .send(Box::new(job))
            .map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Runs a job. One that panics is rolled back and its caller told that there is no answer; the
/// writer goes on.
fn run(db: &mut Db, job: Job) {
    let done = catch_unwind(AssertUnwindSafe(|| job(db)));
    if done.is_err() {
        db.memo.forget();
    }
    if done.is_err() && !db.connection.is_autocommit() {
        // If even that fails, the next job's BEGIN says so.
        let _ = db.connection.execute_batch("ROLLBACK");
    }
}

fn transact<T>(
    db: &mut Db,
    job: impl FnOnce(&Db) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    db.connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = job(db).and_then(|value| {
        db.connection.execute_batch("COMMIT")?;
        Ok(value)
    });
    if done.is_err() {
        db.memo.forget();
        if !db.connection.is_autocommit() {
            db.connection.execute_batch("ROLLBACK")?;
        }
    }
    done
}

/// Takes the lock that keeps other processes out; the file stays, the lock ends with the process.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let path = sibling(path, ".lock");
    let file = create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path }),
        Err(TryLockError::Error(source)) => Err(StoreError::io(&path, source)),
    }
}
