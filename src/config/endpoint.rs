//! Judges one `[[endpoint]]`: whether nudges may travel to it and how they are signed.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::problem::Problem;
use super::raw::RawEndpoint;
use super::schema::{PREVIOUS_SECRET, SECRET};
use super::secret::SecretSource;
use super::settings::Endpoint;
use super::validate::Item;
use super::words;

/// How long one attempt may take where nothing is said, in seconds: receivers of webhooks answer
/// at once or are down.
const TIMEOUT_SECONDS: u64 = 15;

/// Requests a second where nothing is said.
const REQUESTS_PER_SECOND: u32 = 5;

/// The endpoint, if all of it is right.
pub(super) fn endpoint(
    item: &mut Item<'_>,
    raw: RawEndpoint,
    credentials: Option<&PathBuf>,
) -> Option<Endpoint> {
    let name = item.required("name", raw.name);
    let url = item.required("url", raw.url).and_then(|url| Url::parse(&url).ok());
    if let Some(url) = &url {
        protected(item, url, raw.allow_http);
    }
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
    let secret = item.exactly_one(&SECRET, ways);
    let ways = SecretSource::ways(
        raw.previous_secret,
        raw.previous_secret_file,
        raw.previous_secret_credential,
        raw.previous_secret_command,
        credentials,
    );
    let previous_secret = item.at_most_one(&PREVIOUS_SECRET, ways);
    let rate = NonZeroU32::new(raw.requests_per_second.unwrap_or(REQUESTS_PER_SECOND));
    Some(Endpoint {
        name: name?,
        url: url?,
        allow_private: raw.allow_private.unwrap_or(false),
        secret: secret?,
        previous_secret,
        timeout: Duration::from_secs(raw.timeout_seconds.unwrap_or(TIMEOUT_SECONDS)),
        requests_per_second: rate.unwrap_or(NonZeroU32::MIN),
    })
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
