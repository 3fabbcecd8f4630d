//! Watches the file or directory of a calendar, by looking at it.
//!
//! Guarantees that a change is told of within two seconds, and only when it has lasted for one
//! look, so that a file is seldom read while it is being written. Looking, not inotify: it sees
//! files on network shares and behind symbolic links that are swapped, it needs no watch that a
//! replaced file leaves behind and none of the 128 instances that a user may have, and a look costs
//! a few microseconds. All looks fall on one beat, so that thousands of them wake the process once.
//! Of a directory only its own entry is looked at: files in it that are added, removed or replaced
//! are seen at once, those written in place when the source is next polled.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::fs;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// How often is looked.
const BEAT: Duration = Duration::from_millis(900);

/// Looks at a time: a network share that does not answer holds up no more threads than these.
static LOOKS: Semaphore = Semaphore::const_new(8);

/// From when the beats are counted.
static FIRST_BEAT: OnceLock<Instant> = OnceLock::new();

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The present state, if there is something.
    pub(super) async fn of(path: &Path) -> Option<Self> {
        let _look = LOOKS.acquire().await.ok()?;
        fs::metadata(path).await.ok().map(|metadata| Self::from(&metadata))
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

/// Waits until there is something else at `path` than `known`. What is gone is waited for: whoever
/// replaces a file may remove it first.
pub(super) async fn changed(path: &Path, known: Stamp) {
    let mut before = known;
    loop {
        sleep_until(next_beat()).await;
        let Some(now) = Stamp::of(path).await else { continue };
        if now != known && now == before {
            return;
        }
        before = now;
    }
}

fn next_beat() -> Instant {
    let (now, first) = (Instant::now(), *FIRST_BEAT.get_or_init(Instant::now));
    let beats = now.duration_since(first).as_millis() / BEAT.as_millis() + 1;
    first + BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
}
