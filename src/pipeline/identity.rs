//! Who is one person with whom: what is said of it is entered, and who is decided anew from all that
//! was said of those concerned, by [`normalise::identity`](crate::normalise::identity). What follows
//! for relationships is [`ingest::regroup`]'s.

pub(super) mod known;
pub mod roster;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::identity::{Said, SaidBy, Saying};
use crate::model::{Address, Timestamp};
use crate::normalise::address::address_key;
use crate::normalise::identity::groups;
use crate::normalise::invitation::forget;
use crate::normalise::people::Erased;
use crate::store::{Db, StoreError, contact, erase, erased, identity, invitation};

use super::request::Answer;
use super::{Rules, ingest};

/// Decides anew who those are that `addresses`, by row, have to do with. Gives whether anything has
/// changed.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn settle(
    db: &Db,
    rules: &Rules,
    addresses: impl IntoIterator<Item = i64>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut said: BTreeSet<Said<i64>> = BTreeSet::new();
    let mut people: BTreeMap<i64, String> = BTreeMap::new();
    let mut of_many: BTreeSet<i64> = BTreeSet::new();
    let mut next: Vec<i64> = addresses.into_iter().collect();
    while let Some(address) = next.pop() {
        let Some(text) = contact::address_of(db, address)? else { continue };
        if people.insert(address, text).is_some() {
            continue;
        }
        let words = identity::said_of(db, address)?;
        if !words.is_empty() && contact::has_several_names(db, address)? {
            of_many.insert(address);
        }
        next.extend(words.iter().flat_map(|word| [word.a, word.b]));
        said.extend(words);
        next.extend(contact::addresses(db, contact::of_address(db, address)?)?);
    }
    // By their texts: rows tell who was met first.
    let by_text = |row: i64| (people.get(&row).cloned().unwrap_or_default(), row);
    let one_spelling = |a: i64, b: i64| {
        let of = |row| rules.own.fold(&Address::from_canonical(by_text(row).0)).into_owned();
        of(a) == of(b)
    };
    // Asked now, not when it was found: the second name may come before or after.
    let holds = |word: &Said<i64>| {
        let doubtful = of_many.contains(&word.a) || of_many.contains(&word.b);
        word.by != SaidBy::Evidence || !doubtful || one_spelling(word.a, word.b)
    };
    let said: Vec<_> = said
        .into_iter()
        .filter(holds)
        .map(|Said { by, change, saying, a, b }| Said {
            by,
            change,
            saying,
            a: by_text(a),
            b: by_text(b),
        })
        .collect();
    let everybody = people.keys().map(|row| by_text(*row)).collect();
    let rows = |group: BTreeSet<(String, i64)>| group.into_iter().map(|(_, row)| row).collect();
    let decided: Vec<BTreeSet<i64>> = groups(&everybody, &said).into_iter().map(rows).collect();
    ingest::regroup(db, rules, &decided, now)
}

/// Makes two contacts one, each named by an address or a public id, because the admin says so.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn merge(
    db: &Db,
    rules: &Rules,
    (a, b): (&str, &str),
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let (a, b) = match (known::find(db, a)?, known::find(db, b)?) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(refused), _) | (_, Err(refused)) => return Ok(refused),
    };
    if a.contact == b.contact {
        let why = format!("{} and {} are one contact already", a.text, b.text);
        return Ok(Answer::refused(why, ""));
    }
    // Of all of their addresses: a split entered earlier may stand between any two of them.
    let (of_a, of_b) = (contact::addresses(db, a.contact)?, contact::addresses(db, b.contact)?);
    let pairs: Vec<(i64, i64)> =
        of_a.iter().flat_map(|a| of_b.iter().map(move |b| (*a, *b))).collect();
    let by = (SaidBy::Admin, Saying::Merge);
    let change = identity::insert(db, by, &pairs, "a command of the admin", now)?;
    settle(db, rules, [a.address, b.address], now)?;
    let is = contact::get(db, contact::of_address(db, a.address)?)?;
    let said = format!("{} ({}) is now {}", is.name, is.public_id, is.addresses.join(", "));
    Ok(Answer::Done { said, change: Some(change) })
}

/// Makes one address of a contact a contact of its own, because the admin says so.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn split(
    db: &Db,
    rules: &Rules,
    of: &str,
    address: &str,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let (of, leaves) = match (known::find(db, of)?, known::find(db, address)?) {
        (Ok(of), Ok(leaves)) => (of, leaves),
        (Err(refused), _) | (_, Err(refused)) => return Ok(refused),
    };
    let has = contact::get(db, of.contact)?;
    if of.contact != leaves.contact {
        let why = format!("{address} is no address of {} ({})", has.name, has.public_id);
        let hint = format!("it has {}", has.addresses.join(", "));
        return Ok(Answer::refused(why, &hint));
    }
    let all = contact::addresses(db, of.contact)?;
    let pairs: Vec<(i64, i64)> = all
        .into_iter()
        .filter(|other| *other != leaves.address)
        .map(|other| (leaves.address, other))
        .collect();
    if pairs.is_empty() {
        let why = format!("{address} is the only address of {} ({})", has.name, has.public_id);
        return Ok(Answer::refused(why, ""));
    }
    let by = (SaidBy::Admin, Saying::Split);
    let change = identity::insert(db, by, &pairs, "a command of the admin", now)?;
    settle(db, rules, [leaves.address], now)?;
    keep_together(db, rules, &pairs, now)?;
    let is = contact::get(db, contact::of_address(db, leaves.address)?)?;
    let said =
        format!("{} is now a contact of its own ({})", is.addresses.join(", "), is.public_id);
    Ok(Answer::Done { said, change: Some(change) })
}

/// Keeps together those that an address has left, though only it may have joined them.
fn keep_together(
    db: &Db,
    rules: &Rules,
    left: &[(i64, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(((_, first), rest)) = left.split_first() else { return Ok(()) };
    let is = contact::of_address(db, *first)?;
    let mut fallen = Vec::new();
    for (_, other) in rest {
        if contact::of_address(db, *other)? != is {
            fallen.push((*first, *other));
        }
    }
    if fallen.is_empty() {
        return Ok(());
    }
    let by = (SaidBy::Admin, Saying::Merge);
    identity::insert(db, by, &fallen, "what is left of a contact that was split", now)?;
    settle(db, rules, [*first], now).map(drop)
}

/// Takes a change back, whoever made it.
///
/// # Errors
/// As every write; nothing is changed then.
pub fn undo(db: &Db, rules: &Rules, change: i64, now: Timestamp) -> Result<Answer, StoreError> {
    let Some(found) = identity::get(db, change)? else {
        let why = format!("there is no change {change}");
        return Ok(Answer::refused(why, "`keepwarm contacts log` lists them"));
    };
    if let Some(at) = found.undone_at {
        return Ok(Answer::refused(format!("change {change} was taken back at {at}"), ""));
    }
    identity::undo(db, change, now)?;
    let addresses = identity::addresses(db, change)?;
    let changed = settle(db, rules, addresses, now)?;
    let what = found.saying.code();
    let rest = if changed { "" } else { "; nothing follows from it, for more was said of them" };
    let said = format!("the {what} of change {change} is taken back{rest}");
    Ok(Answer::Done { said, change: Some(change) })
}

/// Forgets everything there is of a contact, named by an address or a public id, with all of its
/// addresses, and what is said of it in what is told of others. Everybody else's relationships stay
/// as they are. Nothing that is read of it later is stored. `None` if there is no such contact.
///
/// # Errors
/// As every write; nothing is forgotten then.
pub fn erase(db: &Db, name: &str, now: Timestamp) -> Result<Option<erase::Erased>, StoreError> {
    let Ok(named) = known::find(db, name)? else { return Ok(None) };
    let called = contact::get(db, named.contact)?.name;
    let hashes = Erased::new(erased::key(db)?, []);
    let mut rows = Vec::new();
    for row in contact::addresses(db, named.contact)? {
        let text = contact::address_of(db, row)?.unwrap_or_default();
        let address = Address::from_canonical(text);
        for (invitation, text) in invitation::holding(db, address.as_str())? {
            if let Some(without) = forget(&text, &address, &hashes.nobody(&address)) {
                invitation::rewrite(db, invitation, &without)?;
            }
        }
        note_erased(db, &address, now)?;
        rows.push((row, address_key(&address), address));
    }
    let keyed: Vec<_> = rows.iter().map(|(row, key, _)| (*row, *key)).collect();
    let done = erase::addresses(db, &keyed)?;
    for (_, _, address) in &rows {
        unname(db, address)?;
    }
    // A first name alone stands in many a text that is about somebody else.
    if called.contains(' ') {
        erased::replace(db, &called, "somebody")?;
    }
    Ok(Some(done))
}

/// Notes that nothing is to be written down of an address any more, by its keyed hash.
pub(super) fn note_erased(db: &Db, address: &Address, now: Timestamp) -> Result<(), StoreError> {
    erased::insert(db, &Erased::new(erased::key(db)?, []).hash(address), now)
}

/// Takes an address out of what is told of others.
pub(super) fn unname(db: &Db, address: &Address) -> Result<(), StoreError> {
    let instead = Erased::new(erased::key(db)?, []).nobody(address);
    erased::replace(db, address.as_str(), &instead).map(drop)
}
