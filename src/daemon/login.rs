//! From the configured way to a password or token to what an adapter logs in with.
//!
//! A password is looked up once at the start, so that a missing file is told at once, and again for
//! every login. Tokens are not: what keeps them fresh may start later than we do.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use tokio_util::task::TaskTracker;

use super::build::{BuildError, chain, unusable};
use crate::clock::Clock;
use crate::config::{self, Config, Login, SecretError, SecretSource};
use crate::http::{AddressPolicy, Clients};
use crate::model::key::public_id;
use crate::oauth::{self, Refresher};
use crate::source::SourceError;
use crate::source::credentials::{Credentials, Secrets, looked_up};
use crate::source::ics::Watch;

/// The longest name of a source that names a file as it is.
const LONGEST_NAME: usize = 64;

/// The most bytes of a key file that are read: Google's have some 2,400.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// What all sources share.
pub(super) struct Shared {
    /// What those on the web are asked with.
    pub(super) clients: Clients,
    /// What watches calendars on the disk.
    pub(super) files: Watch,
    /// In which tokens are exchanged.
    pub(super) refreshes: TaskTracker,
}

/// What a source logs in with.
pub(super) fn credentials(
    config: &Config,
    source: &config::Source,
    login: &Login,
    shared: &Shared,
) -> Result<Credentials, BuildError> {
    Ok(match login {
        Login::Password(password) => {
            password.resolve().map_err(|error| {
                unusable(&format!("password of source {}", source.name), &chain(&error))
            })?;
            Credentials::Password(secrets("password", password))
        }
        Login::Token(token) => Credentials::Token(secrets("token", token)),
        Login::Oauth(oauth) => {
            let policy = if oauth.is_on_this_machine() {
                AddressPolicy::AllowPrivate
            } else {
                AddressPolicy::Public
            };
            let settings = oauth::Settings {
                token_url: oauth.token_url.clone(),
                scope: oauth.scope.clone(),
                grant: grant(config, source, &oauth.grant),
            };
            let client = shared.clients.of(policy).clone();
            Credentials::Token(Arc::new(Refresher::new(settings, client, shared.refreshes.clone())))
        }
    })
}

/// By what right tokens are asked for.
fn grant(config: &Config, source: &config::Source, grant: &config::Grant) -> oauth::Grant {
    match grant {
        config::Grant::RefreshToken { client_id, client_secret, refresh_token } => {
            oauth::Grant::RefreshToken {
                client_id: client_id.clone(),
                client_secret: client_secret.as_ref().map(|s| secrets("client_secret", s)),
                refresh_token: secrets("refresh_token", refresh_token),
                kept_in: kept_in(&config.store.path, &source.name),
            }
        }
        config::Grant::ClientCredentials { client_id, client_secret } => {
            oauth::Grant::ClientCredentials {
                client_id: client_id.clone(),
                client_secret: secrets("client_secret", client_secret),
            }
        }
        config::Grant::ServiceAccount { key_file, subject } => oauth::Grant::ServiceAccount {
            key: key(key_file.clone()),
            subject: subject.clone(),
            // Not the daemon's clock: the provider goes by the present, whatever is replayed.
            now: Arc::new(|| Clock::System.now()),
        },
    }
}

/// A key file, read again whenever it is asked for.
fn key(path: PathBuf) -> Arc<dyn Secrets> {
    looked_up(move || {
        let read = || -> io::Result<String> {
            let mut text = String::new();
            File::open(&path)?.take(MAX_KEY_BYTES).read_to_string(&mut text)?;
            Ok(text)
        };
        read().map(SecretString::from).map_err(|error| {
            SourceError::Unreachable(format!("key_file: reading {}: {error}", path.display()))
        })
    })
}

/// A secret that is looked up again whenever it is asked for.
fn secrets(what: &'static str, source: &SecretSource) -> Arc<dyn Secrets> {
    let source = source.clone();
    looked_up(move || source.resolve().map_err(|error| unresolved(what, &error)))
}

/// A file may be on its way, and a command succeed later: only what needs a restart does not pass.
fn unresolved(what: &str, error: &SecretError) -> SourceError {
    let told = format!("{what}: {}", chain(error));
    match error {
        SecretError::NoCredentials => SourceError::Misconfigured(told),
        SecretError::Unreadable { .. }
        | SecretError::Empty(_)
        | SecretError::NotStarted { .. }
        | SecretError::Unsuccessful { .. }
        | SecretError::TimedOut { .. } => SourceError::Unreachable(told),
    }
}

/// Where a source's refresh tokens are kept: in `tokens/` beside the database, by its name as far
/// as that can be a file's.
fn kept_in(database: &Path, source: &str) -> PathBuf {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let name: String =
        source.chars().take(LONGEST_NAME).map(|c| if fits(c) { c } else { '_' }).collect();
    let file = if name == source {
        format!("{name}.json")
    } else {
        format!("{name}.{}.json", public_id("", &[source.as_bytes()]))
    };
    database.with_file_name("tokens").join(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sources_share_a_file_and_none_leaves_the_directory() {
        let long = "x".repeat(300);
        let mut seen = std::collections::BTreeSet::new();
        for name in ["ann-mail", "ann mail", "ann_mail", "../ann", "a/b", "é", "ann.mail", &long] {
            let path = kept_in(Path::new("data/kw.db"), name);
            assert_eq!(path.parent(), Some(Path::new("data/tokens")), "{name}");
            assert!(path.file_name().unwrap().len() < 255, "{name}");
            assert!(seen.insert(path), "{name} has a file of its own");
        }
        assert_eq!(kept_in(Path::new("kw.db"), "ann"), Path::new("tokens/ann.json"));
    }
}
