//! How nudging stands, in words: what holds it up comes first, with what to do.

use std::io::{self, Write};

use crate::model::Timestamp;
use crate::pipeline::nudge::view::Standing;

pub(super) fn print(out: &mut dyn Write, standing: &Standing, now: Timestamp) -> io::Result<()> {
    if let Some(until) = standing.observing_until {
        writeln!(
            out,
            "nudges are made and not sent until {until}: look at them with `keepwarm nudges`, send \
             them with `keepwarm nudges enable`"
        )?;
    }
    if let Some(clock) = standing.clock {
        writeln!(
            out,
            "no nudges: the clock has jumped by {} days at {}; they go on when mail of these days \
             comes, or with `keepwarm nudges resume`",
            clock.jumped_by_days, clock.jumped_at
        )?;
    }
    for held in &standing.held {
        let rep = &held.rep;
        match held.allowed_until.filter(|until| *until > now) {
            Some(until) => writeln!(out, "nudges to {rep} are let go until {until}")?,
            None => writeln!(
                out,
                "no nudges to {rep} since {}: {} of {} relationships that mattered decay at once, so \
                 mail may be missing; if none is, `keepwarm nudges resume {rep}`",
                held.held_at, held.decaying, held.established
            )?,
        }
    }
    for unread in &standing.unread {
        let rep = &unread.rep;
        let since = unread.read_at.map(|at| format!(" since {at}")).unwrap_or_default();
        match unread.reason {
            "backfilling" => {
                writeln!(
                    out,
                    "no nudges to {rep}: a mailbox is being read for the first time or anew"
                )?;
            }
            _ => writeln!(out, "no nudges to {rep}: a source has not been read through{since}")?,
        }
    }
    if let Some(at) = standing.next_release_at {
        let (count, s) = (standing.waiting, if standing.waiting == 1 { "s" } else { "" });
        writeln!(out, "{count} wait{s} to be sent, not before {at}")?;
    }
    Ok(())
}
