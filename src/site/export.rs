//! A site as a folder, for any web server.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::content::{Body, Content, Rendered, Trouble};
use super::mirror::Mirror;
use crate::net::Digest;
use crate::progress::{Progress, Stopped};
use crate::write::{Batch, Durability, WriteError, sweep};

/// How much is copied between two looks whether to stop, in bytes.
const PIECE: u64 = 16 << 20;

/// What an export came to. Paths are relative to the folder.
#[derive(Default)]
pub struct Exported {
    /// What was written.
    pub written: Vec<String>,
    /// What was there and right.
    pub kept: Vec<String>,
    /// Rendered files that stand there and are no node's: nothing but an export removes them by hand.
    pub leftover: Vec<String>,
}

/// Writes all of a site to a folder: the rendered files together, then each large file as it comes. What is there and right
/// is left alone, so a run that was cut off is gone on with.
///
/// # Errors
/// A file can't be had or written. Each file in the folder is whole: the old one or the new one.
pub fn export(
    rendered: &dyn Rendered,
    mirror: &Mirror,
    to: &Path,
    progress: &dyn Progress,
) -> Result<Exported, Trouble> {
    let files = rendered.all(progress)?;
    let catalogue = rendered.catalogue()?;
    mirror.look_up(&catalogue, progress)?;
    fs::create_dir_all(to).map_err(|cause| unwritable(to, cause))?;
    let folder = File::open(to).map_err(|cause| unwritable(to, cause))?;
    if flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err() {
        let message = format!("another export is writing {}", to.display());
        return Err(Trouble::here(message).help("wait until it is done"));
    }
    let mut exported = Exported::default();
    let folders = files.keys().chain(catalogue.keys());
    let mut folders: Vec<&Path> = folders.filter_map(|it| Path::new(it).parent()).collect();
    folders.sort();
    folders.dedup();
    for folder in &folders {
        sweep(&to.join(folder)).map_err(refused)?;
    }
    write_small(&files, to, &mut exported)?;
    for (path, wanted) in catalogue.iter() {
        if is_there(&to.join(path), mirror.known(path, wanted), progress)? {
            exported.kept.push(path.clone());
            continue;
        }
        let content = mirror.fetch(path, progress)?;
        let content = content.ok_or_else(|| Trouble::here(format!("{path} is no more")))?;
        if write_large(content, &to.join(path), path, progress)? {
            exported.written.push(path.clone());
        } else {
            exported.kept.push(path.clone());
        }
    }
    exported.leftover = leftover(&files, &folders, to);
    Ok(exported)
}

fn write_small(
    files: &BTreeMap<String, Vec<u8>>,
    to: &Path,
    exported: &mut Exported,
) -> Result<(), Trouble> {
    let mut batch = Batch::new();
    for (path, bytes) in files {
        let place = to.join(path);
        if fs::read(&place).is_ok_and(|there| there == *bytes) {
            exported.kept.push(path.clone());
            continue;
        }
        batch
            .stage(&place, bytes, Durability::Rendered)
            .map_err(refused)?;
        exported.written.push(path.clone());
    }
    batch.commit().map_err(refused)
}

/// Whether a large file stands there already.
fn is_there(
    place: &Path,
    digest: Option<Digest>,
    progress: &dyn Progress,
) -> Result<bool, Trouble> {
    let (Some(digest), Ok(file)) = (digest, File::open(place)) else {
        return Ok(false);
    };
    let found = Digest::of_file(digest.function(), &file, progress);
    if progress.stopped() {
        return Err(Trouble::here(Stopped));
    }
    Ok(found.is_ok_and(|found| found == digest))
}

/// Writes a large file, unless it is the same already.
fn write_large(
    content: Content,
    place: &Path,
    what: &str,
    progress: &dyn Progress,
) -> Result<bool, Trouble> {
    let Body::File(mut from) = content.body else {
        return Err(Trouble::here(format!("{what} is no file")));
    };
    let length = from.metadata().map_err(Trouble::here)?.len();
    if is_same(&mut from, place).unwrap_or(false) {
        return Ok(false);
    }
    from.rewind().map_err(Trouble::here)?;
    progress.start_bytes(&format!("writing {what}"), length);
    let mut batch = Batch::new();
    let copy = |to: &mut File| {
        loop {
            if progress.stopped() {
                return Err(io::Error::other(Stopped));
            }
            match io::copy(&mut (&from).take(PIECE), to)? {
                0 => return Ok(()),
                copied => progress.advance(usize::try_from(copied).unwrap_or(usize::MAX)),
            }
        }
    };
    batch
        .stage_with(place, Durability::Rendered, 0o666, copy)
        .and_then(|()| batch.commit())
        .map_err(refused)?;
    Ok(true)
}

/// Whether a file holds the same bytes.
fn is_same(one: &mut File, place: &Path) -> io::Result<bool> {
    let mut other = File::open(place)?;
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut a, mut b) = (vec![0; 128 << 10], vec![0; 128 << 10]);
    loop {
        let read = one.read(&mut a)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut b[..read])?;
        if a[..read] != b[..read] {
            return Ok(false);
        }
    }
}

/// What a node that is no more left in the folders of rendered files.
fn leftover(files: &BTreeMap<String, Vec<u8>>, folders: &[&Path], to: &Path) -> Vec<String> {
    let mut leftover = Vec::new();
    for folder in folders {
        let suffix = match folder.file_name().and_then(|name| name.to_str()) {
            Some("ignition") => "ign",
            Some("ipxe") => "ipxe",
            _ => continue,
        };
        let entries = fs::read_dir(to.join(folder))
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries {
            let path = folder.join(entry.file_name());
            let is_ours = path.extension().is_some_and(|it| it == suffix);
            let path = path.to_string_lossy().into_owned();
            if is_ours && !files.contains_key(&path) {
                leftover.push(path);
            }
        }
    }
    leftover.sort();
    leftover
}

#[allow(clippy::needless_pass_by_value)] // It is handed over whole, in `map_err`.
fn refused(error: WriteError) -> Trouble {
    Trouble::here(error).help("make room or rights, and run it again: it goes on where it was")
}

fn unwritable(path: &Path, cause: io::Error) -> Trouble {
    refused(WriteError::Io {
        path: path.to_owned(),
        cause,
    })
}
