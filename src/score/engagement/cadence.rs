//! The usual gap between the days on which there was any contact.

use serde::Serialize;

use crate::model::Observed;
use crate::score::Zone;

/// The weight of the newest gap, as in [`crate::score::usual_gap_days`].
const NEWEST: f64 = 0.2;

/// How far apart active days are. The names of the fields are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cadence {
    /// Gaps that there were.
    pub gaps: u32,
    /// The usual one, in days: e to the power of the mean.
    pub usual_gap_days: f64,
    /// The mean of ln gap (in days), the newest counting a fifth.
    pub ln_gap_mean: f64,
    /// The deviation of ln gap from it, weighted likewise (West 1979).
    pub ln_gap_deviation: f64,
}

/// The cadence of a log by time; `None` with less than two active days.
pub(super) fn cadence(log: impl Iterator<Item = Observed>, zone: Zone) -> Option<Cadence> {
    let mut days: Vec<i64> = log.map(|one| one.interaction.at.local_day(zone)).collect();
    days.dedup();
    let (mut gaps, mut mean, mut variance) = (0_u32, 0.0_f64, 0.0_f64);
    for pair in days.windows(2) {
        let [earlier, later] = pair else { continue };
        #[expect(clippy::cast_precision_loss, reason = "a count of days is far below 2^52")]
        let ln_gap = ((later - earlier) as f64).ln();
        let off = ln_gap - mean;
        if gaps == 0 {
            mean = ln_gap;
        } else {
            mean += NEWEST * off;
            variance = (1.0 - NEWEST) * (variance + NEWEST * off * off);
        }
        gaps += 1;
    }
    (gaps > 0).then(|| Cadence {
        gaps,
        usual_gap_days: mean.exp(),
        ln_gap_mean: mean,
        ln_gap_deviation: variance.sqrt(),
    })
}
