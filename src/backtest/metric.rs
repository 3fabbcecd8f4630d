//! How well a score ranks: AUC and average precision, from counts alone.
//!
//! Ties are treated alike whatever their order. AUC gives half a point to a tie (midranks: Mann and
//! Whitney 1947; Hanley and McNeil 1982). Average precision takes all rows of one score together,
//! Σ (recall gained by the tie) × (precision with the whole tie), which is the convention of
//! scikit-learn's `average_precision_score`.

/// Whether a row is part of what is judged, and was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Another population's.
    Elsewhere,
    /// It came about.
    Positive,
    /// It did not.
    Negative,
}

/// How well a score ranked some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Rows judged.
    pub rows: u64,
    /// Those that came about.
    pub positives: u64,
    /// The chance that one that came about ranks above one that did not; `None` without both.
    pub auc: Option<f64>,
    /// The mean precision over the ranks of those that came about; `None` without any.
    pub ap: Option<f64>,
}

impl Quality {
    /// The share that came about; `None` without rows.
    #[must_use]
    pub fn base_rate(&self) -> Option<f64> {
        (self.rows > 0).then(|| real(self.positives) / real(self.rows))
    }
}

/// Row numbers from the highest score to the lowest, and the ends of ties.
#[derive(Clone, Debug)]
pub struct Ranking {
    rows: Vec<u32>,
    /// Whether a row has the score of the one before it.
    tied: Vec<bool>,
}

/// Counts within one tie.
#[derive(Clone, Copy, Debug, Default)]
struct Tie {
    positives: u64,
    negatives: u64,
}

impl Ranking {
    /// Ranks scores, which are not NaN and fewer than 2^32.
    #[must_use]
    pub fn of(scores: &[f64]) -> Self {
        let score = |row: &u32| usize::try_from(*row).ok().and_then(|row| scores.get(row));
        let mut rows: Vec<u32> = (0..).zip(scores).map(|(row, _)| row).collect();
        rows.sort_unstable_by(|a, b| match (score(a), score(b)) {
            (Some(a), Some(b)) => b.total_cmp(a),
            _ => std::cmp::Ordering::Equal,
        });
        let same = |pair: &[u32]| match pair {
            [a, b] => score(a) == score(b),
            _ => false,
        };
        let tied = std::iter::once(false).chain(rows.windows(2).map(same)).collect();
        Self { rows, tied }
    }

    /// Judges the ranking by what came about, row by row.
    #[must_use]
    pub fn quality(&self, outcome: impl Fn(usize) -> Outcome) -> Quality {
        let (mut above, mut pairs_doubled, mut precision) = (Tie::default(), 0_u64, 0.0);
        self.ties(outcome, |tie, _| {
            pairs_doubled += tie.negatives * (2 * above.positives + tie.positives);
            above.positives += tie.positives;
            above.negatives += tie.negatives;
            if tie.positives > 0 {
                let rows = above.positives + above.negatives;
                precision += real(tie.positives) * real(above.positives) / real(rows);
            }
        });
        let Tie { positives, negatives } = above;
        let both = positives > 0 && negatives > 0;
        Quality {
            rows: positives + negatives,
            positives,
            auc: both.then(|| real(pairs_doubled) / 2.0 / (real(positives) * real(negatives))),
            ap: (positives > 0).then(|| precision / real(positives)),
        }
    }

    /// What each cluster of rows adds to the AUC above or below its share, so that the sum of their
    /// squares is the variance of the AUC (Obuchowski 1997, "Nonparametric analysis of clustered ROC
    /// curve data", as a sandwich): the snapshots of one relationship are not independent.
    ///
    /// One number for each of `clusters`; all 0 where there is no AUC.
    #[must_use]
    pub fn influence(
        &self,
        outcome: impl Fn(usize) -> Outcome,
        cluster: impl Fn(usize) -> usize,
        clusters: usize,
    ) -> Vec<f64> {
        let mut influence = vec![0.0; clusters];
        let quality = self.quality(&outcome);
        let Some(auc) = quality.auc else { return influence };
        let positives = real(quality.positives);
        let negatives = real(quality.rows - quality.positives);
        let mut above = Tie::default();
        self.ties(&outcome, |tie, rows| {
            let beaten = negatives - real(above.negatives) - 0.5 * real(tie.negatives);
            let beaten_by = real(above.positives) + 0.5 * real(tie.positives);
            for row in rows.iter().filter_map(|row| usize::try_from(*row).ok()) {
                let own = match outcome(row) {
                    Outcome::Elsewhere => continue,
                    Outcome::Positive => (beaten / negatives - auc) / positives,
                    Outcome::Negative => (beaten_by / positives - auc) / negatives,
                };
                if let Some(sum) = influence.get_mut(cluster(row)) {
                    *sum += own;
                }
            }
            above.positives += tie.positives;
            above.negatives += tie.negatives;
        });
        influence
    }

    /// Shows tie by tie, from the top, its counts and its rows.
    fn ties(&self, outcome: impl Fn(usize) -> Outcome, mut show: impl FnMut(Tie, &[u32])) {
        let mut start = 0;
        while start < self.rows.len() {
            let rest = self.tied.get(start + 1..).unwrap_or_default();
            let end = start + 1 + rest.iter().take_while(|tied| **tied).count();
            let rows = self.rows.get(start..end).unwrap_or_default();
            let mut tie = Tie::default();
            for row in rows.iter().filter_map(|row| usize::try_from(*row).ok()) {
                match outcome(row) {
                    Outcome::Elsewhere => {}
                    Outcome::Positive => tie.positives += 1,
                    Outcome::Negative => tie.negatives += 1,
                }
            }
            show(tie, rows);
            start = end;
        }
    }
}

/// A count as a number with a fraction.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
