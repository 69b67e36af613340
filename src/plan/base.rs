//! What nodes fetch now: rendered files by path, wherever they are kept.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::fleet::file::Git;
use crate::fleet::files::{Files, Folder, INPUTS, Snapshot};
use crate::fleet::manifest::Manifest;
use crate::fleet::publish::{merged, published};
use crate::git::repo::Repo;
use crate::git::tree::object_id;
use crate::git::{self, ObjectId};

/// The files that a plan compares with. Where they come from is hidden.
#[derive(Clone, Default)]
pub struct Base {
    /// As people know it: `origin/main (1a2b3c4)`.
    pub name: String,
    /// The rendered files by their path in the fleet.
    pub files: BTreeMap<String, Content>,
    /// The commit that holds them; `None` where none does.
    pub commit: Option<ObjectId>,
    /// Whether nodes can fetch it, as far as this clone knows.
    pub published: bool,
    /// Whether it is a pull request that brings changes there.
    pub merges: bool,
}

/// A file's bytes, or the name that git has for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// The object id of the blob.
    Object(ObjectId),
    /// The bytes themselves.
    Bytes(Vec<u8>),
}

impl Base {
    fn nothing(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            files: BTreeMap::new(),
            commit: None,
            published: false,
            merges: false,
        }
    }

    /// What nodes fetch of it.
    #[must_use]
    pub fn fetched(self) -> BTreeMap<String, Content> {
        if self.published {
            self.files
        } else {
            BTreeMap::new()
        }
    }
}

/// The folders of rendered files.
pub const RENDERED: [&str; 2] = ["ignition", "ipxe"];

/// What nodes fetch now: the branch that they fetch from, as this clone saw it last; without a remote HEAD,
/// without a commit nothing. `against` names another revision.
///
/// # Errors
/// The repository can't be read, or has no such revision.
pub fn find(
    repo: Option<&Repo>,
    settings: &Git,
    against: Option<&str>,
) -> Result<Base, git::Error> {
    let Some(repo) = repo else {
        return match against {
            Some(revision) => Err(git::Error::NoRepository {
                revision: revision.to_owned(),
            }),
            None => Ok(Base::nothing("nothing: there is no git repository")),
        };
    };
    let Some(found) = revision(repo, settings, against)? else {
        return Ok(Base::nothing("nothing: there is no commit yet"));
    };
    let mut base = at(repo, &found.name, found.commit)?;
    if let Some(missing) = found.instead_of {
        base.name = format!("{}, since {missing} is not known here", base.name);
        base.published = false;
    }
    Ok(base)
}

/// A commit, by the name under which it was found.
pub struct Revision {
    /// `origin/main`.
    pub name: String,
    /// The commit.
    pub commit: ObjectId,
    /// The branch that nodes fetch from, where this clone does not have it.
    pub instead_of: Option<String>,
}

/// As [`find`], without a look at the files; `None` before the first commit.
///
/// # Errors
/// As [`find`].
pub fn revision(
    repo: &Repo,
    settings: &Git,
    against: Option<&str>,
) -> Result<Option<Revision>, git::Error> {
    let named = |name: &str, commit| Revision {
        name: name.to_owned(),
        commit,
        instead_of: None,
    };
    if let Some(revision) = against {
        return Ok(Some(named(revision, repo.commit(revision)?)));
    }
    let head = || Ok(repo.head()?.commit.map(|commit| named("HEAD", commit)));
    let Some(Upstream {
        remote,
        branch: Some(branch),
        theirs,
    }) = upstream(repo, settings)
    else {
        return head();
    };
    let tracked = |branch: &str| -> Result<Option<Revision>, git::Error> {
        let commit = repo.tracking(&remote, branch)?;
        Ok(commit.map(|commit| named(&format!("{remote}/{branch}"), commit)))
    };
    if let Some(found) = tracked(&branch)? {
        return Ok(Some(found));
    }
    // Until there is a branch of its own for what is rendered, nodes fetch from the one that people push to. Cloned without
    // either, or never pushed: HEAD is the nearest to it.
    let theirs = theirs.map(|theirs| tracked(&theirs)).transpose()?;
    let found = match theirs.flatten() {
        Some(found) => Some(found),
        None => head()?,
    };
    Ok(found.map(|found| Revision {
        instead_of: Some(format!("{remote}/{branch}")),
        ..found
    }))
}

/// Where nodes fetch from, as far as that is known.
pub(super) struct Upstream {
    /// The remote's name in this clone.
    pub(super) remote: String,
    /// Its branch.
    pub(super) branch: Option<String>,
    /// The one that people push to, mostly the same.
    pub(super) theirs: Option<String>,
}

/// `None` where there is no remote. Which one counts may be unclear; that is told where its URL is needed.
pub(super) fn upstream(repo: &Repo, settings: &Git) -> Option<Upstream> {
    let remote = repo.remote(settings.remote.as_deref()).ok().flatten()?;
    let head = remote.head_branch.as_deref();
    Some(Upstream {
        branch: published(settings, head).map(str::to_owned),
        theirs: merged(settings, head).map(str::to_owned),
        remote: remote.name,
    })
}

/// What HEAD holds; `None` before the first commit.
///
/// # Errors
/// The repository can't be read.
pub fn head(repo: &Repo) -> Result<Option<Base>, git::Error> {
    repo.head()?
        .commit
        .map(|commit| at(repo, "HEAD", commit))
        .transpose()
}

/// What a commit holds, by the name that people know it by.
///
/// # Errors
/// The repository can't be read.
pub fn at(repo: &Repo, revision: &str, commit: ObjectId) -> Result<Base, git::Error> {
    let files = repo.files(commit, &RENDERED)?;
    let short: String = commit.to_string().chars().take(7).collect();
    Ok(Base {
        name: format!("{revision} ({short})"),
        files: files
            .into_iter()
            .map(|(path, id)| (path, Content::Object(id)))
            .collect(),
        commit: Some(commit),
        published: true,
        merges: false,
    })
}

/// The files of the fleet as the base has them, for what stands on sticks and not in rendered files: of its nodes those that
/// are written otherwise there, as far as nothing else is. `None` where all is as it was read, or this version can't read it.
///
/// # Errors
/// The repository can't be read.
pub fn manifest(
    repo: &Repo,
    commit: ObjectId,
    manifest: &Manifest,
) -> Result<Option<Manifest>, git::Error> {
    let root = &manifest.root;
    let here = Folder(root.clone());
    let inputs: Vec<(String, ObjectId)> = repo.files(commit, &INPUTS)?.into_iter().collect();
    let is_same = |(path, id): &(String, ObjectId)| match manifest.text(path) {
        Some(text) => object_id(text.as_bytes()) == *id,
        None => here.read(path).is_ok_and(|bytes| object_id(&bytes) == *id),
    };
    let same: Vec<bool> = inputs.par_iter().map(is_same).collect();
    if same.iter().all(|same| *same) {
        return Ok(None);
    }
    let is_node = |path: &str| path.starts_with("nodes/");
    let mut inputs: Vec<_> = inputs.into_iter().zip(same).collect();
    if inputs
        .iter()
        .all(|((path, _), same)| *same || is_node(path))
    {
        inputs.retain(|((path, _), same)| !same || !is_node(path));
    }
    let mut files = BTreeMap::new();
    let mut known = BTreeMap::new();
    for ((path, id), same) in inputs {
        let node = path.strip_prefix("nodes/");
        let node = node.and_then(|name| name.strip_suffix(".toml"));
        let read = node.and_then(|node| Some((node, manifest.nodes.get(node)?)));
        let bytes = match read {
            // What is the same here is not there twice.
            Some((node, item)) if same => {
                known.insert(node.to_owned(), item.clone());
                Vec::new()
            }
            _ => repo.blob(id)?,
        };
        files.insert(path, bytes);
    }
    // That a template exists is all that is asked of it.
    let templates = repo.files(commit, &["templates"])?;
    files.extend(templates.into_keys().map(|path| (path, Vec::new())));
    let known = |node: &str| known.get(node).cloned();
    let read = Manifest::read_with(root, &Snapshot(files), known);
    Ok(read.ok().and_then(|(manifest, _)| manifest))
}
