//! Where the recorded cases are, and the table of what passed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The links among the local files.
const LINKS: [&str; 9] = [
    "link-dangling",
    "link-escape",
    "link-to-file",
    "tree-escape/up",
    "tree-link",
    "tree-with-dirlink/sub",
    "tree/etc/app/current.conf",
    "tree/etc/dangling",
    "tree/etc/localtime",
];

/// The local files with their links, made once for all tests.
static COPY: OnceLock<TempDir> = OnceLock::new();

/// The folder of recorded cases.
pub(crate) struct Corpus {
    pub(crate) root: PathBuf,
}

impl Corpus {
    /// The part of it that every clone has.
    pub(crate) fn own() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/own");
        Self { root }
    }

    /// The own part, and the whole where it is.
    pub(crate) fn both() -> Vec<Self> {
        std::iter::once(Self::own()).chain(Self::find()).collect()
    }

    /// All cases of Butane.
    pub(crate) fn butane(&self) -> Vec<ButaneCase> {
        let rows = ["butane/INDEX.tsv", "butane/INDEX-fcos.tsv"]
            .iter()
            .flat_map(|index| self.rows(index));
        let cases = rows.map(|row| {
            let [variant, name, outcome, _origin, _what, flags] = &row[..] else {
                panic!("{row:?}");
            };
            ButaneCase {
                folder: self.root.join("butane").join(variant),
                variant: variant.clone(),
                name: name.clone(),
                outcome: outcome.clone(),
                flags: flags.split(',').map(str::to_owned).collect(),
            }
        });
        cases.collect()
    }

    /// The corpus, or a loud word on standard error that it is missing.
    pub(crate) fn find() -> Option<Self> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
        let root = std::env::var_os("EPHEMEROS_CONFORMANCE").map_or_else(beside, PathBuf::from);
        if root.join("butane/INDEX.tsv").is_file() {
            return Some(Self { root });
        }
        say(&format!(
            "\n*** SKIPPED: no conformance corpus at {}; set EPHEMEROS_CONFORMANCE ***\n",
            root.display()
        ));
        None
    }

    /// The directory of local files. A copy of the corpus that can't hold links has their targets as texts; they are
    /// links again in a copy beside the build.
    pub(crate) fn files_dir(&self) -> PathBuf {
        let files = self.root.join("butane/files");
        if LINKS.iter().all(|link| files.join(link).is_symlink()) {
            return files;
        }
        let copy = COPY.get_or_init(|| copy_with_links(&self.root.join("butane")));
        copy.path().join("files")
    }

    /// The rows of an index, without its heading.
    pub(crate) fn rows(&self, index: &str) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.root.join(index)).unwrap();
        text.lines()
            .skip(1)
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect()
    }

    /// All files of an extension in the folders of a folder.
    pub(crate) fn files(&self, folder: &str, extension: &str) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let folders = folders.filter(|path| path.is_dir() && !path.ends_with("files"));
        let entries = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|found| found == extension))
            .collect();
        files.sort();
        files
    }
}

/// A Butane config with what the reference makes of it.
pub(crate) struct ButaneCase {
    folder: PathBuf,
    pub(crate) variant: String,
    pub(crate) name: String,
    pub(crate) outcome: String,
    flags: Vec<String>,
}

impl ButaneCase {
    pub(crate) fn flags(&self) -> Vec<&str> {
        self.flags.iter().map(String::as_str).collect()
    }

    pub(crate) fn is_flagged(&self) -> bool {
        self.flags != ["-"]
    }

    /// Whether it was recorded with local files.
    pub(crate) fn has_files(&self) -> bool {
        !self.flags().contains(&"no-files-dir")
    }

    pub(crate) fn input(&self) -> Vec<u8> {
        fs::read(self.path("bu")).unwrap()
    }

    /// The recorded config, for a case that does not fail.
    pub(crate) fn config(&self) -> String {
        fs::read_to_string(self.path("ign")).unwrap()
    }

    /// The recorded report; empty where there was none.
    pub(crate) fn report(&self) -> String {
        fs::read_to_string(self.path("report")).unwrap_or_default()
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }
}

fn copy_with_links(butane: &Path) -> TempDir {
    let copy = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for part in ["outside.txt", "files"] {
        copy_tree(&butane.join(part), &copy.path().join(part));
    }
    for link in LINKS.map(|link| copy.path().join("files").join(link)) {
        let target = fs::read_to_string(&link).unwrap();
        fs::remove_file(&link).unwrap();
        symlink(target, &link).unwrap();
    }
    copy
}

fn copy_tree(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy_tree(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

/// Writes past the test harness, which would keep it to itself when the test passes.
fn say(text: &str) {
    std::io::stderr()
        .write_all(format!("{text}\n").as_bytes())
        .unwrap();
}

/// What passed and what did not, by folder.
#[derive(Default)]
pub(crate) struct Tally {
    passed: BTreeMap<String, (usize, usize)>,
    failures: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, folder: &str, case: &str, problems: &[String]) {
        let (passed, all) = self.passed.entry(folder.to_owned()).or_default();
        *all += 1;
        if problems.is_empty() {
            *passed += 1;
        } else {
            let shown: Vec<String> = problems
                .iter()
                .map(|one| one.chars().take(300).collect())
                .collect();
            self.failures
                .push(format!("{folder}/{case}: {}", shown.join("; ")));
        }
    }

    /// Prints the table and fails when a case did.
    pub(crate) fn finish(self) {
        let table = self
            .passed
            .iter()
            .map(|(folder, (passed, all))| format!("{folder:<20} {passed:>4} of {all:>4}"));
        let failures = self.failures.iter().map(|failure| format!("  {failure}"));
        say(&table.chain(failures).collect::<Vec<_>>().join("\n"));
        assert!(
            self.failures.is_empty(),
            "{} cases differ from the reference",
            self.failures.len()
        );
    }
}
