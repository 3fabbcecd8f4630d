//! `keepwarm check`: everything that is wrong with the configuration, in one go.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, load};
use crate::config::{self, Severity};

#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn check(path: &Path, _: &Arguments) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let problems = config::check(&config);
    let mut err = std::io::stderr();
    for problem in &problems {
        write!(err, "{problem}")?;
    }
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Ok(ExitCode::from(2));
    }
    let (reps, sources, endpoints) =
        (config.reps.len(), config.sources.len(), config.endpoints.len());
    let files: Vec<String> = config.files.iter().map(|f| f.display().to_string()).collect();
    writeln!(
        std::io::stdout(),
        "ok: {} ({reps} reps, {sources} sources, {endpoints} endpoints)",
        files.join(", ")
    )?;
    Ok(ExitCode::SUCCESS)
}
