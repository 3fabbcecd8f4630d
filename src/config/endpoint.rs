//! Judges one `[[endpoint]]`: whether nudges may travel to it, how they are signed and in what form.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::problem::Problem;
use super::raw::RawEndpoint;
use super::route::{Known, route};
use super::schema::{PREVIOUS_SECRET, SECRET, TEMPLATE};
use super::secret::SecretSource;
use super::settings::{Endpoint, Format, TemplateText};
use super::validate::Item;
use super::words;

/// How long one attempt may take where nothing is said, in seconds: receivers of webhooks answer
/// at once or are down.
const TIMEOUT_SECONDS: u64 = 15;

/// Requests a second where nothing is said.
const REQUESTS_PER_SECOND: u32 = 5;

/// What a template's body is where nothing is said.
const CONTENT_TYPE: &str = "application/json";

/// The endpoint, if all of it is right.
pub(super) fn endpoint(
    item: &mut Item<'_>,
    mut raw: RawEndpoint,
    known: &Known<'_>,
    credentials: Option<&PathBuf>,
) -> Option<Endpoint> {
    let name = item.required("name", raw.name.take());
    let url = item.required("url", raw.url.take()).and_then(|url| Url::parse(&url).ok());
    if let Some(url) = &url {
        protected(item, url, raw.allow_http);
        retired(item, url);
    }
    let format = format(item, &mut raw);
    let route = route(item, &mut raw, known);
    let chat = matches!(format, Some(Format::Slack | Format::Teams));
    let digest = raw.digest.unwrap_or(chat);
    let (allow_private, timeout) = (raw.allow_private, raw.timeout_seconds);
    let rate = NonZeroU32::new(raw.requests_per_second.unwrap_or(REQUESTS_PER_SECOND));
    let (secret, previous_secret) = secrets(item, raw, credentials);
    Some(Endpoint {
        name: name?,
        url: url?,
        allow_private: allow_private.unwrap_or(false),
        secret,
        previous_secret,
        timeout: Duration::from_secs(timeout.unwrap_or(TIMEOUT_SECONDS)),
        requests_per_second: rate.unwrap_or(NonZeroU32::MIN),
        format: format?,
        digest,
        kinds: route.kinds,
        reps: route.reps,
        organisations: route.organisations,
    })
}

/// The ways to what signs, and to what signed before it. A chat is trusted for its URL.
fn secrets(
    item: &mut Item<'_>,
    raw: RawEndpoint,
    credentials: Option<&PathBuf>,
) -> (Option<SecretSource>, Option<SecretSource>) {
    for (key, secret) in [("secret", &raw.secret), ("previous_secret", &raw.previous_secret)] {
        if secret.as_ref().is_some_and(|secret| !words::is_webhook_secret(secret)) {
            let message = format!("`endpoint.{key}` must be {WEBHOOK_SECRET}");
            item.report(key, Problem::error(message));
        }
    }
    let ways = SecretSource::ways(
        raw.secret,
        raw.secret_file,
        raw.secret_credential,
        raw.secret_command,
        credentials,
    );
    let secret = match raw.format.as_deref() {
        None | Some("standard") => item.exactly_one(&SECRET, ways),
        Some(_) => item.at_most_one(&SECRET, ways),
    };
    let ways = SecretSource::ways(
        raw.previous_secret,
        raw.previous_secret_file,
        raw.previous_secret_credential,
        raw.previous_secret_command,
        credentials,
    );
    let previous_secret = item.at_most_one(&PREVIOUS_SECRET, ways);
    let given = PREVIOUS_SECRET.into_iter().find(|key| item.given(key));
    if let Some(key) = given.filter(|_| secret.is_none() && raw.format.is_some()) {
        let problem = Problem::error(format!("`endpoint.{key}` is given, and no secret after it"));
        item.report(key, problem.hint("set secret to the new one, or take this out"));
    }
    (secret, previous_secret)
}

/// What is sent. A template is not parsed here: that takes whoever renders it.
fn format(item: &mut Item<'_>, raw: &mut RawEndpoint) -> Option<Format> {
    let word = raw.format.as_deref().unwrap_or("standard");
    if word != "template" {
        for key in ["template", "template_file", "content_type"] {
            if item.given(key) {
                let message = format!("`endpoint.{key}` is for format = \"template\" only");
                let hint = "take it out, or set format = \"template\"";
                item.report(key, Problem::error(message).hint(hint));
            }
        }
    }
    match word {
        "slack" => Some(Format::Slack),
        "teams" => Some(Format::Teams),
        "template" => {
            let inline = raw.template.take().map(TemplateText::Inline);
            let file = raw.template_file.take().map(|path| TemplateText::File(path.into()));
            let text = item.exactly_one(&TEMPLATE, [inline, file])?;
            let content_type = raw.content_type.take().unwrap_or_else(|| CONTENT_TYPE.to_owned());
            Some(Format::Template { text, content_type })
        }
        _ => Some(Format::Standard),
    }
}

/// What a secret must be, after "must be".
pub(super) const WEBHOOK_SECRET: &str =
    "`whsec_` and the base64 of 24 to 64 bytes, or `whsk_` and that of an ed25519 key (32 or 64)";

fn protected(item: &mut Item<'_>, url: &Url, allow_http: Option<bool>) {
    let here = url.host_str().is_some_and(words::is_loopback);
    if url.scheme() == "http" && !here && !allow_http.unwrap_or(false) {
        let problem =
            Problem::error("`endpoint.url` must begin with https:// for a host elsewhere");
        item.report("url", problem.hint("or set allow_http = true"));
    }
}

/// Connectors of Microsoft 365, which have stopped working in May 2026
/// (<https://devblogs.microsoft.com/microsoft365dev/retirement-of-office-365-connectors-within-microsoft-teams/>).
fn retired(item: &mut Item<'_>, url: &Url) {
    let host = url.host_str().unwrap_or_default();
    let outlook = ["outlook.office.com", "outlook.office365.com"].contains(&host);
    if host.ends_with(".webhook.office.com") || outlook && url.path().starts_with("/webhook") {
        let message = "`endpoint.url` is a connector of Microsoft 365, which Teams has retired";
        let hint = "in Teams, make a workflow from the template \"Send webhook alerts to a channel\", \
                    and put its URL here with format = \"teams\"";
        item.report("url", Problem::error(message).hint(hint));
    }
}
