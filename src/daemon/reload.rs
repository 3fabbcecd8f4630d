//! Another configuration for loops that run: all of it, or nothing.
//!
//! What can go wrong is tried first: secrets and files are looked up while everything runs. Then turns
//! come to their end, or are cut off where that takes long, and the rows are written in one
//! transaction. A source whose settings are the same keeps its connection; all others begin anew.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Daemon;
use super::build::{BuildError, Ground, assemble, prepare};
use super::pulse::Beat;
use super::service::{Current, Reading, Service};
use crate::config::{Config, Source};
use crate::pipeline::fold;
use crate::store::StoreError;

/// How long turns may take to come to their end by themselves.
const GRACE: Duration = Duration::from_secs(10);
/// How long an exchange of tokens may take to.
const EXCHANGES: Duration = Duration::from_secs(60);

/// Settings that are taken when the process starts, with what tells whether they have changed.
const AT_START: [&str; 4] = ["store.path", "store.token_key", "serve.listen", "serve.token"];

impl Service {
    /// Goes by another configuration from now on, and logs what is different.
    ///
    /// # Errors
    /// What cannot be used of it, or that the rows could not be written; everything is as it was then.
    pub async fn reload(self: &Arc<Self>, mut config: Config) -> Result<(), BuildError> {
        let before = self.current();
        // It would be another file beside the one that is open.
        config.store = before.config.store.clone();
        let ground = before.daemon.ground();
        let (prepared, config) = tokio::task::spawn_blocking(move || {
            prepare(&config, &ground).map(|prepared| (prepared, config))
        })
        .await
        .map_err(|_| BuildError::Wrong("error: this is a fault in keepwarm".to_owned()))??;
        let beat = before.daemon.pulses.add("reload", "");
        beat.working();
        let gate = self.quiet(&before).await;
        let ground = before.daemon.ground();
        let made = assemble(ground, prepared, &config, Some(&before.daemon)).await;
        let (begun, _) = mpsc::channel(1);
        let daemon = match made {
            Ok(daemon) => daemon,
            Err(error) => {
                let same = self.replace(before.daemon, before.config);
                self.start_others(&same, &begun);
                return Err(error.into());
            }
        };
        log(&before.config, &config);
        daemon.pulses.allow(config.sync.stuck_after);
        self.end_others_than(&before.config, &config).await;
        let current = self.replace(Arc::new(daemon), Arc::new(config));
        drop(gate);
        self.start_sources(&self.missing(&current), &begun);
        self.start_others(&current, &begun);
        self.start_folding(&current, beat);
        Ok(())
    }

    /// Computes again what was computed by other settings: no pass may come for long that does.
    fn start_folding(&self, current: &Current, beat: Beat) {
        let (daemon, leave) = (Arc::clone(&current.daemon), current.leave.clone());
        self.tasks.spawn(current.others.track_future(async move {
            if let Err(error) = daemon.fold_stale(&beat, &leave).await {
                tracing::error!(%error, "strengths are computed again with the next pass");
            }
        }));
    }

    /// Waits until nobody takes a turn, and lets nobody take one.
    async fn quiet(&self, before: &Current) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        before.leave.cancel();
        before.others.close();
        let quiet = async {
            before.others.wait().await;
            self.gate.write().await
        };
        let gate = match tokio::time::timeout(GRACE, quiet).await {
            Ok(gate) => gate,
            Err(_) => {
                before.cut.cancel();
                before.others.wait().await;
                self.gate.write().await
            }
        };
        // A refresh token that is exchanged twice may end the login.
        let refreshes = &before.daemon.refreshes;
        refreshes.close();
        if tokio::time::timeout(EXCHANGES, refreshes.wait()).await.is_err() {
            tracing::warn!("an exchange of tokens takes long; it goes on");
        }
        refreshes.reopen();
        gate
    }

    /// Ends the loops of sources that are not the same in another configuration.
    async fn end_others_than(&self, old: &Config, new: &Config) {
        let ended: Vec<Reading> = {
            let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
            let names: Vec<String> = sources.keys().cloned().collect();
            let same = |name: &String| {
                let was = find(old, name);
                was.is_some() && was == find(new, name)
            };
            names
                .iter()
                .filter(|name| !same(name))
                .filter_map(|name| sources.remove(name))
                .collect()
        };
        for one in &ended {
            one.stop.cancel();
        }
        for one in ended {
            // One that panicked is stuck: that is told elsewhere.
            drop(one.task.await);
        }
    }

    /// The sources that have no loop.
    fn missing(&self, current: &Current) -> Vec<String> {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let names = current.daemon.sources.iter().map(|one| one.source.name.clone());
        names.filter(|name| !sources.contains_key(name)).collect()
    }
}

impl Daemon {
    async fn fold_stale(&self, beat: &Beat, leave: &CancellationToken) -> Result<(), StoreError> {
        let mut after = Some(0);
        while let Some(from) = after.filter(|_| !leave.is_cancelled()) {
            beat.working();
            let (rules, now) = (Arc::clone(&self.rules), self.clock.now());
            after = self.store.write(move |db| fold::settle(db, &rules, now, from)).await?;
        }
        self.stored.notify_one();
        Ok(())
    }

    fn ground(&self) -> Ground {
        Ground {
            store: Arc::clone(&self.store),
            pulses: self.pulses.clone(),
            refreshes: self.refreshes.clone(),
            clock: self.clock,
        }
    }
}

fn find<'a>(config: &'a Config, name: &str) -> Option<&'a Source> {
    config.sources.iter().find(|source| source.name == name)
}

/// One line for each difference.
fn log(old: &Config, new: &Config) {
    let changes = old.written.changes(&new.written);
    for change in &changes {
        let setting = change.setting.as_str();
        let (old, new) = change.values();
        tracing::info!(setting, old, new, "configuration: {}", change.how);
        if AT_START.iter().any(|key| is_way_to(setting, key)) {
            tracing::warn!(setting, "takes a restart: until then it is as it was");
        }
    }
    tracing::info!(changes = changes.len(), "configuration read again");
}

/// Whether a setting is `key`, or one of the ways to it (`_file`, `_command`).
fn is_way_to(setting: &str, key: &str) -> bool {
    setting.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}
