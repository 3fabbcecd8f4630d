//! What a rep has put into a private mailbox is nothing to that rep's relationships, however many copies
//! of it are met elsewhere, and in whatever order: it is noted by a hash, and taken out if it was stored.
//! To other reps it stays what it was.

use std::collections::BTreeSet;

use crate::model::{Address, Key};
use crate::normalise::address::address_key;
use crate::normalise::people::Erased;
use crate::normalise::{Directed, Touch};
use crate::store::{
    Db, StoreError, contact, erase, erased, interaction, message, private, relationship, rep,
};

use super::message::Met;
use super::{Batch, Work, link};

/// What is private of whom; `None` if nothing is.
pub(super) struct Private<'a> {
    db: &'a Db,
    hashes: Erased,
}

/// The reps, by id, who have put the message that a key names into a private mailbox. Only reads.
///
/// # Errors
/// As every read.
pub(in crate::pipeline) fn private_to(db: &Db, key: Key) -> Result<Vec<String>, StoreError> {
    let hashes = if private::exist(db)? { erased::all(db)? } else { None };
    let Some(hashes) = hashes else { return Ok(Vec::new()) };
    let known = Private { db, hashes: Erased::new(hashes.0.clone(), []) };
    let mut found = Vec::new();
    for rep in rep::all(db)? {
        if known.holds(rep.id, &[key])? {
            found.push(rep.code);
        }
    }
    Ok(found)
}

/// Notes what batches have of private mailboxes, and takes out what was stored of it.
pub(super) fn note<'a>(
    work: &mut Work<'a>,
    batches: &[Batch],
) -> Result<Option<Private<'a>>, StoreError> {
    let fresh = batches.iter().any(|batch| !batch.private.is_empty());
    if !fresh && !private::exist(work.db)? {
        return Ok(None);
    }
    let known = Private { db: work.db, hashes: Erased::new(erased::key(work.db)?, []) };
    for batch in batches {
        for keys in &batch.private {
            let mut all: BTreeSet<Key> = keys.iter().copied().collect();
            let messages = work.keys.messages(work.db, keys)?;
            for row in &messages {
                all.extend(message::get(work.db, *row)?.keys);
            }
            for key in all {
                private::insert(work.db, &known.hash(batch.rep, key))?;
            }
            messages.into_iter().try_for_each(|row| take_out(work, row, batch.rep))?;
        }
    }
    Ok(Some(known))
}

/// Takes away what a stored message is to a rep, and the message if it is nothing to anybody else.
fn take_out(work: &mut Work<'_>, row: i64, rep: i64) -> Result<(), StoreError> {
    let stored = message::get(work.db, row)?;
    link::forget(work, stored.thread)?;
    let touches = interaction::of_message(work.db, row)?;
    link::unsettle(work, row, &stored, &touches)?;
    let (gone, left) = private::take_out(work.db, row, rep)?;
    for touch in &gone {
        work.private.insert(relationship::get(work.db, touch.relationship)?.contact);
        work.refold(touch.relationship);
        work.touched.entry(touch.relationship).or_default().added.remove(&touch.id);
    }
    work.threads.extend(stored.thread);
    if !left && !gone.is_empty() {
        work.keys.unname(work.db, &stored.keys)?;
        message::delete(work.db, row)?;
    }
    Ok(())
}

/// Forgets the contacts of whom nothing is left but what was private.
pub(super) fn forget(work: &Work<'_>) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for of in &work.private {
        let addresses = contact::addresses(work.db, contact::of_address(work.db, *of)?)?;
        let mut keyed = Vec::with_capacity(addresses.len());
        for row in addresses {
            if erase::is_left(work.db, row)? {
                keyed.clear();
                break;
            }
            let text = contact::address_of(work.db, row)?.unwrap_or_default();
            keyed.push((row, address_key(&Address::from_canonical(text))));
        }
        rows.extend(keyed);
    }
    if !rows.is_empty() {
        erase::addresses(work.db, &rows)?;
    }
    Ok(())
}

impl Private<'_> {
    fn hash(&self, rep: i64, key: Key) -> Vec<u8> {
        let parts = [rep.to_be_bytes(), key.0.to_be_bytes()].concat();
        self.hashes.hash_of(&parts)
    }

    fn holds(&self, rep: i64, keys: &[Key]) -> Result<bool, StoreError> {
        for key in keys {
            if private::holds(self.db, &self.hash(rep, *key))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Leaves out of a message what is private; another of its names may be the one that is noted.
    pub(super) fn keep_out(&self, met: &mut Met<'_>) -> Result<(), StoreError> {
        if let Directed::Touches(touches) = &mut met.makes {
            let mut kept: Vec<Touch> = Vec::with_capacity(touches.len());
            for touch in touches.drain(..) {
                if !self.holds(touch.rep, &met.keys)? {
                    kept.push(touch);
                }
            }
            met.makes = if kept.is_empty() { Directed::Excluded } else { Directed::Touches(kept) };
        }
        let mut sent = Vec::with_capacity(met.sent.len());
        for one in met.sent.drain(..) {
            if !self.holds(one.from, &met.keys)? && !self.holds(one.to, &met.keys)? {
                sent.push(one);
            }
        }
        met.sent = sent;
        Ok(())
    }
}
