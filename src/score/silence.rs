//! What silence does: when the strength will have fallen, and what gap is usual.

use crate::model::{Interaction, Relationship, Span, Timestamp};

use super::fold::Zone;
use super::strength::strength_at;

/// How far ahead a fall is looked for: two years; every strength has halved long before.
const HORIZON: Span = Span::from_days(730);
/// The weight of the newest gap in the usual one.
const NEWEST_GAP_WEIGHT: f64 = 0.2;

/// The instant at which S falls to `ratio` times the baseline if nothing happens any more; it may
/// lie in the past. `None` without a reciprocation, or if that takes more than two years.
///
/// Bisection to a minute: in silence S only falls (G4).
#[must_use]
pub fn falls_at(relationship: &Relationship, ratio: f64) -> Option<Timestamp> {
    relationship.reciprocated_at?;
    let last = relationship.last_at()?;
    let threshold = relationship.baseline * ratio;
    let fallen = |at: Timestamp| strength_at(relationship, at).s <= threshold;
    if fallen(last) {
        return Some(last);
    }
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

/// The usual gap in days between active days: the exponentially weighted geometric mean, the
/// newest gap counting a fifth. `None` with fewer than three active days.
#[must_use]
pub fn usual_gap_days(log: &[Interaction], zone: Zone) -> Option<f64> {
    let mut days: Vec<i64> = log.iter().map(|i| i.at.local_day(zone)).collect();
    days.sort_unstable();
    days.dedup();
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
