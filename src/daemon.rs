//! Wires the configuration to the steps, and runs them: once, or in loops until told to stop.
//!
//! One loop for each source and each endpoint, one for nudges. A failing source or endpoint holds
//! up nobody else; every loop ends on the token, and what it was doing is done again next time.

mod build;
mod login;
mod loops;
mod pause;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{self, Clock};
use crate::deliver::{Pace, Verdict};
use crate::http::Clients;
use crate::model::{Span, Timestamp};
use crate::pipeline::deliver::{Step, Target};
use crate::pipeline::sync::{PassError, Progress};
use crate::pipeline::{Rules, deliver, nudge, sync};
use crate::source::SourceError;
use crate::store::{Store, StoreError, report};

pub use build::{BuildError, open, rules_for_reading};

/// Sources read at a time by a one-time pass.
const SOURCES_AT_ONCE: usize = 8;

/// Everything that the loops share.
pub struct Daemon {
    store: Arc<Store>,
    rules: Arc<Rules>,
    sources: Vec<Scheduled>,
    targets: Vec<Arc<Target>>,
    clients: Clients,
    pace: Pace,
    clock: Clock,
    /// Exchanges of tokens under way: to end in the middle of one may lose a refresh token.
    refreshes: TaskTracker,
    /// What the passes have done so far.
    pub progress: Progress,
    /// Something changed that may make relationships due.
    stored: Notify,
    /// Something is owed to endpoints.
    owed: Notify,
    /// Why the last commit failed, if it did.
    unstored: Mutex<Option<String>>,
}

/// A source and how often it is read.
struct Scheduled {
    source: sync::Source,
    poll: Span,
    /// Connections to its host, shared with other sources there.
    host: Option<Arc<Semaphore>>,
}

/// What one pass of everything came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Messages stored for the first time.
    pub messages: usize,
    /// Interactions stored.
    pub interactions: usize,
    /// Nudges made.
    pub nudges: usize,
    /// Deliveries that arrived.
    pub delivered: usize,
    /// Deliveries that did not, and will be tried again.
    pub postponed: usize,
    /// Sources that could not be read through, with the reason.
    pub failures: Vec<(String, String)>,
}

impl Daemon {
    /// Reads every source through, decides what is due, and tries what is owed, once.
    ///
    /// # Errors
    /// What the store says. A source that fails is in the summary, and does not stop the others.
    pub async fn run_once(&self, stop: &CancellationToken) -> Result<Summary, StoreError> {
        use futures_util::StreamExt;
        let mut summary = Summary::default();
        let passes = self.sources.iter().map(|s| async move { (s, self.pass(s, stop).await) });
        let mut passes = futures_util::stream::iter(passes).buffer_unordered(SOURCES_AT_ONCE);
        while let Some((scheduled, outcome)) = passes.next().await {
            match outcome {
                Ok(done) => {
                    summary.messages += done.stored.messages;
                    summary.interactions += done.stored.interactions;
                }
                Err(PassError::Store(error)) => return Err(error),
                Err(PassError::Source(error)) => {
                    summary.failures.push((scheduled.source.name.clone(), error.to_string()));
                }
            }
        }
        if stop.is_cancelled() {
            self.settle().await;
            return Ok(summary);
        }
        summary.nudges = self.nudge().await?.made.len();
        self.deliver_due(&mut summary, stop).await?;
        summary.failures.sort();
        Ok(summary)
    }

    /// Tries everything that is owed and due, once; endpoints side by side.
    ///
    /// # Errors
    /// What the store says.
    pub async fn deliver_due(
        &self,
        summary: &mut Summary,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let tries = self.targets.iter().map(|target| self.deliver_once(target, now, stop));
        for (delivered, postponed) in futures_util::future::try_join_all(tries).await? {
            summary.delivered += delivered;
            summary.postponed += postponed;
        }
        Ok(())
    }

    /// Goes by another clock from now on.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// Tries everything that an endpoint is owed at `now`, once: how many arrived, and how many not.
    async fn deliver_once(
        &self,
        target: &Target,
        now: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(usize, usize), StoreError> {
        let (mut delivered, mut postponed) = (0, 0);
        while let Some(step) = stop.run_until_cancelled(self.deliver(target, now)).await {
            match step? {
                Step::Tried { verdict: Verdict::Delivered, .. } => delivered += 1,
                Step::Tried { verdict: Verdict::Retry { .. } | Verdict::Dead { .. }, .. } => {
                    postponed += 1;
                }
                Step::Tried { verdict: Verdict::Disable { .. }, .. } | Step::Idle { .. } => break,
            }
        }
        Ok((delivered, postponed))
    }

    /// Waits for what must not be ended in the middle.
    async fn settle(&self) {
        self.refreshes.close();
        self.refreshes.wait().await;
    }

    /// The number of sources.
    #[must_use]
    pub fn source_count(&self) -> usize {
        self.sources.len()
    }

    async fn pass(
        &self,
        scheduled: &Scheduled,
        stop: &CancellationToken,
    ) -> Result<sync::Outcome, PassError> {
        let _place = match &scheduled.host {
            Some(host) => Some(
                tokio::select! {
                    place = host.acquire() => place,
                    () = stop.cancelled() => return Err(SourceError::Stopped.into()),
                }
                .map_err(|_| SourceError::Stopped)?,
            ),
            None => None,
        };
        let now = self.clock.now();
        let passed =
            sync::pass(&self.store, &self.rules, &scheduled.source, now, &self.progress, stop)
                .await;
        let unstored = match &passed {
            Err(PassError::Store(error)) => Some(error.to_string()),
            _ => None,
        };
        *self.unstored.lock().unwrap_or_else(PoisonError::into_inner) = unstored;
        passed
    }

    async fn nudge(&self) -> Result<nudge::Outcome, StoreError> {
        let rules = Arc::clone(&self.rules);
        let endpoints: Vec<i64> = self.targets.iter().map(|target| target.id).collect();
        let now = self.clock.now();
        let outcome = self.store.write(move |db| nudge::step(db, &rules, &endpoints, now)).await?;
        for (decision, count) in &outcome.decided {
            tracing::debug!(decision, count, "relationships decided");
        }
        Ok(outcome)
    }

    /// One try of what an endpoint is owed first at `due`.
    async fn deliver(&self, target: &Target, due: Timestamp) -> Result<Step, StoreError> {
        let (now, jitter) = (|| self.clock.now(), clock::draw());
        let step =
            deliver::step(&self.store, &self.clients, &self.pace, target, due, now, jitter).await?;
        if let Step::Tried { id, verdict } = &step {
            log(&target.endpoint.name, id, verdict);
        }
        Ok(step)
    }
}

impl crate::serve::Vitals for Daemon {
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
}

/// One line for each try.
fn log(endpoint: &str, id: &str, verdict: &Verdict) {
    match verdict {
        Verdict::Delivered => tracing::info!(endpoint, id, "nudge delivered"),
        Verdict::Retry { at, why } => {
            tracing::warn!(endpoint, id, why, next_attempt_at = %at, "nudge not delivered yet");
        }
        Verdict::Dead { why } => tracing::error!(endpoint, id, why, "nudge given up"),
        Verdict::Disable { why } => {
            tracing::error!(endpoint, id, why, "endpoint disabled: give it another url to use it");
        }
    }
}
