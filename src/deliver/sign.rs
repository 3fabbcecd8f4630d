//! The signatures of a webhook, in base 64, over id, timestamp and body: `v1` is HMAC-SHA256 by a
//! shared secret, `v1a` ed25519 by a secret key whose public half the receiver has.
//!
//! Pure. Source: Standard Webhooks 1.0.0, "Signature scheme". The receiver checks one of them against
//! the headers and the raw body, and refuses old timestamps.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{Ed25519KeyPair, KeyPair};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use crate::model::Timestamp;

/// What a shared secret begins with.
const SHARED: &str = "whsec_";

/// What a secret ed25519 key begins with.
const SECRET_KEY: &str = "whsk_";

/// What a public ed25519 key begins with.
const PUBLIC_KEY: &str = "whpk_";

/// How long a shared secret may be, in bytes, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The length of an ed25519 seed, and of a public key (RFC 8032, 5.1.5).
const SEED_BYTES: usize = 32;

/// What signs requests to a receiver. Prints as nothing and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Kind);

#[derive(Clone)]
enum Kind {
    /// The key of the HMAC.
    Shared(SecretSlice<u8>),
    /// The seed of the ed25519 key, from which the rest is reckoned at each use.
    Seed(SecretSlice<u8>),
}

/// Why a text is no secret; none of the messages repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It has another prefix or none.
    #[error("a webhook secret begins with `whsec_`, or with `whsk_` for an ed25519 key")]
    Prefix,
    /// What follows the prefix cannot be decoded.
    #[error("a webhook secret is base 64 after `whsec_` or `whsk_`")]
    Base64,
    /// The key is shorter or longer than is safe.
    #[error("a webhook secret holds 24 to 64 bytes after `whsec_`, 32 or 64 after `whsk_`")]
    Length,
    /// The second half of an ed25519 key is not the public key of the first.
    #[error("the public half of this `whsk_` key is not that of its secret half")]
    Halves,
}

impl Secret {
    /// Reads `whsec_` and the base 64 of a shared secret, or `whsk_` and that of an ed25519 key:
    /// its seed of 32 bytes, alone or with the public key behind it, as libraries write it. Padded
    /// or not; white space around it is ignored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if let Some(encoded) = text.strip_prefix(SECRET_KEY) {
            return seed(&decode(encoded)?).map(|seed| Self(Kind::Seed(seed)));
        }
        let key = decode(text.strip_prefix(SHARED).ok_or(SecretError::Prefix)?)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(SecretError::Length);
        }
        Ok(Self(Kind::Shared(key.into())))
    }

    /// What the receiver verifies by, `whpk_` and base 64; `None` for a shared secret, by which it
    /// does so itself.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        let Kind::Seed(seed) = &self.0 else { return None };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret()).ok()?;
        Some(format!("{PUBLIC_KEY}{}", STANDARD.encode(pair.public_key())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The value of `webhook-signature` for a message: one signature by each secret, separated by
/// spaces. Two are sent while a receiver goes over from one secret to the next.
#[must_use]
pub fn signatures(secrets: &[Secret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let all: Vec<String> = secrets.iter().map(|secret| signature(secret, id, at, body)).collect();
    all.join(" ")
}

/// One signature: `v1,` and the base 64 of HMAC-SHA256(key, `id.seconds.body`), or `v1a,` and that
/// of the ed25519 signature of the same, where `seconds` is `at` as in `webhook-timestamp`.
#[must_use]
pub fn signature(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> String {
    let signed = [format!("{id}.{}.", at.seconds()).as_bytes(), body].concat();
    match &secret.0 {
        Kind::Shared(key) => {
            // HMAC takes a key of any length, so that there is no error to pass on.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret()) else {
                return String::new();
            };
            mac.update(&signed);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        }
        Kind::Seed(seed) => {
            // Nor has a seed of the right length, which is all that there is here.
            let Ok(pair) = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret()) else {
                return String::new();
            };
            format!("v1a,{}", STANDARD.encode(pair.sign(&signed)))
        }
    }
}

fn decode(encoded: &str) -> Result<Vec<u8>, SecretError> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &ALPHABET,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    LENIENT.decode(encoded).map_err(|_| SecretError::Base64)
}

/// The seed of a key, whose public half is right if it is there.
fn seed(key: &[u8]) -> Result<SecretSlice<u8>, SecretError> {
    let (seed, public) = key.split_at_checked(SEED_BYTES).ok_or(SecretError::Length)?;
    match public.len() {
        0 => {}
        SEED_BYTES => {
            Ed25519KeyPair::from_seed_and_public_key(seed, public)
                .map_err(|_| SecretError::Halves)?;
        }
        _ => return Err(SecretError::Length),
    }
    Ok(seed.to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 1: the seed, and the public key.
    const SEED: &str = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const PUBLIC: &str = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    /// The seed with the public key of another.
    const PAIR_OF_OTHERS: &str = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

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
    fn an_ed25519_key_signs_the_same_bytes_and_tells_its_public_half() {
        let secret = Secret::parse(SEED).unwrap();
        assert_eq!(secret.public_key().as_deref(), Some(PUBLIC));
        assert_eq!(Secret::parse(&format!("whsec_{}", "A".repeat(32))).unwrap().public_key(), None);
        // With the public key behind the seed it is the same key.
        let both = STANDARD.decode(format!("{}=", SEED.strip_prefix(SECRET_KEY).unwrap())).unwrap();
        let both = [both, STANDARD.decode(PUBLIC.strip_prefix(PUBLIC_KEY).unwrap()).unwrap()];
        let both = Secret::parse(&format!("{SECRET_KEY}{}", STANDARD.encode(both.concat())));
        let at = Timestamp::from_seconds(1_674_087_231);
        let made = signature(&secret, "msg_1", at, b"{}");
        assert_eq!(signature(&both.unwrap(), "msg_1", at, b"{}"), made);
        let public = STANDARD.decode(PUBLIC.strip_prefix(PUBLIC_KEY).unwrap()).unwrap();
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public);
        let bytes = STANDARD.decode(made.strip_prefix("v1a,").unwrap()).unwrap();
        assert!(key.verify(b"msg_1.1674087231.{}", &bytes).is_ok(), "{made}");
        assert!(key.verify(b"msg_1.1674087232.{}", &bytes).is_err());
    }

    #[test]
    fn a_second_secret_adds_a_signature_of_its_own() {
        let new = Secret::parse(SEED).unwrap();
        let old = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_seconds(1_614_265_330);
        let (a, b) = (signature(&new, "m", at, b"{}"), signature(&old, "m", at, b"{}"));
        assert!(a.starts_with("v1a,") && b.starts_with("v1,"), "{a} {b}");
        assert_eq!(signatures(&[new, old], "m", at, b"{}"), format!("{a} {b}"));
        assert_eq!(signatures(&[], "m", at, b"{}"), "");
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
            ("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SecretError::Prefix),
            ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SecretError::Length),
            ("whsk_not base 64!", SecretError::Base64),
            (PAIR_OF_OTHERS, SecretError::Halves),
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
        for text in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SEED] {
            assert_eq!(format!("{:?}", Secret::parse(text).unwrap()), "Secret(…)");
        }
    }
}
