//! Interactions that a commit has made and not stored yet.
//!
//! Those of new messages are stored once it is decided what they are, in the order of the log's index,
//! by line and time.

use std::collections::BTreeMap;

use crate::model::Timestamp;
use crate::normalise::thread::Linked;
use crate::store::interaction::{self, MessageTouch, New};
use crate::store::{Db, StoreError};

/// The relationship, the line, when, and the row.
type Place = (i64, i64, Timestamp, i64);

/// What waits to be stored, and which row is free.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    next: Option<i64>,
    waiting: BTreeMap<Place, New>,
}

impl Unstored {
    /// A row that no interaction has.
    pub(super) fn row(&mut self, db: &Db) -> Result<i64, StoreError> {
        let row = match self.next {
            Some(row) => row,
            None => interaction::free(db)?,
        };
        self.next = Some(row + 1);
        Ok(row)
    }

    /// Has a touch that is new wait.
    pub(super) fn keep(&mut self, touch: &MessageTouch, new: New) {
        self.waiting.insert(place(touch), new);
    }

    /// Notes what was decided of a touch; gives whether it waits, so that nothing else need be done.
    pub(super) fn decide(&mut self, touch: &MessageTouch, decided: Linked) -> bool {
        let Some(new) = self.waiting.get_mut(&place(touch)) else { return false };
        new.interaction.linked = decided.linked;
        new.counted = decided.counted;
        new.turn = decided.turn;
        true
    }

    /// Stores a touch, if it waits.
    pub(super) fn store(&mut self, db: &Db, touch: &MessageTouch) -> Result<(), StoreError> {
        self.store_at(db, place(touch))
    }

    /// Stores those of a relationship.
    pub(super) fn store_of(&mut self, db: &Db, relationship: i64) -> Result<(), StoreError> {
        let (first, last) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        let from = (relationship, i64::MIN, first, i64::MIN);
        let to = (relationship, i64::MAX, last, i64::MAX);
        let places: Vec<Place> = self.waiting.range(from..=to).map(|(place, _)| *place).collect();
        places.into_iter().try_for_each(|place| self.store_at(db, place))
    }

    /// Stores all.
    pub(super) fn store_all(&mut self, db: &Db) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.waiting);
        interaction::insert_all(db, waiting.into_iter().map(|((_, _, _, row), new)| (row, new)))
    }

    fn store_at(&mut self, db: &Db, place: Place) -> Result<(), StoreError> {
        let new = self.waiting.remove(&place).map(|new| (place.3, new));
        interaction::insert_all(db, new)
    }
}

const fn place(touch: &MessageTouch) -> Place {
    (touch.relationship, touch.line, touch.interaction.at, touch.id)
}
