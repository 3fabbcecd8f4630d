//! How the daemon is: whether it can do its work, and what is measured of it.
//!
//! Measured by a connection of its own, so that asking holds up nothing that is being stored.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Daemon;
use crate::model::{Span, Timestamp};
use crate::pipeline::nudge::view::standing;
use crate::serve::{EndpointMetrics, LoopMetrics, Metrics, NudgeMetrics, SourceMetrics};
use crate::store::{
    Db, StoreError, endpoint, mailbox, nudge, open_reader, outbox, rep, report, sibling, source,
};

/// Whoever asks often waits for the answers to those who asked before.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

impl Daemon {
    /// Whether what is read can be stored, and why not: the last commit went well, and so does a
    /// transaction with nothing in it, which a full or read-only disk refuses.
    pub(super) async fn is_ready(&self) -> Result<(), String> {
        let unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(why) = unstored {
            return Err(why);
        }
        match self.store.write(report::probe_write).await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What is measured, or why it cannot be told.
    pub(super) async fn measured(&self) -> Result<Metrics, String> {
        let (path, now) = (self.store.path().to_owned(), self.clock.now());
        let _turn = ONE_AT_A_TIME.acquire().await.map_err(|error| error.to_string())?;
        let waits = (self.rules.restraint.observe, self.rules.policy.fresh);
        let measured = tokio::task::spawn_blocking(move || measure(&path, waits, now)).await;
        match measured {
            Ok(Ok(metrics)) => Ok(Metrics { loops: self.loops(), ..metrics }),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the database was not read: this is a fault in keepwarm".to_owned()),
        }
    }

    fn loops(&self) -> Vec<LoopMetrics> {
        let all = self.pulses.all(Instant::now()).into_iter();
        all.map(|(of, healthy)| LoopMetrics { does: of.does, name: of.name, healthy }).collect()
    }
}

fn measure(path: &Path, waits: (Span, Span), now: Timestamp) -> Result<Metrics, StoreError> {
    let db = open_reader(path)?;
    let sizes = report::sizes(&db)?;
    let counts = outbox::counts(&db, now)?;
    let found = source::all(&db)?;
    Ok(Metrics {
        store: store_files(path),
        sources: found.into_iter().map(|one| of_source(&db, one, now)).collect::<Result<_, _>>()?,
        messages: sizes.messages,
        interactions: sizes.interactions,
        nudges: nudges(&db, now)?,
        withheld: withheld(&db, waits, now)?,
        quarantined: sizes.quarantined,
        outbox: vec![
            ("pending", counts.pending),
            ("delivered", counts.delivered),
            ("dead", counts.dead),
            ("cancelled", counts.cancelled),
        ],
        oldest_pending_at: counts.oldest_at,
        endpoints: endpoint::all(&db, now)?.into_iter().map(|one| of_endpoint(one, now)).collect(),
        loops: Vec::new(),
    })
}

fn nudges(db: &Db, now: Timestamp) -> Result<Vec<NudgeMetrics>, StoreError> {
    let mut by: BTreeMap<(String, String), i64> = BTreeMap::new();
    for counted in nudge::counts(db, now)? {
        *by.entry((counted.kind, counted.state)).or_default() += i64::from(counted.count);
    }
    let shown = by.into_iter().map(|((kind, state), count)| NudgeMetrics { kind, state, count });
    Ok(shown.collect())
}

/// Why reps are told nothing: everybody, or those whose mail may be missing.
fn withheld(
    db: &Db,
    waits: (Span, Span),
    now: Timestamp,
) -> Result<Vec<(&'static str, i64)>, StoreError> {
    let standing = standing(db, waits, now)?;
    let unread = |reason| standing.unread.iter().filter(|one| one.reason == reason).count();
    let unread = |reason| i64::try_from(unread(reason)).unwrap_or(i64::MAX);
    let reps = i64::try_from(rep::all(db)?.len()).unwrap_or(i64::MAX);
    let all = |so: bool| if so { reps } else { 0 };
    let held = standing.held.iter().filter(|held| held.allowed_until.is_none_or(|at| at <= now));
    let held = i64::try_from(held.count()).unwrap_or(i64::MAX);
    Ok(vec![
        ("observing", all(standing.observing_until.is_some())),
        ("clock", all(standing.clock.is_some())),
        ("mass_decay", held),
        ("stale", unread("stale")),
        ("backfilling", unread("backfilling")),
    ])
}

fn of_endpoint(found: endpoint::Endpoint, now: Timestamp) -> EndpointMetrics {
    let held = found.condition.held_until.is_some_and(|until| until > now);
    let state = match found.gone_at {
        Some(_) => "gone",
        None if held => "held",
        None => "active",
    };
    let (failures, pending, dead) = (found.condition.failures, found.pending, found.dead);
    EndpointMetrics { name: found.name, state, failures, pending, dead }
}

/// What the database and its log take on the disk.
fn store_files(path: &Path) -> Vec<(&'static str, i64)> {
    let size = |suffix: &str| {
        let bytes = std::fs::metadata(sibling(path, suffix)).map_or(0, |file| file.len());
        i64::try_from(bytes).unwrap_or(i64::MAX)
    };
    vec![("database", size("")), ("wal", size("-wal"))]
}

fn of_source(db: &Db, found: source::Source, now: Timestamp) -> Result<SourceMetrics, StoreError> {
    let reading = mailbox::reading(&mailbox::all(db, found.id)?, found.condition.state);
    Ok(SourceMetrics {
        name: found.name,
        state: found.condition.state,
        failures: found.condition.failures,
        fresh_at: found.fresh_at,
        lag: found.fresh_at.map(|at| now - at),
        on_server: reading.on_server,
        seen: reading.seen,
        missing: reading.missing,
    })
}
