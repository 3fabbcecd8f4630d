//! Giving what waits to the endpoints when its moment has come: at most so many to a rep, those with
//! most at stake first, in messages as each endpoint wants them.

use std::collections::BTreeMap;

use crate::deliver::format::Route;
use crate::model::key::public_id;
use crate::model::time::DAY_MS;
use crate::model::{NudgeKind, NudgeState, Resolution, Span, Timestamp};
use crate::nudge::{AGAIN, Event};
use crate::pipeline::Rules;
use crate::store::nudge::Open;
use crate::store::{Db, StoreError, contact, nudge, outbox, relationship, silence};

use super::Work;
use super::holds::{Holds, holds, write_unsaid};

/// The time over which the budget of a rep is counted, and a day of it.
const WEEK: Span = Span::from_days(7);

/// An endpoint as nudges are given to it.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its row.
    pub endpoint: i64,
    /// Its name in the configuration.
    pub name: String,
    /// Which nudges go to it.
    pub route: Route,
    /// Whether those of one moment to one rep are one message.
    pub digest: bool,
}

/// Gives what may be said now to the endpoints; tells how many messages are owed now that were not
/// before.
///
/// # Errors
/// As every write.
pub(super) fn release(
    work: &mut Work<'_>,
    destinations: &[Destination],
    held: &[i64],
) -> Result<usize, StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    let mut by_rep: BTreeMap<i64, Vec<Open>> = BTreeMap::new();
    for open in nudge::releasable(db, now)? {
        by_rep.entry(open.rep).or_default().push(open);
    }
    let mut owed = 0;
    for (rep, waiting) in by_rep {
        let opens = rules.restraint.open_from(now, rules.zone(rep));
        let until = if held.contains(&rep) || !is_fresh(work, rep)? { now + AGAIN } else { opens };
        if until > now {
            for open in waiting {
                nudge::advance(db, open.id, NudgeState::Waiting, until)?;
            }
            continue;
        }
        let waiting = unsilenced(db, rules, waiting, now)?;
        let taken = take(work, (rep, waiting), destinations)?;
        for destination in destinations {
            owed += owe(db, rep, &taken, destination, now)?;
        }
    }
    Ok(owed)
}

/// Those that nobody asked not to be told of; the others wait for the end of the silence, or are not
/// said at all if that is far.
fn unsilenced(
    db: &Db,
    rules: &Rules,
    waiting: Vec<Open>,
    now: Timestamp,
) -> Result<Vec<Open>, StoreError> {
    let mut heard = Vec::with_capacity(waiting.len());
    for open in waiting {
        let (whom, kind) = ((open.rep, open.contact), open.nudge.kind);
        match silence::until(db, whom, kind, now)?.filter(|until| *until > now) {
            None => heard.push(open),
            Some(until) if until - open.nudge.created_at > rules.restraint.patience => {
                let for_good = until >= silence::FOREVER;
                let why = if for_good { Resolution::NotRelevant } else { Resolution::Snoozed };
                nudge::resolve_one(db, open.id, why, now)?;
            }
            Some(until) => {
                let next = rules.restraint.moment(kind, until, rules.zone(open.rep));
                nudge::advance(db, open.id, NudgeState::Waiting, next)?;
            }
        }
    }
    Ok(heard)
}

/// Those of a rep's nudges that are said now; the others wait, or have waited for too long, or have
/// passed.
fn take(
    work: &mut Work<'_>,
    (rep, waiting): (i64, Vec<Open>),
    destinations: &[Destination],
) -> Result<Vec<Open>, StoreError> {
    let (db, rules, now) = (work.db, work.rules, work.now);
    let (restraint, zone) = (&rules.restraint, rules.zone(rep));
    let mut room = room(db, rules, rep, now)?;
    let mut taken = Vec::new();
    for mut open in waiting {
        let next = |at: Timestamp| restraint.moment(open.nudge.kind, at, zone);
        if room == 0 {
            let next = next(now + AGAIN);
            let short_at = nudge::put_off(db, open.id, next, now)?;
            if now - short_at >= restraint.patience {
                write_unsaid(work, &mut open)?;
                nudge::advance(db, open.id, NudgeState::OverBudget, now)?;
                remember(db, rules, &open, now)?;
            }
            continue;
        }
        if !goes_anywhere(work, &open, destinations)? {
            write_unsaid(work, &mut open)?;
            nudge::advance(db, open.id, NudgeState::Unrouted, now)?;
            continue;
        }
        match holds(work, &mut open)? {
            Holds::Yes => {}
            Holds::Not => continue,
            Holds::Until(at) => {
                let next = restraint.moment(open.nudge.kind, at.max(now + AGAIN), zone);
                nudge::advance(db, open.id, NudgeState::Waiting, next)?;
                continue;
            }
        }
        room -= 1;
        // Who was told once is told again.
        if open.nudge.reminder == 0 && restraint.holds_back(&open.nudge.episode_id) {
            nudge::advance(db, open.id, NudgeState::HeldBack, now)?;
            continue;
        }
        nudge::advance(db, open.id, NudgeState::Released, now)?;
        remember(db, rules, &open, now)?;
        taken.push(open);
    }
    Ok(taken)
}

/// How many nudges there is room for now.
fn room(db: &Db, rules: &Rules, rep: i64, now: Timestamp) -> Result<u32, StoreError> {
    let restraint = &rules.restraint;
    let today = now - Span::from_millis(now.local_millis(rules.zone(rep)).rem_euclid(DAY_MS) + 1);
    let week = restraint.per_week.saturating_sub(nudge::said_since(db, rep, now - WEEK, now)?);
    let day = restraint.per_day.saturating_sub(nudge::said_since(db, rep, today, now)?);
    Ok(week.min(day))
}

/// Notes when to remind of a decay, if it still holds then.
fn remember(db: &Db, rules: &Rules, open: &Open, now: Timestamp) -> Result<(), StoreError> {
    match rules.restraint.reminds_at(now, open.nudge.reminder) {
        Some(at) if open.nudge.kind == NudgeKind::Decay => {
            relationship::look_at(db, open.nudge.relationship, at)
        }
        _ => Ok(()),
    }
}

/// Whether all of a rep's sources have been read lately: what was decided in the evening may have
/// passed in mail that nobody has read.
fn is_fresh(work: &mut Work<'_>, rep: i64) -> Result<bool, StoreError> {
    let fresh = work.fresh(rep)?;
    let least = work.now - work.rules.policy.fresh;
    Ok(!fresh.backfilling && fresh.oldest.is_some_and(|at| at >= least))
}

/// Whether a nudge, written or not, goes to any endpoint.
fn goes_anywhere(
    work: &mut Work<'_>,
    open: &Open,
    destinations: &[Destination],
) -> Result<bool, StoreError> {
    if !open.nudge.body.is_empty() {
        return Ok(destinations.iter().any(|destination| goes(open, destination)));
    }
    let (rep, contact) = (work.rep(open.rep)?, contact::get(work.db, open.contact)?);
    Ok(destinations.iter().any(|destination| {
        destination.route.takes(open.nudge.kind, &rep.code, &contact.organisation)
    }))
}

/// Whether a nudge that is written goes to an endpoint.
fn goes(open: &Open, destination: &Destination) -> bool {
    serde_json::from_str::<Event>(&open.nudge.body).is_ok_and(|Event { data, .. }| {
        destination.route.takes(open.nudge.kind, &data.rep.id, &data.contact.organisation)
    })
}

/// Owes an endpoint what goes to it; tells how many messages that is.
fn owe(
    db: &Db,
    rep: i64,
    taken: &[Open],
    destination: &Destination,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let goes: Vec<&Open> = taken.iter().filter(|open| goes(open, destination)).collect();
    if !destination.digest {
        for open in &goes {
            let id = (open.nudge.id.as_str(), rep);
            outbox::insert(db, destination.endpoint, id, &[open.id], now)?;
        }
        return Ok(goes.len());
    }
    if goes.is_empty() {
        return Ok(0);
    }
    let ids: Vec<&[u8]> = goes.iter().map(|open| open.nudge.id.as_bytes()).collect();
    let id = public_id("dig_", &[&[destination.name.as_bytes()], ids.as_slice()].concat());
    let rows: Vec<i64> = goes.iter().map(|open| open.id).collect();
    outbox::insert(db, destination.endpoint, (&id, rep), &rows, now)?;
    Ok(1)
}
