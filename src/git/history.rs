//! What led to the present: commits, and the files that each of them changed.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use git2::{ErrorCode, ObjectType, Sort};

use super::ObjectId;
use super::error::Error;
use super::repo::Repo;

/// Where a history ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tips {
    /// At what is checked out.
    Head,
    /// At whatever any reference names, and at what is checked out.
    All,
}

/// A file that differs between a commit and one of its parents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: String,
    /// What the parent has there.
    pub before: Option<ObjectId>,
    /// What the commit has there.
    pub after: Option<ObjectId>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// When it was made, in seconds since 1970.
    pub time: i64,
    /// Whether what is checked out comes from it.
    pub of_head: bool,
    /// Where its parents stand in the history.
    pub parents: Vec<usize>,
    /// What differs from each of its parents; without a parent, from nothing.
    pub changes: Vec<Vec<Change>>,
}

/// Commits, each behind all of its parents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The commits.
    pub commits: Vec<Commit>,
    /// Whether the clone holds only the newest ones.
    pub is_shallow: bool,
}

/// The files at a path, or in it, by name.
type Listing = Rc<BTreeMap<String, ObjectId>>;

/// How many listings are kept: neighbours in history ask for the same ones.
const KEPT: usize = 64;

impl Repo {
    /// All commits up to the tips, with what each changed at the paths: a file itself, or the files right in a directory.
    pub fn history(&self, tips: Tips, paths: &[&str]) -> Result<History, Error> {
        let failed = |error| self.failed(error);
        let head = self.head()?.commit;
        let mut walk = self.git.revwalk().map_err(failed)?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME | Sort::REVERSE)
            .map_err(failed)?;
        let others = match tips {
            Tips::Head => Vec::new(),
            Tips::All => self.named_commits()?,
        };
        for id in head.into_iter().chain(others) {
            walk.push(id).map_err(failed)?;
        }
        let mut places: HashMap<ObjectId, usize> = HashMap::new();
        let mut entries: Vec<Vec<Option<(ObjectId, ObjectType)>>> = Vec::new();
        let mut commits: Vec<Commit> = Vec::new();
        let mut listings = HashMap::new();
        for id in walk {
            let id = id.map_err(failed)?;
            let commit = self.git.find_commit(id).map_err(failed)?;
            let parents = commit.parent_ids();
            // Where a clone is shallow, the oldest commits name parents that are not there.
            let parents: Vec<usize> = parents.filter_map(|it| places.get(&it).copied()).collect();
            let at = paths.iter().map(|path| self.entry(id, path));
            let at: Vec<_> = at.collect::<Result<_, _>>()?;
            let nothing = vec![None; paths.len()];
            let mut befores: Vec<_> = parents.iter().map(|parent| &entries[*parent]).collect();
            if befores.is_empty() {
                befores.push(&nothing);
            }
            let mut changes = Vec::with_capacity(befores.len());
            for before in befores {
                let mut of_parent = Vec::new();
                for ((path, before), after) in paths.iter().zip(before).zip(&at) {
                    if before != after {
                        let before = self.listing(path, *before, &mut listings)?;
                        let after = self.listing(path, *after, &mut listings)?;
                        of_parent.extend(differences(&before, &after));
                    }
                }
                changes.push(of_parent);
            }
            places.insert(id, commits.len());
            entries.push(at);
            commits.push(Commit {
                id,
                time: commit.time().seconds(),
                of_head: Some(id) == head,
                parents,
                changes,
            });
        }
        for place in (0..commits.len()).rev() {
            if commits[place].of_head {
                for parent in commits[place].parents.clone() {
                    commits[parent].of_head = true;
                }
            }
        }
        Ok(History {
            commits,
            is_shallow: self.git.is_shallow(),
        })
    }

    /// The commits that references name, tags of tags too. A reference to anything else is passed over.
    fn named_commits(&self) -> Result<Vec<ObjectId>, Error> {
        let references = self.git.references().map_err(|e| self.failed(e))?;
        let mut commits = Vec::new();
        for reference in references {
            let reference = reference.map_err(|e| self.failed(e))?;
            match reference.peel(ObjectType::Commit) {
                Ok(commit) => commits.push(commit.id()),
                // The tag of a file, or a symbolic reference to a branch that is gone.
                Err(error)
                    if matches!(
                        error.code(),
                        ErrorCode::InvalidSpec | ErrorCode::Peel | ErrorCode::NotFound
                    ) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(commits)
    }

    fn listing(
        &self,
        path: &str,
        entry: Option<(ObjectId, ObjectType)>,
        kept: &mut HashMap<(String, ObjectId), Listing>,
    ) -> Result<Listing, Error> {
        let Some((id, kind)) = entry else {
            return Ok(Listing::default());
        };
        if kind == ObjectType::Blob {
            return Ok(Rc::new(BTreeMap::from([(path.to_owned(), id)])));
        }
        if kind != ObjectType::Tree {
            return Ok(Listing::default());
        }
        let key = (path.to_owned(), id);
        if let Some(listing) = kept.get(&key) {
            return Ok(Rc::clone(listing));
        }
        let tree = self.git.find_tree(id).map_err(|e| self.failed(e))?;
        let files = tree
            .iter()
            .filter(|entry| entry.kind() == Some(ObjectType::Blob))
            .map(|entry| {
                let name = String::from_utf8_lossy(entry.name_bytes());
                (format!("{path}/{name}"), entry.id())
            });
        let listing: Listing = Rc::new(files.collect());
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&listing));
        Ok(listing)
    }
}

fn differences(before: &Listing, after: &Listing) -> Vec<Change> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let paths = after.keys().chain(gone);
    let both = paths.map(|path| (path, before.get(path), after.get(path)));
    both.filter(|(_, before, after)| before != after)
        .map(|(path, before, after)| Change {
            path: path.clone(),
            before: before.copied(),
            after: after.copied(),
        })
        .collect()
}

impl History {
    /// What each commit has at the path of a file, one that the history is of.
    #[must_use]
    pub fn states(&self, path: &str) -> Vec<Option<ObjectId>> {
        let mut states: Vec<Option<ObjectId>> = Vec::with_capacity(self.commits.len());
        for commit in &self.commits {
            let mut changes = commit.changes.first().into_iter().flatten();
            let changed = changes.find(|it| it.path == path);
            states.push(match (changed, commit.parents.first()) {
                (Some(change), _) => change.after,
                (None, Some(parent)) => states[*parent],
                (None, None) => None,
            });
        }
        states
    }
}

impl Commit {
    /// The day that it was made on, in UTC: `2026-01-31`.
    #[must_use]
    pub fn date(&self) -> String {
        day(self.time)
    }

    /// The beginning of its id, as people write it.
    #[must_use]
    pub fn short_id(&self) -> String {
        self.id.to_string().chars().take(7).collect()
    }
}

/// The day of a time in seconds since 1970, in UTC: `2026-01-31`.
pub(super) fn day(time: i64) -> String {
    // Howard Hinnant's days from civil, backwards: years begin in March, eras have 400 of them.
    let days = time.div_euclid(24 * 60 * 60) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests;
