//! What the admin asks to have done with the data as a whole: items put aside read again, strengths
//! computed anew; and all that is known of one person, for that person.

use serde_json::{Map, Value};

use crate::model::{Address, Timestamp};
use crate::normalise::Who;
use crate::normalise::address::{address_key, canonical};
use crate::store::quarantine::{self, Chosen};
use crate::store::{Db, StoreError, contact, export, relationship, rep};

use super::identity::known;
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
