//! The one place that makes HTTP clients, so that every request has the same limits.
//!
//! Guarantees of a [`Client`]: TLS by rustls on ring with the platform's roots (and those
//! configured), no redirects, no proxy, an end to every wait, and no connection to an address
//! that its [`AddressPolicy`] refuses, whether the host was a name or a literal. It leaves
//! authentication, retries and redirects worth following to its users.
//!
//! Proxies: none is taken from the environment, for any client. A proxy resolves and connects in
//! our place, which would make the check of the peer's address void.

mod address;
mod certificate;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Method, RequestBuilder, Response, Url};

pub use address::{AddressPolicy, Refusal, admits, admits_host};
pub use certificate::not_after;
pub use tls::{TlsError, install_crypto, tls_config};

/// What every request says of itself.
pub const USER_AGENT: &str = concat!("keepwarm/", env!("CARGO_PKG_VERSION"));

/// How long a connection may take to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a whole exchange may take where its user sets nothing shorter.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long an idle connection is kept: shorter than the keep-alive of common servers.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// How the name of a host becomes addresses, whose ports do not matter.
pub type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// A client bound to an address policy. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    policy: AddressPolicy,
}

/// One client for each policy, for callers whose policy comes with each request.
#[derive(Clone, Debug)]
pub struct Clients {
    public: Client,
    private: Client,
}

/// The body of an answer, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// The beginning, as long as the limit; the rest was left unread.
    Cut(Vec<u8>),
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The roots of trust are missing or unreadable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP library refused its settings.
    #[error("building the http client: {0}")]
    Build(#[source] reqwest::Error),
}

impl Client {
    /// A client under `policy` that trusts the platform's roots and those of `extra_roots_pem`.
    ///
    /// # Errors
    /// Where the machine has no roots of trust, or the extra ones cannot be read.
    pub fn new(policy: AddressPolicy, extra_roots_pem: Option<&[u8]>) -> Result<Self, ClientError> {
        Self::resolving(policy, extra_roots_pem, by_system())
    }

    /// The same with a way of its own to resolve names: what it says is judged like anything else.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn resolving(
        policy: AddressPolicy,
        extra_roots_pem: Option<&[u8]>,
        lookup: Lookup,
    ) -> Result<Self, ClientError> {
        install_crypto();
        let mut tls = Arc::unwrap_or_clone(tls_config(extra_roots_pem)?);
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        #[expect(clippy::disallowed_methods, reason = "this is the place that sets the limits")]
        let inner = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .dns_resolver(GuardedResolver { policy, lookup })
            .build()
            .map_err(ClientError::Build)?;
        Ok(Self { inner, policy })
    }

    /// Begins a request. A host that is an address is checked here, since no resolver sees it;
    /// names are checked when they are resolved, and that is what is connected to.
    ///
    /// # Errors
    /// The reason why the literal address is refused.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Refusal> {
        admits_host(self.policy, url.host_str().unwrap_or_default())?;
        Ok(self.inner.request(method, url))
    }

    /// Whether the policy admits whom the answer came from. Only admitted addresses are connected
    /// to; this is a second look, at the connection itself, before anything of the answer is used.
    ///
    /// # Errors
    /// The reason why not.
    pub fn admits_peer(&self, answer: &Response) -> Result<(), Refusal> {
        answer.remote_addr().map_or(Ok(()), |peer| admits(self.policy, peer.ip()))
    }
}

impl Clients {
    /// Both clients, with the platform's roots and those of `extra_roots_pem`.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(extra_roots_pem: Option<&[u8]>) -> Result<Self, ClientError> {
        Self::resolving(extra_roots_pem, &by_system())
    }

    /// The same with a way of their own to resolve names.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn resolving(extra_roots_pem: Option<&[u8]>, lookup: &Lookup) -> Result<Self, ClientError> {
        let client = |policy| Client::resolving(policy, extra_roots_pem, Arc::clone(lookup));
        Ok(Self {
            public: client(AddressPolicy::Public)?,
            private: client(AddressPolicy::AllowPrivate)?,
        })
    }

    /// The client of that policy.
    #[must_use]
    pub fn of(&self, policy: AddressPolicy) -> &Client {
        match policy {
            AddressPolicy::Public => &self.public,
            AddressPolicy::AllowPrivate => &self.private,
        }
    }
}

/// Reads at most `limit` bytes of the answer's body, counted after decompression.
///
/// # Errors
/// Where the connection breaks or the time runs out before that.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Body, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            return Ok(Body::Cut(body));
        }
    }
    Ok(Body::Whole(body))
}

/// The refusal behind a failed request, if the resolver met only addresses it may not use.
#[must_use]
pub fn refusal(error: &reqwest::Error) -> Option<Refusal> {
    causes(error).find_map(|cause| cause.downcast_ref::<Refusal>().copied())
}

/// The TLS failure behind a failed request, if that is what it was.
#[must_use]
pub fn tls_failure(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| unwrapped(cause).downcast_ref())
}

/// The error and everything that it says caused it.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |cause| cause.source())
}

/// What an I/O error was made from, which `source` passes over.
fn unwrapped<'e>(
    cause: &'e (dyn std::error::Error + 'static),
) -> &'e (dyn std::error::Error + 'static) {
    let mut cause = cause;
    while let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
    {
        cause = inner;
    }
    cause
}

/// Asks the system.
fn by_system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    })
}

/// Resolves names and passes on only the addresses that the policy admits: these, and no others that
/// a second question might bring, are connected to.
struct GuardedResolver {
    policy: AddressPolicy,
    lookup: Lookup,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            let admitted = address::admitted(policy, &found)?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}
