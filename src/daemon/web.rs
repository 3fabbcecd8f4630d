//! From the configuration to clients for sources that are read by HTTP.

use std::path::Path;

use super::build::{BuildError, unusable};
use crate::config::Feed;
use crate::http::{AddressPolicy, Client, Clients};
use crate::source::ics::feed;

/// How a feed is asked for. What its server redirects to must be at a public address.
pub(super) fn feed(feed: &Feed, clients: &Clients) -> Result<feed::Settings, BuildError> {
    let policy = if feed.allow_private || feed.is_on_this_machine() {
        AddressPolicy::AllowPrivate
    } else {
        AddressPolicy::Public
    };
    let client = client(policy, feed.ca_file.as_deref(), clients)?;
    let elsewhere = clients.of(AddressPolicy::Public).clone();
    Ok(feed::Settings::new(&feed.url, client, elsewhere))
}

/// The client of that policy, one of its own where other certificates are to be trusted.
fn client(
    policy: AddressPolicy,
    ca_file: Option<&Path>,
    clients: &Clients,
) -> Result<Client, BuildError> {
    let Some(path) = ca_file else { return Ok(clients.of(policy).clone()) };
    let what = format!("reading ca_file {}", path.display());
    let pem = std::fs::read(path).map_err(|error| unusable(&what, &error.to_string()))?;
    Client::new(policy, Some(&pem)).map_err(|error| unusable(&what, &error.to_string()))
}
