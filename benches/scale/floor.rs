//! The least that a command can take: reading what it reads, writing what it writes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `cat` of files, all of them.
pub(crate) struct Read {
    list: PathBuf,
}

impl Read {
    /// `list` is written.
    pub(crate) fn new(list: PathBuf, files: &[PathBuf]) -> Self {
        let paths = files.iter().map(|path| path.as_os_str().as_bytes());
        fs::write(&list, paths.collect::<Vec<_>>().join(&0)).expect("room for a list");
        Self { list }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("xargs");
        command.args(["-0", "-a"]).arg(&self.list).arg("cat");
        command
    }
}

/// The bytes of files, written by a process of its own into as many, below a folder.
pub(crate) struct Write {
    list: PathBuf,
    bytes: PathBuf,
    pub(crate) to: PathBuf,
    way: &'static str,
}

/// In which ways a [`Write`] starts this program again.
pub(crate) const WAYS: [&str; 3] = [WRITE, WRITE_AND_SYNC, WRITE_BESIDE];
pub(crate) const WRITE: &str = "--write";
/// Each is on the disk before the next one.
pub(crate) const WRITE_AND_SYNC: &str = "--write-and-sync";
/// All are written beside the old ones, and then renamed.
pub(crate) const WRITE_BESIDE: &str = "--write-beside";

impl Write {
    /// Files of `from`, whose bytes are kept at `at` in the meantime.
    pub(crate) fn new(at: &Path, from: &Path, files: &[PathBuf], way: &'static str) -> Self {
        let (list, bytes) = (at.with_extension("list"), at.with_extension("bytes"));
        let mut all = File::create(&bytes).expect("room for a copy");
        let mut lines = Vec::new();
        for file in files {
            let text = fs::read(file).expect("a file of the fleet");
            all.write_all(&text).expect("room for a copy");
            let path = file.strip_prefix(from).expect("it is below");
            lines.extend_from_slice(format!("{} ", text.len()).as_bytes());
            lines.extend_from_slice(path.as_os_str().as_bytes());
            lines.push(b'\n');
        }
        fs::write(&list, lines).expect("room for a list");
        Self {
            list,
            bytes,
            to: at.with_extension("copy"),
            way,
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(self.way);
        command.args([&self.list, &self.bytes, &self.to]);
        command
    }
}

/// What the process of a [`Write`] does.
pub(crate) fn write(arguments: &[String]) {
    let [way, list, bytes, to] = arguments else {
        panic!("a way, a list, bytes and a folder: {arguments:?}");
    };
    let list = fs::read(list).expect("the list");
    let bytes = fs::read(bytes).expect("the bytes");
    let mut rest = &bytes[..];
    let mut made = PathBuf::new();
    let mut renames = Vec::new();
    for line in list
        .split(|byte| *byte == b'\n')
        .filter(|it| !it.is_empty())
    {
        let space = line.iter().position(|byte| *byte == b' ').expect("a space");
        let length = str::from_utf8(&line[..space]).expect("digits");
        let (text, after) = rest.split_at(length.parse().expect("a length"));
        rest = after;
        let path = Path::new(to).join(OsStr::from_bytes(&line[space + 1..]));
        let folder = path.parent().expect("it is below");
        if folder != made {
            fs::create_dir_all(folder).expect("room for a folder");
            folder.clone_into(&mut made);
        }
        let new = match way.as_str() {
            WRITE_BESIDE => path.with_added_extension("new"),
            _ => path.clone(),
        };
        let mut file = File::create(&new).expect("room for a file");
        file.write_all(text).expect("room for a file");
        if way == WRITE_AND_SYNC {
            file.sync_all().expect("a disk");
        }
        if new != path {
            renames.push((new, path));
        }
    }
    for (new, path) in renames {
        fs::rename(new, path).expect("a file");
    }
}

pub(crate) fn dd(from: &Path, to: &Path) -> Command {
    let mut command = Command::new("dd");
    let file = |name: &str, path: &Path| format!("{name}={}", path.display());
    command.args(["bs=4M", "status=none", &file("if", from), &file("of", to)]);
    command
}
