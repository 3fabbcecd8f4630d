//! What an answer of a token endpoint means: pure.
//!
//! Guarantees that nothing of an answer gets into an error but words known here and numbers: it is
//! the provider's to write, and descriptions of errors name people and repeat tokens.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::source::SourceError;
use crate::source::web::pause;

/// A token is refreshed so long before it expires, or after half of its life if that is longer.
const EARLY: Duration = Duration::from_secs(300);

/// No token is taken to last shorter: a server that says so would be asked at every login.
const SHORTEST: Duration = Duration::from_secs(10);

/// How long a token lasts whose answer does not say (RFC 6749, 5.1, only recommends it).
const USUAL_LIFE: Duration = Duration::from_secs(3600);

/// No token is taken to last longer: `expires_in` may be anything.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// An answer as far as it matters.
pub(super) struct Answer<'a> {
    /// The HTTP status.
    pub(super) status: u16,
    /// `Retry-After`.
    pub(super) retry_after: Option<&'a str>,
    /// `Date`: what time it is there, for a `Retry-After` that is an instant.
    pub(super) date: Option<&'a str>,
    /// The body, whole.
    pub(super) body: &'a [u8],
}

/// What was shown to the provider: what it refuses depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// A refresh token.
    RefreshToken,
    /// The client's own secret.
    Client,
    /// The assertion of a service account.
    Assertion,
    /// What a sign-in in a browser has given.
    Code,
    /// What a sign-in on another device is asked for by.
    DeviceCode,
}

/// An access token and what came with it. It holds secrets, so there is no `Debug`.
pub(super) struct Tokens {
    /// To log in with.
    pub(super) access_token: SecretString,
    /// For how long it is used.
    pub(super) fresh_for: Duration,
    /// What to present next time, where it is not the same as before.
    pub(super) refresh_token: Option<SecretString>,
}

/// RFC 6749, 5.1.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Value>,
    refresh_token: Option<String>,
}

/// RFC 6749, 5.2.
#[derive(Deserialize)]
struct Refused {
    error: String,
    error_description: Option<Value>,
}

/// What the answer means.
pub(super) fn verdict(answer: &Answer<'_>, presented: Presented) -> Result<Tokens, SourceError> {
    match answer.status {
        200..=299 => granted(answer.body),
        429 => Err(throttled(answer)),
        503 if answer.retry_after.is_some() => Err(throttled(answer)),
        408 | 500..=599 => Err(SourceError::Unreachable(format!(
            "the token provider has an error ({})",
            answer.status
        ))),
        300..=399 | 404 | 405 | 410 => Err(SourceError::Misconfigured(format!(
            "token_url answers {}; hint: it is not the address of a token endpoint",
            answer.status
        ))),
        _ => Err(refused(answer, presented)),
    }
}

fn granted(body: &[u8]) -> Result<Tokens, SourceError> {
    let unknown = |what: &str| SourceError::Protocol(format!("token_url answers {what}"));
    let granted: Granted =
        serde_json::from_slice(body).map_err(|_| unknown("without an access token"))?;
    let bearer = granted.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    if !bearer {
        return Err(unknown("with a token that is no bearer token"));
    }
    let life = granted.expires_in.as_ref().and_then(seconds).unwrap_or(USUAL_LIFE);
    Ok(Tokens {
        access_token: granted.access_token.into(),
        fresh_for: fresh_for(life),
        refresh_token: granted.refresh_token.filter(|token| !token.is_empty()).map(Into::into),
    })
}

/// A number of seconds; some providers write it as a string.
fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(number.max(0.0)).ok()
}

/// For how much of its life a token is used.
fn fresh_for(life: Duration) -> Duration {
    let life = life.min(LONGEST_LIFE);
    life.saturating_sub(EARLY).max(life / 2).max(SHORTEST)
}

fn throttled(answer: &Answer<'_>) -> SourceError {
    let after = answer.retry_after.and_then(|text| pause::asked(text, answer.date));
    SourceError::Throttled { after, said: "by the token provider".to_owned() }
}

fn refused(answer: &Answer<'_>, presented: Presented) -> SourceError {
    let Ok(refused) = serde_json::from_slice::<Refused>(answer.body) else {
        return SourceError::Protocol(format!("token_url answers {}", answer.status));
    };
    let code = refused.error_description.as_ref().and_then(Value::as_str).and_then(microsoft);
    let code = code.map(|code| format!(", {code}")).unwrap_or_default();
    let unauthorized = |error: &str, hint: &str| {
        SourceError::Unauthorized(format!("the token provider says {error}{code}; hint: {hint}"))
    };
    let misconfigured = |error: &str, hint: &str| {
        SourceError::Misconfigured(format!("the token provider says {error}{code}; hint: {hint}"))
    };
    let signed_out = |error: &str, hint: &str| {
        SourceError::SignedOut(format!("the token provider says {error}{code}; hint: {hint}"))
    };
    match refused.error.as_str() {
        error @ "invalid_grant" if presented == Presented::Assertion => {
            unauthorized(error, presented.grant_hint())
        }
        error @ "invalid_grant" => signed_out(error, presented.grant_hint()),
        error @ ("interaction_required" | "login_required" | "consent_required") => {
            signed_out(error, "a person must sign in again: keepwarm login")
        }
        error @ ("invalid_client" | "unauthorized_client" | "access_denied") => {
            unauthorized(error, presented.client_hint())
        }
        error @ "invalid_scope" => misconfigured(error, "check scope, or leave it out"),
        error @ ("invalid_request" | "unsupported_grant_type" | "invalid_resource") => {
            misconfigured(error, "check token_url, client_id and scope")
        }
        "slow_down" | "rate_limit_exceeded" => throttled(answer),
        error @ ("temporarily_unavailable" | "server_error") => {
            SourceError::Unreachable(format!("the token provider says {error}"))
        }
        _ => SourceError::Protocol(format!(
            "the token provider answers {} with an error that is not known{code}",
            answer.status
        )),
    }
}

impl Presented {
    /// What to do where the grant is refused.
    const fn grant_hint(self) -> &'static str {
        match self {
            Self::RefreshToken => {
                "the refresh token has expired, was revoked or is another client's: sign in again \
                 (keepwarm login), or configure another one"
            }
            Self::Code | Self::DeviceCode => {
                "the code of this sign-in has expired or was used before: begin again"
            }
            Self::Client => "check token_url, which must name the organisation's own tenant",
            Self::Assertion => {
                "check subject, which must be a person of the organisation, whether the key in \
                 key_file still exists, and this machine's clock"
            }
        }
    }

    /// What to do where the client is refused.
    const fn client_hint(self) -> &'static str {
        match self {
            Self::RefreshToken | Self::Client | Self::Code | Self::DeviceCode => {
                "check client_id and client_secret, which may have expired, and what the app is \
                 allowed to do"
            }
            Self::Assertion => {
                "let the service account act for the organisation: its client id with exactly this \
                 scope, under domain-wide delegation in the Google admin console"
            }
        }
    }
}

/// The number by which Microsoft's documentation knows an error: `AADSTS` and digits.
fn microsoft(description: &str) -> Option<String> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(9).collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn judged(status: u16, body: &str) -> Result<Tokens, SourceError> {
        let answer = Answer { status, retry_after: None, date: None, body: body.as_bytes() };
        verdict(&answer, Presented::RefreshToken)
    }

    #[test]
    fn a_grant_is_used_until_a_while_before_it_expires() {
        for (expires_in, seconds) in [
            ("3599", 3299),
            ("\"3599\"", 3299),
            ("3599.0", 3299),
            ("900", 600),
            ("300", 150),
            ("30", 15),
            ("0", 10),
            ("-1", 10),
            ("null", 3300),
            ("\"soon\"", 3300),
            ("1e300", 3300),
            ("99999999999", 30 * 86_400 - 300),
        ] {
            let body = format!(r#"{{"access_token":"a","expires_in":{expires_in},"x":[]}}"#);
            let grant = judged(200, &body).ok().unwrap();
            assert_eq!(grant.fresh_for.as_secs(), seconds, "{expires_in}");
            assert!(grant.refresh_token.is_none(), "{expires_in}");
        }
        let body = r#"{"access_token":"a","token_type":"bearer","refresh_token":"r"}"#;
        let grant = judged(200, body).ok().unwrap();
        assert_eq!(grant.access_token.expose_secret(), "a");
        assert_eq!(grant.refresh_token.unwrap().expose_secret(), "r");
    }

    #[test]
    fn every_failure_says_what_to_do_next_and_nothing_of_the_answer() {
        for (status, body, code, words) in [
            (200, "canary", "protocol", "without an access token"),
            (200, r#"{"error":"canary"}"#, "protocol", "without an access token"),
            (200, r#"{"access_token":"canary","token_type":"mac"}"#, "protocol", "no bearer"),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"canary AADSTS700082: The refresh"}"#,
                "signed_out",
                "invalid_grant, AADSTS700082; hint: the refresh token has expired",
            ),
            (400, r#"{"error":"interaction_required"}"#, "signed_out", "a person must sign in"),
            (401, r#"{"error":"invalid_client"}"#, "unauthorized", "check client_id"),
            (400, r#"{"error":"unauthorized_client"}"#, "unauthorized", "check client_id"),
            (400, r#"{"error":"invalid_scope"}"#, "misconfigured", "check scope"),
            (400, r#"{"error":"unsupported_grant_type"}"#, "misconfigured", "check token_url"),
            (400, r#"{"error":"temporarily_unavailable"}"#, "unreachable", "temporarily"),
            (400, r#"{"error":"canary"}"#, "protocol", "not known"),
            (400, r#"{"error":{"canary":1}}"#, "protocol", "answers 400"),
            (403, "<html>canary", "protocol", "answers 403"),
            (302, "canary", "misconfigured", "not the address"),
            (404, "canary", "misconfigured", "not the address"),
            (429, "canary", "throttled", "asked to wait"),
            (500, r#"{"error":"invalid_grant"}"#, "unreachable", "has an error (500)"),
            (503, "canary", "unreachable", "has an error (503)"),
        ] {
            let error = judged(status, body).err().unwrap();
            assert_eq!(error.code(), code, "{status} {body}");
            let told = error.to_string();
            assert!(told.contains(words) && !told.contains("canary"), "{status} {body}: {told}");
        }
    }

    #[test]
    fn the_hint_names_what_was_presented() {
        for (error, presented, words) in [
            ("invalid_grant", Presented::RefreshToken, "refresh token has expired"),
            ("invalid_grant", Presented::Assertion, "check subject"),
            ("unauthorized_client", Presented::Assertion, "domain-wide delegation"),
            ("invalid_client", Presented::Client, "check client_id and client_secret"),
        ] {
            let body = format!("{{\"error\":\"{error}\"}}");
            let body = body.as_bytes();
            let answer = Answer { status: 401, retry_after: None, date: None, body };
            let told = verdict(&answer, presented).err().unwrap().to_string();
            assert!(told.contains(words), "{error} {presented:?}: {told}");
        }
    }

    #[test]
    fn a_pause_is_taken_from_whoever_asks_for_one() {
        for status in [429, 503] {
            let answer = Answer { status, retry_after: Some("120"), date: None, body: b"" };
            let Some(SourceError::Throttled { after, .. }) =
                verdict(&answer, Presented::Client).err()
            else {
                panic!("{status} asks to wait")
            };
            assert_eq!(after, Some(Duration::from_secs(120)), "{status}");
        }
    }
}
