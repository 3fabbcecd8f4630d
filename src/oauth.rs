//! Access tokens from a refresh token (RFC 6749, section 6): one [`Refresher`] for each source.
//!
//! Guarantees that one refresh at a time is under way and all who wait share its outcome; that a
//! refresh token which the provider exchanged is on disk before anything that came with it is used;
//! that a refused one is not presented again until it or the client's secret is another; and that no
//! secret shows in an error or in `Debug`. Where the first refresh token comes from, and what to do
//! after an error, is left to the caller.

mod answer;
mod keep;
mod request;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use self::answer::Grant;
use self::keep::Kept;
use crate::http::Client;
use crate::model::key::public_id;
use crate::source::SourceError;
use crate::source::credentials::{Secrets, fingerprint_of};

/// What to ask whom for. The URL may hold what is not for a log, so there is no `Debug`.
#[derive(Clone)]
pub struct Settings {
    /// The provider's token endpoint.
    pub token_url: Url,
    /// Who we are to the provider.
    pub client_id: String,
    /// What proves it, for clients that have such a thing.
    pub client_secret: Option<Arc<dyn Secrets>>,
    /// The refresh token that the admin has configured.
    pub refresh_token: Arc<dyn Secrets>,
    /// Which rights to ask for; `None` is those that the refresh token was given for.
    pub scope: Option<String>,
    /// The file for refresh tokens that the provider gives in exchange; its directory is made.
    pub kept_in: PathBuf,
}

/// A source's access token, refreshed when it is about to expire. Clones share it.
#[derive(Clone)]
pub struct Refresher(Arc<Inner>);

struct Inner {
    settings: Settings,
    client: Client,
    /// In which refreshes run.
    tasks: TaskTracker,
    cached: Mutex<Option<Access>>,
    /// Held while a refresh is under way.
    flight: tokio::sync::Mutex<Flight>,
    /// How many refreshes have ended.
    landed: AtomicU64,
}

struct Access {
    token: SecretString,
    fresh_until: Instant,
}

/// What one refresh leaves for the next.
#[derive(Default)]
struct Flight {
    /// How the last one failed, if it did.
    failed: Option<SourceError>,
    /// A ticket that was refused, by its id, and in what words.
    hopeless: Option<(String, SourceError)>,
    /// A refresh token that could not be written yet.
    unkept: Option<Kept>,
}

/// What is presented to the provider.
struct Ticket {
    refresh_token: SecretString,
    client_secret: Option<SecretString>,
    /// Hash of the configured refresh token and whom it is for.
    configured: String,
}

impl Refresher {
    /// For one source; nothing is asked for yet. `client` decides which addresses may be asked.
    /// Whoever ends the process waits for `tasks` first: for half a minute at most.
    #[must_use]
    pub fn new(settings: Settings, client: Client, tasks: TaskTracker) -> Self {
        Self(Arc::new(Inner {
            settings,
            client,
            tasks,
            cached: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
            landed: AtomicU64::new(0),
        }))
    }
}

impl Secrets for Refresher {
    /// # Errors
    /// [`SourceError::Unauthorized`] and [`SourceError::Misconfigured`] for what an admin mends,
    /// [`SourceError::Throttled`], [`SourceError::Unreachable`] and [`SourceError::Protocol`] for
    /// what may pass.
    fn secret(&self) -> BoxFuture<'_, Result<SecretString, SourceError>> {
        let inner = Arc::clone(&self.0);
        async move {
            if let Some(token) = inner.fresh() {
                return Ok(token);
            }
            let landed = inner.landed.load(Ordering::Acquire);
            // A task of its own: who waits may be dropped at any time, and with them would go a
            // refresh token that is valid no more at the provider and not yet written here.
            let tasks = inner.tasks.clone();
            let refresh = tasks.spawn(async move { inner.refresh(landed).await });
            refresh.await.unwrap_or_else(|_| Err(broken_off()))
        }
        .boxed()
    }

    fn refused(&self, secret: &SecretString) {
        let mut cached = self.0.cached.lock().unwrap_or_else(PoisonError::into_inner);
        // Another login may have had it refused before, and refreshed since.
        cached.take_if(|access| access.token.expose_secret() == secret.expose_secret());
    }

    /// That of what is configured, the refresh token and the client's secret: access tokens come
    /// and go.
    fn fingerprint(&self) -> BoxFuture<'_, Option<u16>> {
        let Settings { refresh_token, client_secret, .. } = &self.0.settings;
        async move {
            let Some(client_secret) = client_secret else {
                return refresh_token.fingerprint().await;
            };
            let refresh_token = refresh_token.secret().await.ok()?;
            Some(fingerprint_of(&[&refresh_token, &client_secret.secret().await.ok()?]))
        }
        .boxed()
    }
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = self.0.settings.token_url.origin().ascii_serialization();
        f.debug_struct("Refresher").field("provider", &provider).finish_non_exhaustive()
    }
}

impl Inner {
    /// The token at hand, if it lasts for a while yet.
    fn fresh(&self) -> Option<SecretString> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let access = cached.as_ref().filter(|access| Instant::now() < access.fresh_until)?;
        Some(access.token.clone())
    }

    /// Refreshes, unless somebody else has done so since `landed` refreshes had ended.
    async fn refresh(&self, landed: u64) -> Result<SecretString, SourceError> {
        let mut flight = self.flight.lock().await;
        if self.landed.load(Ordering::Acquire) != landed {
            if let Some(error) = &flight.failed {
                return Err(error.clone());
            }
            if let Some(token) = self.fresh() {
                return Ok(token);
            }
        }
        let outcome = self.exchange(&mut flight).await;
        flight.failed = outcome.as_ref().err().cloned();
        self.landed.fetch_add(1, Ordering::AcqRel);
        outcome
    }

    /// One exchange with the provider: present, keep, use, in this order.
    async fn exchange(&self, flight: &mut Flight) -> Result<SecretString, SourceError> {
        if let Some(kept) = flight.unkept.take() {
            self.keep(kept, flight).await?;
        }
        let ticket = self.ticket().await?;
        let id = ticket.id();
        if let Some((_, error)) = flight.hopeless.as_ref().filter(|(refused, _)| *refused == id) {
            return Err(error.clone());
        }
        let began = Instant::now();
        let grant =
            request::send(&self.client, &self.settings, &ticket).await.inspect_err(|error| {
                if matches!(error, SourceError::Unauthorized(_)) {
                    flight.hopeless = Some((id, error.clone()));
                }
            })?;
        if let Some(kept) = ticket.exchanged(&grant) {
            self.keep(kept, flight).await?;
        }
        let access = Access { token: grant.access_token, fresh_until: began + grant.fresh_for };
        let token = access.token.clone();
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(access);
        Ok(token)
    }

    /// What to present: the newest refresh token that came from the configured one.
    async fn ticket(&self) -> Result<Ticket, SourceError> {
        let mut refresh_token = self.settings.refresh_token.secret().await?;
        let client_secret = match &self.settings.client_secret {
            Some(secret) => Some(secret.secret().await?),
            None => None,
        };
        let Settings { token_url, client_id, .. } = &self.settings;
        let whose = [token_url.as_str(), client_id, refresh_token.expose_secret()];
        let configured = public_id("rt_", &whose.map(str::as_bytes));
        let path = self.settings.kept_in.clone();
        let kept = blocking(move || keep::read(&path)).await?.map_err(|error| {
            SourceError::Unreachable(format!("reading the refresh token kept: {error}"))
        })?;
        if let Some(kept) = kept.filter(|kept| kept.configured == configured) {
            refresh_token = kept.refresh_token.into();
        }
        Ok(Ticket { refresh_token, client_secret, configured })
    }

    /// Makes a refresh token durable; one that cannot be written is tried again before all else.
    async fn keep(&self, kept: Kept, flight: &mut Flight) -> Result<(), SourceError> {
        let path = self.settings.kept_in.clone();
        let (kept, written) = blocking(move || {
            let written = keep::write(&path, &kept);
            (kept, written)
        })
        .await?;
        written.map_err(|error| {
            flight.unkept = Some(kept);
            SourceError::Unreachable(format!(
                "keeping the new refresh token: {error}; hint: the directory of the database must \
                 be writable"
            ))
        })
    }
}

impl Ticket {
    /// By which a ticket that was refused is known again.
    fn id(&self) -> String {
        let secret = self.client_secret.as_ref().map_or("", |secret| secret.expose_secret());
        public_id("", &[self.refresh_token.expose_secret().as_bytes(), secret.as_bytes()])
    }

    /// What to keep of a grant: another refresh token, if it has one.
    fn exchanged(&self, grant: &Grant) -> Option<Kept> {
        let new = grant.refresh_token.as_ref()?.expose_secret();
        (new != self.refresh_token.expose_secret())
            .then(|| Kept { configured: self.configured.clone(), refresh_token: new.to_owned() })
    }
}

/// Runs what waits for a disk off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| broken_off())
}

/// A task ends early with the process, and by a fault of ours, after which the source goes on.
fn broken_off() -> SourceError {
    SourceError::Protocol("the exchange of tokens was broken off".to_owned())
}
