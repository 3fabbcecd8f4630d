//! Fitting the hazard to logs of interactions.
//!
//! Learned from: every relationship of at least two active days, once a week during the first three
//! weeks after a contact, which is when it shows who is going to stay away; all relationships count
//! the same, and so do all logs. A constant for each log takes up what is common to it. What the
//! probabilities of the relationships that are nudged about come to is then put right by a straight
//! line through their log-odds, at silences of one week to three months.

use std::collections::BTreeMap;

use super::log::{History, Log};
use super::metric::real;
use crate::model::{Relationship, Span, Timestamp};
use crate::nudge::{Policy, established};
use crate::score::Parameters;
use crate::score::calibration::Past;
use crate::score::fold::walk;
use crate::score::hazard::{AHEAD_DAYS, Coefficients, FEATURES, features};
use crate::score::logistic::{Row, fit};

/// From one row of a relationship to the next.
const EVERY: Span = Span::from_days(7);
/// Silences to learn from are at most so long.
const LEARNED: Span = Span::from_days(21);
/// Relationships to learn from have at least so many active days.
const ACTIVE_DAYS: u32 = 2;
/// Silences by which the probabilities are put right.
const JUDGED: (Span, Span) = (Span::from_days(7), Span::from_days(90));
/// Keeps the fit solvable.
const RIDGE: f64 = 0.001;

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The coefficients.
    pub coefficients: Coefficients,
    /// From how many rows.
    pub rows: usize,
}

/// A relationship at one instant of its past, and whether no contact followed for 30 days.
struct Instant {
    features: [f64; FEATURES],
    silent: bool,
}

/// Fits coefficients to logs; `None` if they hold too little of either outcome.
#[must_use]
pub fn fit_logs(logs: &[&Log], parameters: &Parameters, policy: &Policy) -> Option<Fitted> {
    let learns = |state: &Relationship, silence: Span| {
        state.counts.active_days >= ACTIVE_DAYS && silence <= LEARNED
    };
    let rows = rows(logs, parameters, &learns);
    let fitted = fit(&rows, RIDGE)?;
    let shape = coefficients(&fitted, logs.len())?;
    let judges = |state: &Relationship, silence: Span| judges(state, silence, policy);
    let judged = self::rows(logs, parameters, &judges);
    let line: Vec<Row> = judged.iter().filter_map(|row| by_log_odds(row, &shape)).collect();
    let [intercept, slope] = *fit(&line, RIDGE)?.first_chunk::<2>()?;
    Some(Fitted { coefficients: shape.through(slope, intercept), rows: rows.len() })
}

/// What the hazard with `coefficients` said of every relationship of a log, once a week while it might
/// have been nudged about, and what came of it; instants whose 30 days have not passed at `now` are
/// left out, and so are relationships without any.
#[must_use]
pub fn pasts(
    log: &Log,
    coefficients: &Coefficients,
    parameters: &Parameters,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Vec<Past>> {
    let Some((start, _)) = log.span() else { return Vec::new() };
    let judges = |state: &Relationship, silence: Span| judges(state, silence, policy);
    let past = |instant: Instant| Past {
        log_odds: coefficients.log_odds(&instant.features),
        silent: instant.silent,
    };
    let of_one = |history: &History| -> Vec<Past> {
        let instants = instants(history, (start, now), parameters, &judges);
        instants.into_iter().map(past).collect()
    };
    log.histories.iter().map(of_one).filter(|pasts| !pasts.is_empty()).collect()
}

/// Whether a relationship in such a silence is one by which probabilities are put right.
fn judges(state: &Relationship, silence: Span, policy: &Policy) -> bool {
    established(state, policy) && silence >= JUDGED.0 && silence <= JUDGED.1
}

/// A row whose only feature is its log-odds.
fn by_log_odds(row: &Row, shape: &Coefficients) -> Option<Row> {
    let features = row.features.first_chunk::<FEATURES>()?;
    Some(Row { features: vec![shape.log_odds(features)], ..row.clone() })
}

/// The coefficients of the features; of the constants of the logs the mean.
fn coefficients(fitted: &[f64], logs: usize) -> Option<Coefficients> {
    let (constant, rest) = fitted.split_first()?;
    let (weights, constants) = rest.split_first_chunk::<FEATURES>()?;
    let mean = constants.iter().sum::<f64>() / real_of(logs);
    Some(Coefficients { constant: constant + mean, weights: *weights })
}

/// The rows of logs, with a column more for each log but the first that tells it from the others.
fn rows(
    logs: &[&Log],
    parameters: &Parameters,
    wanted: &dyn Fn(&Relationship, Span) -> bool,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        let Some((start, end)) = log.span() else { continue };
        let of_log: Vec<Vec<Instant>> = log
            .histories
            .iter()
            .map(|history| instants(history, (start, end), parameters, wanted))
            .filter(|instants| !instants.is_empty())
            .collect();
        let share = 1.0 / real_of(of_log.len());
        for of_one in of_log {
            let weight = share / real_of(of_one.len());
            rows.extend(of_one.into_iter().map(|instant| {
                let told_apart = (1..logs.len()).map(|n| f64::from(u8::from(n == number)));
                let features = instant.features.into_iter().chain(told_apart).collect();
                Row { features, outcome: instant.silent, weight }
            }));
        }
    }
    rows
}

/// The weekly instants of one history at which there was contact lately and `wanted` holds, as far
/// as it is known what followed.
fn instants(
    history: &History,
    (start, end): (Timestamp, Timestamp),
    parameters: &Parameters,
    wanted: &dyn Fn(&Relationship, Span) -> bool,
) -> Vec<Instant> {
    let mut states: Vec<Relationship> = Vec::new();
    walk(&history.interactions, history.zone, parameters, end, |state| states.push(*state));
    let mut found: BTreeMap<Timestamp, ([f64; FEATURES], Timestamp)> = BTreeMap::new();
    let mut next_contact = Timestamp::from_millis(i64::MAX);
    let mut until = end - Span::from_days(AHEAD_DAYS);
    for state in states.iter().rev() {
        let from = state.masses.at;
        let contact_at = state.cadence.contact_at.unwrap_or(from);
        let late = (start - from).millis().rem_euclid(EVERY.millis());
        let mut at = from + Span::from_millis(late);
        while at < until {
            if !wanted(state, at - contact_at) && at - contact_at > JUDGED.1 {
                break;
            }
            if wanted(state, at - contact_at)
                && let Some(features) = features(state, at)
            {
                found.insert(at, (features, next_contact));
            }
            at = at + EVERY;
        }
        if contact_at == from {
            next_contact = from;
        }
        until = until.min(from);
    }
    let ahead = Span::from_days(AHEAD_DAYS);
    found
        .into_iter()
        .map(|(at, (features, next))| Instant { features, silent: next - at > ahead })
        .collect()
}

fn real_of(count: usize) -> f64 {
    real(u64::try_from(count).unwrap_or(u64::MAX))
}
