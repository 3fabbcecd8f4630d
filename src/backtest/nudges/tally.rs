//! What a setting has come to along the log.

use super::super::metric::real;

/// Counts, and the silence at each nudge that can be judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) nudges: u64,
    pub(super) judged: u64,
    quiet: u64,
    silences_days: Vec<f32>,
    /// Lapses during which there was a nudge.
    pub(super) lapses: u64,
}

impl Tally {
    /// Adds a nudge after a silence; `quiet` is whether it lasted, if that is known.
    pub(super) fn add(&mut self, silence_days: f64, quiet: Option<bool>, lapse: bool) {
        self.nudges += 1;
        self.lapses += u64::from(lapse);
        if let Some(quiet) = quiet {
            self.judged += 1;
            self.quiet += u64::from(quiet);
            #[expect(clippy::cast_possible_truncation, reason = "to the minute is exact enough")]
            self.silences_days.push(silence_days as f32);
        }
    }

    pub(super) fn precision(&self) -> Option<f64> {
        (self.judged > 0).then(|| real(self.quiet) / real(self.judged))
    }

    /// The median; of an even number the mean of the middle two.
    pub(super) fn median_silence(&self) -> Option<f64> {
        let mut days = self.silences_days.clone();
        days.sort_unstable_by(f32::total_cmp);
        let upper = days.get(days.len() / 2)?;
        let lower = days.get(days.len().saturating_sub(1) / 2)?;
        Some(f64::midpoint(f64::from(*lower), f64::from(*upper)))
    }
}
