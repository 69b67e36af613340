//! A made-up authority, and servers' certificates by it, all made by `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A new key, of a kind that is made quickly.
const NEW_KEY: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];

/// An authority that nobody trusts who is not told to.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let args = "-x509 -days 2 -keyout ca.key -out ca.pem -subj";
        let args: Vec<&str> = args.split(' ').chain(["/CN=made up for a test"]).collect();
        openssl(folder.path(), &[&["req"], &NEW_KEY[..], &args].concat());
        Self { folder }
    }

    /// What makes it trusted, as `SSL_CERT_FILE`.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's certificate and key, for a name and for so many days.
    pub(crate) fn server(&self, name: &str, days: u32) -> ServerConfig {
        let folder = self.folder.path();
        let subject = format!("/CN={name}");
        let args = ["-keyout", "key.pem", "-out", "request.pem", "-subj"];
        openssl(
            folder,
            &[&["req"], &NEW_KEY[..], &args, &[&subject]].concat(),
        );
        fs::write(folder.join("names"), format!("subjectAltName=DNS:{name}\n")).unwrap();
        let args = "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out cert.pem -days";
        let days = days.to_string();
        let args: Vec<&str> = args.split(' ').chain([days.as_str()]).collect();
        openssl(folder, &args);
        let cert = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert], key)
            .unwrap()
    }
}

fn openssl(folder: &Path, args: &[&str]) {
    let mut command = Command::new("openssl");
    let output = command.args(args).current_dir(folder).output();
    let output = output.expect("this test needs `openssl`: run tools/setup test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
