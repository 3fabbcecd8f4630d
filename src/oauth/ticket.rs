//! What is presented to a provider for an access token, by the kind of grant.
//!
//! Guarantees that every secret is looked up anew for each exchange, and that a ticket which was
//! refused is known again as long as nothing it is made of changes.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::answer::{Presented, Tokens};
use super::keep::{self, Kept};
use super::{Grant, Settings, assertion, blocking};
use crate::model::key::public_id;
use crate::source::SourceError;
use crate::source::credentials::Secrets;

/// The fields of a form, in their order.
pub(super) type Form = Vec<(&'static str, SecretString)>;

/// What is presented once.
pub(super) struct Ticket {
    /// RFC 6749, 2.3.1: the client proves itself in the form, which every provider takes.
    pub(super) form: Form,
    /// What kind of proof it is.
    pub(super) presented: Presented,
    /// By which it is known again if it is refused for good.
    pub(super) id: Option<String>,
    /// The refresh token that may be exchanged for another.
    refresh: Option<Refresh>,
}

struct Refresh {
    token: SecretString,
    /// Hash of the configured refresh token and whom it is for.
    configured: String,
}

impl Ticket {
    /// Looks up what to present.
    ///
    /// # Errors
    /// Those of the secrets; `Misconfigured` for a key that cannot be used.
    pub(super) async fn of(settings: &Settings) -> Result<Self, SourceError> {
        let mut ticket = match &settings.grant {
            Grant::RefreshToken { .. } => refreshing(settings).await?,
            Grant::ClientCredentials { client_id, client_secret } => {
                let form = vec![
                    ("grant_type", "client_credentials".into()),
                    ("client_id", client_id.as_str().into()),
                    ("client_secret", client_secret.secret().await?),
                ];
                Self { form, presented: Presented::Client, id: None, refresh: None }
            }
            Grant::ServiceAccount { key, subject, now } => {
                let claims = assertion::Claims {
                    subject: subject.as_deref(),
                    scope: settings.scope.as_deref().unwrap_or_default(),
                    audience: &settings.token_url,
                    now: now(),
                };
                let signed = assertion::signed(&key.secret().await?, &claims)
                    .map_err(|why| SourceError::Misconfigured(why.to_string()))?;
                let form = vec![("grant_type", assertion::GRANT.into()), ("assertion", signed)];
                // The scope stands in the assertion.
                return Ok(Self { form, presented: Presented::Assertion, id: None, refresh: None });
            }
        };
        ticket.form.extend(settings.scope.as_deref().map(|scope| ("scope", scope.into())));
        Ok(ticket)
    }

    /// What to keep of a grant: another refresh token, if it has one.
    pub(super) fn exchanged(&self, tokens: &Tokens) -> Option<Kept> {
        let (refresh, new) = (self.refresh.as_ref()?, tokens.refresh_token.as_ref()?);
        let new = new.expose_secret();
        (new != refresh.token.expose_secret())
            .then(|| Kept { configured: refresh.configured.clone(), refresh_token: new.to_owned() })
    }
}

/// RFC 6749, 6: the newest refresh token that came from the configured one.
async fn refreshing(settings: &Settings) -> Result<Ticket, SourceError> {
    let Grant::RefreshToken { client_id, client_secret, refresh_token, kept_in } = &settings.grant
    else {
        return Err(SourceError::Misconfigured("there is no refresh token".to_owned()));
    };
    let mut token = refresh_token.secret().await?;
    let client_secret = looked_up(client_secret.as_ref()).await?;
    let whose = [settings.token_url.as_str(), client_id, token.expose_secret()];
    let configured = public_id("rt_", &whose.map(str::as_bytes));
    let path = kept_in.clone();
    let kept = blocking(move || keep::read(&path)).await?.map_err(|error| {
        SourceError::Unreachable(format!("reading the refresh token kept: {error}"))
    })?;
    if let Some(kept) = kept.filter(|kept| kept.configured == configured) {
        token = kept.refresh_token.into();
    }
    let secret = client_secret.as_ref().map_or("", |secret| secret.expose_secret());
    let id = public_id("", &[token.expose_secret().as_bytes(), secret.as_bytes()]);
    let mut form: Form = vec![
        ("grant_type", "refresh_token".into()),
        ("client_id", client_id.as_str().into()),
        ("refresh_token", token.clone()),
    ];
    form.extend(client_secret.map(|secret| ("client_secret", secret)));
    let refresh = Some(Refresh { token, configured });
    Ok(Ticket { form, presented: Presented::RefreshToken, id: Some(id), refresh })
}

async fn looked_up(secret: Option<&Arc<dyn Secrets>>) -> Result<Option<SecretString>, SourceError> {
    match secret {
        Some(secret) => secret.secret().await.map(Some),
        None => Ok(None),
    }
}
