//! One request to a provider: sends what is presented and reads the answer.
//!
//! Guarantees that it ends within 30 seconds, that at most 64 KiB of an answer are read, and that
//! neither the URL's query nor anything of the form gets into an error.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::{Method, Response, Url};
use secrecy::ExposeSecret as _;

use super::answer::{self, Answer, Tokens};
use super::ticket::{Form, Ticket};
use crate::http::{self, Body, Client};
use crate::source::SourceError;
use crate::source::web::unanswered;

/// How long a whole exchange with the provider may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How much of an answer is read, in bytes: tokens of some providers are several KiB long.
const ANSWER_LIMIT: usize = 64 << 10;

/// Presents the ticket.
pub(super) async fn send(
    client: &Client,
    token_url: &Url,
    ticket: &Ticket,
) -> Result<Tokens, SourceError> {
    let reply = post(client, ("token_url", token_url), &ticket.form).await?;
    answer::verdict(&reply.answer(), ticket.presented)
}

/// An answer, whole.
pub(super) struct Reply {
    status: u16,
    retry_after: Option<String>,
    date: Option<String>,
    body: Vec<u8>,
}

impl Reply {
    /// As it is judged.
    pub(super) fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            retry_after: self.retry_after.as_deref(),
            date: self.date.as_deref(),
            body: &self.body,
        }
    }
}

/// Sends a form to the address of that name.
///
/// # Errors
/// `Misconfigured` for an address that is not asked, `Unreachable` and `Protocol` for what comes or
/// does not come back.
pub(super) async fn post(
    client: &Client,
    (name, url): (&str, &Url),
    form: &Form,
) -> Result<Reply, SourceError> {
    let request = client
        .request(Method::POST, url.clone())
        .map_err(|why| SourceError::Misconfigured(format!("{name} is not asked: {why}")))?;
    let sent = request
        .timeout(TIMEOUT)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(encoded(form))
        .send()
        .await;
    let asking = format!("asking {name} for a token");
    read(sent.map_err(|error| unanswered(&asking, &error))?, name, &asking).await
}

fn encoded(form: &Form) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form {
        encoded.append_pair(name, value.expose_secret());
    }
    encoded.finish()
}

async fn read(response: Response, name: &str, asking: &str) -> Result<Reply, SourceError> {
    let status = response.status().as_u16();
    let header = |name| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let (retry_after, date) = (header(RETRY_AFTER), header(DATE));
    let body = match http::read_body(response, ANSWER_LIMIT).await {
        Ok(Body::Whole(body)) => body,
        Ok(Body::Cut(_)) => {
            return Err(SourceError::Protocol(format!("{name} answers with more than 64 KiB")));
        }
        Err(error) => return Err(unanswered(asking, &error)),
    };
    Ok(Reply { status, retry_after, date, body })
}
