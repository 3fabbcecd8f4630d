//! TLS for every outgoing connection: rustls on ring, the platform's roots, and those configured.
//!
//! Guarantees one process-wide provider and one way of verifying; HTTP and IMAP share it.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

/// Why no TLS configuration could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The extra roots are not PEM, or hold no certificate.
    #[error("reading the extra root certificates: {0}")]
    BadPem(String),
    /// The platform has no roots and none were given, or one given is not a certificate.
    #[error("loading the root certificates: {0} (hint: install ca-certificates)")]
    NoRoots(#[source] rustls::Error),
    /// The provider does not offer the protocol versions asked for.
    #[error("setting up tls: {0}")]
    Unsupported(#[source] rustls::Error),
}

/// Makes ring the process's provider. Calling it again changes nothing.
///
/// Every public function of `http` that needs it calls it; `main` calls it first thing, so that
/// no library chooses another.
pub fn install_crypto() {
    // An error says that a provider is installed already, which is what is wanted.
    let _ = ring::default_provider().install_default();
}

/// The client configuration that trusts the platform's roots and those of `extra_roots_pem`
/// (one or more certificates in PEM). It negotiates no application protocol.
///
/// # Errors
/// Where the machine has no roots of trust, or the extra ones cannot be read.
pub fn tls_config(extra_roots_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let extra = extra_roots_pem.map(parse_roots).transpose()?.unwrap_or_default();
    let verifier =
        Verifier::new_with_extra_roots(extra, provider.clone()).map_err(TlsError::NoRoots)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unsupported)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The certificates of a PEM file, at least one.
fn parse_roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let roots = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::BadPem(error.to_string()))?;
    if roots.is_empty() {
        return Err(TlsError::BadPem("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_file_without_a_certificate_is_refused() {
        for (pem, what) in [
            (&b""[..], "empty"),
            (b"hello\n", "not pem"),
            (b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "not base64"),
        ] {
            let result = tls_config(Some(pem));
            assert!(matches!(result, Err(TlsError::BadPem(_))), "{what}");
        }
    }
}
