//! The assessment of a log: every score against what happened, and strength band by band.

use super::candidate::{Candidate, HORIZONS_DAYS, Score, candidates};
use super::log::Log;
use super::metric::{Outcome, Quality, Ranking, real};
use super::snapshot::{Window, snapshots};
use crate::model::Timestamp;
use crate::score::{Band, Parameters};

/// The horizon that verdicts speak of, in days.
pub const VERDICT_DAYS: i64 = 60;

/// Which candidates are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    /// All of them.
    All,
    /// Those in which both had written by then.
    Established,
}

impl Population {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::All, Self::Established];

    /// The word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Established => "established",
        }
    }
}

/// How well a score foretold who would be active again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Among whom.
    pub population: Population,
    /// Within so many days.
    pub horizon_days: i64,
    /// By what.
    pub score: Score,
    /// How well.
    pub quality: Quality,
}

/// What became of the candidates whose strength lay in a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    /// The band of the strength then.
    pub band: Band,
    /// How many.
    pub rows: u64,
    /// How many of them were active again within each of the horizons.
    pub active: [u64; HORIZONS_DAYS.len()],
}

/// S against another score, by the AUC among the established within [`VERDICT_DAYS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The other score.
    pub against: Score,
    /// AUC of S.
    pub ours: f64,
    /// AUC of the other.
    pub theirs: f64,
    /// The standard error of their difference; the rows of one relationship count as one cluster.
    pub error: f64,
}

/// The assessment.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// When relationships were scored.
    pub snapshots: Vec<Timestamp>,
    /// By population, horizon and score.
    pub figures: Vec<Figure>,
    /// From strong to none, of all candidates.
    pub calibration: Vec<Calibration>,
    /// S against each baseline; empty where an AUC is missing.
    pub comparisons: Vec<Comparison>,
    /// Relationships that were active again within [`VERDICT_DAYS`] at some snapshot, and those that
    /// were not at some: among the established, they tell how much there is to judge by.
    pub evidence: (usize, usize),
}

/// Assesses a log, and shows every candidate in passing: the history and what it was then.
///
/// Holds about 60 bytes for each.
pub fn assess(
    log: &Log,
    window: &Window,
    parameters: &Parameters,
    mut show: impl FnMut(usize, &Candidate),
) -> Assessment {
    let snapshots =
        log.span().map_or_else(Vec::new, |(first, last)| snapshots(first, last, window));
    let mut rows = Rows::default();
    for (number, history) in log.histories.iter().enumerate() {
        candidates(history, &snapshots, parameters, |candidate| {
            show(number, candidate);
            rows.push(number, candidate);
        });
    }
    let mut figures = Vec::new();
    let mut influences = Vec::new();
    for (column, score) in rows.scores.iter().zip(Score::ALL) {
        let ranking = Ranking::of(column);
        figures.extend(rows.figures(&ranking, score));
        if score == Score::S || score.is_baseline() {
            influences.push((score, rows.influence(&ranking, log.histories.len())));
        }
    }
    let comparisons = compare(&figures, &influences);
    let order = |figure: &Figure| {
        let population = Population::ALL.iter().position(|p| *p == figure.population);
        (population, figure.horizon_days)
    };
    figures.sort_by_key(order);
    let evidence = rows.evidence(log.histories.len());
    Assessment { snapshots, figures, calibration: rows.calibration(), comparisons, evidence }
}

/// What is kept of all candidates, column by column.
#[derive(Default)]
struct Rows {
    scores: [Vec<f64>; Score::ALL.len()],
    strengths: [Calibrated; BANDS.len()],
    known: Vec<Known>,
}

type Calibrated = (u64, [u64; HORIZONS_DAYS.len()]);

const BANDS: [Band; 5] = [Band::Strong, Band::Good, Band::Fair, Band::Weak, Band::None];

#[derive(Clone, Copy)]
struct Known {
    history: u32,
    established: bool,
    labels: [bool; HORIZONS_DAYS.len()],
}

impl Rows {
    fn push(&mut self, number: usize, candidate: &Candidate) {
        for (column, score) in self.scores.iter_mut().zip(candidate.scores) {
            column.push(score);
        }
        let band = Band::of(candidate.strength.score);
        for ((rows, active), _) in self.strengths.iter_mut().zip(BANDS).filter(|(_, b)| *b == band)
        {
            *rows += 1;
            for (active, label) in active.iter_mut().zip(candidate.labels) {
                *active += u64::from(label);
            }
        }
        let Candidate { established, labels, .. } = *candidate;
        let history = u32::try_from(number).unwrap_or(u32::MAX);
        self.known.push(Known { history, established, labels });
    }

    fn outcome(&self, row: usize, population: Population, horizon: usize) -> Outcome {
        match self.known.get(row) {
            Some(known) if known.established || population == Population::All => {
                match known.labels.get(horizon) {
                    Some(true) => Outcome::Positive,
                    _ => Outcome::Negative,
                }
            }
            _ => Outcome::Elsewhere,
        }
    }

    fn figures(&self, ranking: &Ranking, score: Score) -> Vec<Figure> {
        let mut figures = Vec::new();
        for population in Population::ALL {
            for (index, horizon_days) in HORIZONS_DAYS.into_iter().enumerate() {
                let quality = ranking.quality(|row| self.outcome(row, population, index));
                figures.push(Figure { population, horizon_days, score, quality });
            }
        }
        figures
    }

    fn influence(&self, ranking: &Ranking, histories: usize) -> Vec<f64> {
        let outcome = |row| self.outcome(row, Population::Established, verdict_horizon());
        let history = |row: usize| self.known.get(row).map_or(0, |known| known.history);
        let cluster = |row| usize::try_from(history(row)).unwrap_or(usize::MAX);
        ranking.influence(outcome, cluster, histories)
    }

    fn calibration(&self) -> Vec<Calibration> {
        let bands = BANDS.into_iter().zip(self.strengths);
        bands.map(|(band, (rows, active))| Calibration { band, rows, active }).collect()
    }

    fn evidence(&self, histories: usize) -> (usize, usize) {
        let mut seen = vec![(false, false); histories];
        for known in self.known.iter().filter(|known| known.established) {
            let active = known.labels.get(verdict_horizon()).copied().unwrap_or(false);
            if let Some(seen) = usize::try_from(known.history).ok().and_then(|h| seen.get_mut(h)) {
                *seen = (seen.0 || active, seen.1 || !active);
            }
        }
        (seen.iter().filter(|seen| seen.0).count(), seen.iter().filter(|seen| seen.1).count())
    }
}

fn verdict_horizon() -> usize {
    HORIZONS_DAYS.iter().position(|days| *days == VERDICT_DAYS).unwrap_or(0)
}

/// Compares S with each baseline.
fn compare(figures: &[Figure], influences: &[(Score, Vec<f64>)]) -> Vec<Comparison> {
    let auc = |score: Score| {
        let wanted = |f: &&Figure| {
            f.score == score
                && f.population == Population::Established
                && f.horizon_days == VERDICT_DAYS
        };
        figures.iter().find(wanted).and_then(|figure| figure.quality.auc)
    };
    let of_s = influences.iter().find(|(score, _)| *score == Score::S);
    let Some(((_, ours), auc_of_s)) = of_s.zip(auc(Score::S)) else { return Vec::new() };
    let baselines = influences.iter().filter(|(score, _)| score.is_baseline());
    baselines
        .filter_map(|(score, theirs)| {
            let squares = ours.iter().zip(theirs).map(|(a, b)| (a - b) * (a - b));
            let clusters = real(u64::try_from(ours.len()).unwrap_or(u64::MAX));
            let correction = clusters / (clusters - 1.0).max(1.0);
            let error = (squares.sum::<f64>() * correction).sqrt();
            Some(Comparison { against: *score, ours: auc_of_s, theirs: auc(*score)?, error })
        })
        .collect()
}
