//! Commits that are made beside the work tree: neither it, nor the index, nor the branch that is checked out is touched.

use std::fs;
use std::path::Path;

use super::{Program, ProgramError, Said};
use crate::git::ObjectId;

/// A file of a tree, by its path from the root of the repository: its content, or `None` where it is to go.
pub type Entry = (String, Option<ObjectId>);

/// So many bytes are handed over at once.
const AT_ONCE: usize = 32 * 1024 * 1024;

/// Writes contents into the repository.
///
/// # Errors
/// There is no `git`, or it can't write.
pub fn store<'a>(
    program: &Program,
    contents: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), ProgramError> {
    let mut input = Vec::new();
    for content in contents {
        input.extend(format!("blob\ndata {}\n", content.len()).bytes());
        input.extend(content);
        input.push(b'\n');
        if input.len() > AT_ONCE {
            import(program, std::mem::take(&mut input))?;
        }
    }
    if input.is_empty() {
        return Ok(());
    }
    import(program, input)
}

fn import(program: &Program, mut input: Vec<u8>) -> Result<(), ProgramError> {
    // Without this, half of it would be taken for all.
    input.extend(b"done\n");
    let import = program.call("fast-import").args(["--quiet", "--done"]);
    import.input(input).run().map(drop)
}

/// Writes the tree of a commit with other files, whose contents are stored. `scratch` is a file that nobody else uses.
///
/// # Errors
/// There is no `git`, or it can't write.
pub fn tree(
    program: &Program,
    commit: ObjectId,
    entries: &[Entry],
    scratch: &Path,
) -> Result<ObjectId, ProgramError> {
    let written = write(program, commit, entries, scratch);
    // It is only in the way; the next time it is written anew.
    let _ = fs::remove_file(scratch);
    written
}

fn write(
    program: &Program,
    commit: ObjectId,
    entries: &[Entry],
    scratch: &Path,
) -> Result<ObjectId, ProgramError> {
    let read = program.call("read-tree").args([commit.to_string()]);
    read.index(scratch).run()?;
    let mut list = Vec::new();
    for (path, content) in entries {
        let (mode, id) = match content {
            Some(id) => ("100644", *id),
            None => ("0", ObjectId::ZERO_SHA1),
        };
        list.extend(format!("{mode} {id}\t{path}\0").bytes());
    }
    let update = program.call("update-index").args(["-z", "--index-info"]);
    update.index(scratch).input(list).run()?;
    program
        .call("write-tree")
        .index(scratch)
        .run()?
        .id("write-tree")
}

/// Makes a commit of a tree, signed where the user has all commits signed. No branch has it yet.
///
/// # Errors
/// There is no `git`, or it can't sign.
pub fn commit(
    program: &Program,
    tree: ObjectId,
    parents: &[ObjectId],
    message: &str,
) -> Result<ObjectId, ProgramError> {
    let mut commit = program.call("commit-tree");
    if signs(program)? {
        commit = commit.args(["-S"]);
    }
    for parent in parents {
        commit = commit.args(["-p".to_owned(), parent.to_string()]);
    }
    let commit = commit.args(["-F", "-", &tree.to_string()]).input(message);
    commit.run()?.id("commit-tree")
}

fn signs(program: &Program) -> Result<bool, ProgramError> {
    let ask = program.call("config");
    let said = ask.args(["--type=bool", "--get", "commit.gpgSign"]).ask()?;
    Ok(said.text() == "true")
}

/// Lets a reference name a commit.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn keep(program: &Program, name: &str, commit: ObjectId) -> Result<(), ProgramError> {
    let update = program.call("update-ref");
    update.args([name, &commit.to_string()]).run().map(drop)
}

impl Said {
    fn id(self, command: &'static str) -> Result<ObjectId, ProgramError> {
        ObjectId::from_str(&self.text()).map_err(|_| self.failed(command))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::git::sandbox::Sandbox;
    use crate::git::tree::object_id;
    use crate::progress::Silent;

    #[test]
    fn a_tree_is_that_of_a_commit_but_for_what_is_said() {
        let sandbox = Sandbox::with(&["a", "b/c", "b/d"]);
        sandbox.write("fleet/a", "changed");
        let (root, before) = (
            sandbox.path("fleet"),
            sandbox.git("fleet", &["status", "--short"]),
        );
        let program = Program::new(&root, &Silent);
        let contents = [&b"new\0\n"[..], b"", b"blob\ndata 3\nx"];
        store(&program, contents).unwrap();
        let head = sandbox.git("fleet", &["rev-parse", "HEAD"]);
        let head = ObjectId::from_str(&head).unwrap();
        let mut entries: Vec<Entry> = vec![("b/c".to_owned(), None), ("gone".to_owned(), None)];
        for (name, content) in ["b/e", "f\n", "g"].iter().zip(contents) {
            entries.push(((*name).to_owned(), Some(object_id(content))));
        }
        let scratch = root.join(".git/scratch");
        let tree = tree(&program, head, &entries, &scratch)
            .unwrap()
            .to_string();
        let list = ["ls-tree", "-r", "-z", "--name-only", &tree];
        assert_eq!(sandbox.git("fleet", &list), "a\0b/d\0b/e\0f\n\0g\0");
        for (name, content) in ["b/e", "f\n", "g"].iter().zip(contents) {
            let show = ["cat-file", "-s", &format!("{tree}:{name}")];
            assert_eq!(sandbox.git("fleet", &show), content.len().to_string());
        }
        assert!(!scratch.exists());
        assert_eq!(sandbox.git("fleet", &["status", "--short"]), before);
    }
}
