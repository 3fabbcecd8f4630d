//! Judges a `[[source]]` of kind "google_calendar" or "graph_calendar".

use std::path::PathBuf;

use reqwest::Url;

use super::problem::Problem;
use super::raw::RawSource;
use super::settings::{CalendarApi, Grant, Login};
use super::validate::Item;
use super::{login, words};

/// Where Google's interface is (Calendar API v3).
const GOOGLE: &str = "https://www.googleapis.com/calendar/v3";

/// Where Microsoft's is (Graph).
const GRAPH: &str = "https://graph.microsoft.com/v1.0";

/// The calendar of somebody who has but one, in the words of Google; Graph has none for it.
const PRIMARY: &str = "primary";

/// Calendars of Google, if all of it is right.
pub(super) fn google(
    item: &mut Item<'_>,
    raw: RawSource,
    credentials: Option<&PathBuf>,
) -> Option<CalendarApi> {
    calendars(item, "google_calendar", GOOGLE, raw, credentials)
}

/// Calendars of Microsoft 365, if all of it is right. A client in its own right is nobody: it must
/// be told whose they are.
pub(super) fn graph(
    item: &mut Item<'_>,
    raw: RawSource,
    credentials: Option<&PathBuf>,
) -> Option<CalendarApi> {
    let api = calendars(item, "graph_calendar", GRAPH, raw, credentials)?;
    let nobody = match &api.login {
        Login::Oauth(oauth) => matches!(oauth.grant, Grant::ClientCredentials { .. }),
        Login::Password(_) | Login::Token(_) => false,
    };
    if nobody && api.username.is_none() {
        let message = "`source.username` is missing: with grant client_credentials it says whose \
                       calendars are read";
        item.report("username", Problem::error(message));
        return None;
    }
    Some(api)
}

fn calendars(
    item: &mut Item<'_>,
    kind: &str,
    api_url: &str,
    mut raw: RawSource,
    credentials: Option<&PathBuf>,
) -> Option<CalendarApi> {
    let place = login::Place { kind, host: None };
    let login = login::login(item, place, &mut raw, credentials);
    let api_url = Url::parse(raw.api_url.as_deref().unwrap_or(api_url)).ok()?;
    let here = api_url.host_str().is_some_and(words::is_loopback);
    if api_url.scheme() == "http" && !here {
        let message = "`source.api_url` must begin with https:// for a host elsewhere";
        item.report("api_url", Problem::error(message));
    }
    let calendars = raw.calendars.unwrap_or_else(|| vec![PRIMARY.to_owned()]);
    Some(CalendarApi { api_url, username: raw.username, calendars, login: login? })
}
