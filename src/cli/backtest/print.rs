//! Prints the outcome: tables and sentences for people, everything as JSON, one table as CSV.

mod document;
mod triggers;

use std::io::{self, Write};

use super::super::day;
use super::super::output::{self, Align, Cell, Column, Format, Look, Table};
use super::Outcome;
use crate::backtest::verdict::name;
use crate::backtest::{Answers, Figure, HORIZONS_DAYS, Population, Score};

pub(super) fn print(out: &mut dyn Write, format: Format, outcome: &Outcome) -> io::Result<()> {
    match (format, &outcome.nudges) {
        (Format::Table, _) => tell(out, outcome),
        (Format::Json, _) => {
            let document = document::document(outcome);
            output::print(out, format, Look::PLAIN, &Table::default(), &document)
        }
        (Format::Csv, Some(nudges)) => {
            output::print(out, format, Look::PLAIN, &triggers::table(nudges), &())
        }
        (Format::Csv, None) => {
            let table = long(&outcome.assessment.figures);
            output::print(out, format, Look::PLAIN, &table, &())
        }
    }
}

fn tell(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    let Outcome { log, assessment, .. } = outcome;
    let span = log.span().map_or_else(String::new, |(first, last)| {
        format!(", {} to {}", day(Some(first)), day(Some(last)))
    });
    let (interactions, reps) = (log.interactions(), log.reps());
    let relationships = log.histories.len();
    writeln!(
        out,
        "{interactions} interactions of {reps} reps in {relationships} relationships{span}."
    )?;
    if log.answers == Answers::Alternation && interactions > 0 {
        writeln!(
            out,
            "The log has no threads: a message within 30 days of the other party's last is taken \
             for an answer."
        )?;
    }
    if let [first, ..] = assessment.snapshots.as_slice() {
        let (count, last) = (assessment.snapshots.len(), assessment.snapshots.last().copied());
        let (first, last, every) = (day(Some(*first)), day(last), outcome.every_days);
        writeln!(out, "{count} snapshots from {first} to {last}, every {every} days.")?;
        for population in Population::ALL {
            tell_figures(out, &assessment.figures, population)?;
        }
        writeln!(out, "\nThe strength that was shown, and how many were active again within:")?;
        output::print(out, Format::Table, Look::of_stdout(), &calibration(outcome), &())?;
    }
    if let Some(nudges) = &outcome.nudges {
        triggers::tell(out, nudges)?;
    }
    writeln!(out)?;
    for sentence in &outcome.verdict {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

fn tell_figures(out: &mut dyn Write, all: &[Figure], population: Population) -> io::Result<()> {
    let figures: Vec<&Figure> = all.iter().filter(|f| f.population == population).collect();
    let who = match population {
        Population::All => "All relationships with an interaction in the year before",
        Population::Established => "Those in which both had written",
    };
    let rows = figures.first().map_or(0, |figure| figure.quality.rows);
    let rates: Vec<String> = HORIZONS_DAYS
        .iter()
        .filter_map(|days| figures.iter().find(|f| f.horizon_days == *days))
        .map(|f| {
            format!(
                "{} within {} days",
                percent(f.quality.positives, f.quality.rows),
                f.horizon_days
            )
        })
        .collect();
    writeln!(out, "\n{who}: {rows} rows; both wrote again {}.", rates.join(", "))?;
    output::print(out, Format::Table, Look::of_stdout(), &wide(&figures), &())
}

/// A line for each score, with AUC and average precision for each horizon.
fn wide(figures: &[&Figure]) -> Table {
    let left = |key, title| Column { key, title, align: Align::Left };
    let right = |key, title| Column { key, title, align: Align::Right };
    let mut table = Table::new(&[
        left("score", "ranked by"),
        right("auc_30", "AUC 30 d"),
        right("auc_60", "60 d"),
        right("auc_90", "90 d"),
        right("ap_30", "AP 30 d"),
        right("ap_60", "60 d"),
        right("ap_90", "90 d"),
    ]);
    for score in Score::ALL {
        let own = || figures.iter().filter(move |figure| figure.score == score);
        let mut row = vec![Cell::text(name(score))];
        row.extend(own().map(|f| Cell::number(decimals(f.quality.auc))));
        row.extend(own().map(|f| Cell::number(decimals(f.quality.ap))));
        table.push(row);
    }
    table
}

/// A line for each figure.
fn long(figures: &[Figure]) -> Table {
    let left = |key| Column { key, title: key, align: Align::Left };
    let right = |key| Column { key, title: key, align: Align::Right };
    let mut table = Table::new(&[
        left("population"),
        right("horizon_days"),
        left("score"),
        right("rows"),
        right("positives"),
        right("base_rate"),
        right("auc"),
        right("ap"),
    ]);
    for figure in figures {
        let quality = &figure.quality;
        table.push(vec![
            Cell::text(figure.population.code()),
            Cell::number(figure.horizon_days.to_string()),
            Cell::text(figure.score.code()),
            Cell::number(quality.rows.to_string()),
            Cell::number(quality.positives.to_string()),
            Cell::number(exact(quality.base_rate())),
            Cell::number(exact(quality.auc)),
            Cell::number(exact(quality.ap)),
        ]);
    }
    table
}

fn calibration(outcome: &Outcome) -> Table {
    let right = |key, title| Column { key, title, align: Align::Right };
    let mut table = Table::new(&[
        Column { key: "band", title: "strength", align: Align::Left },
        right("rows", "rows"),
        right("active_30", "30 d"),
        right("active_60", "60 d"),
        right("active_90", "90 d"),
    ]);
    for band in &outcome.assessment.calibration {
        let mut row = vec![Cell::text(band.band.code()), Cell::number(band.rows.to_string())];
        row.extend(band.active.map(|active| Cell::number(percent(active, band.rows))));
        table.push(row);
    }
    table
}

fn percent(part: u64, of: u64) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    let (part, of) = (u128::from(part), u128::from(of));
    format!("{} %", (200 * part + of) / (2 * of))
}

fn decimals(figure: Option<f64>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.4}"))
}

fn exact(figure: Option<f64>) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.6}"))
}
