//! Logging in with an OAuth access token: what is said, and what a refusal means.
//!
//! Pure. Two mechanisms carry the same token: OAUTHBEARER (RFC 7628) and the older XOAUTH2 of
//! Google and Microsoft. Both let the server explain a refusal in a challenge of base64 and JSON,
//! which must be answered before it says NO. Of that challenge only a few known words are taken
//! over: it is the server's to write, and may repeat the token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::login::Capabilities;
use super::{Settings, said};
use crate::source::SourceError;

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// RFC 7628.
    OauthBearer,
    /// Google's, which Microsoft took over.
    Xoauth2,
}

/// How a server explains a refusal (RFC 7628, 3.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Not at all.
    #[default]
    None,
    /// The token is not valid, or not any more.
    InvalidToken,
    /// It is valid, and not for reading mail.
    InsufficientScope,
    /// In words that are not known here.
    Other,
}

impl Mechanism {
    /// The one to use with a server that can do this: the standard one, where there is a choice.
    pub(super) fn choose(told: &Capabilities) -> Result<Self, SourceError> {
        if told.has("AUTH=OAUTHBEARER") {
            Ok(Self::OauthBearer)
        } else if told.has("AUTH=XOAUTH2") {
            Ok(Self::Xoauth2)
        } else {
            Err(SourceError::Misconfigured(
                "the server takes no OAuth token here; hint: use a password, or set tls = \
                 \"implicit\" or \"starttls\""
                    .to_owned(),
            ))
        }
    }

    /// Its name in AUTHENTICATE.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// What presents the token, in base64.
    ///
    /// # Errors
    /// Where user name or token hold what would break out of their place in it.
    pub(super) fn response(
        self,
        settings: &Settings,
        token: &SecretString,
    ) -> Result<String, SourceError> {
        let (user, token) = (&settings.username, token.expose_secret());
        if user.contains(['\0', '\u{1}']) {
            return Err(SourceError::Misconfigured("a control character in username".to_owned()));
        }
        if !is_token(token) {
            return Err(SourceError::Misconfigured(
                "what was found is no access token; hint: it is one word, without `Bearer` or JSON \
                 around it"
                    .to_owned(),
            ));
        }
        Ok(STANDARD.encode(match self {
            Self::OauthBearer => {
                let name = user.replace('=', "=3D").replace(',', "=2C");
                let (host, port) = (&settings.host, settings.port);
                format!(
                    "n,a={name},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {token}\u{1}\u{1}"
                )
            }
            Self::Xoauth2 => format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}"),
        }))
    }

    /// What answers the challenge that explains a refusal, so that the server goes on to its NO.
    pub(super) const fn resignation(self) -> &'static str {
        match self {
            // One byte 0x01 (RFC 7628, 3.2.3).
            Self::OauthBearer => "AQ==",
            Self::Xoauth2 => "",
        }
    }
}

impl Challenge {
    /// Reads the text of a continuation request; an empty one only asks for the credentials.
    pub(super) fn read(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Explained {
            status: String,
        }
        let text = text.trim();
        if text.is_empty() {
            return Self::None;
        }
        let explained = STANDARD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice::<Explained>(&json).ok());
        match explained.map(|explained| explained.status).as_deref() {
            // Google says 400 for whatever is wrong with a token; RFC 6750, 3.1, says the words.
            Some("invalid_token" | "400" | "401") => Self::InvalidToken,
            Some("insufficient_scope" | "403") => Self::InsufficientScope,
            _ => Self::Other,
        }
    }

    const fn words(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Other => None,
            Self::InvalidToken => Some("the token is not valid or has expired"),
            Self::InsufficientScope => Some("the token lacks the scope for IMAP"),
        }
    }
}

/// The error for a token that was answered by NO with these words.
pub(super) fn refused(text: &str, challenge: Challenge) -> SourceError {
    if let Some(error) = said::not_about_credentials(text) {
        return error;
    }
    let said = said::harmless(text);
    let explained = challenge.words().map(|words| format!(" ({words})")).unwrap_or_default();
    let hint = hint(&text.to_lowercase(), challenge);
    SourceError::Unauthorized(format!("{said}{explained}; hint: {hint}"))
}

fn hint(lower: &str, challenge: Challenge) -> &'static str {
    if lower.contains("disabled") || lower.contains("not enabled") {
        "switch IMAP on for this mailbox at the provider"
    } else if lower.contains("[authorizationfailed]") {
        "the token is good, but not for this mailbox: check username and the app's permissions"
    } else if challenge == Challenge::InsufficientScope {
        "ask for the provider's IMAP scope: https://mail.google.com/ or \
         https://outlook.office.com/IMAP.AccessAsUser.All"
    } else {
        "check username, and that the token is for this mailbox and has the provider's IMAP scope"
    }
}

/// Whether a text is an access token as RFC 6750, 2.1, has it, or close: what stands in the way of
/// nothing around it.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}\"".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(user: &str) -> Settings {
        Settings::new("imap.us.example", user, "unused".into())
    }

    #[test]
    fn the_standard_mechanism_is_preferred() {
        for (told, expected) in [
            ("AUTH=XOAUTH2 AUTH=OAUTHBEARER", Ok(Mechanism::OauthBearer)),
            ("AUTH=XOAUTH2 AUTH=PLAIN", Ok(Mechanism::Xoauth2)),
            ("AUTH=PLAIN", Err("misconfigured")),
        ] {
            let found = Mechanism::choose(&Capabilities::of(told)).map_err(|e| e.code());
            assert_eq!(found, expected, "{told}");
        }
    }

    /// The first is the example of RFC 7628, 4.1, with our host; the second Google's.
    #[test]
    fn a_token_is_presented_as_each_mechanism_has_it() {
        let token = SecretString::from("vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==");
        for (mechanism, user, expected) in [
            (
                Mechanism::OauthBearer,
                "user@example.com",
                "n,a=user@example.com,\u{1}host=imap.us.example\u{1}port=993\u{1}auth=Bearer \
                 vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\u{1}\u{1}",
            ),
            (
                Mechanism::OauthBearer,
                "a,b=c",
                "n,a=a=2Cb=3Dc,\u{1}host=imap.us.example\u{1}port=993\u{1}auth=Bearer \
                 vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\u{1}\u{1}",
            ),
            (
                Mechanism::Xoauth2,
                "someuser@example.com",
                "user=someuser@example.com\u{1}auth=Bearer \
                 vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\u{1}\u{1}",
            ),
        ] {
            let found = mechanism.response(&settings(user), &token).unwrap();
            assert_eq!(
                STANDARD.decode(found).unwrap(),
                expected.as_bytes(),
                "{mechanism:?} {user}"
            );
        }
    }

    #[test]
    fn nothing_breaks_out_of_its_place() {
        for (user, token) in [
            ("ann\u{1}auth=Bearer x", "token"),
            ("ann", "token\u{1}host=x"),
            ("ann", "Bearer token"),
            ("ann", "{\"access_token\":\"token\"}"),
            ("ann", ""),
        ] {
            for mechanism in [Mechanism::OauthBearer, Mechanism::Xoauth2] {
                let error = mechanism.response(&settings(user), &token.into()).unwrap_err();
                assert_eq!(error.code(), "misconfigured", "{user:?} {token:?}");
                assert!(!error.to_string().contains("token\":"), "{error}");
            }
        }
    }

    #[test]
    fn a_refusal_is_told_with_what_to_do() {
        let challenge = |json: &str| Challenge::read(&STANDARD.encode(json));
        for (text, challenge, code, words) in [
            (
                "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
                challenge(
                    r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#,
                ),
                "unauthorized",
                "not valid or has expired",
            ),
            (
                "AUTHENTICATE failed.",
                challenge(r#"{"status":"insufficient_scope","scope":"x"}"#),
                "unauthorized",
                "IMAP.AccessAsUser.All",
            ),
            ("AUTHENTICATE failed.", challenge("canary"), "unauthorized", "check username"),
            ("AUTHENTICATE failed.", Challenge::read("+canary+"), "unauthorized", "check username"),
            (
                "[ALERT] IMAP access is disabled for your domain.",
                Challenge::None,
                "unauthorized",
                "switch IMAP on",
            ),
            ("[AUTHORIZATIONFAILED] no", Challenge::None, "unauthorized", "not for this mailbox"),
            (
                "User is authenticated but not connected.",
                Challenge::None,
                "unreachable",
                "IMAP may be disabled",
            ),
            ("[UNAVAILABLE] later", Challenge::InvalidToken, "unreachable", "cannot check"),
        ] {
            let error = refused(text, challenge);
            assert_eq!(error.code(), code, "{text}");
            let told = error.to_string();
            assert!(told.contains(words) && !told.contains("canary"), "{text}: {told}");
        }
    }
}
