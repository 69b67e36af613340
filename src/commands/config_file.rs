//! A single config, read from a file or from standard input: no fleet is needed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::Failure;
use crate::diagnostic::Diagnostic;
use crate::ignition::{self, Config};
use crate::source::Source;

/// No config is longer; `/dev/zero` is, and would take all memory. In MiB.
const LONGEST: u64 = 64;

/// A config as it was read.
pub(super) struct ConfigFile {
    /// As the user knows it.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Reads a file, a pipe too, until its end; without a path, standard input.
pub(super) fn read(path: Option<&Path>) -> Result<ConfigFile, Failure> {
    let name = path.map_or("<stdin>".to_owned(), |path| path.display().to_string());
    let bytes = match path {
        Some(path) => File::open(path).and_then(|file| read_all(file, path.is_dir())),
        None => read_all(io::stdin().lock(), false),
    };
    match bytes {
        Ok(bytes) => Ok(ConfigFile { name, bytes }),
        Err(error) => Err(Failure::problem(
            format!("can't read `{name}`: {error}"),
            Some(match path {
                Some(path) if path == Path::new("-") => {
                    "`-` is a file of that name, as it is for `butane`: leave FILE out to read standard input"
                }
                _ => "name one file that is a config, and that you may read",
            }),
        )),
    }
}

fn read_all(from: impl Read, is_folder: bool) -> io::Result<Vec<u8>> {
    if is_folder {
        return Err(io::Error::other("it is a folder"));
    }
    let most = LONGEST << 20;
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!(
            "it is longer than {LONGEST} MiB, too long for a config"
        )));
    }
    Ok(bytes)
}

/// As [`read`], and `-` is standard input, as for `ignition-validate`.
pub(super) fn read_ignition(path: Option<&Path>) -> Result<Arc<Source>, Failure> {
    let file = read(path.filter(|path| *path != Path::new("-")))?;
    // What is no UTF-8 is replaced, as in Go.
    let text = String::from_utf8_lossy(&file.bytes);
    Ok(Source::file(file.name, text))
}

/// Reads an Ignition config and checks it; without errors among what was found there is a config.
pub(super) fn check(source: &Arc<Source>, found: &mut Vec<Diagnostic>) -> Option<Config> {
    let (config, unknown) = Config::parse(source);
    let mistakes = config
        .iter()
        .flat_map(|config| ignition::validate(config, Some(source)));
    // A mistake of the whole config has no place, and must say in which file it is.
    let named = mistakes
        .chain(unknown)
        .map(|one| match one.labels.as_slice() {
            [] => one.at(source, 0..0),
            _ => one,
        });
    found.extend(named);
    config
}
