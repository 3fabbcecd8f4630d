//! The outcome as one JSON document. The names of its fields are a contract.

use serde::Serialize;

use super::Outcome;
use crate::backtest::{Answers, finding};
use crate::model::Timestamp;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    log: LogPart,
    snapshots: SnapshotPart,
    figures: Vec<FigurePart>,
    calibration: Vec<BandPart>,
    comparisons: Vec<ComparisonPart>,
    verdict: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    nudges: Option<super::triggers::Part>,
}

#[derive(Serialize)]
struct LogPart {
    interactions: usize,
    reps: usize,
    relationships: usize,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    /// `threads`, or `alternation` where the log has none.
    answers: &'static str,
    repeated_rows: usize,
}

#[derive(Serialize)]
struct SnapshotPart {
    count: usize,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    every_days: u32,
}

#[derive(Serialize)]
struct FigurePart {
    population: &'static str,
    horizon_days: i64,
    score: &'static str,
    rows: u64,
    positives: u64,
    base_rate: Option<f64>,
    auc: Option<f64>,
    ap: Option<f64>,
}

#[derive(Serialize)]
struct BandPart {
    band: &'static str,
    rows: u64,
    active_30: u64,
    active_60: u64,
    active_90: u64,
}

/// S against a baseline, by AUC among the established within 60 days.
#[derive(Serialize)]
struct ComparisonPart {
    against: &'static str,
    auc: f64,
    auc_against: f64,
    standard_error: f64,
    finding: &'static str,
}

pub(super) fn document(outcome: &Outcome) -> Document<'_> {
    let Outcome { log, assessment, .. } = outcome;
    let (first_at, last_at) = log.span().unzip();
    Document {
        log: LogPart {
            interactions: log.interactions(),
            reps: log.reps(),
            relationships: log.histories.len(),
            first_at,
            last_at,
            answers: match log.answers {
                Answers::Threads => "threads",
                Answers::Alternation => "alternation",
            },
            repeated_rows: log.repeated,
        },
        snapshots: SnapshotPart {
            count: assessment.snapshots.len(),
            first_at: assessment.snapshots.first().copied(),
            last_at: assessment.snapshots.last().copied(),
            every_days: outcome.every_days,
        },
        figures: figures(outcome),
        calibration: calibration(outcome),
        comparisons: comparisons(outcome),
        verdict: &outcome.verdict,
        nudges: outcome.nudges.as_ref().map(super::triggers::part),
    }
}

fn figures(outcome: &Outcome) -> Vec<FigurePart> {
    let parts = outcome.assessment.figures.iter().map(|figure| FigurePart {
        population: figure.population.code(),
        horizon_days: figure.horizon_days,
        score: figure.score.code(),
        rows: figure.quality.rows,
        positives: figure.quality.positives,
        base_rate: figure.quality.base_rate(),
        auc: figure.quality.auc,
        ap: figure.quality.ap,
    });
    parts.collect()
}

fn calibration(outcome: &Outcome) -> Vec<BandPart> {
    let parts = outcome.assessment.calibration.iter().map(|of| {
        let [active_30, active_60, active_90] = of.active;
        BandPart { band: of.band.code(), rows: of.rows, active_30, active_60, active_90 }
    });
    parts.collect()
}

fn comparisons(outcome: &Outcome) -> Vec<ComparisonPart> {
    let parts = outcome.assessment.comparisons.iter().map(|comparison| ComparisonPart {
        against: comparison.against.code(),
        auc: comparison.ours,
        auc_against: comparison.theirs,
        standard_error: comparison.error,
        finding: finding(comparison).code(),
    });
    parts.collect()
}
