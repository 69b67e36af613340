//! Rendered files on a branch of their own: a commit of what is checked out and of what is rendered from it, made beside
//! the work tree.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Failure;
use super::commit::Done;
use super::message::rendered_from;
use super::ready::Ready;
use crate::git::cli::{Program, tree};
use crate::git::repo::Repo;
use crate::git::tree::object_id;
use crate::git::{self, ObjectId};
use crate::render::rendered::{Rendered, owner};
use crate::ui::Ui;

type Files = BTreeMap<String, ObjectId>;

/// Commits to `branch`, of which `tip` is what the remote has.
pub(super) fn commit(
    ready: &Ready,
    rendered: &[Rendered],
    (branch, tip): (&str, Option<ObjectId>),
    program: &Program,
    message: impl FnOnce(&BTreeSet<&str>) -> String,
    ui: &Ui,
) -> Result<Done, Failure> {
    let (repo, head) = (ready.repo, ready.head);
    if let Some(tip) = tip {
        let published = Published::find(repo, tip)?;
        check_order(repo, branch, (tip, published.as_ref()), head)?;
        if published.is_some_and(|it| it.commit != tip) {
            ui.say(&format!(
                "note: `{branch}` had a commit that nobody rendered, {tip}: what that changed there is not kept"
            ));
        }
    }
    let texts = rendered.iter().flat_map(Rendered::files);
    let texts: BTreeMap<String, &str> = texts
        .map(|(path, text)| (repo.full_path(&path), text))
        .collect();
    let wanted: Files = texts
        .iter()
        .map(|(path, text)| (path.clone(), object_id(text.as_bytes())))
        .collect();
    let of_head = repo.whole(head)?;
    let of_tip = tip.map(|tip| repo.whole(tip)).transpose()?;
    let of_tip = of_tip.unwrap_or_default();
    let written: Vec<&String> = differing(&wanted, &of_tip).collect();
    let contents = written.iter().filter_map(|path| texts.get(*path));
    tree::store(program, contents.map(|text| text.as_bytes()))?;
    let removed = |files: &Files| {
        let ours = files
            .keys()
            .filter(|path| repo.inside(path).is_some_and(|path| owner(path).is_some()));
        let gone = ours.filter(|path| !wanted.contains_key(*path));
        gone.cloned().collect::<Vec<_>>()
    };
    let mut entries: Vec<tree::Entry> = differing(&wanted, &of_head)
        .map(|path| (path.clone(), Some(wanted[path])))
        .collect();
    entries.extend(removed(&of_head).into_iter().map(|path| (path, None)));
    entries.extend(of_other_fleets(repo.prefix(), &of_head, &of_tip));
    let scratch = repo.git_dir().join("ephemeros.index");
    let tree = tree::tree(program, head, &entries, &scratch)?;
    let removed = removed(&of_tip);
    let in_fleet = |paths: &[&String]| {
        let inside = paths.iter().filter_map(|path| repo.inside(path));
        inside.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut done = Done {
        written: in_fleet(&written),
        removed: in_fleet(&removed.iter().collect::<Vec<_>>()),
        commit: None,
        whole: head,
    };
    if let Some(tip) = tip
        && repo.tree(tip)? == tree
    {
        done.whole = tip;
        return Ok(done);
    }
    let parents: Vec<ObjectId> = tip
        .into_iter()
        .filter(|it| *it != head)
        .chain([head])
        .collect();
    let name = format!("refs/ephemeros/{branch}");
    // A run that was cut off before its push has left it.
    if let Some(there) = repo.named(&name)
        && repo.tree(there)? == tree
        && repo.parents(there)? == parents
    {
        return Ok(Done {
            written: Vec::new(),
            removed: Vec::new(),
            whole: there,
            ..done
        });
    }
    let changed = done.written.iter().chain(&done.removed);
    let nodes: BTreeSet<&str> = changed.filter_map(|path| owner(path)).collect();
    let commit = tree::commit(program, tree, &parents, &message(&nodes))?;
    tree::keep(program, &name, commit)?;
    done.commit = Some(commit);
    done.whole = commit;
    Ok(done)
}

/// How far back it is looked for, behind commits of people.
const LOOKED_AT: usize = 100;

/// The newest commit of the branch that was made here.
struct Published {
    commit: ObjectId,
    /// What it was rendered from.
    from: ObjectId,
}

impl Published {
    fn find(repo: &Repo, tip: ObjectId) -> Result<Option<Self>, git::Error> {
        let mut commit = tip;
        for _ in 0..LOOKED_AT {
            let Some(message) = repo.message(commit) else {
                break;
            };
            if let Some(from) = rendered_from(&message) {
                return Ok(Some(Self { commit, from }));
            }
            let Some(first) = repo.parents(commit)?.first().copied() else {
                break;
            };
            commit = first;
        }
        Ok(None)
    }
}

/// An older commit must not be published over a newer one, as a job of CI that was late would.
fn check_order(
    repo: &Repo,
    branch: &str,
    (tip, published): (ObjectId, Option<&Published>),
    head: ObjectId,
) -> Result<(), Failure> {
    let newest = published.map_or(tip, |it| it.from);
    let is_old = newest != head && repo.comes_from(newest, head)?;
    if !is_old {
        return Ok(());
    }
    Err(Failure::problem(
        format!("`{branch}` was rendered from a newer commit than the one that is checked out"),
        Some("run `git pull`, and render again"),
    ))
}

/// The paths at which the files hold something else, or nothing.
fn differing<'a>(wanted: &'a Files, there: &'a Files) -> impl Iterator<Item = &'a String> {
    let other = wanted
        .iter()
        .filter(|(path, id)| there.get(*path) != Some(id));
    other.map(|(path, _)| path)
}

/// What is rendered of other fleets in the same repository stays as it was published.
fn of_other_fleets(own: &str, of_head: &Files, of_tip: &Files) -> Vec<tree::Entry> {
    let below = |root: &str, path: &str| match root {
        "" => path.to_owned(),
        root => format!("{root}/{path}"),
    };
    let others = of_head.keys().filter_map(|path| {
        let root = path.strip_suffix("fleet.toml")?;
        let root = root.strip_suffix('/').or(root.is_empty().then_some(""))?;
        (root != own).then_some(root)
    });
    let mut entries = Vec::new();
    for root in others {
        for folder in ["ignition", "ipxe"] {
            let folder = below(root, folder) + "/";
            let files = of_tip.range(folder.clone()..);
            let files = files.take_while(|(path, _)| path.starts_with(&folder));
            let published = files.filter(|(full, id)| {
                let path = full.strip_prefix(&below(root, "")).unwrap_or(full);
                owner(path).is_some() && of_head.get(*full) != Some(id)
            });
            entries.extend(published.map(|(path, id)| (path.clone(), Some(*id))));
        }
    }
    entries
}
