//! Whether somebody can sign in for a source, and how; else why not, and what to do instead.

use crate::cli::{Failure, ask};
use crate::config::{self, Config, Grant, Login, Provider, SecretSource, SignIn, SourceKind};
use secrecy::SecretString;

/// How somebody signs in for a source.
pub(super) struct Terms<'a> {
    pub(super) source: &'a config::Source,
    pub(super) oauth: &'a config::Oauth,
    pub(super) client_id: &'a str,
    pub(super) client_secret: Option<SecretString>,
    pub(super) sign_in: &'a SignIn,
    /// Who is expected to sign in.
    pub(super) whom: Option<&'a str>,
}

impl<'a> Terms<'a> {
    /// For the source of that name.
    ///
    /// # Errors
    /// Why nobody can sign in for it.
    pub(super) fn of(config: &'a Config, name: &str) -> Result<Self, Failure> {
        let source = named(config, name)?;
        let (login, username) = login_of(source)?;
        let oauth = match login {
            Login::Oauth(oauth) => oauth,
            Login::Password(_) => {
                return Err(refused(name, "logs in with a password", INSTEAD));
            }
            Login::Token(_) => {
                let why = "logs in with a token that somebody else keeps fresh";
                return Err(refused(name, why, INSTEAD));
            }
        };
        let (client_id, client_secret, refresh_token, sign_in) = match &oauth.grant {
            Grant::RefreshToken { client_id, client_secret, refresh_token, sign_in } => {
                (client_id, client_secret, refresh_token, sign_in)
            }
            Grant::ClientCredentials { .. } => {
                let why = "is read by an app in its own right: nobody signs in for it";
                return Err(refused(name, why, "`keepwarm doctor` tries it"));
            }
            Grant::ServiceAccount { .. } => {
                let why = "is read by a service account: nobody signs in for it";
                return Err(refused(name, why, "`keepwarm doctor` tries it"));
            }
        };
        if refresh_token.is_some() {
            let why = "has a refresh token in the configuration, which wins over a sign-in";
            return Err(refused(name, why, "take refresh_token... out of its [source.oauth]"));
        }
        let rep = config.reps.iter().find(|rep| rep.id == source.rep);
        let address = rep.and_then(|rep| rep.addresses.first()).map(String::as_str);
        Ok(Self {
            source,
            oauth,
            client_id,
            client_secret: client_secret.as_ref().map(|s| secret(name, s)).transpose()?,
            sign_in,
            whom: username.or(address),
        })
    }

    /// Where a browser goes.
    ///
    /// # Errors
    /// If that is not known.
    pub(super) fn authorization_url(&self) -> Result<&'a reqwest::Url, Failure> {
        self.sign_in.authorization_url.as_ref().ok_or_else(|| {
            let hint = "write provider = \"google\" or \"microsoft\" in its [source.oauth], or \
                        authorization_url, which the provider's documentation names";
            refused(&self.source.name, "does not say where one signs in", hint)
        })
    }

    /// Where a device asks for a code.
    ///
    /// # Errors
    /// If there is no such place.
    pub(super) fn device_url(&self) -> Result<&'a reqwest::Url, Failure> {
        self.sign_in.device_url.as_ref().ok_or_else(|| match self.sign_in.provider {
            Some(Provider::Google) => {
                let why = "is Google's, which gives no rights to mail or calendars by a device code";
                let hint = "sign in by a browser: the same without --device";
                refused(&self.source.name, why, hint)
            }
            Some(Provider::Microsoft) | None => {
                let hint = "write device_url in its [source.oauth], or sign in by a browser: the same \
                            without --device";
                refused(&self.source.name, "does not say where a device asks for a code", hint)
            }
        })
    }
}

/// What to write for a login that nobody can sign in for.
const INSTEAD: &str =
    "write [source.oauth] instead, with provider and client_id: README, Signing in with OAuth";

fn refused(name: &str, why: &str, hint: &str) -> Failure {
    ask::refused(&format!("source {name} {why}"), hint)
}

fn named<'a>(config: &'a Config, name: &str) -> Result<&'a config::Source, Failure> {
    if let Some(found) = config.sources.iter().find(|source| source.name == name) {
        return Ok(found);
    }
    let names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
    let below = format!("{name}/");
    let hint = match names.iter().find(|one| one.starts_with(&below)) {
        Some(one) => format!("it is one for each rep: name one of them, such as {one}"),
        None if names.is_empty() => "there is no [[source]] yet".to_owned(),
        None => format!("there are {}", names.join(", ")),
    };
    Err(ask::refused(&format!("there is no source called {name}"), &hint))
}

/// What it logs in with, and as whom, if it says so.
fn login_of(source: &config::Source) -> Result<(&Login, Option<&str>), Failure> {
    Ok(match &source.kind {
        SourceKind::Imap(imap) => (&imap.login, Some(imap.username.as_str())),
        SourceKind::Caldav(dav) => (&dav.login, Some(dav.username.as_str())),
        SourceKind::GoogleCalendar(api) | SourceKind::GraphCalendar(api) => {
            (&api.login, api.username.as_deref())
        }
        SourceKind::Maildir { .. } | SourceKind::Ics { .. } | SourceKind::Feed(_) => {
            return Err(refused(&source.name, "needs no login: nobody signs in for it", ""));
        }
    })
}

/// What proves who we are.
fn secret(name: &str, source: &SecretSource) -> Result<SecretString, Failure> {
    source.resolve().map_err(|error| {
        let why = format!("client_secret of source {name}: {:#}", anyhow::Error::from(error));
        ask::refused(&why, &lend(source, name))
    })
}

/// How a secret comes within reach that the daemon has and whoever types a command does not.
pub(super) fn lend(source: &SecretSource, name: &str) -> String {
    match source {
        SecretSource::Credential { .. } => format!(
            "by hand, as root: CREDENTIALS_DIRECTORY=/etc/keepwarm/credentials keepwarm login {name}"
        ),
        SecretSource::File(_) => "whoever runs this must be able to read it".to_owned(),
        SecretSource::Command(_) => "run it by hand as the user who runs this".to_owned(),
        SecretSource::Inline(_) => String::new(),
    }
}
