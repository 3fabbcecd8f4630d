//! Judges what a source logs in with: a password, an access token, or a way to get tokens.

use std::path::PathBuf;

use reqwest::Url;

use super::problem::Problem;
use super::raw::{RawOauth, RawSource};
use super::schema::{BEARER, CLIENT_SECRET, LOGIN, OF_GRANT, REFRESH_TOKEN};
use super::secret::SecretSource;
use super::settings::{Grant, Login, Oauth};
use super::validate::Item;
use super::words;

/// The words for grants.
const REFRESHING: &str = "refresh_token";
const IN_ITS_OWN_RIGHT: &str = "client_credentials";
const SERVICE_ACCOUNT: &str = "service_account";

/// Where service accounts ask for tokens.
const GOOGLE_TOKENS: &str = "https://oauth2.googleapis.com/token";

/// The one way to log in that is given, if all of it is right.
pub(super) fn login(
    item: &mut Item<'_>,
    kind: &str,
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
        oauth(&mut item.inside("source.oauth", "oauth"), kind, raw, credentials)
            .map(|oauth| Login::Oauth(Box::new(oauth)))
    });
    let passwords = passwords.map(|way| way.map(Login::Password));
    let tokens = tokens.map(|way| way.map(Login::Token));
    let ways = passwords.into_iter().chain(tokens).chain([oauth.flatten()]);
    let keys: &[&str] = if matches!(kind, "imap" | "caldav") { &LOGIN } else { &BEARER };
    item.exactly_one(keys, ways)
}

fn oauth(
    item: &mut Item<'_>,
    kind: &str,
    raw: RawOauth,
    credentials: Option<&PathBuf>,
) -> Option<Oauth> {
    let word = raw.grant.clone().unwrap_or_else(|| REFRESHING.to_owned());
    strangers(item, &word);
    let token_url = match word.as_str() {
        SERVICE_ACCOUNT => Some(raw.token_url.clone().unwrap_or_else(|| GOOGLE_TOKENS.to_owned())),
        _ => item.required("token_url", raw.token_url.clone()),
    };
    let token_url = token_url.and_then(|url| Url::parse(&url).ok());
    if let Some(url) = &token_url {
        protected(item, url);
    }
    let scope = raw.scope.clone().or_else(|| usual_scope(kind, &word).map(str::to_owned));
    let scope = match word.as_str() {
        REFRESHING => Some(scope),
        _ => item.required("scope", scope).map(Some),
    };
    let grant = match word.as_str() {
        SERVICE_ACCOUNT => item.required("key_file", raw.key_file).map(|key_file| {
            Grant::ServiceAccount { key_file: PathBuf::from(key_file), subject: raw.subject }
        }),
        _ => client(item, &word, raw, credentials),
    };
    Some(Oauth { token_url: token_url?, scope: scope?, grant: grant? })
}

/// A grant for which a client is registered at the provider.
fn client(
    item: &mut Item<'_>,
    word: &str,
    raw: RawOauth,
    credentials: Option<&PathBuf>,
) -> Option<Grant> {
    let client_id = item.required("client_id", raw.client_id);
    let ways = SecretSource::ways(
        raw.client_secret,
        raw.client_secret_file,
        raw.client_secret_credential,
        raw.client_secret_command,
        credentials,
    );
    if word == IN_ITS_OWN_RIGHT {
        let client_secret = item.exactly_one(&CLIENT_SECRET, ways);
        let (client_id, client_secret) = (client_id?, client_secret?);
        return Some(Grant::ClientCredentials { client_id, client_secret });
    }
    let client_secret = item.at_most_one(&CLIENT_SECRET, ways);
    let ways = SecretSource::ways(
        raw.refresh_token,
        raw.refresh_token_file,
        raw.refresh_token_credential,
        raw.refresh_token_command,
        credentials,
    );
    let refresh_token = item.at_most_one(&REFRESH_TOKEN, ways);
    Some(Grant::RefreshToken { client_id: client_id?, client_secret, refresh_token })
}

/// Reports the keys that other grants have.
fn strangers(item: &mut Item<'_>, grant: &str) {
    for (name, grants) in OF_GRANT {
        if item.given(name) && !grants.contains(&grant) {
            let grants = grants.join(" or ");
            let message =
                format!("`source.oauth.{name}` is for grant {grants}, but the grant is {grant}");
            item.report(name, Problem::error(message).hint("take it out, or set another grant"));
        }
    }
}

/// What has to be asked for to read a source of that kind, where nothing is said.
fn usual_scope(kind: &str, grant: &str) -> Option<&'static str> {
    Some(match (kind, grant) {
        ("imap", SERVICE_ACCOUNT) => "https://mail.google.com/",
        ("google_calendar", SERVICE_ACCOUNT) => {
            "https://www.googleapis.com/auth/calendar.events.readonly"
        }
        ("imap", IN_ITS_OWN_RIGHT) => "https://outlook.office365.com/.default",
        ("graph_calendar", IN_ITS_OWN_RIGHT) => "https://graph.microsoft.com/.default",
        _ => return None,
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
