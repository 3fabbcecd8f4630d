//! A service's own interface: GET with an access token (RFC 6750), an answer in JSON.
//!
//! Guarantees that a token which is refused is replaced once in each request, as one that has
//! expired meanwhile must be, and that an answer is bounded. What it means is its reader's to say.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use super::{asked_pause, get, unanswered, whole};
use crate::http::Client;
use crate::source::SourceError;
use crate::source::credentials::{Credentials, Secrets};

/// The longest answer, in bytes after decompression: a thousand events of two hundred people.
const MAX_BYTES: usize = 64 << 20;

/// An interface and what it is asked with.
#[derive(Clone, Debug)]
pub(in crate::source) struct Api {
    /// Asks.
    pub(in crate::source) client: Client,
    /// The access token.
    pub(in crate::source) credentials: Credentials,
    /// Whose interface it is, for people.
    pub(in crate::source) who: &'static str,
}

/// An answer. It tells who meets whom, so there is no `Debug`.
pub(in crate::source) struct Reply {
    /// The HTTP status.
    pub(in crate::source) status: u16,
    /// For how long it asks to be left alone.
    pub(in crate::source) pause: Option<Duration>,
    /// The body, whole.
    pub(in crate::source) body: Vec<u8>,
}

impl Api {
    /// Asks for `url`, with these lines of `Prefer` (RFC 7240).
    ///
    /// # Errors
    /// Those of the token; `Unreachable` and `Protocol` if there is no whole answer, and
    /// `Misconfigured` if the host's address may not be asked.
    pub(in crate::source) async fn get(
        &self,
        url: &Url,
        prefer: &'static str,
    ) -> Result<Reply, SourceError> {
        let token = self.secrets().secret().await?;
        let reply = self.ask(url, prefer, &token).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        self.secrets().refused(&token);
        let token = self.secrets().secret().await?;
        let reply = self.ask(url, prefer, &token).await?;
        if reply.status == 401 {
            self.secrets().refused(&token);
        }
        Ok(reply)
    }

    fn secrets(&self) -> &Arc<dyn Secrets> {
        match &self.credentials {
            Credentials::Password(secrets) | Credentials::Token(secrets) => secrets,
        }
    }

    async fn ask(
        &self,
        url: &Url,
        prefer: &'static str,
        token: &SecretString,
    ) -> Result<Reply, SourceError> {
        let asking = format!("asking {}", self.who);
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| {
                SourceError::Unauthorized("the token is none that can be sent".to_owned())
            })?;
        value.set_sensitive(true);
        let mut request = get(&self.client, url, "api_url")?.header(AUTHORIZATION, value);
        request = request.header(ACCEPT, "application/json");
        if !prefer.is_empty() {
            request = request.header("prefer", prefer);
        }
        let response = request.send().await.map_err(|error| unanswered(&asking, &error))?;
        let status = response.status().as_u16();
        let answer = whole(response, MAX_BYTES, &asking).await?;
        Ok(Reply { status, pause: asked_pause(&answer.headers), body: answer.body })
    }
}

/// What a status means that has no meaning of its own to the interface.
pub(in crate::source) fn failed(who: &str, reply: &Reply, code: &str) -> SourceError {
    let code = if code.is_empty() { String::new() } else { format!(", {code}") };
    let says = format!("{who} answers {}{code}", reply.status);
    match reply.status {
        401 => SourceError::Unauthorized(format!(
            "{says}; hint: the token has expired, or is one for something else: check what it is \
             made from, and scope"
        )),
        403 => SourceError::Unauthorized(format!(
            "{says}; hint: the token may not read calendars: check scope, and what the app has \
             been allowed"
        )),
        404 | 410 => SourceError::Misconfigured(format!("{says}; hint: there is no such calendar")),
        429 => SourceError::Throttled { after: reply.pause, said: says },
        503 | 504 if reply.pause.is_some() => {
            SourceError::Throttled { after: reply.pause, said: says }
        }
        408 | 500..=599 => SourceError::Unreachable(says),
        _ => SourceError::Protocol(says),
    }
}

/// A code out of an answer, if it is a word: anything else may hold what is not for a log.
pub(in crate::source) fn word(code: &str) -> &str {
    let plain = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { code } else { "" }
}
