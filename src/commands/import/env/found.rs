//! The variables that the original Ephemeros was run with, from the environment or a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::script;
use crate::commands::Failure;
use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// How the names of the variables began that went to a stick.
const PREFIXES: [&str; 4] = ["K3S_", "LOGEXPORT_", "HEARTBEAT_", "NAMECHEAP_DDNS_"];

/// The node's host name, and the path of a public key.
pub(super) const HOSTNAME: &str = "NODE_HOSTNAME";
pub(super) const SSH_KEY: &str = "SSH_KEY_PATH";

/// No script is longer, in bytes.
const LONGEST: usize = 1 << 20;

/// A variable. Not `Debug`: it may be a secret.
pub(super) struct Variable {
    pub(super) value: Zeroizing<Vec<u8>>,
    span: Option<Range<usize>>,
}

/// All that was found.
pub(super) struct Found {
    /// Where, as people call it.
    pub(super) origin: String,
    /// Those that went to the stick.
    pub(super) variables: BTreeMap<String, Variable>,
    /// `NODE_HOSTNAME`, unless it is empty.
    pub(super) hostname: Option<Variable>,
    /// `SSH_KEY_PATH`, unless it is empty.
    pub(super) ssh_key: Option<Variable>,
    source: Option<Arc<Source>>,
}

impl Found {
    fn new(origin: String, source: Option<Arc<Source>>) -> Self {
        Self {
            origin,
            variables: BTreeMap::new(),
            hostname: None,
            ssh_key: None,
            source,
        }
    }

    /// Those of the environment.
    pub(super) fn in_environment() -> Self {
        let mut found = Self::new("the environment".to_owned(), None);
        for (name, value) in std::env::vars_os() {
            if let Some(name) = name.to_str() {
                let value = Zeroizing::new(value.into_vec());
                found.take(name, Variable { value, span: None });
            }
        }
        found
    }

    /// Those of a file, and of no other place; `-` is standard input.
    pub(super) fn in_file(path: &Path, mistakes: &mut Vec<Diagnostic>) -> Result<Self, Failure> {
        let is_stdin = path == Path::new("-");
        let (name, origin) = if is_stdin {
            ("<stdin>".to_owned(), "standard input".to_owned())
        } else {
            let file = path.file_name().unwrap_or_default();
            (
                path.display().to_string(),
                file.to_string_lossy().into_owned(),
            )
        };
        let bytes = read(path, is_stdin).map_err(|error| {
            Failure::problem(
                format!("can't read `{name}`: {error}"),
                Some("name the `reproduce.sh` of a stick, or a file of `NAME=value` lines"),
            )
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            Failure::problem(
                format!("`{name}` is no text"),
                Some("name a shell script in UTF-8"),
            )
        })?;
        let source = masked(name, text);
        let mut found = Self::new(origin, Some(Arc::clone(&source)));
        for assignment in script::read(text, &source, mistakes) {
            let place = assignment.span.clone();
            let name = assignment.name;
            let variable = Variable {
                value: assignment.value,
                span: Some(assignment.span),
            };
            let warn = |message: String| Diagnostic::warning(message).at(&source, place);
            match found.take(&name, variable) {
                Taken::Yes => {}
                Taken::Again => mistakes.push(
                    warn(format!("`{name}` is set twice, and the last one holds"))
                        .help("take one of them out"),
                ),
                Taken::No => mistakes.push(
                    warn(format!(
                        "`{name}` is left out: the original knew no such variable"
                    ))
                    .help(
                        "give it to the node with `ephemeros secrets set`, where a role takes it",
                    ),
                ),
            }
        }
        Ok(found)
    }

    fn take(&mut self, name: &str, variable: Variable) -> Taken {
        let before = match name {
            HOSTNAME => self.hostname.replace(variable),
            SSH_KEY => self.ssh_key.replace(variable),
            _ if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => {
                self.variables.insert(name.to_owned(), variable)
            }
            _ => return Taken::No,
        };
        self.hostname.take_if(|it| it.value.is_empty());
        self.ssh_key.take_if(|it| it.value.is_empty());
        match before {
            Some(_) => Taken::Again,
            None => Taken::Yes,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.hostname.is_none() && self.ssh_key.is_none()
    }

    /// A mistake about a variable, at its place where it has one.
    pub(super) fn error(&self, variable: &Variable, message: impl Into<String>) -> Diagnostic {
        self.at(variable, Diagnostic::error(message))
    }

    /// Says where a variable stands.
    pub(super) fn at(&self, variable: &Variable, diagnostic: Diagnostic) -> Diagnostic {
        match (&self.source, &variable.span) {
            (Some(source), Some(span)) => diagnostic.at(source, span.clone()),
            _ => diagnostic,
        }
    }
}

/// Whether a variable is one of the original's.
enum Taken {
    Yes,
    Again,
    No,
}

/// The bytes of a script, or of a pipe with one.
fn read(path: &Path, is_stdin: bool) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it, so that no copy is left behind when it grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
    let most = LONGEST as u64 + 1;
    if is_stdin {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    if bytes.len() > LONGEST {
        return Err(io::Error::other("it is too long for such a script"));
    }
    Ok(bytes)
}

/// A text of the same places and without a letter of it: a source stays in memory, and is shown.
fn masked(name: String, text: &str) -> Arc<Source> {
    let mask = |character: char| match character.len_utf8() {
        _ if matches!(character, '\n' | '\r') => character,
        1 => '*',
        2 => '\u{b7}',
        3 => '\u{2022}',
        _ => '\u{1f7c4}',
    };
    Source::file(name, text.chars().map(mask).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_text_has_the_same_places() {
        let text = "a=\u{e9}\u{20ac}\u{1f600}\r\nb=1\n";
        let source = masked("a".to_owned(), text);
        assert_eq!(source.text.len(), text.len());
        let at = text.find('b').unwrap_or_default();
        let whole = Source::file("a", text);
        for offset in [0, 2, 4, 7, at, at + 2] {
            assert_eq!(source.position(offset), whole.position(offset));
        }
        assert!(!source.text.contains(|c: char| c.is_alphanumeric()));
    }
}
