//! Accounts as people and programs are shown them, as of any instant.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::model::Timestamp;
use crate::normalise::Account;
use crate::score::account::{Coverage, Person, Thread, Tie, coverage};
use crate::score::{Band, strength_at};
use crate::store::contact::Contact;
use crate::store::{Db, StoreError, contact, relationship, rep};

use super::{Rules, fold};

/// An account, shown. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The domain by which it is known.
    pub account: String,
    /// Its name.
    pub name: String,
    /// The domains of its organisations.
    pub domains: Vec<String>,
    /// How many of its people are strong with somebody here.
    pub strong: usize,
    /// How many should be.
    pub target: usize,
    /// How many more that is.
    pub missing: usize,
    /// How many have a strength at all.
    pub people: usize,
    /// So many people if all were equally close.
    pub breadth: f64,
    /// That of the account: of the sum `s`, 0 to 100.
    pub strength: f64,
    /// Σ of the eight largest S, the n-th divided by √n.
    pub s: f64,
    /// The closest person's share of all S.
    pub largest_share: f64,
    /// `few_strong` or `one_person` if it depends on too few.
    pub single_threaded: Option<&'static str>,
    /// The reps who have a strength with somebody there, by id.
    pub reps: Vec<String>,
    /// Who could fill what is missing: not strong yet, the closest first, at most `missing`.
    pub closest: Vec<Somebody>,
    /// Everybody who has a strength, the closest first, where one account is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<Somebody>>,
}

/// Somebody of an account, with the rep who is closest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Somebody {
    /// The contact's name.
    pub contact: String,
    /// The contact's public id.
    pub contact_id: String,
    /// The domain of the contact's own organisation.
    pub organisation: String,
    /// 0 to 100.
    pub strength: f64,
    /// The strength in a word.
    pub band: &'static str,
    /// The rep who is closest, by id.
    pub rep: String,
}

/// A relationship that has a strength, and its contact.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The pair and its S.
    pub(super) tie: Tie,
    /// Who that is.
    pub(super) contact: Contact,
}

/// The account of a domain (ASCII), with everybody there.
///
/// # Errors
/// As every read.
pub fn one(db: &Db, rules: &Rules, domain: &str, now: Timestamp) -> Result<Shown, StoreError> {
    let account = rules.accounts.get(domain);
    let (known, reps) = (known(db, rules, now)?, reps(db)?);
    let there = |known: &Known| account.domains.contains(&known.contact.organisation);
    let known: Vec<Known> = known.into_iter().filter(there).collect();
    let of = Covered::new(account, known);
    let people = Some(of.people(of.coverage.people.iter(), &reps));
    Ok(Shown { contacts: people, ..of.show(&reps) })
}

/// Every account, the strongest first, at most so many: those configured, or every organisation with
/// which there is a strength.
///
/// # Errors
/// As every read.
pub fn all(
    db: &Db,
    rules: &Rules,
    limit: Option<usize>,
    now: Timestamp,
) -> Result<Vec<Shown>, StoreError> {
    let mut by_account: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    for account in rules.accounts.configured() {
        // Also those with which there is nothing yet.
        by_account.entry(account.domains.first().cloned().unwrap_or_default()).or_default();
    }
    for known in known(db, rules, now)? {
        if let Some(account) = rules.accounts.of(&known.contact.organisation) {
            by_account.entry(account.to_owned()).or_default().push(known);
        }
    }
    let reps = reps(db)?;
    let mut covered: Vec<Covered> = by_account
        .into_iter()
        .map(|(domain, known)| Covered::new(rules.accounts.get(&domain), known))
        .collect();
    covered.sort_by(|a, b| b.coverage.s.total_cmp(&a.coverage.s));
    covered.truncate(limit.unwrap_or(usize::MAX));
    Ok(covered.iter().map(|of| of.show(&reps)).collect())
}

/// An account and what it comes to.
struct Covered {
    account: Account,
    coverage: Coverage,
    known: Vec<Known>,
}

impl Covered {
    fn new(account: Account, known: Vec<Known>) -> Self {
        let ties: Vec<Tie> = known.iter().map(|known| known.tie).collect();
        let target = usize::try_from(account.target).unwrap_or(usize::MAX);
        Self { coverage: coverage(&ties, target), account, known }
    }

    fn show(&self, reps: &BTreeMap<i64, String>) -> Shown {
        let Self { account, coverage, known } = self;
        let near = coverage.closest().take(coverage.missing);
        let with: BTreeSet<i64> = known.iter().map(|known| known.tie.rep).collect();
        Shown {
            account: account.domains.first().cloned().unwrap_or_default(),
            name: account.name.clone(),
            domains: account.domains.clone(),
            strong: coverage.strong,
            target: coverage.target,
            missing: coverage.missing,
            people: coverage.people.len(),
            breadth: coverage.breadth,
            strength: coverage.strength,
            s: coverage.s,
            largest_share: coverage.largest_share,
            single_threaded: coverage.single_threaded.map(Thread::code),
            reps: with.iter().filter_map(|rep| reps.get(rep).cloned()).collect(),
            closest: self.people(near, reps),
            contacts: None,
        }
    }

    fn people<'a>(
        &self,
        people: impl Iterator<Item = &'a Person>,
        reps: &BTreeMap<i64, String>,
    ) -> Vec<Somebody> {
        let contacts: BTreeMap<i64, &Contact> =
            self.known.iter().map(|known| (known.contact.id, &known.contact)).collect();
        let show = |person: &Person| {
            let contact = contacts.get(&person.contact)?;
            Some(Somebody {
                contact: contact.name.clone(),
                contact_id: contact.public_id.clone(),
                organisation: contact.organisation.clone(),
                strength: person.strength(),
                band: Band::of(person.strength()).code(),
                rep: reps.get(&person.rep).cloned().unwrap_or_default(),
            })
        };
        people.filter_map(show).collect()
    }
}

/// Every relationship with a strength as of `now`.
pub(super) fn known(db: &Db, rules: &Rules, now: Timestamp) -> Result<Vec<Known>, StoreError> {
    let mut contacts: HashMap<i64, Contact> = HashMap::new();
    let mut found = Vec::new();
    for row in relationship::all(db)? {
        let strength = strength_at(&fold::as_of(db, rules, &row, now)?, now);
        if strength.score <= 0.0 {
            continue;
        }
        let contact = match contacts.entry(row.contact) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(free) => free.insert(contact::get(db, row.contact)?).clone(),
        };
        let tie = Tie { rep: row.rep, contact: contact.id, s: strength.s };
        found.push(Known { tie, contact });
    }
    Ok(found)
}

/// The ids of reps, by row.
fn reps(db: &Db) -> Result<BTreeMap<i64, String>, StoreError> {
    Ok(rep::all(db)?.into_iter().map(|rep| (rep.id, rep.code)).collect())
}
