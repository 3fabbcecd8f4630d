//! By what a nudge comes, and how near that is.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::Timestamp;
use crate::nudge::{Policy, Rule};
use crate::store::calibration::Stored;

/// The line through the log-odds by which the own history has put the hazard right.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Calibration {
    at: Timestamp,
    instants: u32,
    slope: f64,
    intercept: f64,
}

impl From<Stored> for Calibration {
    fn from(stored: Stored) -> Self {
        let Stored { at, instants, slope, intercept, .. } = stored;
        Self { at, instants, slope, intercept }
    }
}

/// Tells the trigger with its threshold; `hazard` is the probability of 30 more days of silence.
pub(super) fn print(
    out: &mut dyn Write,
    policy: &Policy,
    hazard: Option<f64>,
    calibration: Option<Calibration>,
) -> io::Result<()> {
    let p = hazard.map_or_else(|| "not known".to_owned(), |p| format!("{:.0} %", 100.0 * p));
    writeln!(out, "\nprobability of 30 more days without contact: {p}")?;
    if let Some(Calibration { at, instants, slope, intercept }) = calibration {
        let day = super::super::day(Some(at));
        writeln!(
            out,
            "calibrated on {day} to {instants} instants of the own history: {slope:.3} times the \
             log-odds, {intercept:+.3}"
        )?;
    }
    match policy.rule {
        Rule::Hazard => {
            writeln!(out, "a nudge is due from {:.0} % on", 100.0 * policy.hazard_probability)
        }
        Rule::Drop => {
            let share = 100.0 * policy.drop_ratio;
            writeln!(out, "a nudge is due when S is {share:.0} % of its baseline")
        }
        Rule::Fixed => {
            writeln!(out, "a nudge is due after {} days without contact", policy.fixed.days())
        }
    }
}
