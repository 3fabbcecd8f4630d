//! The other end of the webhook: a real receiver on loopback, as a customer would write one.
//!
//! It follows Standard Webhooks 1.0.0: a delivery counts only if its signature is right and its
//! timestamp within five minutes, and one that comes twice counts once. It guarantees to fail the
//! first good request with 503, so that a retry can be seen. What deliveries mean is left to
//! whoever reads them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::{Span, Timestamp};

/// How far a timestamp may be from the receiver's clock (Standard Webhooks, "Replay attacks").
const TOLERANCE: Span = Span::from_seconds(300);

/// The largest body read, in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// A delivery that was signed as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its `webhook-id`.
    pub id: String,
    /// The body as it came.
    pub body: String,
    /// How often it was sent, the request that was failed on purpose included.
    pub attempts: u32,
    /// Whether it was answered with 204 in the end.
    pub accepted: bool,
}

/// A running receiver; it stops when its token is cancelled.
#[derive(Debug)]
pub struct Receiver {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
}

/// Starts a receiver on a free port of 127.0.0.1 that knows `secret` (`whsec_` and base64).
///
/// # Errors
/// `InvalidInput` if the secret is not of that form, else what binding the port says.
pub async fn start(secret: &str, clock: Clock, stop: CancellationToken) -> io::Result<Receiver> {
    let key = secret
        .strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .filter(|key| !key.is_empty())
        .ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the secret is not whsec_ and base64")
        })?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/hooks/keepwarm", listener.local_addr()?);
    let shared = Arc::new(Shared { key: key.into(), clock, deliveries: Mutex::default() });
    let app = Router::new()
        .route("/hooks/keepwarm", post(receive))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::clone(&shared));
    let server = tokio::spawn(async move {
        axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await
    });
    Ok(Receiver { url, shared, server })
}

impl Receiver {
    /// Where to post to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What has come so far, each delivery once, in order of arrival.
    #[must_use]
    pub fn received(&self) -> Vec<Delivery> {
        self.shared.deliveries().clone()
    }

    /// Waits until the receiver has stopped; cancel its token first.
    ///
    /// # Errors
    /// What ended it before its time.
    pub async fn stopped(self) -> io::Result<()> {
        self.server.await.map_err(io::Error::other)?
    }
}

/// What requests share.
#[derive(Debug)]
struct Shared {
    key: SecretSlice<u8>,
    clock: Clock,
    deliveries: Mutex<Vec<Delivery>>,
}

impl Shared {
    fn deliveries(&self) -> MutexGuard<'_, Vec<Delivery>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Good and taken, now or before.
    Accepted,
    /// Good, but the first of all: to be sent again.
    FailedOnPurpose,
    /// A header is missing or cannot be read.
    Malformed,
    /// Too old, or from the future.
    Stale,
    /// Not signed with the secret.
    WrongSignature,
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let verdict = match Signed::read(&headers, &body) {
        None => Verdict::Malformed,
        Some(signed) => match verify(&signed, shared.key.expose_secret(), shared.clock.now()) {
            Ok(()) => record(&mut shared.deliveries(), &signed),
            Err(verdict) => verdict,
        },
    };
    match verdict {
        Verdict::Accepted => StatusCode::NO_CONTENT.into_response(),
        Verdict::FailedOnPurpose => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response()
        }
        Verdict::Malformed => StatusCode::BAD_REQUEST.into_response(),
        Verdict::Stale | Verdict::WrongSignature => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// The parts of a request that the signature covers, and the signature.
struct Signed<'a> {
    id: &'a str,
    timestamp: &'a str,
    signatures: &'a str,
    body: &'a str,
}

impl<'a> Signed<'a> {
    fn read(headers: &'a HeaderMap, body: &'a [u8]) -> Option<Self> {
        let text = |name: &'static str| headers.get(HeaderName::from_static(name))?.to_str().ok();
        Some(Self {
            id: text("webhook-id").filter(|id| !id.is_empty())?,
            timestamp: text("webhook-timestamp")?,
            signatures: text("webhook-signature")?,
            body: std::str::from_utf8(body).ok()?,
        })
    }
}

/// Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; of several
/// signatures, separated by blanks, one must be right. The comparison takes constant time.
fn verify(signed: &Signed<'_>, key: &[u8], now: Timestamp) -> Result<(), Verdict> {
    let seconds: i64 = signed.timestamp.parse().map_err(|_| Verdict::Malformed)?;
    let distance = (now - Timestamp::from_seconds(seconds)).millis();
    if distance.unsigned_abs() > TOLERANCE.millis().unsigned_abs() {
        return Err(Verdict::Stale);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Verdict::WrongSignature)?;
    for part in [signed.id, ".", signed.timestamp, ".", signed.body] {
        mac.update(part.as_bytes());
    }
    let right = signed
        .signatures
        .split_ascii_whitespace()
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .any(|signature| mac.clone().verify_slice(&signature).is_ok());
    if right { Ok(()) } else { Err(Verdict::WrongSignature) }
}

/// Keeps a good request. The first of all is failed; every later one is taken, and one that was
/// taken before is only counted.
fn record(deliveries: &mut Vec<Delivery>, signed: &Signed<'_>) -> Verdict {
    let first = deliveries.is_empty();
    let verdict = if first { Verdict::FailedOnPurpose } else { Verdict::Accepted };
    match deliveries.iter_mut().find(|delivery| delivery.id == signed.id) {
        Some(known) => {
            known.attempts = known.attempts.saturating_add(1);
            known.accepted = true;
        }
        None => deliveries.push(Delivery {
            id: signed.id.to_owned(),
            body: signed.body.to_owned(),
            attempts: 1,
            accepted: !first,
        }),
    }
    verdict
}

#[cfg(test)]
mod tests;
