//! Judges which nudges go to an endpoint: kinds, reps and accounts that there are.

use super::problem::Problem;
use super::raw::RawEndpoint;
use super::schema::nearest;
use super::validate::Item;
use crate::model::NudgeKind;
use crate::normalise::account::{Account, registrable};
use crate::normalise::address::ascii_domain;

/// What can be named.
pub(super) struct Known<'a> {
    /// The ids of all reps.
    pub(super) reps: &'a [String],
    /// All accounts that are configured.
    pub(super) accounts: &'a [Account],
}

/// Which nudges go to an endpoint; what is empty is no limit.
pub(super) struct Route {
    /// Kinds.
    pub(super) kinds: Vec<NudgeKind>,
    /// Ids of reps.
    pub(super) reps: Vec<String>,
    /// Registrable domains.
    pub(super) organisations: Vec<String>,
}

/// What an endpoint's keys say.
pub(super) fn route(item: &mut Item<'_>, raw: &mut RawEndpoint, known: &Known<'_>) -> Route {
    let kinds = raw.kinds.take().unwrap_or_default();
    let reps = raw.reps.take().unwrap_or_default();
    for rep in reps.iter().filter(|rep| !known.reps.contains(rep)) {
        let message = format!("`endpoint.reps` has {rep:?}, which is the id of no [[rep]]");
        let near = nearest(rep, known.reps.iter().map(String::as_str));
        let lost = near.is_none();
        let problem = hinted(message, near);
        item.report("reps", if lost { problem.hint("write the id of a [[rep]]") } else { problem });
    }
    let accounts = raw.accounts.take().unwrap_or_default();
    Route {
        kinds: kinds.iter().filter_map(|kind| NudgeKind::of_code(kind)).collect(),
        reps,
        organisations: organisations(item, &accounts, known.accounts),
    }
}

/// The organisations of the accounts that are named, in their order.
fn organisations(item: &mut Item<'_>, words: &[String], accounts: &[Account]) -> Vec<String> {
    let mut found = Vec::new();
    for word in words {
        match account(word, accounts) {
            Some(domains) => found.extend(domains),
            None => {
                let message = format!("`endpoint.accounts` has {word:?}, which is no account");
                let names = accounts.iter().map(|account| &account.name);
                let domains = accounts.iter().flat_map(|account| &account.domains);
                let near = nearest(word, names.chain(domains).map(String::as_str));
                let lost = near.is_none();
                let problem = hinted(message, near);
                item.report(
                    "accounts",
                    match accounts {
                        [] => problem.hint("write an organisation's domain, or add an [[account]]"),
                        _ if lost => problem.hint("write the name or a domain of an [[account]]"),
                        _ => problem,
                    },
                );
            }
        }
    }
    found
}

/// The domains of an account by its name or one of its domains; without any account configured, of an
/// organisation.
fn account(word: &str, accounts: &[Account]) -> Option<Vec<String>> {
    let domain = ascii_domain(word).map(|domain| registrable(&domain).to_owned());
    let named = |account: &&Account| {
        account.name == word || domain.as_ref().is_some_and(|d| account.domains.contains(d))
    };
    match accounts.iter().find(named) {
        Some(account) => Some(account.domains.clone()),
        None => domain.filter(|d| accounts.is_empty() && d.contains('.')).map(|d| vec![d]),
    }
}

fn hinted(message: String, near: Option<&str>) -> Problem {
    let problem = Problem::error(message);
    match near {
        Some(near) => problem.hint(format!("did you mean {near:?}?")),
        None => problem,
    }
}
