//! Digests in Ignition's form, `sha512-…` and `sha256-…`.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use sha2::{Digest as _, Sha256, Sha512};

use crate::progress::{Progress, Stopped};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// 64 hex digits.
    Sha256,
    /// 128 hex digits.
    Sha512,
}

/// What a file's bytes hash to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    function: Function,
    hex: String,
}

impl Digest {
    /// Of hex digits, as lists of digests have them.
    #[must_use]
    pub fn new(function: Function, hex: &str) -> Option<Self> {
        let length = match function {
            Function::Sha256 => 64,
            Function::Sha512 => 128,
        };
        let is_hex = hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| Self {
            function,
            hex: hex.to_ascii_lowercase(),
        })
    }

    /// Reads Ignition's form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (function, hex) = text.split_once('-')?;
        let function = match function {
            "sha256" => Function::Sha256,
            "sha512" => Function::Sha512,
            _ => return None,
        };
        Self::new(function, hex)
    }

    /// Of these bytes.
    #[must_use]
    pub fn of(function: Function, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(function);
        hasher.update(bytes);
        hasher.digest()
    }

    /// Of all of an open file; where it is read next stays as it is.
    ///
    /// # Errors
    /// It can't be read, or the user [`Stopped`] it, which is inside the error then.
    pub fn of_file(function: Function, file: &File, progress: &dyn Progress) -> io::Result<Self> {
        let mut hasher = Hasher::new(function);
        hasher.update_from(file, progress)?;
        Ok(hasher.digest())
    }

    /// By which function.
    #[must_use]
    pub fn function(&self) -> Function {
        self.function
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let function = match self.function {
            Function::Sha256 => "sha256",
            Function::Sha512 => "sha512",
        };
        write!(out, "{function}-{}", self.hex)
    }
}

/// Hashes what comes in pieces.
#[derive(Clone)]
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    pub(super) fn new(function: Function) -> Self {
        match function {
            Function::Sha256 => Self::Sha256(Sha256::new()),
            Function::Sha512 => Self::Sha512(Box::default()),
        }
    }

    pub(super) fn function(&self) -> Function {
        match self {
            Self::Sha256(_) => Function::Sha256,
            Self::Sha512(_) => Function::Sha512,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// All of a file, as [`Digest::of_file`] reads it; its length.
    pub(super) fn update_from(&mut self, file: &File, progress: &dyn Progress) -> io::Result<u64> {
        let (mut bytes, mut at) = (vec![0; 128 << 10], 0);
        loop {
            if progress.stopped() {
                return Err(io::Error::other(Stopped));
            }
            let read = match file.read_at(&mut bytes, at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                return Ok(at);
            }
            self.update(&bytes[..read]);
            at += read as u64;
        }
    }

    /// Of all so far; more may follow.
    pub(super) fn digest(&self) -> Digest {
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut hex, byte| {
                hex.push_str(&format!("{byte:02x}"));
                hex
            })
        };
        Digest {
            function: self.function(),
            hex: match self {
                Self::Sha256(hasher) => hex(&hasher.clone().finalize()),
                Self::Sha512(hasher) => hex(&hasher.clone().finalize()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignitions_form_is_read_back() {
        let digest = Digest::of(Function::Sha256, b"abc");
        let text = "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::parse(text), Some(digest));
        assert_eq!(Digest::parse(&text.replace("256", "512")), None);
        assert_eq!(Digest::parse(&text.replace('b', "g")), None);
        let text = Digest::of(Function::Sha512, b"").to_string();
        assert_eq!(Digest::parse(&text).map(|it| it.to_string()), Some(text));
    }
}
