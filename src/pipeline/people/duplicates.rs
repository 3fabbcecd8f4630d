//! Contacts that may be one person: proposals with what speaks for each, for an admin to decide.
//!
//! Two contacts were given one full name and are at different organisations. If mail to one of them
//! came back, and the other has been in touch since that one was last heard of, the person is likely
//! to have moved. Addresses of functions are never proposed, nor what the admin keeps apart. A name
//! of very many addresses, as spam is sent under, tells nothing and would give every pair of them.
//!
//! The other way round, of a contact of whom a rep said "wrong person" the addresses may be several
//! people's. Nothing is taken apart for that: it is shown, and the admin knows.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::model::identity::Saying;
use crate::model::{Address, Key, Timestamp};
use crate::normalise::address::address_key;
use crate::normalise::organisation::is_role;
use crate::store::contact::Contact;
use crate::store::line::{self, Touched};
use crate::store::{Db, StoreError, bounce, contact, feedback, identity, thread};

/// The kind of a proposal by which somebody has moved.
pub const MOVED: &str = "moved";

/// A name of more addresses than this is passed over: it is no sign of one person.
pub const MOST_ADDRESSES: usize = 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The proposals: those who have moved first, then by name.
    pub proposals: Vec<Proposal>,
    /// How many names were passed over, with more than [`MOST_ADDRESSES`] addresses each.
    pub names_passed_over: usize,
    /// Contacts of one address, by public id, of whom a rep said "wrong person".
    pub doubted: Vec<String>,
}

/// A pair of contacts that may be one. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// `moved`, `same_name`, or `wrong_person`: they are one contact, and perhaps should not be.
    pub kind: &'static str,
    /// The one that was in touch earlier; of a wrong person, the address in touch last.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// When mail to an address of `a` came back last.
    pub bounced_at: Option<Timestamp>,
    /// What speaks for it, in words.
    pub evidence: String,
    /// Whether what came back refers to a message that went to that address from here: a report is
    /// easily forged.
    #[serde(skip)]
    pub returned_to_us: bool,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The name.
    pub contact: String,
    /// The public id.
    pub contact_id: String,
    /// The address that has the name in question.
    pub address: String,
    /// The organisation's domain.
    pub organisation: String,
    /// The first interaction with that address.
    pub first_at: Option<Timestamp>,
    /// The last one.
    pub last_at: Option<Timestamp>,
}

/// An address with a full name.
struct Named {
    row: i64,
    contact: i64,
    touched: Touched,
    side: Side,
}

/// A contact's addresses, by row, and those that are kept apart from one of them.
struct Words {
    own: BTreeSet<i64>,
    apart: BTreeSet<i64>,
}

/// Every proposal as of `now`.
///
/// # Errors
/// As every read.
pub fn proposals(db: &Db, now: Timestamp) -> Result<Found, StoreError> {
    let bounced = bounced(db, now)?;
    let mut seen: BTreeSet<(i64, i64)> = BTreeSet::new();
    let mut words: HashMap<i64, Words> = HashMap::new();
    let mut found = Vec::new();
    let mut names_passed_over = 0;
    for addresses in of_one_name(db)? {
        let mut named = Vec::with_capacity(addresses.len());
        for address in addresses {
            named.extend(load(db, address, now)?);
        }
        if named.len() > MOST_ADDRESSES {
            names_passed_over += 1;
            continue;
        }
        for Named { contact, .. } in &named {
            if let Entry::Vacant(unknown) = words.entry(*contact) {
                unknown.insert(words_about(db, *contact)?);
            }
        }
        named.sort_by(|a, b| {
            (a.touched.last_at, &a.side.address).cmp(&(b.touched.last_at, &b.side.address))
        });
        for (n, b) in named.iter().enumerate() {
            for a in named.iter().take(n) {
                let other = a.contact != b.contact && a.side.organisation != b.side.organisation;
                let pair = (a.contact.min(b.contact), a.contact.max(b.contact));
                if other && !seen.contains(&pair) && !are_kept_apart(&words, pair) {
                    seen.insert(pair);
                    found.push(propose(a, b, bounced.get(&a.row).copied()));
                }
            }
        }
    }
    let doubted = doubt(db, &mut found, now)?;
    found.sort_by(|a, b| {
        let key = |p: &Proposal| (p.kind, p.a.contact.clone(), p.a.contact_id.clone());
        key(a).cmp(&key(b))
    });
    Ok(Found { proposals: found, names_passed_over, doubted })
}

fn propose(a: &Named, b: &Named, bounced: Option<(Timestamp, bool)>) -> Proposal {
    let returned_to_us = bounced.is_some_and(|(_, ours)| ours);
    // Who was heard of after the report is still there.
    let bounced_at = bounced.map(|(at, _)| at);
    let bounced_at = bounced_at.filter(|at| a.touched.heard_at.is_none_or(|heard| heard < *at));
    let same = format!("one full name at {} and {}", a.side.organisation, b.side.organisation);
    let (kind, evidence) = match (bounced_at, b.touched.heard_at) {
        (Some(at), Some(heard)) if a.touched.heard_at.is_none_or(|before| before < heard) => {
            let day =
                |at: Timestamp| at.to_string().split('T').next().unwrap_or_default().to_owned();
            let came_back = format!("mail to the former came back on {}", day(at));
            (MOVED, format!("{same}; {came_back}; the latter last wrote or met on {}", day(heard)))
        }
        _ => ("same_name", same),
    };
    Proposal { kind, a: a.side.clone(), b: b.side.clone(), bounced_at, evidence, returned_to_us }
}

/// Adds the pairs of addresses of each contact of whom a rep said "wrong person"; gives those who
/// have one address only.
fn doubt(db: &Db, found: &mut Vec<Proposal>, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut doubted = Vec::new();
    for (row, at) in feedback::wrong_persons(db, now)? {
        let is = contact::get(db, row)?;
        let Some((first, others)) = is.addresses.split_first() else { continue };
        if others.is_empty() {
            doubted.push(is.public_id);
            continue;
        }
        let day = at.to_string().split('T').next().unwrap_or_default().to_owned();
        let a = side(db, &is, first, now)?;
        for other in others {
            let evidence = format!(
                "one contact, and a rep said on {day} that it is the wrong person; \
                 `keepwarm contacts split` would part them"
            );
            let (a, b) = (a.clone(), side(db, &is, other, now)?);
            found.push(Proposal {
                kind: "wrong_person",
                a,
                b,
                bounced_at: None,
                evidence,
                returned_to_us: false,
            });
        }
    }
    Ok(doubted)
}

/// One address of a contact.
fn side(db: &Db, is: &Contact, address: &str, now: Timestamp) -> Result<Side, StoreError> {
    let row = contact::find_address(db, address)?;
    let touched = row.map(|row| line::touched(db, row, now)).transpose()?;
    let organisation = row.map(|row| contact::organisation_of(db, row)).transpose()?;
    Ok(Side {
        contact: is.name.clone(),
        contact_id: is.public_id.clone(),
        address: address.to_owned(),
        organisation: organisation.unwrap_or_default(),
        first_at: touched.as_ref().and_then(|touched| touched.first_at),
        last_at: touched.as_ref().and_then(|touched| touched.last_at),
    })
}

/// The addresses that were given one full name, two or more of each.
fn of_one_name(db: &Db) -> Result<Vec<Vec<i64>>, StoreError> {
    let mut by_name: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
    for (name, address) in contact::all_full_names(db)? {
        by_name.entry(name).or_default().push(address);
    }
    by_name.retain(|_, addresses| addresses.len() > 1);
    Ok(by_name.into_values().collect())
}

/// An address, unless it is a function's or nothing counts of it.
fn load(db: &Db, row: i64, now: Timestamp) -> Result<Option<Named>, StoreError> {
    let address = contact::address_of(db, row)?.unwrap_or_default();
    let touched = line::touched(db, row, now)?;
    if touched.last_at.is_none() || is_role(&Address::from_canonical(address.clone())) {
        return Ok(None);
    }
    let contact = contact::of_address(db, row)?;
    let is = contact::get(db, contact)?;
    let side = Side {
        contact: is.name,
        contact_id: is.public_id,
        organisation: contact::organisation_of(db, row)?,
        address,
        first_at: touched.first_at,
        last_at: touched.last_at,
    };
    Ok(Some(Named { row, contact, touched, side }))
}

fn words_about(db: &Db, contact: i64) -> Result<Words, StoreError> {
    let own: BTreeSet<i64> = contact::addresses(db, contact)?.into_iter().collect();
    let mut apart = BTreeSet::new();
    for address in &own {
        for word in identity::said_of(db, *address)? {
            if word.saying == Saying::Split {
                apart.insert(if word.a == *address { word.b } else { word.a });
            }
        }
    }
    Ok(Words { own, apart })
}

/// Whether any address of one contact is kept apart from any of the other's.
fn are_kept_apart(words: &HashMap<i64, Words>, (a, b): (i64, i64)) -> bool {
    let both = words.get(&a).zip(words.get(&b));
    both.is_some_and(|(a, b)| !a.apart.is_disjoint(&b.own))
}

/// When mail to an address came back last, by the address's row: one that a report names, or the
/// only one to which the message went that it refers to.
fn bounced(db: &Db, now: Timestamp) -> Result<HashMap<i64, (Timestamp, bool)>, StoreError> {
    let mut by_key: HashMap<Key, i64> = HashMap::new();
    for (address, _) in contact::all_names(db)? {
        let key = address_key(&Address::from_canonical(address.clone()));
        by_key.extend(contact::find_address(db, &address)?.map(|row| (key, row)));
    }
    let mut found = HashMap::new();
    for report in bounce::all(db, now)? {
        let named: Vec<i64> =
            report.failed.iter().filter_map(|key| by_key.get(key).copied()).collect();
        let failed = match report.failed.is_empty() {
            true => referred_to(db, &report.references)?,
            false => named,
        };
        let ours = referred_to_all(db, &report.references)?;
        for address in failed {
            let returned = ours.contains(&address);
            let known = found.get(&address).is_some_and(|(_, before)| *before);
            found.insert(address, (report.at, returned || known));
        }
    }
    Ok(found)
}

/// Every address to which one of the messages went that a report refers to.
fn referred_to_all(db: &Db, references: &[Key]) -> Result<BTreeSet<i64>, StoreError> {
    let mut found = BTreeSet::new();
    for message in thread::look_up(db, references)?.into_iter().flatten().filter_map(|k| k.message)
    {
        found.extend(line::written_to(db, message)?);
    }
    Ok(found)
}

/// The one address to which the last of the messages went that a report refers to.
fn referred_to(db: &Db, references: &[Key]) -> Result<Vec<i64>, StoreError> {
    for known in thread::look_up(db, references)?.into_iter().rev().flatten() {
        let Some(message) = known.message else { continue };
        let mut went_to = line::written_to(db, message)?;
        if !went_to.is_empty() {
            went_to.truncate(if went_to.len() == 1 { 1 } else { 0 });
            return Ok(went_to);
        }
    }
    Ok(Vec::new())
}
