//! One pass over one source: deltas are normalised and stored while the next one is fetched; those that
//! wait for the writer are stored as one, and what a backfill brings is gathered for a commit.

mod attempt;
mod batch;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::model::{Delta, KnownMailbox, Link, Occasion, Role, Span, Timestamp};
use crate::nudge::AGAIN;
use crate::source::{self, Kept, Pass, Reader, Rest, Scope, SkipReason, SourceError};
use crate::store::source::Freshness;
use crate::store::{Db, Gathering, Store, StoreError, quarantine, relationship, source as sources};

use super::ingest::{self, Batch};
use super::{Rules, fold};

pub use attempt::{Attempt, admit, lost};

/// Deltas fetched ahead of the one being normalised.
const AHEAD: usize = 1;
/// No pass takes longer: what was put off while it ran was put off from an instant within it.
const LONGEST_PASS: Span = Span::from_hours(24);
/// Batches normalised ahead of the ones being stored: those that wait are stored as one.
const READY: usize = 2;
/// While more of a source is to come, what it has put off is folded this often at most: that costs
/// the more the more is stored, and whoever reads meanwhile folds for himself.
const SETTLE_EVERY: Span = Span::from_seconds(60);

/// A source as a pass needs it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its row.
    pub id: i64,
    /// The row of its rep.
    pub rep: i64,
    /// Its name, for messages.
    pub name: String,
    /// How it is read.
    pub reader: Reader,
    /// Whose `Authentication-Results` are believed.
    pub authserv_id: Option<String>,
    /// How far back messages are stored; `None` is without limit.
    pub history: Option<Span>,
    /// Names of mailboxes where only the rep looks, in any case.
    pub private: Vec<String>,
}

/// What passes have done so far; shared with whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Items read.
    pub items: AtomicU64,
    /// Interactions stored.
    pub interactions: AtomicU64,
    /// When what passes have put off was last folded, before the end of any; in Unix milliseconds.
    settled_at: AtomicI64,
}

impl Progress {
    /// Whether it is time to fold what was put off though more is to come; it is done then.
    fn is_long_since_settled(&self, now: Timestamp) -> bool {
        let last = self.settled_at.load(Ordering::Relaxed);
        let is_long = last != 0 && now - Timestamp::from_millis(last) >= SETTLE_EVERY;
        if last == 0 || is_long {
            self.settled_at.store(now.millis(), Ordering::Relaxed);
        }
        is_long
    }
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Summed over its commits.
    pub stored: ingest::Outcome,
    /// Whether the source holds more, to be read as soon as its turn comes again.
    pub rest: Rest,
}

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The source is left alone: nothing was tried.
    #[error("not tried before {until}: {why}")]
    NotYet {
        /// Until when.
        until: Timestamp,
        /// Why, with what went wrong last.
        why: String,
    },
    /// The source's doing.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store's doing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a pass goes by.
#[derive(Clone, Copy, Debug)]
pub struct Going<'a> {
    /// Where it is stored.
    pub store: &'a Arc<Store>,
    /// By which rules.
    pub rules: &'a Arc<Rules>,
    /// The circumstances.
    pub attempt: Attempt,
    /// Where it is counted.
    pub progress: &'a Progress,
    /// Ends it early.
    pub stop: &'a CancellationToken,
}

/// Reads a source and stores what is new. May be cut off anywhere and called again; the connection
/// is in `kept` afterwards, unless the pass failed.
///
/// # Errors
/// [`PassError`]; what was committed before stands, and the source's row tells what went wrong.
pub async fn pass(
    going: Going<'_>,
    from: &Source,
    kept: &mut Kept,
    scope: Scope,
) -> Result<Outcome, PassError> {
    let Going { store, rules, attempt, progress, stop } = going;
    let now = attempt.clock.now();
    let mut gathering = Gathering::default();
    let attempt::Known { mailboxes: known, freshness } =
        attempt::begin(store, from, attempt, scope, now).await?;
    let mut behind = is_behind(&freshness, rules, now);
    let mut read_before: BTreeSet<String> =
        known.iter().filter(|k| k.cursor.is_some()).map(|k| k.name.clone()).collect();
    let (deltas, reading) = reading(from, std::mem::take(kept), scope, known, now, stop);
    let (mut batches, normalised) = normalising(deltas, from, rules.zone(from.rep), now);
    let mut outcome = Outcome::default();
    let mut quiet = Vec::new();
    let mut waiting = Vec::with_capacity(READY);
    while batches.recv_many(&mut waiting, READY).await > 0 {
        let loud = loud(waiting.drain(..), &mut quiet, progress);
        for batch in loud.iter().filter(|batch| !batch.complete) {
            behind = Behind::Yes;
            // Its past is not all there if it is refused from now on.
            read_before.insert(batch.mailbox.name.clone());
        }
        let stored = commit(store, &mut gathering, rules, loud, now).await?;
        progress.interactions.fetch_add(stored.interactions as u64, Ordering::Relaxed);
        outcome.stored += stored;
    }
    store.keep(&mut gathering).await?;
    let read = reading.end(kept).await;
    let read = match (normalised.await, read) {
        (Ok(Ok(())), read) => read,
        // The reader was only stopped by it.
        (_, Ok(_) | Err(SourceError::Stopped)) => Err(gave_up("the parser")),
        (_, Err(error)) => Err(error),
    };
    if let Ok(Pass { scope: Scope::News, rest, .. }) = read {
        outcome.rest = rest;
        return Ok(outcome);
    }
    if let Ok(Pass { rest: Rest::Something, .. }) = read {
        if progress.is_long_since_settled(now) {
            settle(store, rules, now).await?;
        }
        // What it lacks is judged when all that can be read has been.
        outcome.rest = Rest::Something;
        let id = from.id;
        store.write(move |db| sources::catching_up(db, id)).await?;
        return Ok(outcome);
    }
    settle(store, rules, now).await?;
    let read = read.and_then(|pass| whole(&pass, &read_before));
    let link = match attempt.occasion {
        // It is ended as soon as everything has been read.
        Occasion::Once => Link::Closed,
        Occasion::Start | Occasion::Routine => link(kept, now),
    };
    let end = End { behind, quiet, link, rules: Arc::clone(rules) };
    finish(store, from, read, end, attempt, now).await?;
    Ok(outcome)
}

/// Notes that a source holds nothing new as of now, without a pass; unless something of it waits to
/// be asked for again, or series of its rep to be laid out further, which takes one.
///
/// # Errors
/// What the store says.
pub async fn unchanged(going: Going<'_>, from: &Source, kept: &Kept) -> Result<Rest, StoreError> {
    let (id, rep, now) = (from.id, from.rep, going.attempt.clock.now());
    let link = link(kept, now);
    let note = move |db: &Db| {
        if quarantine::is_any_due(db, id, now)? || ingest::is_any_due(db, rep, now)? {
            return Ok(Rest::Something);
        }
        attempt::succeed(db, id, link, now)?;
        Ok(Rest::Nothing)
    };
    going.store.write(note).await
}

/// The connection that is kept, if one is.
fn link(kept: &Kept, now: Timestamp) -> Link {
    kept.age().map_or(Link::Closed, |age| Link::Open { since: now - Span::from_duration(age) })
}

fn gave_up(who: &str) -> SourceError {
    SourceError::Protocol(format!("{who} gave up: this is a fault in keepwarm"))
}

/// A source being read on the side. Ends early when it is dropped.
struct Reading {
    task: JoinHandle<(Result<Pass, SourceError>, Kept)>,
    _guard: DropGuard,
}

fn reading(
    from: &Source,
    mut kept: Kept,
    scope: Scope,
    known: Vec<KnownMailbox>,
    now: Timestamp,
    stop: &CancellationToken,
) -> (mpsc::Receiver<Delta>, Reading) {
    let (sink, deltas) = mpsc::channel(AHEAD);
    let (reader, stop) = (from.reader.clone(), stop.child_token());
    let _guard = stop.clone().drop_guard();
    let task = tokio::spawn(async move {
        let read = source::read(&reader, &mut kept, scope, &known, now, sink, &stop).await;
        (read, kept)
    });
    (deltas, Reading { task, _guard })
}

impl Reading {
    /// What came of it, when it has ended; what it leaves for the next time goes to `kept`.
    async fn end(self, kept: &mut Kept) -> Result<Pass, SourceError> {
        match self.task.await {
            Ok((read, held)) => {
                *kept = held;
                read
            }
            Err(_) => Err(gave_up("the reader")),
        }
    }
}

/// Looks again at threads that an upgrade has left, then folds what a backfill has, a bounded number
/// at a time.
async fn settle(store: &Store, rules: &Arc<Rules>, now: Timestamp) -> Result<(), StoreError> {
    let mut after = Some(0);
    while let Some(from) = after {
        let rules = Arc::clone(rules);
        after = store.write(move |db| ingest::place(db, &rules, now, from)).await?;
    }
    let mut after = Some(0);
    while let Some(from) = after {
        let rules = Arc::clone(rules);
        after = store.write(move |db| fold::settle(db, &rules, now, from)).await?;
    }
    Ok(())
}

/// Refuses a pass that lacks a mailbox which matters: one that was read before, or in which mail
/// arrives or is kept. Others may be refused for good, such as folders that somebody else shares.
fn whole(pass: &Pass, read_before: &BTreeSet<String>) -> Result<(), SourceError> {
    let mut lacking = pass.skipped.iter().filter_map(|skipped| match &skipped.reason {
        SkipReason::Refused(said) => {
            let matters = matches!(skipped.role, Some(Role::Inbox | Role::Sent | Role::All))
                || read_before.contains(&skipped.mailbox);
            matters.then_some(said)
        }
        _ => None,
    });
    let Some(first) = lacking.next() else { return Ok(()) };
    let (more, first) = (lacking.count(), first.trim_end_matches('.'));
    let others = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    Err(SourceError::Incomplete(format!(
        "a mailbox was refused{others}: {first}; hint: if it stays so, let the login read it or \
         name it in exclude_mailboxes"
    )))
}

/// Whether a rep's sources were too far behind for nudges when a pass began, or while it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Yes,
    No,
}

fn is_behind(freshness: &Freshness, rules: &Rules, now: Timestamp) -> Behind {
    let stale = freshness.oldest.is_none_or(|at| now - at > rules.policy.fresh);
    if stale || freshness.backfilling { Behind::Yes } else { Behind::No }
}

/// What is left to write when a pass has ended.
struct End {
    behind: Behind,
    /// Mailboxes in which nothing was new: all of them are one commit, not one each.
    quiet: Vec<Batch>,
    link: Link,
    rules: Arc<Rules>,
}

/// Makes due what was put off because a source of the rep, which a pass begun at `now` has just read,
/// had not been.
pub(super) fn catch_up(db: &Db, rep: i64, now: Timestamp) -> Result<(), StoreError> {
    relationship::hasten(db, rep, now, LONGEST_PASS + AGAIN)
}

/// Writes down how the pass ended. If it has caught up, what waited for that is due.
async fn finish(
    store: &Store,
    from: &Source,
    read: Result<(), SourceError>,
    end: End,
    attempt: Attempt,
    now: Timestamp,
) -> Result<(), PassError> {
    let (id, rep) = (from.id, from.rep);
    match read {
        Ok(()) => Ok(store
            .write(move |db| {
                for batch in &end.quiet {
                    ingest::commit_delta(db, batch, &end.rules, now)?;
                }
                if end.behind == Behind::Yes {
                    catch_up(db, rep, now)?;
                }
                attempt::succeed(db, id, end.link, now)
            })
            .await?),
        Err(SourceError::Stopped) => Err(SourceError::Stopped.into()),
        Err(error) => {
            attempt::fail(store, id, &error, attempt).await?;
            Err(error.into())
        }
    }
}

/// What comes of normalising on the side, and how that ends.
type Normalising = (mpsc::Receiver<(u64, Batch)>, JoinHandle<Result<(), JoinError>>);

/// Normalises deltas on the side, in their order, while earlier ones are committed: gives how many
/// items each held and what they make. The task ends early if normalising panics.
fn normalising(
    mut deltas: mpsc::Receiver<Delta>,
    from: &Source,
    zone: chrono_tz::Tz,
    now: Timestamp,
) -> Normalising {
    let (sink, batches) = mpsc::channel(READY);
    let from = Arc::new(from.clone());
    let task = tokio::spawn(async move {
        while let Some(delta) = deltas.recv().await {
            let (items, from) = (delta.items.len() as u64, Arc::clone(&from));
            let work = move || batch::normalise(delta, &from, zone, now);
            let batch = tokio::task::spawn_blocking(work).await?;
            if sink.send((items, batch)).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    (batches, task)
}

/// Those that have something to say, counted; the others are put to the quiet ones.
fn loud(
    waiting: impl Iterator<Item = (u64, Batch)>,
    quiet: &mut Vec<Batch>,
    progress: &Progress,
) -> Vec<Batch> {
    let mut loud = Vec::with_capacity(READY);
    for (items, batch) in waiting {
        if batch::is_quiet(&batch) {
            quiet.push(batch);
        } else {
            progress.items.fetch_add(items, Ordering::Relaxed);
            loud.push(batch);
        }
    }
    loud
}

/// Stores batches; with more to come, what they hold is kept when all that is to come has been stored,
/// or two seconds have passed.
async fn commit(
    store: &Store,
    gathering: &mut Gathering,
    rules: &Arc<Rules>,
    batches: Vec<Batch>,
    now: Timestamp,
) -> Result<ingest::Outcome, StoreError> {
    if batches.is_empty() {
        return Ok(ingest::Outcome::default());
    }
    let rules = Arc::clone(rules);
    let has_more = batches.iter().any(|batch| !batch.complete);
    let store_all = move |db: &Db| ingest::commit_deltas(db, &batches, &rules, now);
    let stored = store.gather(gathering, store_all).await?;
    if !has_more {
        store.keep(gathering).await?;
    }
    Ok(stored)
}
