//! The delivery step: one try of what an endpoint is owed first, and what follows from it.
//!
//! The try happens outside any transaction; its record and its consequence commit together. A
//! crash between the two repeats the try under the same id, which is what the id is for.

use std::sync::Arc;

use crate::deliver::{Delivery, Endpoint, Outcome as Tried, Pace, Verdict, post, verdict};
use crate::http::Clients;
use crate::model::{Key, Timestamp};
use crate::store::outbox::{Attempt, Settled};
use crate::store::{Store, StoreError, outbox};

/// An endpoint as the step needs it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its row.
    pub id: i64,
    /// How it is reached.
    pub endpoint: Endpoint,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was due; the next delivery is due then, if there is one.
    Idle {
        /// When.
        next: Option<Timestamp>,
    },
    /// A delivery was tried.
    Tried {
        /// The webhook's id.
        id: String,
        /// What follows.
        verdict: Verdict,
    },
}

/// Tries the delivery that is due first at `now`, if one is. `clock` tells when the try begins and
/// ends; `jitter` is drawn from `0.0..1.0`.
///
/// # Errors
/// As every write.
pub async fn step(
    store: &Arc<Store>,
    clients: &Clients,
    pace: &Pace,
    target: &Target,
    now: Timestamp,
    clock: impl Fn() -> Timestamp,
    jitter: f64,
) -> Result<Step, StoreError> {
    let id = target.id;
    let (due, next) =
        store.write(move |db| Ok((outbox::due(db, id, now)?, outbox::next_due(db, id)?))).await?;
    let Some(due) = due else { return Ok(Step::Idle { next }) };
    pace.ready(&target.endpoint.url).await;
    let began = clock();
    let attempt = due.attempts + 1;
    let delivery = Delivery { id: due.webhook_id.clone(), body: due.body, attempt };
    let tried = post(clients, &target.endpoint, &delivery, began).await;
    let ended = clock();
    let found = verdict(&tried, attempt, ended, jitter);
    let status = match &tried {
        Tried::Answered { status, .. } => Some(*status),
        Tried::Failed(_) => None,
    };
    let (settled, words) = consequence(&found);
    let gone = matches!(found, Verdict::Disable { .. })
        .then(|| Key::of("url", &[target.endpoint.url.as_str().as_bytes()]));
    store
        .write(move |db| {
            let took_ms = (ended - began).millis();
            let record = Attempt { outbox: due.id, at: began, verdict: &words, status, took_ms };
            outbox::record(db, &record, &settled)?;
            match gone {
                Some(url) => outbox::disable_endpoint(db, id, url, ended),
                None => Ok(()),
            }
        })
        .await?;
    Ok(Step::Tried { id: due.webhook_id, verdict: found })
}

fn consequence(verdict: &Verdict) -> (Settled, String) {
    match verdict {
        Verdict::Delivered => (Settled::Delivered, "delivered".to_owned()),
        Verdict::Retry { at, why } => (Settled::Again(*at), why.clone()),
        Verdict::Dead { why } | Verdict::Disable { why } => (Settled::Dead, why.clone()),
    }
}
