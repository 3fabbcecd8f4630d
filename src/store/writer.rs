//! The one writer: a thread that owns the connection and runs jobs, each in a transaction: of its own,
//! or, while a backfill goes on, in one with those before and after it.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
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
/// How long the database is left to other processes, which enter what commands ask, when it has not been
/// for so long.
const LEFT: Duration = Duration::from_millis(5);
/// For how long every job is committed by itself after something gathered was lost: whatever makes one of
/// them fail is to cost that one only when it is tried again.
const CAREFUL: Duration = Duration::from_secs(60);
/// Transactions that were lost of which is known that they were: more than there are in a pass.
const MOST_LOST: usize = 100_000;

/// What somebody has gathered and not kept yet.
#[derive(Debug, Default)]
pub struct Gathering {
    /// The last transaction that has anything of it.
    last: Option<u64>,
}

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
        let mut writer = Writer::new(open_writer(path)?);
        let (jobs, queue) = mpsc::channel::<Job>();
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.serve(&queue))
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
        self.run(move |writer| writer.transact(job)).await
    }

    /// Runs a job as [`write`](Self::write) does, but commits it within two seconds, with those gathered
    /// before and after it, or before the next job that is written. Whoever gathers [`keep`](Self::keep)s
    /// in the end; until then all of it may be lost, and then nothing more is taken from them.
    ///
    /// # Errors
    /// As [`Self::write`]; [`StoreError::Lost`] if anything has been lost of what they gathered.
    pub async fn gather<T, F>(&self, gathering: &mut Gathering, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        let last = gathering.last;
        let (number, value) = self.run(move |writer| writer.gather(last, job)).await?;
        gathering.last = Some(number);
        Ok(value)
    }

    /// Commits, durably, what was gathered.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub async fn keep(&self, gathering: &mut Gathering) -> Result<(), StoreError> {
        let Some(last) = gathering.last else { return Ok(()) };
        self.run(move |writer| writer.keep(last)).await?;
        gathering.last = None;
        Ok(())
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
    /// The transaction that is open with what was gathered.
    open: Option<Open>,
    /// How many of these there were.
    count: u64,
    /// Those of them that were lost, and why the last one was.
    lost: BTreeSet<u64>,
    why: String,
    /// Until when each is committed at once.
    careful_until: Instant,
    /// When the database was left to others last.
    left_at: Instant,
}

/// A transaction with what was gathered.
#[derive(Clone, Copy)]
struct Open {
    number: u64,
    commit_at: Instant,
}

impl Writer {
    fn new(db: Db) -> Self {
        let (now, lost) = (Instant::now(), BTreeSet::new());
        let why = String::new();
        Self { db, open: None, count: 0, lost, why, careful_until: now, left_at: now }
    }

    /// Runs jobs until nobody can give any.
    fn serve(&mut self, queue: &mpsc::Receiver<Job>) {
        loop {
            let (asked, open) = (Instant::now(), self.open);
            let next = match open {
                Some(open) => queue.recv_timeout(open.commit_at.saturating_duration_since(asked)),
                None => queue.recv().map_err(RecvTimeoutError::from),
            };
            if open.is_none() && asked.elapsed() >= LEFT {
                self.left_at = Instant::now();
            }
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

    /// Runs a job of somebody who has gathered in `last` before; gives in which transaction.
    fn gather<T>(
        &mut self,
        last: Option<u64>,
        job: impl FnOnce(&Db) -> Result<T, StoreError>,
    ) -> Result<(u64, T), StoreError> {
        last.map_or(Ok(()), |last| self.is_whole(last))?;
        let Open { number, commit_at } = match self.open {
            Some(open) => open,
            None => self.open()?,
        };
        let done = job(&self.db).and_then(|value| match self.db.connection.is_autocommit() {
            // Of an error that ends a transaction the job has told nothing.
            true => Err(StoreError::Lost("the transaction has ended".to_owned())),
            false => Ok(value),
        });
        let value = self.rolled_back_unless(done)?;
        if Instant::now() >= commit_at {
            self.close();
            self.is_whole(number)?;
        }
        Ok((number, value))
    }

    fn keep(&mut self, last: u64) -> Result<(), StoreError> {
        if self.open.is_some_and(|open| open.number == last) {
            self.close();
        }
        self.is_whole(last)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if self.left_at.elapsed() > GATHERED {
            std::thread::sleep(LEFT);
            self.left_at = Instant::now();
        }
        self.db.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.db.memo.changed_before.set(Some(self.db.connection.total_changes()));
        Ok(())
    }

    fn open(&mut self) -> Result<Open, StoreError> {
        self.begin()?;
        self.count += 1;
        let now = Instant::now();
        let commit_at = if now < self.careful_until { now } else { now + GATHERED };
        Ok(*self.open.insert(Open { number: self.count, commit_at }))
    }

    /// Ends the transaction with what was gathered. Whoever gathered it is told when they come again.
    fn close(&mut self) {
        if self.open.is_some() {
            let done = self.db.connection.execute_batch("COMMIT").map_err(StoreError::from);
            match self.rolled_back_unless(done) {
                Ok(()) => self.open = None,
                Err(error) => tracing::error!(%error, "what was read last was not stored"),
            }
        }
    }

    /// An error, if that transaction was lost.
    fn is_whole(&self, number: u64) -> Result<(), StoreError> {
        match self.lost.contains(&number) {
            true => Err(StoreError::Lost(self.why.clone())),
            false => Ok(()),
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
        if let Some(open) = self.open.take() {
            why.clone_into(&mut self.why);
            self.careful_until = Instant::now() + CAREFUL;
            self.lost.insert(open.number);
            if self.lost.len() > MOST_LOST {
                self.lost.pop_first();
            }
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
