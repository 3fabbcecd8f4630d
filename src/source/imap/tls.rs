//! The TLS handshake of an IMAP connection, and what its failures mean.
//!
//! The configuration comes from `http::tls_config`, made once for each set of extra roots and
//! shared by all connections: it reads the system's roots from disk and keeps sessions to resume.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::http;
use crate::model::Timestamp;
use crate::source::SourceError;

/// Shakes hands, checking that the certificate is for `host`.
pub(super) async fn handshake(
    stream: TcpStream,
    host: &str,
    config: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, SourceError> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| SourceError::Misconfigured(format!("`{host}` is not a host name")))?;
    TlsConnector::from(config.clone()).connect(name, stream).await.map_err(|e| refused(&e))
}

/// Until when the server's certificate is valid.
pub(super) fn certificate_until(stream: &TlsStream<TcpStream>) -> Option<Timestamp> {
    http::not_after(stream.get_ref().1.peer_certificates()?.first()?)
}

/// A failed handshake is the network's fault, or one that only the admin can mend.
fn refused(error: &io::Error) -> SourceError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let hint = match tls {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "set ca_file to the certificate of the authority that signed the server's"
        }
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "set host to a name that the certificate is for",
        Some(rustls::Error::InvalidCertificate(_)) => "the server needs another certificate",
        Some(rustls::Error::InvalidMessage(_)) => {
            "the port may not speak TLS from the start: try tls = \"starttls\""
        }
        Some(_) => "the server may offer only TLS below 1.2, which is refused",
        None => return SourceError::Unreachable(format!("TLS handshake: {}", error.kind())),
    };
    SourceError::Misconfigured(format!("TLS handshake: {error}; hint: {hint}"))
}
