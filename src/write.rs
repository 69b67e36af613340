//! Writing files so that each is the old one or the new one, and so that two writers don't mix.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, fchown, lchown};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::{geteuid, umask};
use tempfile::TempPath;

use self::each::each;
pub use self::lock::Lock;

mod each;
mod lock;

/// A file that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The world says no.
    #[error("can't write {}: {cause}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Another command of this tool writes here.
    #[error("another command is writing this fleet: {holder}")]
    Locked {
        /// Its process id and name, as far as it said.
        holder: String,
    },
}

impl WriteError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, cause }
    }
}

/// How the names of files begin that stand ready beside the old ones.
const STAGED: &str = ".ephemeros-";

/// Whether a file must survive a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It can be made again.
    Rendered,
    /// It can't be made again: it is synced to the disk before it takes the old one's place.
    Precious,
}

/// New files that stand ready beside the old ones. Dropped before [`Batch::commit`], it leaves no trace.
#[derive(Default)]
pub struct Batch {
    staged: Vec<Staged>,
    /// How many of these are on the disk, as far as they have to be.
    synced: usize,
    precious: BTreeSet<PathBuf>,
    removed: Vec<PathBuf>,
    made: Vec<PathBuf>,
    /// Folders that are there, with who is to own what is new in them.
    folders: BTreeMap<PathBuf, Option<Owner>>,
    umask: Option<u32>,
}

/// A file that stands beside its place. It is closed, since a fleet has more files than a process may have open.
struct Staged {
    file: TempPath,
    path: PathBuf,
    mode: u32,
    durability: Durability,
}

/// A user and a group.
type Owner = (u32, u32);

/// How many files are synced or renamed at a time. Those that wait together share one write of the file system's journal.
const AT_A_TIME: usize = 16;

impl Drop for Batch {
    fn drop(&mut self) {
        self.staged.clear();
        // Those that hold a file by now stay.
        for folder in self.made.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Batch {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file beside the place where it will stand; its folder is made where there is none.
    ///
    /// # Errors
    /// The file can't be written: no room, no right.
    pub fn stage(
        &mut self,
        path: &Path,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<(), WriteError> {
        self.stage_new(path, bytes, durability, 0o666)
    }

    /// As [`Batch::stage`]; a file that is not there yet gets these permissions, less the user's mask.
    ///
    /// # Errors
    /// As [`Batch::stage`].
    pub fn stage_new(
        &mut self,
        path: &Path,
        bytes: &[u8],
        durability: Durability,
        mode: u32,
    ) -> Result<(), WriteError> {
        self.stage_with(path, durability, mode, |file| file.write_all(bytes))
    }

    /// As [`Batch::stage_new`], with a function that writes what is in it.
    ///
    /// # Errors
    /// As [`Batch::stage`], or what the function fails with.
    pub fn stage_with(
        &mut self,
        path: &Path,
        durability: Durability,
        mode: u32,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        let mut path = path.to_owned();
        let mut there = fs::symlink_metadata(&path).ok();
        // A link is written through, as an editor would.
        if there.as_ref().is_some_and(Metadata::is_symlink) {
            path = fs::canonicalize(&path).unwrap_or(path);
            there = fs::metadata(&path).ok();
        }
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        let mut owner = self.prepare(&folder)?;
        let mode = match there {
            // It could not be renamed over, and that would be noticed too late.
            Some(there) if there.is_dir() => {
                return Err(WriteError::io(&path)(io::ErrorKind::IsADirectory.into()));
            }
            Some(there) => {
                owner = owner.map(|_| (there.uid(), there.gid()));
                there.permissions().mode() & 0o777
            }
            None => mode & !*self.umask.get_or_insert_with(current_umask),
        };
        let mut file = tempfile::Builder::new()
            .prefix(STAGED)
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(&folder)
            .map_err(WriteError::io(&path))?;
        if let Some((user, group)) = owner {
            let _ = fchown(file.as_file(), Some(user), Some(group));
        }
        fill(file.as_file_mut()).map_err(WriteError::io(&path))?;
        match durability {
            Durability::Rendered => file
                .as_file()
                .set_permissions(Permissions::from_mode(mode))
                .map_err(WriteError::io(&path))?,
            Durability::Precious => {
                self.precious.insert(folder);
            }
        }
        self.staged.push(Staged {
            file: file.into_temp_path(),
            path,
            mode,
            durability,
        });
        Ok(())
    }

    /// Brings every file that can't be made again to the disk, as [`Batch::commit`] does with those that are not there
    /// yet. `goes_on` is asked before each; says whether all are there.
    ///
    /// # Errors
    /// A file can't be written: no room, a damaged disk.
    pub fn sync(&mut self, goes_on: &(dyn Fn() -> bool + Sync)) -> Result<bool, WriteError> {
        let staged = &self.staged[self.synced..];
        let precious: Vec<&Staged> = staged.iter().filter(|it| it.is_precious()).collect();
        let is_done = each(precious, AT_A_TIME, &|staged: &Staged| {
            if !goes_on() {
                return Ok(false);
            }
            staged.sync().map_err(WriteError::io(&staged.path))?;
            Ok(true)
        })?;
        if is_done {
            self.synced = self.staged.len();
        }
        Ok(is_done)
    }

    /// Makes a folder where there is none; the result is who is to own what is new in it.
    fn prepare(&mut self, folder: &Path) -> Result<Option<Owner>, WriteError> {
        if let Some(owner) = self.folders.get(folder) {
            return Ok(*owner);
        }
        let missing = folder.ancestors().take_while(|above| !above.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        let owner = owner(folder);
        fs::create_dir_all(folder).map_err(WriteError::io(folder))?;
        if let Some((user, group)) = owner {
            // Where a file system knows no owners there is nothing to give.
            for made in &missing {
                let _ = lchown(made, Some(user), Some(group));
            }
        }
        self.made.extend(missing.into_iter().rev());
        self.folders.insert(folder.to_owned(), owner);
        Ok(owner)
    }

    /// Notes a file that is to go.
    pub fn remove(&mut self, path: PathBuf) {
        self.removed.push(path);
    }

    /// Puts every file in its place. Up to here nothing has changed.
    ///
    /// # Errors
    /// A file can't be synced, and then nothing has changed; or it can't be renamed or removed: others are done, and a
    /// second run finishes the rest.
    pub fn commit(mut self) -> Result<(), WriteError> {
        self.sync(&|| true)?;
        // A busy disk makes renames wait too, once there is an old file to take off it.
        let at_a_time = if self.precious.is_empty() {
            1
        } else {
            AT_A_TIME
        };
        let staged = std::mem::take(&mut self.staged);
        each(staged, at_a_time, &|Staged { file, path, .. }| {
            let renamed = file.persist(&path);
            renamed.map_err(|error| WriteError::io(&path)(error.error))?;
            Ok(true)
        })?;
        for path in std::mem::take(&mut self.removed) {
            fs::remove_file(&path).map_err(WriteError::io(&path))?;
        }
        // A rename is on the disk when its folder is.
        for folder in std::mem::take(&mut self.precious) {
            File::open(&folder)
                .and_then(|folder| folder.sync_all())
                .map_err(WriteError::io(&folder))?;
        }
        Ok(())
    }
}

impl Staged {
    fn is_precious(&self) -> bool {
        self.durability == Durability::Precious
    }

    /// Only its owner may open it up to here. An error while it was written earlier comes up here too: Linux tells it to
    /// whoever syncs first.
    fn sync(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.file)?;
        file.set_permissions(Permissions::from_mode(self.mode))?;
        file.sync_all()
    }
}

/// Removes what a [`Batch`] left in a folder when its process was killed. Whoever calls it holds the [`Lock`].
///
/// # Errors
/// The folder can't be read, or a file in it not removed.
pub fn sweep(folder: &Path) -> Result<(), WriteError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(WriteError::io(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(WriteError::io(folder))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let is_ours = entry.file_name().to_string_lossy().starts_with(STAGED);
        if is_file && is_ours {
            fs::remove_file(entry.path()).map_err(WriteError::io(&entry.path()))?;
        }
    }
    Ok(())
}

/// Who is to own what root writes: the owner of what stands there, or of the folder around it. Under sudo that is the
/// user, who must be able to go on with it.
fn owner(path: &Path) -> Option<Owner> {
    if !geteuid().is_root() {
        return None;
    }
    let named = path.ancestors().filter(|it| *it != Path::new(""));
    let mut around = named.chain([Path::new(".")]);
    let there = around.find_map(|it| fs::metadata(it).ok())?;
    Some((there.uid(), there.gid()))
}

/// The bits that new files don't get. Linux tells them only while setting them.
fn current_umask() -> u32 {
    let mask = umask(Mode::empty());
    umask(mask);
    mask.bits()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_batch_that_is_dropped_leaves_no_trace() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::write(&path, "old").expect("written");
        let mut batch = Batch::new();
        batch
            .stage(&path, b"new", Durability::Rendered)
            .expect("staged");
        drop(batch);
        assert_eq!(fs::read(&path).expect("read"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[test]
    fn folders_made_for_a_batch_go_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/c");
        let staged = |bytes| {
            let mut batch = Batch::new();
            batch
                .stage(&path, bytes, Durability::Rendered)
                .expect("staged");
            batch
        };
        drop(staged(b"x"));
        assert!(!folder.path().join("a").exists());
        staged(b"x").commit().expect("committed");
        assert!(path.exists());
    }

    #[test]
    fn a_committed_file_keeps_its_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
        let mut batch = Batch::new();
        batch
            .stage(&path, b"new", Durability::Precious)
            .expect("staged");
        batch.commit().expect("committed");
        assert_eq!(fs::read(&path).expect("read"), b"new");
        let mode = fs::metadata(&path).expect("read").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn a_batch_whose_files_are_not_all_synced_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<PathBuf> = (0..100)
            .map(|it| folder.path().join(it.to_string()))
            .collect();
        let mut batch = Batch::new();
        for path in &paths {
            fs::write(path, "old").expect("written");
            batch
                .stage(path, b"new", Durability::Precious)
                .expect("staged");
        }
        let asked = AtomicUsize::new(0);
        let is_done = batch.sync(&|| asked.fetch_add(1, Ordering::Relaxed) < 50);
        assert!(!is_done.expect("it can be written"));
        let asked = asked.into_inner();
        assert!((51..=50 + AT_A_TIME).contains(&asked), "{asked}");
        drop(batch);
        assert!(paths.iter().all(|it| fs::read(it).expect("read") == b"old"));
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 100);
    }

    #[test]
    fn files_that_were_synced_are_not_synced_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let mut batch = Batch::new();
        for durability in [Durability::Precious, Durability::Rendered] {
            batch.stage(&path, b"new", durability).expect("staged");
        }
        let asked = AtomicUsize::new(0);
        let goes_on = || asked.fetch_add(1, Ordering::Relaxed) == 0;
        for _ in 0..2 {
            assert!(batch.sync(&goes_on).expect("it can be written"));
        }
        assert_eq!(asked.into_inner(), 1);
    }

    #[test]
    fn a_file_that_can_t_be_synced_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::write(&path, "old").expect("written");
        let mut batch = Batch::new();
        batch
            .stage(&path, b"new", Durability::Precious)
            .expect("staged");
        fs::remove_file(&batch.staged[0].file).expect("removed");
        assert!(batch.commit().is_err());
        assert_eq!(fs::read(&path).expect("read"), b"old");
    }

    #[test]
    fn what_root_writes_belongs_to_the_folders_owner() {
        if !geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        lchown(folder.path(), Some(1234), Some(1235)).expect("given");
        let whose = |path: &str| {
            let there = fs::metadata(folder.path().join(path)).expect("it is there");
            (there.uid(), there.gid())
        };
        let write = |path: &str| {
            let mut batch = Batch::new();
            batch
                .stage(&folder.path().join(path), b"x", Durability::Rendered)
                .expect("staged");
            batch.commit().expect("committed");
        };
        write("a/b/c");
        assert_eq!(["a", "a/b", "a/b/c"].map(whose), [(1234, 1235); 3]);
        let file = folder.path().join("d");
        fs::write(&file, "old").expect("written");
        lchown(&file, Some(7), Some(8)).expect("given");
        write("d");
        assert_eq!(whose("d"), (7, 8));
        drop(Lock::take(&folder.path().join("lock"), "render").expect("free"));
        assert_eq!(whose("lock"), (1234, 1235));
    }
}
