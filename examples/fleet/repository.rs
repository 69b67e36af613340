//! A repository that is written while it is committed: `git fast-import` takes each file on its way to the disk, so
//! that there is one pack and not an object file for each of hundreds of thousands of files.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, fs};

use rayon::prelude::*;

/// Who commits, and when: 2026-01-01 00:00:00 UTC.
const WHO: &str = "Fleet Generator <fleet@example.net> 1767225600 +0000";

const MESSAGE: &str = "A generated fleet";

/// A work tree and the one commit that holds all of it.
pub(crate) struct Repository {
    root: PathBuf,
    import: Child,
    stream: BufWriter<ChildStdin>,
}

impl Repository {
    /// Makes it in an empty folder.
    pub(crate) fn begin(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        run(git(root).args(["init", "--quiet", "--initial-branch=main"]))?;
        let mut import = git(root)
            .args([
                "-c",
                "pack.compression=1",
                "fast-import",
                "--quiet",
                "--done",
            ])
            .stdin(Stdio::piped())
            .spawn()?;
        let stdin = import.stdin.take();
        let mut stream = BufWriter::new(stdin.ok_or_else(|| io::Error::other("git has no stdin"))?);
        let length = MESSAGE.len();
        writeln!(
            stream,
            "commit refs/heads/main\ncommitter {WHO}\ndata {length}\n{MESSAGE}"
        )?;
        Ok(Self {
            root: root.to_owned(),
            import,
            stream,
        })
    }

    /// Writes files; their paths are relative and need no quoting.
    pub(crate) fn write<Text: AsRef<str> + Sync>(
        &mut self,
        files: &[(String, Text)],
    ) -> io::Result<()> {
        let folders = files
            .iter()
            .filter_map(|(path, _)| Path::new(path).parent());
        for folder in folders.collect::<BTreeSet<_>>() {
            fs::create_dir_all(self.root.join(folder))?;
        }
        let root = &self.root;
        files
            .par_iter()
            .try_for_each(|(path, text)| fs::write(root.join(path), text.as_ref()))?;
        for (path, text) in files {
            let text = text.as_ref();
            let length = text.len();
            writeln!(self.stream, "M 100644 inline {path}\ndata {length}\n{text}")?;
        }
        Ok(())
    }

    /// Makes the commit, and the index that goes with it.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        writeln!(self.stream, "done")?;
        // Closes the pipe.
        self.stream.into_inner()?;
        let status = self.import.wait()?;
        if !status.success() {
            return Err(io::Error::other(format!(
                "`git fast-import` ended with {status}"
            )));
        }
        run(git(&self.root).args(["read-tree", "HEAD"]))?;
        run(git(&self.root).args(["update-index", "-q", "--refresh"]))
    }
}

/// Git without the settings of whoever runs this.
fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            git.env_remove(name);
        }
    }
    git.env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .arg("-C")
        .arg(root);
    git
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?} ended with {status}")))
}
