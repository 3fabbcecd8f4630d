//! The nudge step: every relationship that is due is decided, what may be said now is given to the
//! endpoints ([`release`]), and both are stored together with what is owed, in one transaction.

mod compose;
pub mod release;

use std::collections::{BTreeMap, HashMap};

use crate::model::Timestamp;
use crate::nudge::{Ahead, Decision, Facts, decide, looks_next, stake};
use crate::store::held::Held;
use crate::store::relationship::Stored;
use crate::store::source::Freshness;
use crate::store::{Db, StoreError, held, nudge, relationship, source};

use super::{Rules, fold};
use compose::{episode_of, tell};
pub use release::Destination;

/// Relationships decided in one step; the rest stays due.
const AT_ONCE: usize = 2000;

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Public ids of the nudges made.
    pub made: Vec<String>,
    /// How many messages are owed to endpoints now that were not before.
    pub owed: usize,
    /// How many relationships were decided, by the decision's code.
    pub decided: BTreeMap<&'static str, u32>,
    /// When the next relationship is due, or the next nudge may be said.
    pub next_due: Option<Timestamp>,
}

/// Decides every relationship that is due at `now`, that with most at stake first, and gives what may
/// be said to `destinations`.
///
/// # Errors
/// As every write.
pub fn step(
    db: &Db,
    rules: &Rules,
    destinations: &[Destination],
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    let mut freshness = HashMap::new();
    let mut due = relationship::due(db, now, AT_ONCE)?;
    let stake = |row: &Stored| stake(&row.state, &rules.policy, now);
    due.sort_by(|a, b| stake(b).total_cmp(&stake(a)).then(a.id.cmp(&b.id)));
    for mut row in due {
        if row.state.pending_at.is_some_and(|at| at <= now) {
            fold::refold(db, rules, now, &mut row)?;
            fold::finish(db, rules, now, &mut row)?;
            if row.due_at.is_none_or(|at| at > now) {
                continue;
            }
        }
        let fresh = match freshness.get(&row.rep) {
            Some(fresh) => fresh,
            None => freshness.entry(row.rep).or_insert(source::freshness(db, row.rep)?),
        };
        let facts = facts(db, &row, fresh, now)?;
        let decision = decide(&row.state, &facts, &rules.policy, now);
        *outcome.decided.entry(decision.code()).or_default() += 1;
        match decision {
            Decision::Nudge { .. } => {
                let made = tell(db, rules, &row, fresh, now)?;
                begin_episode(&mut row, &made.episode_id, now);
                if nudge::insert(db, &made)?.is_some() {
                    outcome.made.push(made.id);
                }
            }
            Decision::FellLongAgo { .. } => {
                let episode = episode_of(db, &row, now)?;
                begin_episode(&mut row, &episode, now);
            }
            _ => {}
        }
        let in_episode = row.episode_id.is_some();
        let decided = Some((decision, now));
        row.due_at = looks_next(&row.state, row.falls_at, in_episode, &rules.policy, decided);
        relationship::save(db, &row)?;
    }
    outcome.owed = release::release(db, rules, destinations, now)?;
    outcome.next_due =
        [relationship::next_due(db)?, nudge::next_release(db)?].into_iter().flatten().min();
    Ok(outcome)
}

fn facts(db: &Db, row: &Stored, fresh: &Freshness, now: Timestamp) -> Result<Facts, StoreError> {
    Ok(Facts {
        falls_at: row.falls_at,
        in_episode: row.episode_id.is_some(),
        last_episode_at: row.episode_at,
        oldest_read: fresh.oldest,
        backfilling: fresh.backfilling,
        next_meeting: held::next(db, row.id, now)?.map(ahead),
        silenced_until: nudge::silenced_until(db, row.rep, row.contact)?,
    })
}

const fn ahead(next: Held) -> Ahead {
    Ahead { starts_at: next.starts_at, ends_at: next.ends_at }
}

fn begin_episode(row: &mut Stored, episode: &str, now: Timestamp) {
    row.episode_id = Some(episode.to_owned());
    row.episode_at = Some(now);
}

#[cfg(test)]
mod tests;
