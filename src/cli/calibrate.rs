//! `keepwarm calibrate`: puts the hazard right by what is stored, or takes that back; with `--fit`,
//! fits its coefficients to logs.

mod fit;
mod own;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Printing};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Fit the coefficients to logs of interactions (README.md, Does it predict?), as CSV or
    /// compressed by gzip, instead; needs no configuration and changes nothing
    #[arg(long, value_name = "FILE", num_args = 1..)]
    fit: Vec<PathBuf>,
    /// Tell what would change, and change nothing
    #[arg(long, conflicts_with = "fit")]
    dry_run: bool,
    /// Take the calibration in force back; the one before it is in force again
    #[arg(long, conflicts_with_all = ["fit", "dry_run"])]
    undo: bool,
    #[command(flatten)]
    printing: Printing,
}

pub(super) fn calibrate(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let printing = &arguments.printing;
    if !arguments.fit.is_empty() {
        return fit::fit(&arguments.fit, printing);
    }
    if arguments.undo {
        own::undo(path, printing)
    } else {
        own::apply(path, printing, arguments.dry_run)
    }
}
