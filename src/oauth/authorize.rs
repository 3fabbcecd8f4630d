//! The sign-in by a browser (RFC 6749, 4.1) as a public client on somebody's machine does it
//! (RFC 8252): what the browser is sent away with, and what it brings back.
//!
//! Pure. Guarantees that a code is of use only to whoever has the verifier (PKCE, RFC 7636), that
//! only the answer with our own `state` is taken, and that nothing of an answer gets into an error but
//! words known here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::source::SourceError;

/// One sign-in that is under way. It holds a secret, so there is no `Debug`.
pub(super) struct Attempt {
    /// What only we know, until the code is exchanged.
    pub(super) verifier: SecretString,
    /// By which the answer is known.
    pub(super) state: String,
    /// Where the browser comes back to.
    pub(super) redirect: String,
}

/// What a browser has brought.
pub(super) enum Brought {
    /// Nothing for us, or the answer to another sign-in.
    Nothing,
    /// An answer with a state that is not ours.
    Stranger,
    /// The code.
    Code(SecretString),
    /// That there is none.
    Refused(SourceError),
}

impl Attempt {
    /// One that comes back to `redirect`; `drawn` are random bytes, 256 bits for each secret.
    pub(super) fn new(redirect: String, drawn: [[u8; 32]; 2]) -> Self {
        let [verifier, state] = drawn.map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        Self { verifier: verifier.into(), state, redirect }
    }

    /// Where the browser goes: the authorization endpoint with what is asked (RFC 6749, 4.1.1).
    pub(super) fn url(&self, endpoint: &Url, client_id: &str, more: &[(&str, &str)]) -> Url {
        let mut url = endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("state", &self.state)
            .append_pair("code_challenge", &challenge(&self.verifier))
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(more);
        url
    }

    /// What the query of a request to the redirect means (RFC 6749, 4.1.2).
    pub(super) fn judge(&self, query: &str) -> Brought {
        let mut state = None;
        let mut code = None;
        let mut error = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "error" => &mut error,
                _ => continue,
            };
            // What is said twice is not valid (RFC 6749, 3.1).
            if field.replace(value.into_owned()).is_some() {
                return Brought::Stranger;
            }
        }
        match (state, code, error) {
            (None, None, None) => Brought::Nothing,
            (Some(state), ..) if state != self.state => Brought::Stranger,
            (Some(_), _, Some(error)) => Brought::Refused(refused(&error)),
            (Some(_), Some(code), None) if !code.is_empty() => Brought::Code(code.into()),
            _ => Brought::Stranger,
        }
    }
}

/// RFC 7636, 4.2: S256.
fn challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret().as_bytes()))
}

/// RFC 6749, 4.1.2.1.
fn refused(error: &str) -> SourceError {
    let said = |error: &str, hint: &str| format!("the provider says {error}; hint: {hint}");
    match error {
        "access_denied" => SourceError::SignedOut(said(
            error,
            "whoever signed in did not agree, or an admin has to: try again, or ask the admin of \
             the organisation to let the app in",
        )),
        "interaction_required" | "login_required" | "consent_required" => {
            SourceError::SignedOut(said(error, "begin again, in a browser that may ask"))
        }
        "invalid_scope" => SourceError::Misconfigured(said(error, "check scope, or leave it out")),
        "unauthorized_client"
        | "unsupported_response_type"
        | "invalid_request"
        | "invalid_resource" => SourceError::Misconfigured(said(
            error,
            "check client_id, scope and authorization_url, and that the app is one for desktops",
        )),
        "server_error" | "temporarily_unavailable" => {
            SourceError::Unreachable(said(error, "try again later"))
        }
        _ => SourceError::Protocol("the provider refuses with an error not known".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, Appendix B.
    const OCTETS: [u8; 32] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37,
        77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];

    fn attempt() -> Attempt {
        Attempt::new("http://127.0.0.1:4".to_owned(), [OCTETS, [7; 32]])
    }

    #[test]
    fn the_challenge_is_that_of_the_rfc_and_the_verifier_is_not_in_the_url() {
        let attempt = attempt();
        let verifier = attempt.verifier.expose_secret();
        assert_eq!(verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let endpoint = Url::parse("https://id.us.example/authorize?tenant=a").unwrap();
        let url = attempt.url(&endpoint, "kw", &[("scope", "a b")]);
        let expected = format!(
            "https://id.us.example/authorize?tenant=a&response_type=code&client_id=kw\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A4&state={}\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
             &code_challenge_method=S256&scope=a+b",
            attempt.state
        );
        assert_eq!(url.as_str(), expected);
        assert!(!url.as_str().contains(verifier));
    }

    #[test]
    fn only_the_answer_to_this_sign_in_is_taken() {
        let attempt = attempt();
        let state = &attempt.state;
        for (query, expected) in [
            (String::new(), "nothing"),
            ("utm=1".to_owned(), "nothing"),
            (format!("code=canary&state={state}"), "code canary"),
            (format!("state={state}&code=a%2Fb&iss=x"), "code a/b"),
            (format!("code=canary&state={state}x"), "stranger"),
            ("code=canary".to_owned(), "stranger"),
            ("code=canary&state=".to_owned(), "stranger"),
            (format!("code=&state={state}"), "stranger"),
            (format!("state={state}"), "stranger"),
            (format!("code=a&code=b&state={state}"), "stranger"),
            ("error=access_denied&state=canary".to_owned(), "stranger"),
            (format!("error=access_denied&code=a&state={state}"), "signed_out access_denied"),
            (format!("error=invalid_scope&state={state}"), "misconfigured invalid_scope"),
            (format!("error=canary&error_description=canary&state={state}"), "protocol not known"),
        ] {
            let found = match attempt.judge(&query) {
                Brought::Nothing => "nothing".to_owned(),
                Brought::Stranger => "stranger".to_owned(),
                Brought::Code(code) => format!("code {}", code.expose_secret()),
                Brought::Refused(error) => format!("{} {error}", error.code()),
            };
            let (first, rest) = expected.split_once(' ').unwrap_or((expected, ""));
            assert!(found.starts_with(first) && found.contains(rest), "{query}: {found}");
            assert!(first == "code" || !found.contains("canary"), "{query}: {found}");
        }
    }
}
