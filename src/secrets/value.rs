//! An encrypted value as it stands in a TOML file: `age:RECIPIENTS:VERSION:SEALED`.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use memchr::memchr;

use super::recipients::Recipients;
use crate::env_file::is_variable_name;

/// The bytes after the nonce of an age file that holds nothing: one authentication tag of ChaCha20-Poly1305.
const TAG: usize = 16;

/// The bytes between header and payload.
const NONCE: usize = 16;

/// The length of a full line in a header.
const COLUMNS: usize = 64;

/// The length of the header's own authentication code, in base64.
const MAC: usize = 43;

/// An encrypted value. It may be shown: all of it stands in git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    recipients: String,
    version: String,
    sealed: Vec<u8>,
}

/// Why a text is not an encrypted value. It never holds the text, which may be a secret that someone forgot to encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No `age:` at its beginning.
    #[error("the value is not encrypted: it does not begin with `age:`")]
    Plain,
    /// Fewer than three fields.
    #[error("the encrypted value has no {0}: it is `age:`, recipients, version and age file")]
    Missing(&'static str),
    /// The first field.
    #[error("the recipients field of the encrypted value is not 8 lower-case hex digits")]
    Recipients,
    /// The second field.
    #[error("the version field of the encrypted value is not 16 lower-case hex digits")]
    Version,
    /// The third field is no base64.
    #[error("the base64 of the encrypted value is broken or cut short")]
    Base64,
    /// The third field is something else in base64.
    #[error("the encrypted value does not hold an age file")]
    NotAge,
    /// An age file of a version that nobody knows yet.
    #[error("the encrypted value holds an age file of an unknown version")]
    UnknownAge,
    /// It begins as an age file.
    #[error("the age file in the encrypted value is damaged in its header")]
    Header,
    /// The header's last line, the nonce or the payload is missing.
    #[error("the age file in the encrypted value is cut short")]
    CutShort,
}

impl SecretError {
    /// What to do about it.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Plain => {
                "encrypt it with `ephemeros secrets set`; where it was committed, it is no secret any more: change it"
            }
            Self::UnknownAge => "a newer `ephemeros` may know it",
            _ => "restore the line from git, or set the value again with `ephemeros secrets set`",
        }
    }
}

impl Secret {
    /// A value that was just encrypted to these recipients; `version` must be new whenever the value is.
    #[must_use]
    pub fn new(recipients: &Recipients, version: [u8; 8], sealed: Vec<u8>) -> Self {
        Self {
            recipients: recipients.digest(),
            version: format!("{:016x}", u64::from_be_bytes(version)),
            sealed,
        }
    }

    /// The same value, and so the same version, encrypted to these recipients.
    #[must_use]
    pub fn resealed(&self, recipients: &Recipients, sealed: Vec<u8>) -> Self {
        Self {
            recipients: recipients.digest(),
            version: self.version.clone(),
            sealed,
        }
    }

    /// The digest of the recipients that it was encrypted to, 8 hex digits: [`Recipients::digest`] of today's says the
    /// same, or it wants `rekey`.
    #[must_use]
    pub fn recipients_digest(&self) -> &str {
        &self.recipients
    }

    /// The value's version, 16 hex digits: what the record of a stick names.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The age file.
    #[must_use]
    pub fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// The kinds of keys that its header names, in order: `X25519`, `ssh-ed25519`. Made-up ones, which age adds so that
    /// readers stay tolerant, are left out.
    pub fn stanzas(&self) -> impl Iterator<Item = &str> {
        self.stanza_lines()
            .filter_map(|stanza| stanza.split(' ').next())
            .filter(|kind| !kind.ends_with("-grease"))
    }

    /// The SSH keys that its header names: of each 4 bytes of a digest, in base64.
    pub fn ssh_tags(&self) -> impl Iterator<Item = &str> {
        self.stanza_lines().filter_map(|stanza| {
            let mut fields = stanza.split(' ');
            let is_ssh = fields.next()?.starts_with("ssh-");
            fields.next().filter(|_| is_ssh)
        })
    }

    fn stanza_lines(&self) -> impl Iterator<Item = &str> {
        self.sealed
            .split(|&byte| byte == b'\n')
            .take_while(|line| !line.starts_with(b"---"))
            .filter_map(|line| str::from_utf8(line.strip_prefix(b"-> ")?).ok())
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let fields = text.strip_prefix("age:").ok_or(SecretError::Plain)?;
        let mut fields = fields.splitn(3, ':');
        let mut field = |name| {
            let field = fields.next().filter(|field| !field.is_empty());
            field.ok_or(SecretError::Missing(name))
        };
        let (recipients, version) = (field("recipients")?, field("version")?);
        let sealed = field("age file")?;
        if !is_hex(recipients, 8) {
            return Err(SecretError::Recipients);
        }
        if !is_hex(version, 16) {
            return Err(SecretError::Version);
        }
        let sealed = BASE64_STANDARD
            .decode(sealed)
            .map_err(|_| SecretError::Base64)?;
        check_age_file(&sealed)?;
        Ok(Self {
            recipients: recipients.to_owned(),
            version: version.to_owned(),
            sealed,
        })
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sealed = BASE64_STANDARD.encode(&self.sealed);
        write!(
            formatter,
            "age:{}:{}:{sealed}",
            self.recipients, self.version
        )
    }
}

/// The version of an encrypted value, told by its text alone.
#[must_use]
pub fn version(text: &str) -> Option<&str> {
    text.split(':').nth(2)
}

/// Whether this is the version of a value, as [`Secret::version`] gives it.
#[must_use]
pub fn is_version(text: &str) -> bool {
    is_hex(text, 16)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What can be told of an age file without a key (`age-encryption.org/v1`): a whole header, a nonce, and room for a tag.
fn check_age_file(sealed: &[u8]) -> Result<(), SecretError> {
    let magic = b"age-encryption.org/";
    if !sealed.starts_with(&magic[..magic.len().min(sealed.len())]) {
        return Err(SecretError::NotAge);
    }
    if behind_plain_header(sealed).is_some_and(|rest| rest.len() >= NONCE + TAG) {
        return Ok(());
    }
    // The age crate takes a damaged header of version 1 for one of a version it does not know.
    let version_1 = sealed.starts_with(b"age-encryption.org/v1\n");
    let mut rest = sealed;
    match age::Decryptor::new_buffered(&mut rest).map(drop) {
        Ok(()) if rest.len() >= TAG => Ok(()),
        Ok(()) | Err(age::DecryptError::Io(_)) => Err(SecretError::CutShort),
        Err(age::DecryptError::UnknownFormat) if !version_1 => Err(SecretError::UnknownAge),
        Err(_) => Err(SecretError::Header),
    }
}

/// What follows a header in which the age crate finds no fault. Not every such header is one, so `None` says nothing; but
/// those that are in use are, and the crate takes ten times as long to see it.
fn behind_plain_header(sealed: &[u8]) -> Option<&[u8]> {
    let mut rest = sealed.strip_prefix(b"age-encryption.org/v1\n")?;
    let mut line = || {
        let (line, behind) = rest.split_at_checked(memchr(b'\n', rest)?)?;
        rest = &behind[1..];
        Some(line)
    };
    let is_base64 = |line: &[u8]| {
        let decoded = BASE64_STANDARD_NO_PAD.decode_slice(line, &mut [0; COLUMNS]);
        decoded.is_ok()
    };
    let mut stanza = line()?;
    loop {
        let words = stanza.strip_prefix(b"-> ")?;
        let mut words = words.split(|&byte| byte == b' ');
        // A password stands alone, or the whole header counts for nothing.
        if words.clone().next() == Some(b"scrypt")
            || !words.all(|word| !word.is_empty() && word.iter().all(u8::is_ascii_graphic))
        {
            return None;
        }
        // All lines of a body but the last are full.
        loop {
            let body = line()?;
            if body.len() > COLUMNS || !is_base64(body) {
                return None;
            }
            if body.len() < COLUMNS {
                break;
            }
        }
        stanza = line()?;
        if let Some(mac) = stanza.strip_prefix(b"--- ") {
            return (mac.len() == MAC && is_base64(mac)).then_some(rest);
        }
    }
}

/// A name that no variable of a service could have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name for a secret: letters, digits and `_`, not beginning with a digit")]
pub struct NameError(pub String);

/// Checks the name of a secret, which becomes the name of a variable.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if is_variable_name(name) {
        Ok(())
    } else {
        Err(NameError(name.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const HEADER: &str = "age-encryption.org/v1
-> X25519 CJM36AHmTbdHSuOQL+NESqyVQE75f2e610iRdLPEN20
C3ZAeY64NXS4QFrksLm3EGz+uPRyI0eQsWw7LWbbYig
-> x-grease a b

-> ssh-ed25519 BjH7FA RO+wV4kbbl4NtSmp56lQcfRdRp3dEFpdQmWkaoiw6lY
51eEu5Oo2JYAG7OU4oamH03FDRP18/GnzeCrY7Z+sa8
--- fgMiVLJHMlg9fW7CVG/hPS5EAU4Zeg19LyCP7SoH5nA
";

    fn parse(sealed: &[u8]) -> Result<Secret, SecretError> {
        let sealed = BASE64_STANDARD.encode(sealed);
        format!("age:4f1d0c9a:9c1e5b2270aa41f3:{sealed}").parse()
    }

    fn whole() -> Vec<u8> {
        [HEADER.as_bytes(), b"nonce\n-> cipher\n", &[0; TAG]].concat()
    }

    #[test]
    fn reads_what_it_writes() {
        let secret = parse(&whole()).unwrap();
        assert_eq!(secret.recipients_digest(), "4f1d0c9a");
        assert_eq!(secret.version(), "9c1e5b2270aa41f3");
        assert_eq!(version(&secret.to_string()), Some(secret.version()));
        assert_eq!(secret.sealed(), whole());
        assert_eq!(secret.to_string().parse(), Ok(secret));
    }

    #[test]
    fn names_the_kinds_of_keys_it_was_made_for() {
        let secret = parse(&whole()).unwrap();
        assert_eq!(
            secret.stanzas().collect::<Vec<_>>(),
            ["X25519", "ssh-ed25519"]
        );
        assert_eq!(secret.ssh_tags().collect::<Vec<_>>(), ["BjH7FA"]);
    }

    #[test]
    fn says_which_field_is_wrong() {
        use SecretError::{Base64, Missing, Plain, Recipients, Version};
        let version = "9c1e5b2270aa41f3";
        for (text, mistake) in [
            (String::new(), Plain),
            ("hunter2".into(), Plain),
            (" age:".into(), Plain),
            ("age:".into(), Missing("recipients")),
            ("age:4f1d0c9a".into(), Missing("version")),
            ("age:4f1d0c9a::YQ==".into(), Missing("version")),
            (format!("age:4f1d0c9a:{version}"), Missing("age file")),
            (format!("age:4f1d0c9a:{version}:"), Missing("age file")),
            (format!("age:4f1d0c9:{version}:YQ=="), Recipients),
            (format!("age:4F1D0C9A:{version}:YQ=="), Recipients),
            (format!("age:4f1d0c9é:{version}:YQ=="), Recipients),
            ("age:4f1d0c9a:9c1e5b2270aa41f:YQ==".into(), Version),
            (format!("age:4f1d0c9a:{version}:YQ"), Base64),
            (format!("age:4f1d0c9a:{version}:Y Q="), Base64),
            (format!("age:4f1d0c9a:{version}:YQ==:"), Base64),
        ] {
            assert_eq!(text.parse::<Secret>(), Err(mistake), "for {text:?}");
        }
    }

    #[test]
    fn knows_an_age_file_at_sight() {
        assert_eq!(parse(b"hunter2"), Err(SecretError::NotAge));
        assert_eq!(
            parse(b"age-encryption.org/v2\nx"),
            Err(SecretError::UnknownAge)
        );
        let damaged = HEADER.replace("-> X25519", "=> X25519");
        assert_eq!(parse(damaged.as_bytes()), Err(SecretError::Header));
    }

    #[test]
    fn sees_a_cut_at_any_place() {
        let whole = whole();
        for length in 1..whole.len() {
            assert_eq!(
                parse(&whole[..length]),
                Err(SecretError::CutShort),
                "{length} bytes"
            );
        }
    }

    /// `whole` with bytes written over, put in and taken out.
    fn damaged(edits: &[(usize, u8, u8)]) -> Vec<u8> {
        let mut sealed = whole();
        for &(at, kind, byte) in edits {
            let at = at % sealed.len();
            match kind % 3 {
                0 => sealed[at] = byte,
                1 => sealed.insert(at, byte),
                _ => drop(sealed.remove(at)),
            }
        }
        sealed
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn the_age_crate_takes_what_is_plain(
            edits in vec((0..400_usize, 0..3_u8, select(b"\n\n -A=/\tz\x80".to_vec())), 0..3)
        ) {
            let sealed = damaged(&edits);
            if let Some(rest) = behind_plain_header(&sealed) {
                let mut read = &sealed[..];
                prop_assert!(age::Decryptor::new_buffered(&mut read).is_ok() || rest.len() < NONCE);
                prop_assert!(rest.len() < NONCE || read == &rest[NONCE..]);
            }
        }
    }

    #[test]
    fn a_usual_header_is_plain() {
        assert!(behind_plain_header(&whole()).is_some());
        let scrypt = HEADER.replace("x-grease", "scrypt");
        assert_eq!(
            parse(&[scrypt.as_bytes(), &[0; 32]].concat()),
            Err(SecretError::Header)
        );
    }

    #[test]
    fn takes_names_that_a_variable_can_have() {
        assert_eq!(check_name("K3S_TOKEN"), Ok(()));
        assert_eq!(check_name("_x"), Ok(()));
        for name in ["", "9A", "A-B", "A.B", "Ä"] {
            assert_eq!(check_name(name), Err(NameError(name.into())));
        }
    }
}
