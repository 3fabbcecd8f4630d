//! `keepwarm init`: a configuration for the first rep, from at most five answers.
//!
//! Guarantees that nothing is overwritten but a file of comments, that what is told is tried before anything is written
//! (unless `--untested`), and that secrets go to files of their own, for the owner only. Answers are
//! lines, so that a script can give them too. Where the server is likely to be is left to
//! `discover`, the text to `write`.

mod discover;
mod write;

use std::fs::{DirBuilder, File};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use console::Term;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Failure, output, runtime};
use crate::http;
use crate::normalise::address::canonical;
use crate::source::imap;
use crate::source::probe::Probe;
use write::Answers;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Certificates (PEM) to trust beside those of the system
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Write it even if the login does not work yet
    #[arg(long)]
    untested: bool,
}

pub(super) fn init(path: &Path, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = std::path::absolute(path)?;
    if !sets_nothing(&path) {
        free(&path)?;
    }
    let address = question("E-mail address of the first rep", None)?;
    let address = canonical(&address).map(|address| address.to_string()).ok_or_else(|| {
        Failure::Usage(format!("error: {address:?} is no address\nhint: such as ann@us.example"))
    })?;
    let (local, domain) = address.split_once('@').unwrap_or_default();
    let name = question("Name of the rep", Some(&write::name_of(local)))?;
    let ca_file = arguments.ca_file.as_ref().map(std::path::absolute).transpose()?;
    let pem = ca_file.as_ref().map(std::fs::read).transpose()?;
    http::install_crypto();
    let tls = http::tls_config(pem.as_deref())?;
    let runtime = runtime()?;
    let found = runtime.block_on(discover::imap(domain, &tls));
    let server = question("IMAP server (HOST or HOST:PORT, with TLS)", found.as_deref())?;
    let (host, port) = discover::host_and_port(&server).map_err(Failure::Usage)?;
    let password = secret_question(&format!("Password of {address} there"))?;
    let url = question("URL of a webhook for nudges (empty for none)", Some(""))?;
    let answers = Answers {
        id: write::id_of(local),
        address: address.clone(),
        name,
        domain: domain.to_owned(),
        zone: write::local_zone(),
        host,
        port,
        ca_file,
        url: write::webhook(&url).map_err(Failure::Usage)?,
    };
    let credentials = password.clone().into();
    let mut settings = imap::Settings::new(&answers.host, &answers.address, credentials);
    settings.port = port;
    let mut seen = Probe::default();
    match runtime.block_on(imap::probe_telling(&settings, &tls, &mut seen)) {
        Ok(()) => {
            let count = seen.mailboxes.map_or(0, |(count, _)| count);
            output::note(&format!("the login works: {count} mailboxes"));
        }
        Err(error) if arguments.untested => output::note(&format!("the login fails: {error}")),
        Err(error) => {
            let hint = "nothing is written; --untested writes it all the same";
            return Err(anyhow::anyhow!("logging in to {server}: {error}\nhint: {hint}").into());
        }
    }
    save(&path, &answers, &password)
}

/// Writes the secrets, then the configuration that names them.
fn save(path: &Path, answers: &Answers, password: &SecretString) -> Result<ExitCode, Failure> {
    let beside = path.parent().unwrap_or_else(|| Path::new("/"));
    // Where the package has made a directory of credentials, the service gets them from systemd.
    let place = if beside.join("credentials").is_dir() { "credentials" } else { "secrets" };
    let directory = beside.join(place);
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    let mut secrets = vec![(answers.id.clone(), password.expose_secret().to_owned())];
    if answers.is_signed() {
        secrets.push((write::ENDPOINT.to_owned(), write::signing_secret()?));
    }
    for (name, _) in &secrets {
        free(&directory.join(name))?;
    }
    for (name, secret) in &secrets {
        put(&directory.join(name), 0o600, secret)?;
    }
    if sets_nothing(path) {
        std::fs::remove_file(path)?;
    }
    put(path, 0o640, &write::toml(answers, place))?;
    let config = super::load(path)?;
    let told = format!("{} ({} source)", path.display(), config.sources.len());
    output::to_stdout(|out| writeln!(out, "written: {told}"))?;
    output::note(
        "`keepwarm doctor` tries all of it, `keepwarm run` begins; the other reps are \
                  [[rep]] and [[source]] like the first",
    );
    Ok(ExitCode::SUCCESS)
}

/// Whether there is a file of comments only, such as the package brings: nothing is lost with it.
fn sets_nothing(path: &Path) -> bool {
    let comment = |line: &str| line.is_empty() || line.starts_with('#');
    std::fs::read_to_string(path).is_ok_and(|text| text.lines().map(str::trim).all(comment))
}

/// Refuses where there is something already.
fn free(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let hint = "init never overwrites: move it away, or name another with --config";
    Err(Failure::Usage(format!("error: there is {} already\nhint: {hint}", path.display())))
}

fn put(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let file = File::options().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        if text.ends_with('\n') { Ok(()) } else { file.write_all(b"\n") }
    });
    Ok(written.map_err(|error| anyhow::anyhow!("writing {}: {error}", path.display()))?)
}

/// Asks for a line; an empty one is what is offered.
fn question(text: &str, offered: Option<&str>) -> Result<String, Failure> {
    ask(text, offered)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    answered(&line, text, offered)
}

/// The same without showing what is typed.
fn secret_question(text: &str) -> Result<SecretString, Failure> {
    ask(text, None)?;
    let mut line = String::new();
    if std::io::stdin().is_terminal() {
        line = Term::stderr().read_secure_line()?;
    } else {
        std::io::stdin().lock().read_line(&mut line)?;
    }
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(unanswered(text));
    }
    Ok(SecretString::from(line))
}

fn ask(text: &str, offered: Option<&str>) -> Result<(), Failure> {
    let offer = offered.filter(|offer| !offer.is_empty());
    let offer = offer.map(|offer| format!(" [{offer}]")).unwrap_or_default();
    let mut err = std::io::stderr();
    write!(err, "{text}{offer}: ")?;
    Ok(err.flush()?)
}

fn answered(line: &str, text: &str, offered: Option<&str>) -> Result<String, Failure> {
    match (line.trim(), offered) {
        ("", Some(offered)) => Ok(offered.to_owned()),
        ("", None) => Err(unanswered(text)),
        (line, _) => Ok(line.to_owned()),
    }
}

fn unanswered(text: &str) -> Failure {
    Failure::Usage(format!("\nerror: no answer to `{text}`\nhint: nothing is written"))
}
