//! What `keepwarm check` asks of the world outside: are the secrets, files and directories that a
//! valid configuration names really there, readable and as they should be.
//!
//! Blocks on files and on password commands; opens no connection (that is `keepwarm doctor`).

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;

use super::endpoint::WEBHOOK_SECRET;
use super::problem::{Place, Problem};
use super::secret::{SecretError, SecretSource};
use super::settings::{Config, Login, Source, SourceKind};
use super::words;

/// File mode bits by which others than owner and group can read.
const READABLE_BY_OTHERS: u32 = 0o004;

/// Everything in the world outside that does not fit the configuration.
#[must_use]
pub fn check(config: &Config) -> Vec<Problem> {
    let mut problems = emptiness(config);
    if inline_secrets(config) {
        problems.extend(config.files.iter().filter_map(|path| open_to_others(path)));
    }
    for source in &config.sources {
        problems.extend(check_source(source));
    }
    for endpoint in &config.endpoints {
        let place = setting("endpoint", &endpoint.name);
        problems.extend(check_secret("secret", &endpoint.secret, &place, Secret::Webhook));
    }
    problems.extend(check_listen(config));
    problems
}

/// What form a secret has.
#[derive(Clone, Copy)]
enum Secret {
    Any,
    Webhook,
}

/// What can be left out, and hardly on purpose.
fn emptiness(config: &Config) -> Vec<Problem> {
    let warn = |empty: bool, message: &str| empty.then(|| Problem::warning(message));
    [
        warn(config.sources.is_empty(), "there is no [[source]]: nothing is read"),
        warn(config.endpoints.is_empty(), "there is no [[endpoint]]: nudges go nowhere"),
        warn(
            config.organization.domains.is_empty(),
            "organization.domains is empty: colleagues are taken for contacts",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a secret stands in the configuration itself.
fn inline_secrets(config: &Config) -> bool {
    let logins = config.sources.iter().filter_map(|source| match &source.kind {
        SourceKind::Imap(imap) => Some(secrets_of(&imap.login)),
        SourceKind::Maildir { .. } | SourceKind::Ics { .. } | SourceKind::Feed(_) => None,
    });
    let of_logins = logins.flatten().map(|(_, secret)| secret);
    let secrets = config.endpoints.iter().map(|endpoint| &endpoint.secret);
    of_logins.chain(secrets).any(|secret| matches!(secret, SecretSource::Inline(_)))
}

/// The secrets of a login, with the keys that messages name.
fn secrets_of(login: &Login) -> Vec<(&'static str, &SecretSource)> {
    match login {
        Login::Password(password) => vec![("password", password)],
        Login::Token(token) => vec![("token", token)],
        Login::Oauth(oauth) => {
            let client_secret = oauth.client_secret.as_ref();
            let client_secret = client_secret.map(|secret| ("oauth.client_secret", secret));
            let refresh_token = ("oauth.refresh_token", &oauth.refresh_token);
            client_secret.into_iter().chain([refresh_token]).collect()
        }
    }
}

fn check_source(source: &Source) -> Vec<Problem> {
    let place = setting("source", &source.name);
    match &source.kind {
        SourceKind::Imap(imap) => {
            let secrets = secrets_of(&imap.login).into_iter();
            let mut problems: Vec<Problem> = secrets
                .flat_map(|(key, secret)| check_secret(key, secret, &place, Secret::Any))
                .collect();
            problems.extend(imap.ca_file.as_deref().and_then(|path| check_ca(path, &place)));
            problems
        }
        SourceKind::Maildir { path, .. } => {
            let fits = path.is_dir();
            (!fits).then(|| absent("directory", path, &place)).into_iter().collect()
        }
        SourceKind::Ics { path } => {
            let fits = path.exists();
            (!fits).then(|| absent("file", path, &place)).into_iter().collect()
        }
        SourceKind::Feed(feed) => {
            feed.ca_file.as_deref().and_then(|path| check_ca(path, &place)).into_iter().collect()
        }
    }
}

fn absent(what: &str, path: &Path, place: &Place) -> Problem {
    let message = format!("`source.path`: there is no {what} {}", path.display());
    Problem::warning(message).at(Some(place.clone()))
}

fn check_ca(path: &Path, place: &Place) -> Option<Problem> {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let why = match certificates {
        Ok(certificates) if !certificates.is_empty() => return None,
        Ok(_) => "no certificate (PEM) in it".to_owned(),
        Err(error) => error.to_string(),
    };
    let message = format!("`source.ca_file`: {}: {why}", path.display());
    Some(Problem::error(message).at(Some(place.clone())))
}

fn check_secret(key: &str, source: &SecretSource, place: &Place, secret: Secret) -> Vec<Problem> {
    let mut problems = Vec::new();
    match (source.resolve(), secret) {
        (Err(error), _) => problems.push(unresolved(key, source, &error)),
        (Ok(found), Secret::Webhook) if !words::is_webhook_secret(found.expose_secret()) => {
            problems.push(Problem::error(format!("`{key}` must be {WEBHOOK_SECRET}")));
        }
        (Ok(_), _) => {}
    }
    if let SecretSource::File(path) = source {
        problems.extend(open_to_others(path));
    }
    problems.into_iter().map(|problem| problem.at(Some(place.clone()))).collect()
}

/// A problem with the chain of causes, and what to do.
fn unresolved(key: &str, source: &SecretSource, error: &SecretError) -> Problem {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let message = format!("`{key}`: {error}{}", cause.unwrap_or_default());
    let problem = Problem::error(message);
    match source {
        SecretSource::Credential { .. } => {
            problem.hint("credentials are there only in the service: systemd-run can lend them")
        }
        SecretSource::File(_) => problem.hint("the user keepwarm must be able to read it"),
        SecretSource::Command(_) => problem.hint("run it by hand as the user keepwarm"),
        SecretSource::Inline(_) => problem,
    }
}

fn open_to_others(path: &Path) -> Option<Problem> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & READABLE_BY_OTHERS != 0).then(|| {
        let message = format!("every user can read {} (mode {:o})", path.display(), mode & 0o777);
        Problem::warning(message).hint(format!("chmod o= {}", path.display()))
    })
}

fn check_listen(config: &Config) -> Option<Problem> {
    let listen = config.serve.listen.filter(|listen| !listen.ip().is_loopback())?;
    let message =
        format!("`serve.listen`: other machines can reach {listen}, and there is no login");
    Some(Problem::warning(message).at(Some(Place::Setting("serve".to_owned()))))
}

fn setting(section: &str, name: &str) -> Place {
    Place::Setting(format!("[[{section}]] {name}"))
}
