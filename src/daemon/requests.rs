//! The loop that does what commands ask while the daemon has the database open.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Daemon;
use super::pulse::Beat;
use crate::pipeline::request;
use crate::store::{StoreError, request as rows};

/// How often is looked whether anything was asked: somebody waits for the answer.
const LOOK: Duration = Duration::from_millis(500);

impl Daemon {
    /// Answers until told to stop.
    pub(super) async fn request_loop(&self, beat: &Beat, stop: &CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut open = false;
        loop {
            beat.resting(LOOK);
            tokio::select! {
                _ = looks.tick() => {}
                () = stop.cancelled() => return,
            }
            beat.working();
            if let Err(error) = self.answer_requests(&mut open).await {
                tracing::error!(%error, "requests of commands not read");
            }
        }
    }

    /// Does everything that is asked. While nobody else has written to the database, no table is
    /// looked at. `open` stays true until all that was asked has its answer: after a failure it is
    /// looked again though nobody writes.
    async fn answer_requests(&self, open: &mut bool) -> Result<(), StoreError> {
        *open |= self.store.look(rows::written_by_others).await?;
        if !*open {
            return Ok(());
        }
        while let Some(next) = self.store.look(rows::next).await? {
            let (rules, now, id) = (Arc::clone(&self.rules), self.clock.now(), next.id);
            let signed_in = request::signs_in(&next);
            let done = self.store.write(move |db| request::answer(db, &rules, &next, now)).await;
            if let Err(error) = done {
                tracing::error!(%error, "a command's request was not done");
                let why = error.to_string();
                self.store.write(move |db| request::fail(db, id, &why, now)).await?;
            }
            if let Some(scheduled) = signed_in.and_then(|name| self.scheduled(&name)) {
                scheduled.signed_in.notify_one();
            }
            // A change of contacts may make relationships due, a replay is owed at once.
            self.stored.notify_one();
            self.owed.notify_waiters();
        }
        *open = false;
        Ok(())
    }
}
