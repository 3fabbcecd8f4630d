//! One request to a token endpoint: sends what is presented and reads the answer.
//!
//! Guarantees that it ends within 30 seconds, that at most 64 KiB of an answer are read, and that
//! neither the URL's query nor anything of the form gets into an error.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::{Method, Response, Url};
use secrecy::ExposeSecret as _;

use super::answer::{self, Answer, Presented, Tokens};
use super::ticket::Ticket;
use crate::http::{self, Body, Client};
use crate::source::SourceError;
use crate::source::web::unanswered;

/// How long a whole exchange with the provider may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How much of an answer is read, in bytes: tokens of some providers are several KiB long.
const ANSWER_LIMIT: usize = 64 << 10;

/// What is being done, in errors.
const ASKING: &str = "asking token_url for a token";

/// Presents the ticket.
pub(super) async fn send(
    client: &Client,
    token_url: &Url,
    ticket: &Ticket,
) -> Result<Tokens, SourceError> {
    let request = client
        .request(Method::POST, token_url.clone())
        .map_err(|why| SourceError::Misconfigured(format!("token_url is not asked: {why}")))?;
    let sent = request
        .timeout(TIMEOUT)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(form(ticket))
        .send()
        .await;
    answered(sent.map_err(|error| unanswered(ASKING, &error))?, ticket.presented).await
}

fn form(ticket: &Ticket) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &ticket.form {
        form.append_pair(name, value.expose_secret());
    }
    form.finish()
}

async fn answered(response: Response, presented: Presented) -> Result<Tokens, SourceError> {
    let status = response.status().as_u16();
    let header = |name| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let (retry_after, date) = (header(RETRY_AFTER), header(DATE));
    let body = match http::read_body(response, ANSWER_LIMIT).await {
        Ok(Body::Whole(body)) => body,
        Ok(Body::Cut(_)) => {
            return Err(SourceError::Protocol(
                "token_url answers with more than 64 KiB".to_owned(),
            ));
        }
        Err(error) => return Err(unanswered(ASKING, &error)),
    };
    let (retry_after, date) = (retry_after.as_deref(), date.as_deref());
    answer::verdict(&Answer { status, retry_after, date, body: &body }, presented)
}
