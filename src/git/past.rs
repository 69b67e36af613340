//! Which commit a content is from that somebody serves today.

use std::collections::{BTreeMap, BTreeSet};

use git2::{ObjectType, Sort};

use super::ObjectId;
use super::error::Error;
use super::history::day;
use super::repo::Repo;

/// A commit that holds a content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The beginning of its id, as people write it.
    pub short_id: String,
    /// The day that it was made on, in UTC: `2026-01-31`.
    pub date: String,
}

impl Repo {
    /// For each content at its path the newest commit that holds it there, of `tip` and all that led to it. What none of
    /// them holds is left out.
    pub fn holders(
        &self,
        tip: ObjectId,
        contents: &BTreeMap<String, ObjectId>,
    ) -> Result<BTreeMap<String, Holder>, Error> {
        let failed = |error| self.failed(error);
        let objects = self.git.odb().map_err(failed)?;
        // By folder, so that one that a commit did not touch is looked at once.
        let mut wanted: BTreeMap<&str, BTreeMap<&str, ObjectId>> = BTreeMap::new();
        for (path, id) in contents {
            // What git never had no commit holds.
            if objects.exists(*id) {
                let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
                wanted.entry(folder).or_default().insert(name, *id);
            }
        }
        let mut holders = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut walk = self.git.revwalk().map_err(failed)?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)
            .map_err(failed)?;
        walk.push(tip).map_err(failed)?;
        for id in walk {
            wanted.retain(|_, contents| !contents.is_empty());
            if wanted.is_empty() {
                break;
            }
            let id = id.map_err(failed)?;
            for (folder, contents) in &mut wanted {
                let Some((tree, ObjectType::Tree)) = self.entry(id, folder)? else {
                    continue;
                };
                if !seen.insert((*folder, tree)) {
                    continue;
                }
                let tree = self.git.find_tree(tree).map_err(failed)?;
                let time = self.git.find_commit(id).map_err(failed)?.time().seconds();
                contents.retain(|name, content| {
                    let is_held = tree.get_name(name).is_some_and(|it| it.id() == *content);
                    if is_held {
                        let path = match *folder {
                            "" => (*name).to_owned(),
                            folder => format!("{folder}/{name}"),
                        };
                        let holder = Holder {
                            short_id: id.to_string().chars().take(7).collect(),
                            date: day(time),
                        };
                        holders.insert(path, holder);
                    }
                    !is_held
                });
            }
        }
        Ok(holders)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::git::sandbox::Sandbox;
    use crate::git::tree::object_id;

    fn commit(sandbox: &Sandbox, text: &str) -> ObjectId {
        sandbox.write("fleet/ignition/a.ign", text);
        sandbox.git("fleet", &["add", "-A"]);
        sandbox.git("fleet", &["commit", "-qm", text]);
        sandbox
            .git("fleet", &["rev-parse", "HEAD"])
            .parse()
            .unwrap()
    }

    #[test]
    fn the_newest_commit_that_has_a_content_at_its_path_is_its_holder() {
        let sandbox = Sandbox::with(&["top"]);
        let one = commit(&sandbox, "one");
        let two = commit(&sandbox, "two");
        sandbox.write("fleet/other", "other");
        let same = commit(&sandbox, "two again");
        let again = commit(&sandbox, "one");
        let tip = commit(&sandbox, "three");
        let repo = sandbox.open("fleet");
        let find = |tip, path: &str, text: &str| {
            let wanted = BTreeMap::from([(path.to_owned(), object_id(text.as_bytes()))]);
            let found = repo.holders(tip, &wanted).unwrap();
            found.get(path).map(|it| it.short_id.clone())
        };
        let short = |id: ObjectId| Some(id.to_string()[..7].to_owned());
        assert_eq!(find(tip, "ignition/a.ign", "one"), short(again));
        assert_eq!(find(two, "ignition/a.ign", "one"), short(one));
        assert_eq!(find(tip, "ignition/a.ign", "two"), short(two));
        assert_eq!(find(tip, "ignition/a.ign", "two again"), short(same));
        assert_eq!(find(tip, "top", "top"), short(tip));
        // Not yet, elsewhere, never.
        assert_eq!(find(two, "ignition/a.ign", "three"), None);
        assert_eq!(find(tip, "ignition/b.ign", "one"), None);
        assert_eq!(find(tip, "ipxe/a.ipxe", "one"), None);
        assert_eq!(find(tip, "ignition/a.ign", "four"), None);
        let wanted = BTreeMap::from([("top".to_owned(), object_id(b"top"))]);
        assert_eq!(
            repo.holders(tip, &wanted).unwrap()["top"].date,
            "2023-11-14"
        );
    }
}
