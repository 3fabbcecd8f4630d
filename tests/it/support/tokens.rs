//! A provider of tokens on loopback: it has people sign in, exchanges refresh tokens for access tokens
//! that the Dovecot beside it believes, keeps every request, and fails as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

use super::sign_in::{self, SignIns};

/// What signs access tokens; Dovecot has it too.
pub(crate) const KEY: &[u8] = b"canary-hmac-key-0123456789abcdef";

/// Whose tokens they are, as Dovecot is told.
pub(crate) const ISSUER: &str = "https://id.us.example";

/// The first refresh token that a provider takes.
pub(crate) const REFRESH: &str = "canary-refresh-0";

/// What a provider does with the refresh token that it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It stays valid.
    Kept,
    /// Only the one in the answer is valid from then on.
    Exchanged,
    /// So is the one that was shown, until that in the answer is.
    Graceful,
}

/// Whether a refresh token comes with an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renewed {
    Yes,
    No,
}

/// The form fields of one request.
pub(crate) type Form = BTreeMap<String, String>;

/// Name and value of a header.
pub(crate) type Header = (&'static str, &'static str);

/// A running provider; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Provider {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    /// Whose access tokens it gives out.
    pub(super) user: String,
    /// Sign-ins under way.
    pub(super) sign_ins: SignIns,
    rotation: Rotation,
    pub(super) valid: String,
    /// What else is taken.
    shown: Option<String>,
    /// How long access tokens live, in seconds, after `lives`.
    life: i64,
    pub(super) requests: Vec<Form>,
    delay: Duration,
    /// How long the next access tokens live, in seconds; an hour when there are no more.
    lives: VecDeque<i64>,
    granted: Vec<String>,
    failure: Option<(u16, Vec<Header>, String)>,
}

impl Provider {
    /// One that gives out tokens for this user.
    pub(crate) fn start(user: &str, rotation: Rotation) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared {
            user: user.to_owned(),
            sign_ins: SignIns::default(),
            rotation,
            valid: REFRESH.to_owned(),
            shown: None,
            life: 3600,
            requests: Vec::new(),
            delay: Duration::ZERO,
            lives: VecDeque::new(),
            granted: Vec::new(),
            failure: None,
        }));
        let stop = CancellationToken::new();
        let (held, ends) = (Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || serve(listener, held, &ends));
        Self { address, shared, stop, thread: Some(thread) }
    }

    /// The token endpoint; the query must never be seen in a log.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/token?tenant=canary-in-a-query", self.address)
    }

    /// The authorization endpoint.
    pub(crate) fn authorization_url(&self) -> String {
        format!("http://{}/authorize", self.address)
    }

    /// Where a device asks for a code.
    pub(crate) fn device_url(&self) -> String {
        format!("http://{}/device", self.address)
    }

    /// Does something to the sign-ins under way, or looks at them.
    pub(crate) fn sign_ins<T>(&self, act: impl FnOnce(&mut SignIns) -> T) -> T {
        act(&mut self.shared.lock().unwrap().sign_ins)
    }

    /// Whoever signs in does so as somebody else from now on.
    pub(crate) fn is_used_by(&self, user: &str) {
        user.clone_into(&mut self.shared.lock().unwrap().user);
    }

    /// Every request for a token so far.
    pub(crate) fn requests(&self) -> Vec<Form> {
        self.shared.lock().unwrap().requests.clone()
    }

    /// The refresh tokens that were presented so far.
    pub(crate) fn presented(&self) -> Vec<String> {
        self.requests().iter().filter_map(|form| form.get("refresh_token").cloned()).collect()
    }

    /// The access tokens that were given out so far.
    pub(crate) fn granted(&self) -> Vec<String> {
        self.shared.lock().unwrap().granted.clone()
    }

    /// The refresh token that is valid now.
    pub(crate) fn valid(&self) -> String {
        self.shared.lock().unwrap().valid.clone()
    }

    /// Takes another refresh token from now on, as after a new sign-in.
    pub(crate) fn sign_in(&self, refresh_token: &str) {
        refresh_token.clone_into(&mut self.shared.lock().unwrap().valid);
    }

    /// Answers so much later from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        self.shared.lock().unwrap().delay = delay;
    }

    /// All access tokens but the next ones live for so many seconds from now on.
    pub(crate) fn live(&self, seconds: i64) {
        self.shared.lock().unwrap().life = seconds;
    }

    /// The next access tokens live for so many seconds each.
    pub(crate) fn lives(&self, seconds: &[i64]) {
        self.shared.lock().unwrap().lives.extend(seconds);
    }

    /// Answers every request like this from now on.
    pub(crate) fn fail(&self, status: u16, headers: &[Header], body: &str) {
        self.shared.lock().unwrap().failure = Some((status, headers.to_vec(), body.to_owned()));
    }

    /// Answers as it should again.
    pub(crate) fn recover(&self) {
        self.shared.lock().unwrap().failure = None;
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An access token (JWT, HS256) for a user that lives for so many seconds.
pub(crate) fn access_token(user: &str, life: i64) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = keepwarm::clock::Clock::System.now().seconds();
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(serde_json::json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(serde_json::json!({
        "iss": ISSUER, "sub": user, "email": user, "scope": "mail",
        "iat": now - 60, "nbf": now - 60, "exp": now + life,
        "jti": format!("canary-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
    }));
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(format!("{head}.{claims}").as_bytes());
    format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn serve(listener: TcpListener, shared: Arc<Mutex<Shared>>, stop: &CancellationToken) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let app = Router::new()
            .route("/authorize", get(sign_in::authorize))
            .route("/device", post(sign_in::device))
            .fallback(exchange)
            .with_state(shared);
        tokio::select! {
            served = async { axum::serve(listener, app).await } => served.unwrap(),
            () = stop.cancelled() => {}
        }
    });
    runtime.shutdown_background();
}

async fn exchange(
    State(shared): State<Arc<Mutex<Shared>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let (answer, delay) = {
        let mut shared = shared.lock().unwrap();
        let form: Form = form_urlencoded::parse(&body).into_owned().collect();
        (answer(&mut shared, form), shared.delay)
    };
    tokio::time::sleep(delay).await;
    answer
}

fn answer(shared: &mut Shared, form: Form) -> Response {
    let presented = form.get("refresh_token").cloned();
    let valid = presented.as_ref().is_some_and(|p| *p == shared.valid)
        || (presented.is_some() && presented == shared.shown);
    let signs_in = sign_in::judge(&mut shared.sign_ins, &form);
    shared.requests.push(form);
    if let Some((status, headers, body)) = shared.failure.clone() {
        let headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        return (StatusCode::from_u16(status).unwrap(), headers, body).into_response();
    }
    match signs_in {
        Some(Ok(())) => return granted(shared, Renewed::Yes),
        Some(Err(error)) => {
            let body = format!("{{\"error\":\"{error}\",\"error_description\":\"canary-words\"}}");
            return (StatusCode::BAD_REQUEST, body).into_response();
        }
        None => {}
    }
    if !valid {
        let body = r#"{"error":"invalid_grant","error_description":"AADSTS70008: canary-words"}"#;
        return (StatusCode::BAD_REQUEST, body).into_response();
    }
    if shared.rotation == Rotation::Graceful {
        shared.shown = presented;
    }
    let kept = shared.rotation == Rotation::Kept;
    granted(shared, if kept { Renewed::No } else { Renewed::Yes })
}

/// An access token, with a refresh token if that is a new one.
fn granted(shared: &mut Shared, renewed: Renewed) -> Response {
    let life = shared.lives.pop_front().unwrap_or(shared.life);
    let token = access_token(&shared.user, life);
    shared.granted.push(token.clone());
    let mut grant = serde_json::json!({
        "access_token": token,
        "token_type": "Bearer", "expires_in": if life > 0 { life } else { 3600 },
    });
    if renewed == Renewed::Yes {
        shared.valid = format!("canary-refresh-{}", shared.requests.len());
        grant["refresh_token"] = shared.valid.clone().into();
    }
    grant.to_string().into_response()
}
