//! A fleet that is measured: its files, and the changes that are made to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::run;

/// As the limits are meant.
pub(crate) const THREADS: &str = "2";

/// How this program is started again to make a fleet: what that takes in memory must not stay.
pub(crate) const GENERATE: &str = "--generate";

/// What every node's config has.
const SETTING: &str = "\"vm.max_map_count\" = 262144\n";

/// The end of the site that a node's message of the day names, and of another one.
const SITE: &str = "\"\nrack = ";
const OTHER_SITE: &str = " (moved)\"\nrack = ";

const RECIPIENTS: &str = "recipients = [";

/// Somebody whose private key is nowhere.
const OTHER: &str = "\"age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa\", ";

pub(crate) struct Site {
    pub(crate) nodes: u32,
    /// Holds `fleet` and what is made beside it.
    pub(crate) folder: PathBuf,
    toml: String,
}

impl Site {
    pub(crate) fn make(nodes: u32, folder: PathBuf) -> Self {
        fs::create_dir(&folder).expect("room for a fleet");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([GENERATE, &nodes.to_string()]);
        command.arg(folder.join("fleet"));
        run(command);
        let toml = fs::read_to_string(folder.join("fleet/fleet.toml")).expect("it was made");
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/identity/demo.age.key");
        let mut install = Command::new("install");
        run({
            install.args(["-m", "600", key]).arg(folder.join("key"));
            install
        });
        Self {
            nodes,
            folder,
            toml,
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("fleet")
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The tool, in the fleet's folder.
    pub(crate) fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = tool(arguments);
        command.current_dir(self.root());
        command
    }

    /// All files below a folder of the fleet, or the one file, in order.
    pub(crate) fn files(&self, names: &[&str]) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for name in names {
            list(&self.root().join(name), &mut files);
        }
        files.sort();
        files
    }

    /// Every config becomes another one, or what it was.
    pub(crate) fn change_all(&self, change: bool) {
        let new = SETTING.replace("262144", "262145");
        self.set_toml(
            &self
                .toml
                .replace(SETTING, if change { &new } else { SETTING }),
        );
    }

    /// As [`Site::change_all`], of one node in a hundred and of no other.
    pub(crate) fn change_some(&self, change: bool) {
        for path in self.files(&["nodes"]).iter().step_by(100) {
            let text = fs::read_to_string(path).expect("a node");
            let (from, to) = if change {
                (SITE, OTHER_SITE)
            } else {
                (OTHER_SITE, SITE)
            };
            let text = text.replace(from, to);
            assert!(text.contains(to), "{} is another one", path.display());
            fs::write(path, text).expect("a node");
        }
    }

    /// One more may read every value, or not any more.
    pub(crate) fn change_readers(&self, change: bool) {
        let new = format!("{RECIPIENTS}{OTHER}");
        self.set_toml(
            &self
                .toml
                .replace(RECIPIENTS, if change { &new } else { RECIPIENTS }),
        );
    }

    fn set_toml(&self, text: &str) {
        fs::write(self.root().join("fleet.toml"), text).expect("a fleet");
    }

    /// The folders of rendered files.
    pub(crate) fn remove_rendered(&self) {
        for folder in ["ignition", "ipxe"] {
            remove(&self.root().join(folder));
        }
    }
}

pub(crate) fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ephemeros"));
    command.args(arguments).env("RAYON_NUM_THREADS", THREADS);
    command
}

fn list(path: &Path, files: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        return files.push(path.to_owned());
    }
    for entry in fs::read_dir(path).expect("a folder") {
        list(&entry.expect("an entry").path(), files);
    }
}

/// Removes a folder, and waits until the disk has nothing to do.
pub(crate) fn remove(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("a folder");
    }
    rustix::fs::sync();
}
