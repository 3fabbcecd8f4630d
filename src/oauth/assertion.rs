//! The assertion by which a service account asks for a token in somebody's name: a JSON Web Token
//! (RFC 7519) signed with RS256 (RFC 7518, 3.3), as RFC 7523 and Google's "Using OAuth 2.0 for
//! server to server applications" have it.
//!
//! Pure but for the blinding of the signature, which ring draws. Nothing of a key gets into an error.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::model::Timestamp;

/// The grant type (RFC 7523, 2.1).
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// For how long an assertion can be presented, in seconds: Google takes an hour at most.
const LIFE_S: i64 = 3600;

/// What an assertion says, beside who signs it.
pub(super) struct Claims<'a> {
    /// In whose name, where that is not the service account itself.
    pub(super) subject: Option<&'a str>,
    /// For which rights.
    pub(super) scope: &'a str,
    /// To whom.
    pub(super) audience: &'a Url,
    /// When.
    pub(super) now: Timestamp,
}

/// Why nothing could be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error(
        "key_file is not the key of a service account; hint: create a key of type JSON for it in \
         Google Cloud"
    )]
    File,
    #[error("the private_key in key_file is no RSA key in PKCS #8 (PEM) of 2048 bits or more")]
    Key,
    #[error("signing with the private_key in key_file did not work")]
    Signature,
}

/// The part of the file that is used; it holds a secret, so there is no `Debug`. Its `token_uri` is not: where to ask is configured.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
}

/// The signed assertion.
pub(super) fn signed(file: &SecretString, claims: &Claims<'_>) -> Result<SecretString, Unusable> {
    let file: KeyFile = serde_json::from_str(file.expose_secret()).map_err(|_| Unusable::File)?;
    let pem = file.private_key.as_bytes();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| Unusable::Key)?;
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| Unusable::Key)?;
    let mut head = json!({"alg": "RS256", "typ": "JWT"});
    let mut body = json!({
        "iss": file.client_email, "scope": claims.scope, "aud": claims.audience.as_str(),
        "iat": claims.now.seconds(), "exp": claims.now.seconds() + LIFE_S,
    });
    for (claims, name, value) in
        [(&mut head, "kid", file.private_key_id.as_deref()), (&mut body, "sub", claims.subject)]
    {
        if let (Some(object), Some(value)) = (claims.as_object_mut(), value) {
            object.insert(name.to_owned(), value.into());
        }
    }
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let said =
        format!("{}.{}", encode(head.to_string().as_bytes()), encode(body.to_string().as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), said.as_bytes(), &mut signature)
        .map_err(|_| Unusable::Signature)?;
    Ok(format!("{said}.{}", encode(&signature)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_told_without_being_shown() {
        let claims = Claims {
            subject: None,
            scope: "s",
            audience: &"https://id.us.example/token".parse().unwrap(),
            now: Timestamp::from_seconds(0),
        };
        let key = |key: &str| json!({"client_email": "a", "private_key": key}).to_string();
        let short = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n";
        for (file, expected) in [
            ("canary".to_owned(), Unusable::File),
            (r#"{"type":"authorized_user","client_secret":"canary"}"#.to_owned(), Unusable::File),
            (key("canary"), Unusable::Key),
            (key(short), Unusable::Key),
            (key(&short.replace("PRIVATE", "RSA PRIVATE")), Unusable::Key),
        ] {
            let why = signed(&file.as_str().into(), &claims).err().unwrap();
            assert_eq!(why, expected, "{file}");
            assert!(!why.to_string().contains("canary"), "{why}");
        }
    }
}
