//! Where the IMAP server of a domain is likely to be, within seconds: the hosts that providers and
//! admins use, tried by a TLS handshake, which proves the name. Nobody is told an address.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// IMAP over TLS (RFC 8314).
const PORT: u16 = 993;

/// Providers whose hosts do not follow from the domain.
const PROVIDERS: &[(&[&str], &str)] = &[
    (&["gmail.com", "googlemail.com"], "imap.gmail.com"),
    (&["outlook.com", "hotmail.com", "live.com", "msn.com"], "outlook.office365.com"),
    (&["icloud.com", "me.com", "mac.com"], "imap.mail.me.com"),
    (&["yahoo.com", "ymail.com"], "imap.mail.yahoo.com"),
    (&["fastmail.com", "fastmail.fm"], "imap.fastmail.com"),
];

/// The first of the likely hosts that speaks TLS under its name, if one does in time.
pub(super) async fn imap(domain: &str, tls: &Arc<ClientConfig>) -> Option<String> {
    let hosts = candidates(domain);
    let tried = hosts.iter().map(|host| async move {
        timeout(PATIENCE, secured(host, tls)).await.ok().flatten().map(|()| host.clone())
    });
    futures_util::future::join_all(tried).await.into_iter().flatten().next()
}

/// The likely ones, the likeliest first.
fn candidates(domain: &str) -> Vec<String> {
    let provider = PROVIDERS.iter().find(|(domains, _)| domains.contains(&domain));
    match provider {
        Some((_, host)) => vec![(*host).to_owned()],
        None => ["imap.", "mail.", ""].map(|prefix| format!("{prefix}{domain}")).to_vec(),
    }
}

async fn secured(host: &str, tls: &Arc<ClientConfig>) -> Option<()> {
    let stream = TcpStream::connect((host, PORT)).await.ok()?;
    let name = ServerName::try_from(host.to_owned()).ok()?;
    TlsConnector::from(tls.clone()).connect(name, stream).await.ok().map(drop)
}

/// What was answered, as host and port.
///
/// # Errors
/// What is wrong with it.
pub(super) fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok()),
        None => (text, Some(PORT)),
    };
    match port {
        Some(port) if !host.is_empty() && !host.contains(['/', ' ', ':', '@']) => {
            Ok((host.to_owned(), port))
        }
        _ => Err(format!("error: {text:?} is no server\nhint: such as imap.us.example")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_with_or_without_a_port() {
        for (text, expected) in [
            ("imap.us.example", Some(("imap.us.example", 993))),
            ("localhost:1993", Some(("localhost", 1993))),
            ("imaps://imap.us.example", None),
            ("imap.us.example:x", None),
            (":993", None),
        ] {
            let found = host_and_port(text).ok();
            assert_eq!(found, expected.map(|(host, port)| (host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn a_provider_is_known_by_its_domains() {
        assert_eq!(candidates("gmail.com"), ["imap.gmail.com"]);
        assert_eq!(candidates("us.example"), ["imap.us.example", "mail.us.example", "us.example"]);
    }
}
