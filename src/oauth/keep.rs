//! The refresh tokens of a source that nobody has configured: those that a provider gave in exchange
//! for another, or at a sign-in.
//!
//! Guarantees that they are sealed before they leave, and that the one before the newest is kept
//! with it: whichever of both the provider believes in after a crash, there is one to present.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::seal::{self, Bound, Unsealable};
use crate::source::SourceError;
use crate::source::credentials::Secrets;

/// What is kept, as whoever keeps it sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Hash of what the token comes from.
    pub origin: String,
    /// The token, sealed.
    pub bytes: Vec<u8>,
}

/// Where one source's token is kept: what is put there survives a loss of power.
pub trait Shelf: Send + Sync + fmt::Debug {
    /// What lies there.
    ///
    /// # Errors
    /// `Unreachable` if it cannot be read.
    fn find(&self) -> BoxFuture<'_, Result<Option<Sealed>, SourceError>>;

    /// Puts something there, and waits until it is on the disk; unless something of another origin
    /// than `before` has come there meanwhile, which counts.
    ///
    /// # Errors
    /// `Unreachable` if it cannot be written; what was there is there then.
    fn put(&self, before: Option<String>, sealed: Sealed)
    -> BoxFuture<'_, Result<(), SourceError>>;
}

/// By which a source's tokens are kept.
#[derive(Clone)]
pub struct Keeping {
    /// The source's name, to which they are bound.
    pub source: String,
    /// The key by which they are sealed.
    pub key: Arc<dyn Secrets>,
    /// Where they are.
    pub shelf: Arc<dyn Shelf>,
}

/// What is kept, opened. It holds secrets, so there is no `Debug`.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) origin: String,
    pub(super) tokens: Vec<SecretString>,
}

/// What is inside a seal.
#[derive(Deserialize, Serialize)]
struct Inside {
    refresh_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

impl Kept {
    /// The newest token of that origin, and the one before it.
    pub(super) fn new(origin: String, token: SecretString, previous: Option<SecretString>) -> Self {
        Self { origin, tokens: [token].into_iter().chain(previous).collect() }
    }
}

impl Keeping {
    /// What is kept, as it lies there.
    pub(super) async fn find(&self) -> Result<Option<Sealed>, SourceError> {
        self.shelf.find().await
    }

    /// Opens it.
    ///
    /// # Errors
    /// Those of the key; `Misconfigured` if it was sealed by another one.
    pub(super) async fn open(&self, sealed: &Sealed) -> Result<Kept, SourceError> {
        let key = self.key.secret().await?;
        let bound = Bound { source: &self.source, origin: &sealed.origin };
        let plain = seal::open(&key, bound, &sealed.bytes).map_err(unusable)?;
        let inside: Inside =
            serde_json::from_slice(&plain).map_err(|_| unusable(Unsealable::Other))?;
        let previous = inside.previous.map(SecretString::from);
        Ok(Kept::new(sealed.origin.clone(), inside.refresh_token.into(), previous))
    }

    /// Seals it.
    ///
    /// # Errors
    /// Those of the key; `Misconfigured` if it is none.
    pub(super) async fn seal(&self, kept: &Kept) -> Result<Sealed, SourceError> {
        sealed(&self.source, &self.key, kept).await
    }
}

/// Seals what is to be kept for a source.
///
/// # Errors
/// Those of the key; `Misconfigured` if it is none.
pub(super) async fn sealed(
    source: &str,
    key: &Arc<dyn Secrets>,
    kept: &Kept,
) -> Result<Sealed, SourceError> {
    let key = key.secret().await?;
    let mut tokens = kept.tokens.iter().map(|token| token.expose_secret().to_owned());
    let refresh_token = tokens.next().unwrap_or_default();
    let inside = Inside { refresh_token, previous: tokens.next() };
    let plain = serde_json::to_vec(&inside).unwrap_or_default();
    let bound = Bound { source, origin: &kept.origin };
    let bytes = seal::seal(&key, bound, &plain).map_err(unusable)?;
    Ok(Sealed { origin: kept.origin.clone(), bytes })
}

fn unusable(why: Unsealable) -> SourceError {
    let hint = match why {
        Unsealable::Key => "make one: openssl rand -base64 32",
        Unsealable::Random => return SourceError::Unreachable(why.to_string()),
        Unsealable::Other => "give that key again, or sign in again (keepwarm login)",
    };
    SourceError::Misconfigured(format!("{why}; hint: {hint}"))
}
