//! A webhook receiver on loopback that keeps everything that comes, and answers as it is told.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With this status.
    Status(u16),
    /// With 429 and so many seconds in `Retry-After`.
    Busy(u32),
    /// Not at all, keeping the connection.
    Never,
    /// With 503 at every fifth request and 204 at the others, each after a moment.
    FourOfFive,
}

/// One request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    /// Empty where it is not signed.
    pub(crate) signature: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

/// A running receiver; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Hook {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    answer: Mutex<Answer>,
    requests: Mutex<Vec<Request>>,
}

impl Hook {
    /// A receiver on a free port that takes everything.
    pub(crate) fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), Answer::Status(204))
    }

    /// A receiver at this address.
    pub(crate) fn start_at(address: SocketAddr, answer: Answer) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { answer: Mutex::new(answer), requests: Mutex::default() });
        let stop = CancellationToken::new();
        let (held, ends) = (Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || serve(listener, held, &ends));
        Self { address, shared, stop, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where to post to; the query must never be seen in a log.
    pub(crate) fn url(&self) -> String {
        url(self.address)
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// Everything that has come so far, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits until so many requests have come; answers with them.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize, limit: Duration) -> Vec<Request> {
        let deadline = Instant::now() + limit;
        loop {
            let requests = self.requests();
            if requests.len() >= count {
                return requests;
            }
            assert!(Instant::now() < deadline, "{} of {count} requests came", requests.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Request {
    /// Whether the signature is right, reckoned from Standard Webhooks 1.0.0 and nothing else:
    /// `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body` with the decoded secret as key.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        self.signature == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The URL of a receiver at an address.
pub(crate) fn url(address: SocketAddr) -> String {
    format!("http://{address}/hooks/keepwarm?token=canary-in-a-query")
}

fn serve(listener: TcpListener, shared: Arc<Shared>, stop: &CancellationToken) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let app = Router::new().fallback(take).with_state(shared);
        tokio::select! {
            served = async { axum::serve(listener, app).await } => served.unwrap(),
            () = stop.cancelled() => {}
        }
    });
    // Hanging answers are dropped with the runtime.
    runtime.shutdown_background();
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    let signed = headers.contains_key("webhook-signature");
    let request = Request {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: if signed { text("webhook-signature") } else { String::new() },
        content_type: text("content-type"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let number = {
        let mut requests = shared.requests.lock().unwrap();
        requests.push(request);
        requests.len()
    };
    let answer = *shared.answer.lock().unwrap();
    if answer == Answer::FourOfFive {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let status = match answer {
        Answer::Status(status) => StatusCode::from_u16(status).unwrap(),
        Answer::Busy(seconds) => {
            let wait = [("retry-after", seconds.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, wait).into_response();
        }
        Answer::FourOfFive if number % 5 == 0 => StatusCode::SERVICE_UNAVAILABLE,
        Answer::FourOfFive => StatusCode::NO_CONTENT,
        Answer::Never => std::future::pending().await,
    };
    status.into_response()
}
