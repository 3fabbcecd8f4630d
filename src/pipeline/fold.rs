//! Folding what a commit has touched into the states of relationships, once each; or, while more
//! of a mailbox is to come, once each when the pass has ended.

use std::collections::BTreeMap;
use std::slice::Iter;
use std::sync::{Mutex, PoisonError};

use crate::model::{Interaction, Relationship, Resolution, Span, Timestamp};
use crate::nudge::decide::silent_since;
use crate::nudge::{Recovery, looks_next, recovery};
use crate::score::{Fall, extend, fall, fell_at, rebuild};
use crate::store::relationship::Stored;
use crate::store::{Db, StoreError, connection, interaction, nudge, relationship};

use super::Rules;
use super::nudge::matters;

/// What a commit did to a relationship.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Interactions that are new, or count only now, by row; and whether they count.
    pub added: BTreeMap<i64, (Interaction, bool)>,
    /// Instants of interactions counted before that turned out to be answers.
    pub answered: Vec<Timestamp>,
    /// Whether it must be folded from the whole log: something was taken back or moved.
    pub refold: bool,
    /// Whether it got an answer that only its subject can link.
    pub loose_reply: bool,
}

/// Rows of relationships looked at in one transaction while settling.
const SETTLED_AT_ONCE: usize = 2000;
/// As many are worth another connection.
const MANY: usize = 200;

/// Folds everything touched, each relationship once.
///
/// # Errors
/// As every write.
pub fn fold(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    touched: &BTreeMap<i64, Touched>,
) -> Result<(), StoreError> {
    for (id, touched) in touched {
        let mut row = relationship::get(db, *id)?;
        row.loose_replies |= touched.loose_reply;
        let matured = row.state.pending_at.is_some_and(|at| at <= now);
        if touched.refold || matured {
            refold(db, rules, now, &mut row)?;
        } else if row.state.baseline_stale {
            // All of it is folded from the log before anybody looks.
            relationship::mark_stale(db, *id, row.loose_replies)?;
            continue;
        } else {
            add(db, rules, now, &mut row, touched)?;
        }
        finish(db, rules, now, &mut row)?;
    }
    Ok(())
}

/// Leaves everything touched to [`settle`]: while a backfill goes on, folding a relationship with
/// every commit would be undone by the next.
///
/// # Errors
/// As every write.
pub fn put_off(db: &Db, touched: &BTreeMap<i64, Touched>) -> Result<(), StoreError> {
    for (id, touched) in touched {
        relationship::mark_stale(db, *id, touched.loose_reply)?;
    }
    Ok(())
}

/// Folds the baselines that a backfill has left, at most 2,000 above `after`, on two cores if the
/// transaction has changed nothing before; gives the last row looked at, `None` when there are no more.
///
/// # Errors
/// As every write.
pub fn settle(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    after: i64,
) -> Result<Option<i64>, StoreError> {
    let stale = relationship::stale(db, after, SETTLED_AT_ONCE)?;
    // Without another connection or thread it takes longer.
    let many = Some(db).filter(|_| stale.len() >= MANY);
    let beside = many.and_then(|db| connection::beside(db).ok().flatten());
    let left = Mutex::new(stale.iter());
    std::thread::scope(|scope| {
        let (left, from_the_end) = (&left, Iter::next_back);
        let helper = beside.and_then(|db| {
            let help = move || {
                let ids = std::iter::from_fn(|| take(left, from_the_end));
                ids.map(|id| folded(&db, rules, now, id)).collect::<Result<Vec<_>, _>>()
            };
            std::thread::Builder::new().name("fold".into()).spawn_scoped(scope, help).ok()
        });
        while let Some(id) = take(left, Iter::next) {
            conclude(db, rules, now, &mut folded(db, rules, now, id)?)?;
        }
        let rows =
            helper.map(|helper| helper.join().map_err(|_| StoreError::Closed)).transpose()?;
        for mut row in rows.transpose()?.into_iter().flatten() {
            conclude(db, rules, now, &mut row)?;
        }
        Ok(stale.last().copied())
    })
}

fn take<'a>(
    left: &Mutex<Iter<'a, i64>>,
    next: impl FnOnce(&mut Iter<'a, i64>) -> Option<&'a i64>,
) -> Option<i64> {
    next(&mut left.lock().unwrap_or_else(PoisonError::into_inner)).copied()
}

/// A relationship with its state and its fall from the whole log. Only reads.
fn folded(db: &Db, rules: &Rules, now: Timestamp, id: i64) -> Result<Stored, StoreError> {
    let mut row = relationship::get(db, id)?;
    let log = refold(db, rules, now, &mut row)?;
    row.falls_at = falls(rules, &row, &row.state, row.state.folded_at, || Ok(log))?;
    Ok(row)
}

/// Brings a state up to `now` from the whole log, and gives that.
///
/// # Errors
/// As every read.
pub fn refold(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    row: &mut Stored,
) -> Result<Vec<Interaction>, StoreError> {
    let log = interaction::log(db, row.id)?;
    let until = row.state.folded_at.max(now);
    row.state = rebuild(&log, rules.zone(row.rep), &rules.parameters, until);
    Ok(log)
}

/// The state of a relationship as of any instant: what is dated later does not count.
///
/// # Errors
/// As every read.
pub fn as_of(
    db: &Db,
    rules: &Rules,
    row: &Stored,
    at: Timestamp,
) -> Result<Relationship, StoreError> {
    let ready = !row.state.baseline_stale
        && row.state.last_at().is_none_or(|last| last <= at)
        && row.state.pending_at.is_none_or(|pending| pending > at);
    if ready {
        return Ok(row.state);
    }
    let log = interaction::log(db, row.id)?;
    Ok(rebuild(&log, rules.zone(row.rep), &rules.parameters, at))
}

/// When a relationship in `state` fell, or falls; only a decay that began before its last
/// interaction needs the log.
///
/// # Errors
/// As every read.
pub fn falls_at(
    db: &Db,
    rules: &Rules,
    row: &Stored,
    state: &Relationship,
    until: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    falls(rules, row, state, until, || interaction::log(db, row.id))
}

fn falls(
    rules: &Rules,
    row: &Stored,
    state: &Relationship,
    until: Timestamp,
    log: impl FnOnce() -> Result<Vec<Interaction>, StoreError>,
) -> Result<Option<Timestamp>, StoreError> {
    let trigger = &rules.policy.trigger();
    Ok(match fall(state, trigger) {
        Fall::At(at) => Some(at),
        Fall::Never => None,
        Fall::Earlier => fell_at(&log()?, rules.zone(row.rep), &rules.parameters, trigger, until),
    })
}

/// Decides what follows from a state that has changed, and saves it.
///
/// # Errors
/// As every write.
pub fn finish(db: &Db, rules: &Rules, now: Timestamp, row: &mut Stored) -> Result<(), StoreError> {
    if row.state.baseline_stale {
        row.due_at = row.state.pending_at;
        return relationship::save(db, row);
    }
    row.falls_at = falls_at(db, rules, row, &row.state, row.state.folded_at)?;
    conclude(db, rules, now, row)
}

/// As [`finish`], if it is known when the relationship falls.
fn conclude(db: &Db, rules: &Rules, now: Timestamp, row: &mut Stored) -> Result<(), StoreError> {
    if let Some(episode) = &row.episode_id
        && recovery(&row.state, &rules.policy, now) == Recovery::Recovered
    {
        nudge::resolve(db, episode, Resolution::Recovered, now)?;
        row.episode_id = None;
    }
    if let Some(episode) = &row.episode_id
        && silent_since(&row.state, &rules.policy)
            .is_some_and(|at| now - at < rules.policy.min_silence)
        && !nudge::resolve_unsaid(db, episode, now)?
    {
        // They are in touch again, and nobody has been told that they were not.
        row.episode_id = None;
    }
    matters::settle(db, row.id, &row.state, now)?;
    let in_episode = row.episode_id.is_some();
    let decay = looks_next(&row.state, row.falls_at, in_episode, &rules.policy, None);
    let reminder = row.due_at.filter(|_| in_episode);
    let other = matters::first_look(rules, &row.state, rules.zone(row.rep), now);
    row.due_at = [decay, reminder, other].into_iter().flatten().min();
    relationship::save(db, row)
}

/// Adds what is new to a state; what lies in the future waits.
fn add(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    row: &mut Stored,
    touched: &Touched,
) -> Result<(), StoreError> {
    let until = row.state.folded_at.max(now);
    let counted = touched.added.values().filter(|(_, counted)| *counted).map(|(i, _)| *i);
    let (mut past, future): (Vec<_>, Vec<_>) = counted.partition(|i| i.at <= until);
    past.sort_by_key(|i| i.at);
    let folded = neighbours(db, row, &past, touched)?;
    extend(&mut row.state, &folded, &past, rules.zone(row.rep), &rules.parameters);
    for at in touched.answered.iter().filter(|at| **at <= until) {
        row.state.counts.reciprocations += 1;
        row.state.reciprocated_at = Some(row.state.reciprocated_at.map_or(*at, |r| r.min(*at)));
    }
    row.state.folded_at = until;
    let next = future.iter().map(|i| i.at).min();
    row.state.pending_at = match (row.state.pending_at, next) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Ok(())
}

/// The interactions folded before on the local days of `past` (and around them: a day's length
/// and its zone's offset are at most 25 hours).
fn neighbours(
    db: &Db,
    row: &Stored,
    past: &[Interaction],
    touched: &Touched,
) -> Result<Vec<Interaction>, StoreError> {
    const REACH: Span = Span::from_hours(25);
    let mut found = Vec::new();
    if row.state.last_at().is_none() {
        return Ok(found);
    }
    let mut rest = past;
    while let Some(first) = rest.first() {
        let mut to = first.at + REACH;
        while let Some(next) = rest.first().filter(|next| next.at - REACH <= to) {
            to = next.at + REACH;
            rest = rest.get(1..).unwrap_or_default();
        }
        let logged = interaction::between(db, row.id, first.at - REACH, to)?;
        let old = logged.into_iter().filter(|l| {
            !touched.added.contains_key(&l.id) && l.interaction.at <= row.state.folded_at
        });
        found.extend(old.map(|l| l.interaction));
    }
    Ok(found)
}
