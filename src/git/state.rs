//! How commits hang together, and what git is in the middle of.

use std::collections::BTreeMap;

use git2::{ObjectType, RepositoryState, TreeWalkMode, TreeWalkResult};

use super::ObjectId;
use super::error::Error;
use super::repo::Repo;
use super::settings::Settings;

/// The commit in which files last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The commit.
    pub commit: ObjectId,
    /// Whether it is the oldest one of a shallow clone: then it may have been an older one.
    pub is_cut_off: bool,
}

impl Repo {
    /// What git is in the middle of, as its subcommand is called; `None` where it is in nothing.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        match self.git.state() {
            RepositoryState::Clean => None,
            RepositoryState::Merge => Some("merge"),
            RepositoryState::Revert | RepositoryState::RevertSequence => Some("revert"),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => {
                Some("cherry-pick")
            }
            RepositoryState::Bisect => Some("bisect"),
            RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge => Some("rebase"),
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some("am"),
        }
    }

    /// Whether this clone holds only the newest commits.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow()
    }

    /// Whether a commit is another one, or comes from it, as far as this clone knows.
    pub fn comes_from(&self, commit: ObjectId, other: ObjectId) -> Result<bool, Error> {
        if commit == other {
            return Ok(true);
        }
        if self.git.find_commit(other).is_err() {
            return Ok(false);
        }
        let known = self.git.graph_descendant_of(commit, other);
        known.map_err(|e| self.failed(e))
    }

    /// The message of a commit; `None` where this clone does not have it.
    #[must_use]
    pub fn message(&self, commit: ObjectId) -> Option<String> {
        let commit = self.git.find_commit(commit).ok()?;
        Some(String::from_utf8_lossy(commit.message_bytes()).into_owned())
    }

    /// The parents of a commit, the ones too that a shallow clone does not have.
    pub fn parents(&self, commit: ObjectId) -> Result<Vec<ObjectId>, Error> {
        let commit = self.git.find_commit(commit);
        let commit = commit.map_err(|e| self.failed(e))?;
        Ok(commit.parent_ids().collect())
    }

    /// The tree of a commit.
    pub fn tree(&self, commit: ObjectId) -> Result<ObjectId, Error> {
        let commit = self.git.find_commit(commit);
        commit.map(|it| it.tree_id()).map_err(|e| self.failed(e))
    }

    /// The commit that a reference names, by its full name; `None` where there is none.
    #[must_use]
    pub fn named(&self, reference: &str) -> Option<ObjectId> {
        let found = self.git.find_reference(reference).ok()?;
        found.peel_to_commit().ok().map(|commit| commit.id())
    }

    /// Where `git pull` on a branch pulls from: the remote, and the branch there.
    pub fn upstream(&self, branch: &str) -> Result<Option<(String, String)>, Error> {
        let settings = Settings::read(self)?;
        let value = |key| {
            let all = settings.subsections("branch", key);
            let own = all.filter(|(name, _)| *name == branch);
            own.last().map(|(_, value)| value.to_owned())
        };
        let merged = value("merge");
        let merged = merged.and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned()));
        Ok(value("remote").zip(merged))
    }

    /// The commit in which what stands at the paths became what it is in this commit, merges seen as one.
    pub fn since(&self, commit: ObjectId, paths: &[&str]) -> Result<Since, Error> {
        let at = |commit| -> Result<Vec<_>, Error> {
            paths.iter().map(|path| self.entry(commit, path)).collect()
        };
        let (mut commit, there) = (commit, at(commit)?);
        loop {
            let found = self.git.find_commit(commit).map_err(|e| self.failed(e))?;
            let is_there = |parent: &ObjectId| self.git.find_commit(*parent).is_ok();
            let Some(parent) = found.parent_ids().next().filter(is_there) else {
                let is_cut_off = self.is_shallow();
                return Ok(Since { commit, is_cut_off });
            };
            if at(parent)? != there {
                let is_cut_off = false;
                return Ok(Since { commit, is_cut_off });
            }
            commit = parent;
        }
    }

    /// Every file of a commit, by its path from the root of the repository.
    pub fn whole(&self, commit: ObjectId) -> Result<BTreeMap<String, ObjectId>, Error> {
        let tree = self.git.find_commit(commit).and_then(|it| it.tree());
        let tree = tree.map_err(|e| self.failed(e))?;
        let mut files = BTreeMap::new();
        let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(ObjectType::Blob) {
                let name = String::from_utf8_lossy(entry.name_bytes());
                files.insert(format!("{folder}{name}"), entry.id());
            }
            TreeWalkResult::Ok
        });
        walked.map_err(|e| self.failed(e))?;
        Ok(files)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::git::sandbox::Sandbox;

    fn commits(sandbox: &Sandbox, file: &str, text: &str) -> ObjectId {
        sandbox.write(&format!("fleet/{file}"), text);
        sandbox.git("fleet", &["add", "-A"]);
        sandbox.git("fleet", &["commit", "-qm", text]);
        id(sandbox, "HEAD")
    }

    fn id(sandbox: &Sandbox, revision: &str) -> ObjectId {
        let id = sandbox.git("fleet", &["rev-parse", revision]);
        ObjectId::from_str(&id).unwrap()
    }

    #[test]
    fn since_is_the_commit_that_brought_what_is_there_merges_seen_as_one() {
        let sandbox = Sandbox::with(&["out/a", "in"]);
        let first = id(&sandbox, "HEAD");
        let repo = sandbox.open("fleet");
        let since = |commit| repo.since(commit, &["out"]).unwrap().commit;
        assert_eq!(since(first), first);
        assert_eq!(since(commits(&sandbox, "in", "1")), first);
        let second = commits(&sandbox, "out/a", "2");
        assert_eq!(since(commits(&sandbox, "in", "3")), second);
        sandbox.git("fleet", &["checkout", "-qb", "other"]);
        commits(&sandbox, "out/a", "4");
        sandbox.git("fleet", &["checkout", "-q", "main"]);
        sandbox.git("fleet", &["merge", "-q", "--no-ff", "-m", "merge", "other"]);
        let merge = id(&sandbox, "HEAD");
        assert_eq!(since(merge), merge);
        let there = Since {
            commit: first,
            is_cut_off: false,
        };
        assert_eq!(repo.since(first, &["out"]).unwrap(), there);
        let url = format!("file://{}", sandbox.path("fleet").display());
        sandbox.git("fleet", &["clone", "-q", "--depth=1", &url, "../shallow"]);
        let shallow = sandbox.open("shallow");
        assert!(shallow.since(merge, &["out"]).unwrap().is_cut_off);
        // As far as that clone knows.
        assert!(!shallow.comes_from(merge, first).unwrap());
        assert!(repo.comes_from(merge, first).unwrap());
        assert!(!repo.comes_from(first, merge).unwrap());
    }

    #[test]
    fn the_files_of_the_whole_are_listed_from_a_folder_in_it() {
        let sandbox = Sandbox::with(&["a", "sites/north/b", "sites/south/c"]);
        let repo = sandbox.open("fleet/sites/north");
        let files = repo.whole(id(&sandbox, "HEAD")).unwrap();
        let paths: Vec<&String> = files.keys().collect();
        assert_eq!(paths, ["a", "sites/north/b", "sites/south/c"]);
        assert_eq!(repo.inside("sites/north/b"), Some("b"));
        assert_eq!(repo.inside("sites/northern/b"), None);
        assert_eq!(repo.inside("a"), None);
    }

    #[test]
    fn the_upstream_is_what_git_pull_pulls_from() {
        let sandbox = Sandbox::with(&["a"]);
        let repo = sandbox.open("fleet");
        assert_eq!(repo.upstream("main").unwrap(), None);
        for (name, value) in [
            ("branch.main.remote", "origin"),
            ("branch.main.merge", "refs/heads/trunk"),
        ] {
            sandbox.git("fleet", &["config", name, value]);
        }
        let expected = ("origin".to_owned(), "trunk".to_owned());
        assert_eq!(
            sandbox.open("fleet").upstream("main").unwrap(),
            Some(expected)
        );
        assert_eq!(sandbox.open("fleet").upstream("other").unwrap(), None);
    }
}
