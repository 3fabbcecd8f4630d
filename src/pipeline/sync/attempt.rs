//! How a pass begins and ends in the database: whether it may begin at all, what it leaves of the
//! source's condition, and in which words. What follows from what is decided in the model.

use super::{PassError, Source};
use crate::clock::Clock;
use crate::model::{
    Condition, KnownMailbox, Link, Next, Occasion, Setback, SourceState, Span, Timestamp,
};
use crate::source::SourceError;
use crate::store::source::{self as sources, Freshness};
use crate::store::{Db, Store, StoreError, mailbox as mailboxes};

/// The circumstances of a pass.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Tells when it begins and when it fails.
    pub clock: Clock,
    /// From 0 to 1: where in its range the pause after a failure lies.
    pub jitter: f64,
    /// Why it is made.
    pub occasion: Occasion,
    /// 16 bits of a hash of the credentials, if the source has some: others than those that were
    /// refused are tried at once.
    pub fingerprint: Option<u16>,
}

/// What is known of a source when a pass begins.
pub(super) struct Known {
    pub(super) mailboxes: Vec<KnownMailbox>,
    pub(super) freshness: Freshness,
}

/// Begins a pass, unless it is too early for one.
pub(super) async fn begin(
    store: &Store,
    from: &Source,
    attempt: Attempt,
    now: Timestamp,
) -> Result<Known, PassError> {
    let (id, rep) = (from.id, from.rep);
    let begun = store.write(move |db| {
        let (condition, error) = sources::condition(db, id)?;
        if let Next::At(until) = condition.next(attempt.occasion, attempt.fingerprint, now) {
            return Ok(Err((until, reason(condition.state, error))));
        }
        sources::begin(db, id, now)?;
        let mailboxes = mailboxes::known(db, id, now)?;
        Ok(Ok(Known { mailboxes, freshness: sources::freshness(db, rep)? }))
    });
    begun.await?.map_err(|(until, why)| PassError::NotYet { until, why })
}

fn reason(state: SourceState, error: Option<String>) -> String {
    error.map_or_else(|| state.words(), |error| format!("{}: {error}", state.words()))
}

/// Writes down that a pass begun at `now` has read everything.
pub(super) fn succeed(db: &Db, id: i64, link: Link, now: Timestamp) -> Result<(), StoreError> {
    let (condition, _) = sources::condition(db, id)?;
    sources::succeed(db, id, &condition.succeeded(link, now), now)
}

/// Writes down that a pass has failed.
pub(super) async fn fail(
    store: &Store,
    id: i64,
    error: &SourceError,
    attempt: Attempt,
) -> Result<(), StoreError> {
    let Attempt { clock, jitter, fingerprint, .. } = attempt;
    let (setback, words) = (setback(error), error.to_string());
    let write = move |db: &Db| {
        let (condition, _) = sources::condition(db, id)?;
        let after = condition.failed(setback, fingerprint, clock.now(), jitter);
        sources::fail(db, id, &after, &words)
    };
    store.write(write).await
}

/// Writes down that a connection which was kept open since `since` has been lost, so that the next
/// pass waits as long as it should; a pass over a kept connection ends with [`Link::Open`].
///
/// # Errors
/// What the store says.
pub async fn lost(
    store: &Store,
    from: &Source,
    since: Timestamp,
    error: &SourceError,
    attempt: Attempt,
) -> Result<Condition, StoreError> {
    let (id, words) = (from.id, error.to_string());
    let write = move |db: &Db| {
        let (condition, _) = sources::condition(db, id)?;
        let after = condition.lost(since, attempt.clock.now(), attempt.jitter);
        if after.failures > condition.failures {
            sources::fail(db, id, &after, &words)?;
        } else {
            sources::set_condition(db, id, &after)?;
        }
        Ok(after)
    };
    store.write(write).await
}

/// What an error of a source is to its condition.
fn setback(error: &SourceError) -> Setback {
    match error {
        SourceError::Unauthorized(_) => Setback::Unauthorized,
        SourceError::Misconfigured(_) => Setback::Misconfigured,
        SourceError::Throttled { after, .. } => Setback::Throttled {
            after: after.map(|after| {
                Span::from_millis(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
            }),
        },
        SourceError::Unreachable(_)
        | SourceError::Protocol(_)
        | SourceError::Incomplete(_)
        | SourceError::Stopped => Setback::Transient,
    }
}
