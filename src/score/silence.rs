//! What silence does: when a relationship will have fallen, by any of three triggers.

use crate::model::{Interaction, Relationship, Span, Timestamp};

use super::fold::{Zone, walk};
use super::hazard::{Coefficients, probability};
use super::mass::Parameters;
use super::strength::strength_at;

/// How far ahead a fall is looked for: two years; every strength has halved long before.
const HORIZON: Span = Span::from_days(730);

/// Whatever the hazard says, S at so small a share of the baseline is a fall: long relationships are
/// given much time by it.
const DEEP: f64 = 0.25;
/// And at this share if the rep has been writing into the void.
const DEEP_IN_THE_VOID: f64 = 0.5;

/// What makes a relationship fallen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trigger {
    /// The silence will probably go on, or S is down to a quarter of the baseline (to half, if the rep
    /// has written into the void).
    Hazard {
        /// By which the probability is computed.
        coefficients: Coefficients,
        /// At least so probably.
        probability: f64,
    },
    /// S is at most so large a share of the baseline.
    Drop(f64),
    /// There has been no contact for so long.
    Fixed(Span),
}

impl Trigger {
    /// Whether a relationship is down at `at`, not before its last interaction. In silence it stays
    /// so once it is.
    #[must_use]
    pub fn down(&self, state: &Relationship, at: Timestamp) -> bool {
        match self {
            Self::Hazard { coefficients, probability: threshold } => {
                probability(state, coefficients, at).is_some_and(|p| p >= *threshold)
                    || strength_at(state, at).s <= deep(state) * state.baseline
            }
            Self::Drop(ratio) => strength_at(state, at).s <= state.baseline * ratio,
            Self::Fixed(silence) => {
                state.cadence.contact_at.is_some_and(|contact| at - contact >= *silence)
            }
        }
    }

    /// Whether what is down may have been so before its last interaction: S falls over many of
    /// them, but the silence that the others look at begins anew with every contact.
    fn outlasts(&self, state: &Relationship) -> bool {
        matches!(self, Self::Drop(_)) || state.cadence.contact_at != state.last_at()
    }
}

/// The share of the baseline at which S is a fall whatever the hazard says.
#[must_use]
pub fn deep(state: &Relationship) -> f64 {
    let void = state.cadence.contact_at != state.last_at();
    if void { DEEP_IN_THE_VOID } else { DEEP }
}

/// When a relationship falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fall {
    /// Then, if nothing happens any more; it may lie in the past.
    At(Timestamp),
    /// Before the last interaction, which did not raise it again: [`fell_at`] tells when.
    Earlier,
    /// Never within two years, or there is nothing to fall from.
    Never,
}

/// When a relationship falls after its last interaction, from the state alone.
///
/// Bisection to a minute: in silence what is down stays down.
#[must_use]
pub fn fall(relationship: &Relationship, trigger: &Trigger) -> Fall {
    let Some(last) = relationship.last_at() else { return Fall::Never };
    if relationship.reciprocated_at.is_none() {
        return Fall::Never;
    }
    if trigger.down(relationship, last) {
        let outlasts = trigger.outlasts(relationship);
        return if outlasts { Fall::Earlier } else { Fall::At(last) };
    }
    crossing(relationship, last, trigger).map_or(Fall::Never, Fall::At)
}

/// When a relationship fell, from the whole log up to `until`; for a decay that later interactions
/// have not ended.
#[must_use]
pub fn fell_at(
    log: &[Interaction],
    zone: Zone,
    parameters: &Parameters,
    trigger: &Trigger,
    until: Timestamp,
) -> Option<Timestamp> {
    let mut fell = None;
    let mut before: Option<Relationship> = None;
    walk(log, zone, parameters, until, |state| {
        let at = state.masses.at;
        if !trigger.down(state, at) {
            fell = None;
        } else if !trigger.outlasts(state) {
            fell = Some(at);
        } else if fell.is_none() {
            let crossed = before.and_then(|before| crossing(&before, before.masses.at, trigger));
            fell = crossed.or(Some(at)).map(|crossed| crossed.min(at));
        }
        before = Some(*state);
    });
    fell
}

/// When a relationship that is not down at `last` goes down.
fn crossing(relationship: &Relationship, last: Timestamp, trigger: &Trigger) -> Option<Timestamp> {
    let (mut before, mut after) = (last, last + HORIZON);
    if !trigger.down(relationship, after) {
        return None;
    }
    while (after - before).millis() > 60_000 {
        let middle = before + Span::from_millis((after - before).millis() / 2);
        if trigger.down(relationship, middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    Some(after)
}
