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
use crate::store::{Db, StoreError, contact, identity as rows, line};

use super::Work;

/// What the log says of such a change.
const WHY: &str =
    "a message was answered in its thread from a new address under the same full name";

/// Looks at the answers that a commit has found, and at addresses that were given a new name.
pub(super) fn settle(work: &Work<'_>, named: Vec<i64>, now: Timestamp) -> Result<(), StoreError> {
    let db = work.db;
    let mut pairs: BTreeSet<(i64, i64)> = BTreeSet::new();
    for (written, answered) in &work.answered_from {
        let pair = (line::address(db, *written)?, line::address(db, *answered)?);
        if rows::answered_from(db, pair.0, pair.1)? {
            pairs.insert(pair);
        }
    }
    for address in named {
        pairs.extend(rows::answers_of(db, address)?);
    }
    let mut joined = BTreeSet::new();
    for (a, b) in pairs {
        if are_one(db, a, b)? && !rows::was_said(db, SaidBy::Evidence, a, b)? {
            rows::insert(db, (SaidBy::Evidence, Saying::Merge), &[(a, b)], WHY, now)?;
            joined.extend([a, b]);
        }
    }
    if !joined.is_empty() {
        identity::settle(db, work.rules, joined, now)?;
    }
    Ok(())
}

/// Whether two addresses are a person's, and were given one full name.
fn are_one(db: &Db, a: i64, b: i64) -> Result<bool, StoreError> {
    for address in [a, b] {
        let text = contact::address_of(db, address)?.unwrap_or_default();
        if is_role(&Address::from_canonical(text)) {
            return Ok(false);
        }
    }
    contact::share_a_name(db, a, b)
}
