//! Where the new fleet is to stand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::commands::Failure;
use crate::fleet::root;
use crate::git::repo::{self, Repo};
use crate::invoker::Invoker;
use crate::write::Lock;

/// A folder, which need not be there yet.
pub(super) struct Place {
    /// Absolute; without symbolic links as far as it is there.
    pub(super) root: PathBuf,
    /// The repository around it.
    pub(super) repo: Option<Repo>,
}

impl Place {
    pub(super) fn find(folder: &Path) -> Result<Self, Failure> {
        let unreadable = |error| {
            Failure::problem(
                format!("can't look at {}: {error}", folder.display()),
                Some("name a folder that you may read"),
            )
        };
        let absolute = std::path::absolute(folder).map_err(unreadable)?;
        let mut above = absolute.ancestors().filter(|it| it.exists());
        let above = above.next().unwrap_or(Path::new("/"));
        if !above.is_dir() {
            return Err(Failure::problem(
                format!("{} is no folder", above.display()),
                Some("name another one"),
            ));
        }
        let rest = absolute.strip_prefix(above).unwrap_or(Path::new(""));
        let above = above.canonicalize().map_err(unreadable)?;
        let root = above.join(rest);
        refuse_inside(&root, &above)?;
        refuse_around(&root)?;
        let repo = repo::open(&above, Invoker::detect().as_ref())?;
        Ok(Self { root, repo })
    }

    /// The folder that git names paths from: the repository's, else the fleet's own.
    pub(super) fn top(&self) -> &Path {
        self.repo.as_ref().map_or(&self.root, Repo::root)
    }

    /// The fleet's place in it: `sites/north`, or empty.
    pub(super) fn prefix(&self) -> &Path {
        self.root.strip_prefix(self.top()).unwrap_or(Path::new(""))
    }

    /// A path as it is told: from the repository's root.
    pub(super) fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.top()).unwrap_or(path);
        path.display().to_string()
    }

    /// The right to write. Where there is no repository yet nobody else can have it.
    pub(super) fn lock(&self) -> Result<Option<Lock>, Failure> {
        let Some(repo) = &self.repo else {
            return Ok(None);
        };
        let path = repo.git_dir().join("ephemeros.lock");
        Ok(Some(Lock::take(&path, "init")?))
    }
}

/// How deep a fleet is looked for below the new one.
const DEPTH: usize = 5;

/// As [`refuse_inside`], from the other side.
fn refuse_around(root: &Path) -> Result<(), Failure> {
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        // What can't be read is no fleet of this user's.
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries {
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
            if is_folder && !is_hidden && depth < DEPTH {
                folders.push((entry.path(), depth + 1));
            }
            if depth > 0 && entry.file_name() == "fleet.toml" {
                return Err(Failure::problem(
                    format!(
                        "{} is a fleet, which would stand inside the new one",
                        folder.display()
                    ),
                    Some("begin in a folder beside it: `ephemeros init DIR`"),
                ));
            }
        }
    }
    Ok(())
}

/// A fleet inside another one's folders would be taken for its files.
fn refuse_inside(root: &Path, above: &Path) -> Result<(), Failure> {
    match root::find(above) {
        Ok(fleet) if fleet != root => Err(Failure::problem(
            format!("{} is inside the fleet {}", root.display(), fleet.display()),
            Some(
                "a node is added with a file, nodes/NAME.toml; another fleet stands beside this one",
            ),
        )),
        _ => Ok(()),
    }
}
