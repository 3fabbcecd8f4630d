//! Logistic regression: how the coefficients of the hazard are found.
//!
//! Newton's method (iteratively reweighted least squares) on standardised features with a small
//! ridge, which keeps it solvable whatever the rows are and is too small to matter else.

use super::hazard::logistic;

/// Rounds after which it has converged or never will.
const ROUNDS: usize = 50;
/// A step of every coefficient below this ends it.
const SMALL: f64 = 1e-10;
/// Below this a feature is the same in all rows, and a pivot is none.
const NOTHING: f64 = 1e-12;

/// One observation.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// As many in every row.
    pub features: Vec<f64>,
    /// What happened.
    pub outcome: bool,
    /// How much the row counts.
    pub weight: f64,
}

/// The constant and the coefficient of each feature; `None` if there is nothing to learn from.
/// `ridge` is per unit of weight and of a standardised coefficient's square.
#[must_use]
pub fn fit(rows: &[Row], ridge: f64) -> Option<Vec<f64>> {
    let total: f64 = rows.iter().map(|row| row.weight).sum();
    let width = rows.first()?.features.len();
    let both = rows.iter().any(|row| row.outcome) && rows.iter().any(|row| !row.outcome);
    if !both || total <= 0.0 {
        return None;
    }
    let scales = scales(rows, width, total);
    let mut coefficients = vec![0.0; width + 1];
    let mut standard = vec![0.0; width + 1];
    for _ in 0..ROUNDS {
        let mut system = vec![vec![0.0; width + 2]; width + 1];
        for row in rows {
            standardise(row, &scales, &mut standard);
            add(&mut system, &standard, row, &coefficients);
        }
        for (place, (equation, coefficient)) in system.iter_mut().zip(&coefficients).enumerate() {
            let penalty = if place == 0 { NOTHING } else { ridge * total };
            if let Some(diagonal) = equation.get_mut(place) {
                *diagonal += penalty;
            }
            if let Some(gradient) = equation.last_mut() {
                *gradient -= penalty * coefficient;
            }
        }
        let step = solve(&system)?;
        coefficients.iter_mut().zip(&step).for_each(|(coefficient, step)| *coefficient += step);
        if step.iter().all(|step| step.abs() < SMALL) {
            break;
        }
    }
    Some(unscaled(&coefficients, &scales))
}

/// Adds a row's part to the equations of a Newton step: a row of the Hessian each, and last the
/// gradient.
fn add(system: &mut [Vec<f64>], standard: &[f64], row: &Row, coefficients: &[f64]) {
    let odds: f64 = coefficients.iter().zip(standard).map(|(c, x)| c * x).sum();
    let p = logistic(odds);
    let curvature = row.weight * p * (1.0 - p);
    let off = row.weight * (f64::from(u8::from(row.outcome)) - p);
    for (equation, x) in system.iter_mut().zip(standard) {
        let Some((gradient, hessian)) = equation.split_last_mut() else { continue };
        *gradient += off * x;
        let curvature = curvature * x;
        hessian.iter_mut().zip(standard).for_each(|(entry, other)| *entry += curvature * other);
    }
}

/// Mean and standard deviation of every feature.
fn scales(rows: &[Row], width: usize, total: f64) -> Vec<(f64, f64)> {
    let mean = |place: usize, of: &dyn Fn(f64) -> f64| {
        let value = |row: &Row| row.features.get(place).copied().unwrap_or(0.0);
        rows.iter().map(|row| row.weight * of(value(row))).sum::<f64>() / total
    };
    let scale = |place| {
        let center = mean(place, &|x| x);
        let spread = mean(place, &|x| (x - center).powi(2)).sqrt();
        (center, if spread < NOTHING { 1.0 } else { spread })
    };
    (0..width).map(scale).collect()
}

fn standardise(row: &Row, scales: &[(f64, f64)], standard: &mut [f64]) {
    let Some((constant, rest)) = standard.split_first_mut() else { return };
    *constant = 1.0;
    for ((place, x), (center, spread)) in rest.iter_mut().zip(&row.features).zip(scales) {
        *place = (x - center) / spread;
    }
}

/// Coefficients of the features as they are.
fn unscaled(coefficients: &[f64], scales: &[(f64, f64)]) -> Vec<f64> {
    let Some((constant, rest)) = coefficients.split_first() else { return Vec::new() };
    let rest: Vec<f64> = rest.iter().zip(scales).map(|(c, (_, spread))| c / spread).collect();
    let moved: f64 = rest.iter().zip(scales).map(|(c, (center, _))| c * center).sum();
    std::iter::once(constant - moved).chain(rest).collect()
}

/// Solves equations that each end with their right side, by Gaussian elimination; positive definite
/// ones need no pivoting.
fn solve(system: &[Vec<f64>]) -> Option<Vec<f64>> {
    let Some((pivot, others)) = system.split_first() else { return Some(Vec::new()) };
    let (lead, tail) = pivot.split_first()?;
    if lead.abs() < NOTHING * NOTHING {
        return None;
    }
    let without = |row: &Vec<f64>| -> Option<Vec<f64>> {
        let (first, rest) = row.split_first()?;
        let factor = first / lead;
        Some(rest.iter().zip(tail).map(|(x, y)| x - factor * y).collect())
    };
    let rest = solve(&others.iter().map(without).collect::<Option<Vec<_>>>()?)?;
    let (right, coefficients) = tail.split_last()?;
    let known: f64 = coefficients.iter().zip(&rest).map(|(a, x)| a * x).sum();
    Some(std::iter::once((right - known) / lead).chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::{Row, fit, logistic};

    /// Rows on a grid, each as often silent as the true function says.
    fn grid(truth: [f64; 3]) -> Vec<Row> {
        let mut rows = Vec::new();
        for x in -10..=10 {
            for y in -10..=10 {
                let features = vec![f64::from(x) / 5.0, 100.0 + f64::from(y)];
                let p = logistic(truth[0] + truth[1] * features[0] + truth[2] * features[1]);
                rows.push(Row { features: features.clone(), outcome: true, weight: p });
                rows.push(Row { features, outcome: false, weight: 1.0 - p });
            }
        }
        rows
    }

    #[test]
    fn what_made_the_rows_is_found_again() {
        let truth = [-20.5, 1.5, 0.2];
        let found = fit(&grid(truth), 0.0).unwrap();
        for (found, truth) in found.iter().zip(truth) {
            assert!((found - truth).abs() < 1e-6, "{found}, not {truth}");
        }
        let shrunk = fit(&grid(truth), 0.1).unwrap();
        assert!(shrunk[1] < found[1] && shrunk[1] > 0.0, "{shrunk:?}");
    }

    #[test]
    fn nothing_is_learned_from_one_outcome_alone() {
        let rows: Vec<Row> = grid([0.0, 1.0, 0.0]).into_iter().filter(|row| row.outcome).collect();
        assert_eq!(fit(&rows, 0.001), None);
        assert_eq!(fit(&[], 0.001), None);
    }

    #[test]
    fn a_feature_that_never_changes_gets_no_weight() {
        let mut rows = grid([-20.5, 1.5, 0.2]);
        rows.iter_mut().for_each(|row| row.features.push(7.0));
        let found = fit(&rows, 0.001).unwrap();
        assert!(found[3].abs() < 1e-6 && (found[1] - 1.5).abs() < 0.05, "{found:?}");
    }
}
