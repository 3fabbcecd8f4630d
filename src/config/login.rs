//! Judges what a source logs in with: a password, an access token, or a way to get tokens.

use std::path::PathBuf;

use reqwest::Url;

use super::problem::Problem;
use super::provider::{Endpoints, Provider, SignIn};
use super::raw::{RawOauth, RawSource};
use super::schema::{BEARER, CLIENT_SECRET, LOGIN, OF_GRANT, REFRESH_TOKEN, TOKEN_PLACE};
use super::secret::SecretSource;
use super::settings::{Grant, Login, Oauth};
use super::validate::Item;
use super::words::{self, TOKEN_URL};

/// The words for grants.
const REFRESHING: &str = "refresh_token";
const IN_ITS_OWN_RIGHT: &str = "client_credentials";
const SERVICE_ACCOUNT: &str = "service_account";

/// What is logged in to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The source's kind.
    pub(super) kind: &'a str,
    /// The server's host, where the source names it.
    pub(super) host: Option<&'a str>,
}

/// The one way to log in that is given, if all of it is right.
pub(super) fn login(
    item: &mut Item<'_>,
    place: Place<'_>,
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
        oauth(&mut item.inside("source.oauth", "oauth"), place, raw, credentials)
            .map(|oauth| Login::Oauth(Box::new(oauth)))
    });
    let passwords = passwords.map(|way| way.map(Login::Password));
    let tokens = tokens.map(|way| way.map(Login::Token));
    let ways = passwords.into_iter().chain(tokens).chain([oauth.flatten()]);
    let keys: &[&str] = if matches!(place.kind, "imap" | "caldav") { &LOGIN } else { &BEARER };
    item.exactly_one(keys, ways)
}

fn oauth(
    item: &mut Item<'_>,
    place: Place<'_>,
    raw: RawOauth,
    credentials: Option<&PathBuf>,
) -> Option<Oauth> {
    let word = raw.grant.clone().unwrap_or_else(|| REFRESHING.to_owned());
    strangers(item, &word);
    let known = known(item, place, &word, &raw);
    let token_url = address(item, "token_url", raw.token_url.as_deref())
        .or_else(|| Url::parse(&known.endpoints.as_ref()?.token).ok());
    if token_url.is_none() && !item.given("token_url") && !item.given("tenant") && !known.told {
        let message = format!("`source.oauth.token_url` is missing: it must be {}", TOKEN_URL.what);
        let hint = "or write provider = \"google\" or \"microsoft\", if it is one of them";
        item.report("token_url", Problem::error(message).hint(hint));
    }
    let usual = usual_scope(place.kind, &word).map(str::to_owned);
    let scope = match word.as_str() {
        REFRESHING => Some(raw.scope.clone()),
        _ => item.required("scope", raw.scope.clone().or(usual)).map(Some),
    };
    let grant = match word.as_str() {
        SERVICE_ACCOUNT => item.required("key_file", raw.key_file).map(|key_file| {
            Grant::ServiceAccount { key_file: PathBuf::from(key_file), subject: raw.subject }
        }),
        _ => {
            let sign_in = sign_in(item, place, &known, &raw);
            client(item, &word, raw, sign_in, credentials)
        }
    };
    Some(Oauth { token_url: token_url?, scope: scope?, grant: grant? })
}

/// What is known of who gives the tokens.
struct Known {
    provider: Option<Provider>,
    endpoints: Option<Endpoints>,
    /// Whether what is missing was reported.
    told: bool,
}

/// Whose tokens they are: as written, else as an address of theirs tells, else as the source does.
fn known(item: &mut Item<'_>, place: Place<'_>, grant: &str, raw: &RawOauth) -> Known {
    let token_url = raw.token_url.as_deref().and_then(|url| Url::parse(url).ok());
    let written = raw.provider.as_deref().and_then(Provider::of_word);
    let provider = written.or_else(|| match (&token_url, grant) {
        (Some(url), _) => Provider::of_token_url(url),
        (None, SERVICE_ACCOUNT) => Some(Provider::Google),
        (None, _) => Provider::of_source(place.kind, place.host),
    });
    let mut told = false;
    let unreadable = item.given("provider") && raw.provider.is_none();
    if item.given("tenant") && provider != Some(Provider::Microsoft) && !unreadable {
        let message = "`source.oauth.tenant` is for provider microsoft";
        let hint = "take it out, or write provider = \"microsoft\"";
        item.report("tenant", Problem::error(message).hint(hint));
        told = true;
    }
    if provider == Some(Provider::Microsoft)
        && grant == IN_ITS_OWN_RIGHT
        && !TOKEN_PLACE.iter().any(|key| item.given(key))
    {
        let message = "`source.oauth.tenant` is missing: an app acts in one organisation only";
        let hint = "write the organisation's id, or its domain such as \"us.example\"";
        item.report("tenant", Problem::error(message).hint(hint));
        told = true;
    }
    item.at_most_one::<()>(&TOKEN_PLACE, []);
    let endpoints = provider.filter(|_| !told).and_then(|provider| match &token_url {
        Some(url) => provider.beside(url),
        None => Some(provider.endpoints(raw.tenant.as_deref())),
    });
    Known { provider, endpoints, told }
}

/// How somebody signs in, as far as it is known.
fn sign_in(item: &mut Item<'_>, place: Place<'_>, known: &Known, raw: &RawOauth) -> SignIn {
    let endpoints = known.endpoints.as_ref();
    let usual = |url: Option<&String>| url.and_then(|url| Url::parse(url).ok());
    let scope = || known.provider?.scope(place.kind).map(str::to_owned);
    SignIn {
        provider: known.provider,
        authorization_url: address(item, "authorization_url", raw.authorization_url.as_deref())
            .or_else(|| usual(endpoints.map(|known| &known.authorization))),
        device_url: address(item, "device_url", raw.device_url.as_deref())
            .or_else(|| usual(endpoints.and_then(|known| known.device.as_ref()))),
        scope: raw.scope.clone().or_else(scope),
    }
}

/// The address under a key; what is asked there is worth as much as a password.
fn address(item: &mut Item<'_>, name: &str, url: Option<&str>) -> Option<Url> {
    let url = Url::parse(url?).ok()?;
    let here = url.host_str().is_some_and(words::is_loopback);
    if url.scheme() == "http" && !here {
        let message =
            format!("`source.oauth.{name}` must begin with https:// for a host elsewhere");
        item.report(name, Problem::error(message));
    }
    Some(url)
}

/// A grant for which a client is registered at the provider.
fn client(
    item: &mut Item<'_>,
    word: &str,
    raw: RawOauth,
    sign_in: SignIn,
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
    Some(Grant::RefreshToken {
        client_id: client_id?,
        client_secret,
        refresh_token,
        sign_in: Box::new(sign_in),
    })
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
