//! From the configuration to clients for sources that are read by HTTP.

use std::path::Path;

use super::build::{BuildError, unusable};
use crate::config::{CalendarApi, Feed, Source};
use crate::http::{AddressPolicy, Client, Clients};
use crate::source::credentials::Credentials;
use crate::source::ics::feed;
use crate::source::{google_calendar, graph_calendar};

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

/// How calendars of Google are read.
pub(super) fn google_calendar(
    source: &Source,
    api: &CalendarApi,
    credentials: Credentials,
    clients: &Clients,
) -> google_calendar::Settings {
    let (url, calendars) = (api.api_url.clone(), api.calendars.clone());
    let client = clients.of(policy(api)).clone();
    google_calendar::Settings::new(url, source.name.clone(), calendars, credentials, client)
}

/// How calendars of Microsoft 365 are read; `own` are the addresses of whose they are.
pub(super) fn graph_calendar(
    source: &Source,
    api: &CalendarApi,
    own: &[String],
    credentials: Credentials,
    clients: &Clients,
) -> graph_calendar::Settings {
    graph_calendar::Settings {
        api_url: api.api_url.clone(),
        account: source.name.clone(),
        username: api.username.clone(),
        own: own.iter().chain(&api.username).cloned().collect(),
        calendars: api.calendars.clone(),
        credentials,
        client: clients.of(policy(api)).clone(),
    }
}

/// An interface that is named as this machine itself may be asked there.
fn policy(api: &CalendarApi) -> AddressPolicy {
    if api.is_on_this_machine() { AddressPolicy::AllowPrivate } else { AddressPolicy::Public }
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
