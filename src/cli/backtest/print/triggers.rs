//! The comparison of triggers, printed.

use std::io::{self, Write};

use serde::Serialize;

use super::super::super::output::{self, Align, Cell, Column, Format, Look, Table};
use crate::backtest::nudges::Chosen;
use crate::backtest::{Nudges, Played};

/// As JSON.
#[derive(Serialize)]
pub(super) struct Part {
    lapses: u64,
    triggers: Vec<TriggerPart>,
}

#[derive(Serialize)]
struct TriggerPart {
    trigger: &'static str,
    /// `configured`, or the forward precision that its threshold was chosen for.
    chosen: String,
    threshold: Option<f64>,
    nudges: u64,
    judged: u64,
    forward_precision: Option<f64>,
    median_silence_days: Option<f64>,
    per_rep_week: Option<f64>,
    lapse_recall: Option<f64>,
}

pub(super) fn part(nudges: &Nudges) -> Part {
    let triggers = nudges.played.iter().map(|played| TriggerPart {
        trigger: played.trigger.code(),
        chosen: chosen(played),
        threshold: played.setting.map(|setting| setting.threshold),
        nudges: played.nudges,
        judged: played.judged,
        forward_precision: played.precision,
        median_silence_days: played.silence_days,
        per_rep_week: played.per_rep_week,
        lapse_recall: played.recall,
    });
    Part { lapses: nudges.lapses, triggers: triggers.collect() }
}

pub(super) fn tell(out: &mut dyn Write, nudges: &Nudges) -> io::Result<()> {
    writeln!(
        out,
        "\nNudges that there would have been; {} silences of 60 days and more in relationships that \
         mattered:",
        nudges.lapses
    )?;
    output::print(out, Format::Table, Look::of_stdout(), &table(nudges), &())
}

pub(super) fn table(nudges: &Nudges) -> Table {
    let left = |key, title| Column { key, title, align: Align::Left };
    let right = |key, title| Column { key, title, align: Align::Right };
    let mut table = Table::new(&[
        left("trigger", "trigger"),
        left("chosen", "chosen"),
        right("threshold", "threshold"),
        right("nudges", "nudges"),
        right("judged", "judged"),
        right("forward_precision", "precision"),
        right("median_silence_days", "silence d"),
        right("per_rep_week", "rep week"),
        right("lapse_recall", "lapses told"),
    ]);
    for played in &nudges.played {
        let threshold = played.setting.map(|setting| setting.threshold);
        table.push(vec![
            Cell::text(played.trigger.code()),
            Cell::text(chosen(played)),
            Cell::number(threshold.map_or_else(|| "-".to_owned(), |at| format!("{at}"))),
            Cell::number(played.nudges.to_string()),
            Cell::number(played.judged.to_string()),
            number(played.precision, 3),
            number(played.silence_days, 1),
            number(played.per_rep_week, 3),
            number(played.recall, 3),
        ]);
    }
    table
}

fn chosen(played: &Played) -> String {
    match played.chosen {
        Chosen::Configured => "configured".to_owned(),
        Chosen::AtPrecision(precision) => format!("precision_{precision}"),
    }
}

fn number(figure: Option<f64>, decimals: usize) -> Cell {
    Cell::number(figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.decimals$}")))
}
