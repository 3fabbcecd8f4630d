//! The one writer: a thread that owns the connection and runs jobs, each in a transaction: of its own,
//! or, while a backfill goes on, in one with those before and after it.

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::connection::{Db, create, create_directory, open_writer, sibling};
use super::error::StoreError;

type Job = Box<dyn FnOnce(&mut Writer) + Send>;

/// How long what is gathered waits to be committed: a backfill comes back to the same pages again and
/// again, and each commit writes every page that it has changed.
const GATHERED: Duration = Duration::from_secs(2);
/// How long the database is left to other processes after that: commands enter what they ask.
const LEFT: Duration = Duration::from_millis(5);

/// Since when somebody gathers: what was lost after that may be theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gathering {
    losses: u64,
}

/// Handle to the database; cheap to share behind an `Arc`. Dropping it ends the writer after the
/// jobs already given to it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    losses: Arc<AtomicU64>,
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
        let losses = Arc::new(AtomicU64::new(0));
        let mut writer = Writer {
            db: open_writer(path)?,
            commit_at: None,
            losses: Arc::clone(&losses),
            why: String::new(),
        };
        let (jobs, queue) = mpsc::channel::<Job>();
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.serve(&queue))
            .map_err(|source| StoreError::io(path, source))?;
        let (jobs, writer) = (Some(jobs), Some(writer));
        Ok(Self { path: path.to_owned(), jobs, writer, losses, _lock: lock })
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
        self.run(move |writer| writer.transact(job)).await
    }

    /// What somebody needs who is about to [`gather`](Self::gather).
    #[must_use]
    pub fn gathering(&self) -> Gathering {
        Gathering { losses: self.losses.load(Ordering::Acquire) }
    }

    /// Runs a job as [`write`](Self::write) does, but commits it within two seconds, with those gathered
    /// before and after it, or before the next job that is written. Whoever gathers [`keep`](Self::keep)s
    /// in the end; until then all of it may be lost, and then nothing more is taken from them.
    ///
    /// # Errors
    /// As [`Self::write`]; [`StoreError::Lost`] if anything has been lost that was gathered `since` then.
    pub async fn gather<T, F>(&self, since: Gathering, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.run(move |writer| writer.gather(since, job)).await
    }

    /// Commits, durably, what was gathered.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub async fn keep(&self, since: Gathering) -> Result<(), StoreError> {
        self.run(move |writer| {
            writer.close();
            writer.lost(since)
        })
        .await
    }

    /// Looks something up on the writer's connection, which no other one can tell, outside any
    /// transaction or in one with what is gathered.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn look<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.run(|writer| job(&writer.db)).await
    }

    async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writer) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move |writer: &mut Writer| {
            // Nobody waits for the answer any more when the caller was cancelled; the work stands.
            let _ = answer.send(job(writer));
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

/// What the thread has.
struct Writer {
    db: Db,
    /// When the transaction that is open with what was gathered is to end.
    commit_at: Option<Instant>,
    /// How often something that was gathered was lost.
    losses: Arc<AtomicU64>,
    /// Why, the last time.
    why: String,
}

impl Writer {
    /// Runs jobs until nobody can give any.
    fn serve(&mut self, queue: &mpsc::Receiver<Job>) {
        loop {
            let next = match self.commit_at {
                Some(at) => queue.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => queue.recv().map_err(RecvTimeoutError::from),
            };
            match next {
                Ok(job) => self.run(job),
                Err(RecvTimeoutError::Timeout) => self.close(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.close();
    }

    /// Runs a job. One that panics is rolled back and its caller told that there is no answer; the
    /// writer goes on.
    fn run(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| job(self))).is_err() {
            // If even that fails, the next job's BEGIN says so.
            let _ = self.roll_back("a fault in keepwarm");
        }
    }

    fn transact<T>(
        &mut self,
        job: impl FnOnce(&Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.close();
        self.begin()?;
        let done = job(&self.db).and_then(|value| {
            self.db.connection.execute_batch("COMMIT")?;
            Ok(value)
        });
        self.rolled_back_unless(done)
    }

    fn gather<T>(
        &mut self,
        since: Gathering,
        job: impl FnOnce(&Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.lost(since)?;
        let commit_at = match self.commit_at {
            Some(at) => at,
            None => {
                self.begin()?;
                *self.commit_at.insert(Instant::now() + GATHERED)
            }
        };
        let done = job(&self.db);
        let value = self.rolled_back_unless(done)?;
        if Instant::now() >= commit_at {
            self.close();
            self.lost(since)?;
            std::thread::sleep(LEFT);
        }
        Ok(value)
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.db.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.db.memo.changed_before.set(Some(self.db.connection.total_changes()));
        Ok(())
    }

    /// Ends the transaction with what was gathered. Whoever gathered it is told when they come again.
    fn close(&mut self) {
        if self.commit_at.is_some() {
            let done = self.db.connection.execute_batch("COMMIT").map_err(StoreError::from);
            match self.rolled_back_unless(done) {
                Ok(()) => self.commit_at = None,
                Err(error) => tracing::error!(%error, "what was read last was not stored"),
            }
        }
    }

    /// An error, if anything was lost that was gathered since then.
    fn lost(&self, since: Gathering) -> Result<(), StoreError> {
        match self.losses.load(Ordering::Acquire) == since.losses {
            true => Ok(()),
            false => Err(StoreError::Lost(self.why.clone())),
        }
    }

    /// What came of a job; with an error, the transaction that it was in is rolled back.
    fn rolled_back_unless<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &done {
            let why = error.to_string();
            self.roll_back(&why)?;
        }
        done
    }

    /// Ends the transaction that is open, if one is, as if it had not been.
    fn roll_back(&mut self, why: &str) -> Result<(), StoreError> {
        self.db.memo.forget();
        if self.commit_at.take().is_some() {
            why.clone_into(&mut self.why);
            self.losses.fetch_add(1, Ordering::Release);
        }
        if !self.db.connection.is_autocommit() {
            self.db.connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
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
