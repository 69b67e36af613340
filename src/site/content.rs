//! What a site has at a path, and why it can't give it.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::mirror::Catalogue;
use crate::diagnostic::Diagnostic;
use crate::progress::Progress;
use crate::render::hex;

/// Files by their paths, which have `/` between segments and none in front. Each segment is a name: never empty, `.` or
/// `..`, and without `/`, `\` or control characters. Many threads ask at once.
pub trait Tree: Sync {
    /// What stands at a path; `None` where the tree has no such file.
    ///
    /// # Errors
    /// The file should be there, and can't be given now.
    fn find(&self, path: &str) -> Result<Option<Content>, Trouble>;
}

/// A fleet's rendered files, wherever they come from.
pub trait Rendered: Tree {
    /// All of them, by their paths.
    ///
    /// # Errors
    /// One of them can't be given.
    fn all(&self, progress: &dyn Progress) -> Result<BTreeMap<String, Vec<u8>>, Trouble>;

    /// What the fleet's nodes boot from.
    ///
    /// # Errors
    /// The fleet can't be read.
    fn catalogue(&self) -> Result<Arc<Catalogue>, Trouble>;
}

/// One file.
#[derive(Debug)]
pub struct Content {
    /// Its bytes.
    pub body: Body,
    /// Another one for other bytes: letters, digits and `-`.
    pub tag: String,
    /// Its media type.
    pub kind: &'static str,
}

/// The bytes of a file.
#[derive(Debug)]
pub enum Body {
    /// As they are.
    Bytes(Vec<u8>),
    /// All of an open file, which stays as it is.
    File(File),
}

impl Content {
    /// A small file, named by its digest.
    #[must_use]
    pub fn of(path: &str, bytes: Vec<u8>) -> Self {
        let mut tag = hex(&Sha256::digest(&bytes));
        tag.truncate(32);
        Self {
            body: Body::Bytes(bytes),
            tag,
            kind: kind(path),
        }
    }
}

/// The media type of a file by its name. Ignition and iPXE don't look at it, browsers and proxies do.
pub(super) fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "ign")) => "application/vnd.coreos.ignition+json",
        Some((_, "ipxe")) => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Files that are known before.
impl Tree for BTreeMap<String, Vec<u8>> {
    fn find(&self, path: &str) -> Result<Option<Content>, Trouble> {
        Ok(self.get(path).map(|bytes| Content::of(path, bytes.clone())))
    }
}

/// Why a file can't be given. The client is told the status alone, whoever runs the server all of it.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// 500, 502 or 503: with each of them Ignition and iPXE come again.
    pub status: u16,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The mistakes in the fleet's files, where it is these.
    pub mistakes: Vec<Diagnostic>,
}

impl Trouble {
    /// Something on this machine does not work.
    // An error is handed over whole, as in `map_err`.
    #[allow(clippy::needless_pass_by_value)]
    pub fn here(error: impl ToString) -> Self {
        Self::new(500, error.to_string())
    }

    /// The fleet's files have mistakes.
    #[must_use]
    pub fn mistakes(mistakes: Vec<Diagnostic>) -> Self {
        let message = "the fleet's files have mistakes".to_owned();
        Self {
            mistakes,
            ..Self::new(500, message)
        }
    }

    /// The server that has the file does not give it, or gives another one.
    #[must_use]
    pub fn upstream(message: String) -> Self {
        Self::new(502, message)
    }

    /// It will be there soon.
    #[must_use]
    pub fn soon(message: String) -> Self {
        Self::new(503, message)
    }

    /// Says what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    fn new(status: u16, message: String) -> Self {
        Self {
            status,
            message,
            help: None,
            mistakes: Vec::new(),
        }
    }
}
