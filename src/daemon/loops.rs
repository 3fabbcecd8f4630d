//! The loops: a dozen lines each around a step.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pulse::Beat;
use super::service::{Begun, Service};
use super::{Daemon, Scheduled};
use crate::clock;
use crate::model::source_state::out_of_step;
use crate::model::{Occasion, Span, Timestamp};
use crate::pipeline::deliver::{Step, Target};
use crate::pipeline::sync::{self, Attempt, PassError};
use crate::source::{self, Glance, Kept, Reader, Rest, Scope, SourceError, Woken};

/// A loop looks again at least this often, whatever it was told: clocks jump.
const LONGEST_SLEEP: Span = Span::from_hours(1);
/// A source that is left alone is looked at again so often: what keeps it waiting may have changed.
const LOOK: Span = Span::from_seconds(60);
/// Looks at sources begin on the beat: so the process wakes for several of thousands at a time,
/// which costs a good part of what looking costs.
const BEAT: Duration = Duration::from_millis(250);
/// After the store has failed: a full disk may be freed.
const STORE_PAUSE: Duration = Duration::from_secs(10);
/// How long a server may take to be taken leave of.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a turn of a source came to.
enum Turn {
    /// Nothing is new, and nothing was written down: nobody has to hear of it.
    Glance,
    /// A pass, or that nothing is new.
    Written(sync::Outcome),
}

/// Where the loop of a source stands.
struct Course {
    kept: Kept,
    scope: Scope,
    occasion: Occasion,
    next_poll: Instant,
}

/// What the loop of a source does after a turn.
enum Next {
    /// The next one.
    Turn,
    /// It rests.
    Pause(Duration),
    /// It waits for news.
    Wait(Reader),
}

/// Reads a source, waits until it tells of news or its time has come, and so on: until `stop`, or
/// until it is not configured any more. `together` sources are begun at the same time.
pub(super) async fn source_loop(
    service: &Service,
    (name, together): (&str, usize),
    beat: &Beat,
    stop: &CancellationToken,
) {
    let mut course = Course {
        kept: Kept::default(),
        scope: Scope::Everything,
        occasion: Occasion::Start,
        next_poll: Instant::now(),
    };
    // Not all at the same instant, where there are many.
    let delay = start_delay(together, clock::draw());
    beat.resting(delay);
    rest(delay, stop).await;
    while !stop.is_cancelled() {
        beat.queued();
        let Some(turn) = stop.run_until_cancelled(service.turn()).await else { break };
        let Some(scheduled) = turn.daemon.scheduled(name) else { break };
        beat.working();
        let next = turn.daemon.round(&scheduled, &mut course, beat, (&turn.cut, stop)).await;
        drop(turn);
        match next {
            Next::Turn => {}
            Next::Pause(most) => {
                beat.resting(most);
                rest(most, stop).await;
            }
            Next::Wait(reader) => {
                let most = course.next_poll.saturating_duration_since(Instant::now());
                beat.resting(most);
                // A connection that is open is not waiting for anybody to sign in.
                let waits = !course.kept.is_connected();
                let woken = tokio::select! {
                    woken = source::wait(&reader, &mut course.kept, most, stop) => woken,
                    () = scheduled.signed_in.notified(), if waits => Woken::Time,
                };
                match woken {
                    Woken::News if course.next_poll > Instant::now() => course.scope = Scope::News,
                    Woken::News | Woken::Time => {}
                    Woken::Lost { error, lived } => {
                        beat.queued();
                        let turn = stop.run_until_cancelled(service.turn());
                        let Some(turn) = turn.await else { break };
                        beat.working();
                        turn.daemon.lost(&scheduled, &error, lived).await;
                    }
                    Woken::Stopped => break,
                }
            }
        }
    }
    beat.resting(GOODBYE);
    // Nobody has to hear that it did not come to that.
    _ = tokio::time::timeout(GOODBYE, course.kept.close()).await;
}

impl Daemon {
    /// One turn of a source, and what is to be done after it. Ends early on `stop`, and on `cut`.
    async fn round(
        &self,
        scheduled: &Scheduled,
        course: &mut Course,
        beat: &Beat,
        (cut, stop): (&CancellationToken, &CancellationToken),
    ) -> Next {
        let name = scheduled.source.name.as_str();
        let ends = stop.child_token();
        let Course { kept, scope, occasion, next_poll } = course;
        let looks = (*scope, *occasion);
        let mut turn = std::pin::pin!(self.turn(scheduled, kept, looks, (beat, &ends)));
        let came = tokio::select! {
            came = &mut turn => came,
            () = cut.cancelled() => {
                ends.cancel();
                turn.await
            }
        };
        match came {
            Ok(Turn::Glance) => {
                *next_poll = self.on_beat(soon(out_of_step(scheduled.poll, clock::draw())));
                *occasion = Occasion::Routine;
            }
            Ok(Turn::Written(done)) => {
                let (messages, interactions) = (done.stored.messages, done.stored.interactions);
                if messages + interactions > 0 {
                    tracing::info!(source = name, messages, interactions, "source read");
                    self.stored.notify_one();
                }
                if done.rest == Rest::Something {
                    *scope = Scope::Everything;
                    return Next::Turn;
                }
                if *scope == Scope::Everything {
                    self.stored.notify_one();
                    *next_poll = self.on_beat(soon(out_of_step(scheduled.poll, clock::draw())));
                }
                *occasion = Occasion::Routine;
            }
            Err(PassError::NotYet { until, .. }) => {
                *next_poll = soon((until - self.clock.now()).min(LOOK));
            }
            Err(PassError::Source(SourceError::Stopped)) => {
                // What it was about to do is done again, all of it.
                *scope = Scope::Everything;
                return Next::Turn;
            }
            Err(PassError::Source(error)) => {
                tracing::warn!(source = name, %error, "source not read");
                self.stored.notify_one();
                // How long it is left alone stands in the database.
                *next_poll = Instant::now();
                *occasion = Occasion::Routine;
            }
            Err(PassError::Store(error)) => {
                tracing::error!(source = name, %error, "nothing can be stored");
                return Next::Pause(STORE_PAUSE);
            }
        }
        *scope = Scope::Everything;
        Next::Wait(scheduled.source.reader.clone())
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
        going: (&Beat, &CancellationToken),
    ) -> Result<Turn, PassError> {
        let (_, stop) = going;
        let reader = &scheduled.source.reader;
        if scope == Scope::News || source::glance(reader, kept, stop).await == Glance::Changed {
            return self.pass(scheduled, kept, (scope, occasion), going).await.map(Turn::Written);
        }
        if !scheduled.is_due(self.clock.now()) {
            return Ok(Turn::Glance);
        }
        let attempt = self.attempt(scheduled, kept, occasion).await;
        if sync::unchanged(self.going(attempt, stop), &scheduled.source, kept).await?
            == Rest::Something
        {
            return self.pass(scheduled, kept, (scope, occasion), going).await.map(Turn::Written);
        }
        Ok(Turn::Written(sync::Outcome::default()))
    }

    /// Decides what is due, and sleeps until more is.
    pub(super) async fn nudge_loop(&self, begun: Begun, beat: &Beat, stop: &CancellationToken) {
        let mut begun = Some(begun);
        while !stop.is_cancelled() {
            beat.working();
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
            drop(begun.take());
            beat.resting(wait);
            tokio::select! {
                () = self.stored.notified() => {}
                () = rest(wait, stop) => {}
            }
        }
    }

    /// Tries what an endpoint is owed, and sleeps until more is due. Ends between two tries on
    /// `leave`, and within one on `cut`.
    pub(super) async fn deliver_loop(
        &self,
        target: &Target,
        beat: &Beat,
        (leave, cut): (&CancellationToken, &CancellationToken),
    ) {
        while !leave.is_cancelled() {
            beat.working();
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
                () = cut.cancelled() => return,
            };
            beat.resting(wait);
            tokio::select! {
                () = owed => {}
                () = rest(wait, leave) => {}
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
