//! The signature of a webhook: HMAC-SHA256 over id, timestamp and body, in base 64.
//!
//! Pure. Source: Standard Webhooks 1.0.0, "Signature scheme" (symmetric). The receiver recomputes
//! it from the headers and the raw body, and refuses old timestamps.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use crate::model::Timestamp;

/// What a symmetric secret begins with.
const PREFIX: &str = "whsec_";

/// How long a key may be, in bytes, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key shared with a receiver. Prints as nothing and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretSlice<u8>);

/// Why a text is no secret; none of the messages repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It has another prefix or none.
    #[error("a webhook secret begins with `whsec_`")]
    Prefix,
    /// What follows the prefix cannot be decoded.
    #[error("a webhook secret is base 64 after `whsec_`")]
    Base64,
    /// The key is shorter or longer than is safe.
    #[error("a webhook secret holds 24 to 64 bytes")]
    Length,
}

impl Secret {
    /// Reads `whsec_` and base 64, padded or not; white space around it is ignored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        const LENIENT: GeneralPurpose = GeneralPurpose::new(
            &ALPHABET,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        let key = LENIENT.decode(encoded).map_err(|_| SecretError::Base64)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(SecretError::Length);
        }
        Ok(Self(key.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The value of `webhook-signature` for a message: `v1,` and the base 64 of
/// HMAC-SHA256(key, `id.seconds.body`), where `seconds` is `at` as in `webhook-timestamp`.
#[must_use]
pub fn signature(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> String {
    // HMAC takes a key of any length, so that there is no error to pass on.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.0.expose_secret()) else {
        return String::new();
    };
    mac.update(format!("{id}.{}.", at.seconds()).as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_published_vector() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_seconds(1_614_265_330);
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn the_timestamp_is_in_whole_seconds() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let sign = |millis| signature(&secret, "m", Timestamp::from_millis(millis), b"{}");
        assert_eq!(sign(1_614_265_330_000), sign(1_614_265_330_999));
        assert_ne!(sign(1_614_265_330_000), sign(1_614_265_331_000));
    }

    #[test]
    fn secrets_that_are_refused() {
        let long = format!("whsec_{}", STANDARD.encode([7u8; 65]));
        for (text, error) in [
            ("", SecretError::Prefix),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SecretError::Prefix),
            ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SecretError::Prefix),
            ("whsec_not base 64!", SecretError::Base64),
            ("whsec_c2hvcnQ=", SecretError::Length),
            ("whsec_", SecretError::Length),
            (long.as_str(), SecretError::Length),
        ] {
            assert_eq!(Secret::parse(text).err(), Some(error), "{text}");
        }
        for text in [
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            " whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        ] {
            assert!(Secret::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
