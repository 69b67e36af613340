//! Who may vouch for a server.

use std::sync::Arc;

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::NetError;

/// The machine's own authorities, as every other program there trusts them; `SSL_CERT_FILE` names others.
pub(super) fn tls() -> Result<TlsConfig, NetError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let causes: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(NetError::NoAuthorities {
            cause: if causes.is_empty() {
                "their folder is empty".to_owned()
            } else {
                causes.join("; ")
            },
        });
    }
    let roots: Vec<_> = found
        .certs
        .iter()
        .map(|it| Certificate::from_der(it).to_owned())
        .collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(provider)
        .build())
}
