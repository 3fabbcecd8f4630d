//! What is said of a relationship beside its decay: looked at when the state says that there may be
//! something.

use crate::model::{NudgeKind, NudgeState, Relationship, Span, Timestamp};
use crate::nudge::kinds::{Case, Found, LATE, Matter, Met, look as judge, looks, passed};
use crate::nudge::{AGAIN, Facts};
use crate::pipeline::Rules;
use crate::score::Zone;
use crate::store::nudge::Open;
use crate::store::relationship::Stored;
use crate::store::{Db, StoreError, contact, held, nudge, turn};

use super::Work;
use super::compose::Told;

/// Between two words about one relationship at least so much time goes by.
const APART: Span = Span::from_days(7);
/// The log that is looked at …
const YEAR: Span = Span::from_days(365);
/// … and how much of it tells who answers whom, and how soon: what has become usual lately counts, and
/// a look costs the same however much the two write.
const LATELY: usize = 20;

/// When to look at a relationship whose state has changed: what may already be due is, unless it is
/// no news any more.
#[must_use]
pub(in crate::pipeline) fn first_look(
    rules: &Rules,
    state: &Relationship,
    zone: Zone,
    now: Timestamp,
) -> Option<Timestamp> {
    let all = looks(state, (&rules.matters, &rules.policy, &rules.restraint), zone);
    all.into_iter().map(|(_, at)| at).filter(|at| now - *at <= LATE).min()
}

/// Notes what of the things said of a relationship has passed.
///
/// # Errors
/// As every write.
pub(in crate::pipeline) fn settle(
    db: &Db,
    id: i64,
    state: &Relationship,
    now: Timestamp,
) -> Result<(), StoreError> {
    for open in nudge::unresolved(db, id)? {
        if passed(open.nudge.kind, state) {
            nudge::resolve_one(db, open.id, crate::model::Resolution::Recovered, now)?;
        }
    }
    Ok(())
}

/// Looks at what may be due, and says it; gives when to look again.
pub(super) fn look(
    work: &mut Work<'_>,
    row: &Stored,
    facts: &Facts,
    made: &mut Vec<String>,
) -> Result<Option<Timestamp>, StoreError> {
    let (rules, now) = (work.rules, work.now);
    let zone = rules.zone(row.rep);
    let all = looks(&row.state, (&rules.matters, &rules.policy, &rules.restraint), zone);
    let (due, ahead): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, at)| *at <= now);
    let due: Vec<NudgeKind> =
        due.into_iter().filter(|(_, at)| now - *at <= LATE).map(|(kind, _)| kind).collect();
    let mut next: Option<Timestamp> = ahead.into_iter().map(|(_, at)| at).min();
    let mut again = |at: Timestamp| next = Some(next.map_or(at, |next| next.min(at)));
    if due.is_empty() {
        return Ok(next);
    }
    if facts.backfilling || facts.oldest_read.is_none_or(|at| now - at > rules.policy.fresh) {
        again(now + AGAIN);
        return Ok(next);
    }
    if let Some(until) = facts.silenced_until.filter(|until| *until > now) {
        again(until);
        return Ok(next);
    }
    let met =
        facts.next_meeting.is_some_and(|next| next.starts_at - now <= rules.policy.meeting_ahead);
    for kind in due {
        // An answer is owed before the next meeting too.
        if met && kind != NudgeKind::OwedReply {
            continue;
        }
        match found(work, row, kind)? {
            Found::Say(matter) => {
                if let Some(at) = say(work, row, matter, made)? {
                    again(at);
                }
            }
            Found::Later(at) => again(at),
            Found::Nothing => {}
        }
    }
    Ok(next)
}

pub(super) fn found(work: &Work<'_>, row: &Stored, kind: NudgeKind) -> Result<Found, StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    let (met, most) = match kind {
        NudgeKind::NoFollowUp => (held::last(db, row.id, now)?, usize::MAX),
        _ => (None, LATELY),
    };
    let log = turn::observed(db, row.id, (now - YEAR, now), most)?;
    let case = Case {
        contact: "",
        state: &row.state,
        log: &log,
        restraint: &rules.restraint,
        zone: rules.zone(row.rep),
        met: met.map(|(began_at, is_series)| Met { began_at, is_series }),
    };
    let found = judge(kind, &case, &rules.matters, now);
    if !matches!(found, Found::Say(_)) {
        return Ok(found);
    }
    // Whom it names is asked for only where it is said.
    let contact = contact::get(db, row.contact)?;
    Ok(judge(kind, &Case { contact: &contact.name, ..case }, &rules.matters, now))
}

/// Says it, unless something was said of the relationship lately: then gives when to look again.
fn say(
    work: &mut Work<'_>,
    row: &Stored,
    matter: Matter,
    made: &mut Vec<String>,
) -> Result<Option<Timestamp>, StoreError> {
    let told = work.tell(row, Told::of(matter))?;
    let said = |open: &Open| matches!(open.nudge.state, NudgeState::Released | NudgeState::Waiting);
    let lately = nudge::unresolved(work.db, row.id)?
        .into_iter()
        .filter(|open| said(open) && open.nudge.episode_id != told.episode_id)
        .map(|open| open.nudge.created_at + APART)
        .filter(|until| *until > work.now)
        .max();
    if lately.is_none() {
        work.keep(&told, made)?;
    }
    Ok(lately)
}
