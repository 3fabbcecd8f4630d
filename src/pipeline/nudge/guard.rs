//! Nothing is said from wrong data: not while the clock is not believed, and not to a rep of whom more
//! decays in a day than people do.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Span, Timestamp};
use crate::nudge::guard::{enough_for, jump, speaks_for, too_many};
use crate::nudge::{AGAIN, Decision};
use crate::pipeline::Rules;
use crate::store::nudging::Nudging;
use crate::store::{Db, StoreError, nudge, nudging, relationship, rep};

use super::{Due, Moment};

/// The clock is noted as believed this often: a step that finds nothing writes nothing.
const NOTED_EVERY: Span = Span::from_seconds(10 * 60);
/// Messages that are asked whether they speak for a clock that has jumped.
const ASKED: u32 = 1000;
/// Decays are counted over so much time.
const DAY: Span = Span::from_hours(24);

/// Something that an admin is to be told, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The clock has jumped by so much.
    ClockJumped {
        /// Forward, or back if it is negative.
        by: Span,
    },
    /// Mail that has come since speaks for it.
    ClockBelieved,
    /// A rep is told nothing, for so many of so many established relationships decay.
    Held {
        /// The rep's id.
        rep: String,
        /// So many …
        decaying: u32,
        /// … of so many.
        established: u32,
    },
    /// A rep is told again.
    Lifted {
        /// The rep's id.
        rep: String,
    },
}

/// Whether the clock is believed. One that has jumped is believed again once a message has been stored
/// since that others have dated near now.
pub(super) fn clock(
    db: &Db,
    known: &Nudging,
    moment: Moment,
    notices: &mut Vec<Notice>,
) -> Result<bool, StoreError> {
    let now = moment.now;
    if moment.given {
        return Ok(true);
    }
    let Some(by) = known.trusted_at.and_then(|at| jump(at, now)) else {
        if known.jumped.is_some() {
            notices.push(Notice::ClockBelieved);
        }
        let noted = known.trusted_at.is_some_and(|at| now - at < NOTED_EVERY);
        if known.jumped.is_some() || !noted {
            nudging::trust(db, now)?;
        }
        return Ok(true);
    };
    let since = nudging::messages_after(db, known.trusted_message, ASKED)?;
    if since.into_iter().any(|at| speaks_for(at, now)) {
        if known.jumped.is_some() {
            notices.push(Notice::ClockBelieved);
        }
        nudging::trust(db, now)?;
        return Ok(true);
    }
    if known.jumped.is_none() {
        notices.push(Notice::ClockJumped { by });
        nudging::distrust(db, now, by)?;
    }
    Ok(false)
}

/// The reps who are told nothing now, by row: too many of their relationships decay.
pub(super) fn masses(
    db: &Db,
    rules: &Rules,
    due: &[Due],
    now: Timestamp,
    notices: &mut Vec<Notice>,
) -> Result<Vec<i64>, StoreError> {
    let decides = |one: &&Due| matches!(one.decision, Decision::Nudge { .. });
    let deciding: BTreeSet<i64> = due.iter().filter(decides).map(|one| one.row.rep).collect();
    let holds = nudging::holds(db)?;
    if deciding.is_empty() && holds.is_empty() {
        return Ok(Vec::new());
    }
    let policy = &rules.policy;
    let least = (policy.min_reciprocations, policy.min_active_days, policy.min_baseline);
    // What is held up is due again within the hour: it counts as long as it is down. What fell long ago
    // is history, and no news of missing mail.
    let decaying: BTreeMap<i64, u32> =
        relationship::decaying(db, (now - policy.max_age, now), now + AGAIN, least)?
            .into_iter()
            .collect();
    let mut held = Vec::new();
    for (rep, count) in &decaying {
        if !deciding.contains(rep) && !holds.iter().any(|hold| hold.rep == *rep) {
            continue;
        }
        let count = count.saturating_add(nudge::decays_since(db, *rep, now - DAY)?);
        if count < rules.restraint.mass_least {
            continue;
        }
        let enough = enough_for(count, &rules.restraint).saturating_add(1);
        let established = relationship::established(db, *rep, least, enough)?;
        let known = holds.iter().find(|hold| hold.rep == *rep);
        let allowed = known.is_some_and(|hold| hold.allowed_until.is_some_and(|until| until > now));
        if allowed || !too_many(count, established, &rules.restraint) {
            continue;
        }
        held.push(*rep);
        if nudging::hold(db, *rep, (count, established), now)? {
            let rep = rep::get(db, *rep)?.code;
            notices.push(Notice::Held { rep, decaying: count, established });
        }
    }
    for hold in holds {
        let allowed = hold.allowed_until.is_some_and(|until| until > now);
        if allowed || held.contains(&hold.rep) {
            continue;
        }
        nudging::lift(db, hold.rep)?;
        notices.push(Notice::Lifted { rep: hold.code });
    }
    Ok(held)
}
