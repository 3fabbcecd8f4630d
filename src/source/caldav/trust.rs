//! Where a server may send us with the login's credentials, and where not: pure.
//!
//! Whoever answers for the configured host could otherwise collect the password at any other, or
//! have us connect into the network around us. Admitted are the configured host itself (under TLS
//! at any port, without it at its own only), and over https hosts of the same registrable domain,
//! such as the partition of iCloud on which an account lives; those at public addresses only.

use reqwest::Url;

use crate::http::AddressPolicy;
use crate::source::SourceError;

/// What a server has named, if it may be asked.
///
/// # Errors
/// `Protocol`, which names the host at most: paths of calendars hold the names of users.
pub(super) fn named(configured: &Url, base: &Url, href: &str) -> Result<Url, SourceError> {
    let mut url = base.join(href.trim()).map_err(|_| {
        SourceError::Protocol("the server names an address that is none".to_owned())
    })?;
    url.set_fragment(None);
    // Servers behind a proxy that ends TLS for them often do not know of it.
    let plainly = url.scheme() == "http" && url.port().is_none();
    if plainly && configured.scheme() == "https" && url.host() == configured.host() {
        let _ = url.set_scheme("https");
        let _ = url.set_port(configured.port());
    }
    policy(configured, &url).map(|_| url)
}

/// Which addresses a host may have, if its URL may be asked at all.
///
/// # Errors
/// As [`named`].
pub(super) fn policy(configured: &Url, url: &Url) -> Result<AddressPolicy, SourceError> {
    let same_host = url.host() == configured.host();
    let same_port = url.port_or_known_default() == configured.port_or_known_default();
    match (configured.scheme(), url.scheme()) {
        _ if !url.username().is_empty() || url.password().is_some() => Err(stranger(url)),
        (_, "https") if same_host => Ok(AddressPolicy::AllowPrivate),
        ("http", "http") if same_host && same_port => Ok(AddressPolicy::AllowPrivate),
        ("https", "https") if is_sibling(configured, url) => Ok(AddressPolicy::Public),
        _ => Err(stranger(url)),
    }
}

/// Whether the hosts are names under one registrable domain.
fn is_sibling(one: &Url, other: &Url) -> bool {
    let registrable = |url: &Url| psl::domain_str(url.domain()?).map(str::to_owned);
    registrable(one).is_some_and(|domain| registrable(other) == Some(domain))
}

fn stranger(url: &Url) -> SourceError {
    let origin = url.origin().ascii_serialization();
    SourceError::Protocol(format!(
        "the server sends us to {origin}, which is not asked with this login; hint: if the \
         calendars are there, name it in url"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn credentials_go_to_the_same_host_or_to_a_sibling_over_tls() {
        use AddressPolicy::{AllowPrivate, Public};
        for (configured, base, href, expected) in [
            ("https://d.us.example/", "/a/", "/b/", Ok(("https://d.us.example/b/", AllowPrivate))),
            ("https://d.us.example/", "/a/", "b", Ok(("https://d.us.example/a/b", AllowPrivate))),
            (
                "https://d.us.example/",
                "/",
                "https://d.us.example:8443/x",
                Ok(("https://d.us.example:8443/x", AllowPrivate)),
            ),
            (
                "https://caldav.icloud.com/",
                "/1/principal/",
                "https://p42-caldav.icloud.com:443/1/calendars/",
                Ok(("https://p42-caldav.icloud.com/1/calendars/", Public)),
            ),
            // A server that does not know of the TLS before it.
            (
                "https://d.us.example:8443/",
                "/",
                "http://d.us.example/dav/",
                Ok(("https://d.us.example:8443/dav/", AllowPrivate)),
            ),
            ("http://[::1]:80/", "/", "/x", Ok(("http://[::1]/x", AllowPrivate))),
            ("http://localhost:8/", "/", "https://localhost:9/", {
                Ok(("https://localhost:9/", AllowPrivate))
            }),
            ("https://d.us.example/", "/", "//evil.example/", Err("https://evil.example")),
            ("https://d.us.example/", "/", "http://e.us.example/", Err("http://e.us.example")),
            ("https://d.us.example/", "/", "http://d.us.example:81/", {
                Err("http://d.us.example:81")
            }),
            ("https://d.us.example/", "/", "https://10.0.0.1/", Err("https://10.0.0.1")),
            ("https://10.1.0.1/", "/", "https://10.2.0.1/", Err("https://10.2.0.1")),
            ("https://a.github.io/", "/", "https://b.github.io/", Err("https://b.github.io")),
            ("https://a.co.uk/", "/", "https://b.co.uk/", Err("https://b.co.uk")),
            ("http://127.0.0.1:8/", "/", "http://127.0.0.1:9/", Err("http://127.0.0.1:9")),
            ("http://127.0.0.1:8/", "/", "http://localhost:8/", Err("http://localhost:8")),
            ("http://d.us.example/", "/", "https://e.us.example/", Err("https://e.us.example")),
            ("https://d.us.example/", "/", "https://u:p@d.us.example/", {
                Err("https://d.us.example")
            }),
            ("https://d.us.example/", "/", "file:///etc/passwd", Err("null")),
            ("https://d.us.example/", "/", "https://", Err("is none")),
        ] {
            let configured = url(configured);
            let base = configured.join(base).unwrap();
            match (named(&configured, &base, href), expected) {
                (Ok(found), Ok((expected, addresses))) => {
                    assert_eq!(found.as_str(), expected, "{configured} {href}");
                    let policy = policy(&configured, &found).unwrap();
                    assert_eq!(policy, addresses, "{configured} {href}");
                }
                (Err(error), Err(origin)) => {
                    let told = error.to_string();
                    assert!(told.contains(origin), "{configured} {href}: {told}");
                    assert!(!told.contains("passwd"), "{configured} {href}: {told}");
                }
                (found, _) => panic!("{configured} {href}: {found:?}"),
            }
        }
    }
}
