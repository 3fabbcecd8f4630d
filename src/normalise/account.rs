//! Accounts: which organisations the reps sell to, and which domains are one company.
//!
//! An organisation is keyed by its registrable domain. An account is one, or several that are joined
//! by configuration, and is keyed by the first domain given. Where none is configured, every
//! organisation is an account of its own, but for providers of free mail, whose people have no more in
//! common than where their mailboxes are.

use std::collections::HashMap;

use super::organisation::{self, OrganisationKind};

/// A company that the reps sell to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name for people.
    pub name: String,
    /// Its organisations by registrable domain (ASCII), the one by which it is known first; not empty.
    pub domains: Vec<String>,
    /// How many strong people it should have.
    pub target: u32,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Accounts {
    configured: Vec<Account>,
    by_domain: HashMap<String, usize>,
    target: u32,
}

impl Default for Accounts {
    /// None configured, and a target of five people.
    fn default() -> Self {
        Self::new(Vec::new(), 5)
    }
}

impl Accounts {
    /// Those configured, and the target of accounts that are not.
    #[must_use]
    pub fn new(configured: Vec<Account>, target: u32) -> Self {
        let by_domain = (0..).zip(&configured).flat_map(|(number, account): (usize, _)| {
            account.domains.iter().map(move |domain| (domain.clone(), number))
        });
        Self { by_domain: by_domain.collect(), target, configured }
    }

    /// Those configured, in their order; empty where every organisation is one.
    #[must_use]
    pub fn configured(&self) -> &[Account] {
        &self.configured
    }

    /// The account of an organisation, by their domains; `None` where it belongs to none.
    #[must_use]
    pub fn of<'a>(&'a self, organisation: &'a str) -> Option<&'a str> {
        let found =
            self.by_domain.get(organisation).and_then(|number| self.configured.get(*number));
        match found {
            Some(account) => account.domains.first().map(String::as_str),
            None if self.configured.is_empty() && !is_free_mail(organisation) => Some(organisation),
            None => None,
        }
    }

    /// The configured account of an organisation, by its domain.
    #[must_use]
    pub fn configured_of(&self, organisation: &str) -> Option<&Account> {
        self.by_domain.get(organisation).and_then(|number| self.configured.get(*number))
    }

    /// The account of that domain: a configured one, or one of its own.
    #[must_use]
    pub fn get(&self, domain: &str) -> Account {
        let found = self.by_domain.get(domain).and_then(|number| self.configured.get(*number));
        found.cloned().unwrap_or_else(|| Account {
            name: domain.to_owned(),
            domains: vec![domain.to_owned()],
            target: self.target,
        })
    }
}

/// The organisation of a domain (ASCII): its registrable part by the public suffix list, or all of it
/// where there is none.
#[must_use]
pub fn registrable(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

/// Whether anybody can have an address there.
fn is_free_mail(domain: &str) -> bool {
    organisation::kind(domain) == OrganisationKind::FreeMail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, domains: &[&str], target: u32) -> Account {
        let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        Account { name: name.into(), domains, target }
    }

    #[test]
    fn domains_of_one_company_are_one_account() {
        let acme = account("Acme", &["acme.example", "acme.de"], 8);
        let beta = account("Beta", &["beta.example"], 5);
        let accounts = Accounts::new(vec![acme.clone(), beta], 5);
        for (organisation, expected) in [
            ("acme.example", Some("acme.example")),
            ("acme.de", Some("acme.example")),
            ("beta.example", Some("beta.example")),
            ("gamma.example", None),
            ("gmail.com", None),
        ] {
            assert_eq!(accounts.of(organisation), expected, "{organisation}");
        }
        assert_eq!(accounts.get("acme.de"), acme);
        assert_eq!(accounts.get("gamma.example"), account("gamma.example", &["gamma.example"], 5));
    }

    #[test]
    fn without_any_every_organisation_is_one_but_for_free_mail() {
        let accounts = Accounts::default();
        assert_eq!(accounts.of("acme.example"), Some("acme.example"));
        assert_eq!(accounts.of("gmail.com"), None);
    }

    #[test]
    fn an_organisation_is_a_registrable_domain() {
        for (domain, organisation) in [
            ("mail.acme.co.uk", "acme.co.uk"),
            ("acme.example", "acme.example"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(registrable(domain), organisation, "{domain}");
        }
    }
}
