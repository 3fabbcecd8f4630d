//! How nudging stands as a whole, for status and metrics; and what is to be expected.

use serde::Serialize;

use crate::model::{NudgeKind, NudgeState, Span, Timestamp};
use crate::nudge::established;
use crate::pipeline::{Rules, fold};
use crate::score::strength::score_of;
use crate::store::nudge::Listed;
use crate::store::source::Freshness;
use crate::store::{Db, StoreError, contact, nudge, nudging, relationship, rep, source};

use super::compose::Decayed;
use super::{Work, observes_until};

/// How nudging stands. The names of its fields are a contract.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Standing {
    /// Nudges that wait for their moment, or for room.
    pub waiting: u32,
    /// When the next of them may be sent.
    pub next_release_at: Option<Timestamp>,
    /// Until when nudges are made and not sent, if they are not.
    pub observing_until: Option<Timestamp>,
    /// What is not believed of the clock, if so.
    pub clock: Option<ClockStanding>,
    /// Reps who are told nothing, for too much of theirs decays at once.
    pub held: Vec<Held>,
    /// Reps who are told nothing, for their mail has not been read.
    pub unread: Vec<Unread>,
}

/// A rep whose mail has not been read. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unread {
    /// The rep's id.
    pub rep: String,
    /// `stale` if a source was not read for too long, `backfilling` if a mailbox is being read for the
    /// first time or anew.
    pub reason: &'static str,
    /// When the source that is behind was last read through, if ever.
    pub read_at: Option<Timestamp>,
}

/// A clock that is not believed. The names of its fields are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClockStanding {
    /// When that was found.
    pub jumped_at: Timestamp,
    /// By how much, in days; back if it is negative.
    pub jumped_by_days: f64,
}

/// A rep who is told nothing. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The rep's id.
    pub rep: String,
    /// Since when.
    pub held_at: Timestamp,
    /// So many relationships decay at once …
    pub decaying: u32,
    /// … of so many established ones, as far as they were counted.
    pub established: u32,
    /// Until when they go all the same, if the admin has said so.
    pub allowed_until: Option<Timestamp>,
}

/// How nudging stands at `now`.
///
/// # Errors
/// As every read.
pub fn standing(
    db: &Db,
    (observe, fresh): (Span, Span),
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let unread = unread(db, fresh, now)?;
    let Some(known) = nudging::get(db)? else {
        return Ok(Standing { unread, ..Standing::default() });
    };
    let clock = known.jumped.map(|(jumped_at, by)| ClockStanding {
        jumped_at,
        jumped_by_days: (by.days() * 10.0).round() / 10.0,
    });
    let held = nudging::holds(db)?.into_iter().map(|hold| Held {
        rep: hold.code,
        held_at: hold.held_at,
        decaying: hold.decaying,
        established: hold.established,
        allowed_until: hold.allowed_until,
    });
    Ok(Standing {
        waiting: nudge::waiting(db)?,
        next_release_at: nudge::next_release(db)?,
        observing_until: observes_until(&known, observe, now),
        clock,
        held: held.collect(),
        unread,
    })
}

/// The reps about whom nothing can be said, for not all of their mail is known.
fn unread(db: &Db, fresh: Span, now: Timestamp) -> Result<Vec<Unread>, StoreError> {
    let mut found = Vec::new();
    for rep in rep::all(db)? {
        let Freshness { oldest, backfilling } = source::freshness(db, rep.id)?;
        let stale = oldest.is_none_or(|at| now - at > fresh);
        if stale || backfilling {
            let reason = if backfilling { "backfilling" } else { "stale" };
            found.push(Unread { rep: rep.code, reason, read_at: oldest });
        }
    }
    Ok(found)
}

/// The nudges made up to `now`, the newest first; what waits and is not written yet as it would be said
/// now.
///
/// # Errors
/// As every read.
pub fn listed(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    let mut all = nudge::list(db, now, limit)?;
    let mut work = Work::new(db, rules, now, NudgeState::Waiting);
    for Listed { nudge, .. } in &mut all {
        if nudge.state == NudgeState::Waiting && nudge.body.is_empty() {
            let row = relationship::get(db, nudge.relationship)?;
            let how = Decayed::Still { episode: &nudge.episode_id, reminder: nudge.reminder };
            let told = work.decayed(&row, how)?;
            (nudge.reasons, nudge.body) = (told.reasons, told.body);
        }
    }
    Ok(all)
}

/// Something that will be said, or may be. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ahead {
    /// `waiting` if it was decided, else `expected` if nothing happens before.
    pub state: &'static str,
    /// What kind it is.
    pub kind: &'static str,
    /// When it may be sent at the earliest.
    pub at: Timestamp,
    /// The rep's id.
    pub rep: String,
    /// The contact's name.
    pub contact: String,
    /// The organisation's domain.
    pub organisation: String,
    /// What the strength has been at its best, 0 to 100.
    pub baseline: f64,
    /// What there is to lose; the budget goes to the greatest first.
    pub stake: f64,
    /// The nudge's id, if it was decided.
    pub nudge_id: Option<String>,
}

/// What waits, and which relationships fall until `until` if nothing happens before; by time.
///
/// # Errors
/// As every read.
pub fn ahead(
    db: &Db,
    rules: &Rules,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Ahead>, StoreError> {
    let mut found = Vec::new();
    for open in nudge::releasable(db, until)? {
        let contact = contact::get(db, open.contact)?;
        found.push(Ahead {
            state: NudgeState::Waiting.code(),
            kind: open.nudge.kind.code(),
            at: open.nudge.release_at,
            rep: rep::get(db, open.rep)?.code,
            baseline: score_of(relationship::get(db, open.nudge.relationship)?.state.baseline),
            contact: contact.name,
            organisation: contact.organisation,
            stake: open.nudge.stake,
            nudge_id: Some(open.nudge.id),
        });
    }
    let observing = nudging::get(db)?
        .and_then(|known| observes_until(&known, rules.restraint.observe, now))
        .unwrap_or(now);
    for row in relationship::due(db, until, usize::MAX)? {
        let state = fold::as_of(db, rules, &row, now)?;
        if row.episode_id.is_some() || !established(&state, &rules.policy) {
            continue;
        }
        let Some(falls) = fold::falls_at(db, rules, &row, &state, now)?.filter(|at| *at <= until)
        else {
            continue;
        };
        let kind = NudgeKind::Decay;
        let contact = contact::get(db, row.contact)?;
        let at = falls.max(row.due_at.unwrap_or(falls)).max(observing);
        found.push(Ahead {
            state: "expected",
            kind: kind.code(),
            at: rules.restraint.moment(kind, at.max(now), rules.zone(row.rep)),
            rep: rep::get(db, row.rep)?.code,
            contact: contact.name,
            organisation: contact.organisation,
            baseline: score_of(state.baseline),
            stake: crate::nudge::stake(&state, &rules.policy, at),
            nudge_id: None,
        });
    }
    found.sort_by(|a, b| a.at.cmp(&b.at).then(b.stake.total_cmp(&a.stake)));
    Ok(found)
}
