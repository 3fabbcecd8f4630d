//! Judges a `[[source]]` of kind "ics": a file or a feed, and whether the feed may be asked for.

use std::path::PathBuf;

use reqwest::Url;

use super::problem::Problem;
use super::raw::RawSource;
use super::settings::{Feed, SourceKind};
use super::validate::Item;
use super::words;

/// The keys of which a calendar needs exactly one.
const PLACE: [&str; 2] = ["path", "url"];

/// What matters only to a feed.
const OF_FEEDS: [&str; 3] = ["allow_plaintext", "allow_private", "ca_file"];

/// The file or the feed, if all of it is right.
pub(super) fn ics(item: &mut Item<'_>, mut raw: RawSource) -> Option<SourceKind> {
    let path = raw.path.take().map(PathBuf::from).map(|path| SourceKind::Ics { path });
    let feed = raw.url.take().and_then(|url| feed(item, &raw, &url)).map(SourceKind::Feed);
    if !item.given("url") {
        for key in OF_FEEDS.into_iter().filter(|key| item.given(key)).collect::<Vec<_>>() {
            item.report(
                key,
                Problem::error(format!("`source.{key}` is for a calendar by url"))
                    .hint("take it out"),
            );
        }
    }
    item.exactly_one(&PLACE, [path, feed])
}

fn feed(item: &mut Item<'_>, raw: &RawSource, url: &str) -> Option<Feed> {
    let url = plain(&Url::parse(url).ok()?)?;
    let here = url.host_str().is_some_and(words::is_loopback);
    if url.scheme() == "http" && !here && !raw.allow_plaintext.unwrap_or(false) {
        let problem = Problem::error("`source.url` must begin with https:// for a host elsewhere");
        item.report("url", problem.hint("or set allow_plaintext = true"));
    }
    Some(Feed {
        url,
        allow_private: raw.allow_private.unwrap_or(false),
        ca_file: raw.ca_file.clone().map(PathBuf::from),
    })
}

/// The URL with `https` for `webcal`, which is how people subscribe to it.
fn plain(url: &Url) -> Option<Url> {
    let (scheme, rest) = url.as_str().split_once(':')?;
    match scheme {
        "webcal" | "webcals" => Url::parse(&format!("https:{rest}")).ok(),
        _ => Some(url.clone()),
    }
}
