//! `POST` and `DELETE /v1/nudges/{id}/feedback`: programs answer nudges, and take answers back.
//!
//! Nobody is let in without the token of `[serve]`; where none is configured, nobody is. Failures
//! are problem details (RFC 9457). Whether a nudge exists is told only to those who are let in.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Answers, Shared};
use crate::model::Timestamp;
use crate::model::feedback::{Feedback, Given, LinkKey, Outcome, Quiet, Way};

/// The most that a request holds, in bytes, with room to spare.
const BODY_BYTES: usize = 4096;

/// The routes of the API.
pub(super) fn routes<D: Answers>() -> Router<Arc<Shared<D>>> {
    Router::new()
        .route("/v1/nudges/{id}/feedback", post(answer::<D>).delete(take_back::<D>))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// What programs show to be let in.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// A token of `text`.
    #[must_use]
    pub const fn new(text: SecretString) -> Self {
        Self(text)
    }

    /// Whether `given` is the token, in a time that tells nothing of either: their keyed hashes are
    /// compared.
    fn is(&self, given: &str, key: &LinkKey) -> bool {
        let hash = |text: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
            mac.update(b"keepwarm token 1\0");
            mac.update(text.as_bytes());
            Some(mac)
        };
        let (Some(own), Some(given)) = (hash(self.0.expose_secret()), hash(given)) else {
            return false;
        };
        own.verify(&given.finalize().into_bytes()).is_ok()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    action: String,
    days: Option<u32>,
}

/// What is so now. The names of its fields are a contract.
#[derive(Serialize)]
struct Answered<'a> {
    nudge_id: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    /// When it was first asked.
    at: Timestamp,
    /// `null` is for good, or ended since.
    silent_until: Option<Timestamp>,
    /// Whether it was so before.
    repeated: bool,
}

/// Why nothing was done, as RFC 9457 has it.
#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip)]
    code: StatusCode,
}

impl Problem {
    fn new(code: StatusCode, detail: impl Into<String>) -> Self {
        let title = code.canonical_reason().unwrap_or_default();
        Self { r#type: "about:blank", title, status: code.as_u16(), detail: detail.into(), code }
    }

    fn unknown(id: &str) -> Self {
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            format!("there is no nudge {id}: its id is `nudge_id` in the webhook, `ndg_…`"),
        )
    }

    fn unstored(why: &str) -> Self {
        tracing::error!(why, "a request of the API was not answered");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "nothing was changed: ask again in a minute")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = json(self.code, "application/problem+json", &self);
        if self.code == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"keepwarm\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn json(status: StatusCode, media_type: &'static str, body: &impl Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, serde_json::to_string(body).unwrap_or_default()).into_response()
}

async fn answer<D: Answers>(
    State(shared): State<Arc<Shared<D>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let_in(&shared, &headers)?;
    let body = body.map_err(|rejection| {
        Problem::new(rejection.status(), format!("the body may have {BODY_BYTES} bytes at most"))
    })?;
    let feedback = asked(&body)?;
    let outcome = shared.daemon.answer(&id, feedback, Way::Api).await;
    match outcome.map_err(|why| Problem::unstored(&why))? {
        Outcome::Unknown => Err(Problem::unknown(&id)),
        Outcome::Taken(given) => Ok(answered(&id, given, false)),
        Outcome::Before(given) => Ok(answered(&id, given, true)),
        Outcome::Otherwise(given) => Err(Problem::new(
            StatusCode::CONFLICT,
            format!(
                "it was answered with {} at {}: take that back first (DELETE)",
                given.feedback.code(),
                given.at
            ),
        )),
    }
}

async fn take_back<D: Answers>(
    State(shared): State<Arc<Shared<D>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let_in(&shared, &headers)?;
    let taken = shared.daemon.take_back(&id).await.map_err(|why| Problem::unstored(&why))?;
    if taken { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(Problem::unknown(&id)) }
}

/// Whether the request shows the token.
fn let_in<D>(shared: &Shared<D>, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = &shared.access.token else {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "the API is closed: `[serve] token` is not configured",
        ));
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = given.and_then(|text| text.split_once(' ')).and_then(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
    });
    match bearer {
        Some(given) if token.is(given, &shared.access.key) => Ok(()),
        _ => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "`Authorization: Bearer TOKEN` is needed, with the token of `[serve]`",
        )),
    }
}

fn asked(body: &[u8]) -> Result<Feedback, Problem> {
    const SHAPE: &str = "`action` must be \"done\", \"snooze\", \"not_relevant\" or \
                         \"wrong_person\", and `days` 7, 30 or 90 with \"snooze\" and only there";
    let asked: Asked = serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, SHAPE),
        _ => Problem::new(StatusCode::BAD_REQUEST, "the body must be a JSON object"),
    })?;
    Feedback::of_action(&asked.action, asked.days)
        .ok_or_else(|| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, SHAPE))
}

fn answered(id: &str, given: Given, repeated: bool) -> Response {
    let silent_until = match given.quiet {
        Quiet::Until(at) => Some(at),
        Quiet::ForGood | Quiet::Ended => None,
    };
    let answered = Answered {
        nudge_id: id,
        action: given.feedback.action(),
        days: given.feedback.days(),
        at: given.at,
        silent_until,
        repeated,
    };
    json(StatusCode::OK, "application/json", &answered)
}
