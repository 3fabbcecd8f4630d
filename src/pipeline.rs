//! The straight line: source → normalise → score → store → nudge → outbox → deliver.
//!
//! Each file is one step: it loads, asks the pure modules, and saves, in one transaction on the
//! writer's thread. Steps are idempotent; loops around them are in `daemon`.

pub mod accounts;
pub mod capture;
pub mod care;
pub mod deliver;
pub mod engagement;
pub mod feedback;
pub mod fold;
pub mod history;
pub mod identity;
pub mod ingest;
mod login;
pub mod nudge;
mod outbox;
pub mod paths;
pub mod people;
pub mod request;
pub mod retention;
pub mod silence;
pub mod sync;
pub mod view;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use crate::normalise::people::Erased;
use crate::normalise::{Accounts, Own};
use crate::nudge::{Matters, Policy, Restraint};
use crate::score::{Parameters, WorkingHours, Zone};
use crate::store::{Db, StoreError, erased};

/// What the steps go by; made from the configuration when it is loaded.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Who is who.
    pub own: Own,
    /// Whom the reps sell to.
    pub accounts: Accounts,
    /// The time zone of each rep, by row; UTC where none is given.
    pub zones: HashMap<i64, Zone>,
    /// When reps work.
    pub hours: WorkingHours,
    /// The model.
    pub parameters: Parameters,
    /// When to nudge.
    pub policy: Policy,
    /// How much is said, and when.
    pub restraint: Restraint,
    /// What is said beside decays.
    pub matters: Matters,
    /// For how long what is kept.
    pub ages: retention::Ages,
    /// Those made of these for people who were erased.
    pub made: Made,
}

/// Rules with those who were erased, kept until somebody else is: each commit asks for them.
#[derive(Debug, Default)]
pub struct Made(Mutex<Option<(Arc<erased::Hashes>, Arc<Rules>)>>);

impl Clone for Made {
    /// Nothing: what a copy is changed to is not known here.
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Rules, with those who were erased if somebody was.
#[derive(Debug)]
pub enum AsErased<'a> {
    /// Nobody was.
    Nobody(&'a Rules),
    /// Somebody was.
    Some(Arc<Rules>),
}

impl Deref for AsErased<'_> {
    type Target = Rules;

    fn deref(&self) -> &Rules {
        match self {
            Self::Nobody(rules) => rules,
            Self::Some(rules) => rules,
        }
    }
}

impl Rules {
    /// The same with those whom the database knows to be erased, which other processes may have
    /// asked for meanwhile.
    ///
    /// # Errors
    /// As every read.
    pub fn as_erased<'a>(of: &'a Self, db: &Db) -> Result<AsErased<'a>, StoreError> {
        let Some(found) = erased::all(db)?.filter(|found| !found.1.is_empty()) else {
            return Ok(AsErased::Nobody(of));
        };
        let mut made = of.made.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, rules)) = &*made
            && Arc::ptr_eq(of, &found)
        {
            return Ok(AsErased::Some(Arc::clone(rules)));
        }
        let own = of.own.clone().without(Erased::new(found.0.clone(), found.1.iter().cloned()));
        let rules = Arc::new(Self { own, ..of.clone() });
        *made = Some((found, Arc::clone(&rules)));
        Ok(AsErased::Some(rules))
    }

    /// The calendar by which a rep's days are told apart.
    #[must_use]
    pub fn zone(&self, rep: i64) -> Zone {
        self.zones.get(&rep).copied().unwrap_or(chrono_tz::UTC)
    }
}
