//! From the configured way to a password or token to what an adapter logs in with.
//!
//! A password is looked up once at the start, so that a missing file is told at once, and again for
//! every login. Tokens are not: what keeps them fresh may start later than we do.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use tokio_util::task::TaskTracker;

use super::build::{BuildError, chain, unusable};
use crate::clock::{self, Clock};
use crate::config::{self, Config, Login, SecretError, SecretSource};
use crate::http::{AddressPolicy, Clients};
use crate::model::key::public_id;
use crate::oauth::{self, Keeping, Refresher, Sealed, Shelf};
use crate::source::SourceError;
use crate::source::credentials::{Credentials, Secrets, looked_up};
use crate::source::ics::Watch;
use crate::store::{Db, Store, StoreError, directory, login as rows, sibling};

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
    /// Where refresh tokens are kept.
    pub(super) store: Option<Arc<Store>>,
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
                grant: grant(config, source, &oauth.grant, shared)?,
            };
            let client = shared.clients.of(policy).clone();
            Credentials::Token(Arc::new(Refresher::new(settings, client, shared.refreshes.clone())))
        }
    })
}

/// By what right tokens are asked for.
fn grant(
    config: &Config,
    source: &config::Source,
    grant: &config::Grant,
    shared: &Shared,
) -> Result<oauth::Grant, BuildError> {
    Ok(match grant {
        config::Grant::RefreshToken { client_id, client_secret, refresh_token, .. } => {
            let store = shared.store.clone().ok_or_else(|| {
                let why = "only the daemon exchanges refresh tokens";
                unusable(&format!("oauth of source {}", source.name), why)
            })?;
            oauth::Grant::RefreshToken {
                client_id: client_id.clone(),
                client_secret: client_secret.as_ref().map(|s| secrets("client_secret", s)),
                refresh_token: refresh_token.as_ref().map(|s| secrets("refresh_token", s)),
                keeping: keeping(&config.store, &source.name, store),
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
    })
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

/// How a source's refresh tokens are kept.
fn keeping(settings: &config::Store, source: &str, store: Arc<Store>) -> Keeping {
    let source = source.to_owned();
    let shelf = Arc::new(Row { store, source: source.clone() });
    Keeping { source, key: token_key(settings), shelf }
}

/// The key that seals refresh tokens: the configured one, else one beside the database, which is made
/// when it is first asked for.
#[must_use]
pub fn token_key(store: &config::Store) -> Arc<dyn Secrets> {
    match &store.token_key {
        Some(key) => secrets("store.token_key", key),
        None => {
            let path = sibling(&store.path, ".key");
            looked_up(move || {
                own_key(&path).map_err(|error| {
                    SourceError::Unreachable(format!(
                        "the key of refresh tokens, {}: {error}",
                        path.display()
                    ))
                })
            })
        }
    }
}

/// The key in that file, which is made durable, for its owner only, if it is missing. Whoever makes
/// one at the same time ends up with the same.
fn own_key(path: &Path) -> io::Result<SecretString> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map(SecretString::from),
    }
    let key = STANDARD.encode(clock::draw_key().ok_or(io::ErrorKind::Other)?);
    let new = path.with_extension(public_id("", &[key.as_bytes()]));
    let written = (|| {
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        writeln!(file, "{key}")?;
        file.sync_all()?;
        let directory = directory(path);
        // As root beside a daemon that is somebody else: that one has to read it.
        let owner = std::fs::metadata(directory)?;
        if std::fs::metadata(&new)?.uid() != owner.uid() {
            chown(&new, Some(owner.uid()), Some(owner.gid()))?;
        }
        match std::fs::hard_link(&new, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked.and_then(|()| File::open(directory)?.sync_all()),
        }
    })();
    _ = std::fs::remove_file(&new);
    written?;
    std::fs::read_to_string(path).map(SecretString::from)
}

/// Where the tokens of one source are kept: in the database.
struct Row {
    store: Arc<Store>,
    source: String,
}

impl Shelf for Row {
    fn find(&self) -> BoxFuture<'_, Result<Option<Sealed>, SourceError>> {
        let source = self.source.clone();
        async move {
            let found = self.store.look(move |db| rows::find(db, &source)).await;
            let sealed = |row: rows::Login| Sealed { origin: row.origin, bytes: row.sealed };
            found.map(|found| found.map(sealed)).map_err(|error| unkept(&error))
        }
        .boxed()
    }

    fn put(
        &self,
        before: Option<String>,
        sealed: Sealed,
    ) -> BoxFuture<'_, Result<(), SourceError>> {
        let (source, now) = (self.source.clone(), Clock::System.now());
        let row = rows::Login { origin: sealed.origin, sealed: sealed.bytes };
        async move {
            let write = move |db: &Db| rows::exchange(db, &source, before.as_deref(), &row, now);
            match self.store.write(write).await {
                Ok(true) => Ok(()),
                Ok(false) => {
                    tracing::info!(source = self.source, "somebody has signed in meanwhile");
                    Ok(())
                }
                Err(error) => Err(unkept(&error)),
            }
        }
        .boxed()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("source", &self.source).finish_non_exhaustive()
    }
}

fn unkept(error: &StoreError) -> SourceError {
    SourceError::Unreachable(format!("the refresh token in the database: {error}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("kw.db.key");
        let keys: Vec<String> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..4).map(|_| scope.spawn(|| own_key(&path).unwrap())).collect();
            let keys = makers.into_iter().map(|maker| maker.join().unwrap());
            keys.map(|key| key.expose_secret().to_owned()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "all have the same");
        assert!(keys[0].trim().len() >= oauth::KEY_CHARACTERS);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "nothing else is left");
    }
}
