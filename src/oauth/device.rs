//! The sign-in on another device (RFC 8628): what its provider tells to show, and what an answer to
//! "has somebody signed in?" means. Pure.
//!
//! Guarantees that what is shown of an answer is a web address and a short word, and that nothing
//! else of it is.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::answer::{self, Answer, Presented, Tokens};
use crate::source::SourceError;

/// How often is asked where the provider does not say, in seconds (RFC 8628, 3.2).
const USUAL_INTERVAL: u64 = 5;
/// By how much slower after `slow_down`, in seconds (RFC 8628, 3.5).
const SLOWER: u64 = 5;
/// No slower than this, in seconds, whatever is asked for.
const SLOWEST: u64 = 60;
/// How long a sign-in is waited for at most, in seconds.
const LONGEST_LIFE: u64 = 3600;
/// The longest word that is shown for a person to type, in characters.
const LONGEST_WORD: usize = 40;

/// What a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where to go with a browser on any device.
    pub address: String,
    /// What to type there.
    pub word: String,
    /// For how long.
    pub life: Duration,
}

/// A sign-in that somebody is to do. It holds a secret, so there is no `Debug`.
pub(super) struct Asked {
    pub(super) device_code: SecretString,
    pub(super) shown: Shown,
    pub(super) interval: Duration,
}

/// What came of asking.
pub(super) enum Polled {
    /// Nobody has signed in yet: to be asked again after so long.
    NotYet(Duration),
    /// Somebody has.
    Granted(Tokens),
}

/// RFC 8628, 3.2; `verification_url` is Google's name for it.
#[derive(Deserialize)]
struct Told {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    expires_in: u64,
    interval: Option<u64>,
}

/// RFC 6749, 5.2.
#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// What the provider tells to show.
pub(super) fn asked(answer: &Answer<'_>) -> Result<Asked, SourceError> {
    if answer.status != 200 {
        let refused = answer::verdict(answer, Presented::DeviceCode).err();
        let misplaced = || SourceError::Protocol(format!("device_url answers {}", answer.status));
        return Err(match refused {
            // Words for an address are about another one.
            Some(SourceError::Misconfigured(_))
                if matches!(answer.status, 300..=399 | 404 | 405) =>
            {
                SourceError::Misconfigured(format!(
                    "device_url answers {}; hint: it is not where a device asks for a code",
                    answer.status
                ))
            }
            Some(refused) => refused,
            None => misplaced(),
        });
    }
    let unknown = || SourceError::Protocol("device_url answers without a code".to_owned());
    let told: Told = serde_json::from_slice(answer.body).map_err(|_| unknown())?;
    let web = told.verification_uri.starts_with("https://")
        || told.verification_uri.starts_with("http://");
    let plain = told.verification_uri.chars().all(|c| c.is_ascii_graphic());
    let word = told.user_code.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    let short = told.user_code.len() <= LONGEST_WORD && told.verification_uri.len() <= 2_000;
    if !(web && plain && word && short) || told.device_code.is_empty() {
        return Err(unknown());
    }
    Ok(Asked {
        device_code: told.device_code.into(),
        shown: Shown {
            address: told.verification_uri,
            word: told.user_code,
            life: Duration::from_secs(told.expires_in.min(LONGEST_LIFE)),
        },
        interval: Duration::from_secs(told.interval.unwrap_or(USUAL_INTERVAL).clamp(1, SLOWEST)),
    })
}

/// What an answer of the token endpoint means (RFC 8628, 3.5), asked every `interval` so far.
pub(super) fn polled(answer: &Answer<'_>, interval: Duration) -> Result<Polled, SourceError> {
    let refused = match answer.status {
        400..=499 => serde_json::from_slice::<Refused>(answer.body).ok(),
        _ => None,
    };
    let slower = (interval + Duration::from_secs(SLOWER)).min(Duration::from_secs(SLOWEST));
    match refused.as_ref().map(|refused| refused.error.as_str()) {
        Some("authorization_pending") => Ok(Polled::NotYet(interval)),
        Some("slow_down") => Ok(Polled::NotYet(slower)),
        Some("expired_token" | "code_expired") => Err(expired()),
        // The second is Microsoft's word.
        Some(error @ ("access_denied" | "authorization_declined")) => {
            Err(SourceError::SignedOut(format!(
                "the provider says {error}; hint: whoever signed in did not agree, or an admin has to"
            )))
        }
        _ => match answer::verdict(answer, Presented::DeviceCode) {
            Ok(tokens) => Ok(Polled::Granted(tokens)),
            // What may pass is asked again, more slowly (RFC 8628, 3.5).
            Err(SourceError::Unreachable(_) | SourceError::Throttled { .. }) => {
                Ok(Polled::NotYet(slower))
            }
            Err(error) => Err(error),
        },
    }
}

/// Nobody has signed in while it was waited for.
pub(super) fn expired() -> SourceError {
    SourceError::SignedOut("nobody has signed in in time; hint: begin again".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer<'_> {
        Answer { status, retry_after: None, date: None, body: body.as_bytes() }
    }

    #[test]
    fn what_is_shown_is_an_address_and_a_word() {
        let whole = r#"{"device_code":"canary","user_code":"WDJB-MJHT","verification_uri":
            "https://id.us.example/device","expires_in":900,"interval":1,"message":"canary"}"#;
        let asked = asked(&answer(200, whole)).ok().unwrap();
        let told = format!("{:?} {:?}", asked.shown, asked.interval);
        assert!(told.contains("WDJB-MJHT") && told.ends_with("900s } 1s"), "{told}");
        assert!(!told.contains("canary"));
        for (from, to, interval) in [
            ("verification_uri", "verification_url", 1),
            (r#","interval":1"#, "", 5),
            (r#""interval":1"#, r#""interval":0"#, 1),
            (r#""interval":1"#, r#""interval":100000"#, 60),
        ] {
            let asked = super::asked(&answer(200, &whole.replace(from, to))).ok().unwrap();
            assert_eq!(asked.interval.as_secs(), interval, "{from} {to}");
        }
        for (from, to) in [
            ("https://", "javascript:"),
            ("WDJB", "\\u001b[31m"),
            ("WDJB", "WDJB-WDJB-WDJB-WDJB-WDJB-WDJB-WDJB-WDJB-WDJB"),
            ("id.us", "id\\u202e.us"),
            (r#""user_code""#, r#""user""#),
            (r#""canary","user"#, r#""","user"#),
        ] {
            let wrong = super::asked(&answer(200, &whole.replace(from, to))).err().unwrap();
            assert_eq!(wrong.code(), "protocol", "{from} {to}: {wrong}");
        }
        for (status, body, code) in [
            (404, "", "misconfigured"),
            (400, r#"{"error":"unauthorized_client"}"#, "unauthorized"),
            (400, r#"{"error":"invalid_scope"}"#, "misconfigured"),
            (500, "", "unreachable"),
        ] {
            let error = super::asked(&answer(status, body)).err().unwrap();
            assert_eq!(error.code(), code, "{status} {body}: {error}");
            assert!(!error.to_string().contains("token_url answers"), "{error}");
        }
    }

    #[test]
    fn every_answer_says_whether_to_ask_again() {
        for (status, body, expected) in [
            (400, r#"{"error":"authorization_pending"}"#, "again 5"),
            (428, r#"{"error":"authorization_pending"}"#, "again 5"),
            (400, r#"{"error":"slow_down"}"#, "again 10"),
            (500, "", "again 10"),
            (429, "", "again 10"),
            (200, r#"{"access_token":"a","refresh_token":"r"}"#, "granted"),
            (400, r#"{"error":"expired_token"}"#, "signed_out"),
            (400, r#"{"error":"access_denied"}"#, "signed_out"),
            (400, r#"{"error":"authorization_declined"}"#, "signed_out"),
            (400, r#"{"error":"invalid_grant"}"#, "signed_out"),
            (401, r#"{"error":"invalid_client"}"#, "unauthorized"),
            (400, r#"{"error":"canary"}"#, "protocol"),
        ] {
            let found = match polled(&answer(status, body), Duration::from_secs(5)) {
                Ok(Polled::NotYet(wait)) => format!("again {}", wait.as_secs()),
                Ok(Polled::Granted(_)) => "granted".to_owned(),
                Err(error) => error.code().to_owned(),
            };
            assert_eq!(found, expected, "{status} {body}");
        }
    }
}
