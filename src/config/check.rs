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
use super::serve::TOKEN_MUST_BE;
use super::settings::{Config, Endpoint, Format, Grant, Login, Source, SourceKind};
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
        for (key, secret) in
            [("secret", &endpoint.secret), ("previous_secret", &endpoint.previous_secret)]
        {
            let secret = secret.iter();
            problems.extend(secret.flat_map(|s| check_secret(key, s, &place, Secret::Webhook)));
        }
        problems.extend(unfitting(endpoint).map(|problem| problem.at(Some(place))));
    }
    problems.extend(super::identity::people(config).err());
    if let Some(token) = &config.serve.token {
        let place = Place::Setting("serve".to_owned());
        problems.extend(check_secret("token", token, &place, Secret::ApiToken));
    }
    if let Some(key) = &config.store.token_key {
        let place = Place::Setting("store".to_owned());
        problems.extend(check_secret("token_key", key, &place, Secret::Any));
    }
    problems.extend(super::serve::doubts(config));
    problems
}

/// What form a secret has.
#[derive(Clone, Copy)]
enum Secret {
    Any,
    Webhook,
    ApiToken,
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
        SourceKind::Caldav(caldav) => Some(secrets_of(&caldav.login)),
        SourceKind::GoogleCalendar(api) | SourceKind::GraphCalendar(api) => {
            Some(secrets_of(&api.login))
        }
        SourceKind::Maildir { .. } | SourceKind::Ics { .. } | SourceKind::Feed(_) => None,
    });
    let of_logins = logins.flatten().map(|(_, secret)| secret);
    let of_endpoints = config
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.secret.iter().chain(&endpoint.previous_secret));
    let secrets = of_endpoints.chain(&config.serve.token).chain(&config.store.token_key);
    of_logins.chain(secrets).any(|secret| matches!(secret, SecretSource::Inline(_)))
}

/// The secrets of a login, with the keys that messages name.
fn secrets_of(login: &Login) -> Vec<(&'static str, &SecretSource)> {
    match login {
        Login::Password(password) => vec![("password", password)],
        Login::Token(token) => vec![("token", token)],
        Login::Oauth(oauth) => {
            let client_secret = ("oauth.client_secret", client_secret_of(&oauth.grant));
            let refresh_token = ("oauth.refresh_token", refresh_token_of(&oauth.grant));
            let both = [client_secret, refresh_token].into_iter();
            both.filter_map(|(key, secret)| Some((key, secret?))).collect()
        }
    }
}

fn client_secret_of(grant: &Grant) -> Option<&SecretSource> {
    match grant {
        Grant::RefreshToken { client_secret, .. } => client_secret.as_ref(),
        Grant::ClientCredentials { client_secret, .. } => Some(client_secret),
        Grant::ServiceAccount { .. } => None,
    }
}

fn refresh_token_of(grant: &Grant) -> Option<&SecretSource> {
    match grant {
        Grant::RefreshToken { refresh_token, .. } => refresh_token.as_ref(),
        Grant::ClientCredentials { .. } | Grant::ServiceAccount { .. } => None,
    }
}

/// What is wrong with the secrets of a login.
fn check_login(login: &Login, place: &Place) -> Vec<Problem> {
    let mut problems: Vec<Problem> = secrets_of(login)
        .into_iter()
        .flat_map(|(key, secret)| check_secret(key, secret, place, Secret::Any))
        .collect();
    if let Login::Oauth(oauth) = login
        && let Grant::ServiceAccount { key_file, .. } = &oauth.grant
    {
        // What is in it is not looked at: it need only be readable, by nobody else.
        let key = SecretSource::File(key_file.clone());
        problems.extend(check_secret("oauth.key_file", &key, place, Secret::Any));
    }
    problems
}

fn check_source(source: &Source) -> Vec<Problem> {
    let place = setting("source", &source.name);
    match &source.kind {
        SourceKind::Imap(imap) => logged_in(&imap.login, imap.ca_file.as_deref(), &place),
        SourceKind::Caldav(dav) => logged_in(&dav.login, dav.ca_file.as_deref(), &place),
        SourceKind::Maildir { path, .. } => {
            let fits = path.is_dir();
            (!fits).then(|| absent("directory", path, &place)).into_iter().collect()
        }
        SourceKind::Ics { path } => {
            let fits = path.exists();
            (!fits).then(|| absent("file", path, &place)).into_iter().collect()
        }
        SourceKind::GoogleCalendar(api) | SourceKind::GraphCalendar(api) => {
            check_login(&api.login, &place)
        }
        SourceKind::Feed(feed) => {
            feed.ca_file.as_deref().and_then(|path| check_ca(path, &place)).into_iter().collect()
        }
    }
}

/// What is wrong with the secrets of a login on a server.
fn logged_in(login: &Login, ca_file: Option<&Path>, place: &Place) -> Vec<Problem> {
    let mut problems = check_login(login, place);
    problems.extend(ca_file.and_then(|path| check_ca(path, place)));
    problems
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
        (Ok(found), Secret::ApiToken) if !words::is_api_token(found.expose_secret()) => {
            problems.push(Problem::error(format!("`{key}` must be {TOKEN_MUST_BE}")));
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
    match source {
        SecretSource::Credential { directory, .. } if !is_lent(directory.as_deref()) => {
            Problem::warning(message).hint(
                "by hand, as root: CREDENTIALS_DIRECTORY=/etc/keepwarm/credentials keepwarm check",
            )
        }
        SecretSource::Credential { .. } => Problem::error(message).hint(
            "a file of that name in /etc/keepwarm/credentials, and a restart: see LoadCredential=",
        ),
        SecretSource::File(_) => {
            Problem::error(message).hint("the user keepwarm must be able to read it")
        }
        SecretSource::Command(_) => {
            Problem::error(message).hint("run it by hand as the user keepwarm")
        }
        SecretSource::Inline(_) => Problem::error(message),
    }
}

/// Whether this process is one to which credentials are lent. Others cannot tell whether one is there:
/// a shell, and what systemd 252 runs for a reload, which has the variable and not the directory.
fn is_lent(directory: Option<&Path>) -> bool {
    directory.is_some_and(|directory| directory.read_dir().is_ok())
}

fn open_to_others(path: &Path) -> Option<Problem> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & READABLE_BY_OTHERS != 0).then(|| {
        let message = format!("every user can read {} (mode {:o})", path.display(), mode & 0o777);
        Problem::warning(message).hint(format!("chmod o= {}", path.display()))
    })
}

/// A chat that would not understand what it is sent.
fn unfitting(endpoint: &Endpoint) -> Option<Problem> {
    let host = endpoint.url.host_str().unwrap_or_default();
    let workflow = [".logic.azure.com", ".api.powerplatform.com"].iter().any(|h| host.ends_with(h));
    let (chat, format) = match &endpoint.format {
        Format::Standard | Format::Teams if host == "hooks.slack.com" => ("Slack", "slack"),
        Format::Standard | Format::Slack if workflow => ("a workflow of Teams", "teams"),
        _ => return None,
    };
    let message =
        format!("`endpoint.url` is that of {chat}, which does not understand this format");
    Some(Problem::warning(message).hint(format!("set format = {format:?}")))
}

fn setting(section: &str, name: &str) -> Place {
    Place::Setting(format!("[[{section}]] {name}"))
}
