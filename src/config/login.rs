//! Judges what a source logs in with: a password, an access token, or a way to get tokens.

use std::path::PathBuf;

use reqwest::Url;

use super::problem::Problem;
use super::raw::{RawOauth, RawSource};
use super::schema::{CLIENT_SECRET, LOGIN, REFRESH_TOKEN};
use super::secret::SecretSource;
use super::settings::{Login, Oauth};
use super::validate::Item;
use super::words;

/// The one way to log in that is given, if all of it is right.
pub(super) fn login(
    item: &mut Item<'_>,
    raw: &mut RawSource,
    credentials: Option<&PathBuf>,
) -> Option<Login> {
    let passwords = SecretSource::ways(
        raw.password.take(),
        raw.password_file.take(),
        raw.password_credential.take(),
        raw.password_command.take(),
        credentials,
    );
    let tokens = SecretSource::ways(
        None,
        raw.token_file.take(),
        raw.token_credential.take(),
        raw.token_command.take(),
        credentials,
    );
    let oauth = raw.oauth.take().map(|raw| {
        oauth(&mut item.inside("source.oauth", "oauth"), raw, credentials)
            .map(|oauth| Login::Oauth(Box::new(oauth)))
    });
    let passwords = passwords.map(|way| way.map(Login::Password));
    let tokens = tokens.map(|way| way.map(Login::Token));
    let ways = passwords.into_iter().chain(tokens).chain([oauth.flatten()]);
    item.exactly_one(&LOGIN, ways)
}

fn oauth(item: &mut Item<'_>, raw: RawOauth, credentials: Option<&PathBuf>) -> Option<Oauth> {
    let token_url = item.required("token_url", raw.token_url);
    let token_url = token_url.and_then(|url| Url::parse(&url).ok());
    if let Some(url) = &token_url {
        protected(item, url);
    }
    let client_id = item.required("client_id", raw.client_id);
    let ways = SecretSource::ways(
        raw.client_secret,
        raw.client_secret_file,
        raw.client_secret_credential,
        raw.client_secret_command,
        credentials,
    );
    let client_secret = item.at_most_one(&CLIENT_SECRET, ways);
    let ways = SecretSource::ways(
        raw.refresh_token,
        raw.refresh_token_file,
        raw.refresh_token_credential,
        raw.refresh_token_command,
        credentials,
    );
    let refresh_token = item.exactly_one(&REFRESH_TOKEN, ways);
    Some(Oauth {
        token_url: token_url?,
        client_id: client_id?,
        client_secret,
        refresh_token: refresh_token?,
        scope: raw.scope,
    })
}

/// What is asked there is worth as much as a password.
fn protected(item: &mut Item<'_>, url: &Url) {
    let here = url.host_str().is_some_and(words::is_loopback);
    if url.scheme() == "http" && !here {
        let message = "`source.oauth.token_url` must begin with https:// for a host elsewhere";
        item.report("token_url", Problem::error(message));
    }
}
