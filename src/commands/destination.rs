//! Where an image may be written: it holds secrets, so not where the next commit takes it.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::git;
use crate::invoker::Invoker;
use crate::stick;

/// What is wrong with a place, and what to do.
type Refusal = (String, String);

/// Checks the place for a node's image; it is absolute then, and without links. `root` is the fleet's folder.
pub(super) fn check(
    path: &Path,
    node: &str,
    root: &Path,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<PathBuf> {
    let place = find(path, node).and_then(|place| {
        check_fleet(&place, root)?;
        check_git(&place)?;
        Ok(place)
    });
    place
        .map_err(|(message, help)| mistakes.push(Diagnostic::error(message).help(help)))
        .ok()
}

/// Checks the folder for the images of many nodes.
pub(super) fn check_folder(folder: &Path, mistakes: &mut Vec<Diagnostic>) -> Option<()> {
    let (why, help) = match fs::metadata(folder) {
        Ok(is) if is.is_dir() => return Some(()),
        Ok(_) => (
            "is no folder".to_owned(),
            "each node gets a file of its own: name a folder",
        ),
        Err(error) => (
            format!("can't take the images: {error}"),
            "make the folder first, or name another one",
        ),
    };
    let (message, help) = refused(folder, &why, help);
    mistakes.push(Diagnostic::error(message).help(help));
    None
}

fn refused(path: &Path, why: &str, help: impl Into<String>) -> Refusal {
    (format!("`{}` {why}", path.display()), help.into())
}

fn find(path: &Path, node: &str) -> Result<PathBuf, Refusal> {
    let unreadable =
        |error: io::Error| refused(path, &format!("can't be read: {error}"), ELSEWHERE);
    let place = match path.canonicalize() {
        Ok(place) => place,
        // A link that leads nowhere, or to a pipe: what it stands for is not to be replaced.
        Err(error) if path.is_symlink() => return Err(unreadable(error)),
        Err(_) => return find_new(path),
    };
    let is = fs::metadata(&place).map_err(unreadable)?;
    if is.is_dir() {
        let inside = path.join(format!("{node}.img"));
        let help = format!("name a file in it: `--output {}`", inside.display());
        return Err(refused(path, "is a folder", help));
    }
    if !is.is_file() {
        let help =
            "write the image to a file, and that to the drive: `sudo ephemeros flash FILE DRIVE`";
        return Err(refused(path, "is no regular file", help));
    }
    let is_ours = is.len() == 0 || {
        let mut there = File::open(&place).map_err(unreadable)?;
        stick::holds_stick(&mut there)
    };
    if !is_ours {
        let why = "is there already, and is no stick: it is not overwritten";
        return Err(refused(path, why, "remove it first, or name another file"));
    }
    Ok(place)
}

const ELSEWHERE: &str = "name another file";

fn find_new(path: &Path) -> Result<PathBuf, Refusal> {
    let is_name = path != Path::new("-") && !path.as_os_str().as_bytes().ends_with(b"/");
    let Some(name) = path.file_name().filter(|_| is_name) else {
        let help = "write `--output NAME.img`";
        return Err(refused(path, "is no name of a file", help));
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match folder.canonicalize() {
        Ok(folder) if folder.is_dir() => Ok(folder.join(name)),
        Ok(_) => Err(refused(folder, "is no folder", "name a file in a folder")),
        Err(error) => {
            let why = format!("can't take an image: {error}");
            let help = "make the folder first, or name another file";
            Err(refused(folder, &why, help))
        }
    }
}

/// All files in some folders of the fleet mean something.
fn check_fleet(place: &Path, root: &Path) -> Result<(), Refusal> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let folder = ["nodes", "templates", "ignition", "ipxe"]
        .into_iter()
        .find(|folder| place.starts_with(root.join(folder)));
    match folder {
        None => Ok(()),
        Some(folder) => Err(refused(
            place,
            &format!("is in `{folder}/`, whose files are the fleet's"),
            ELSEWHERE,
        )),
    }
}

/// In a work tree the file must be one that git ignores.
fn check_git(place: &Path) -> Result<(), Refusal> {
    let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else {
        return Ok(());
    };
    let failed = |error: git::Error| {
        let help = error.help();
        (
            format!(
                "whether git ignores `{}` can't be told: {error}",
                place.display()
            ),
            help.unwrap_or_else(|| "name a file outside of git's work tree".to_owned()),
        )
    };
    let repo = match git::repo::open(folder, Invoker::detect().as_ref()) {
        // Nothing is committed from there.
        Ok(None) | Err(git::Error::NoWorkTree { .. }) => return Ok(()),
        Ok(Some(repo)) => repo,
        Err(error) => return Err(failed(error)),
    };
    let name = name.to_string_lossy();
    if repo.is_ignored(&name).map_err(failed)? {
        return Ok(());
    }
    Err(refused(
        place,
        "is in a git work tree and not ignored: the next commit could publish the node's secrets",
        "add `*.img` to .gitignore and name it so, or name a file elsewhere",
    ))
}
