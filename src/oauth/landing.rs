//! Where the browser comes back to after a sign-in: a page on this machine's loopback (RFC 8252, 7.3),
//! open while one sign-in is under way.
//!
//! Guarantees that one answer is taken, that with our own `state`; that whoever brings another one
//! changes nothing; and that the page says what came of it. It holds nothing of anybody's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::authorize::{Attempt, Brought};
use crate::source::SourceError;

/// How long a browser may take to fetch the page, once it is known what stands on it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the page may do: nothing but look like something.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// A title, and what it means.
type Page = (StatusCode, &'static str, &'static str);

const SIGNED_IN: Page =
    (StatusCode::OK, "Signed in", "keepwarm has what it needs. You may close this.");
const NOT_SIGNED_IN: Page = (
    StatusCode::OK,
    "Not signed in",
    "keepwarm says why, where it was started. You may close this.",
);
const STRANGER: Page = (
    StatusCode::BAD_REQUEST,
    "Not the answer that is waited for",
    "Open the address again that keepwarm has printed. You may close this.",
);
const OVER: Page =
    (StatusCode::GONE, "Over", "This sign-in has been answered before. You may close this.");
const NOTHING: Page = (StatusCode::NOT_FOUND, "Nothing here", "You may close this.");

/// A sign-in under way, and where its browser comes back to. What listens ends with it.
pub struct Landing {
    attempt: Arc<Attempt>,
    at: SocketAddr,
    answers: mpsc::Receiver<Landed>,
    closes: CancellationToken,
    served: JoinHandle<()>,
}

/// What a browser has brought; it waits for its page.
pub struct Landed {
    /// The code, or why there is none.
    pub brought: Result<SecretString, SourceError>,
    /// By which it gets that.
    pub page: Farewell,
}

/// Who waits for the page that ends a sign-in.
pub struct Farewell(oneshot::Sender<Page>);

/// What a sign-in has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is a login, and it is kept.
    SignedIn,
    /// There is none.
    NotSignedIn,
}

/// What the page's server knows.
#[derive(Clone)]
struct Door {
    attempt: Arc<Attempt>,
    /// Taken by the one answer that counts.
    next: Arc<Mutex<Option<mpsc::Sender<Landed>>>>,
}

impl Landing {
    /// Listens on loopback, on a free port where `port` is 0. `host` is what a browser calls it;
    /// `drawn` are random bytes.
    ///
    /// # Errors
    /// What the system says.
    pub async fn open(host: &str, port: u16, drawn: [[u8; 32]; 2]) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let at = listener.local_addr()?;
        let attempt = Arc::new(Attempt::new(format!("http://{host}:{}", at.port()), drawn));
        let (send, answers) = mpsc::channel(1);
        let next = Arc::new(Mutex::new(Some(send)));
        let app =
            Router::new().fallback(land).with_state(Door { attempt: Arc::clone(&attempt), next });
        let closes = CancellationToken::new();
        let ends = closes.clone().cancelled_owned();
        let served = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(ends).await {
                tracing::error!(%error, "the page of the sign-in cannot be served");
            }
        });
        Ok(Self { attempt, at, answers, closes, served })
    }

    /// Where it is.
    #[must_use]
    pub const fn at(&self) -> SocketAddr {
        self.at
    }

    pub(super) fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Waits until a browser has brought the answer, at most so long.
    ///
    /// # Errors
    /// `SignedOut` if none has.
    pub async fn wait(&mut self, most: Duration) -> Result<Landed, SourceError> {
        let landed = tokio::time::timeout(most, self.answers.recv()).await.ok().flatten();
        landed.ok_or_else(super::device::expired)
    }

    /// Lets the browser have its page, and listens no more.
    pub async fn close(mut self, page: Farewell, outcome: Outcome) {
        // Whoever has closed the window does not want to know.
        _ = page.0.send(match outcome {
            Outcome::SignedIn => SIGNED_IN,
            Outcome::NotSignedIn => NOT_SIGNED_IN,
        });
        self.closes.cancel();
        _ = tokio::time::timeout(PATIENCE, &mut self.served).await;
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.served.abort();
    }
}

/// One request: the answer of the provider by way of a browser, or anything else.
async fn land(State(door): State<Door>, request: Request) -> Response {
    let root = request.method() == Method::GET && request.uri().path() == "/";
    let query = request.uri().query().unwrap_or_default();
    let brought = match door.attempt.judge(query) {
        _ if !root => return page(NOTHING),
        Brought::Nothing => return page(NOTHING),
        Brought::Stranger => {
            tracing::warn!("an answer came that is not to this sign-in: it is not taken");
            return page(STRANGER);
        }
        Brought::Code(code) => Ok(code),
        Brought::Refused(error) => Err(error),
    };
    let Some(next) = door.next.lock().await.take() else { return page(OVER) };
    let (tell, told) = oneshot::channel();
    if next.send(Landed { brought, page: Farewell(tell) }).await.is_err() {
        return page(OVER);
    }
    page(told.await.unwrap_or(NOT_SIGNED_IN))
}

fn page((status, title, text): Page) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} – keepwarm</title>\
         <style>body{{font:1.0625rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;\
         padding:2.5rem 1.25rem}}</style></head>\n\
         <body><main><h1>{title}</h1>\n<p>{text}</p></main></body></html>\n"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ];
    (status, headers, Html(html)).into_response()
}
