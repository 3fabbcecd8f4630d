//! The loops: a dozen lines each around a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Daemon, Scheduled, pause::pause};
use crate::clock;
use crate::model::{Span, Timestamp};
use crate::pipeline::deliver::{Step, Target};
use crate::pipeline::sync::PassError;
use crate::source::SourceError;

/// A loop looks again at least this often, whatever it was told: clocks jump.
const LONGEST_SLEEP: Span = Span::from_hours(1);
/// After the store has failed: a full disk may be freed.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// When the nudge loop was last alive, for the watchdog.
#[derive(Debug, Default)]
pub struct Heartbeat(AtomicI64);

impl Heartbeat {
    /// The last sign of life.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Daemon {
    /// Starts every loop; they end on `stop`, tracked by `tasks`.
    pub fn start(
        self: &Arc<Self>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Arc<Heartbeat> {
        let heartbeat = Arc::new(Heartbeat::default());
        for index in 0..self.sources.len() {
            let (daemon, stop) = (Arc::clone(self), stop.clone());
            tasks.spawn(async move {
                if let Some(scheduled) = daemon.sources.get(index) {
                    daemon.source_loop(scheduled, &stop).await;
                }
            });
        }
        for target in &self.targets {
            let (daemon, stop, target) = (Arc::clone(self), stop.clone(), Arc::clone(target));
            tasks.spawn(async move { daemon.deliver_loop(&target, &stop).await });
        }
        let (daemon, ends) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move {
            ends.cancelled().await;
            daemon.settle().await;
        });
        let (daemon, stop, beat) = (Arc::clone(self), stop.clone(), Arc::clone(&heartbeat));
        tasks.spawn(async move { daemon.nudge_loop(&beat, &stop).await });
        heartbeat
    }

    async fn source_loop(&self, scheduled: &Scheduled, stop: &CancellationToken) {
        let name = scheduled.source.name.as_str();
        let mut failures = 0;
        while !stop.is_cancelled() {
            let error = match self.pass(scheduled, stop).await {
                Ok(done) => {
                    failures = 0;
                    let (messages, interactions) = (done.stored.messages, done.stored.interactions);
                    if messages + interactions > 0 {
                        tracing::info!(source = name, messages, interactions, "source read");
                    }
                    None
                }
                Err(PassError::Source(SourceError::Stopped)) => return,
                Err(PassError::Source(error)) => {
                    failures += 1;
                    tracing::warn!(source = name, failures, %error, "source not read");
                    Some(error)
                }
                Err(PassError::Store(error)) => {
                    failures += 1;
                    tracing::error!(source = name, %error, "nothing can be stored");
                    rest(STORE_PAUSE, stop).await;
                    continue;
                }
            };
            self.stored.notify_one();
            let wait = pause(error.as_ref(), failures, scheduled.poll, clock::draw());
            rest(wait.to_duration(), stop).await;
        }
    }

    async fn nudge_loop(&self, heartbeat: &Heartbeat, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.nudge().await {
                Ok(outcome) => {
                    for id in &outcome.made {
                        tracing::info!(id, "nudge made");
                    }
                    if !outcome.made.is_empty() {
                        self.owed.notify_waiters();
                    }
                    self.until(outcome.next_due)
                }
                Err(error) => {
                    tracing::error!(%error, "nudges cannot be decided");
                    STORE_PAUSE
                }
            };
            heartbeat.0.store(self.clock.now().millis(), Ordering::Relaxed);
            tokio::select! {
                () = self.stored.notified() => {}
                () = rest(wait, stop) => {}
            }
        }
    }

    async fn deliver_loop(&self, target: &Target, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            // Asked for before the step, so that what is owed meanwhile is not missed.
            let owed = self.owed.notified();
            let wait = tokio::select! {
                step = self.deliver(target, self.clock.now()) => match step {
                    Ok(Step::Tried { verdict: crate::deliver::Verdict::Disable { .. }, .. }) => return,
                    Ok(Step::Tried { .. }) => continue,
                    Ok(Step::Idle { next }) => self.until(next),
                    Err(error) => {
                        tracing::error!(endpoint = target.endpoint.name, %error, "outbox not read");
                        STORE_PAUSE
                    }
                },
                () = stop.cancelled() => return,
            };
            tokio::select! {
                () = owed => {}
                () = rest(wait, stop) => {}
            }
        }
    }

    /// How long to sleep until an instant, at least a second.
    fn until(&self, next: Option<Timestamp>) -> Duration {
        let wait = next.map_or(LONGEST_SLEEP, |at| (at - self.clock.now()).min(LONGEST_SLEEP));
        wait.to_duration().max(Duration::from_secs(1))
    }
}

/// Sleeps, or until told to stop.
async fn rest(wait: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stop.cancelled() => {}
    }
}
