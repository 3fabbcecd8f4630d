//! Who knows a contact, and by way of whom others get there, as of any instant.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::model::Timestamp;
use crate::score::account::Tie;
use crate::score::path::{Path, Step, colleagues, paths};
use crate::score::strength::score_of;
use crate::score::{Band, rebuild, strength_at};
use crate::store::contact::Contact;
use crate::store::rep::Rep;
use crate::store::{Db, StoreError, colleague, contact, relationship, rep};

use super::accounts::{self, Known};
use super::{Rules, fold};

/// Who is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A contact, by address or public id.
    Contact(String),
    /// Anybody of an account, by a domain (ASCII) of it.
    Account(String),
}

/// The ways to a contact or into an account. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ways {
    /// As of when.
    pub at: Timestamp,
    /// Who knows them, the closest first.
    pub knows: Vec<Knows>,
    /// The ways of two steps, the warmest first.
    pub paths: Vec<Way>,
}

/// A rep who knows a contact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Knows {
    /// The rep's id.
    pub rep: String,
    /// The contact's name.
    pub contact: String,
    /// The contact's public id.
    pub contact_id: String,
    /// The domain of the contact's organisation.
    pub organisation: String,
    /// 0 to 100, more than 0.
    pub strength: f64,
    /// The strength in a word.
    pub band: &'static str,
    /// S.
    pub s: f64,
}

/// A way by a colleague.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Way {
    /// Who is introduced, by id.
    pub rep: String,
    /// Who introduces, by id.
    pub via: String,
    /// The contact's name.
    pub contact: String,
    /// The contact's public id.
    pub contact_id: String,
    /// The domain of the contact's organisation.
    pub organisation: String,
    /// The strength of the weaker step.
    pub strength: f64,
    /// S of the weaker step.
    pub s: f64,
    /// The strength between the rep and the colleague, by the mail between them.
    pub to_colleague: f64,
    /// The strength between the colleague and the contact.
    pub to_contact: f64,
}

/// The ways there, for the reps that the configuration names, at most `limit` of either kind; with
/// `from` only those that begin with that rep. `None` if there is no such contact.
///
/// # Errors
/// As every read.
pub fn ways(
    db: &Db,
    rules: &Rules,
    target: &Target,
    (from, limit): (Option<&str>, usize),
    now: Timestamp,
) -> Result<Option<Ways>, StoreError> {
    let Some(mut known) = known(db, rules, target, now)? else { return Ok(None) };
    let reps: BTreeMap<i64, Rep> = rep::all(db)?
        .into_iter()
        .filter(|rep| rules.zones.contains_key(&rep.id))
        .map(|rep| (rep.id, rep))
        .collect();
    known.retain(|known| reps.contains_key(&known.tie.rep));
    known.sort_by(|a, b| b.tie.s.total_cmp(&a.tie.s).then(a.tie.rep.cmp(&b.tie.rep)));
    let begins = |row: i64| from.is_none_or(|id| reps.get(&row).is_some_and(|rep| rep.code == id));
    let introduce: BTreeSet<i64> = known.iter().map(|known| known.tie.rep).collect();
    let mut first = Vec::new();
    for rep in reps.keys().filter(|rep| begins(**rep)) {
        for colleague in introduce.iter().filter(|colleague| *colleague != rep) {
            first.push(between(db, rules, *rep, *colleague, now)?);
        }
    }
    let code = |row: i64| reps.get(&row).map(|rep| rep.code.clone()).unwrap_or_default();
    let contacts: HashMap<i64, &Contact> =
        known.iter().map(|known| (known.contact.id, &known.contact)).collect();
    let steps: Vec<Step> = known
        .iter()
        .map(|Known { tie, .. }| Step { rep: tie.rep, knows: tie.contact, s: tie.s })
        .collect();
    let found = paths(&first, &steps);
    let way = |path: &Path| {
        let contact = contacts.get(&path.second.knows)?;
        Some(way(path, contact, [code(path.first.rep), code(path.second.rep)]))
    };
    let knows = known.iter().filter(|known| begins(known.tie.rep)).take(limit);
    Ok(Some(Ways {
        at: now,
        knows: knows.map(|known| shown(known, code(known.tie.rep))).collect(),
        paths: found.iter().filter_map(way).take(limit).collect(),
    }))
}

/// Every strength with the people of a target; `None` if there is no such contact.
fn known(
    db: &Db,
    rules: &Rules,
    target: &Target,
    now: Timestamp,
) -> Result<Option<Vec<Known>>, StoreError> {
    let name = match target {
        Target::Account(domain) => {
            let account = rules.accounts.get(domain);
            let mut known = accounts::known(db, rules, now)?;
            known.retain(|known| account.domains.contains(&known.contact.organisation));
            return Ok(Some(known));
        }
        Target::Contact(name) => name,
    };
    let Some(row) = contact::find(db, name)? else { return Ok(None) };
    let contact = contact::get(db, row)?;
    let mut found = Vec::new();
    for rep in rep::all(db)? {
        let Some(row) = relationship::find(db, rep.id, contact.id)? else { continue };
        let strength = strength_at(&fold::as_of(db, rules, &row, now)?, now);
        if strength.score > 0.0 {
            let tie = Tie { rep: rep.id, contact: contact.id, s: strength.s };
            found.push(Known { tie, contact: contact.clone() });
        }
    }
    Ok(Some(found))
}

/// What a rep has with a colleague, by the mail between them.
fn between(
    db: &Db,
    rules: &Rules,
    rep: i64,
    colleague: i64,
    now: Timestamp,
) -> Result<Step, StoreError> {
    let sent = colleague::sent(db, rep, colleague)?;
    let received = colleague::sent(db, colleague, rep)?;
    let log = colleagues(&sent, &received);
    let strength = strength_at(&rebuild(&log, rules.zone(rep), &rules.parameters, now), now);
    let s = if strength.reciprocated { strength.s } else { 0.0 };
    Ok(Step { rep, knows: colleague, s })
}

fn shown(known: &Known, rep: String) -> Knows {
    let Known { tie, contact } = known;
    let strength = score_of(tie.s);
    Knows {
        rep,
        contact: contact.name.clone(),
        contact_id: contact.public_id.clone(),
        organisation: contact.organisation.clone(),
        strength,
        band: Band::of(strength).code(),
        s: tie.s,
    }
}

fn way(path: &Path, contact: &Contact, [rep, via]: [String; 2]) -> Way {
    Way {
        rep,
        via,
        contact: contact.name.clone(),
        contact_id: contact.public_id.clone(),
        organisation: contact.organisation.clone(),
        strength: path.strength(),
        s: path.s(),
        to_colleague: score_of(path.first.s),
        to_contact: score_of(path.second.s),
    }
}
