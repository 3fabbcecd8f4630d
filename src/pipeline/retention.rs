//! What is old enough is taken out, a little at a time, so that nobody waits for it: first what stands by
//! itself, then messages and meetings, then the contacts of whom nothing is left; strengths follow from
//! what is kept, as if reading had begun then.
//!
//! Nothing goes by a clock that is not believed: one that has jumped ahead would take everything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Address, Span, Timestamp};
use crate::normalise::address::address_key;
use crate::nudge::effect::WITHIN;
use crate::nudge::guard::{jump, speaks_for};
use crate::store::retention::{self, Before, Due, Part};
use crate::store::{Db, StoreError, contact, erase, nudge, nudging};

use super::nudge::effect;
use super::request::Answer;
use super::{Rules, fold};

/// What commands asked goes after a day: whoever asked has their answer, or has given up.
const REQUESTS: Span = Span::from_hours(24);
/// Once a day is often enough for ages in days.
pub const EVERY: Span = Span::from_hours(24);
/// Stored messages that are asked whether they speak for the clock.
const ASKED: u32 = 1000;

/// For how long what is kept; `None` is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// Messages, meetings, and what was made of them.
    pub interactions: Option<Span>,
    /// Nudges of which there is no more to say.
    pub nudges: Option<Span>,
    /// What endpoints were sent.
    pub deliveries: Option<Span>,
    /// Items put aside.
    pub quarantine: Option<Span>,
}

impl Ages {
    /// What is older may go at `now`.
    #[must_use]
    pub fn before(&self, now: Timestamp) -> Before {
        let before = |age: Option<Span>| age.map(|age| now - age);
        Before {
            interactions: before(self.interactions),
            nudges: before(self.nudges),
            deliveries: before(self.deliveries),
            quarantine: before(self.quarantine),
            requests: Some(now - REQUESTS),
        }
    }
}

/// How far it has come: the number of a stage, and the last row looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    stage: usize,
    after: i64,
}

impl Default for Place {
    fn default() -> Self {
        Self { stage: 0, after: i64::MIN }
    }
}

/// What one step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Rows taken out, by table.
    pub taken: BTreeMap<String, usize>,
    /// Where to go on; `None` if all is done.
    pub next: Option<Place>,
}

/// One stage after the other.
enum Stage {
    /// What came of nudging is noted while the interactions that tell it are there.
    Measure,
    /// Rows of one table.
    Part(Part),
    /// Strengths, from what is left.
    Settle,
    /// Contacts of whom nothing is left.
    Contacts,
}

fn stage(number: usize) -> Option<Stage> {
    match number {
        0 => Some(Stage::Measure),
        n if n <= Part::ALL.len() => Part::ALL.get(n - 1).copied().map(Stage::Part),
        n if n == Part::ALL.len() + 1 => Some(Stage::Settle),
        n if n == Part::ALL.len() + 2 => Some(Stage::Contacts),
        _ => None,
    }
}

/// How many rows of each table may go at `now`. Changes nothing.
///
/// # Errors
/// As every read.
pub fn due(db: &Db, ages: &Ages, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    retention::due(db, &ages.before(now), now)
}

/// Whether it is time again, by a clock that is believed.
///
/// # Errors
/// As every read.
pub fn is_time(db: &Db, now: Timestamp) -> Result<bool, StoreError> {
    let done = retention::done_at(db)?;
    Ok(done.is_none_or(|at| now - at >= EVERY) && is_believed(db, now)?)
}

/// Whether nothing speaks against the clock: it is about when it was last believed, or mail that has come
/// since was dated near it.
fn is_believed(db: &Db, now: Timestamp) -> Result<bool, StoreError> {
    let Some(known) = nudging::get(db)? else { return Ok(true) };
    if known.trusted_at.is_none_or(|at| jump(at, now).is_none()) {
        return Ok(true);
    }
    let since = nudging::messages_after(db, known.trusted_message, ASKED)?;
    Ok(since.into_iter().any(|at| speaks_for(at, now)))
}

/// Takes out some of what is old enough, from a place on; small enough for one transaction.
///
/// # Errors
/// As every write; nothing is taken out then.
pub fn step(db: &Db, rules: &Rules, place: Place, now: Timestamp) -> Result<Step, StoreError> {
    let before = rules.ages.before(now);
    let mut taken = BTreeMap::new();
    let mut note = |table: &str, rows: usize| {
        if rows > 0 {
            taken.insert(table.to_owned(), rows);
        }
    };
    let last = match stage(place.stage) {
        None => {
            retention::done(db, now)?;
            return Ok(Step::default());
        }
        Some(Stage::Measure) => {
            measure(db, &before, now)?;
            None
        }
        Some(Stage::Part(part)) => {
            let took = retention::take(db, part, &before, place.after)?;
            note(part.name(), took.rows);
            note("interaction", took.interactions);
            took.last
        }
        Some(Stage::Settle) if before.interactions.is_some() => {
            fold::settle(db, rules, now, place.after)?
        }
        Some(Stage::Contacts) => {
            let (last, rows) = forget_empty(db, &before, now, place.after)?;
            note("contact", rows);
            last
        }
        Some(Stage::Settle) => None,
    };
    let next = match last {
        Some(after) => Place { after, ..place },
        None => Place { stage: place.stage + 1, ..Place::default() },
    };
    Ok(Step { taken, next: Some(next) })
}

/// Notes of every nudge whose effect is measured, and which or whose interactions may go, whether the
/// contact came back.
fn measure(db: &Db, before: &Before, now: Timestamp) -> Result<(), StoreError> {
    let Some(until) = before.interactions.max(before.nudges) else { return Ok(()) };
    let until = until.min(now - WITHIN);
    for case in nudge::cases(db, until)?.into_iter().filter(|case| case.came_back.is_none()) {
        let came_back = Some(effect::returned(db, case)?);
        nudge::measured(db, &nudge::Case { came_back, ..case })?;
    }
    Ok(())
}

/// Forgets contacts of whom nothing is left; gives the last one looked at, and how many.
fn forget_empty(
    db: &Db,
    before: &Before,
    now: Timestamp,
    after: i64,
) -> Result<(Option<i64>, usize), StoreError> {
    let Some(limit) = before.interactions else { return Ok((None, 0)) };
    let found = retention::left_empty(db, limit, now, after)?;
    let mut rows = Vec::new();
    for row in found.iter().flat_map(|(_, addresses)| addresses) {
        let text = contact::address_of(db, *row)?.unwrap_or_default();
        rows.push((*row, address_key(&Address::from_canonical(text))));
        retention::forget_nudges_of(db, *row)?;
    }
    if !rows.is_empty() {
        erase::addresses(db, &rows)?;
    }
    Ok((found.last().map(|(contact, _)| *contact), found.len()))
}

/// One step, for a command; refused while the clock is not believed.
///
/// # Errors
/// As every write; nothing is taken out then.
pub(super) fn asked(
    db: &Db,
    rules: &Rules,
    place: Option<Place>,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    if place.is_none() && !is_believed(db, now)? {
        let why = "the clock is not believed: nothing was taken out".to_owned();
        let hint = "mail of these days speaks for it: have it read (`keepwarm run`), or say \
                    `keepwarm nudges resume`";
        return Ok(Answer::refused(why, hint));
    }
    let Step { taken, next } = step(db, rules, place.unwrap_or_default(), now)?;
    Ok(Answer::TakenOut { taken, next })
}
