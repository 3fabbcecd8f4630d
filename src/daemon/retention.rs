//! The loop that takes out, once a day, what is old enough.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Daemon;
use super::pulse::Beat;
use crate::pipeline::retention::{self, Place};
use crate::store::StoreError;

/// The first look after a start: when what has waited for the writer is done.
const FIRST: Duration = Duration::from_secs(60);
/// How often is looked whether a day has passed.
const LOOK: Duration = Duration::from_secs(15 * 60);
/// Between two steps the writer is left to others for so long.
const BREATH: Duration = Duration::from_millis(50);

impl Daemon {
    /// Takes out what is old enough until told to stop; goes on the next day where it was stopped.
    pub(super) async fn retention_loop(&self, beat: &Beat, stop: &CancellationToken) {
        let mut wait = FIRST;
        beat.resting(wait);
        while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            wait = LOOK;
            match self.take_out(beat, stop).await {
                Ok(taken) if taken.is_empty() => {}
                Ok(taken) => {
                    let rows: usize = taken.values().sum();
                    let tables = serde_json::to_string(&taken).unwrap_or_default();
                    tracing::info!(rows, tables, "taken out what was old enough");
                    self.stored.notify_one();
                }
                Err(error) => tracing::error!(%error, "what is old enough could not be taken out"),
            }
            beat.resting(wait);
        }
    }

    /// One time of it, if it is time; gives how many rows went, by table.
    async fn take_out(
        &self,
        beat: &Beat,
        stop: &CancellationToken,
    ) -> Result<BTreeMap<String, usize>, StoreError> {
        beat.working();
        let now = self.clock.now();
        let mut all = BTreeMap::new();
        if !self.store.look(move |db| retention::is_time(db, now)).await? {
            return Ok(all);
        }
        let mut place = Some(Place::default());
        while let Some(from) = place {
            beat.working();
            let rules = Arc::clone(&self.rules);
            let step = self.store.write(move |db| retention::step(db, &rules, from, now)).await?;
            for (table, rows) in step.taken {
                *all.entry(table).or_default() += rows;
            }
            place = step.next;
            if stop.run_until_cancelled(tokio::time::sleep(BREATH)).await.is_none() {
                break;
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use crate::clock::Clock;
    use crate::config;
    use crate::model::{Span, Timestamp};
    use crate::store::request::Asker;

    #[test]
    fn what_is_old_enough_goes_once_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keepwarm.toml");
        let text = "[organization]\ndomains = [\"us.example\"]\n[store]\npath = \"kw.db\"\n\
            [[rep]]\nid = \"ann\"\nname = \"Ann\"\naddresses = [\"ann@us.example\"]\n";
        std::fs::write(&path, text).unwrap();
        let config = config::load(&path, std::iter::empty()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        runtime.block_on(async {
            let mut daemon = super::super::open(&config, Clock::Fixed(now)).await.unwrap();
            let (beat, stop) = (daemon.pulses.add("retention", ""), CancellationToken::new());
            let mut went = Vec::new();
            for hours in [0, 1, 23, 25, 47] {
                let now = now + Span::from_hours(hours);
                daemon.set_clock(Clock::Fixed(now));
                let old = now - Span::from_days(2);
                Asker::open(&config.store.path).unwrap().ask("x", old).unwrap();
                went.push(daemon.take_out(&beat, &stop).await.unwrap().get("request").copied());
            }
            assert_eq!(went, [Some(1), None, None, Some(3), None]);
        });
    }
}
