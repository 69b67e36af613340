//! The pipelines that check, render and publish a fleet, one set for each forge.

use std::path::Path;

use super::files::{DOCS, NewFile, fill};
use crate::cli::Ci;
use crate::commands::Failure;

/// Where a forge looks, from the repository's root, and what it is to find there.
fn texts(forge: Ci) -> &'static [(&'static str, &'static str)] {
    match forge {
        Ci::Github => &[
            (
                ".github/workflows/ephemeros.yml",
                include_str!("github/ephemeros.yml"),
            ),
            (
                ".github/workflows/ephemeros-lock.yml",
                include_str!("github/ephemeros-lock.yml"),
            ),
        ],
        Ci::Gitlab => &[(".gitlab-ci.yml", include_str!("gitlab/gitlab-ci.yml"))],
        Ci::Forgejo => &[
            (
                ".forgejo/workflows/ephemeros.yml",
                include_str!("forgejo/ephemeros.yml"),
            ),
            (
                ".forgejo/workflows/ephemeros-lock.yml",
                include_str!("forgejo/ephemeros-lock.yml"),
            ),
        ],
    }
}

/// What has to be set at the forge, so that its pipelines can do their work.
pub(super) fn settings(forge: Ci) -> &'static str {
    match forge {
        Ci::Github => {
            "GitHub: check \"Allow GitHub Actions to create and approve pull requests\" under Settings > Actions > General"
        }
        Ci::Gitlab => {
            "GitLab: check \"Allow Git push requests to the repository\" under Settings > CI/CD > Job token permissions, \
             and add a weekly schedule under Build > Pipeline schedules"
        }
        Ci::Forgejo => {
            "Forgejo: check \"Actions\" among the repository's units, and write your runner's label at `runs-on`"
        }
    }
}

/// The files for a fleet in the folder `prefix` of the repository at `top`.
pub(super) fn of(
    forge: Ci,
    top: &Path,
    prefix: &Path,
    branch: &str,
) -> Result<Vec<NewFile>, Failure> {
    let folder = plain("folder", &prefix.to_string_lossy())?.to_owned();
    let branch = plain("branch", branch)?;
    let quoted = format!("\"{branch}\"");
    let folder = match (forge, folder.as_str()) {
        (Ci::Gitlab, folder) => format!("\"{folder}\""),
        (_, "") => String::new(),
        (_, folder) => format!("\n    working-directory: \"{folder}\""),
    };
    let pairs = [
        ("DOCS", DOCS),
        ("BRANCH", &quoted),
        ("BRANCH_WORD", branch),
        ("FOLDER", &folder),
        ("VERSION", env!("CARGO_PKG_VERSION")),
        ("RUST", env!("CARGO_PKG_RUST_VERSION")),
    ];
    let files = texts(forge).iter();
    Ok(files
        .map(|(path, text)| NewFile::new(top.join(path), fill(text, &pairs)))
        .collect())
}

/// A text that means itself in YAML, in a forge's expressions and patterns, and in a shell.
fn plain<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if text.chars().all(is_plain) {
        return Ok(text);
    }
    Err(Failure::problem(
        format!("no pipeline can be written for the {what} `{text}`"),
        Some("it may hold letters, digits, `-`, `_`, `.` and `/`; or leave out `--ci`"),
    ))
}
