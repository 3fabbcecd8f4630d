//! The nudge step: every relationship that is due is decided, what may be said now is given to the
//! endpoints ([`release`]), and both are stored together with what is owed, in one transaction.
//!
//! Nothing is decided while the clock is not believed, and nothing of a rep of whom too much decays at
//! once ([`guard`]).

mod compose;
pub mod effect;
pub mod guard;
mod holds;
pub(super) mod matters;
pub mod release;
mod remind;
mod review;
pub(super) mod steer;
pub mod view;

use std::collections::{BTreeMap, HashMap};

use crate::model::{Nudge, NudgeKind, NudgeState, Span, Timestamp};
use crate::nudge::{AGAIN, Ahead, Decision, Facts, Policy, decide, looks_next, stake};
use crate::store::held::Held;
use crate::store::nudging::Nudging;
use crate::store::relationship::Stored;
use crate::store::rep::Rep;
use crate::store::source::Freshness;
use crate::store::{Db, StoreError, held, nudge, nudging, relationship, silence, source};

use super::{Rules, fold};
use compose::Decayed;
pub use guard::Notice;
pub use release::Destination;

/// Relationships decided in one step; the rest stays due.
const AT_ONCE: usize = 2000;

/// When a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    /// Whether somebody has given it: then no clock is to be believed or not.
    pub given: bool,
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Public ids of the nudges made.
    pub made: Vec<String>,
    /// How many messages are owed to endpoints now that were not before.
    pub owed: usize,
    /// How many relationships were decided, by the decision's code.
    pub decided: BTreeMap<&'static str, u32>,
    /// What the admin is to be told.
    pub notices: Vec<Notice>,
    /// When the next relationship is due, or the next nudge may be said.
    pub next_due: Option<Timestamp>,
}

/// What a step goes by.
struct Work<'a> {
    db: &'a Db,
    rules: &'a Rules,
    now: Timestamp,
    /// What becomes of a nudge when it is made.
    made: NudgeState,
    freshness: HashMap<i64, Freshness>,
    reps: HashMap<i64, Rep>,
}

/// A relationship that is due, and what was decided.
struct Due {
    row: Stored,
    facts: Facts,
    decision: Decision,
}

/// Decides every relationship that is due, that with most at stake first, and gives what may be said
/// to `destinations`.
///
/// # Errors
/// As every write.
pub fn step(
    db: &Db,
    rules: &Rules,
    destinations: &[Destination],
    moment: Moment,
) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    let now = moment.now;
    let nudging = nudging::ensure(db, now)?;
    if !guard::clock(db, &nudging, moment, &mut outcome.notices)? {
        outcome.next_due = Some(now + AGAIN);
        return Ok(outcome);
    }
    let observes = observes_until(&nudging, rules.restraint.observe, now).is_some();
    let made = if observes { NudgeState::Observed } else { NudgeState::Waiting };
    let mut work = Work::new(db, rules, now, made);
    let due = work.due()?;
    let held = match made {
        NudgeState::Waiting => guard::masses(db, rules, &due, now, &mut outcome.notices)?,
        _ => Vec::new(),
    };
    for due in due {
        let decision = match due.decision {
            Decision::Nudge { .. } if held.contains(&due.row.rep) => Decision::Held,
            decision => decision,
        };
        *outcome.decided.entry(decision.code()).or_default() += 1;
        work.act(Due { decision, ..due }, &mut outcome.made)?;
    }
    review::review(&mut work, &nudging, &mut outcome.made)?;
    outcome.owed = release::release(&mut work, destinations, &held)?;
    let next = [relationship::next_due(db)?, nudge::next_release(db)?, review::next(db, rules)?];
    outcome.next_due = next.into_iter().flatten().min();
    Ok(outcome)
}

/// Until when nudges are made and not sent yet, if they are not.
fn observes_until(nudging: &Nudging, observe: Span, now: Timestamp) -> Option<Timestamp> {
    let until = nudging.began_at + observe;
    (nudging.enabled_at.is_none_or(|at| at > now) && now < until).then_some(until)
}

impl<'a> Work<'a> {
    fn new(db: &'a Db, rules: &'a Rules, now: Timestamp, made: NudgeState) -> Self {
        Self { db, rules, now, made, freshness: HashMap::new(), reps: HashMap::new() }
    }

    /// What is due, and what is to be done about its decay.
    fn due(&mut self) -> Result<Vec<Due>, StoreError> {
        let (db, rules, now) = (self.db, self.rules, self.now);
        let mut rows = relationship::due(db, now, AT_ONCE)?;
        let stake = |row: &Stored| stake(&row.state, &rules.policy, now);
        rows.sort_by(|a, b| stake(b).total_cmp(&stake(a)).then(a.id.cmp(&b.id)));
        let mut due = Vec::with_capacity(rows.len());
        for mut row in rows {
            if row.state.pending_at.is_some_and(|at| at <= now) {
                fold::refold(db, rules, now, &mut row)?;
                fold::finish(db, rules, now, &mut row)?;
                if row.due_at.is_none_or(|at| at > now) {
                    continue;
                }
            }
            let fresh = self.fresh(row.rep)?;
            let facts = facts(db, &row, fresh, now)?;
            let decision = match rules.matters.enabled.contains(&NudgeKind::Decay) {
                true => decide(&row.state, &facts, &rules.policy, now),
                false => Decision::Off,
            };
            due.push(Due { row, facts, decision });
        }
        Ok(due)
    }

    /// How far a rep's sources have been read.
    fn fresh(&mut self, rep: i64) -> Result<Freshness, StoreError> {
        if let Some(fresh) = self.freshness.get(&rep) {
            return Ok(*fresh);
        }
        let fresh = source::freshness(self.db, rep)?;
        self.freshness.insert(rep, fresh);
        Ok(fresh)
    }

    /// Does what was decided, and says when to look again.
    fn act(&mut self, due: Due, made: &mut Vec<String>) -> Result<(), StoreError> {
        let (db, rules, now) = (self.db, self.rules, self.now);
        let Due { mut row, facts, decision } = due;
        let mut next = None;
        let begins = matches!(decision, Decision::Nudge { .. } | Decision::FellLongAgo { .. });
        match decision {
            Decision::Nudge { .. } => {
                let told = self.fallen(&row, Decayed::Anew)?;
                begin_episode(&mut row, &told.episode_id, now);
                next = self.keep(&told, made)?;
            }
            Decision::FellLongAgo { .. } => {
                let episode = self.episode_of(&row)?;
                begin_episode(&mut row, &episode, now);
            }
            Decision::InEpisode => next = remind::remind(self, &row, &facts, made)?,
            _ => {}
        }
        let matters = matters::look(self, &row, &facts, made)?;
        let in_episode = row.episode_id.is_some();
        let decided = Some((decision, now));
        let decay = looks_next(&row.state, row.falls_at, in_episode, &rules.policy, decided);
        row.due_at = [decay, matters, next].into_iter().flatten().min();
        // Nothing else of them has changed.
        match begins {
            true => relationship::begin_episode(db, &row),
            false => relationship::look_next(db, row.id, row.due_at),
        }
    }

    /// Stores a nudge, if it was not said before; gives when to remind of it, if that is known already.
    fn keep(&self, told: &Nudge, made: &mut Vec<String>) -> Result<Option<Timestamp>, StoreError> {
        if nudge::insert(self.db, told)?.is_some() {
            made.push(told.id.clone());
        }
        // What is only watched is said for the first time as a reminder, if it still holds then.
        let watched = told.state == NudgeState::Observed;
        Ok(self.rules.restraint.reminds_at(self.now, told.reminder).filter(|_| watched))
    }
}

fn facts(db: &Db, row: &Stored, fresh: Freshness, now: Timestamp) -> Result<Facts, StoreError> {
    let state = &row.state;
    // What lies ahead pends, unless the clock was set back.
    let ahead_of_now = state.pending_at.is_some() || state.folded_at > now || state.baseline_stale;
    let next_meeting = if ahead_of_now { held::next(db, row.id, now)? } else { None };
    Ok(Facts {
        falls_at: row.falls_at,
        in_episode: row.episode_id.is_some(),
        last_episode_at: row.episode_at,
        oldest_read: fresh.oldest,
        backfilling: fresh.backfilling,
        next_meeting: next_meeting.map(ahead),
        silenced_until: silence::until(db, (row.rep, row.contact), NudgeKind::Decay, now)?,
    })
}

/// What is decided of a decay as if it fell now: what holds a first word back holds any other back too.
fn decide_anew(row: &Stored, facts: &Facts, policy: &Policy, now: Timestamp) -> (Decision, Policy) {
    let facts = Facts { in_episode: false, last_episode_at: None, ..*facts };
    let policy = Policy { max_age: now - Timestamp::from_millis(0), ..*policy };
    (decide(&row.state, &facts, &policy, now), policy)
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
