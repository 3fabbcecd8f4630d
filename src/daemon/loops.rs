//! The loops: a dozen lines each around a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Daemon, Scheduled};
use crate::clock;
use crate::model::source_state::out_of_step;
use crate::model::{Occasion, Span, Timestamp};
use crate::pipeline::deliver::{Step, Target};
use crate::pipeline::sync::{self, Attempt, PassError};
use crate::source::{self, Glance, Kept, Rest, Scope, SourceError, Woken};

/// A loop looks again at least this often, whatever it was told: clocks jump.
const LONGEST_SLEEP: Span = Span::from_hours(1);
/// A source that is left alone is looked at again so often: what keeps it waiting may have changed.
const LOOK: Span = Span::from_seconds(60);
/// Looks at sources begin on the beat: so the process wakes for several of thousands at a time,
/// which costs a good part of what looking costs.
const BEAT: Duration = Duration::from_millis(250);
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

/// What a turn of a source came to.
enum Turn {
    /// Nothing is new, and nothing was written down: nobody has to hear of it.
    Glance,
    /// A pass, or that nothing is new.
    Written(sync::Outcome),
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
        let (daemon, ends) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { daemon.request_loop(&ends).await });
        let (daemon, ends) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { daemon.retention_loop(&ends).await });
        let (daemon, stop, beat) = (Arc::clone(self), stop.clone(), Arc::clone(&heartbeat));
        tasks.spawn(async move { daemon.nudge_loop(&beat, &stop).await });
        heartbeat
    }

    /// Reads a source, waits until it tells of news or its time has come, and so on.
    async fn source_loop(&self, scheduled: &Scheduled, stop: &CancellationToken) {
        let name = scheduled.source.name.as_str();
        let mut kept = Kept::default();
        let (mut scope, mut occasion) = (Scope::Everything, Occasion::Start);
        let mut next_poll = Instant::now();
        // Not all at the same instant, where there are many.
        rest(start_delay(self.sources.len(), clock::draw()), stop).await;
        while !stop.is_cancelled() {
            match self.turn(scheduled, &mut kept, (scope, occasion), stop).await {
                Ok(Turn::Glance) => {
                    next_poll = self.on_beat(soon(out_of_step(scheduled.poll, clock::draw())));
                    occasion = Occasion::Routine;
                }
                Ok(Turn::Written(done)) => {
                    let (messages, interactions) = (done.stored.messages, done.stored.interactions);
                    if messages + interactions > 0 {
                        tracing::info!(source = name, messages, interactions, "source read");
                        self.stored.notify_one();
                    }
                    if done.rest == Rest::Something {
                        scope = Scope::Everything;
                        continue;
                    }
                    if scope == Scope::Everything {
                        self.stored.notify_one();
                        next_poll = self.on_beat(soon(out_of_step(scheduled.poll, clock::draw())));
                    }
                    occasion = Occasion::Routine;
                }
                Err(PassError::NotYet { until, .. }) => {
                    next_poll = soon((until - self.clock.now()).min(LOOK));
                }
                Err(PassError::Source(SourceError::Stopped)) => return,
                Err(PassError::Source(error)) => {
                    tracing::warn!(source = name, %error, "source not read");
                    self.stored.notify_one();
                    // How long it is left alone stands in the database.
                    next_poll = Instant::now();
                    occasion = Occasion::Routine;
                }
                Err(PassError::Store(error)) => {
                    tracing::error!(source = name, %error, "nothing can be stored");
                    rest(STORE_PAUSE, stop).await;
                    continue;
                }
            }
            scope = Scope::Everything;
            let most = next_poll.saturating_duration_since(Instant::now());
            // A connection that is open is not waiting for anybody to sign in.
            let waits = !kept.is_connected();
            let woken = tokio::select! {
                woken = source::wait(&scheduled.source.reader, &mut kept, most, stop) => woken,
                () = scheduled.signed_in.notified(), if waits => Woken::Time,
            };
            match woken {
                Woken::News if next_poll > Instant::now() => scope = Scope::News,
                Woken::News | Woken::Time => {}
                Woken::Lost { error, lived } => self.lost(scheduled, &error, lived).await,
                Woken::Stopped => return,
            }
        }
    }

    /// Notes that a kept connection was lost: the next pass waits as long as it should.
    async fn lost(&self, scheduled: &Scheduled, error: &SourceError, lived: Duration) {
        let name = scheduled.source.name.as_str();
        let since = self.clock.now() - Span::from_duration(lived);
        // Nobody was refused.
        let (jitter, occasion, fingerprint) = (clock::draw(), Occasion::Routine, None);
        let attempt = Attempt { clock: self.clock, jitter, occasion, fingerprint };
        match sync::lost(&self.store, &scheduled.source, since, error, attempt).await {
            Ok(condition) => {
                tracing::debug!(source = name, %error, failures = condition.failures, "lost");
            }
            Err(error) => tracing::error!(source = name, %error, "nothing can be stored"),
        }
    }

    /// One pass, unless a glance tells that there is nothing to read and nothing is asked for again.
    async fn turn(
        &self,
        scheduled: &Scheduled,
        kept: &mut Kept,
        (scope, occasion): (Scope, Occasion),
        stop: &CancellationToken,
    ) -> Result<Turn, PassError> {
        let reader = &scheduled.source.reader;
        if scope == Scope::News || source::glance(reader, kept, stop).await == Glance::Changed {
            return self.pass(scheduled, kept, (scope, occasion), stop).await.map(Turn::Written);
        }
        if !scheduled.is_due(self.clock.now()) {
            return Ok(Turn::Glance);
        }
        let attempt = self.attempt(scheduled, kept, occasion).await;
        let going = self.going(attempt, stop);
        if sync::unchanged(going, &scheduled.source, kept).await? == Rest::Something {
            return self.pass(scheduled, kept, (scope, occasion), stop).await.map(Turn::Written);
        }
        Ok(Turn::Written(sync::Outcome::default()))
    }

    async fn nudge_loop(&self, heartbeat: &Heartbeat, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.nudge().await {
                Ok(outcome) => {
                    for id in &outcome.made {
                        tracing::info!(id, "nudge made");
                    }
                    if outcome.owed > 0 {
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
                    Ok(Step::Tried { .. } | Step::Unwritten { .. } | Step::Settled) => continue,
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

    /// The first beat from an instant on.
    fn on_beat(&self, at: Instant) -> Instant {
        let beats = at.duration_since(self.began).as_millis().div_ceil(BEAT.as_millis());
        self.began + BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
    }

    /// How long to sleep until an instant, at least a second.
    fn until(&self, next: Option<Timestamp>) -> Duration {
        let wait = next.map_or(LONGEST_SLEEP, |at| (at - self.clock.now()).min(LONGEST_SLEEP));
        wait.to_duration().max(Duration::from_secs(1))
    }
}

/// How long one of so many sources waits before it is first read; `jitter` is from 0 to 1.
fn start_delay(sources: usize, jitter: f64) -> Duration {
    const EACH: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(30);
    let others = u32::try_from(sources.saturating_sub(1)).unwrap_or(u32::MAX);
    EACH.saturating_mul(others).min(LONGEST).mul_f64(jitter.clamp(0.0, 1.0))
}

/// The instant after a span.
fn soon(wait: Span) -> Instant {
    Instant::now() + wait.to_duration()
}

/// Sleeps, or until told to stop.
async fn rest(wait: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stop.cancelled() => {}
    }
}
