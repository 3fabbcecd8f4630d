//! What silence does: when the strength will have fallen, and what gap is usual.

use crate::model::{Interaction, Relationship, Span, Timestamp};

use super::fold::{Zone, walk};
use super::mass::Parameters;
use super::strength::strength_at;

/// How far ahead a fall is looked for: two years; every strength has halved long before.
const HORIZON: Span = Span::from_days(730);
/// The weight of the newest gap in the usual one.
const NEWEST_GAP_WEIGHT: f64 = 0.2;

/// When S falls to a share of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fall {
    /// Then, if nothing happens any more; it may lie in the past.
    At(Timestamp),
    /// Before the last interaction, which did not raise it again: [`fell_at`] tells when.
    Earlier,
    /// Never within two years, or there is nothing to fall from.
    Never,
}

/// When S falls to `ratio` times the baseline after the last interaction, from the state alone.
///
/// Bisection to a minute: in silence S only falls (G4).
#[must_use]
pub fn fall(relationship: &Relationship, ratio: f64) -> Fall {
    let Some(last) = relationship.last_at() else { return Fall::Never };
    if relationship.reciprocated_at.is_none() {
        return Fall::Never;
    }
    let threshold = relationship.baseline * ratio;
    if strength_at(relationship, last).s <= threshold {
        return Fall::Earlier;
    }
    crossing(relationship, last, threshold).map_or(Fall::Never, Fall::At)
}

/// When S fell to `ratio` times the baseline as it then was, from the whole log up to `until`; for
/// a decay that later interactions have not ended.
#[must_use]
pub fn fell_at(
    log: &[Interaction],
    zone: Zone,
    parameters: &Parameters,
    ratio: f64,
    until: Timestamp,
) -> Option<Timestamp> {
    let mut fell = None;
    let mut before: Option<Relationship> = None;
    walk(log, zone, parameters, until, |state| {
        let up = strength_at(state, state.masses.at).s > state.baseline * ratio;
        if up {
            fell = None;
        } else if fell.is_none() {
            let crossed = before
                .and_then(|before| crossing(&before, before.masses.at, before.baseline * ratio));
            fell = crossed.or(Some(state.masses.at)).map(|at| at.min(state.masses.at));
        }
        before = Some(*state);
    });
    fell
}

/// When S passes a threshold below which it is not yet at `last`.
fn crossing(relationship: &Relationship, last: Timestamp, threshold: f64) -> Option<Timestamp> {
    let fallen = |at: Timestamp| strength_at(relationship, at).s <= threshold;
    let (mut before, mut after) = (last, last + HORIZON);
    if !fallen(after) {
        return None;
    }
    while (after - before).millis() > 60_000 {
        let middle = before + Span::from_millis((after - before).millis() / 2);
        if fallen(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    Some(after)
}

/// The usual gap in days between exchanges: the exponentially weighted geometric mean, the newest
/// gap counting a fifth. An exchange is what happens on a day and the one after it, so that an
/// answer after midnight makes no gap. `None` with fewer than three exchanges.
#[must_use]
pub fn usual_gap_days(log: &[Interaction], zone: Zone) -> Option<f64> {
    let mut days: Vec<i64> = log.iter().map(|i| i.at.local_day(zone)).collect();
    days.sort_unstable();
    let mut began = i64::MIN;
    days.retain(|day| {
        let begins = *day > began.saturating_add(1);
        if begins {
            began = *day;
        }
        begins
    });
    if days.len() < 3 {
        return None;
    }
    let mut mean: Option<f64> = None;
    for pair in days.windows(2) {
        let [earlier, later] = pair else { continue };
        #[expect(clippy::cast_precision_loss, reason = "a count of days is far below 2^52")]
        let ln_gap = ((later - earlier) as f64).ln();
        mean = Some(mean.map_or(ln_gap, |m| m + NEWEST_GAP_WEIGHT * (ln_gap - m)));
    }
    mean.map(f64::exp)
}
