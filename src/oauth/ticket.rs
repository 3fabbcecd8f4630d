//! What is presented to a provider for an access token, by the kind of grant.
//!
//! Guarantees that every secret is looked up anew for each exchange, and that a ticket which was
//! refused is known again as long as nothing it is made of changes.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::answer::{Presented, Tokens};
use super::keep::Kept;
use super::{Grant, Settings, assertion};
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
    /// The one that is presented.
    token: SecretString,
    /// What is kept: the newest, and the one before it.
    kept: Kept,
    /// The origin of what was kept when this was looked up.
    before: Option<String>,
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

    /// The same with the refresh token before the newest, if there is one and this is not it.
    pub(super) fn with_previous(&self) -> Option<Self> {
        let refresh = self.refresh.as_ref()?;
        let [newest, previous] = refresh.kept.tokens.as_slice() else { return None };
        if refresh.token.expose_secret() != newest.expose_secret() {
            return None;
        }
        let put = |(name, value): &(&'static str, SecretString)| {
            let value = if *name == "refresh_token" { previous } else { value };
            (*name, value.clone())
        };
        let refresh = Refresh {
            token: previous.clone(),
            kept: refresh.kept.clone(),
            before: refresh.before.clone(),
        };
        Some(Self {
            form: self.form.iter().map(put).collect(),
            presented: self.presented,
            id: self.id.clone(),
            refresh: Some(refresh),
        })
    }

    /// What to keep after a grant, in the place of what was of that origin before: another refresh
    /// token than the newest that is kept, with the one that it was got by.
    pub(super) fn exchanged(&self, tokens: &Tokens) -> Option<(Kept, Option<String>)> {
        let refresh = self.refresh.as_ref()?;
        let newest = tokens.refresh_token.as_ref().unwrap_or(&refresh.token);
        let same = |other: &SecretString| other.expose_secret() == newest.expose_secret();
        if refresh.kept.tokens.first().is_some_and(same) {
            return None;
        }
        let previous = Some(refresh.token.clone()).filter(|token| !same(token));
        let kept = Kept::new(refresh.kept.origin.clone(), newest.clone(), previous);
        Some((kept, refresh.before.clone()))
    }
}

/// RFC 6749, 6: the newest refresh token that came from the configured one, or from the last sign-in
/// where none is configured.
async fn refreshing(settings: &Settings) -> Result<Ticket, SourceError> {
    let Grant::RefreshToken { client_id, client_secret, refresh_token, keeping } = &settings.grant
    else {
        return Err(SourceError::Misconfigured("there is no refresh token".to_owned()));
    };
    let configured = looked_up(refresh_token.as_ref()).await?;
    let client_secret = looked_up(client_secret.as_ref()).await?;
    // Nothing is exchanged for what could not be kept.
    keeping.seal(&Kept::new(String::new(), String::new().into(), None)).await?;
    let found = keeping.find().await?;
    let before = found.as_ref().map(|found| found.origin.clone());
    let origin = configured
        .as_ref()
        .map(|token| super::origin("rt_", &settings.token_url, client_id, token));
    let kept = match (found, configured, origin) {
        (Some(found), _, None) => keeping.open(&found).await?,
        (Some(found), _, Some(origin)) if found.origin == origin => keeping.open(&found).await?,
        (_, Some(token), Some(origin)) => Kept::new(origin, token, None),
        _ => return Err(nobody_has_signed_in(&keeping.source)),
    };
    let Some(token) = kept.tokens.first().cloned() else {
        return Err(nobody_has_signed_in(&keeping.source));
    };
    let secret = client_secret.as_ref().map_or("", |secret| secret.expose_secret());
    let id = public_id("", &[token.expose_secret().as_bytes(), secret.as_bytes()]);
    let mut form: Form = vec![
        ("grant_type", "refresh_token".into()),
        ("client_id", client_id.as_str().into()),
        ("refresh_token", token.clone()),
    ];
    form.extend(client_secret.map(|secret| ("client_secret", secret)));
    let refresh = Some(Refresh { token, kept, before });
    Ok(Ticket { form, presented: Presented::RefreshToken, id: Some(id), refresh })
}

fn nobody_has_signed_in(source: &str) -> SourceError {
    SourceError::SignedOut(format!("{source}: nobody has signed in; hint: keepwarm login {source}"))
}

async fn looked_up(secret: Option<&Arc<dyn Secrets>>) -> Result<Option<SecretString>, SourceError> {
    match secret {
        Some(secret) => secret.secret().await.map(Some),
        None => Ok(None),
    }
}
