//! Contacts as people and programs are shown them.

pub mod duplicates;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Timestamp;
use crate::normalise::organisation::{self, OrganisationKind};
use crate::store::contact::Contact;
use crate::store::{Db, StoreError, contact, line};

/// A contact, shown. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The name.
    pub contact: String,
    /// The public id.
    pub contact_id: String,
    /// Every address, the one with the latest interaction first.
    pub addresses: Vec<String>,
    /// The organisation's domain.
    pub organisation: String,
    /// What that is: `company` or `free_mail`.
    pub organisation_kind: OrganisationKind,
    /// Whether the first address is that of a function, such as `sales@`, rather than a person's.
    pub role_address: bool,
    /// The ids of the reps who have a line to one of the addresses.
    pub reps: Vec<String>,
    /// The last interaction that counts, of any rep.
    pub last_at: Option<Timestamp>,
}

/// Every contact with whom an interaction counts at `now`, by name.
///
/// # Errors
/// As every read.
pub fn all(db: &Db, now: Timestamp) -> Result<Vec<Person>, StoreError> {
    let mut people: BTreeMap<i64, (Vec<String>, Option<Timestamp>)> = BTreeMap::new();
    for (contact, rep, last_at) in line::last_of_all(db, now)? {
        let (reps, last) = people.entry(contact).or_default();
        if !reps.contains(&rep) {
            reps.push(rep);
        }
        *last = (*last).max(last_at);
    }
    people.retain(|_, (_, last)| last.is_some());
    let mut shown = Vec::with_capacity(people.len());
    for (id, (reps, last_at)) in people {
        shown.push(show(contact::get(db, id)?, reps, last_at));
    }
    shown.sort_by(|a, b| (&a.contact, &a.contact_id).cmp(&(&b.contact, &b.contact_id)));
    Ok(shown)
}

fn show(contact: Contact, mut reps: Vec<String>, last_at: Option<Timestamp>) -> Person {
    reps.sort_unstable();
    Person {
        contact: contact.name,
        contact_id: contact.public_id,
        organisation_kind: organisation::kind(&contact.organisation),
        role_address: organisation::is_role_text(contact.addresses.first()),
        addresses: contact.addresses,
        organisation: contact.organisation,
        reps,
        last_at,
    }
}
