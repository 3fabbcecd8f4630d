//! One attempt: sends the stored bytes, signed, and tells what came back.
//!
//! Guarantees that it ends within the endpoint's timeout, that no redirect is followed, that an
//! address refused by the endpoint's policy is not connected to (and if it were, nothing of its
//! answer would be read), and that at most 4 KiB of the answer are read. What the outcome means is [`super::verdict()`]'s to say.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url};

use super::sign::{Secret, signatures};
use crate::http::{self, AddressPolicy, Body, Clients, Refusal};
use crate::model::Timestamp;

/// How much of an answer is read, in bytes: enough for an error message.
const ANSWER_LIMIT: usize = 4096;

/// A receiver of webhooks. Prints as its name: the URL may hold a token.
#[derive(Clone)]
pub struct Endpoint {
    /// Its name in the configuration.
    pub name: String,
    /// Where it listens: `http` or `https`.
    pub url: Url,
    /// What signs, the newest first: two while the receiver goes over to a new one, none where the
    /// URL is all that there is to know.
    pub secrets: Vec<Secret>,
    /// How long one attempt may take in all.
    pub timeout: Duration,
    /// Which addresses its host may have.
    pub policy: AddressPolicy,
    /// Requests a second that its host is to get at most.
    pub rate: NonZeroU32,
    /// What its bodies are: `application/json` and its like.
    pub content_type: String,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A message to deliver, the same in every attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `webhook-id`: by it the receiver knows a repetition.
    pub id: String,
    /// The body, byte for byte as stored.
    pub body: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header as it came.
        retry_after: Option<String>,
        /// The beginning of the answer, for the record of attempts. Written by a stranger: control
        /// characters are replaced, the rest is as it came.
        answer: String,
    },
    /// It did not.
    Failed(Failure),
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The time ran out.
    Timeout,
    /// The host's name is not known.
    Unresolved,
    /// The host's address may not be connected to.
    Refused(Refusal),
    /// Nothing listens there, or no way leads there.
    Unconnected,
    /// The certificate or the TLS of the endpoint was not accepted, and why.
    Tls(String),
    /// The connection broke, or what came over it was not HTTP.
    Broken,
    /// The request cannot be written, such as for an id that is no header value.
    Unsendable,
}

/// Makes one attempt to deliver, signed as of `now`.
pub async fn post(
    clients: &Clients,
    endpoint: &Endpoint,
    delivery: &Delivery,
    now: Timestamp,
) -> Outcome {
    let client = clients.of(endpoint.policy);
    let request = match client.request(Method::POST, endpoint.url.clone()) {
        Ok(request) => signed(request, endpoint, delivery, now),
        Err(refusal) => return Outcome::Failed(Failure::Refused(refusal)),
    };
    match request.send().await {
        Ok(response) => match client.admits_peer(&response) {
            Ok(()) => answered(response).await,
            Err(refusal) => Outcome::Failed(Failure::Refused(refusal)),
        },
        Err(error) => Outcome::Failed(failure(&error)),
    }
}

/// The request with the headers of Standard Webhooks.
fn signed(
    request: RequestBuilder,
    endpoint: &Endpoint,
    delivery: &Delivery,
    now: Timestamp,
) -> RequestBuilder {
    let request = request
        .timeout(endpoint.timeout)
        .header(CONTENT_TYPE, &endpoint.content_type)
        .header("webhook-id", &delivery.id)
        .header("webhook-timestamp", now.seconds())
        .body(delivery.body.clone());
    if endpoint.secrets.is_empty() {
        return request;
    }
    let body = delivery.body.as_bytes();
    request.header("webhook-signature", signatures(&endpoint.secrets, &delivery.id, now, body))
}

/// Reads what is kept of an answer. The status counts even if the body cannot be read.
async fn answered(response: Response) -> Outcome {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let answer = match http::read_body(response, ANSWER_LIMIT).await {
        Ok(Body::Whole(bytes) | Body::Cut(bytes)) => printable(&bytes),
        Err(_) => String::new(),
    };
    Outcome::Answered { status, retry_after, answer }
}

/// The bytes as text of one line, without control characters.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The kind of an error. Its text is not used: it may hold the URL.
fn failure(error: &reqwest::Error) -> Failure {
    if let Some(refusal) = http::refusal(error) {
        Failure::Refused(refusal)
    } else if let Some(tls) = http::tls_failure(error) {
        Failure::Tls(tls.to_string())
    } else if error.is_timeout() {
        Failure::Timeout
    } else if error.is_dns() {
        Failure::Unresolved
    } else if error.is_connect() {
        Failure::Unconnected
    } else if error.is_builder() {
        Failure::Unsendable
    } else {
        Failure::Broken
    }
}
