//! What still holds is said again, ever more seldom: of one decay there is one nudge, and reminders.

use crate::model::{NudgeKind, NudgeState, Timestamp};
use crate::nudge::{Decision, Facts, looks_next};
use crate::store::relationship::Stored;
use crate::store::{StoreError, feedback, nudge};

use super::compose::Decayed;
use super::{Work, decide_anew};

/// Says it again if it is time and nothing speaks against it; gives when to look again.
pub(super) fn remind(
    work: &mut Work<'_>,
    row: &Stored,
    facts: &Facts,
    made: &mut Vec<String>,
) -> Result<Option<Timestamp>, StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    let Some(episode) = &row.episode_id else { return Ok(None) };
    // Who snoozed asked to be told again.
    let again = match feedback::snoozed(db, episode, NudgeKind::Decay)? {
        Some(snoozed) => Some(snoozed),
        None => usual(work, episode)?,
    };
    let Some((last, at)) = again else { return Ok(None) };
    if at > now {
        return Ok(Some(at));
    }
    let (decision, policy) = decide_anew(row, facts, &rules.policy, now);
    if !matches!(decision, Decision::Nudge { .. }) {
        return Ok(looks_next(&row.state, row.falls_at, false, &policy, Some((decision, now))));
    }
    let told = work.fallen(row, Decayed::Still { episode, reminder: last + 1 })?;
    work.keep(&told, made)
}

/// Which word about a decay was the last that holds, and when it is time to say it again, if nothing
/// else was asked for.
fn usual(work: &Work<'_>, episode: &str) -> Result<Option<(u32, Timestamp)>, StoreError> {
    let Some(last) = nudge::last_of(work.db, episode, NudgeKind::Decay)? else { return Ok(None) };
    let (said_at, reminder) = (last.nudge.release_at, last.nudge.reminder);
    let reminds = match last.nudge.state {
        // To whom nothing is said for comparison, nothing is said.
        NudgeState::HeldBack
        | NudgeState::Waiting
        | NudgeState::Unrouted
        | NudgeState::Cancelled => None,
        NudgeState::Released | NudgeState::Observed | NudgeState::OverBudget => {
            work.rules.restraint.reminds_at(said_at, reminder)
        }
    };
    Ok(reminds.map(|at| (reminder, at)))
}
