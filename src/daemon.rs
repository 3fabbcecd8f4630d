//! Wires the configuration to the steps, and runs them: once, or in loops until told to stop.
//!
//! One loop for each source and each endpoint, one for nudges, one for what commands ask. A failing
//! source or endpoint holds up nobody else; every loop ends on its token, and what it was doing is
//! done again next time. A [`Daemon`] is what one configuration came to; a [`Service`] runs its loops.

mod answers;
mod build;
pub(crate) mod format;
mod login;
mod loops;
mod places;
mod pulse;
mod readers;
mod reload;
mod requests;
mod retention;
mod service;
mod standing;
mod vitals;
mod web;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{self, Clock};
use crate::deliver::{Pace, Verdict};
use crate::http::Clients;
use crate::model::{Occasion, Span, Timestamp};
use crate::pipeline::deliver::{Means, Standing, Step, Target};
use crate::pipeline::nudge::{Destination, Moment, Notice};
use crate::pipeline::sync::{Attempt, Going, PassError, Progress};
use crate::pipeline::{Rules, deliver, nudge, sync};
use crate::serve::Access;
use crate::source::{Kept, Rest, Scope, SourceError};
use crate::store::{Store, StoreError};

use self::places::Place;
use self::pulse::{Beat, Pulses};

pub use build::{BuildError, open, rules_for_reading, secrets, target};
pub use login::token_key;
pub use readers::reader_alone;
pub use service::Service;

/// What the loop of a source is called among the others.
const SOURCE: &str = "source";
/// Sources read at a time by a one-time pass.
const SOURCES_AT_ONCE: usize = 8;

/// Everything that the loops share.
pub struct Daemon {
    store: Arc<Store>,
    rules: Arc<Rules>,
    sources: Vec<Arc<Scheduled>>,
    /// Where each source stands in them.
    by_name: HashMap<String, usize>,
    targets: Vec<Arc<Target>>,
    /// Who may answer nudges.
    access: Access,
    clients: Clients,
    pace: Pace,
    clock: Clock,
    /// When it was made: beats are counted from then.
    began: Instant,
    /// Signs of life of its loops.
    pulses: Pulses,
    /// Exchanges of tokens under way: to end in the middle of one may lose a refresh token.
    refreshes: TaskTracker,
    /// What the passes have done so far.
    pub progress: Progress,
    /// Something changed that may make relationships due.
    stored: Notify,
    /// Something is owed to endpoints.
    owed: Notify,
    /// Whether something was not said lately because mail had not been read.
    unread: AtomicBool,
    /// Why the last commit failed, if it did.
    unstored: Mutex<Option<String>>,
}

/// A source and how often it is read.
struct Scheduled {
    source: sync::Source,
    poll: Span,
    /// Where it asks before it connects to its host.
    place: Option<Place>,
    /// When it was last written down that everything is read, in milliseconds since the epoch.
    noted_at: AtomicI64,
    /// Somebody has signed in for it.
    signed_in: Arc<Notify>,
}

/// That there is nothing new is written down this often: thousands of sources are looked at every
/// minute, and nobody asks for their freshness to the minute.
const NOTED_EVERY: Span = Span::from_seconds(5 * 60);

impl Scheduled {
    /// Whether it is time to write down that there is nothing new; if so, it is taken to be done.
    fn is_due(&self, now: Timestamp) -> bool {
        let noted_at = Timestamp::from_millis(self.noted_at.load(Ordering::Relaxed));
        let since = now - noted_at;
        // A clock that ran ahead may have been put right.
        let due = since >= NOTED_EVERY || since < Span::ZERO;
        if due {
            self.noted_at.store(now.millis(), Ordering::Relaxed);
        }
        due
    }
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
        let passes =
            self.sources.iter().map(|s| async move { (s, self.read_through(s, stop).await) });
        let mut passes = futures_util::stream::iter(passes).buffer_unordered(SOURCES_AT_ONCE);
        while let Some((scheduled, outcome)) = passes.next().await {
            match outcome {
                Ok(done) => {
                    summary.messages += done.stored.messages;
                    summary.interactions += done.stored.interactions;
                }
                Err(PassError::Store(error)) => return Err(error),
                Err(error @ (PassError::Source(_) | PassError::NotYet { .. })) => {
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
                Step::Tried { verdict: Verdict::Retry { .. } | Verdict::Dead { .. }, .. }
                | Step::Unwritten { .. } => postponed += 1,
                Step::Settled => {}
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

    /// A source, by its name.
    fn scheduled(&self, name: &str) -> Option<Arc<Scheduled>> {
        self.by_name.get(name).and_then(|index| self.sources.get(*index)).cloned()
    }

    /// The number of sources.
    #[must_use]
    pub fn source_count(&self) -> usize {
        self.sources.len()
    }

    /// Passes over a source until it holds nothing more.
    async fn read_through(
        &self,
        scheduled: &Scheduled,
        stop: &CancellationToken,
    ) -> Result<sync::Outcome, PassError> {
        let beat = self.pulses.add(SOURCE, &scheduled.source.name);
        let mut kept = Kept::default();
        let mut sum = sync::Outcome { rest: Rest::Something, ..sync::Outcome::default() };
        while sum.rest == Rest::Something {
            let once = (Scope::Everything, Occasion::Once);
            let one = self.pass(scheduled, &mut kept, once, (&beat, stop)).await?;
            sum.stored += one.stored;
            sum.rest = one.rest;
        }
        kept.close().await;
        Ok(sum)
    }

    /// One pass over a source, and what is to be remembered of it.
    async fn pass(
        &self,
        scheduled: &Scheduled,
        kept: &mut Kept,
        (scope, occasion): (Scope, Occasion),
        (beat, stop): (&Beat, &CancellationToken),
    ) -> Result<sync::Outcome, PassError> {
        let going = (beat, stop);
        let passed = self.pass_in_place(scheduled, kept, (scope, occasion), going).await;
        if passed.is_ok() && scope == Scope::Everything {
            scheduled.noted_at.store(self.clock.now().millis(), Ordering::Relaxed);
        }
        let unstored = match &passed {
            Err(PassError::Store(error)) => Some(error.to_string()),
            _ => None,
        };
        *self.unstored.lock().unwrap_or_else(PoisonError::into_inner) = unstored;
        passed
    }

    /// One pass over a source, when it has a place. What is new in a mailbox that is waited on is
    /// read at once: it is little, and it is what people wait for.
    async fn pass_in_place(
        &self,
        scheduled: &Scheduled,
        kept: &mut Kept,
        (scope, occasion): (Scope, Occasion),
        (beat, stop): (&Beat, &CancellationToken),
    ) -> Result<sync::Outcome, PassError> {
        let attempt = self.attempt(scheduled, kept, occasion).await;
        let _place = match &scheduled.place {
            Some(place) if scope == Scope::Everything => {
                // One that is left alone keeps nobody else waiting.
                sync::admit(&self.store, &scheduled.source, attempt).await?;
                // Others are before it, of which each has given its word.
                beat.queued();
                Some(place.take(kept, stop).await.ok_or(SourceError::Stopped)?)
            }
            _ => None,
        };
        beat.working();
        sync::pass(self.going(attempt, stop), &scheduled.source, kept, scope).await
    }

    fn going<'a>(&'a self, attempt: Attempt, stop: &'a CancellationToken) -> Going<'a> {
        let (store, rules, progress) = (&self.store, &self.rules, &self.progress);
        Going { store, rules, attempt, progress, stop }
    }

    /// The circumstances of a pass; with which credentials matters only where somebody has to log
    /// in.
    async fn attempt(&self, scheduled: &Scheduled, kept: &Kept, occasion: Occasion) -> Attempt {
        let fingerprint =
            if kept.is_connected() { None } else { scheduled.source.reader.fingerprint().await };
        Attempt { clock: self.clock, jitter: clock::draw(), occasion, fingerprint }
    }

    async fn nudge(&self) -> Result<nudge::Outcome, StoreError> {
        let rules = Arc::clone(&self.rules);
        let destinations: Vec<Destination> = self.targets.iter().map(|t| destination(t)).collect();
        let moment = Moment { now: self.clock.now(), given: self.clock.is_given() };
        let outcome =
            self.store.write(move |db| nudge::step(db, &rules, &destinations, moment)).await?;
        outcome.notices.iter().for_each(tell);
        let unread = ["stale", "backfilling"].iter().any(|why| outcome.decided.contains_key(why));
        // A step that decides nothing knows nothing of it.
        let decided = !outcome.decided.is_empty();
        if decided && !self.unread.swap(unread, Ordering::Relaxed) && unread {
            tracing::warn!(
                "no nudges to some reps: their mail has not been read; `keepwarm status` names them"
            );
        }
        for (decision, count) in &outcome.decided {
            tracing::debug!(decision, count, "relationships decided");
        }
        Ok(outcome)
    }

    /// One try of what an endpoint is owed first at `due`.
    async fn deliver(&self, target: &Target, due: Timestamp) -> Result<Step, StoreError> {
        let (now, jitter) = (|| self.clock.now(), clock::draw());
        let means = Means {
            store: &self.store,
            rules: &self.rules,
            clients: &self.clients,
            pace: &self.pace,
        };
        let step = deliver::step(means, target, due, now, jitter).await?;
        let endpoint = &target.endpoint.name;
        match &step {
            Step::Tried { id, verdict, standing } => {
                log(endpoint, id, verdict);
                log_standing(endpoint, *standing);
            }
            // Why is in the record of attempts: it may hold a name.
            Step::Unwritten { id, line } => tracing::error!(
                endpoint,
                id,
                line,
                "nudge given up: it could not be written; `keepwarm check` tries the template"
            ),
            Step::Idle { .. } | Step::Settled => {}
        }
        Ok(step)
    }
}

/// One line for each thing that an admin is to be told.
fn tell(notice: &Notice) {
    match notice {
        Notice::ClockJumped { by } => {
            let days = by.days();
            tracing::warn!(
                days,
                "no nudges: the clock has jumped; they go on when mail of these days comes, or with \
                 `keepwarm nudges resume`"
            );
        }
        Notice::ClockBelieved => tracing::info!("nudges go on: the clock is believed again"),
        Notice::Held { rep, decaying, established } => tracing::warn!(
            rep,
            decaying,
            established,
            "no nudges to a rep: so many relationships decay at once that mail may be missing; \
             `keepwarm nudges resume` lets them go"
        ),
        Notice::Lifted { rep } => tracing::info!(rep, "nudges to a rep go on"),
    }
}

fn destination(target: &Target) -> Destination {
    Destination {
        endpoint: target.id,
        name: target.endpoint.name.clone(),
        route: target.route.clone(),
        digest: target.digest,
    }
}

/// One line where an endpoint is left alone, and one where something was given up for that.
fn log_standing(endpoint: &str, standing: Standing) {
    let Standing { failures, held_until, given_up } = standing;
    if let Some(until) = held_until {
        tracing::warn!(endpoint, failures, held_until = %until, "endpoint left alone");
    }
    if given_up > 0 {
        tracing::error!(
            endpoint,
            given_up,
            "nudges given up: the endpoint has taken nothing for days"
        );
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
