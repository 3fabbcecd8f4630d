//! TLS for IMAP: rustls on ring, the system's roots and, where given, one more.
//!
//! A configuration is made once for each set of extra roots and shared by all connections, because
//! it reads the system's roots from disk and keeps the sessions to resume.

use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::source::SourceError;

/// The configuration for connections that trust the system's roots and those in `extra_root_pem`.
///
/// # Errors
/// [`SourceError::Misconfigured`] if the PEM holds no certificate or the system has no roots.
pub fn tls_config(extra_root_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, SourceError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots(extra_root_pem)?, provider.clone())
        .map_err(|e| SourceError::Misconfigured(format!("certificate authorities: {e}")))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| SourceError::Misconfigured(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

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

fn roots(pem: Option<&[u8]>) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let Some(pem) = pem else { return Ok(Vec::new()) };
    let roots: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| SourceError::Misconfigured(format!("ca_file is not PEM: {e}")))?;
    if roots.is_empty() {
        return Err(SourceError::Misconfigured("ca_file holds no certificate".to_owned()));
    }
    Ok(roots)
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
