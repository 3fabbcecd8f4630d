//! What a relationship has been like lately, as people read it: a row for each number, a column for
//! each window.

use std::io::{self, Write};

use crate::cli::output::{self, Align, Cell, Column, Format, Look, Table};
use crate::pipeline::view::Shown;
use crate::score::engagement::{Answers, Engagement, Hours, Window};

/// Prints what the relationship has been like lately, and where it is going.
pub(super) fn print(out: &mut dyn Write, shown: &Shown, look: Look) -> io::Result<()> {
    let Some(engagement) = &shown.engagement else { return Ok(()) };
    writeln!(out)?;
    let table = table(engagement, &shown.rep, &output::clean(&shown.contact));
    output::print(out, Format::Table, look, &table, &())?;
    if let Some(cadence) = engagement.cadence {
        writeln!(out, "usually every {:.1} days", cadence.usual_gap_days)?;
    }
    let trend = engagement.trend;
    let share = trend.ratio.map_or(String::new(), |ratio| format!(", {:.0} %", 100.0 * ratio));
    writeln!(out, "S is {:.4}, and was {:.4} thirty days ago{share}", trend.s, trend.s_30_days_ago)
}

/// The table; `rep` and `contact` are how the two are called.
fn table(engagement: &Engagement, rep: &str, contact: &str) -> Table {
    let column = |key, title, align| Column { key, title, align };
    let mut table = Table::new(&[
        column("engagement", "engagement", Align::Left),
        column("days_30", "30 days", Align::Right),
        column("days_90", "90 days", Align::Right),
        column("days_365", "365 days", Align::Right),
    ]);
    let windows = [&engagement.days_30, &engagement.days_90, &engagement.days_365];
    let mut row = |title: &str, tell: &dyn Fn(&Window) -> String| {
        let cells = windows.map(|window| Cell::number(tell(window)));
        table.push(std::iter::once(Cell::text(title)).chain(cells).collect());
    };
    row("messages sent, received", &|w| format!("{}, {}", w.outbound, w.inbound));
    row("days with contact", &|w| w.active_days.to_string());
    row("meetings held, called off, declined", &|w| {
        format!("{}, {}, {}", w.meetings.held, w.meetings.cancelled, w.meetings.declined)
    });
    row(&format!("threads begun by {contact}"), &|w| {
        share(w.threads_opened_by_contact, w.threads_opened)
    });
    for (who, answers) in [
        (rep, (|w| &w.answers_of_rep) as fn(&Window) -> &Answers),
        (contact, |w| &w.answers_of_contact),
    ] {
        row(&format!("{who} answers within a week"), &|w| {
            share(answers(w).answered, answers(w).asked)
        });
        row("  after hours, half and nine of ten", &|w| hours(answers(w).response_hours));
        row("  of which working hours", &|w| hours(answers(w).response_working_hours));
    }
    table
}

fn share(part: u32, of: u32) -> String {
    if of == 0 { "-".to_owned() } else { format!("{part} of {of}") }
}

fn hours(hours: Option<Hours>) -> String {
    hours.map_or("-".to_owned(), |hours| format!("{:.1}, {:.1}", hours.median, hours.p90))
}
