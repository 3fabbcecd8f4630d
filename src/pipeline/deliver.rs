//! The delivery step: one try of what an endpoint is owed first, and what follows from it.
//!
//! The try happens outside any transaction; its record and its consequence commit together. A
//! crash between the two repeats the try under the same id, which is what the id is for.

use std::sync::Arc;

use crate::deliver::format::{Format, Item, Message, Rendered, Route, render};
use crate::deliver::{Delivery, Endpoint, Outcome as Tried, Pace, Verdict, post, verdict};
use crate::http::Clients;
use crate::model::{Key, Timestamp};
use crate::serve::link::Linking;
use crate::store::outbox::{Attempt, Due, Settled};
use crate::store::{Db, Store, StoreError, nudge, outbox, silence};

/// An endpoint as the step needs it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its row.
    pub id: i64,
    /// How it is reached.
    pub endpoint: Endpoint,
    /// How it wants to be told.
    pub format: Format,
    /// Which nudges go to it.
    pub route: Route,
    /// Whether the nudges of one moment to one rep are one message.
    pub digest: bool,
    /// What the links are made with by which reps answer; without it there are none.
    pub linking: Option<Linking>,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was due; the next delivery is due then, if there is one.
    Idle {
        /// When.
        next: Option<Timestamp>,
    },
    /// What was due had no more to say, or could not be written.
    Settled,
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
    let (id, format, linking) = (target.id, target.format.clone(), target.linking.clone());
    let written = store.write(move |db| next(db, id, (&format, linking.as_ref()), now)).await?;
    let (due, body) = match written {
        Next::Nothing { next } => return Ok(Step::Idle { next }),
        Next::Settled => return Ok(Step::Settled),
        Next::Deliver { due, body } => (due, body),
    };
    pace.ready(&target.endpoint.url).await;
    let began = clock();
    let attempt = due.attempts + 1;
    let delivery = Delivery { id: due.webhook_id.clone(), body, attempt };
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

/// What an endpoint is owed first.
enum Next {
    Nothing { next: Option<Timestamp> },
    Settled,
    Deliver { due: Due, body: String },
}

/// Loads what is due first, and writes what it says if it was never tried: of what holds now.
fn next(
    db: &Db,
    endpoint: i64,
    (format, linking): (&Format, Option<&Linking>),
    now: Timestamp,
) -> Result<Next, StoreError> {
    let Some(mut due) = outbox::due(db, endpoint, now)? else {
        return Ok(Next::Nothing { next: outbox::next_due(db, endpoint)? });
    };
    if let Some(body) = due.body.take() {
        return Ok(Next::Deliver { due, body });
    }
    let items: Vec<Item> = unsilenced(db, outbox::events(db, due.id)?, now)?
        .into_iter()
        .filter_map(|(nudge, stored)| {
            let links = linking.map(|linking| linking.links(&nudge, now));
            Some(Item { event: serde_json::from_str(&stored).ok()?, stored, links })
        })
        .collect();
    if items.is_empty() {
        outbox::cancel(db, due.id, now)?;
        return Ok(Next::Settled);
    }
    match render(format, &Message { id: due.webhook_id.clone(), at: now, items }) {
        Ok(Rendered { body }) => {
            outbox::write_body(db, due.id, &body)?;
            Ok(Next::Deliver { due, body })
        }
        Err(error) => {
            let words = error.to_string();
            let record =
                Attempt { outbox: due.id, at: now, verdict: &words, status: None, took_ms: 0 };
            outbox::record(db, &record, &Settled::Dead)?;
            Ok(Next::Settled)
        }
    }
}

/// The events, each with its nudge's public id, of which nobody has asked for silence since they were
/// given to the endpoint.
fn unsilenced(
    db: &Db,
    events: Vec<(String, String)>,
    now: Timestamp,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut heard = Vec::with_capacity(events.len());
    for event in events {
        let silent = match nudge::find(db, &event.0)? {
            Some(open) => silence::until(db, (open.rep, open.contact), open.nudge.kind, now)?,
            None => None,
        };
        if silent.is_none_or(|until| until <= now) {
            heard.push(event);
        }
    }
    Ok(heard)
}

fn consequence(verdict: &Verdict) -> (Settled, String) {
    match verdict {
        Verdict::Delivered => (Settled::Delivered, "delivered".to_owned()),
        Verdict::Retry { at, why } => (Settled::Again(*at), why.clone()),
        Verdict::Dead { why } | Verdict::Disable { why } => (Settled::Dead, why.clone()),
    }
}
