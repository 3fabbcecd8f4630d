//! Engagement as of any instant, from what is kept of one relationship's last year.

use crate::model::{Fate, Relationship, Span, Timestamp};
use crate::score::engagement::WINDOWS_DAYS;
use crate::score::{Engagement, Evidence, engagement};
use crate::store::relationship::Stored;
use crate::store::{Db, StoreError, fate, turn};

use super::Rules;
use super::ingest::speaks;

/// The engagement of a relationship that was in `state` at `now`.
///
/// # Errors
/// As every read.
pub fn as_of(
    db: &Db,
    rules: &Rules,
    row: &Stored,
    state: &Relationship,
    now: Timestamp,
) -> Result<Engagement, StoreError> {
    let days = WINDOWS_DAYS.into_iter().max().unwrap_or_default();
    let from = now - Span::from_days(days);
    let silent = state.last_at().is_none_or(|last| last < from);
    let log =
        if silent { Vec::new() } else { turn::observed(db, row.id, (from, now), usize::MAX)? };
    let missed = missed(db, row.id, from, now)?;
    let (hours, parameters) = (&rules.hours, &rules.parameters);
    let zone = rules.zone(row.rep);
    let evidence = Evidence { state, log: &log, missed: &missed, zone, hours, parameters };
    Ok(engagement(&evidence, now))
}

/// The meetings that did not come about, each once: as the copy of it that speaks tells.
///
/// # Errors
/// As every read.
pub(super) fn missed(
    db: &Db,
    relationship: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, Fate)>, StoreError> {
    let mut missed = Vec::new();
    for told in fate::between(db, relationship, from, to)? {
        if speaks(db, told.meeting, told.rep, &told.uid, told.recurrence_at)? {
            missed.push((told.at, told.fate));
        }
    }
    Ok(missed)
}
