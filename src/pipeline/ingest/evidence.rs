//! Who is one person by what the mail shows: a message that went to one address was answered, without
//! any doubt about the sender, from another one that it did not go to, and both were given one full
//! name. Either may become known first.
//!
//! Once found, it stays: that an answer or a name was met is not forgotten when the message is taken
//! back. What the admin has taken back is not found again.

use std::collections::BTreeSet;

use crate::model::identity::{SaidBy, Saying};
use crate::model::{Address, Timestamp};
use crate::normalise::organisation::is_role;
use crate::pipeline::identity;
use crate::store::{Db, StoreError, contact, identity as rows};

use super::Work;

/// What the log says of such a change.
const WHY: &str =
    "a message was answered in its thread from a new address under the same full name";

/// Keeps the answers that have been found, whatever follows from them.
pub(super) fn note(work: &Work<'_>) -> Result<(), StoreError> {
    for (written, answered) in &work.answered_from {
        rows::answered_from(work.db, *written, *answered)?;
    }
    Ok(())
}

/// Looks at the answers that a commit has found, and at addresses that were given a new name. Those
/// about whom mail has told something before are decided anew: a further name may speak against it.
pub(super) fn settle(work: &Work<'_>, named: Vec<i64>, now: Timestamp) -> Result<(), StoreError> {
    let db = work.db;
    note(work)?;
    let mut pairs: BTreeSet<(i64, i64)> = work.answered_from.clone();
    let mut concerned = BTreeSet::new();
    for address in named {
        let answers = rows::answers_of(db, address)?;
        concerned.extend(Some(address).filter(|_| !answers.is_empty()));
        pairs.extend(answers);
    }
    pairs.retain(|(a, b)| a != b);
    for (a, b) in pairs {
        if are_one(db, a, b)? && !was_decided(db, a, b)? {
            rows::insert(db, (SaidBy::Evidence, Saying::Merge), &[(a, b)], WHY, now)?;
            concerned.extend([a, b]);
        }
    }
    if !concerned.is_empty() {
        identity::settle(db, work.rules, concerned, now)?;
    }
    Ok(())
}

/// Whether the mail has said it before, or the admin has taken back that anybody did.
fn was_decided(db: &Db, a: i64, b: i64) -> Result<bool, StoreError> {
    Ok(rows::was_said(db, SaidBy::Evidence, a, b)?
        || rows::was_taken_back(db, SaidBy::Admin, a, b)?
        || rows::was_taken_back(db, SaidBy::File, a, b)?)
}

/// Whether two addresses are a person's, and were given one full name and no other.
fn are_one(db: &Db, a: i64, b: i64) -> Result<bool, StoreError> {
    for address in [a, b] {
        let text = contact::address_of(db, address)?.unwrap_or_default();
        if is_role(&Address::from_canonical(text)) || contact::has_several_names(db, address)? {
            return Ok(false);
        }
    }
    contact::share_a_name(db, a, b)
}
