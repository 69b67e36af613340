//! Keys made up for a test by the real GnuPG, on any day of the past.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A key: a primary key that certifies, and subkeys that sign.
pub(crate) struct Gpg {
    home: TempDir,
    pub(crate) primary: String,
}

impl Gpg {
    /// A primary key of that day (`20230101`), without a subkey.
    pub(crate) fn on(day: &str) -> Self {
        let home = TempDir::new().unwrap();
        let mut made = Self {
            home,
            primary: String::new(),
        };
        let user = "Made up for a test <nobody@example.com>";
        made.run(
            day,
            &["--quick-generate-key", user, "ed25519", "cert", "never"],
            b"",
        );
        made.primary = made.fingerprints().remove(0);
        made
    }

    /// Adds a subkey; its fingerprint. `expires` as GnuPG writes it: `2y`, `never`.
    pub(crate) fn subkey(&self, day: &str, kind: &str, expires: &str) -> String {
        let args = ["--quick-add-key", &self.primary, kind, "sign", expires];
        self.run(day, &args, b"");
        self.fingerprints().pop().unwrap()
    }

    /// A detached signature.
    pub(crate) fn sign(&self, day: &str, bytes: &[u8]) -> Vec<u8> {
        self.run(day, &["--detach-sign"], bytes)
    }

    /// Runs it at noon of a day; what it prints.
    pub(crate) fn run(&self, day: &str, args: &[&str], stdin: &[u8]) -> Vec<u8> {
        let mut command = Command::new("gpg");
        command
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--batch", "--yes", "--no-tty", "--quiet"])
            .args(["--pinentry-mode", "loopback", "--passphrase", ""])
            .args(["--faked-system-time", &format!("{day}T120000!")])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .expect("this test needs `gpg`: run tools/setup test");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "gpg {args:?}: {stderr}");
        output.stdout
    }

    /// The public key.
    pub(crate) fn export(&self) -> Vec<u8> {
        self.run("20260101", &["--armor", "--export"], b"")
    }

    /// Edits the first subkey or the key by what would be typed.
    pub(crate) fn edit(&self, day: &str, typed: &str) {
        let args = [
            "--command-fd",
            "0",
            "--status-fd",
            "2",
            "--edit-key",
            &self.primary,
        ];
        self.run(day, &args, typed.as_bytes());
    }

    /// The revocation of the whole key, which GnuPG lays ready, disarmed by a colon.
    pub(crate) fn revoke_all(&self, day: &str) {
        let ready = self
            .home
            .path()
            .join(format!("openpgp-revocs.d/{}.rev", self.primary));
        let text = fs::read_to_string(ready)
            .unwrap()
            .replace(":-----BEGIN", "-----BEGIN");
        self.run(day, &["--import"], text.as_bytes());
    }

    fn fingerprints(&self) -> Vec<String> {
        let listed = self.run("20260101", &["--with-colons", "--list-keys"], b"");
        let listed = String::from_utf8(listed).unwrap();
        let lines = listed.lines().filter_map(|line| line.strip_prefix("fpr:"));
        lines
            .map(|line| line.trim_matches(':').to_owned())
            .collect()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        stop_agent(self.home.path());
    }
}

/// Its agent would outlive the test.
fn stop_agent(home: &Path) {
    let mut command = Command::new("gpgconf");
    let _ = command
        .arg("--homedir")
        .arg(home)
        .args(["--kill", "gpg-agent"])
        .status();
}
