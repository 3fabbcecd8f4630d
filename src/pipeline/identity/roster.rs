//! What is known of people before any mail is read: the admin's file, and rules by which spellings
//! are one address. Applied when the daemon starts; addresses of the file are entered at once, so
//! that they are who they are when they appear.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::identity::{SaidBy, Saying};
use crate::model::{Address, Timestamp};
use crate::normalise::Who;
use crate::normalise::name::name_key;
use crate::normalise::people::organisation;
use crate::pipeline::Rules;
use crate::store::{Db, StoreError, contact, identity};

use super::settle;

/// What the log says of people of the file.
const BY_FILE: &str = "one person in the file of people";
/// What it says of addresses that further rules have made one.
const BY_SPELLING: &str = "two spellings of one address, by the rules for its domain";

/// Brings contacts in line with the file of people: groups that left it are taken back. What the
/// admin took back by a command stays so.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn apply(
    db: &Db,
    rules: &Rules,
    people: &[BTreeSet<Address>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut wanted: BTreeSet<(i64, i64)> = BTreeSet::new();
    for group in people {
        // Of people of the own side and of whom nothing may be written down nothing is.
        let outside = group.iter().map(|address| rules.own.fold(address).into_owned());
        let outside: BTreeSet<Address> =
            outside.filter(|address| rules.own.who(address) == Who::Outsider).collect();
        let mut rows = Vec::with_capacity(outside.len());
        for address in &outside {
            rows.push(contact::ensure(db, address, organisation)?);
        }
        wanted.extend(pairs(db, &rows)?);
    }
    let holding: BTreeMap<(i64, i64), i64> =
        identity::holding(db, SaidBy::File)?.into_iter().map(|(n, pair)| (pair, n)).collect();
    let mut concerned = BTreeSet::new();
    for ((a, b), change) in holding.iter().filter(|(pair, _)| !wanted.contains(pair)) {
        identity::undo(db, *change, now)?;
        identity::left_the_file(db, *change)?;
        concerned.extend([*a, *b]);
    }
    for (a, b) in wanted.into_iter().filter(|pair| !holding.contains_key(pair)) {
        identity::insert(db, (SaidBy::File, Saying::Merge), &[(a, b)], BY_FILE, now)?;
        concerned.extend([a, b]);
    }
    settle(db, rules, concerned, now).map(drop)
}

/// The pairs by which a group of the file is one: its first address with each of the others, but for
/// who was taken from any of those before by a command, whichever of them was the first then.
fn pairs(db: &Db, group: &[i64]) -> Result<Vec<(i64, i64)>, StoreError> {
    let Some((first, others)) = group.split_first() else { return Ok(Vec::new()) };
    let mut pairs: Vec<(i64, i64)> = Vec::new();
    let mut stay = vec![*first];
    for other in others {
        let mut apart = false;
        for one in &stay {
            apart |= identity::was_taken_back(db, SaidBy::File, *one, *other)?;
        }
        if !apart {
            stay.push(*other);
            pairs.push((*first, *other));
        }
    }
    Ok(pairs)
}

/// Keeps the full names of addresses that were met by a version that did not: the newest name of
/// each, for others are not known.
///
/// # Errors
/// As every write.
pub fn keep_names(db: &Db) -> Result<(), StoreError> {
    for (address, name) in contact::names_not_kept(db)? {
        if let Some(key) = name_key(&name) {
            contact::add_name(db, address, key)?;
        }
    }
    Ok(())
}

/// Makes addresses one that were met before the rules that make them one.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn fold_spellings(db: &Db, rules: &Rules, now: Timestamp) -> Result<(), StoreError> {
    let mut concerned = BTreeSet::new();
    for (text, _) in contact::all_names(db)? {
        let address = Address::from_canonical(text);
        let one = rules.own.fold(&address);
        if *one == address || rules.own.who(&address) != Who::Outsider {
            continue;
        }
        let pair = (
            contact::ensure(db, &address, organisation)?,
            contact::ensure(db, &one, organisation)?,
        );
        if !identity::was_said(db, SaidBy::Evidence, pair.0, pair.1)? {
            let by = (SaidBy::Evidence, Saying::Merge);
            identity::insert(db, by, &[pair], BY_SPELLING, now)?;
            concerned.extend([pair.0, pair.1]);
        }
    }
    settle(db, rules, concerned, now).map(drop)
}
