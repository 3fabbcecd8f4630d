//! What the daemon answers over HTTP: whether it lives, whether it can do its work, and how it goes;
//! the pages behind the links of messages, and the API by which programs answer nudges.
//!
//! Meant for loopback: the machine's own monitoring asks here, and a server with TLS passes on what
//! comes to `/feedback/` and `/v1/`. Nothing of any person is in what is told without a signed link
//! or a token. Nothing here waits for a peer without end.

pub mod link;

mod api;
mod feedback;
mod metrics;
mod page;
mod patience;
mod process;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::model::Timestamp;
use crate::model::feedback::{About, Feedback, LinkKey, Outcome, Way};

pub use api::Token;
pub use metrics::{EndpointMetrics, LoopMetrics, Metrics, NudgeMetrics, SourceMetrics};
use patience::Patient;
use process::Process;

/// How long a request may take, its body included: none takes more than one commit.
const REQUEST: Duration = Duration::from_secs(20);

/// Answers what is asked, when it is asked.
pub trait Vitals: Send + Sync + 'static {
    /// Whether what is read can be stored, and why not.
    fn ready(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// What is measured, or why it cannot be told.
    fn metrics(&self) -> impl Future<Output = Result<Metrics, String>> + Send;
}

/// Knows nudges, and takes answers to them.
pub trait Answers: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// What a nudge is about, if there is one of that public id, or why it cannot be told. Changes
    /// nothing.
    fn about(&self, nudge: &str) -> impl Future<Output = Result<Option<About>, String>> + Send;

    /// Answers a nudge, or says why that could not be stored.
    fn answer(
        &self,
        nudge: &str,
        feedback: Feedback,
        way: Way,
    ) -> impl Future<Output = Result<Outcome, String>> + Send;

    /// Takes the answer to a nudge back; whether there is such a nudge, or why it could not be
    /// stored.
    fn take_back(&self, nudge: &str) -> impl Future<Output = Result<bool, String>> + Send;
}

/// Who may answer nudges.
#[derive(Clone, Debug)]
pub struct Access {
    /// What links are signed with.
    pub key: LinkKey,
    /// What programs show; without it the API is closed.
    pub token: Option<Token>,
}

/// What requests need.
struct Shared<D> {
    daemon: Arc<D>,
    access: Access,
}

/// Binds `listen`.
///
/// # Errors
/// What the system says, such as that the port is taken.
pub async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(listen).await
}

/// Serves until `stop`: `/-/healthy` is 200 as long as the process turns, `/-/ready` is 200 or 503
/// with the reason, `/metrics` what is measured; `/feedback/…` are the pages behind links, and
/// `/v1/nudges/{id}/feedback` is the API.
///
/// # Errors
/// What the listener says.
pub async fn serve<D: Vitals + Answers>(
    listener: TcpListener,
    daemon: Arc<D>,
    access: Access,
    stop: CancellationToken,
) -> io::Result<()> {
    let answers = Router::new()
        .merge(feedback::routes::<D>())
        .merge(api::routes::<D>())
        .layer(from_fn(in_time));
    let router = Router::new()
        .route("/-/healthy", get(|| async { "ok\n" }))
        .route("/-/ready", get(ready::<D>))
        .route("/metrics", get(measured::<D>))
        .merge(answers)
        .with_state(Arc::new(Shared { daemon, access }));
    axum::serve(Patient::new(listener), router).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// Gives up on a request that takes too long, such as one whose body does not come.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

async fn ready<D: Vitals>(State(shared): State<Arc<Shared<D>>>) -> (StatusCode, String) {
    match shared.daemon.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn measured<D: Vitals>(State(shared): State<Arc<Shared<D>>>) -> Response {
    let rendered = match shared.daemon.metrics().await {
        Ok(metrics) => metrics::render(metrics, Process::read()).map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    match rendered {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests;
