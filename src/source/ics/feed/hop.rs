//! Where a redirect leads: no further than the feed's own address allows.
//!
//! Guarantees that nothing goes from https to http, and that an address which a server names is
//! asked with fewer rights than the one that the admin has named.

use reqwest::Url;

use crate::source::SourceError;

/// Who has named the address of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The admin: it may be in a private network, where that is allowed.
    ByAdmin,
    /// A server, by a redirect: it must be public.
    ByServer,
}

/// One request of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// Where to ask.
    pub(super) url: Url,
    /// Who says so.
    pub(super) named: Named,
}

/// Where `location`, given by `from`, leads a chain that began at `configured`.
///
/// # Errors
/// `Misconfigured` where it must not be followed.
pub(super) fn next(configured: &Url, from: &Url, location: &str) -> Result<Hop, SourceError> {
    let host = from.host_str().unwrap_or_default();
    let refused = |why: &str| {
        Err(SourceError::Misconfigured(format!(
            "{host} redirects {why}; hint: configure the address that the calendar has now"
        )))
    };
    let Some(url) = from.join(location).ok().and_then(|url| https(&url)) else {
        return refused("to an address that cannot be read");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused("to an address with a user or password");
    }
    let own = is_own(configured, &url);
    match (from.scheme(), url.scheme()) {
        ("https" | "http", "https") => {}
        ("http", "http") if own => {}
        ("http", "http") => return refused("to another host by plain http"),
        ("https", "http") => return refused("from https to http"),
        _ => return refused("to something that is not the web"),
    }
    let named = if own { Named::ByAdmin } else { Named::ByServer };
    Ok(Hop { url, named })
}

/// The URL with `https` for `webcal` and `webcals`, under which calendars subscribe to feeds.
fn https(url: &Url) -> Option<Url> {
    let (scheme, rest) = url.as_str().split_once(':')?;
    if !matches!(scheme, "webcal" | "webcals") {
        return Some(url.clone());
    }
    Url::parse(&format!("https:{rest}")).ok()
}

/// Whether a URL is on the configured server: the same port too, unless it goes on to https.
fn is_own(configured: &Url, url: &Url) -> bool {
    let upgraded = configured.scheme() == "http" && url.scheme() == "https";
    let ports = configured.port_or_known_default() == url.port_or_known_default();
    configured.host() == url.host() && (ports || (upgraded && url.port().is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_only_where_it_may_lead() {
        for (configured, from, location, expected) in [
            ("https://a.example/x", "https://a.example/x", "/y", "admin https://a.example/y"),
            (
                "https://a.example/x",
                "https://a.example/x",
                "//b.example/",
                "server https://b.example/",
            ),
            (
                "https://a.example/x",
                "https://a.example/x",
                "webcal://b.example/c",
                "server https://b.example/c",
            ),
            (
                "https://a.example/",
                "https://b.example/",
                "https://a.example/z",
                "admin https://a.example/z",
            ),
            (
                "https://a.example/",
                "https://a.example/",
                "https://a.example:8443/",
                "server https://a.example:8443/",
            ),
            (
                "http://127.0.0.1:80/",
                "http://127.0.0.1/",
                "https://127.0.0.1/",
                "admin https://127.0.0.1/",
            ),
            (
                "http://127.0.0.1:80/",
                "http://127.0.0.1/",
                "http://127.0.0.1/b",
                "admin http://127.0.0.1/b",
            ),
            ("http://127.0.0.1:80/", "http://127.0.0.1/", "http://127.0.0.1:631/", "plain http"),
            ("http://127.0.0.1:80/", "http://127.0.0.1/", "http://b.example/", "plain http"),
            ("https://a.example/", "https://a.example/", "http://a.example/", "from https to http"),
            (
                "https://a.example/",
                "https://a.example/",
                "https://u:p@a.example/",
                "user or password",
            ),
            ("https://a.example/", "https://a.example/", "file:///etc/passwd", "not the web"),
            ("https://a.example/", "https://a.example/", "https://", "cannot be read"),
        ] {
            let url = |text: &str| Url::parse(text).unwrap();
            let found = match next(&url(configured), &url(from), location) {
                Ok(Hop { url, named: Named::ByAdmin }) => format!("admin {url}"),
                Ok(Hop { url, named: Named::ByServer }) => format!("server {url}"),
                Err(error) => error.to_string(),
            };
            assert!(found.contains(expected), "{from} {location}: {found}");
        }
    }

    #[test]
    fn webcal_means_https() {
        for (given, expected) in [
            ("webcal://a.example/x?k=1", "https://a.example/x?k=1"),
            ("webcals://a.example:8443/", "https://a.example:8443/"),
            ("http://a.example/", "http://a.example/"),
        ] {
            let url = https(&Url::parse(given).unwrap()).map(|url| url.to_string());
            assert_eq!(url.as_deref(), Some(expected), "{given}");
        }
    }
}
