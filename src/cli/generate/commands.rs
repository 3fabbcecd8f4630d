//! keepwarm(8): every command with its arguments on one page, from the definitions of the command
//! line, and what cannot be read off them: files, signals, exit statuses.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::{head, section, term};

/// The arguments that every command takes, as the synopsis has them.
const EVERYWHERE: &str = " [--config FILE] [--log FILTER] [--log-json] ";

/// Exit statuses, as design and scripts know them.
const STATUSES: [(&str, &str); 3] = [
    ("0", "It was done."),
    ("1", "It could not be done: a server, a file, the database."),
    (
        "2",
        "The configuration or the arguments are wrong; nothing was done. systemd does not restart \
         the service then.",
    ),
];

/// Files, as the package lays them out.
const FILES: [(&str, &str); 5] = [
    (crate::config::DEFAULT_PATH, "The configuration, see keepwarm.toml(5)."),
    ("/etc/keepwarm/conf.d/*.toml", "What is read after it, in the order of the names."),
    (
        "/etc/keepwarm/credentials/",
        "Secrets, one in a file, for root only: its file ann is password_credential = \"ann\".",
    ),
    ("/var/lib/keepwarm/keepwarm.db", "The database."),
    (
        "/usr/share/doc/keepwarm/",
        "Every setting with its default (default.toml), schemas of webhooks, alert rules for \
         Prometheus, a dashboard for Grafana, and what the program is made of (SBOM).",
    ),
];

/// Signals that the daemon heeds.
const SIGNALS: [(&str, &str); 2] = [
    ("SIGTERM, SIGINT", "Stop, when what was begun is finished; a second one stops at once."),
    ("SIGHUP", "Read the configuration again. One that is wrong is reported and not used."),
];

/// Writes the page.
pub(super) fn page(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let mut roff = Roff::default();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    head(&mut roff, "keepwarm", "8", about.trim_end_matches('.'));
    roff.control("SH", ["SYNOPSIS"]);
    let rest = [roman(EVERYWHERE), italic("COMMAND"), roman(" [ARGUMENTS]")];
    roff.text([vec![bold("keepwarm")], rest.to_vec()].concat());
    let description = "keepwarm reads mailboxes and calendars, measures how strong every \
        relationship of a rep with a contact is, and posts a nudge to a webhook when one that \
        mattered is going cold. keepwarm run is the daemon; the other commands look at its database, \
        beside it or without it. Results go to standard output, messages to standard error.";
    section(&mut roff, "DESCRIPTION", &[description]);
    roff.control("SH", ["OPTIONS"]);
    roff.to_writer(out)?;
    arguments(command, out)?;
    let mut roff = Roff::default();
    roff.control("SH", ["COMMANDS"]);
    roff.to_writer(out)?;
    for command in shown(command) {
        describe(command, "keepwarm", out)?;
    }
    tail().to_writer(out)
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

/// A command, and those below it, each with its own arguments.
fn describe(command: &Command, above: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = format!("{above} {}", command.get_name());
    // Alone, so that it does not take on the options that every command takes.
    let mut alone = command.clone().bin_name(&name).disable_help_flag(true);
    alone = alone.disable_help_subcommand(true);
    alone.build();
    let usage = alone.render_usage().to_string();
    let mut roff = Roff::default();
    roff.control("SS", [usage.trim_start_matches("Usage: ")]);
    let about = alone.get_long_about().or_else(|| alone.get_about());
    roff.text([roman(about.map(ToString::to_string).unwrap_or_default())]);
    roff.to_writer(out)?;
    arguments(&alone, out)?;
    shown(command).try_for_each(|command| describe(command, &name, out))
}

/// The arguments of a command, without the heading that a page of its own would have.
fn arguments(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let mut section = Vec::new();
    Man::new(command.clone()).render_options_section(&mut section)?;
    let section = String::from_utf8_lossy(&section);
    out.write_all(section.replacen(".SH OPTIONS\n", "", 1).as_bytes())
}

fn tail() -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in STATUSES {
        term(&mut roff, status, meaning);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    term(&mut roff, "KEEPWARM_LOG", "What is logged, as --log.");
    let any = "Sets a key of a section of the configuration, see keepwarm.toml(5).";
    term(&mut roff, "KEEPWARM__SECTION__KEY", any);
    roff.control("SH", ["FILES"]);
    for (path, meaning) in FILES {
        term(&mut roff, path, meaning);
    }
    roff.control("SH", ["SIGNALS"]);
    for (signal, meaning) in SIGNALS {
        term(&mut roff, signal, meaning);
    }
    section(&mut roff, "SEE ALSO", &["keepwarm.toml(5), systemd.exec(5), journalctl(1)"]);
    roff
}
