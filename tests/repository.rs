//! A fleet in a git repository among others: its commits, remotes and clones, made by the `git` program; and the
//! tool as a process that a test holds in its own hands.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fleet::Fleet;

/// A template with one file of three lines.
pub(crate) const THREE_LINES: &str = "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: |\n          one\n          two\n          three\n";

/// A fleet that says itself where nodes fetch, so that no warning stands in a test's way.
pub(crate) const KNOWN_URL: &str =
    "[git]\nbranch = \"main\"\nurl = \"https://github.com/acme/fleet\"\n";

impl Fleet {
    /// A fleet of one node and one file, rendered and committed.
    pub(crate) fn committed() -> Self {
        let fleet = Self::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
        fleet.renders();
        fleet.git()
    }

    /// The home of whoever runs the tool.
    pub(crate) fn home(&self) -> PathBuf {
        self.root().with_file_name("home")
    }

    /// The bare repository that `published` pushes to.
    pub(crate) fn origin(&self) -> PathBuf {
        self.root().with_file_name("origin.git")
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces the one place of a text in a file.
    #[track_caller]
    pub(crate) fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(old).count(), 1, "{old} in {path}:\n{text}");
        self.write(path, text.replace(old, new));
    }

    /// What git is told by the home directory.
    pub(crate) fn gitconfig(self, text: &str) -> Self {
        fs::write(self.home().join(".gitconfig"), text).unwrap();
        self
    }

    /// A program in the fleet's folder that sees nothing of this machine's user.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// The tool as a process.
    pub(crate) fn process(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_ephemeros"));
        command.args(args);
        command
    }

    /// Runs git in the fleet's folder; what it prints, trimmed.
    #[track_caller]
    pub(crate) fn git_says(&self, args: &[&str]) -> String {
        let mut git = self.program("git");
        git.args(args).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Test")
                .env(format!("GIT_{who}_EMAIL"), "test@example.com")
                .env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
        }
        let ran = git.output().unwrap();
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "git {args:?}: {errors}");
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }

    /// Commits all that there is.
    #[track_caller]
    pub(crate) fn commit(&self) {
        self.git_says(&["add", "--all"]);
        self.git_says(&["commit", "--quiet", "--message=more"]);
    }

    /// A remote that is never asked anything.
    pub(crate) fn remote(self, name: &str, url: &str) -> Self {
        self.git_says(&["remote", "add", name, url]);
        self
    }

    /// Pushes to a bare repository, which is `origin` from now on.
    pub(crate) fn published(self) -> Self {
        let origin = self.origin();
        let origin = origin.to_str().unwrap();
        self.git_says(&["init", "--quiet", "--bare", "--initial-branch=main", origin]);
        let fleet = self.remote("origin", origin);
        fleet.git_says(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        fleet.git_says(&["remote", "set-head", "origin", "main"]);
        fleet
    }

    /// A clone of it, made as somebody would.
    pub(crate) fn cloned(&self) -> Self {
        let clone = Self::new();
        fs::remove_dir_all(clone.root()).unwrap();
        let (from, to) = (self.root(), clone.root());
        let paths = [from.to_str().unwrap(), to.to_str().unwrap()];
        self.git_says(&[&["clone", "--quiet"], &paths[..]].concat());
        clone
    }

    /// `plan`, which must succeed; its result.
    #[track_caller]
    pub(crate) fn plans(&self, args: &[&str]) -> String {
        let run = self.run(&[&["plan"], args].concat()).code(0);
        run.stdout
    }
}

/// Whether the tests run as root; where not, says which part is left out.
pub(crate) fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skipped(what, "only root can set it up");
    }
    root
}

/// Says that a part of the tests did not run, past the capture of the test runner. With `CI=true` nothing may be left out.
#[track_caller]
pub(crate) fn skipped(what: &str, why: &str) {
    use std::io::Write as _;
    let in_ci = std::env::var_os("CI").is_some_and(|it| it == "true");
    assert!(!in_ci, "left out in CI: {what}: {why}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: {why}");
}

/// Whether there is such a program.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder: PathBuf| Path::new(&folder).join(name).is_file())
}
