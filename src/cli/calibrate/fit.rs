//! `keepwarm calibrate --fit FILE…`: fits the hazard to logs of interactions, and tells how well
//! coefficients fitted to all logs but one foretell that one.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::super::backtest::input;
use super::super::output::{self, Align, Cell, Column, Format, Look, Table};
use super::super::{Failure, Printing};
use crate::backtest::nudges::{Chosen, EQUAL_PRECISIONS};
use crate::backtest::{Fitted, Log, Played, Setting, Trigger, fit_logs, play};
use crate::nudge::Policy;
use crate::score::Parameters;
use crate::score::hazard::{Coefficients, FEATURES};

/// What was fitted, and how it does.
#[derive(Serialize)]
struct Report {
    constant: f64,
    weights: [f64; FEATURES],
    rows: usize,
    held_out: Vec<HeldOut>,
}

/// A trigger on a log that its coefficients have not seen.
#[derive(Serialize)]
struct HeldOut {
    log: String,
    trigger: &'static str,
    precision: f64,
    threshold: Option<f64>,
    nudges: u64,
    forward_precision: Option<f64>,
    median_silence_days: Option<f64>,
    lapse_recall: Option<f64>,
}

pub(super) fn fit(files: &[PathBuf], printing: &Printing) -> Result<ExitCode, Failure> {
    let mut logs = Vec::new();
    for file in files {
        let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let log = input::read(file)?;
        let log = match printing.now {
            Some(now) => log.until(now),
            None => log,
        };
        logs.push((name, log));
    }
    let all: Vec<&Log> = logs.iter().map(|(_, log)| log).collect();
    let fitted = fitted(&all)?;
    let mut held_out = Vec::new();
    for (at, (name, log)) in logs.iter().enumerate() {
        let others: Vec<&Log> =
            all.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, log)| *log).collect();
        if !others.is_empty() {
            held_out.extend(judge(name, log, self::fitted(&others)?.coefficients));
        }
    }
    let Coefficients { constant, weights } = fitted.coefficients;
    let report = Report { constant, weights, rows: fitted.rows, held_out };
    output::to_stdout(|out| print(out, printing.format, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn fitted(logs: &[&Log]) -> Result<Fitted, Failure> {
    let fitted = fit_logs(logs, &Parameters::default(), &Policy::default());
    fitted.ok_or_else(|| {
        Failure::Runtime(anyhow::anyhow!(
            "the logs hold too few relationships to learn from\n\
             hint: a log must span months, with contacts that stayed and contacts that went silent"
        ))
    })
}

/// What the hazard with these coefficients, and the drop, come to at equal precision.
fn judge(name: &str, log: &Log, hazard: Coefficients) -> Vec<HeldOut> {
    let policy = Policy { hazard, ..Policy::default() };
    let configured = [Setting { trigger: Trigger::Hazard, threshold: policy.hazard_probability }];
    let played = play(log, &configured, &Parameters::default(), &policy).played;
    let shown = |played: &Played| match played.chosen {
        Chosen::AtPrecision(precision) if played.trigger != Trigger::Fixed => Some(HeldOut {
            log: name.to_owned(),
            trigger: played.trigger.code(),
            precision,
            threshold: played.setting.map(|setting| setting.threshold),
            nudges: played.nudges,
            forward_precision: played.precision,
            median_silence_days: played.silence_days,
            lapse_recall: played.recall,
        }),
        _ => None,
    };
    played.iter().filter_map(shown).collect()
}

fn print(out: &mut dyn Write, format: Format, report: &Report) -> std::io::Result<()> {
    if format == Format::Table {
        writeln!(out, "fitted to {} rows:", report.rows)?;
        writeln!(out, "constant {:.4}, weights {:.4?}", report.constant, report.weights)?;
        let [first, second] = EQUAL_PRECISIONS;
        writeln!(
            out,
            "\nat forward precisions {first} and {second}, with coefficients fitted to the other \
             logs:"
        )?;
    }
    output::print(out, format, Look::of_stdout(), &table(&report.held_out), report)
}

fn table(held_out: &[HeldOut]) -> Table {
    let left = |key, title| Column { key, title, align: Align::Left };
    let right = |key, title| Column { key, title, align: Align::Right };
    let mut table = Table::new(&[
        left("log", "log"),
        left("trigger", "trigger"),
        right("precision", "at least"),
        right("threshold", "threshold"),
        right("nudges", "nudges"),
        right("forward_precision", "precision"),
        right("median_silence_days", "silence d"),
        right("lapse_recall", "lapses told"),
    ]);
    let number = |figure: Option<f64>, decimals: usize| {
        Cell::number(figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.decimals$}")))
    };
    for one in held_out {
        table.push(vec![
            Cell::text(&one.log),
            Cell::text(one.trigger),
            Cell::number(one.precision.to_string()),
            number(one.threshold, 2),
            Cell::number(one.nudges.to_string()),
            number(one.forward_precision, 3),
            number(one.median_silence_days, 1),
            number(one.lapse_recall, 3),
        ]);
    }
    table
}
