//! Calibration: the hazard put right by what came after the silences of this installation.
//!
//! ```text
//! logit p' = intercept + slope logit p        slope in [0.5, 2], intercept in [-1.5, 1.5]
//! ```
//!
//! The line is fitted by logistic regression (Platt's scaling), every relationship counting the same.
//! It is worth keeping if it foretells relationships better that it was not fitted to: lines fitted to
//! one half of the relationships are judged by the other half. An order of p is never changed.

use super::logistic::{Row, fit};

/// Slopes that are trusted.
pub const SLOPES: (f64, f64) = (0.5, 2.0);
/// Intercepts that are trusted.
pub const INTERCEPTS: (f64, f64) = (-1.5, 1.5);
/// Fewer instants tell too little.
pub const LEAST_INSTANTS: usize = 200;
/// Of each outcome.
pub const LEAST_OF_EACH: usize = 30;
/// Fewer relationships tell too little.
pub const LEAST_RELATIONSHIPS: usize = 20;
/// Keeps the fit solvable.
const RIDGE: f64 = 0.001;
/// Halvings of the range of intercepts: as many as a float of 64 bits can tell apart.
const HALVINGS: usize = 60;

/// A relationship at an instant of its past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    /// What the hazard said then, without any calibration.
    pub log_odds: f64,
    /// Whether there was no contact in the 30 days after.
    pub silent: bool,
}

/// What log-odds are put through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Above 0.
    pub slope: f64,
    /// What is added.
    pub intercept: f64,
}

/// How much there is to learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Instants of all relationships.
    pub instants: usize,
    /// Those that 30 days without contact followed.
    pub silent: usize,
    /// Relationships with any.
    pub relationships: usize,
}

/// A line and how it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The line.
    pub line: Line,
    /// Whether the fit lay outside of what is trusted.
    pub bounded: bool,
    /// The log loss of what is in force, in nats.
    pub loss_before: f64,
    /// That of lines which have not seen the relationships that they foretell.
    pub loss_after: f64,
}

/// What comes of calibrating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// There is too little to learn from.
    TooFew,
    /// What is in force does as well.
    NoBetter(Judged),
    /// The line does better.
    Better(Judged),
}

impl Line {
    /// As shipped.
    pub const NONE: Self = Self { slope: 1.0, intercept: 0.0 };

    fn through(self, log_odds: f64) -> f64 {
        self.intercept + self.slope * log_odds
    }
}

impl Counts {
    /// Counts the instants of relationships.
    #[must_use]
    pub fn of(relationships: &[Vec<Past>]) -> Self {
        let instants = || relationships.iter().flatten();
        Self {
            instants: instants().count(),
            silent: instants().filter(|past| past.silent).count(),
            relationships: relationships.iter().filter(|one| !one.is_empty()).count(),
        }
    }

    /// Whether they are enough to learn from.
    #[must_use]
    pub const fn suffice(&self) -> bool {
        self.instants >= LEAST_INSTANTS
            && self.silent >= LEAST_OF_EACH
            && self.instants - self.silent >= LEAST_OF_EACH
            && self.relationships >= LEAST_RELATIONSHIPS
    }
}

/// Fits a line to the past of relationships, and judges it beside the one in force.
#[must_use]
pub fn calibrate(relationships: &[Vec<Past>], in_force: Line) -> Outcome {
    if !Counts::of(relationships).suffice() {
        return Outcome::TooFew;
    }
    let half = |odd: usize| {
        let of_half = relationships.iter().enumerate().filter(|(n, _)| n % 2 == odd);
        rows(of_half.map(|(_, pasts)| pasts))
    };
    let (all, even, odd) = (rows(relationships), half(0), half(1));
    let (Some((line, bounded)), Some((by_even, _)), Some((by_odd, _))) =
        (fitted(&all), fitted(&even), fitted(&odd))
    else {
        return Outcome::TooFew;
    };
    let weight: f64 = all.iter().map(|row| row.weight).sum();
    let judged = Judged {
        line,
        bounded,
        loss_before: loss(&all, in_force) / weight,
        loss_after: (loss(&odd, by_even) + loss(&even, by_odd)) / weight,
    };
    if judged.loss_after < judged.loss_before {
        Outcome::Better(judged)
    } else {
        Outcome::NoBetter(judged)
    }
}

/// Rows whose only feature is the log-odds; those of a relationship weigh 1 together.
fn rows<'a>(relationships: impl IntoIterator<Item = &'a Vec<Past>>) -> Vec<Row> {
    let mut rows = Vec::new();
    for pasts in relationships {
        let many = u32::try_from(pasts.len()).unwrap_or(u32::MAX);
        rows.extend(pasts.iter().map(|past| Row {
            features: vec![past.log_odds],
            outcome: past.silent,
            weight: f64::from(many).recip(),
        }));
    }
    rows
}

/// The line that fits best, within bounds, and whether they held it back.
fn fitted(rows: &[Row]) -> Option<(Line, bool)> {
    let [intercept, slope] = *fit(rows, RIDGE)?.first_chunk::<2>()?;
    let within = |(least, most): (f64, f64), x: f64| x >= least && x <= most;
    if within(SLOPES, slope) && within(INTERCEPTS, intercept) {
        return Some((Line { slope, intercept }, false));
    }
    let slope = slope.clamp(SLOPES.0, SLOPES.1);
    Some((Line { slope, intercept: intercept_of(rows, slope) }, true))
}

/// The intercept within bounds that fits best at a slope: where probabilities and outcomes come to
/// the same sum, which rises with it.
fn intercept_of(rows: &[Row], slope: f64) -> f64 {
    let too_much = |intercept: f64| {
        let line = Line { slope, intercept };
        let excess = |row: &Row| {
            let p = super::hazard::logistic(line.through(log_odds(row)));
            row.weight * (p - f64::from(u8::from(row.outcome)))
        };
        rows.iter().map(excess).sum::<f64>() > 0.0
    };
    let (mut least, mut most) = INTERCEPTS;
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(least, most);
        if too_much(middle) {
            most = middle;
        } else {
            least = middle;
        }
    }
    f64::midpoint(least, most)
}

/// The log loss of rows by a line, weighted, in nats.
fn loss(rows: &[Row], line: Line) -> f64 {
    let of_one = |row: &Row| {
        let odds = line.through(log_odds(row));
        let against = if row.outcome { -odds } else { odds };
        // ln(1 + e^x) without overflow.
        row.weight * (against.max(0.0) + (-against.abs()).exp().ln_1p())
    };
    rows.iter().map(of_one).sum()
}

fn log_odds(row: &Row) -> f64 {
    row.features.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Counts, INTERCEPTS, Line, Outcome, Past, SLOPES, calibrate};
    use crate::score::hazard::logistic;

    /// Relationships of 40 instants each, silent as often as a line through their log-odds says:
    /// the outcome goes through the quantiles of each probability in turn.
    fn made_by(line: Line, relationships: u32) -> Vec<Vec<Past>> {
        let one = |number: u32| {
            let instant = |n: u32| {
                let log_odds = f64::from(n % 8) - 3.5;
                // Steps of the golden ratio fill the unit interval evenly.
                let quantile = (f64::from(number * 40 + n) * 0.618_033_988_749_895).fract();
                Past { log_odds, silent: quantile < logistic(line.through(log_odds)) }
            };
            (0..40).map(instant).collect()
        };
        (0..relationships).map(one).collect()
    }

    fn better(relationships: &[Vec<Past>]) -> super::Judged {
        match calibrate(relationships, Line::NONE) {
            Outcome::Better(judged) => judged,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_line_that_made_the_outcomes_is_found_within_bounds() {
        for (slope, intercept) in [(0.7, -0.5), (1.5, 0.8), (1.0, 1.2), (0.6, 0.0)] {
            let made = made_by(Line { slope, intercept }, 200);
            let found = better(&made);
            assert!((found.line.slope - slope).abs() < 0.1, "{slope}: {found:?}");
            assert!((found.line.intercept - intercept).abs() < 0.1, "{intercept}: {found:?}");
            assert!(!found.bounded && found.loss_after < found.loss_before);
            let again = calibrate(&made, found.line);
            assert!(matches!(again, Outcome::NoBetter(_)), "twice: {again:?}");
        }
        for (truth, slope, intercept) in [
            (Line { slope: 5.0, intercept: 0.0 }, SLOPES.1, 0.0),
            (Line { slope: 0.1, intercept: 0.4 }, SLOPES.0, 0.4),
            (Line { slope: 1.0, intercept: 4.0 }, 1.0, INTERCEPTS.1),
            (Line { slope: 1.0, intercept: -4.0 }, 1.0, INTERCEPTS.0),
        ] {
            let found = better(&made_by(truth, 200));
            assert!(found.bounded, "{truth:?}: {found:?}");
            assert!((found.line.slope - slope).abs() < 0.15, "{truth:?}: {found:?}");
            assert!((found.line.intercept - intercept).abs() < 0.15, "{truth:?}: {found:?}");
        }
    }

    #[test]
    fn too_little_of_anything_changes_nothing() {
        let enough = Counts { instants: 200, silent: 30, relationships: 20 };
        for (counts, suffices) in [
            (enough, true),
            (Counts { instants: 199, ..enough }, false),
            (Counts { silent: 29, ..enough }, false),
            (Counts { silent: 170, ..enough }, true),
            (Counts { silent: 171, ..enough }, false),
            (Counts { relationships: 19, ..enough }, false),
        ] {
            assert_eq!(counts.suffice(), suffices, "{counts:?}");
        }
        let line = Line { slope: 0.7, intercept: -0.5 };
        assert_eq!(calibrate(&made_by(line, 19), Line::NONE), Outcome::TooFew);
        assert_eq!(calibrate(&[], Line::NONE), Outcome::TooFew);
    }

    #[test]
    fn a_line_that_one_half_teaches_and_the_other_denies_is_not_kept() {
        let one = |n: u32| {
            let silent = |k: u32| n.is_multiple_of(2) == (k > 0);
            (0..40).map(|k| Past { log_odds: 0.0, silent: silent(k) }).collect()
        };
        let relationships: Vec<Vec<Past>> = (0..40).map(one).collect();
        let outcome = calibrate(&relationships, Line::NONE);
        assert!(matches!(outcome, Outcome::NoBetter(_)), "{outcome:?}");
    }

    proptest! {
        #[test]
        fn it_stays_within_bounds_and_is_kept_only_if_it_is_better(
            relationships in prop::collection::vec(
                prop::collection::vec((-6.0f64..6.0, any::<bool>()), 1..20), 0..60),
        ) {
            let past = |(log_odds, silent)| Past { log_odds, silent };
            let relationships: Vec<Vec<Past>> =
                relationships.into_iter().map(|one| one.into_iter().map(past).collect()).collect();
            let enough = Counts::of(&relationships).suffice();
            match calibrate(&relationships, Line::NONE) {
                Outcome::TooFew => prop_assert!(!enough),
                Outcome::NoBetter(judged) => prop_assert!(judged.loss_after >= judged.loss_before),
                Outcome::Better(judged) => {
                    let Line { slope, intercept } = judged.line;
                    prop_assert!(judged.loss_after < judged.loss_before);
                    prop_assert!(slope >= SLOPES.0 && slope <= SLOPES.1, "{judged:?}");
                    prop_assert!(intercept >= INTERCEPTS.0 && intercept <= INTERCEPTS.1);
                }
            }
        }
    }
}
