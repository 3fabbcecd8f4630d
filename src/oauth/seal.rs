//! Seals what is kept in the database by a key that is not there: AES-256 in Galois/counter mode
//! (NIST SP 800-38D) by a key derived from the configured text (HKDF-SHA256, RFC 5869).
//!
//! Guarantees that what was sealed is opened only with the same key, for the same source and of the
//! same origin, and only if not a bit of it has changed. A nonce is drawn for each: 96 bits last for
//! 2^32 exchanges under one key (SP 800-38D, 8.3), more than a provider will answer.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

/// Stands before what is sealed: another way to seal would have another.
const VERSION: u8 = 1;

/// What the key is for: one text may serve several purposes.
const PURPOSE: &[u8] = b"keepwarm login 1";

/// The fewest characters of a key: 32 of base64 or hexadecimal digits hold 128 bits at least.
pub const KEY_CHARACTERS: usize = 32;

/// What is bound to what is sealed.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    /// The source's name.
    pub(super) source: &'a str,
    /// What the token comes from.
    pub(super) origin: &'a str,
}

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsealable {
    #[error("store.token_key has fewer than 32 characters")]
    Key,
    #[error("the system gives no random bytes")]
    Random,
    #[error("the refresh token in the database was sealed with another store.token_key")]
    Other,
}

/// Seals it: version, nonce, and what is hidden with its tag.
pub(super) fn seal(
    key: &SecretString,
    bound: Bound<'_>,
    plain: &[u8],
) -> Result<Vec<u8>, Unsealable> {
    let key = derived(key)?;
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| Unsealable::Random)?;
    let mut hidden = plain.to_vec();
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(bound.bytes()),
        &mut hidden,
    )
    .map_err(|_| Unsealable::Other)?;
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&nonce);
    sealed.append(&mut hidden);
    Ok(sealed)
}

/// Opens it.
pub(super) fn open(
    key: &SecretString,
    bound: Bound<'_>,
    sealed: &[u8],
) -> Result<Vec<u8>, Unsealable> {
    let key = derived(key)?;
    let (&[VERSION], rest) = sealed.split_first_chunk().ok_or(Unsealable::Other)? else {
        return Err(Unsealable::Other);
    };
    let (nonce, hidden) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable::Other)?;
    let mut hidden = hidden.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = key
        .open_in_place(nonce, Aad::from(bound.bytes()), &mut hidden)
        .map_err(|_| Unsealable::Other)?;
    Ok(plain.to_vec())
}

fn derived(key: &SecretString) -> Result<LessSafeKey, Unsealable> {
    let text = key.expose_secret().trim();
    if text.chars().count() < KEY_CHARACTERS {
        return Err(Unsealable::Key);
    }
    let extracted = Salt::new(HKDF_SHA256, PURPOSE).extract(text.as_bytes());
    let expanded = extracted.expand(&[PURPOSE], &AES_256_GCM).map_err(|_| Unsealable::Key)?;
    Ok(LessSafeKey::new(UnboundKey::from(expanded)))
}

impl Bound<'_> {
    /// Each part after its length, so that they do not run into each other.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for part in [self.source, self.origin] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "canary-key-0123456789-0123456789";
    const BOUND: Bound<'_> = Bound { source: "ann-mail", origin: "in_x" };

    #[test]
    fn what_was_sealed_is_opened_by_the_same_key_in_the_same_place_only() {
        let sealed = seal(&KEY.into(), BOUND, b"canary-token").unwrap();
        assert_eq!(open(&KEY.into(), BOUND, &sealed).unwrap(), b"canary-token");
        assert_eq!(open(&format!(" {KEY}\t").as_str().into(), BOUND, &sealed).unwrap().len(), 12);
        assert!(!sealed.windows(6).any(|bytes| bytes == b"canary"));
        let again = seal(&KEY.into(), BOUND, b"canary-token").unwrap();
        assert_ne!(sealed, again, "by another nonce");
        let other = KEY.replace('0', "1");
        for (key, source, origin) in [
            (other.as_str(), "ann-mail", "in_x"),
            (KEY, "bob-mail", "in_x"),
            (KEY, "ann-mail", "in_y"),
            (KEY, "ann-mailin_", "x"),
        ] {
            let why = open(&key.into(), Bound { source, origin }, &sealed);
            assert_eq!(why, Err(Unsealable::Other), "{key} {source} {origin}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&KEY.into(), BOUND, &changed).is_err(), "byte {at}");
            assert!(open(&KEY.into(), BOUND, &sealed[..at]).is_err(), "the first {at}");
        }
    }

    #[test]
    fn a_short_key_is_none() {
        let short = KEY.trim_start_matches('c');
        assert_eq!(seal(&short.into(), BOUND, b""), Err(Unsealable::Key));
        assert_eq!(open(&short.into(), BOUND, b""), Err(Unsealable::Key));
    }
}
