//! Canonical addresses and the people who write from them.

use std::fmt;

/// A canonical e-mail address: lower case, ASCII domain (IDNA), no plus-tag.
///
/// Made only by `normalise::address`, so that two spellings of one address are one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

/// An address with the name that stood beside it, cleaned; the name may be empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// The canonical address.
    pub address: Address,
    /// The display name, without control, bidirectional and zero-width characters; may be empty.
    pub name: String,
}

impl Address {
    /// Takes a string that is already canonical: from `normalise::address` or from the store.
    #[must_use]
    pub fn from_canonical(canonical: String) -> Self {
        Self(canonical)
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.at().and_then(|at| self.0.get(..at)).unwrap_or(&self.0)
    }

    /// What stands after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.at().and_then(|at| self.0.get(at + 1..)).unwrap_or_default()
    }

    /// Where the `@` is. Asked several times for every address that is met: over so short a text bytes
    /// are faster than a search for a character.
    fn at(&self) -> Option<usize> {
        self.0.bytes().rposition(|byte| byte == b'@')
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
