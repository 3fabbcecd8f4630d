//! `keepwarm check`: everything that is wrong with the configuration, in one go.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, load};
use crate::config::{self, Config, Place, Problem, Severity};
use crate::daemon::format::{Unformed, tried};
use crate::deliver::format::TemplateError;

#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn check(path: &Path, _: &Arguments) -> Result<ExitCode, Failure> {
    let config = load(path)?;
    let problems = problems(&config);
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

/// What is wrong with a configuration that could be read. Looks at the files that it names.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut problems = config::check(config);
    problems.extend(templates(config));
    problems
}

/// What is wrong with the templates of endpoints.
fn templates(config: &Config) -> Vec<Problem> {
    let problem = |endpoint: &config::Endpoint| -> Option<Problem> {
        let unformed = tried(endpoint).err()?;
        let what = match std::error::Error::source(&unformed) {
            Some(cause) => format!("{unformed}: {cause}"),
            None => unformed.to_string(),
        };
        let place = match &unformed {
            Unformed::Wrong { file: Some(path), error: TemplateError { line: Some(line), .. } }
            | Unformed::Fails {
                file: Some(path),
                error: TemplateError { line: Some(line), .. },
                ..
            } => line_of(path, *line),
            _ => None,
        };
        let place =
            place.unwrap_or_else(|| Place::Setting(format!("[[endpoint]] {}", endpoint.name)));
        let hint = match &unformed {
            Unformed::Unreadable(..) => Some("the user keepwarm must be able to read it"),
            Unformed::Wrong { error, .. } | Unformed::Fails { error, .. } => error.hint,
        };
        let problem = Problem::error(what).at(Some(place));
        Some(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        })
    };
    config.endpoints.iter().filter_map(problem).collect()
}

/// A line of a template's file, with a caret below all of it. Whoever may run the check may read it.
fn line_of(path: &Path, line: usize) -> Option<Place> {
    let text = std::fs::read_to_string(path).ok()?;
    let shown = text.lines().nth(line.checked_sub(1)?)?.replace('\t', " ");
    let width = shown.trim().chars().count().max(1);
    let column = shown.chars().take_while(|c| *c == ' ').count() + 1;
    Some(Place::Line { path: path.to_owned(), line, column, width, shown: Some(shown) })
}
