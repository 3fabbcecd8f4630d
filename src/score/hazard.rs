//! The hazard: how likely it is that a silence goes on for 30 more days.
//!
//! ```text
//! logit p = c0 + c1 ln d + c2 mu + c3 z + c4 ln(S+.001) + c5 [ln(S+.001) - ln(P+.001)]
//!              + c6 ln(1+n) + c7 ln(1+a) + c8 s        s = √(s²+.3),  z = (ln d - mu) / s
//! ```
//!
//! d is the silence in days since the last contact (at least half a day), mu and s² the mean and the
//! variance of the logarithms of the gaps between exchanges, n how many exchanges there have been, a
//! the days from the first interaction to the last contact, S the strength's sum now and P its
//! baseline. What is contact, `score::cadence` says. In silence only d and S move, and both raise p.

use crate::model::{Relationship, Timestamp};

use super::strength::strength_at;

/// How many features there are besides the constant.
pub const FEATURES: usize = 8;
/// How far ahead the hazard looks, in days.
pub const AHEAD_DAYS: i64 = 30;
/// Keeps logarithms of S finite.
const S_FLOOR: f64 = 0.001;
/// A variance of ln gap that is taken for granted: a few gaps tell little.
const VARIANCE_PRIOR: f64 = 0.3;
/// Shorter silences are all alike, in days.
const LEAST_SILENCE: f64 = 0.5;

/// The coefficients of the logistic function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients {
    /// c0.
    pub constant: f64,
    /// c1 to c8, in the order of [`features`].
    pub weights: [f64; FEATURES],
}

/// What is used: fitted on 2026-11-27 to 143,904 rows of three public logs (a European research
/// institute, Enron, a development list: README.md, "Does it predict?") by `keepwarm calibrate --fit
/// eu.csv.gz jhu.csv.gz mips.csv.gz`, which computes them again.
pub const SHIPPED: Coefficients = Coefficients {
    constant: 0.7380,
    weights: [0.3333, 0.0708, 0.0013, -0.1389, -0.3129, -0.7633, -0.0165, 0.0767],
};

impl Coefficients {
    /// The same, with the log-odds put through a straight line.
    #[must_use]
    pub fn through(self, slope: f64, intercept: f64) -> Self {
        Self {
            constant: slope * self.constant + intercept,
            weights: self.weights.map(|weight| slope * weight),
        }
    }

    /// The log-odds of features.
    #[must_use]
    pub fn log_odds(&self, features: &[f64; FEATURES]) -> f64 {
        self.constant + self.weights.iter().zip(features).map(|(w, x)| w * x).sum::<f64>()
    }

    /// Whether p rises with every day of silence, as whoever looks for a crossing must know: with d
    /// directly and through z, whatever the cadence, and with S, which falls.
    #[must_use]
    pub fn rises_in_silence(&self) -> bool {
        let [silence, _, unusual, s, share, ..] = self.weights;
        // z divides by at least √.3, and s has no upper end: the two ends of what z adds.
        silence >= 0.0 && silence + unusual / VARIANCE_PRIOR.sqrt() >= 0.0 && s + share <= 0.0
    }
}

/// The features at `at`, which is not before the last interaction folded in; `None` if there was
/// never any contact.
#[must_use]
pub fn features(state: &Relationship, at: Timestamp) -> Option<[f64; FEATURES]> {
    let cadence = &state.cadence;
    let contact_at = cadence.contact_at?;
    let ln_silence = at.days_since(contact_at).max(LEAST_SILENCE).ln();
    let dispersion = (cadence.variance_ln_gap + VARIANCE_PRIOR).sqrt();
    let ln_s = (strength_at(state, at).s + S_FLOOR).ln();
    let age = contact_at.days_since(state.first_at.unwrap_or(contact_at)).max(0.0);
    Some([
        ln_silence,
        cadence.mean_ln_gap,
        (ln_silence - cadence.mean_ln_gap) / dispersion,
        ln_s,
        ln_s - (state.baseline + S_FLOOR).ln(),
        f64::from(cadence.exchanges).ln_1p(),
        age.ln_1p(),
        dispersion,
    ])
}

/// The probability, from 0 to 1, that there is no contact within 30 days after `at`; `None` if
/// there was never any.
#[must_use]
pub fn probability(
    state: &Relationship,
    coefficients: &Coefficients,
    at: Timestamp,
) -> Option<f64> {
    features(state, at).map(|features| logistic(coefficients.log_odds(&features)))
}

/// Log-odds as a probability.
#[must_use]
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::{Coefficients, SHIPPED, features, probability};
    use crate::model::relationship::Masses;
    use crate::model::{Cadence, Relationship, Span, Timestamp};

    const LAST: Timestamp = Timestamp::from_seconds(1_577_836_800);

    /// Ten exchanges, one a week, the last of them just now.
    fn weekly() -> Relationship {
        Relationship {
            masses: Masses { outbound: [1.0; 4], inbound: [1.0; 4], at: LAST },
            baseline: 2.0,
            first_at: Some(LAST - Span::from_days(63)),
            last_inbound_at: Some(LAST),
            cadence: Cadence {
                contact_at: Some(LAST),
                exchanges: 10,
                mean_ln_gap: 7.0_f64.ln(),
                variance_ln_gap: 0.06,
                ..Cadence::default()
            },
            ..Relationship::default()
        }
    }

    #[test]
    fn the_features_are_those_of_the_formula() {
        let at = LAST + Span::from_days(14);
        let s = crate::score::strength_at(&weekly(), at).s;
        let expected = [
            14.0_f64.ln(),
            7.0_f64.ln(),
            2.0_f64.ln() / 0.6,
            (s + 0.001).ln(),
            ((s + 0.001) / 2.001).ln(),
            11.0_f64.ln(),
            64.0_f64.ln(),
            0.6,
        ];
        let found = features(&weekly(), at).unwrap();
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
        assert_eq!(features(&Relationship::default(), at), None, "never any contact");
    }

    #[test]
    fn what_is_shipped_rises_in_silence_and_falls_with_every_exchange() {
        assert!(SHIPPED.rises_in_silence());
        let p = |days: i64| probability(&weekly(), &SHIPPED, LAST + Span::from_days(days)).unwrap();
        let all: Vec<f64> = (0..400).map(p).collect();
        assert!(all.windows(2).all(|pair| pair[0] <= pair[1]), "{all:?}");
        let more = Cadence { exchanges: 40, ..weekly().cadence };
        let known = Relationship { cadence: more, ..weekly() };
        assert!(probability(&known, &SHIPPED, LAST).unwrap() < p(0));
    }

    #[test]
    fn coefficients_with_which_it_may_fall_are_told() {
        let with = |place: usize, weight: f64| {
            let mut weights = SHIPPED.weights;
            weights[place] = weight;
            Coefficients { weights, ..SHIPPED }.rises_in_silence()
        };
        assert!(!with(0, -0.1) && !with(2, -5.0) && !with(3, 5.0));
        assert!(with(1, -5.0) && with(5, 5.0) && with(6, -5.0) && with(7, -5.0));
    }

    #[test]
    fn a_straight_line_through_the_log_odds_keeps_their_order() {
        let (x, y) = ([1.0; 8], [0.5; 8]);
        let through = SHIPPED.through(2.0, -1.0);
        for one in [x, y] {
            let expected = 2.0 * SHIPPED.log_odds(&one) - 1.0;
            assert!((through.log_odds(&one) - expected).abs() < 1e-12);
        }
    }
}
