//! How the daemon is: whether it can do its work, and what is measured of it.
//!
//! Measured by a connection of its own, so that asking holds up nothing that is being stored.

use std::path::Path;
use std::sync::PoisonError;

use tokio::sync::Semaphore;

use super::Daemon;
use crate::model::Timestamp;
use crate::serve::{Metrics, SourceMetrics, Vitals};
use crate::store::{Db, StoreError, mailbox, open_reader, outbox, report, source};

/// Whoever asks often waits for the answers to those who asked before.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

impl Vitals for Daemon {
    /// The last commit went well, and so does a transaction with nothing in it, which a full or
    /// read-only disk refuses.
    async fn ready(&self) -> Result<(), String> {
        let unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(why) = unstored {
            return Err(why);
        }
        match self.store.write(report::probe_write).await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn metrics(&self) -> Result<Metrics, String> {
        let (path, now) = (self.store.path().to_owned(), self.clock.now());
        let _turn = ONE_AT_A_TIME.acquire().await.map_err(|error| error.to_string())?;
        let measured = tokio::task::spawn_blocking(move || measure(&path, now)).await;
        match measured {
            Ok(Ok(metrics)) => Ok(metrics),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the database was not read: this is a fault in keepwarm".to_owned()),
        }
    }
}

fn measure(path: &Path, now: Timestamp) -> Result<Metrics, StoreError> {
    let db = open_reader(path)?;
    let sizes = report::sizes(&db)?;
    let (pending, delivered, dead) = outbox::counts(&db, now)?;
    let found = source::all(&db)?;
    Ok(Metrics {
        sources: found.into_iter().map(|one| of_source(&db, one)).collect::<Result<_, _>>()?,
        messages: sizes.messages,
        interactions: sizes.interactions,
        nudges: sizes.nudges,
        quarantined: sizes.quarantined,
        outbox: vec![("pending", pending), ("delivered", delivered), ("dead", dead)],
    })
}

fn of_source(db: &Db, found: source::Source) -> Result<SourceMetrics, StoreError> {
    let reading = mailbox::reading(&mailbox::all(db, found.id)?, found.condition.state);
    Ok(SourceMetrics {
        name: found.name,
        state: found.condition.state,
        failures: found.condition.failures,
        fresh_at: found.fresh_at,
        on_server: reading.on_server,
        seen: reading.seen,
        missing: reading.missing,
    })
}
