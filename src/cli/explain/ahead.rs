//! What would change a strength, and what it will be if nothing happens.

use std::io::Write;

use serde::Serialize;

use crate::model::Timestamp;
use crate::score::Strength;
use crate::score::outlook::{AHEAD_DAYS, Outlook};

/// A strength as it would be.
#[derive(Clone, Copy, Debug, Serialize)]
struct Would {
    strength: f64,
    s: f64,
}

/// What is ahead, shown.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Ahead {
    /// After one exchange today.
    after_exchange: Would,
    /// After a one-to-one meeting that both accepted, held today.
    after_meeting: Would,
    /// After one more message from the rep today that nobody answers.
    after_unanswered: Would,
    /// If nothing happens.
    in_30_days: Would,
    in_60_days: Would,
    in_90_days: Would,
    /// When it falls below the nudge's threshold if nothing happens; it may have already.
    falls_at: Option<Timestamp>,
}

impl Ahead {
    pub(super) fn new(outlook: &Outlook, falls_at: Option<Timestamp>) -> Self {
        let would = |of: Strength| Would { strength: of.score, s: of.s };
        let [in_30_days, in_60_days, in_90_days] = outlook.silence.map(would);
        Self {
            after_exchange: would(outlook.exchange),
            after_meeting: would(outlook.meeting),
            after_unanswered: would(outlook.unanswered),
            in_30_days,
            in_60_days,
            in_90_days,
            falls_at,
        }
    }

    /// Writes it for people.
    pub(super) fn print(&self, out: &mut dyn Write, now: Timestamp) -> std::io::Result<()> {
        writeln!(out, "\nwhat would change it, from today:")?;
        for (would, what) in [
            (self.after_exchange, "after one exchange"),
            (self.after_meeting, "after a one-to-one meeting"),
            (self.after_unanswered, "after one more message without an answer"),
        ] {
            writeln!(out, "{:8.1}  {what}", would.strength)?;
        }
        let silent = [self.in_30_days, self.in_60_days, self.in_90_days];
        for (would, days) in silent.into_iter().zip(AHEAD_DAYS) {
            writeln!(out, "{:8.1}  after {days} days of silence", would.strength)?;
        }
        match self.falls_at {
            Some(at) if at <= now => writeln!(out, "fell below the nudge's threshold at {at}"),
            Some(at) => {
                writeln!(out, "falls below the nudge's threshold at {at} if nothing happens")
            }
            None => Ok(()),
        }
    }
}
