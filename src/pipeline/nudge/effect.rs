//! What nudging has come to: how far nudges have come, by kind, and whether those nudged come back more
//! often than those held back.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{NudgeState, Timestamp};
use crate::nudge::effect::{Estimate, Group, Verdict, WITHIN, came_back, difference, verdict};
use crate::store::nudge::Case;
use crate::store::{Db, StoreError, interaction, nudge};

/// A report. The names of its fields are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// As of when.
    pub at: Timestamp,
    /// How many nudges there are, by kind and by how far they have come.
    pub nudges: BTreeMap<String, BTreeMap<String, u32>>,
    /// How many of them were resolved, and by what.
    pub resolved: BTreeMap<String, u32>,
    /// Those that were sent.
    pub nudged: Arm,
    /// Those that were held back.
    pub held_back: Arm,
    /// The share of those sent less that of those held back.
    pub difference: Option<Estimate>,
    /// What can be said of it.
    pub verdict: Verdict,
}

/// A group and its share. The names of its fields are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Arm {
    /// Nudges whose fourteen days have passed.
    pub cases: u32,
    /// Relationships that came back within them.
    pub came_back: u32,
    /// The one by the other.
    pub share: Option<Estimate>,
}

impl From<Group> for Arm {
    fn from(group: Group) -> Self {
        Self { cases: group.cases, came_back: group.came_back, share: group.share() }
    }
}

/// Whether the contact of a case came back in time, by what is stored.
///
/// # Errors
/// As every read.
pub fn returned(db: &Db, case: Case) -> Result<bool, StoreError> {
    let log = interaction::between(db, case.relationship, case.at, case.at + WITHIN)?;
    let log: Vec<_> = log.into_iter().map(|logged| logged.interaction).collect();
    Ok(came_back(&log, case.at))
}

/// The report as of `now`. First words about decays are compared: who would have been reminded is not
/// known.
///
/// # Errors
/// As every read.
pub fn report(db: &Db, now: Timestamp) -> Result<Report, StoreError> {
    let (mut nudges, mut resolved) = (BTreeMap::new(), BTreeMap::new());
    for counted in nudge::counts(db, now)? {
        let states: &mut BTreeMap<String, u32> = nudges.entry(counted.kind).or_default();
        *states.entry(counted.state).or_default() += counted.count;
        if let Some(why) = counted.resolved_by {
            *resolved.entry(why).or_default() += counted.count;
        }
    }
    let (mut nudged, mut held_back) = (Group::default(), Group::default());
    for case in nudge::cases(db, now - WITHIN)? {
        let group = match case.state {
            NudgeState::HeldBack => &mut held_back,
            _ => &mut nudged,
        };
        let came_back = match case.came_back {
            Some(came_back) => came_back,
            None => returned(db, case)?,
        };
        group.cases += 1;
        group.came_back += u32::from(came_back);
    }
    Ok(Report {
        at: now,
        nudges,
        resolved,
        difference: difference(nudged, held_back),
        verdict: verdict(nudged, held_back),
        nudged: nudged.into(),
        held_back: held_back.into(),
    })
}
