//! What a source logs in with: a password or an access token, fetched anew for every login.
//!
//! Guarantees that no secret shows in `Debug` and that looking one up never blocks the async
//! threads. Leaves to the adapters how a secret is presented, and to whoever builds them where it
//! comes from: this module knows neither the configuration nor a provider of tokens.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

use super::SourceError;
use crate::model::Key;

/// Where one secret comes from.
pub trait Secrets: Send + Sync + fmt::Debug {
    /// The secret for one login. Asked for at every login, so that one that was changed is seen.
    ///
    /// # Errors
    /// By what the caller does next, as for the login itself; the text holds no secret.
    fn secret(&self) -> BoxFuture<'_, Result<SecretString, SourceError>>;

    /// The server has refused this one: whoever keeps it forgets it, and gives another one next
    /// time if there is one.
    fn refused(&self, secret: &SecretString);

    /// What tells this secret from another one, if there is one: 16 bits of a hash, so few that
    /// nothing of it is told.
    fn fingerprint(&self) -> BoxFuture<'_, Option<u16>> {
        async { Some(fingerprint_of(&[&self.secret().await.ok()?])) }.boxed()
    }
}

/// The fingerprint of several secrets together, as of [`Secrets::fingerprint`].
pub fn fingerprint_of(secrets: &[&SecretString]) -> u16 {
    let bytes: Vec<&[u8]> =
        secrets.iter().map(|secret| secret.expose_secret().as_bytes()).collect();
    let [.., high, low] = Key::of("credentials", &bytes).0.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// What to log in with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A password.
    Password(Arc<dyn Secrets>),
    /// An OAuth access token (RFC 6750), as it is: without `Bearer` before it.
    Token(Arc<dyn Secrets>),
}

impl Credentials {
    /// As [`Secrets::fingerprint`].
    pub async fn fingerprint(&self) -> Option<u16> {
        match self {
            Self::Password(secrets) | Self::Token(secrets) => secrets.fingerprint().await,
        }
    }
}

impl From<SecretString> for Credentials {
    /// A password that never changes.
    fn from(password: SecretString) -> Self {
        Self::Password(looked_up(move || Ok(password.clone())))
    }
}

impl From<&str> for Credentials {
    /// A password that never changes.
    fn from(password: &str) -> Self {
        SecretString::from(password).into()
    }
}

/// A secret that is looked up each time, on a thread that may block: in a file or by a program.
pub fn looked_up(
    look: impl Fn() -> Result<SecretString, SourceError> + Send + Sync + 'static,
) -> Arc<dyn Secrets> {
    Arc::new(LookedUp(Arc::new(look)))
}

struct LookedUp<F>(Arc<F>);

impl<F> Secrets for LookedUp<F>
where
    F: Fn() -> Result<SecretString, SourceError> + Send + Sync + 'static,
{
    fn secret(&self) -> BoxFuture<'_, Result<SecretString, SourceError>> {
        let look = Arc::clone(&self.0);
        let looking = tokio::task::spawn_blocking(move || look());
        // A task ends early with the process, and by a fault of ours, after which the source goes on.
        let broken_off = || SourceError::Protocol("looking up a secret was broken off".to_owned());
        async move { looking.await.unwrap_or_else(|_| Err(broken_off())) }.boxed()
    }

    fn refused(&self, _: &SecretString) {}
}

impl<F> fmt::Debug for LookedUp<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookedUp(hidden)")
    }
}
