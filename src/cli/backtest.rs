//! `keepwarm backtest`: how well strength foretold what happened, on the own store or on a log in
//! a file.

pub(super) mod input;
mod print;
mod scores;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::output;
use super::{Failure, Printing, open};
use crate::backtest::{
    Assessment, EVERY_DAYS, Log, Nudges, Setting, Trigger, Window, assess, play, verdict,
};
use crate::daemon;
use crate::model::Timestamp;
use crate::nudge::Policy;
use crate::pipeline::history;
use crate::score::Parameters;
use scores::Scores;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A log of interactions (CSV, maybe gzip, `-` is standard input) instead of the own store; needs
    /// no configuration and reads none
    #[arg(long, value_name = "FILE")]
    interactions: Option<PathBuf>,
    /// The first snapshot; by default after 30 % of the history, and 90 days at least
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// No snapshot after this; none lies in the last 90 days of the history
    #[arg(long, value_name = "INSTANT")]
    to: Option<Timestamp>,
    /// Days from one snapshot to the next
    #[arg(long, value_name = "N", default_value_t = EVERY_DAYS,
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    every_days: u32,
    /// Write every relationship at every snapshot, with its strength and what followed (CSV)
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Also compare the triggers of nudges
    #[arg(long)]
    nudges: bool,
    #[command(flatten)]
    printing: Printing,
}

/// What is judged, and by which rules.
struct Subject {
    log: Log,
    parameters: Parameters,
    policy: Policy,
}

/// What there is to print.
struct Outcome {
    log: Log,
    every_days: u32,
    assessment: Assessment,
    verdict: Vec<String>,
    nudges: Option<Nudges>,
}

pub(super) fn backtest(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Subject { log, parameters, policy } = subject(path, arguments)?;
    let Arguments { from, to, every_days, .. } = *arguments;
    let window = Window { from, to, every_days };
    let mut scores = arguments.scores.as_deref().map(Scores::create).transpose()?;
    let assessment = assess(&log, &window, &parameters, |history, candidate| {
        if let Some(scores) = &mut scores {
            scores.write(&log, history, candidate);
        }
    });
    if let Some(scores) = scores {
        scores.finish()?;
    }
    let verdict = verdict(&log, &assessment);
    let nudges = arguments.nudges.then(|| play(&log, &settings(&policy), &parameters, &policy));
    let outcome = Outcome { log, every_days, assessment, verdict, nudges };
    let format = arguments.printing.format;
    output::to_stdout(|out| print::print(out, format, &outcome))?;
    Ok(ExitCode::SUCCESS)
}

fn subject(path: &Path, arguments: &Arguments) -> Result<Subject, Failure> {
    if let Some(file) = &arguments.interactions {
        let log = input::read(file)?;
        let log = match arguments.printing.now {
            Some(now) => log.until(now),
            None => log,
        };
        return Ok(Subject { log, parameters: Parameters::default(), policy: Policy::default() });
    }
    let (config, db) = open(path)?;
    let rules = daemon::rules_for_reading(&db, &config)?;
    let log = history::log(&db, &rules, arguments.printing.clock().now())?;
    Ok(Subject { log, parameters: rules.parameters, policy: rules.policy })
}

/// The triggers as they are configured.
fn settings(policy: &Policy) -> Vec<Setting> {
    vec![
        Setting { trigger: Trigger::Hazard, threshold: policy.hazard_probability },
        Setting { trigger: Trigger::Drop, threshold: policy.drop_ratio },
        Setting { trigger: Trigger::Fixed, threshold: policy.fixed.days() },
    ]
}
