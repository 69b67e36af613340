//! The files of a new fleet.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::Value;
use uuid::Uuid;

use super::found::Found;
use crate::commands::Failure;

const FLEET: &str = include_str!("fleet/fleet.toml");
const NODE: &str = include_str!("fleet/node.toml");
const BASE: &str = include_str!("fleet/base.bu");
const SECRETS: &str = include_str!("fleet/secrets.bu");
const README: &str = include_str!("fleet/README.md");

/// Sticks as files hold secrets in plain text.
const IGNORED: &str = "*.img";

/// Where this version's pages are read.
pub(super) const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs");

/// A file that is to be written.
pub(super) struct NewFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Whether it is another one that gets more lines.
    pub(super) adds: bool,
}

impl NewFile {
    pub(super) fn new(path: PathBuf, text: String) -> Self {
        Self {
            path,
            text,
            adds: false,
        }
    }
}

/// The fleet in the folder `root`, but for its pins.
pub(super) fn of_the_fleet(
    root: &Path,
    found: &Found,
    node: &str,
    id: Uuid,
) -> Result<Vec<NewFile>, Failure> {
    let fleet = fill(
        FLEET,
        &[
            ("DOCS", DOCS),
            ("NAME", &quoted(&found.name)),
            ("ID", &id.to_string()),
            ("REQUIRES", requires()),
            ("BRANCH", &quoted(&found.branch)),
            ("VAULT", &vault(found)),
            ("SSH_KEYS", &ssh_keys(found)),
        ],
    );
    let mut files: Vec<NewFile> = [
        ("fleet.toml", fleet),
        ("templates/base.bu", fill(BASE, &[("DOCS", DOCS)])),
        ("templates/secrets.bu", SECRETS.to_owned()),
    ]
    .map(|(path, text)| NewFile::new(root.join(path), text))
    .into();
    let path = root.join(format!("nodes/{node}.toml"));
    files.push(NewFile::new(path, fill(NODE, &[("NODE", node)])));
    // A forge may have begun the repository with one, and whoever writes one knows better what belongs there.
    let readme = root.join("README.md");
    if readme.symlink_metadata().is_err() {
        let home = env!("CARGO_PKG_REPOSITORY");
        let pairs = [
            ("NAME", found.name.as_str()),
            ("NODE", node),
            ("HOME", home),
        ];
        files.push(NewFile::new(readme, fill(README, &pairs)));
    }
    files.extend(ignored(&root.join(".gitignore"))?);
    Ok(files)
}

/// A text with each `@NAME@` filled in.
pub(super) fn fill(text: &str, pairs: &[(&str, &str)]) -> String {
    let mut filled = text.to_owned();
    for (name, value) in pairs {
        filled = filled.replace(&format!("@{name}@"), value);
    }
    filled
}

/// The oldest tool that reads what this one writes, as Cargo counts.
fn requires() -> &'static str {
    match env!("CARGO_PKG_VERSION_MAJOR") {
        "0" => concat!("0.", env!("CARGO_PKG_VERSION_MINOR")),
        major => major,
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn vault(found: &Found) -> String {
    if found.readers.is_empty() {
        return "# Secrets are encrypted to public keys. `ephemeros secrets keygen` makes one and prints it: write it here, and take the `#` away.\n\
                # [vault]\n# recipients = [\n#     \"age1…\",\n# ]\n"
            .to_owned();
    }
    let mut text = "# Secrets are encrypted to these public keys. With a single one lost all would be: add one that is kept elsewhere.\n\
                    [vault]\nrecipients = [\n"
        .to_owned();
    for reader in &found.readers {
        let comment = reader.comment.as_ref();
        let comment = comment.map_or(String::new(), |it| format!("  # {it}"));
        text.push_str(&format!("    {},{comment}\n", quoted(&reader.key)));
    }
    text + "]\n"
}

fn ssh_keys(found: &Found) -> String {
    if found.ssh_keys.is_empty() {
        return "# ssh_authorized_keys = [\"ssh-ed25519 AAAA… you@desk\"]  # for the user `core`; without one nobody can log in\n"
            .to_owned();
    }
    let mut text = "ssh_authorized_keys = [  # for the user `core`\n".to_owned();
    for key in &found.ssh_keys {
        text.push_str(&format!("    {},\n", quoted(key)));
    }
    text + "]\n"
}

/// `.gitignore` with what is missing in it.
fn ignored(path: &Path) -> Result<Option<NewFile>, Failure> {
    let there = match fs::read_to_string(path) {
        Ok(there) => there,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Failure::problem(
                format!("can't read {}: {error}", path.display()),
                Some("a line has to be added to it: make it a file that can be read"),
            ));
        }
    };
    if there.lines().any(|line| line.trim_end() == IGNORED) {
        return Ok(None);
    }
    let end = if there.is_empty() || there.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let text =
        format!("{there}{end}# Sticks as files, which hold secrets in plain text.\n{IGNORED}\n");
    Ok(Some(NewFile {
        adds: !there.is_empty(),
        ..NewFile::new(path.to_owned(), text)
    }))
}
