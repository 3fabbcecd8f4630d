//! Whether what was decided some time ago holds when its moment has come; if it does, it is written, or
//! written anew, of what is so now.

use crate::model::{NudgeKind, Resolution, Timestamp};
use crate::nudge::kinds::{Found, passed};
use crate::nudge::{AGAIN, Decision, looks_next};
use crate::store::nudge::Open;
use crate::store::relationship::Stored;
use crate::store::{StoreError, nudge, relationship};

use super::compose::{Decayed, Told};
use super::{Work, decide_anew, facts, matters};

/// What is to be done about a nudge whose moment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// It is said.
    Yes,
    /// It has passed, and is never said.
    Not,
    /// Something speaks for itself until then.
    Until(Timestamp),
}

/// Looks again, and writes anew what holds.
pub(super) fn holds(work: &mut Work<'_>, open: &mut Open) -> Result<Holds, StoreError> {
    let holds = match open.nudge.kind {
        NudgeKind::Decay => decay(work, open)?,
        NudgeKind::OwedReply | NudgeKind::StoppedAnswering | NudgeKind::NoFollowUp => {
            matter(work, open)?
        }
        // They are looked at every day.
        NudgeKind::SingleThreaded | NudgeKind::ContactMoved => Holds::Yes,
    };
    if holds == Holds::Not {
        nudge::resolve_one(work.db, open.id, Resolution::Recovered, work.now)?;
        if open.nudge.kind == NudgeKind::Decay && open.nudge.reminder == 0 {
            end_episode(work, open)?;
        }
    }
    Ok(holds)
}

/// Writes what was decided and is never said, as it would have been said now.
pub(super) fn write_unsaid(work: &mut Work<'_>, open: &mut Open) -> Result<(), StoreError> {
    if open.nudge.body.is_empty() {
        let row = relationship::get(work.db, open.nudge.relationship)?;
        write_decay(work, &row, open)?;
    }
    Ok(())
}

fn write_decay(work: &mut Work<'_>, row: &Stored, open: &mut Open) -> Result<(), StoreError> {
    let (episode, reminder) = (open.nudge.episode_id.clone(), open.nudge.reminder);
    let told = work.decayed(row, Decayed::Still { episode: &episode, reminder })?;
    rewrite(work, open, told)
}

fn decay(work: &mut Work<'_>, open: &mut Open) -> Result<Holds, StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    let row = relationship::get(db, open.nudge.relationship)?;
    let fresh = work.fresh(row.rep)?;
    let (decision, _) = decide_anew(&row, &facts(db, &row, fresh, now)?, &rules.policy, now);
    Ok(match decision {
        Decision::Nudge { .. } => {
            write_decay(work, &row, open)?;
            Holds::Yes
        }
        Decision::MeetingAhead { until } | Decision::Silenced { until } => Holds::Until(until),
        Decision::Stale | Decision::Backfilling | Decision::Held => Holds::Until(now + AGAIN),
        _ => Holds::Not,
    })
}

fn matter(work: &mut Work<'_>, open: &mut Open) -> Result<Holds, StoreError> {
    let row = relationship::get(work.db, open.nudge.relationship)?;
    if passed(open.nudge.kind, &row.state) {
        return Ok(Holds::Not);
    }
    Ok(match matters::found(work, &row, open.nudge.kind)? {
        Found::Nothing => Holds::Not,
        Found::Later(at) => Holds::Until(at),
        Found::Say(matter) => {
            let told = work.tell(&row, Told::of(matter))?;
            if told.episode_id != open.nudge.episode_id {
                return Ok(Holds::Not);
            }
            if told.id == open.nudge.id {
                rewrite(work, open, told)?;
            }
            Holds::Yes
        }
    })
}

fn rewrite(work: &Work<'_>, open: &mut Open, told: crate::model::Nudge) -> Result<(), StoreError> {
    nudge::rewrite(work.db, open.id, &told)?;
    open.nudge.reasons = told.reasons;
    open.nudge.body = told.body;
    open.nudge.stake = told.stake;
    Ok(())
}

/// A decay of which nobody was told is over for nudges: the next one is another.
fn end_episode(work: &Work<'_>, open: &Open) -> Result<(), StoreError> {
    let mut row = relationship::get(work.db, open.nudge.relationship)?;
    if row.episode_id.as_ref() != Some(&open.nudge.episode_id) {
        return Ok(());
    }
    row.episode_id = None;
    let due = looks_next(&row.state, row.falls_at, false, &work.rules.policy, None);
    row.due_at = [row.due_at, due].into_iter().flatten().min();
    relationship::save(work.db, &row)
}
