//! How a pass begins and ends in the database: whether it may begin at all, what it leaves of the
//! source's condition, and in which words. What follows from what is decided in the model.

use super::{PassError, Source};
use crate::clock::Clock;
use crate::model::{
    Condition, KnownMailbox, Link, Next, Occasion, Setback, SourceState, Span, Timestamp,
};
use crate::source::{Scope, SourceError};
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

/// Begins a pass, unless it is too early for one. What a source has told of by itself may always be
/// read, and is no attempt at all of it.
pub(super) async fn begin(
    store: &Store,
    from: &Source,
    attempt: Attempt,
    scope: Scope,
    now: Timestamp,
) -> Result<Known, PassError> {
    let (id, rep) = (from.id, from.rep);
    let begun = store.write(move |db| {
        if scope == Scope::Everything {
            if let Some(early) = too_early(db, id, attempt, now)? {
                return Ok(Err(early));
            }
            sources::begin(db, id, now)?;
        }
        let mailboxes = mailboxes::known(db, id, now)?;
        Ok(Ok(Known { mailboxes, freshness: sources::freshness(db, rep)? }))
    });
    Ok(begun.await??)
}

/// Refuses a pass for which it is too early, as one that begins is: to be asked before a source
/// waits for anything that others wait for too.
///
/// # Errors
/// [`PassError::NotYet`]; what the store says.
pub async fn admit(store: &Store, from: &Source, attempt: Attempt) -> Result<(), PassError> {
    let (id, now) = (from.id, attempt.clock.now());
    match store.write(move |db| too_early(db, id, attempt, now)).await? {
        None => Ok(()),
        Some(early) => Err(early.into()),
    }
}

/// Until when a source is left alone, and why.
struct Early {
    until: Timestamp,
    why: String,
}

impl From<Early> for PassError {
    fn from(Early { until, why }: Early) -> Self {
        Self::NotYet { until, why }
    }
}

fn too_early(
    db: &Db,
    id: i64,
    attempt: Attempt,
    now: Timestamp,
) -> Result<Option<Early>, StoreError> {
    let (condition, error) = sources::condition(db, id)?;
    Ok(match condition.next(attempt.occasion, attempt.fingerprint, now) {
        Next::Now => None,
        Next::At(until) => Some(Early { until, why: reason(condition.state, error) }),
    })
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
        SourceError::SignedOut(_) => Setback::SignedOut,
        SourceError::Misconfigured(_) => Setback::Misconfigured,
        SourceError::Throttled { after, .. } => {
            Setback::Throttled { after: after.map(Span::from_duration) }
        }
        SourceError::Unreachable(_)
        | SourceError::Protocol(_)
        | SourceError::Incomplete(_)
        | SourceError::Stopped => Setback::Transient,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{Reader, maildir};
    use crate::store::rep;

    const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn attempt(occasion: Occasion, seconds: i64) -> Attempt {
        let clock = Clock::Fixed(AT + Span::from_seconds(seconds));
        Attempt { clock, jitter: 1.0, occasion, fingerprint: None }
    }

    async fn source(store: &Arc<Store>) -> Source {
        let entered = store.write(|db| {
            let rep = rep::ensure(db, "ann", "Ann", "ann@us.example")?;
            Ok((sources::ensure(db, "ann-mail", rep, "maildir")?, rep))
        });
        let (id, rep) = entered.await.unwrap();
        let (path, exclude_mailboxes) = ("nowhere".into(), Vec::new());
        let reader = Reader::Maildir(maildir::Settings { path, exclude_mailboxes });
        let (name, authserv_id, history) = ("ann-mail".to_owned(), None, None);
        Source { id, rep, name, reader, authserv_id, history, private: Vec::new() }
    }

    /// Until when a pass has to wait, in seconds, and why.
    async fn wait(store: &Store, from: &Source, attempt: Attempt) -> Option<(i64, String)> {
        match begin(store, from, attempt, Scope::Everything, attempt.clock.now()).await {
            Ok(_) => None,
            Err(PassError::NotYet { until, why }) => Some(((until - AT).millis() / 1000, why)),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn what_a_pass_leaves_decides_when_the_next_one_begins() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keepwarm.db");
        let store = Arc::new(Store::open(&path).unwrap());
        let from = source(&store).await;
        let routine = |seconds| attempt(Occasion::Routine, seconds);
        assert_eq!(wait(&store, &from, routine(0)).await, None);
        let slow = SourceError::Throttled {
            after: Some(std::time::Duration::from_millis(299_961)),
            said: "slow down".to_owned(),
        };
        fail(&store, from.id, &slow, routine(0)).await.unwrap();
        let (until, why) = wait(&store, &from, routine(1)).await.unwrap();
        assert_eq!((until, why.as_str()), (299, "throttled: asked to wait: slow down"));

        drop(store);
        let store = Arc::new(Store::open(&path).unwrap());
        let from = source(&store).await;
        let start = attempt(Occasion::Start, 299);
        assert_eq!(wait(&store, &from, start).await.map(|w| w.0), Some(299), "after a restart");
        assert_eq!(wait(&store, &from, routine(300)).await, None);

        // Read through over a connection that is lost a moment later: the second failure.
        let (id, since) = (from.id, AT + Span::from_seconds(300));
        let link = Link::Open { since };
        store.write(move |db| succeed(db, id, link, since)).await.unwrap();
        let gone = SourceError::Unreachable("connection lost".to_owned());
        let after = lost(&store, &from, since, &gone, routine(301)).await.unwrap();
        assert_eq!((after.state, after.failures), (SourceState::Degraded, 2));
        let (until, why) = wait(&store, &from, routine(302)).await.unwrap();
        assert_eq!((until, why.as_str()), (305, "degraded: unreachable: connection lost"));
    }

    #[tokio::test]
    async fn a_refusal_is_forgotten_by_a_pass_that_was_let_in_and_read_a_part() {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&directory.path().join("keepwarm.db")).unwrap());
        let from = source(&store).await;
        let (id, soon) = (from.id, attempt(Occasion::Routine, 1));
        let refused = SourceError::Unauthorized("no".to_owned());
        fail(&store, id, &refused, attempt(Occasion::Routine, 0)).await.unwrap();
        let early = admit(&store, &from, soon).await;
        assert!(matches!(early, Err(PassError::NotYet { .. })), "{early:?}");
        store.write(move |db| sources::catching_up(db, id)).await.unwrap();
        assert!(admit(&store, &from, soon).await.is_ok());
        fail(&store, id, &refused, soon).await.unwrap();
        let (condition, _) = store.write(move |db| sources::condition(db, id)).await.unwrap();
        assert_eq!((condition.state, condition.refusals), (SourceState::Degraded, 1));
    }
}
