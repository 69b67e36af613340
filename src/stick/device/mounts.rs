//! What is mounted and what is swapped to, as the kernel tells it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::blocks::Blocks;
use super::{Node, Number, Roots};

/// A mounted file system.
pub(super) struct Mount {
    /// The names of the block devices that it stands on.
    pub(super) on: Vec<String>,
    /// Where it is mounted.
    pub(super) at: PathBuf,
    /// Whether this process sees it.
    ours: bool,
}

/// All that is mounted or swapped to.
pub(super) struct Mounts {
    pub(super) all: Vec<Mount>,
    /// Names of block devices, and where swap is a file on it, its path.
    pub(super) swaps: Vec<(String, Option<String>)>,
    /// The files that are swapped to.
    pub(super) swap_files: Vec<PathBuf>,
    /// The block devices of each btrfs that is mounted, whoever sees it.
    pub(super) btrfs: Vec<Vec<String>>,
    /// The pools of ZFS that are imported.
    pub(super) pools: Vec<String>,
    /// What could not be read of it.
    pub(super) unread: Vec<String>,
}

impl Mounts {
    pub(super) fn read(roots: &Roots, blocks: &Blocks) -> Self {
        let mut mounts = Self {
            all: Vec::new(),
            swaps: Vec::new(),
            swap_files: Vec::new(),
            btrfs: names_below(&roots.sys.join("fs/btrfs"))
                .map(|(_, path)| names_below(&path.join("devices")).map(|it| it.0).collect())
                .collect(),
            pools: names_below(&roots.proc.join("spl/kstat/zfs"))
                .filter(|(_, path)| path.is_dir())
                .map(|it| it.0)
                .collect(),
            unread: Vec::new(),
        };
        mounts.read_namespaces(roots, blocks);
        mounts.read_swaps(roots, blocks);
        mounts
    }

    /// What this process sees, and what each other one does whose mounts are others. Of processes that may not be
    /// asked or are gone nothing is learned; a drive that they have mounted can't be opened for oneself.
    fn read_namespaces(&mut self, roots: &Roots, blocks: &Blocks) {
        let own = roots.proc.join("self");
        let namespace = |process: &Path| fs::read_link(process.join("ns/mnt")).ok();
        let mut seen = vec![namespace(&own)];
        match fs::read(own.join("mountinfo")) {
            Ok(text) => self.take(roots, blocks, &text, true),
            Err(cause) => self.unread.push(format!("what is mounted: {cause}")),
        }
        let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        for (_, process) in names_below(&roots.proc).filter(|(name, _)| is_process(name)) {
            let namespace = namespace(&process);
            if namespace.is_some() && !seen.contains(&namespace) {
                if let Ok(text) = fs::read(process.join("mountinfo")) {
                    self.take(roots, blocks, &text, false);
                }
                seen.push(namespace);
            }
        }
    }

    /// Lines of `/proc/PID/mountinfo`.
    fn take(&mut self, roots: &Roots, blocks: &Blocks, text: &[u8], ours: bool) {
        let lines = text.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let Some(line) = Line::read(line) else {
                self.unread.push("a line of what is mounted".to_owned());
                continue;
            };
            let mut on = Vec::new();
            if let Some(block) = blocks.by_number(line.number) {
                on.push(block.name.clone());
            }
            // A file system over several drives has a number of its own, and names one of them, or all.
            if line.number.0 == 0 {
                let sources = line.source.split(|byte| *byte == b':');
                let names = sources.filter_map(|source| block_at(roots, blocks, source));
                on.extend(names);
                let whole = self.btrfs.iter().filter(|_| line.kind == b"btrfs");
                let mut whole = whole.filter(|all| all.iter().any(|name| on.contains(name)));
                if let Some(all) = whole.next() {
                    on.clone_from(all);
                }
            }
            let at = PathBuf::from(OsStr::from_bytes(&line.at));
            self.all.push(Mount { on, at, ours });
        }
    }

    /// Lines of `/proc/swaps`, below a heading. A kernel without swap has no such file.
    fn read_swaps(&mut self, roots: &Roots, blocks: &Blocks) {
        let text = match fs::read(roots.proc.join("swaps")) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return,
            Err(cause) => return self.unread.push(format!("what is swapped to: {cause}")),
        };
        let lines = text.split(|byte| *byte == b'\n').skip(1);
        for line in lines.filter(|line| !line.is_empty()) {
            let path = line.split(u8::is_ascii_whitespace).next();
            let path = unescaped(path.unwrap_or_default());
            match block_at(roots, blocks, &path) {
                Some(name) => self.swaps.push((name, None)),
                None => {
                    let file = String::from_utf8_lossy(&path).into_owned();
                    let on = self.holding(Path::new(OsStr::from_bytes(&path)));
                    let on = on.iter().map(|name| (name.clone(), Some(file.clone())));
                    let on: Vec<_> = on.collect();
                    self.swaps.extend(on);
                    self.swap_files.push(file.into());
                }
            }
        }
    }

    /// The block devices under the file system in which a file of this process stands.
    pub(super) fn holding(&self, file: &Path) -> &[String] {
        let above = self
            .all
            .iter()
            .filter(|it| it.ours && file.starts_with(&it.at));
        // Of two at one place the later one lies on top.
        let nearest = above.max_by_key(|it| it.at.components().count());
        nearest.map_or(&[], |it| &it.on)
    }
}

/// The block device at a path as the kernel writes it.
pub(super) fn block_at(roots: &Roots, blocks: &Blocks, path: &[u8]) -> Option<String> {
    let path = Path::new(OsStr::from_bytes(path));
    let place = match path.strip_prefix("/dev") {
        Ok(inside) => roots.dev.join(inside),
        // A device node can stand anywhere.
        Err(_) if path.is_absolute() => path.to_owned(),
        Err(_) => return None,
    };
    match (roots.node)(&place).ok()? {
        Node::Block(number) => Some(blocks.by_number(number)?.name.clone()),
        Node::Other(_) => None,
    }
}

/// What stands in a folder: names and paths. One that is not there is empty.
pub(super) fn names_below(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, entry.path())
    })
}

struct Line<'a> {
    number: Number,
    at: Vec<u8>,
    kind: &'a [u8],
    source: Vec<u8>,
}

impl<'a> Line<'a> {
    /// `36 35 98:0 /root /at rw,noatime master:1 - ext3 /dev/x rw`; as many words before the `-` as there are.
    fn read(line: &'a [u8]) -> Option<Self> {
        let mut words = line.split(|byte| *byte == b' ');
        let number = Number::read(std::str::from_utf8(words.nth(2)?).ok()?)?;
        let at = unescaped(words.nth(1)?);
        let mut words = words.skip_while(|word| *word != b"-").skip(1);
        Some(Self {
            number,
            at,
            kind: words.next()?,
            source: unescaped(words.next()?),
        })
    }
}

/// A byte that would end a word is written as `\` and three octal digits.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, after @ ..] = rest {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}
