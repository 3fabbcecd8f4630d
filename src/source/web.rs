//! HTTP as sources need it: one GET whose answer is read whole, and words for what went wrong.
//!
//! Guarantees that an answer is bounded, and that no URL gets into an error: paths and queries of
//! calendars hold tokens. What a status means is left to each source.

pub(super) mod bearer;
pub(super) mod calendars;
pub(super) mod objects;
pub(crate) mod pause;
pub(super) mod vcalendar;

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url};

use super::SourceError;
use crate::http::{self, Body, Client};

/// An answer, as far as it matters.
pub(super) struct Answer {
    /// Its header.
    pub(super) headers: HeaderMap,
    /// Its body, whole.
    pub(super) body: Vec<u8>,
}

/// Begins a GET of `url`, for which `key` stands in errors.
///
/// # Errors
/// `Misconfigured` if the host is an address that may not be asked.
pub(super) fn get(client: &Client, url: &Url, key: &str) -> Result<RequestBuilder, SourceError> {
    let refused = |why| SourceError::Misconfigured(format!("{key} is not asked: {why}"));
    client.request(Method::GET, url.clone()).map_err(refused)
}

/// Reads an answer's body, at most `limit` bytes of it after decompression.
///
/// # Errors
/// `Unreachable` if the connection breaks, `Protocol` if the body is longer; `asking` says of what.
pub(super) async fn whole(
    response: Response,
    limit: usize,
    asking: &str,
) -> Result<Answer, SourceError> {
    let headers = response.headers().clone();
    match http::read_body(response, limit).await {
        Ok(Body::Whole(body)) => Ok(Answer { headers, body }),
        Ok(Body::Cut(_)) => {
            let mib = limit >> 20;
            Err(SourceError::Protocol(format!("{asking}: the answer is larger than {mib} MiB")))
        }
        Err(error) => Err(unanswered(asking, &error)),
    }
}

/// Why there was no answer, by its kind. The text of the error is not used: it holds the URL.
pub(crate) fn unanswered(asking: &str, error: &reqwest::Error) -> SourceError {
    let why = if let Some(refusal) = http::refusal(error) {
        refusal.to_string()
    } else if let Some(tls) = http::tls_failure(error) {
        format!("no trusted connection: {tls}{}", hint(tls))
    } else if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_dns() {
        "the host's name is not known".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "the connection broke".to_owned()
    };
    SourceError::Unreachable(format!("{asking}: {why}"))
}

/// What may help against a TLS failure.
const fn hint(tls: &rustls::Error) -> &'static str {
    match tls {
        rustls::Error::InvalidMessage(_) => {
            "; hint: the port speaks no TLS, as if it were meant for http://"
        }
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
            "; hint: ca_file, where the kind of source has it, names an authority to trust"
        }
        _ => "",
    }
}

/// A header as text, if it is some.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The pause that an answer asks for.
pub(super) fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    pause::asked(text(headers, RETRY_AFTER)?, text(headers, DATE))
}
