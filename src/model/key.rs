//! Keys made by hashing: they are the same wherever and whenever they are made again.

use sha2::{Digest, Sha256};

/// The first 64 bits of a SHA-256: names a Message-ID, a fingerprint or a subject in the database.
///
/// A cryptographic hash, because strangers choose what goes in: nobody can cheaply make two
/// messages share one. As a signed integer it is an SQLite row id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub i64);

impl Key {
    /// The key of `parts` in a `domain` (what kind of thing is named, so kinds never collide).
    #[must_use]
    pub fn of(domain: &str, parts: &[&[u8]]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = digest(domain, parts);
        Self(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// A public id: the prefix, then the first 96 bits of a SHA-256 in lower-case base 32.
///
/// Made from what it names, so that a run repeated after a crash makes the same id.
#[must_use]
pub fn public_id(prefix: &str, parts: &[&[u8]]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = digest(prefix, parts);
    let mut id = String::with_capacity(prefix.len() + 20);
    id.push_str(prefix);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in digest.iter().take(12) {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let letter = ALPHABET.get(((held >> bits) & 31) as usize).copied().unwrap_or(b'a');
            id.push(char::from(letter));
        }
    }
    id
}

/// SHA-256 over the domain and the parts, each preceded by its length.
fn digest(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let parts = || std::iter::once(domain.as_bytes()).chain(parts.iter().copied());
    // Hashed in one piece: a few dozen bytes, of which each piece would cost as much as all of them.
    let mut whole = Vec::with_capacity(parts().map(|part| part.len() + 8).sum());
    for part in parts() {
        whole.extend_from_slice(&(part.len() as u64).to_le_bytes());
        whole.extend_from_slice(part);
    }
    Sha256::digest(&whole).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Key::of("m", &[b"ab", b"c"]), Key::of("m", &[b"a", b"bc"]));
        assert_ne!(Key::of("m", &[b"a"]), Key::of("s", &[b"a"]));
        assert_eq!(Key::of("m", &[b"a"]), Key::of("m", &[b"a"]));
    }

    #[test]
    fn public_ids_are_stable_and_url_safe() {
        let id = public_id("ndg_", &[b"ann", b"bo"]);
        assert_eq!(id, public_id("ndg_", &[b"ann", b"bo"]));
        assert_eq!(id.len(), 4 + 19);
        assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    }
}
