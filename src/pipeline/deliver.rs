//! The delivery step: one try of what an endpoint is owed first, and what follows from it.
//!
//! The try happens outside any transaction; its record and its consequence commit together. A
//! crash between the two repeats the try under the same id, which is what the id is for. An endpoint
//! that fails is left alone, with all that it is owed, by its breaker, whose state is kept with it;
//! what it has been owed for longer than the retries of a delivery take is then given up.

use std::sync::Arc;

use crate::deliver::format::{Format, Item, Message, Rendered, Route, render};
use crate::deliver::{
    Blame, Breaker, Delivery, Endpoint, Gate, LONGEST_WAIT, Outcome as Tried, Pace, Verdict, blame,
    post, verdict,
};
use crate::http::Clients;
use crate::model::{Key, Span, Timestamp};
use crate::pipeline::Rules;
use crate::serve::link::Linking;
use crate::store::endpoint::Condition;
use crate::store::outbox::{Attempt, Due, Settled};
use crate::store::{Db, Store, StoreError, endpoint, nudge, outbox, silence};

/// How long a delivery is owed to an endpoint that takes nothing: as long as ten tries of it may take
/// at most, a little over 75 hours. Then there are newer things to say.
const OWED_AT_MOST: Span = Span::from_hours(76);

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

/// What deliveries are made with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Where they are recorded.
    pub store: &'a Arc<Store>,
    /// By which reps are left alone.
    pub rules: &'a Arc<Rules>,
    /// What they are sent with.
    pub clients: &'a Clients,
    /// How fast.
    pub pace: &'a Pace,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing was due; the next delivery is due then, if there is one.
    Idle {
        /// When.
        next: Option<Timestamp>,
    },
    /// What was due had no more to say, or is due only now.
    Settled,
    /// What was due could not be written, and was given up.
    Unwritten {
        /// The webhook's id.
        id: String,
        /// The line of the template that failed, if one did.
        line: Option<usize>,
    },
    /// A delivery was tried.
    Tried {
        /// The webhook's id.
        id: String,
        /// What follows.
        verdict: Verdict,
        /// How the endpoint does now.
        standing: Standing,
    },
}

/// How an endpoint does after a try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Tries in a row that failed for its sake.
    pub failures: u32,
    /// It is left alone until then.
    pub held_until: Option<Timestamp>,
    /// How many other deliveries were given up.
    pub given_up: usize,
}

/// Tries the delivery that is due first at `now`, if one is. `clock` tells when the try begins and
/// ends; `jitter` is drawn from `0.0..1.0`.
///
/// # Errors
/// As every write.
pub async fn step(
    Means { store, rules, clients, pace }: Means<'_>,
    target: &Target,
    now: Timestamp,
    clock: impl Fn() -> Timestamp,
    jitter: f64,
) -> Result<Step, StoreError> {
    let (id, format, linking) = (target.id, target.format.clone(), target.linking.clone());
    let rules = Arc::clone(rules);
    let written =
        store.write(move |db| next(db, &rules, id, (&format, linking.as_ref()), now)).await?;
    let (due, body) = match written {
        Next::Nothing { next } => return Ok(Step::Idle { next }),
        Next::Settled => return Ok(Step::Settled),
        Next::Unwritten { id, line } => return Ok(Step::Unwritten { id, line }),
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
    let fault = blame(&tried, ended);
    let (settled, words) = consequence(&found, ended);
    let gone = matches!(found, Verdict::Disable { .. })
        .then(|| Key::of("url", &[target.endpoint.url.as_str().as_bytes()]));
    let standing = store
        .write(move |db| {
            let took_ms = (ended - began).millis();
            let record = Attempt { outbox: due.id, at: began, verdict: &words, status, took_ms };
            outbox::record(db, &record, &settled)?;
            match gone {
                Some(url) => {
                    endpoint::disable(db, id, url, ended)?;
                    Ok(Standing::default())
                }
                None => judge(db, id, fault, &words, (ended, jitter)),
            }
        })
        .await?;
    Ok(Step::Tried { id: due.webhook_id, verdict: found, standing })
}

/// Notes how an endpoint does after a try, and gives up what it has been owed for too long.
fn judge(
    db: &Db,
    id: i64,
    fault: Blame,
    words: &str,
    (now, jitter): (Timestamp, f64),
) -> Result<Standing, StoreError> {
    let before = endpoint::condition(db, id)?;
    let breaker = breaker(&before).after(fault, now, jitter);
    if breaker == Breaker::default() {
        if before != Condition::default() {
            endpoint::set_condition(db, id, &Condition::default())?;
        }
        return Ok(Standing::default());
    }
    let Breaker { failures, held_until } = breaker;
    let failing_since = before.failing_since.or(Some(now));
    let error = Some(words.to_owned());
    endpoint::set_condition(db, id, &Condition { failures, failing_since, error, held_until })?;
    let given_up = match held_until {
        Some(_) => outbox::give_up(db, id, now - OWED_AT_MOST, now)?,
        None => 0,
    };
    Ok(Standing { failures, held_until, given_up })
}

fn breaker(condition: &Condition) -> Breaker {
    Breaker { failures: condition.failures, held_until: condition.held_until }
}

/// What an endpoint is owed first.
enum Next {
    Nothing { next: Option<Timestamp> },
    Settled,
    Unwritten { id: String, line: Option<usize> },
    Deliver { due: Due, body: String },
}

/// Loads what is due first, unless the endpoint is left alone or the rep is to be, and writes what it
/// says if it was never tried: of what holds now. Nothing that has ceased to hold is sent, nor tried again, but for what
/// somebody wants to have sent once more.
fn next(
    db: &Db,
    rules: &Rules,
    endpoint: i64,
    (format, linking): (&Format, Option<&Linking>),
    now: Timestamp,
) -> Result<Next, StoreError> {
    if let Gate::Open { until } = breaker(&endpoint::condition(db, endpoint)?).gate(now) {
        let next = outbox::next_due(db, endpoint)?.map(|due| due.max(until));
        return Ok(Next::Nothing { next });
    }
    let Some(mut due) = outbox::due(db, endpoint, now)? else {
        let (next, at_last) = (outbox::next_due(db, endpoint)?, now + LONGEST_WAIT);
        let wrong = next.is_some_and(|next| next > at_last);
        if wrong && outbox::hasten(db, endpoint, at_last, now)? > 0 {
            return Ok(Next::Settled);
        }
        return Ok(Next::Nothing { next });
    };
    let opens = rules.restraint.open_from(now, rules.zone(due.rep));
    if opens > now && !due.replayed {
        // A second try comes as little at night as a first one.
        outbox::postpone(db, due.id, opens)?;
        return Ok(Next::Settled);
    }
    let events = unsilenced(db, outbox::events(db, due.id)?, now)?;
    if let Some(body) = due.body.take()
        && (due.replayed || !events.is_empty())
    {
        return Ok(Next::Deliver { due, body });
    }
    let items: Vec<Item> = events
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
            Ok(Next::Unwritten { id: due.webhook_id, line: error.line() })
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

/// What becomes of a delivery whose endpoint is gone is that of all that it is owed: it waits for
/// another URL.
fn consequence(verdict: &Verdict, now: Timestamp) -> (Settled, String) {
    match verdict {
        Verdict::Delivered => (Settled::Delivered, "delivered".to_owned()),
        Verdict::Retry { at, why } => (Settled::Again(*at), why.clone()),
        Verdict::Disable { why } => (Settled::Again(now), why.clone()),
        Verdict::Dead { why } => (Settled::Dead, why.clone()),
    }
}
