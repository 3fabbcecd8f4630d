//! The verdict: what the figures come to, in words an admin understands.

use super::assess::{Assessment, Calibration, Comparison, VERDICT_DAYS};
use super::candidate::{HORIZONS_DAYS, Score};
use super::log::Log;
use super::metric::real;
use crate::score::Band;

/// Fewer relationships that were active again, or that were not, tell nothing.
const LEAST_RELATIONSHIPS: usize = 20;
/// Of a band with fewer rows nothing is said.
const LEAST_ROWS: u64 = 20;
/// A difference counts from so many standard errors on.
const ERRORS: f64 = 2.0;

/// How S does against another score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It ranks better.
    Better,
    /// Too close to tell.
    Alike,
    /// It ranks worse.
    Worse,
}

impl Finding {
    /// The word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Alike => "alike",
            Self::Worse => "worse",
        }
    }
}

/// What a comparison comes to: a difference of two standard errors counts.
#[must_use]
pub fn finding(comparison: &Comparison) -> Finding {
    let difference = comparison.ours - comparison.theirs;
    match ERRORS * comparison.error {
        least if difference > least => Finding::Better,
        least if difference < -least => Finding::Worse,
        _ => Finding::Alike,
    }
}

/// The verdict, sentence by sentence; never empty.
#[must_use]
pub fn verdict(log: &Log, assessment: &Assessment) -> Vec<String> {
    if assessment.snapshots.is_empty() {
        return vec![no_snapshot(log)];
    }
    let mut sentences: Vec<String> = bands(&assessment.calibration).into_iter().collect();
    let (active, silent) = assessment.evidence;
    if active.min(silent) < LEAST_RELATIONSHIPS || assessment.comparisons.is_empty() {
        sentences.push(format!(
            "There is too little history to tell whether strength ranks better than simpler \
             measures: of the relationships in which both had written, {active} were active again \
             within {VERDICT_DAYS} days at some snapshot and {silent} were not, and \
             {LEAST_RELATIONSHIPS} of either are needed."
        ));
        return sentences;
    }
    sentences.extend(ranks(&assessment.comparisons));
    sentences
}

fn no_snapshot(log: &Log) -> String {
    let Some((first, last)) = log.span() else {
        return "There is no history to judge by: the log holds no interactions.".to_owned();
    };
    format!(
        "There is too little history to tell: no snapshot leaves enough before it and 90 days after \
         it. The log spans {:.0} days.",
        (last - first).days()
    )
}

/// The strongest and the weakest band of which something can be said.
fn bands(calibration: &[Calibration]) -> Option<String> {
    let told = |band: &&Calibration| band.rows >= LEAST_ROWS;
    let strong = calibration.iter().filter(|c| c.band != Band::None).find(told)?;
    let weak = calibration.iter().rev().filter(|c| c.band != Band::None).find(told)?;
    let mut sentence = format!(
        "Of the relationships called {}, {} were active again within {VERDICT_DAYS} days",
        strong.band.code(),
        share(strong)
    );
    if weak.band != strong.band {
        sentence += &format!("; of those called {}, {}", weak.band.code(), share(weak));
    }
    Some(sentence + ".")
}

fn share(of: &Calibration) -> String {
    let horizon = HORIZONS_DAYS.iter().position(|days| *days == VERDICT_DAYS);
    let active = horizon.and_then(|at| of.active.get(at)).copied().unwrap_or(0);
    format!("{:.0} %", 100.0 * real(active) / real(of.rows))
}

/// What S ranks better than, and what it does not.
fn ranks(comparisons: &[Comparison]) -> Vec<String> {
    let named = |wanted: Finding| -> Vec<String> {
        let found = comparisons.iter().filter(|comparison| finding(comparison) == wanted);
        found.map(|c| format!("{} ({})", name(c.against), three(c.theirs))).collect()
    };
    let ours = comparisons.first().map_or(0.0, |comparison| comparison.ours);
    let said: Vec<String> = [
        (Finding::Better, "better than"),
        (Finding::Alike, "as well as, within chance,"),
        (Finding::Worse, "worse than"),
    ]
    .into_iter()
    .filter_map(|(finding, words)| {
        let named = named(finding);
        (!named.is_empty()).then(|| format!("{words} {}", listed(&named)))
    })
    .collect();
    let mut sentences = vec![format!(
        "Among relationships in which both had written, strength (AUC {}) ranks who will be active \
         again within {VERDICT_DAYS} days {}.",
        three(ours),
        said.join("; ")
    )];
    if comparisons.iter().any(|comparison| finding(comparison) == Finding::Worse) {
        sentences.push(
            "Where it ranks worse, the last days tell more than the long past, as when an \
             organisation breaks up."
                .to_owned(),
        );
    }
    sentences
}

/// The score's name in a sentence.
#[must_use]
pub const fn name(score: Score) -> &'static str {
    match score {
        Score::S => "S, ungated",
        Score::Strength => "strength, as shown",
        Score::Ranking => "S by silence",
        Score::Recency => "recency",
        Score::Frequency => "90-day frequency",
        Score::Rank7 => "7-day Interactions Rank",
        Score::Rank30 => "30-day Interactions Rank",
    }
}

/// Three decimals without the leading nought.
fn three(figure: f64) -> String {
    let text = format!("{figure:.3}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
