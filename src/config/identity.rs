//! The file of people that `[identity]` names, read: what is wrong in it is told as what is wrong in
//! the configuration.

use std::collections::BTreeSet;

use super::problem::{Place, Problem};
use super::settings::Config;
use crate::model::Address;
use crate::normalise::roster;

/// The people of the file who have several addresses; none where no file is named.
///
/// # Errors
/// That it cannot be read, or the first thing that is wrong in it.
pub fn people(config: &Config) -> Result<Vec<BTreeSet<Address>>, Problem> {
    let Some(path) = &config.identity.file else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("`identity.file` cannot be read: {error}");
        Problem::error(message).at(Some(Place::File(path.clone())))
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    roster::read(&name, &text).map_err(|flaw| {
        let place = Place::Line {
            path: path.clone(),
            line: usize::try_from(flaw.line).unwrap_or(usize::MAX),
            column: flaw.column,
            width: 1,
            // People's addresses are nothing for a log.
            shown: None,
        };
        Problem::error(format!("`identity.file`: {}", flaw.what)).at(Some(place)).hint(
            "CSV needs the header person,address and one row for each address; vCards need the name *.vcf",
        )
    })
}
