//! Judges `[serve]`: where is listened, where links lead, and what programs show.

use std::path::PathBuf;

use reqwest::Url;

use super::problem::{Place, Problem};
use super::raw::RawServe;
use super::schema::API_TOKEN;
use super::secret::SecretSource;
use super::settings::{Config, Serve};
use super::validate::Item;
use super::words;
use crate::model::Span;

/// What the API's token must be, after "must be".
pub(super) const TOKEN_MUST_BE: &str = "16 or more characters of ASCII without blanks";

/// The section, as far as it is right.
pub(super) fn serve(item: &mut Item<'_>, raw: RawServe, credentials: Option<&PathBuf>) -> Serve {
    if raw.token.as_ref().is_some_and(|token| !words::is_api_token(token)) {
        let problem = Problem::error(format!("`serve.token` must be {TOKEN_MUST_BE}"));
        item.report("token", problem.hint("openssl rand -hex 24 makes one"));
    }
    let ways = SecretSource::ways(
        raw.token,
        raw.token_file,
        raw.token_credential,
        raw.token_command,
        credentials,
    );
    Serve {
        // Anything else than an address has been found to mean "off".
        listen: raw.listen.parse().ok(),
        public_url: raw.public_url.and_then(|url| Url::parse(&url).ok()),
        link_lifetime: Span::from_days(i64::from(raw.link_days)),
        token: item.at_most_one(&API_TOKEN, ways),
    }
}

/// What of a valid section hardly fits the world: who can reach it, and whether links lead anywhere.
pub(super) fn doubts(config: &Config) -> Vec<Problem> {
    let serve = &config.serve;
    let mut found = Vec::new();
    if let Some(listen) = serve.listen.filter(|listen| !listen.ip().is_loopback()) {
        found.push(format!(
            "`serve.listen`: other machines can reach {listen}, and there is no login"
        ));
    }
    if let Some(url) = &serve.public_url {
        let here = url.host_str().is_some_and(words::is_loopback);
        if url.scheme() == "http" && !here {
            found.push(
                "`serve.public_url`: without https, whoever is on the way can answer nudges".into(),
            );
        }
        if serve.listen.is_none() {
            found.push("`serve.public_url`: links lead nowhere, as serve.listen is \"off\"".into());
        }
    }
    if serve.token.is_some() && serve.listen.is_none() {
        found.push("`serve.token`: there is no API, as serve.listen is \"off\"".into());
    }
    let place = || Some(Place::Setting("serve".to_owned()));
    found.into_iter().map(|message| Problem::warning(message).at(place())).collect()
}
