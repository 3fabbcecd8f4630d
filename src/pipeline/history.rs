//! The history of every relationship, as the backtest takes it.

use crate::backtest::Log;
use crate::model::Timestamp;
use crate::store::{Db, StoreError, contact, interaction, relationship, rep};

use super::Rules;

/// What counts up to `now`, by reps' ids and contacts' public ids; contacts are people, with all of
/// their addresses.
///
/// # Errors
/// As every read.
pub fn log(db: &Db, rules: &Rules, now: Timestamp) -> Result<Log, StoreError> {
    let mut histories = Vec::new();
    for row in relationship::all(db)? {
        let mut interactions = interaction::log(db, row.id)?;
        interactions.retain(|interaction| interaction.at <= now);
        if interactions.is_empty() {
            continue;
        }
        let rep = rep::get(db, row.rep)?.code;
        let contact = contact::get(db, row.contact)?.public_id;
        histories.push((rep, contact, rules.zone(row.rep), interactions));
    }
    Ok(Log::known(histories))
}
