//! Judges `[[account]]`: that its domains are somebody else's, and each in one account only.

use super::layers::Layers;
use super::problem::Problem;
use super::raw::RawAccount;
use super::validate::{Item, unique};
use crate::normalise::account::{Account, registrable};
use crate::normalise::address::ascii_domain;

/// Reports domains that are in two accounts, by the organisations that they belong to.
pub(super) fn distinct(layers: &mut Layers, accounts: &[RawAccount]) {
    unique(layers, "account", "domains", accounts.iter().map(organisations));
}

/// The account, if all of it is right; `own` are the domains of the own organisation, and `target` is
/// how many strong people an account should have where it does not say.
pub(super) fn account(
    item: &mut Item<'_>,
    raw: RawAccount,
    own: &[String],
    target: u32,
) -> Option<Account> {
    let organisations = organisations(&raw);
    let name = item.required("name", raw.name);
    let domains = item.required("domains", raw.domains);
    let own = own.iter().filter_map(|domain| ascii_domain(domain));
    let own: Vec<String> = own.map(|domain| registrable(&domain).to_owned()).collect();
    if let Some(colleagues) = organisations.iter().find(|organisation| own.contains(organisation)) {
        let message = format!(
            "`account.domains` has {colleagues:?}, which is the own organisation: people there are \
             colleagues"
        );
        let hint = "take it out here or out of organization.domains";
        item.report("domains", Problem::error(message).hint(hint));
    }
    (domains.is_some() && !organisations.is_empty()).then_some(())?;
    Some(Account { name: name?, domains: organisations, target: raw.target.unwrap_or(target) })
}

/// The organisations of an account's domains, in their order, each once.
fn organisations(account: &RawAccount) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for domain in account.domains.iter().flatten().filter_map(|domain| ascii_domain(domain)) {
        let organisation = registrable(&domain).to_owned();
        if !found.contains(&organisation) {
            found.push(organisation);
        }
    }
    found
}
