//! Access tokens (RFC 6749) from a refresh token, for a client in its own right, or for a service
//! account: one [`Refresher`] for each source. And how a refresh token is got: an [`Applicant`] has
//! somebody sign in by a browser or on another device.
//!
//! Guarantees that one refresh at a time is under way and all who wait share its outcome; that a
//! refresh token which the provider exchanged is on disk, sealed, before anything that came with it
//! is used, and the one before it is still there; that a refused one is not presented again until it
//! or the client's secret is another; and that no secret shows in an error or in `Debug`. Where
//! tokens are kept, and what to do after an error, is left to the caller.

mod answer;
mod assertion;
mod authorize;
mod device;
mod keep;
mod landing;
mod request;
mod seal;
mod sign_in;
mod ticket;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub use self::device::Shown;
use self::keep::Kept;
pub use self::keep::{Keeping, Sealed, Shelf};
pub use self::landing::{Farewell, Landed, Landing, Outcome};
pub use self::seal::KEY_CHARACTERS;
pub use self::sign_in::{Applicant, Granted};
use self::ticket::Ticket;
use crate::http::Client;
use crate::model::Timestamp;
use crate::model::key::public_id;
use crate::source::SourceError;
use crate::source::credentials::{Secrets, fingerprint_of};

/// What to ask whom for. The URL may hold what is not for a log, so there is no `Debug`.
#[derive(Clone)]
pub struct Settings {
    /// The provider's token endpoint.
    pub token_url: Url,
    /// Which rights to ask for; `None` is those that a refresh token was given for.
    pub scope: Option<String>,
    /// By what right.
    pub grant: Grant,
}

/// By what right a token is asked for.
#[derive(Clone)]
pub enum Grant {
    /// Somebody has signed in and given us a refresh token (RFC 6749, 6).
    RefreshToken {
        /// Who we are to the provider.
        client_id: String,
        /// What proves it, for clients that have such a thing.
        client_secret: Option<Arc<dyn Secrets>>,
        /// The refresh token that the admin has configured; `None` if somebody signs in by us.
        refresh_token: Option<Arc<dyn Secrets>>,
        /// Where those are kept that a sign-in or the provider in exchange gives.
        keeping: Keeping,
    },
    /// The client acts in its own right (RFC 6749, 4.4), such as an app that the admin of a
    /// Microsoft 365 organisation has consented to.
    ClientCredentials {
        /// Who we are to the provider.
        client_id: String,
        /// What proves it.
        client_secret: Arc<dyn Secrets>,
    },
    /// A Google service account, to which the admin of an organisation has delegated the right to
    /// act in the name of its people (RFC 7523).
    ServiceAccount {
        /// Its key, as the JSON file that Google gives.
        key: Arc<dyn Secrets>,
        /// In whose name; `None` is its own.
        subject: Option<String>,
        /// Tells the time, which an assertion states.
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    },
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
    /// A refresh token that could not be written yet, and the origin of what was there before.
    unkept: Option<(Kept, Option<String>)>,
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

    /// That of what is configured: access tokens come and go.
    fn fingerprint(&self) -> BoxFuture<'_, Option<u16>> {
        match &self.0.settings.grant {
            Grant::ServiceAccount { key, .. } => key.fingerprint(),
            Grant::ClientCredentials { client_secret, .. } => client_secret.fingerprint(),
            Grant::RefreshToken { refresh_token, client_secret, keeping, .. } => {
                let whose = whose(refresh_token.as_ref(), client_secret.as_ref(), keeping);
                whose.map(Result::ok).boxed()
            }
        }
    }
}

/// The fingerprint of a refresh token that is configured, else of what the present one comes from,
/// together with the client's secret.
async fn whose(
    refresh_token: Option<&Arc<dyn Secrets>>,
    client_secret: Option<&Arc<dyn Secrets>>,
    keeping: &Keeping,
) -> Result<u16, SourceError> {
    let origin = match refresh_token {
        Some(token) => token.secret().await?,
        None => keeping.find().await?.map(|sealed| sealed.origin).unwrap_or_default().into(),
    };
    Ok(match client_secret {
        Some(secret) => fingerprint_of(&[&origin, &secret.secret().await?]),
        None => fingerprint_of(&[&origin]),
    })
}

/// Names what comes of a token without telling it.
fn origin(prefix: &str, token_url: &Url, client_id: &str, token: &SecretString) -> String {
    let whose = [token_url.as_str(), client_id, token.expose_secret()];
    public_id(prefix, &whose.map(str::as_bytes))
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
        if let Some((kept, before)) = flight.unkept.take() {
            self.keep(kept, before, flight).await?;
        }
        let mut ticket = Ticket::of(&self.settings).await?;
        let refused = flight.hopeless.as_ref().filter(|(id, _)| ticket.id.as_ref() == Some(id));
        if let Some((_, error)) = refused {
            return Err(error.clone());
        }
        let began = Instant::now();
        let mut sent = self.send(&ticket).await;
        if matches!(sent, Err(SourceError::SignedOut(_)))
            && let Some(previous) = ticket.with_previous()
        {
            ticket = previous;
            sent = self.send(&ticket).await;
        }
        let tokens = sent.inspect_err(|error| {
            if matches!(error, SourceError::Unauthorized(_) | SourceError::SignedOut(_)) {
                flight.hopeless = ticket.id.clone().map(|id| (id, error.clone()));
            }
        })?;
        if let Some((kept, before)) = ticket.exchanged(&tokens) {
            self.keep(kept, before, flight).await?;
        }
        let access = Access { token: tokens.access_token, fresh_until: began + tokens.fresh_for };
        let token = access.token.clone();
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(access);
        Ok(token)
    }

    async fn send(&self, ticket: &Ticket) -> Result<answer::Tokens, SourceError> {
        request::send(&self.client, &self.settings.token_url, ticket).await
    }

    /// Makes a refresh token durable; one that cannot be written is tried again before all else.
    async fn keep(
        &self,
        kept: Kept,
        before: Option<String>,
        flight: &mut Flight,
    ) -> Result<(), SourceError> {
        let Grant::RefreshToken { keeping, .. } = &self.settings.grant else { return Ok(()) };
        let done = async {
            let sealed = keeping.seal(&kept).await?;
            keeping.shelf.put(before.clone(), sealed).await
        };
        done.await.map_err(|error| {
            flight.unkept = Some((kept, before));
            SourceError::Unreachable(format!("keeping the new refresh token: {error}"))
        })
    }
}

/// A task ends early with the process, and by a fault of ours, after which the source goes on.
fn broken_off() -> SourceError {
    SourceError::Protocol("the exchange of tokens was broken off".to_owned())
}
