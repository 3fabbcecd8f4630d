//! By what a nudge comes, and how near that is.

use std::io::{self, Write};

use crate::nudge::{Policy, Rule};

/// Tells the trigger with its threshold; `hazard` is the probability of 30 more days of silence.
pub(super) fn print(out: &mut dyn Write, policy: &Policy, hazard: Option<f64>) -> io::Result<()> {
    let p = hazard.map_or_else(|| "not known".to_owned(), |p| format!("{:.0} %", 100.0 * p));
    writeln!(out, "\nprobability of 30 more days without contact: {p}")?;
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
