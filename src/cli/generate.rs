//! `keepwarm generate`: the manual pages and completions of a package, from the command line and the
//! settings as they are built in, so that they cannot tell of another version.
//!
//! Hidden: those who package keepwarm call it (`systemd/package`). How the pages are written is left to
//! `commands` and `settings`.

mod commands;
mod settings;

use std::io;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Cli, Failure, output};
use crate::config;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to print
    what: What,
}

/// What can be generated, by the name of its file or of its shell.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// The manual of the commands
    #[value(name = "keepwarm.8")]
    Commands,
    /// The manual of the settings
    #[value(name = "keepwarm.toml.5")]
    Settings,
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
}

pub(super) fn generate(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let written = written(arguments.what);
    output::to_stdout(|out| out.write_all(&written?))?;
    Ok(ExitCode::SUCCESS)
}

fn written(what: What) -> io::Result<Vec<u8>> {
    let mut command = Cli::command();
    let mut out = Vec::new();
    let mut complete = |shell: Shell| {
        clap_complete::generate(shell, &mut command, "keepwarm", &mut out);
    };
    match what {
        What::Commands => commands::page(&command, &mut out)?,
        What::Settings => settings::page(config::DEFAULTS, &mut out)?,
        What::Bash => complete(Shell::Bash),
        What::Zsh => complete(Shell::Zsh),
        What::Fish => complete(Shell::Fish),
    }
    Ok(out)
}

/// The head of a page: its title line, and what `apropos` finds.
fn head(roff: &mut Roff, title: &str, section: &str, about: &str) {
    let source = concat!("keepwarm ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [title, section, "", source, "keepwarm"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{title} - {about}"))]);
}

/// A heading and paragraphs below it.
fn section(roff: &mut Roff, heading: &str, paragraphs: &[&str]) {
    roff.control("SH", [heading]);
    for paragraph in paragraphs {
        roff.control("PP", []);
        roff.text([roman(*paragraph)]);
    }
}

/// A term in bold with what it means, indented.
fn term(roff: &mut Roff, name: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    if !meaning.is_empty() {
        roff.text([roman(meaning)]);
    }
}
