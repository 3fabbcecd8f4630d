//! One line about what the daemon does, for `systemctl status`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::service::Service;
use crate::lifecycle;
use crate::model::{SourceState, Timestamp};
use crate::store::{StoreError, nudge, open_reader, outbox, source};

/// How often it is looked whether something else is to be said.
const LOOK: Duration = Duration::from_secs(15);

impl Service {
    /// What it does, without personal data: how many sources are in which state, how many nudges wait
    /// for their moment, and how many messages for endpoints.
    pub async fn standing(&self) -> String {
        let daemon = self.current().daemon;
        let (path, now) = (daemon.store.path().to_owned(), daemon.clock.now());
        let told = tokio::task::spawn_blocking(move || told(&path, now)).await;
        // Whoever asks for the metrics is told why.
        told.ok().and_then(Result::ok).unwrap_or_else(|| "the database cannot be read".to_owned())
    }

    /// Tells the service manager, until `stop`, whenever that has changed. To be called when it was
    /// told that all is ready, with what it was told.
    pub async fn tell_standing(&self, mut last: String) {
        loop {
            tokio::time::sleep(LOOK).await;
            // While the configuration is changed, that is told.
            let turn = self.turn().await;
            let told = self.standing().await;
            if told != last {
                lifecycle::status(&told);
                last = told;
            }
            drop(turn);
        }
    }
}

fn told(path: &Path, now: Timestamp) -> Result<String, StoreError> {
    let db = open_reader(path)?;
    let states: Vec<SourceState> =
        source::all(&db)?.into_iter().map(|found| found.condition.state).collect();
    Ok(line(&states, nudge::waiting(&db)?, outbox::counts(&db, now)?.pending))
}

fn line(states: &[SourceState], due: u32, pending: u32) -> String {
    let mut counts = [("ok", 0_u32), ("syncing", 0), ("failing", 0), ("stopped", 0)];
    for state in states {
        let group = match state {
            SourceState::Ok => 0,
            SourceState::New | SourceState::Syncing => 1,
            SourceState::Degraded | SourceState::Throttled => 2,
            SourceState::AuthRequired | SourceState::Misconfigured => 3,
            SourceState::Disabled => continue,
        };
        if let Some((_, count)) = counts.get_mut::<usize>(group) {
            *count += 1;
        }
    }
    let mut text = "sources:".to_owned();
    for (at, (group, count)) in counts.iter().enumerate() {
        // Only what is wrong need not be told where there is none.
        if at < 2 || *count > 0 {
            let comma = if at == 0 { "" } else { "," };
            _ = write!(text, "{comma} {count} {group}");
        }
    }
    _ = write!(text, "; nudges due: {due}; outbox: {pending} waiting");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_where_there_is_some() {
        use SourceState::{AuthRequired, Degraded, Disabled, Misconfigured, New, Ok, Syncing};
        for (states, expected) in [
            (&[][..], "sources: 0 ok, 0 syncing; nudges due: 3; outbox: 4 waiting"),
            (
                &[Ok, New, Syncing, Ok, Disabled],
                "sources: 2 ok, 2 syncing; nudges due: 3; outbox: 4 waiting",
            ),
            (
                &[Degraded, AuthRequired, Misconfigured],
                "sources: 0 ok, 0 syncing, 1 failing, 2 stopped; nudges due: 3; outbox: 4 waiting",
            ),
        ] {
            assert_eq!(line(states, 3, 4), expected);
        }
    }
}
