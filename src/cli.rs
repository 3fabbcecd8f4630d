//! The command line: arguments in, exit status out. 0 ok, 1 runtime failure, 2 configuration or
//! usage. Results go to standard output, messages and progress to standard error.

mod accounts;
mod ask;
mod backtest;
mod backup;
mod calibrate;
mod check;
mod contacts;
mod demo;
mod doctor;
mod erase;
mod explain;
mod explain_capture;
mod export;
mod generate;
mod init;
mod login;
mod nudges;
pub mod output;
mod path;
mod quarantine;
mod rebuild;
mod relationships;
mod retention;
mod run;
mod silences;
mod status;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::model::Timestamp;
use crate::store::{Db, open_reader};
use output::Format;

/// Stack of every thread: parsers of strangers' bytes may recurse.
const STACK: usize = 16 * 1024 * 1024;

/// Keeps a sales organisation's relationships warm.
#[derive(Debug, Parser)]
#[command(name = "keepwarm", version, about, max_term_width = 100)]
struct Cli {
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", default_value = config::DEFAULT_PATH)]
    config: PathBuf,
    /// What is logged, such as `info` or `keepwarm=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "KEEPWARM_LOG", hide_env = true)]
    log: Option<String>,
    /// Log as JSON lines
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read, decide and deliver: the daemon
    Run(run::Arguments),
    /// The whole product on an embedded sample: no network, no configuration
    Demo(demo::Arguments),
    /// Validate the configuration
    Check(check::Arguments),
    /// Write a configuration from at most five answers, tried before it is written
    Init(init::Arguments),
    /// Have somebody sign in for a source, by a browser or on another device
    Login(login::Arguments),
    /// Try every connection and permission, and say what to do about each failure
    Doctor(doctor::Arguments),
    /// Sources, freshness, counts and outbox
    Status(Printing),
    /// Relationships, the strongest first
    Relationships(relationships::Arguments),
    /// Accounts, and whether enough of their people are strong
    Accounts(accounts::Arguments),
    /// Who knows somebody, and by way of whom others get there
    Path(path::Arguments),
    /// A strength, term by term, and its evidence
    Explain(explain::Arguments),
    /// Why a message was stored, or was not
    ExplainCapture(explain_capture::Arguments),
    /// Nudges made
    Nudges(nudges::Arguments),
    /// About whom nothing is said to a rep
    Silences(silences::Arguments),
    /// How well strength foretold what happened, on the own history or on a log
    Backtest(backtest::Arguments),
    /// Put the hazard, by which nudges come, right by the own history, or fit it to logs
    Calibrate(calibrate::Arguments),
    /// People, their addresses, and who is one with whom
    Contacts(contacts::Arguments),
    /// Items of mailboxes and calendars that were put aside, and why
    Quarantine(quarantine::Arguments),
    /// Copy the database to a file, beside a running daemon or without one
    Backup(backup::Backup),
    /// Put a backup in the place of the database, while no daemon runs
    Restore(backup::Restore),
    /// Take away all there is of a person, for good
    Erase(erase::Arguments),
    /// All that is known of a person
    Export(export::Arguments),
    /// Take out what is older than the configuration keeps it, or tell what would go
    Retention(retention::Arguments),
    /// Compute every relationship anew from what was read
    Rebuild,
    /// Print a manual page or completions, for a package
    #[command(hide = true)]
    Generate(generate::Arguments),
}

/// What every command that prints data takes.
#[derive(Debug, Args)]
struct Printing {
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// As of this instant (RFC 3339); nothing dated later counts
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
enum Failure {
    /// The configuration or the arguments: exit status 2.
    Usage(String),
    /// Anything else: exit status 1.
    Runtime(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Runtime(error.into())
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let (message, code) = match dispatch(cli) {
        Ok(code) => return code,
        Err(Failure::Usage(message)) => (message, 2),
        Err(Failure::Runtime(error)) => (format!("error: {error:#}"), 1),
    };
    // Nobody is left to tell if this fails.
    _ = writeln!(std::io::stderr(), "{}", message.trim_end());
    ExitCode::from(code)
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let format = if cli.log_json {
        crate::telemetry::LogFormat::Json
    } else {
        crate::telemetry::LogFormat::Human
    };
    let unless_asked = match &cli.command {
        Command::Run(arguments) if !arguments.once => None,
        // Its receiver fails on purpose, and the demo tells so itself.
        Command::Demo(_) => Some("error"),
        _ => Some("warn"),
    };
    let filter = cli.log.as_deref().or(unless_asked);
    crate::telemetry::init(format, filter).map_err(|e| Failure::Usage(format!("error: {e}")))?;
    match cli.command {
        Command::Run(arguments) => run::run(&cli.config, &arguments),
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Check(arguments) => check::check(&cli.config, &arguments),
        Command::Init(arguments) => init::init(&cli.config, &arguments),
        Command::Login(arguments) => login::login(&cli.config, &arguments),
        Command::Doctor(arguments) => doctor::doctor(&cli.config, &arguments),
        Command::Status(printing) => status::status(&cli.config, &printing),
        Command::Relationships(arguments) => relationships::relationships(&cli.config, &arguments),
        Command::Accounts(arguments) => accounts::accounts(&cli.config, &arguments),
        Command::Path(arguments) => path::path(&cli.config, &arguments),
        Command::Explain(arguments) => explain::explain(&cli.config, &arguments),
        Command::ExplainCapture(arguments) => {
            explain_capture::explain_capture(&cli.config, &arguments)
        }
        Command::Nudges(arguments) => nudges::nudges(&cli.config, &arguments),
        Command::Silences(arguments) => silences::silences(&cli.config, &arguments),
        Command::Backtest(arguments) => backtest::backtest(&cli.config, &arguments),
        Command::Calibrate(arguments) => calibrate::calibrate(&cli.config, &arguments),
        Command::Contacts(arguments) => contacts::contacts(&cli.config, &arguments),
        Command::Quarantine(arguments) => quarantine::quarantine(&cli.config, &arguments),
        Command::Backup(arguments) => backup::backup(&cli.config, &arguments),
        Command::Restore(arguments) => backup::restore(&cli.config, &arguments),
        Command::Erase(arguments) => erase::erase(&cli.config, &arguments),
        Command::Export(arguments) => export::export(&cli.config, &arguments),
        Command::Retention(arguments) => retention::retention(&cli.config, &arguments),
        Command::Rebuild => rebuild::rebuild(&cli.config),
        Command::Generate(arguments) => generate::generate(&arguments),
    }
}

/// Loads the configuration, or says everything that is wrong with it.
fn load(path: &Path) -> Result<Config, Failure> {
    config::load(path, config::environment())
        .map_err(|problems| Failure::Usage(problems.to_string()))
}

/// Configuration and database of a command that only reads.
fn open(path: &Path) -> Result<(Config, Db), Failure> {
    let config = load(path)?;
    let db = open_reader(&config.store.path)?;
    Ok((config, db))
}

impl Printing {
    /// The clock of the command.
    fn clock(&self) -> Clock {
        clock(self.now)
    }
}

fn clock(now: Option<Timestamp>) -> Clock {
    now.map_or(Clock::System, Clock::Fixed)
}

/// The runtime of commands that wait for something.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("keepwarm")
        .thread_stack_size(STACK)
        .build()?)
}

/// The day of an instant, for tables; empty for none.
fn day(at: Option<Timestamp>) -> String {
    at.and_then(Timestamp::to_utc)
        .map_or_else(String::new, |utc| utc.format("%Y-%m-%d").to_string())
}
