//! Who is who: reps and colleagues on one side, everybody else on the other.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::address::{Aliases, canonical};
use crate::model::Address;

/// The domain of those who were erased: of them nothing may be written down (RFC 2606, `.invalid`).
pub const ERASED: &str = "erased.invalid";

/// What an address is to the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// A rep, by row in the database.
    Rep(i64),
    /// Somebody of the own organisation who is no rep.
    Colleague,
    /// Anybody else: a contact, or one to be.
    Outsider,
    /// An outsider of whom nothing may be written down.
    Excluded,
}

/// The own side, and whom to leave out.
#[derive(Clone, Debug, Default)]
pub struct Own {
    reps: HashMap<Address, i64>,
    domains: HashSet<String>,
    excluded_addresses: HashSet<Address>,
    excluded_domains: HashSet<String>,
    aliases: Aliases,
    erased: Option<Arc<Erased>>,
    /// Whether what one of the excluded has part in is left out as a whole.
    wholly: bool,
}

/// Those who were erased, known by keyed hashes of their addresses only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    key: Vec<u8>,
    hashes: HashSet<Vec<u8>>,
}

impl Erased {
    /// The hashes that were made with a key.
    #[must_use]
    pub fn new(key: Vec<u8>, hashes: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { key, hashes: hashes.into_iter().collect() }
    }

    /// The hash of an address in its one spelling: HMAC-SHA256 (RFC 2104).
    #[must_use]
    pub fn hash(&self, address: &Address) -> Vec<u8> {
        self.hash_of(address.as_str().as_bytes())
    }

    /// The same of any bytes.
    #[must_use]
    pub fn hash_of(&self, bytes: &[u8]) -> Vec<u8> {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return Vec::new() };
        mac.chain_update(bytes).finalize().into_bytes().to_vec()
    }

    /// What stands in the place of an address in what is told of others: the same for the same one, and
    /// nobody can tell which without the key.
    #[must_use]
    pub fn nobody(&self, address: &Address) -> String {
        let mut text = String::with_capacity(32 + ERASED.len());
        for byte in self.hash(address).iter().take(16) {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text + "@" + ERASED
    }

    /// A text with nobody in the place of every address that was erased; `None` if it holds none. The
    /// name of an event may hold its organiser.
    #[must_use]
    pub fn unname(&self, text: &str) -> Option<String> {
        if self.hashes.is_empty() {
            return None;
        }
        let mut told = text.to_owned();
        for (at, _) in text.match_indices('@') {
            if let Some((found, address)) = self.around(text, at) {
                told = told.replace(found, &self.nobody(&address));
            }
        }
        (told != text).then_some(told)
    }

    /// The erased address around an `@`, as it stands there: of what stands before, from any place on at
    /// which a word begins; of what stands after, up to any at which one ends.
    fn around<'t>(&self, text: &'t str, at: usize) -> Option<(&'t str, Address)> {
        let (before, after) = text.split_at(at);
        let is_local = |c: char| c.is_alphanumeric() || "._%+-=&'!#$*/?^`{|}~".contains(c);
        let local = before.len()
            - before.chars().rev().take_while(|c| is_local(*c)).map(char::len_utf8).sum::<usize>();
        let is_domain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
        let domain: usize =
            after.chars().skip(1).take_while(|c| is_domain(*c)).map(char::len_utf8).sum();
        let begins = text.get(local..at)?.char_indices().map(|(n, _)| local + n);
        let begins: Vec<usize> =
            begins.filter(|n| begins_word(text, *n)).take(MOST_WORDS).collect();
        let ends = after.get(1..=domain)?.char_indices().map(|(n, c)| at + 1 + n + c.len_utf8());
        let ends: Vec<usize> = ends.filter(|n| ends_word(text, *n)).take(MOST_WORDS).collect();
        for begin in begins {
            for end in ends.iter().rev() {
                let found = text.get(begin..*end)?;
                if let Some(address) = canonical(found).filter(|address| self.holds(address)) {
                    return Some((found, address));
                }
            }
        }
        None
    }

    /// Whether somebody of that address was erased.
    #[must_use]
    pub fn holds(&self, address: &Address) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&self.hash(address))
    }
}

/// Words around an `@` that are tried.
const MOST_WORDS: usize = 12;

/// Whether a word begins at a place in a text.
fn begins_word(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let is_word = |c: char| c.is_alphanumeric();
    after.starts_with(is_word) && !before.ends_with(is_word)
}

/// Whether a word ends there.
fn ends_word(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let is_word = |c: char| c.is_alphanumeric();
    before.ends_with(is_word) && !after.starts_with(is_word)
}

/// Which rule it is by which nothing may be written down of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// `[privacy] exclude_addresses`.
    Address,
    /// `[privacy] exclude_domains`.
    Domain,
    /// Somebody asked to be erased.
    Erased,
}

impl Because {
    /// What it means, for people.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Address => "privacy.exclude_addresses",
            Self::Domain => "privacy.exclude_domains",
            Self::Erased => "erased",
        }
    }
}

impl Own {
    /// Addresses of reps with their rows, and the domains (ASCII) whose addresses are colleagues.
    #[must_use]
    pub fn new(
        reps: impl IntoIterator<Item = (Address, i64)>,
        domains: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            reps: reps.into_iter().collect(),
            domains: domains.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same, with addresses and domains of which nothing may be written down.
    #[must_use]
    pub fn excluding(
        mut self,
        addresses: impl IntoIterator<Item = Address>,
        domains: impl IntoIterator<Item = String>,
    ) -> Self {
        self.excluded_addresses = addresses.into_iter().collect();
        self.excluded_domains = domains.into_iter().collect();
        self
    }

    /// The same, that leaves out as a whole what one of the excluded has part in.
    #[must_use]
    pub const fn wholly(mut self, wholly: bool) -> Self {
        self.wholly = wholly;
        self
    }

    /// Whether what these people have part in is left out as a whole: those who were erased are only left
    /// out of it, or what others have would change.
    #[must_use]
    pub fn leaves_out<'a>(&self, people: impl IntoIterator<Item = &'a Address>) -> bool {
        let by_rule = |address| {
            self.who(address) == Who::Excluded
                && matches!(self.because(address), Some(Because::Address | Because::Domain))
        };
        self.wholly && people.into_iter().any(by_rule)
    }

    /// The same, with those who were erased: nothing may be written down of them either.
    #[must_use]
    pub fn without(mut self, erased: Erased) -> Self {
        self.erased = Some(Arc::new(erased));
        self
    }

    /// The same, with further rules by which two spellings are one address.
    #[must_use]
    pub fn aliasing(mut self, aliases: Aliases) -> Self {
        let fold = |address: &Address| aliases.fold(address).into_owned();
        self.reps = self.reps.iter().map(|(address, rep)| (fold(address), *rep)).collect();
        self.excluded_addresses = self.excluded_addresses.iter().map(fold).collect();
        self.aliases = aliases;
        self
    }

    /// The one spelling of an address.
    #[must_use]
    pub fn fold<'a>(&self, address: &'a Address) -> Cow<'a, Address> {
        self.aliases.fold(address)
    }

    /// What this address is to the organisation; a subdomain belongs to its domain.
    #[must_use]
    pub fn who(&self, address: &Address) -> Who {
        self.who_is(&self.fold(address))
    }

    /// The same of an address in its one spelling.
    pub(super) fn who_is(&self, address: &Address) -> Who {
        if let Some(rep) = self.reps.get(address) {
            return Who::Rep(*rep);
        }
        if belongs(address.domain(), &self.domains) {
            return Who::Colleague;
        }
        if self.why(address).is_some() { Who::Excluded } else { Who::Outsider }
    }

    /// By which rule nothing may be written down of an outsider of this address, if it may not.
    #[must_use]
    pub fn because(&self, address: &Address) -> Option<Because> {
        self.why(&self.fold(address))
    }

    fn why(&self, address: &Address) -> Option<Because> {
        if self.excluded_addresses.contains(address) {
            return Some(Because::Address);
        }
        if belongs(address.domain(), &self.excluded_domains) {
            return Some(Because::Domain);
        }
        let erased = address.domain() == ERASED
            || self.erased.as_ref().is_some_and(|erased| erased.holds(address));
        erased.then_some(Because::Erased)
    }

    /// A text without the addresses of those who were erased.
    #[must_use]
    pub fn unname<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let unnamed = self.erased.as_ref().and_then(|erased| erased.unname(text));
        unnamed.map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

/// The organisation an address belongs to: the registrable part of its domain by the public suffix
/// list, or the whole domain where there is none.
#[must_use]
pub fn organisation(address: &Address) -> String {
    let domain = address.domain();
    psl::domain_str(domain).unwrap_or(domain).to_owned()
}

/// Whether the domain or one above it is in the set.
fn belongs(domain: &str, set: &HashSet<String>) -> bool {
    if set.is_empty() {
        return false;
    }
    let mut rest = Some(domain);
    while let Some(domain) = rest {
        if set.contains(domain) {
            return true;
        }
        rest = domain.split_once('.').map(|(_, above)| above);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Because, Erased, Own, Who};
    use crate::normalise::address::canonical;

    #[test]
    fn aliases_fold_and_subdomains_belong() {
        let own = Own::new(
            [(canonical("ann@us.example").unwrap(), 1), (canonical("ann@old.test").unwrap(), 1)],
            ["us.example".to_owned()],
        )
        .excluding([canonical("lawyer@firm.example").unwrap()], ["press.example".to_owned()]);
        for (address, who) in [
            ("ann@us.example", Who::Rep(1)),
            ("Ann+x@OLD.test", Who::Rep(1)),
            ("carl@us.example", Who::Colleague),
            ("carl@eu.us.example", Who::Colleague),
            ("bo@notus.example", Who::Outsider),
            ("lawyer@firm.example", Who::Excluded),
            ("other@firm.example", Who::Outsider),
            ("x@news.press.example", Who::Excluded),
            ("7f@erased.invalid", Who::Excluded),
        ] {
            assert_eq!(own.who(&canonical(address).unwrap()), who, "{address}");
        }
        for (address, because) in [
            ("lawyer@firm.example", Some(Because::Address)),
            ("x@press.example", Some(Because::Domain)),
            ("7f@erased.invalid", Some(Because::Erased)),
            ("bo@acme.example", None),
        ] {
            assert_eq!(own.because(&canonical(address).unwrap()), because, "{address}");
        }
    }

    #[test]
    fn who_was_erased_is_taken_out_of_texts_however_they_stand_there() {
        let bo = canonical("bo.li@acme.example").unwrap();
        let erased = Erased::new(vec![7; 32], []);
        let erased = Erased::new(vec![7; 32], [erased.hash(&bo)]);
        let nobody = erased.nobody(&bo);
        assert!(nobody.ends_with("@erased.invalid") && !nobody.contains("bo"), "{nobody}");
        assert_ne!(nobody, Erased::new(vec![8; 32], []).nobody(&bo), "it depends on the key");
        for (text, left) in [
            ("bo.li@acme.example", "{}"),
            ("4711-bo.li@acme.example", "4711-{}"),
            ("mailto:Bo.Li@ACME.example;1", "mailto:{};1"),
            ("uid_bo.li@acme.example-2026@host", "uid_{}-2026@host"),
            ("a@b.example bo.li@acme.example bo.li@acme.example", "a@b.example {} {}"),
            ("bo.li@acme.example.host.example", "{}.host.example"),
        ] {
            let told = erased.unname(text);
            assert_eq!(told.as_deref(), Some(&*left.replace("{}", &nobody)), "{text}");
        }
        for text in ["", "@", "li@acme.example", "jimbo.li@acme.example", "4711@host", "é@é@é"] {
            assert_eq!(erased.unname(text), None, "{text}");
        }
        assert_eq!(Erased::new(vec![7; 32], []).unname("bo.li@acme.example"), None);
    }
}
