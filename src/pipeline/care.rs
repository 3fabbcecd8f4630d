//! What the admin asks to have done with the data as a whole: items put aside read again, strengths
//! computed anew; and all that is known of one person, for that person.

use std::path::Path;

use serde_json::{Map, Value};

use crate::model::{Address, Timestamp};
use crate::normalise::Who;
use crate::normalise::address::{address_key, canonical};
use crate::normalise::people::Erased;
use crate::store::quarantine::{self, Chosen};
use crate::store::{Db, StoreError, contact, erased, export, relationship, rep};

use super::identity::{self, known};
use super::request::Answer;
use super::{Rules, fold};

/// How far two strengths may be apart that were computed of the same log in another order.
const SAME: f64 = 1e-9;

/// Has items that were put aside asked for again.
///
/// # Errors
/// As every write.
pub(super) fn retry(db: &Db, of: &Chosen) -> Result<Answer, StoreError> {
    let count = quarantine::retry(db, of)?;
    if count == 0 {
        let hint = "`keepwarm quarantine` lists what is put aside";
        return Ok(Answer::refused("nothing of that is put aside".to_owned(), hint));
    }
    let said = format!(
        "{count} items are read again in the next pass; what is still wrong with one is said then"
    );
    Ok(Answer::Done { said, change: None })
}

/// Computes every relationship anew from the log, and tells how many were not as they should be.
///
/// # Errors
/// As every write; nothing is changed then.
pub(super) fn rebuild(db: &Db, rules: &Rules, now: Timestamp) -> Result<Answer, StoreError> {
    let (mut all, mut wrong) = (0usize, 0usize);
    for before in relationship::all(db)? {
        let mut row = before.clone();
        fold::refold(db, rules, now, &mut row)?;
        all += 1;
        let mut then = before;
        if !then.state.baseline_stale {
            // What has passed since it was last looked at is no difference.
            then.state = fold::as_of(db, rules, &then, row.state.folded_at)?;
            wrong += usize::from(!is_same(&then, &row));
        }
        fold::finish(db, rules, now, &mut row)?;
    }
    let said = match wrong {
        0 => format!("{all} relationships computed anew; all of them were right"),
        _ => format!("{all} relationships computed anew; {wrong} of them were not right before"),
    };
    Ok(Answer::Done { said, change: None })
}

/// Whether a state says what one folded from the log says.
fn is_same(stored: &relationship::Stored, folded: &relationship::Stored) -> bool {
    let (a, b) = (&stored.state, &folded.state);
    a.counts == b.counts
        && (a.baseline - b.baseline).abs() <= SAME
        && a.reciprocated_at == b.reciprocated_at
        && a.last_at() == b.last_at()
}

/// Takes away all there is of a person, for good. One who is not known yet is left out from now on.
///
/// # Errors
/// As every write; nothing is taken away then.
pub(super) fn erase(
    db: &Db,
    rules: &Rules,
    name: &str,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let address = canonical(name).map(|address| rules.own.fold(&address).into_owned());
    if let Some(Who::Rep(_) | Who::Colleague) = address.as_ref().map(|one| rules.own.who(one)) {
        let why = "this is an address of the own organisation".to_owned();
        let hint = "take the rep and the sources out of the configuration, and begin with a new \
                    database";
        return Ok(Answer::refused(why, hint));
    }
    let text = address.as_ref().map_or(name, |address| address.as_str());
    if let Some(done) = identity::erase(db, text, now)? {
        let said = format!(
            "erased: {} addresses, {} interactions, {} messages, {} nudges",
            done.addresses, done.interactions, done.messages, done.nudges
        );
        return Ok(Answer::Done { said, change: None });
    }
    let Some(address) = address else {
        let hint = "name an address: one that is not known yet is left out from now on";
        return Ok(Answer::refused("there is no such contact".to_owned(), hint));
    };
    identity::note_erased(db, &address, now)?;
    identity::unname(db, &address)?;
    let said = "nobody is known by that address; nothing is written down of it from now on";
    Ok(Answer::Done { said: said.to_owned(), change: None })
}

/// Takes those away from a database who were erased from another one since it was copied.
///
/// # Errors
/// As every write.
pub fn erase_again(db: &Db, from: &Path, now: Timestamp) -> Result<usize, StoreError> {
    if erased::adopt(db, from, now)? == 0 {
        return Ok(0);
    }
    let Some(found) = erased::all(db)? else { return Ok(0) };
    let erased = Erased::new(found.0.clone(), found.1.iter().cloned());
    let mut count = 0;
    for (text, _) in contact::all_names(db)? {
        let address = Address::from_canonical(text);
        if erased.holds(&address) && identity::erase(db, address.as_str(), now)?.is_some() {
            count += 1;
        }
    }
    Ok(count)
}

/// What is known of whom.
#[derive(Clone, Debug)]
pub struct Known {
    /// What the person is: `contact` or `rep`.
    pub what: &'static str,
    /// All of it, under the names of the tables' subjects.
    pub told: Map<String, Value>,
}

/// All that is known of a person, named by an address or a contact's public id; `None` if nothing is.
///
/// # Errors
/// As every read.
pub fn export(db: &Db, rules: &Rules, name: &str) -> Result<Option<Known>, StoreError> {
    let address = canonical(name);
    if let Some(Who::Rep(row)) = address.as_ref().map(|address| rules.own.who(address)) {
        return Ok(Some(Known { what: "rep", told: export::of_rep(db, row)? }));
    }
    let former = rep::all(db)?
        .into_iter()
        .find(|rep| rep.code == name || address.is_some() && canonical(&rep.address) == address);
    if let Some(rep) = former {
        return Ok(Some(Known { what: "rep", told: export::of_rep(db, rep.id)? }));
    }
    let folded = address.map(|address| rules.own.fold(&address).to_string());
    let Ok(named) = known::find(db, folded.as_deref().unwrap_or(name))? else { return Ok(None) };
    let rows = contact::addresses(db, named.contact)?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        let text = contact::address_of(db, *row)?.unwrap_or_default();
        keys.push(address_key(&Address::from_canonical(text)));
    }
    let told = export::of_contact(db, named.contact, &rows, &keys)?;
    Ok(Some(Known { what: "contact", told }))
}
