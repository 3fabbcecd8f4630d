//! Which addresses are one contact, changed: lines move, and what is decided within a relationship
//! is decided anew where a line has come or gone.
//!
//! What this ends in is what would have come of the same mail and calendars if the addresses had
//! always been grouped so (G12): nothing that is stored of an address, a message or a meeting tells
//! of the groups that there were before. Two things stay as they were said to a rep: nudges made,
//! and the episode under way, of which the later one is the merged relationship's; where addresses
//! leave it to be by themselves, either part has been told of.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{Resolution, Timestamp};
use crate::nudge::payload::episode_id;
use crate::store::line::{self, Line};
use crate::store::{Db, StoreError, contact, interaction, message, nudge, relationship, rep};

use super::{Rules, Work, evidence, fold, held, link};

/// Makes every group of addresses, by row, one contact. The other addresses of a contact that loses
/// some stay together. Gives whether anything has changed.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn regroup(
    db: &Db,
    rules: &Rules,
    groups: &[BTreeSet<i64>],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let moves = moves(db, groups)?;
    if moves.is_empty() {
        return Ok(false);
    }
    let mut work = Work::new(db, rules);
    let mut moved = Vec::new();
    let mut made = BTreeSet::new();
    for (address, contact) in moves {
        contact::assign(db, address, contact)?;
        for (rep, line) in line::of_address(db, address)? {
            let into = relationship::ensure(db, rep, contact)?;
            if line::of_relationship(db, into)?.is_empty() {
                made.insert((line.relationship, into));
            }
            moved.push(Moved { rep, line, into });
        }
    }
    for one in &moved {
        unsettle(&mut work, &one.line)?;
    }
    for Moved { rep, line, into } in &moved {
        relationship::inherit_loose_replies(db, *into, line.relationship)?;
        line::assign(db, line.id, *into)?;
        carry_episode(db, line.relationship, *into, now)?;
        for uid in line::meetings(db, line.id)? {
            work.meetings.insert((*rep, uid));
        }
        work.refold(line.relationship);
        work.refold(*into);
    }
    for (from, into) in made {
        share_episode(db, from, into)?;
    }
    // A relationship that has given a line away may have been given another one.
    work.loose.clear();
    share_threads(&mut work, &moved)?;
    link::link_threads(&mut work)?;
    // What follows from them is asked for when mail or a name comes: this may be part of that.
    evidence::note(&work)?;
    held::count(&mut work)?;
    fold::fold(db, rules, now, &work.touched)?;
    Ok(true)
}

/// A line that goes to another relationship.
struct Moved {
    rep: i64,
    /// As it was.
    line: Line,
    /// The relationship that it goes to.
    into: i64,
}

/// The contact that each address goes to: of those that the addresses of its group are by
/// themselves, the one whose public id is least.
fn moves(db: &Db, groups: &[BTreeSet<i64>]) -> Result<BTreeMap<i64, i64>, StoreError> {
    let named: BTreeSet<i64> = groups.iter().flatten().copied().collect();
    let mut left: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for address in &named {
        let contact = contact::of_address(db, *address)?;
        if let Entry::Vacant(new) = left.entry(contact) {
            let mut others: BTreeSet<i64> = contact::addresses(db, contact)?.into_iter().collect();
            others.retain(|other| !named.contains(other));
            new.insert(others);
        }
    }
    let mut moves = BTreeMap::new();
    for group in groups.iter().chain(left.values()) {
        let mut named = Vec::with_capacity(group.len());
        for address in group {
            named.push((contact::own_id(db, *address)?, *address));
        }
        let Some((_, least)) = named.iter().min() else { continue };
        for address in group {
            if contact::of_address(db, *address)? != *least {
                moves.insert(*address, *least);
            }
        }
    }
    Ok(moves)
}

/// Notes the threads that a line's messages hang together with by their subjects, before it moves.
fn unsettle(work: &mut Work<'_>, line: &Line) -> Result<(), StoreError> {
    if !work.is_loose(line.relationship)? {
        return Ok(());
    }
    for id in line::with_subject(work.db, line.id)? {
        let message = message::get(work.db, id)?;
        let touches = interaction::of_message(work.db, id)?;
        link::unsettle(work, id, &message, &touches)?;
        work.threads.extend(message.thread);
    }
    Ok(())
}

/// Notes the threads in which a moved line meets another one that it was, or is now, in one
/// relationship with: in all others nothing is decided otherwise. Where answers may be told by their
/// subject alone, all threads of a moved line.
fn share_threads(work: &mut Work<'_>, moved: &[Moved]) -> Result<(), StoreError> {
    let beside: BTreeSet<i64> =
        moved.iter().flat_map(|one| [one.line.relationship, one.into]).collect();
    let mut lines: BTreeSet<i64> = BTreeSet::new();
    for relationship in beside {
        lines.extend(line::of_relationship(work.db, relationship)?);
    }
    let mut meet: HashMap<i64, usize> = HashMap::new();
    let mut of: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for line in lines {
        let threads = line::threads(work.db, line)?;
        threads.iter().for_each(|thread| *meet.entry(*thread).or_default() += 1);
        of.insert(line, threads);
    }
    for Moved { line, into, .. } in moved {
        let all = work.is_loose(line.relationship)? || work.is_loose(*into)?;
        let threads = of.remove(&line.id).unwrap_or_default();
        let decided = |thread: &i64| all || meet.get(thread).is_some_and(|lines| *lines > 1);
        work.threads.extend(threads.into_iter().filter(decided));
    }
    Ok(())
}

/// The later of two episodes is the merged relationship's; one that it replaces is over.
fn carry_episode(db: &Db, from: i64, into: i64, now: Timestamp) -> Result<(), StoreError> {
    if !line::of_relationship(db, from)?.is_empty() {
        return Ok(());
    }
    let (mut left, mut row) = (relationship::get(db, from)?, relationship::get(db, into)?);
    let (older, newer) = match left.episode_at > row.episode_at {
        true => (row.episode_id.take(), (left.episode_id.take(), left.episode_at)),
        false => (left.episode_id.take(), (row.episode_id.take(), row.episode_at)),
    };
    if let Some(over) = older {
        nudge::resolve(db, &over, Resolution::Superseded, now)?;
    }
    (row.episode_id, row.episode_at) = newer;
    relationship::save(db, &left)?;
    relationship::save(db, &row)
}

/// A relationship made of a part of another one, which stays, is in an episode too if that is, and
/// keeps the same distance to the next: the rep has been told of the one silence of both. It is an
/// episode of its own, without a nudge, so that the nudge is resolved by whom it names.
fn share_episode(db: &Db, from: i64, into: i64) -> Result<(), StoreError> {
    if line::of_relationship(db, from)?.is_empty() {
        return Ok(());
    }
    let (stays, mut row) = (relationship::get(db, from)?, relationship::get(db, into)?);
    if stays.episode_at <= row.episode_at {
        return Ok(());
    }
    row.episode_at = stays.episode_at;
    if let (None, Some(_), Some(at)) = (&row.episode_id, &stays.episode_id, stays.episode_at) {
        let (rep, contact) = (rep::get(db, row.rep)?, contact::get(db, row.contact)?);
        let last = stays.state.last_at().unwrap_or(at);
        row.episode_id = Some(episode_id(&rep.code, &contact.public_id, last));
    }
    relationship::save(db, &row)
}
