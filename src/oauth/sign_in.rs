//! Has somebody sign in, by a browser (RFC 6749, 4.1 with RFC 7636) or on another device (RFC 8628),
//! and seals the refresh token that comes of it.
//!
//! Guarantees that nothing is asked of a person whose sign-in could not be kept, that a code is
//! exchanged once, and that no token shows in an error. Who is asked how, and where what was sealed
//! is kept, is left to the caller.

use std::sync::Arc;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::answer::{self, Presented, Tokens};
use super::authorize::Attempt;
use super::device::{self, Asked, Polled, Shown};
use super::keep::{self, Kept, Sealed};
use super::landing::Landing;
use super::request::{Reply, post};
use super::ticket::Form;
use crate::http::Client;
use crate::source::SourceError;
use crate::source::credentials::Secrets;

/// The grant type of RFC 8628, 3.4.
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// For whom somebody is to sign in. It holds secrets, so there is no `Debug`.
pub struct Applicant {
    /// Who asks; it decides which addresses may be asked.
    pub client: Client,
    /// The provider's token endpoint.
    pub token_url: Url,
    /// Who we are to the provider.
    pub client_id: String,
    /// What proves it, for clients that have such a thing.
    pub client_secret: Option<SecretString>,
    /// The rights to ask for.
    pub scope: Option<String>,
    /// What else the browser is sent with, such as who is expected to sign in.
    pub more: Vec<(&'static str, String)>,
}

/// What a sign-in has given.
pub struct Granted {
    /// To log in with at once.
    pub access_token: SecretString,
    refresh_token: SecretString,
}

impl Applicant {
    /// Whether what comes of a sign-in could be kept for that source.
    ///
    /// # Errors
    /// Those of the key; `Misconfigured` if it is none.
    pub async fn could_keep(source: &str, key: &Arc<dyn Secrets>) -> Result<(), SourceError> {
        let nothing = Kept::new(String::new(), String::new().into(), None);
        keep::sealed(source, key, &nothing).await.map(drop)
    }

    /// Where the browser is to go so that it comes back to `landing`.
    #[must_use]
    pub fn address(&self, authorization_url: &Url, landing: &Landing) -> Url {
        let more = self.more.iter().map(|(name, value)| (*name, value.as_str()));
        let scope = self.scope.as_deref().map(|scope| ("scope", scope));
        let more: Vec<(&str, &str)> = scope.into_iter().chain(more).collect();
        landing.attempt().url(authorization_url, &self.client_id, &more)
    }

    /// Exchanges what the browser brought (RFC 6749, 4.1.3).
    ///
    /// # Errors
    /// As of every answer of a token endpoint; `Protocol` if there is no refresh token in it.
    pub async fn exchange(
        &self,
        landing: &Landing,
        code: SecretString,
    ) -> Result<Granted, SourceError> {
        let Attempt { verifier, redirect, .. } = landing.attempt();
        let mut form: Form = vec![
            ("grant_type", "authorization_code".into()),
            ("code", code),
            ("redirect_uri", redirect.as_str().into()),
            ("code_verifier", verifier.clone()),
        ];
        form.extend(self.own());
        let reply = self.ask(&form).await?;
        granted(answer::verdict(&reply.answer(), Presented::Code)?)
    }

    /// Has a person sign in on another device, who is told how by `show`, and waits for it.
    ///
    /// # Errors
    /// As of every answer; `SignedOut` if nobody signs in in time or does not agree.
    pub async fn on_a_device(
        &self,
        device_url: &Url,
        show: impl FnOnce(&Shown),
    ) -> Result<Granted, SourceError> {
        let mut form: Form = vec![("client_id", self.client_id.as_str().into())];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope.into())));
        let reply = post(&self.client, ("device_url", device_url), &form).await?;
        let Asked { device_code, shown, mut interval } = device::asked(&reply.answer())?;
        let ends = Instant::now() + shown.life;
        show(&shown);
        let mut form: Form = vec![("grant_type", DEVICE.into()), ("device_code", device_code)];
        form.extend(self.own());
        while Instant::now() + interval < ends {
            tokio::time::sleep(interval).await;
            match self.ask(&form).await {
                Ok(reply) => match device::polled(&reply.answer(), interval)? {
                    Polled::NotYet(wait) => interval = wait,
                    Polled::Granted(tokens) => return granted(tokens),
                },
                // A connection that did not come about, or broke: nothing is lost by another.
                Err(SourceError::Unreachable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(device::expired())
    }

    /// Seals what was granted, for that source.
    ///
    /// # Errors
    /// As [`Self::could_keep`].
    pub async fn seal(
        &self,
        granted: &Granted,
        source: &str,
        key: &Arc<dyn Secrets>,
    ) -> Result<Sealed, SourceError> {
        let token = &granted.refresh_token;
        let origin = super::origin("in_", &self.token_url, &self.client_id, token);
        keep::sealed(source, key, &Kept::new(origin, token.clone(), None)).await
    }

    /// What says who we are.
    fn own(&self) -> Form {
        let mut form: Form = vec![("client_id", self.client_id.as_str().into())];
        let secret = self.client_secret.as_ref();
        form.extend(secret.map(|secret| ("client_secret", secret.clone())));
        form
    }

    async fn ask(&self, form: &Form) -> Result<Reply, SourceError> {
        post(&self.client, ("token_url", &self.token_url), form).await
    }
}

fn granted(tokens: Tokens) -> Result<Granted, SourceError> {
    let refresh_token = tokens.refresh_token.filter(|token| !token.expose_secret().is_empty());
    let refresh_token = refresh_token.ok_or_else(|| {
        SourceError::Protocol(
            "the provider gives no refresh token; hint: scope lacks offline_access, or the app is \
             not one that may stay signed in"
                .to_owned(),
        )
    })?;
    Ok(Granted { access_token: tokens.access_token, refresh_token })
}
