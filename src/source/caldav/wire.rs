//! One request at a time: sends it with the login's credentials and reads the answer.
//!
//! Guarantees that every request ends, that at most 32 MiB of an answer are read (after
//! decompression), that no host is asked which `trust` does not admit, that a redirect is told and
//! not followed, and that a refused token is exchanged for another once. Errors hold neither the
//! path of a URL nor anything of an answer.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::answer::{self, Head, Verdict};
use super::xml::{self, Multistatus};
use super::{Settings, trust};
use crate::http::{self, Body, Clients};
use crate::model::Timestamp;
use crate::source::credentials::Credentials;
use crate::source::{SourceError, web};

/// How much of an answer is read, in bytes: the ETags of more than 100,000 objects.
const ANSWER_LIMIT: usize = 32 << 20;

/// How long an exchange may take altogether, however steadily the answer comes.
const LONGEST: Duration = Duration::from_secs(600);

/// To what a request applies (RFC 4918, 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The collection itself.
    Zero,
    /// What is in it, too.
    One,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    /// `PROPFIND` or `REPORT`.
    pub(super) method: &'static str,
    pub(super) url: &'a Url,
    pub(super) depth: Depth,
    pub(super) body: &'a str,
}

/// An answer.
#[derive(Debug)]
pub(super) enum Reply {
    /// What was asked for.
    Multistatus(Multistatus),
    /// It is elsewhere, if the server says where.
    Moved(Option<String>),
    /// The server will not answer this, with this status.
    No(u16),
    /// The server cannot answer this now, or answers it with nonsense; it may answer others.
    Failing(SourceError),
    /// There is more of it than is read.
    TooLarge,
}

/// The way to a server, for one pass.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    pub(super) settings: &'a Settings,
    clients: &'a Clients,
    secret: SecretString,
    /// The `Date` of the last answer.
    date: Option<String>,
}

impl<'a> Wire<'a> {
    /// Looks up what to log in with; connects to nothing yet.
    pub(super) async fn open(
        settings: &'a Settings,
        clients: &'a Clients,
    ) -> Result<Self, SourceError> {
        let (Credentials::Password(secrets) | Credentials::Token(secrets)) = &settings.credentials;
        Ok(Self { settings, clients, secret: secrets.secret().await?, date: None })
    }

    /// The server's clock by its last answer.
    pub(super) fn server_at(&self) -> Option<Timestamp> {
        let date = DateTime::parse_from_rfc2822(self.date.as_deref()?).ok()?;
        Some(Timestamp::from_seconds(date.timestamp()))
    }

    /// Sends a request and reads the answer.
    pub(super) async fn ask(&mut self, ask: Ask<'_>) -> Result<Reply, SourceError> {
        let refusal = match self.once(ask).await {
            Err(SourceError::Unauthorized(why)) => SourceError::Unauthorized(why),
            done => return done,
        };
        if self.renew().await?.is_none() {
            return Err(refusal);
        }
        self.once(ask).await.inspect_err(|error| {
            if matches!(error, SourceError::Unauthorized(_)) {
                self.refused();
            }
        })
    }

    /// Another secret in the place of a refused one, if there is another: a token may have expired.
    async fn renew(&mut self) -> Result<Option<()>, SourceError> {
        self.refused();
        let Credentials::Token(secrets) = &self.settings.credentials else { return Ok(None) };
        let another = secrets.secret().await?;
        if another.expose_secret() == self.secret.expose_secret() {
            return Ok(None);
        }
        self.secret = another;
        Ok(Some(()))
    }

    fn refused(&self) {
        let (Credentials::Password(secrets) | Credentials::Token(secrets)) =
            &self.settings.credentials;
        secrets.refused(&self.secret);
    }

    async fn once(&mut self, ask: Ask<'_>) -> Result<Reply, SourceError> {
        let policy = trust::policy(&self.settings.url, ask.url)?;
        let method = Method::from_bytes(ask.method.as_bytes()).unwrap_or(Method::GET);
        let request = self.clients.of(policy).request(method, ask.url.clone());
        let request = request.map_err(|why| {
            SourceError::Misconfigured(format!("the calendar server is not asked: {why}"))
        })?;
        let depth = match ask.depth {
            Depth::Zero => "0",
            Depth::One => "1",
        };
        let request = self
            .logged_in(request)
            .timeout(LONGEST)
            .header("depth", depth)
            .header(CONTENT_TYPE, "application/xml; charset=utf-8")
            .body(ask.body.to_owned());
        match tokio::time::timeout(self.settings.response_timeout, request.send()).await {
            Ok(Ok(response)) => {
                let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
                self.date = date.map(str::to_owned);
                answered(response).await
            }
            Ok(Err(error)) => Err(web::unanswered(ASKING, &error)),
            Err(_) => Err(SourceError::Unreachable(format!("{ASKING}: no answer in time"))),
        }
    }

    fn logged_in(&self, request: RequestBuilder) -> RequestBuilder {
        let secret = self.secret.expose_secret();
        match &self.settings.credentials {
            Credentials::Password(_) => request.basic_auth(&self.settings.username, Some(secret)),
            Credentials::Token(_) => request.bearer_auth(secret),
        }
    }
}

const ASKING: &str = "asking the calendar server";

async fn answered(response: Response) -> Result<Reply, SourceError> {
    let status = response.status().as_u16();
    let header = |name: HeaderName| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let (retry_after, date) = (header(RETRY_AFTER), header(DATE));
    let (retry_after, date) = (retry_after.as_deref(), date.as_deref());
    match answer::verdict(&Head { status, retry_after, date })? {
        Verdict::Multistatus => {}
        Verdict::Moved => return Ok(Reply::Moved(header(LOCATION))),
        Verdict::No => return Ok(Reply::No(status)),
        Verdict::Failing => return Ok(Reply::Failing(answer::failing(status))),
    }
    match http::read_body(response, ANSWER_LIMIT).await {
        Ok(Body::Whole(body)) => Ok(xml::multistatus(&body).map_or_else(
            |_| {
                let why = "the calendar server answers with broken or unfinished xml";
                Reply::Failing(SourceError::Protocol(why.to_owned()))
            },
            Reply::Multistatus,
        )),
        Ok(Body::Cut(_)) => Ok(Reply::TooLarge),
        Err(error) => Err(web::unanswered(ASKING, &error)),
    }
}
