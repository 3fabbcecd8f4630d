//! The contact that an admin names, by an address or a public id; or what may have been meant.

use crate::normalise::address::canonical;
use crate::store::{Db, StoreError, contact};

use crate::pipeline::request::Answer;

/// Names less alike than this are no guess.
const ALIKE: f64 = 0.85;

/// What was named.
pub(in crate::pipeline) struct Named {
    /// As it was named, canonical.
    pub(in crate::pipeline) text: String,
    /// The row of the address; that by which the contact has its public id, if that was named.
    pub(in crate::pipeline) address: i64,
    /// The row of the contact.
    pub(in crate::pipeline) contact: i64,
}

/// Finds what is named, or says that it is unknown and which is the nearest that is known.
pub(in crate::pipeline) fn find(db: &Db, name: &str) -> Result<Result<Named, Answer>, StoreError> {
    let text = canonical(name).map_or_else(|| name.to_owned(), |address| address.to_string());
    let address = match contact::find_address(db, &text)? {
        Some(address) => Some(address),
        None => contact::find_own_id(db, &text)?,
    };
    if let Some(address) = address {
        let contact = contact::of_address(db, address)?;
        return Ok(Ok(Named { text, address, contact }));
    }
    let near = nearest(db, &text)?;
    let hint = near.map_or_else(
        || "`keepwarm contacts` lists those that are known".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    Ok(Err(Answer::refused(format!("there is no contact {name}"), &hint)))
}

fn nearest(db: &Db, text: &str) -> Result<Option<String>, StoreError> {
    let mut best = None;
    for (address, public_id) in contact::all_names(db)? {
        for known in [address, public_id] {
            let alike = strsim::jaro_winkler(&known, text);
            if alike >= ALIKE && best.as_ref().is_none_or(|(most, _)| *most < alike) {
                best = Some((alike, known));
            }
        }
    }
    Ok(best.map(|(_, known)| known))
}
