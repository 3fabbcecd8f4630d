//! A provider to a whole organisation: it gives tokens to an app in its own right (RFC 6749, 4.4) and to
//! a service account for the people of the organisation (RFC 7523), and has a calendar of Microsoft 365
//! and one of Google for each of them, with one meeting in it.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::dovecot::APP;
use super::tokens::{Form, access_token};

/// RFC 7523, 2.1.
const ASSERTION: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A running provider; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Company {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// The addresses of its people.
    people: Vec<String>,
    /// What the service account's assertions are verified by.
    key: Vec<u8>,
    /// In whose name each token is that was given out.
    given: Mutex<BTreeMap<String, String>>,
    /// Every request for a token: its grant and scope, and in whose name.
    asked: Mutex<Vec<String>>,
}

impl Company {
    /// One of these people, whose service account has that public key.
    pub(crate) fn start(people: &[&str], key: &[u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            people: people.iter().map(ToString::to_string).collect(),
            key: key.to_vec(),
            given: Mutex::default(),
            asked: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let (held, ends) = (Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || serve(listener, held, &ends));
        Self { address, shared, stop, thread: Some(thread) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request for a token so far, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.shared.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: TcpListener, shared: Arc<Shared>, stop: &CancellationToken) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let app = Router::new()
            .route("/token", post(token))
            .route("/v1.0/users/{whose}/calendarView", get(graph))
            .route("/calendar/v3/calendars/primary/events", get(google))
            .with_state(shared);
        tokio::select! {
            served = async { axum::serve(listener, app).await } => served.unwrap(),
            () = stop.cancelled() => {}
        }
    });
    runtime.shutdown_background();
}

async fn token(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let (whom, scope) = match &*form["grant_type"] {
        "client_credentials" => {
            let known = form["client_id"] == "kw" && form["client_secret"] == "canary-client";
            (known.then(|| APP.to_owned()), form["scope"].clone())
        }
        ASSERTION => asserted(&shared, &form["assertion"]),
        other => panic!("{other}"),
    };
    let Some(whom) = whom else {
        let body = json!({"error": "invalid_grant", "error_description": "canary-words"});
        return (StatusCode::BAD_REQUEST, body.to_string()).into_response();
    };
    shared.asked.lock().unwrap().push(format!("{whom} {scope}"));
    let token = access_token(&whom, 3600);
    shared.given.lock().unwrap().insert(token.clone(), whom);
    json!({"access_token": token, "token_type": "Bearer", "expires_in": 3599})
        .to_string()
        .into_response()
}

/// In whose name an assertion is, if it is by the service account for one of the people.
fn asserted(shared: &Shared, jwt: &str) -> (Option<String>, String) {
    let (said, signature) = jwt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &shared.key);
    key.verify(said.as_bytes(), &signature).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(said.split_once('.').unwrap().1).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let whom = claims["sub"].as_str().unwrap().to_owned();
    (Some(whom).filter(|whom| shared.people.contains(whom)), claims["scope"].to_string())
}

/// In whose name a request is, by its token.
fn bearer(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let token = headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
    shared.given.lock().unwrap().get(token).cloned()
}

/// "List calendarView" of Microsoft Graph.
async fn graph(
    State(shared): State<Arc<Shared>>,
    Path(whose): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if bearer(&shared, &headers).as_deref() != Some(APP) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if !shared.people.contains(&whose) {
        let body = json!({"error": {"code": "ErrorInvalidUser", "message": "canary-words"}});
        return (StatusCode::NOT_FOUND, body.to_string()).into_response();
    }
    let query = query.unwrap_or_default();
    let asked: Form = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let starts = "2026-11-09T08:00:00.0000000";
    let within = *asked["startDateTime"] <= *starts && *starts < *asked["endDateTime"];
    let person = |who: &str| json!({"address": who, "name": "canary-name"});
    let event = json!({
        "id": format!("graph-{whose}"), "type": "singleInstance", "iCalUId": format!("graph-{whose}"),
        "start": {"dateTime": starts, "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-09T08:30:00.0000000", "timeZone": "UTC"},
        "isAllDay": false, "isCancelled": false, "isDraft": false, "showAs": "busy",
        "sensitivity": "normal", "responseStatus": {"response": "organizer"},
        "organizer": {"emailAddress": person(&whose)},
        "attendees": [{"type": "required", "status": {"response": "accepted"},
            "emailAddress": person("bo@acme.example")}],
    });
    let events = if within { vec![event] } else { Vec::new() };
    json!({ "value": events }).to_string().into_response()
}

/// "Events: list" of Google's Calendar API.
async fn google(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let Some(whose) = bearer(&shared, &headers).filter(|whose| shared.people.contains(whose))
    else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    json!({"nextSyncToken": "t", "items": [{
        "id": "single", "status": "confirmed", "iCalUID": format!("google-{whose}"), "sequence": 0,
        "start": {"dateTime": "2026-11-02T13:00:00Z"}, "end": {"dateTime": "2026-11-02T14:00:00Z"},
        "organizer": {"email": whose, "self": true}, "eventType": "default",
        "attendees": [
            {"email": whose, "organizer": true, "self": true, "responseStatus": "accepted"},
            {"email": "bo@acme.example", "responseStatus": "accepted"}],
    }]})
    .to_string()
    .into_response()
}
