//! The loops of a daemon, and what they go by, which can be changed while they run.
//!
//! A source's loop goes by what is current when its turn begins, so that a change of the
//! configuration leaves alone the connection on which it waits. All others are begun anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::loops::source_loop;
use super::{Daemon, SOURCE};
use crate::config::Config;
use crate::lifecycle::Health;
use crate::model::Timestamp;
use crate::model::feedback::{About, Feedback, Outcome, Way};
use crate::serve::{Access, Answers, Metrics, Vitals};

/// A daemon whose loops run.
pub struct Service {
    current: RwLock<Current>,
    /// Held by all who take a turn; alone by whoever changes what they go by.
    pub(super) gate: tokio::sync::RwLock<()>,
    /// The loops of sources, by name.
    pub(super) sources: Mutex<HashMap<String, Reading>>,
    /// All loops.
    pub(super) tasks: TaskTracker,
    /// Ends them.
    stop: CancellationToken,
}

/// What the loops go by.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) daemon: Arc<Daemon>,
    pub(super) config: Arc<Config>,
    /// The loops that are begun anew with each configuration.
    pub(super) others: TaskTracker,
    /// Ends them, between two steps.
    pub(super) leave: CancellationToken,
    /// Ends steps and passes.
    pub(super) cut: CancellationToken,
}

/// The loop of a source.
pub(super) struct Reading {
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

/// A turn of a source, during which the configuration does not change.
pub(super) struct Turn<'a> {
    pub(super) daemon: Arc<Daemon>,
    pub(super) cut: CancellationToken,
    _gate: tokio::sync::RwLockReadGuard<'a, ()>,
}

/// Dropped by each loop when it has begun.
pub(super) type Begun = mpsc::Sender<()>;

impl Service {
    /// With no loop yet; `tasks` knows of each, and each ends on `stop`.
    #[must_use]
    pub fn new(
        daemon: Daemon,
        config: Config,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Self {
        let current = Current::new(Arc::new(daemon), Arc::new(config), stop);
        Self {
            current: RwLock::new(current),
            gate: tokio::sync::RwLock::default(),
            sources: Mutex::default(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        }
    }

    /// Starts every loop, and waits until each has begun and it was looked once which nudges are
    /// due.
    pub async fn begin(self: &Arc<Self>) {
        let (begun, mut all) = mpsc::channel(1);
        let current = self.current();
        let names: Vec<_> = current.daemon.sources.iter().map(|s| s.source.name.clone()).collect();
        self.start_sources(&names, &begun);
        self.start_others(&current, &begun);
        let service = Arc::clone(self);
        self.tasks.spawn(async move {
            service.stop.cancelled().await;
            service.current().daemon.settle().await;
        });
        drop(begun);
        // Nothing is sent: it ends when all have dropped their end.
        all.recv().await;
    }

    /// Whether every loop gets on; those that do not are logged.
    #[must_use]
    pub fn health(&self) -> Health {
        let stuck = self.current().daemon.pulses.stuck(Instant::now());
        for which in &stuck {
            tracing::error!(loop = %which, "stuck: the watchdog is not fed, and will restart the service");
        }
        if stuck.is_empty() { Health::Well } else { Health::Stuck }
    }

    /// Who may answer nudges by what is served.
    #[must_use]
    pub fn access(&self) -> Access {
        self.current().daemon.access.clone()
    }

    /// Begins the turn of a source, as soon as nobody changes the configuration.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let _gate = self.gate.read().await;
        let Current { daemon, cut, .. } = self.current();
        Turn { daemon, cut, _gate }
    }

    pub(super) fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on everything that begins goes by this.
    pub(super) fn replace(&self, daemon: Arc<Daemon>, config: Arc<Config>) -> Current {
        let current = Current::new(daemon, config, &self.stop);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current.clone();
        current
    }

    /// Starts the loops of these sources.
    pub(super) fn start_sources(self: &Arc<Self>, names: &[String], begun: &Begun) {
        let pulses = self.current().daemon.pulses.clone();
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            let (service, named, stop) = (Arc::clone(self), name.clone(), self.stop.child_token());
            let (begun, beat) = (begun.clone(), pulses.add(SOURCE, name));
            let (ends, together) = (stop.clone(), names.len());
            let task = self.tasks.spawn(async move {
                drop(begun);
                source_loop(&service, (&named, together), &beat, &ends).await;
            });
            sources.insert(name.clone(), Reading { stop, task });
        }
    }

    /// Starts all others.
    pub(super) fn start_others(&self, current: &Current, begun: &Begun) {
        let Current { daemon, others, leave, cut, .. } = current;
        for target in &daemon.targets {
            let (daemon, target) = (Arc::clone(daemon), Arc::clone(target));
            let (leave, cut, begun) = (leave.clone(), cut.clone(), begun.clone());
            let beat = daemon.pulses.add("endpoint", &target.endpoint.name);
            self.tasks.spawn(others.track_future(async move {
                drop(begun);
                daemon.deliver_loop(&target, &beat, (&leave, &cut)).await;
            }));
        }
        let (asked, ends) = (Arc::clone(daemon), leave.clone());
        let (first, beat) = (begun.clone(), daemon.pulses.add("requests", ""));
        self.tasks.spawn(others.track_future(async move {
            drop(first);
            asked.request_loop(&beat, &ends).await;
        }));
        let (tidied, ends) = (Arc::clone(daemon), leave.clone());
        let (first, beat) = (begun.clone(), daemon.pulses.add("retention", ""));
        self.tasks.spawn(others.track_future(async move {
            drop(first);
            tidied.retention_loop(&beat, &ends).await;
        }));
        let (daemon, ends) = (Arc::clone(daemon), leave.clone());
        let (first, beat) = (begun.clone(), daemon.pulses.add("nudges", ""));
        self.tasks.spawn(others.track_future(async move {
            daemon.nudge_loop(first, &beat, &ends).await;
        }));
    }
}

impl Current {
    fn new(daemon: Arc<Daemon>, config: Arc<Config>, stop: &CancellationToken) -> Self {
        let cut = stop.child_token();
        let leave = cut.child_token();
        Self { daemon, config, others: TaskTracker::new(), leave, cut }
    }
}

impl Vitals for Service {
    async fn ready(&self) -> Result<(), String> {
        self.current().daemon.is_ready().await
    }

    async fn metrics(&self) -> Result<Metrics, String> {
        self.current().daemon.measured().await
    }
}

impl Answers for Service {
    fn now(&self) -> Timestamp {
        self.current().daemon.clock.now()
    }

    async fn about(&self, nudge: &str) -> Result<Option<About>, String> {
        self.current().daemon.about(nudge).await
    }

    async fn answer(&self, nudge: &str, feedback: Feedback, way: Way) -> Result<Outcome, String> {
        self.current().daemon.answer(nudge, feedback, way).await
    }

    async fn take_back(&self, nudge: &str) -> Result<bool, String> {
        self.current().daemon.take_back(nudge).await
    }
}
