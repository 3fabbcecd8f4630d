//! Who is who: reps and colleagues on one side, everybody else on the other.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::address::Aliases;
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
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return Vec::new() };
        let mac = mac.chain_update(address.as_str().as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// Whether somebody of that address was erased.
    #[must_use]
    pub fn holds(&self, address: &Address) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&self.hash(address))
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
        let address = &*self.fold(address);
        if let Some(rep) = self.reps.get(address) {
            return Who::Rep(*rep);
        }
        if belongs(address.domain(), &self.domains) {
            return Who::Colleague;
        }
        let excluded = address.domain() == ERASED
            || self.excluded_addresses.contains(address)
            || belongs(address.domain(), &self.excluded_domains)
            || self.erased.as_ref().is_some_and(|erased| erased.holds(address));
        if excluded { Who::Excluded } else { Who::Outsider }
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
    use super::{Own, Who};
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
    }
}
