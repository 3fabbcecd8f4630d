//! Certificates for servers on loopback: an authority of their own, and a leaf signed by it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// What a server needs, and what its clients must trust; all in PEM.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    /// The authority, for `ca_file`.
    pub(crate) ca: String,
    /// The server's certificate, for `localhost` and `127.0.0.1`.
    pub(crate) leaf: String,
    /// The server's key.
    pub(crate) key: String,
}

/// An authority and a certificate signed by it: rustls takes no authority's own for a server's.
pub(crate) fn issue() -> Certificates {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    Certificates { ca: issuer.pem(), leaf: leaf.pem(), key: key.serialize_pem() }
}
