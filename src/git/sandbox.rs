//! Repositories for tests, made by the `git` program in a place of their own.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::repo::{Repo, open};
use crate::invoker::Invoker;

/// A home directory and whatever repositories stand beside it; gone when dropped.
pub(super) struct Sandbox {
    root: tempfile::TempDir,
}

impl Sandbox {
    /// With an empty repository in `fleet` whose branch is `main`.
    pub(super) fn new() -> Self {
        let sandbox = Self {
            root: tempfile::tempdir().unwrap(),
        };
        sandbox.write("home/.config/git/config", "");
        fs::create_dir(sandbox.path("fleet")).unwrap();
        sandbox.git("fleet", &["init", "-q", "-b", "main"]);
        sandbox
    }

    /// With one commit of the files, each holding its own name.
    pub(super) fn with(files: &[&str]) -> Self {
        let sandbox = Self::new();
        for file in files {
            sandbox.write(&format!("fleet/{file}"), file);
        }
        sandbox.git("fleet", &["add", "-A"]);
        sandbox.git("fleet", &["commit", "-qm", "first", "--allow-empty"]);
        sandbox
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs git in a directory of the sandbox; what it prints, trimmed.
    pub(super) fn git(&self, directory: &str, arguments: &[&str]) -> String {
        let ran = Command::new("git")
            .args(arguments)
            .current_dir(self.path(directory))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ALLOW_PROTOCOL", "file")
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Test")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "t@example.org")))
            .envs(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, "1700000000 +0000")))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "git {arguments:?}: {errors}");
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }

    /// The invoker whose home is the sandbox's: the machine's own configuration stays out.
    pub(super) fn invoker(&self) -> Invoker {
        Invoker {
            name: "ada".to_owned(),
            uid: 1000,
            gid: 1000,
            home: self.path("home"),
        }
    }

    pub(super) fn open(&self, directory: &str) -> Repo {
        let opened = open(&self.path(directory), Some(&self.invoker()));
        opened.unwrap().unwrap()
    }
}

/// What `git hash-object` says of a content.
pub(super) fn hash_object(file: &Path) -> String {
    let ran = Command::new("git").arg("hash-object").arg(file).output();
    let said = String::from_utf8(ran.unwrap().stdout).unwrap();
    said.trim_end().to_owned()
}
