//! A file that is attached as a drive until this is dropped.

use std::fs::File;
use std::path::Path;
use std::process::Command;

/// Room for a stick.
const SIZE: u64 = 160 << 20;

pub(crate) struct Drive(pub(crate) String);

impl Drive {
    /// `None` where only root could.
    pub(crate) fn attach(file: &Path) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        File::create(file).and_then(|it| it.set_len(SIZE)).ok()?;
        let mut losetup = Command::new("losetup");
        let ran = losetup.args(["--find", "--show"]).arg(file).output().ok()?;
        let path = String::from_utf8(ran.stdout).ok()?;
        ran.status.success().then(|| Self(path.trim().to_owned()))
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}
