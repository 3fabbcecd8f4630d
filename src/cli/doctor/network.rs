//! The way to a server: its name, its port, and for what is on the web its certificate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Checked, Verdict};
use crate::http;
use crate::model::Timestamp;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A certificate that ends within so many days is worth a warning: most are renewed a month before.
const DAYS_LEFT: i64 = 21;

/// Resolves and connects; what a step found, and the connection if there is one.
pub(super) async fn reach(
    subject: &str,
    host: &str,
    port: u16,
) -> (Vec<Checked>, Option<TcpStream>) {
    let bare = host.trim_matches(['[', ']']);
    let addresses = match timeout(PATIENCE, tokio::net::lookup_host((bare, port))).await {
        Ok(Ok(addresses)) => addresses.collect::<Vec<_>>(),
        Ok(Err(error)) => return (vec![unresolved(subject, bare, &error.to_string())], None),
        Err(_) => return (vec![unresolved(subject, bare, "no answer in time")], None),
    };
    let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    let dns = Checked::new(subject, "dns", Verdict::Ok, format!("{bare} is {}", shown.join(", ")));
    let mut last = "it has no address".to_owned();
    for address in addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let tcp =
                    Checked::new(subject, "tcp", Verdict::Ok, format!("connected to {address}"));
                return (vec![dns, tcp], Some(stream));
            }
            Ok(Err(error)) => last = format!("{address}: {error}"),
            Err(_) => last = format!("{address}: no answer to a connection"),
        }
    }
    let hint = "is the port right, does the server run, does a firewall let this machine through?";
    (vec![dns, Checked::failed(subject, "tcp", &last, hint)], None)
}

fn unresolved(subject: &str, host: &str, why: &str) -> Checked {
    let hint = "is the name right, and does this machine's resolver know it? (getent hosts NAME)";
    Checked::failed(subject, "dns", &format!("no address for {host}: {why}"), hint)
}

/// Shakes hands over a connection, and reads until when the certificate is valid.
pub(super) async fn secure(
    subject: &str,
    stream: TcpStream,
    host: &str,
    ca_file: Option<&Path>,
    now: Timestamp,
) -> Checked {
    match handshake(stream, host, ca_file).await {
        Ok(until) => certificate(subject, until, now),
        Err(why) => {
            let hint = "is the certificate for this name, signed by whom this machine trusts, and in \
                        date? ca_file trusts one more authority";
            Checked::failed(subject, "tls", &why, hint)
        }
    }
}

async fn handshake(
    stream: TcpStream,
    host: &str,
    ca_file: Option<&Path>,
) -> Result<Option<Timestamp>, String> {
    let pem = ca_file.map(std::fs::read).transpose().map_err(|e| format!("ca_file: {e}"))?;
    let config: Arc<ClientConfig> =
        http::tls_config(pem.as_deref()).map_err(|error| error.to_string())?;
    let name = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    let shaken = timeout(PATIENCE, TlsConnector::from(config).connect(name, stream)).await;
    let stream = shaken.map_err(|_| "no answer to the handshake".to_owned())?;
    let stream = stream.map_err(|error| error.to_string())?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    Ok(shown.and_then(|certificate| http::not_after(certificate)))
}

/// How long a certificate is valid that has been accepted.
pub(super) fn certificate(subject: &str, until: Option<Timestamp>, now: Timestamp) -> Checked {
    let Some(until) = until else {
        return Checked::new(subject, "tls", Verdict::Ok, "accepted");
    };
    let days = (until - now).millis().div_euclid(24 * 3_600_000);
    let found = format!("certificate valid for {days} more days, until {until}");
    if days < DAYS_LEFT {
        let hint = "it should have been renewed by now: look at what renews it on the server";
        return Checked::new(subject, "tls", Verdict::Warning, found).hint(hint);
    }
    Checked::new(subject, "tls", Verdict::Ok, found)
}
