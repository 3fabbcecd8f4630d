//! Watches the files and directories of calendars, by looking at them.
//!
//! Guarantees that a change is told of within two seconds, and only when it has lasted for one
//! look, so that a file is seldom read while it is being written. Looking, not inotify: it sees
//! files on network shares and behind symbolic links that are swapped, leaves no watch on a file
//! that was replaced, needs none of the 128 instances that a user may have, and a look costs a
//! microsecond or two: all files are looked at together, on a thread that may block, and only who
//! waits for one that has changed is woken. While a network share hangs, changes elsewhere are seen
//! when their source is polled. Of a directory its own entry is looked at: files that are added,
//! removed or replaced are seen at once, those written in place when the source is next polled.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch::{self, Receiver, Sender};

/// Between two looks.
const BEAT: Duration = Duration::from_millis(800);

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// All that is watched. Clones watch together.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<HashMap<PathBuf, Look>>>);

/// One file that somebody waits for.
#[derive(Debug)]
struct Look {
    /// How it was found last.
    last: Option<Stamp>,
    /// How it was found twice in a row.
    settled: Sender<Option<Stamp>>,
}

impl Stamp {
    /// The present state, if there is something.
    pub(super) async fn of(path: &Path) -> Option<Self> {
        tokio::fs::metadata(path).await.ok().map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Watch {
    /// Waits until there is something else at `path` than `known`. What is gone is waited for:
    /// whoever replaces a file may remove it first.
    pub(super) async fn changed(&self, path: &Path, known: Stamp) {
        let mut settled = self.join(path);
        let differs = |now: &Option<Stamp>| now.is_some_and(|now| now != known);
        // The sender stays as long as somebody waits.
        if settled.wait_for(differs).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Has a file looked at; the first to ask begins to look.
    fn join(&self, path: &Path) -> Receiver<Option<Stamp>> {
        let mut looks = self.lock();
        let begins = looks.is_empty();
        let look = looks
            .entry(path.to_owned())
            .or_insert_with(|| Look { last: None, settled: watch::channel(None).0 });
        let settled = look.settled.subscribe();
        drop(looks);
        if begins {
            tokio::spawn(self.clone().look_on());
        }
        settled
    }

    /// Looks until nobody waits any more.
    async fn look_on(self) {
        loop {
            tokio::time::sleep(BEAT).await;
            let paths: Vec<PathBuf> = {
                let mut looks = self.lock();
                looks.retain(|_, look| look.settled.receiver_count() > 0);
                if looks.is_empty() {
                    return;
                }
                looks.keys().cloned().collect()
            };
            let found = tokio::task::spawn_blocking(move || look(paths)).await;
            let mut looks = self.lock();
            for (path, now) in found.unwrap_or_default() {
                if let Some(look) = looks.get_mut(&path) {
                    look.find(now);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    fn find(&mut self, now: Stamp) {
        if self.last.replace(now) == Some(now) {
            self.settled.send_if_modified(|settled| settled.replace(now) != Some(now));
        }
    }
}

/// The states of those files that are there.
fn look(paths: Vec<PathBuf>) -> Vec<(PathBuf, Stamp)> {
    let there = paths.into_iter().filter_map(|path| {
        let stamp = Stamp::from(&fs::metadata(&path).ok()?);
        Some((path, stamp))
    });
    there.collect()
}
