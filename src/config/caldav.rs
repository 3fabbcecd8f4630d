//! Judges a `[[source]]` of kind "caldav": where its server is, and whether a password is safe on
//! the way there.

use std::path::PathBuf;

use reqwest::Url;

use super::problem::Problem;
use super::raw::RawSource;
use super::schema::PLACE;
use super::settings::Caldav;
use super::validate::Item;
use super::{login, words};

/// The login, if all of it is right.
pub(super) fn caldav(
    item: &mut Item<'_>,
    mut raw: RawSource,
    credentials: Option<&PathBuf>,
) -> Option<Caldav> {
    let url = raw.url.take().and_then(|url| Url::parse(&url).ok());
    let host = raw.host.take().and_then(|host| root_of(&host));
    let url = item.exactly_one(&PLACE, [url, host]);
    let username = item.required("username", raw.username.take());
    let place = login::Place { kind: "caldav", host: url.as_ref().and_then(Url::host_str) };
    let login = login::login(item, place, &mut raw, credentials);
    if let Some(url) = &url {
        let here = url.host_str().is_some_and(words::is_loopback);
        if url.scheme() == "http" && !here && !raw.allow_plaintext.unwrap_or(false) {
            let problem = "`source.url` must begin with https:// for a host elsewhere";
            let hint = "or set allow_plaintext = true";
            item.report("url", Problem::error(problem).hint(hint));
        }
    }
    let ca_file = raw.ca_file.map(PathBuf::from);
    Some(Caldav { url: url?, ca_file, username: username?, login: login? })
}

/// The root of a host, where discovery finds the rest.
fn root_of(host: &str) -> Option<Url> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Url::parse(&format!("https://{host}/")).ok()
}
