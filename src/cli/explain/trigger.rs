//! By what a nudge comes, and how near that is.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Relationship, Timestamp};
use crate::nudge::{Policy, Rule};
use crate::score::{deep, strength_at};
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

/// Tells the trigger with its threshold, and how near that the state is; `hazard` is the probability
/// of 30 more days of silence.
pub(super) fn print(
    out: &mut dyn Write,
    policy: &Policy,
    (state, now): (&Relationship, Timestamp),
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
            let from = 100.0 * policy.hazard_probability;
            let share = 100.0 * deep(state);
            write!(
                out,
                "a nudge is due from {from:.0} % on, or when S is {share:.0} % of its baseline"
            )?;
            if state.baseline > 0.0 {
                let s = strength_at(state, now.max(state.masses.at)).s;
                write!(out, "; now S is {:.0} % of it", 100.0 * s / state.baseline)?;
            }
            writeln!(out)
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

#[cfg(test)]
mod tests {
    use super::print;
    use crate::model::relationship::Masses;
    use crate::model::{Cadence, Relationship, Span, Timestamp};
    use crate::nudge::{Policy, Rule};
    use crate::score::strength_at;

    #[test]
    fn both_ways_by_which_the_hazard_s_nudge_comes_are_told() {
        let heard = Timestamp::from_seconds(1_577_836_800);
        let now = heard + Span::from_days(200);
        let policy = Policy { rule: Rule::Hazard, ..Policy::default() };
        for (what, written, due) in [
            ("in silence", heard, "from 60 % on, or when S is 25 % of its baseline"),
            ("into the void", heard + Span::from_days(150), "or when S is 50 % of its baseline"),
        ] {
            let mut state = Relationship {
                masses: Masses { outbound: [1.0; 4], inbound: [1.0; 4], at: written },
                last_outbound_at: Some(written),
                last_inbound_at: Some(heard),
                cadence: Cadence { contact_at: Some(heard), ..Cadence::default() },
                ..Relationship::default()
            };
            state.baseline = 5.0 * strength_at(&state, now).s;
            let mut told = Vec::new();
            print(&mut told, &policy, (&state, now), Some(0.3), None).unwrap();
            let told = String::from_utf8(told).unwrap();
            assert!(told.contains("contact: 30 %"), "{what}: {told}");
            assert!(told.contains(due) && told.contains("now S is 20 % of it"), "{what}: {told}");
        }
    }
}
