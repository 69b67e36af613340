//! A fleet in a temporary folder, and the tool run on it: nothing of this machine's user, git or time shows through.
#![allow(clippy::unwrap_used)] // A test that can't go on fails.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

/// What every `fleet.toml` begins with: two lines, so that a test's own text begins in line 3.
pub(crate) const HEAD: &str = "name = \"test\"\nid = \"6b1e2a54-7c0f-4b7e-9d43-2f1f6a3f1c11\"\n";

/// What every Butane template begins with: two lines as well.
pub(crate) const BUTANE: &str = "variant: flatcar\nversion: 1.0.0\n";

/// The release behind `current`.
pub(crate) const LOCK: &str = "format = 1\n\n[[os]]\ndistro = \"flatcar\"\nchannel = \"stable\"\n\
    arch = \"amd64\"\nversion = \"4593.2.5\"\n";

/// The public half of `tests/identity/demo.age.key`.
pub(crate) const RECIPIENT: &str = "age1tzha5pml89m07twagpf3jesrtedseakqmz7hmprhhhe4jquedgdqqm7qsh";

/// A value that is encrypted to it.
pub(crate) const SECRET: &str = "age:7b6369a9:19f0ed8e56733723:YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB6bThEaFB4RTBhSjJzaDhQNUdOSzFaNUNhSXZONEUxTHQrZHdCczhmWVhvCkdpWEpzR1JpSnhtSnZidEcxN09sV09ZQnAwYWdCZzFHRVd4L1ducUk2bmcKLS0tIGZ4TnFGU1JlZWVFYktwMHhjVG9BMU1JVGJDTGpSMUEzdHpndkpldkRNVWMKmQ/8zs7zxjQGJ9IOFSNljtI7YqJBIcjA5I287JWAZ+VV7+C4dm2stmqEU52EaNR9/cJolJm0UTncvfBHQZc3XXlVN/MFqWXl4yIB";

/// A fleet of one node, `n1`, with one template, `base.bu`, until a test says otherwise.
pub(crate) struct Fleet {
    folder: TempDir,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        Self::empty()
            .fleet("")
            .file("fleet.lock", LOCK)
            .node("n1", "templates = [\"base.bu\"]\n")
            .butane("base.bu", "")
    }

    /// A folder without a fleet.
    pub(crate) fn empty() -> Self {
        let fleet = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::create_dir_all(fleet.root()).unwrap();
        fs::create_dir_all(fleet.folder.path().join("home")).unwrap();
        // `command_as_nobody` must get there.
        fs::set_permissions(fleet.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fleet
    }

    /// The example that this repository is, without what is rendered.
    pub(crate) fn example() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let fleet = Self::empty();
        for path in ["fleet.toml", "fleet.lock"] {
            fleet.write(path, fs::read(root.join(path)).unwrap());
        }
        for path in ["nodes", "templates"] {
            copy(&root.join(path), &fleet.root().join(path));
        }
        fleet
    }

    /// A fleet as it stands in a folder.
    pub(crate) fn copied(from: &Path) -> Self {
        let fleet = Self::empty();
        copy(from, &fleet.root());
        fleet
    }

    /// Another one in which every file is the same, with the home of its user and git's own.
    pub(crate) fn duplicate(&self) -> Self {
        let fleet = Self::empty();
        copy(self.folder.path(), fleet.folder.path());
        fleet
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("fleet")
    }

    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn without(self, path: &str) -> Self {
        fs::remove_file(self.root().join(path)).unwrap();
        self
    }

    /// `fleet.toml`: name and id, then this.
    pub(crate) fn fleet(self, text: &str) -> Self {
        self.file("fleet.toml", format!("{HEAD}{text}"))
    }

    pub(crate) fn node(self, name: &str, text: &str) -> Self {
        self.file(&format!("nodes/{name}.toml"), text)
    }

    /// A Butane template: variant and version, then this.
    pub(crate) fn butane(self, name: &str, text: &str) -> Self {
        self.file(&format!("templates/{name}"), format!("{BUTANE}{text}"))
    }

    /// The node's one template is this file's contents, rendered: what a test prints comes out in the config.
    pub(crate) fn printing(self, expression: &str) -> Self {
        let text = format!(
            "storage:\n  files:\n    - path: /etc/printed\n      contents:\n        inline: {expression}\n"
        );
        self.butane("base.bu", &text)
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.root().join(path)).unwrap();
        self
    }

    pub(crate) fn mode(self, path: &str, mode: u32) -> Self {
        fs::set_permissions(self.root().join(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Makes it a git repository with everything in one commit.
    pub(crate) fn git(self) -> Self {
        for args in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["add", "--all"],
            &["commit", "--quiet", "--message=all"],
        ] {
            let mut git = self.hermetic("git");
            let status = git.args(args).current_dir(self.root()).status().unwrap();
            assert!(status.success(), "git {args:?}");
        }
        self
    }

    fn hermetic(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path().join("home"))
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Test")
                .env(format!("GIT_{who}_EMAIL"), "test@example.com")
                .env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
        }
        command
    }

    /// Runs the tool in the fleet's folder.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.command(args).run()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Tool {
        let mut command = self.hermetic(env!("CARGO_BIN_EXE_ephemeros"));
        command.args(args).current_dir(self.root());
        Tool {
            command,
            stdin: Vec::new(),
        }
    }

    /// Runs it as somebody who owns nothing here; where the tests are not run by root, as who runs them.
    pub(crate) fn command_as_nobody(&self, args: &[&str]) -> Tool {
        if !rustix::process::geteuid().is_root() {
            return self.command(args);
        }
        // The build may stand where nobody else can go.
        let copy = self.folder.path().join("ephemeros");
        // Not by this process: a child that another test starts meanwhile would hold the copy open for writing.
        let mut cp = Command::new("cp");
        let status = cp.arg(env!("CARGO_BIN_EXE_ephemeros")).arg(&copy).status();
        assert!(status.unwrap().success());
        let mut command = self.hermetic("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(copy)
            .args(args)
            .current_dir(self.root());
        Tool {
            command,
            stdin: Vec::new(),
        }
    }

    /// `render`, which must fail over the fleet's mistakes, help with each of them, and touch nothing.
    #[track_caller]
    pub(crate) fn refuses(&self) -> Run {
        let before = self.files();
        let run = self.run(&["render"]).code(1).helps();
        let after = self.files();
        let paths = before.keys().chain(after.keys());
        let changed: Vec<&PathBuf> = paths
            .filter(|path| before.get(*path) != after.get(*path))
            .collect();
        assert!(changed.is_empty(), "it wrote {changed:?}\n{}", run.stderr);
        assert_eq!(run.stdout, "", "{}", run.stderr);
        run
    }

    /// `render`, which must succeed.
    #[track_caller]
    pub(crate) fn renders(&self) -> Run {
        self.run(&["render"]).code(0)
    }

    /// Every file outside `.git`, by its path. Without git, the writers' lock stands among them: it doesn't count.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = files_in(&self.root());
        files.remove(Path::new(".ephemeros.lock"));
        files
    }

    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        match fs::read_to_string(self.root().join(path)) {
            Ok(text) => text,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// A node's config, rendered.
    #[track_caller]
    pub(crate) fn ignition(&self, node: &str) -> serde_json::Value {
        self.renders();
        serde_json::from_str(&self.read(&format!("ignition/{node}.ign"))).unwrap()
    }

    /// What stands in a file of a node's config, rendered.
    #[track_caller]
    pub(crate) fn contents(&self, node: &str, path: &str) -> String {
        let config = self.ignition(node);
        let mut files = config["storage"]["files"].as_array().into_iter().flatten();
        let file = files.find(|file| file["path"] == path);
        let source = file.and_then(|file| file["contents"]["source"].as_str());
        decoded(source.unwrap_or_else(|| panic!("no {path} in {config:#}")))
    }

    /// What `printing` printed.
    #[track_caller]
    pub(crate) fn printed(&self) -> String {
        self.contents("n1", "/etc/printed")
    }
}

/// The tool, about to run.
pub(crate) struct Tool {
    command: Command,
    stdin: Vec<u8>,
}

impl Tool {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = text.as_ref().into();
        self
    }

    pub(crate) fn folder(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Where nobody can be asked, though the tests run at a terminal.
    pub(crate) fn without_terminal(mut self) -> Self {
        let mut command = Command::new("setsid");
        command
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .envs(
                self.command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        self.command = command;
        self
    }

    /// The program itself, for a test that does more with it.
    pub(crate) fn process(self) -> Command {
        self.command
    }

    pub(crate) fn run(mut self) -> Run {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What a run of the tool came to.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}{}", self.stdout, self.stderr);
        self
    }

    /// Each text stands in what it says to people, in this order.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        let mut rest = self.stderr.as_str();
        for text in texts {
            match rest.find(text) {
                Some(at) => rest = &rest[at + text.len()..],
                None => panic!("not said, or not in this order: {text}\n\n{}", self.stderr),
            }
        }
        self
    }

    /// Each text stands in the results.
    #[track_caller]
    pub(crate) fn prints(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stdout.contains(text),
                "not printed: {text}\n\n{}",
                self.stdout
            );
        }
        self
    }

    /// The text stands nowhere.
    #[track_caller]
    pub(crate) fn hides(self, text: &str) -> Self {
        let said = self.stderr.contains(text) || self.stdout.contains(text);
        assert!(!said, "said: {text}\n\n{}{}", self.stdout, self.stderr);
        self
    }

    /// It found so many mistakes, equal ones of several nodes counted once.
    #[track_caller]
    pub(crate) fn mistakes(self, count: usize) -> Self {
        let s = if count == 1 { "" } else { "s" };
        self.says(&[&format!("error: {count} mistake{s}; nothing was written\n")])
    }

    /// Every error says what to do.
    #[track_caller]
    pub(crate) fn helps(self) -> Self {
        let mut blocks: Vec<Vec<&str>> = Vec::new();
        for line in self.stderr.lines() {
            let begins = ["error: ", "warning: "]
                .iter()
                .any(|it| line.starts_with(it));
            match blocks.last_mut() {
                Some(block) if !begins => block.push(line),
                _ => blocks.push(vec![line]),
            }
        }
        for block in blocks {
            let sum = block[0].ends_with("nothing was written");
            let helped = block[1..].iter().any(|line| {
                line.contains("= help: ") || (line.starts_with("  ") && !line.contains('|'))
            });
            assert!(
                sum || helped,
                "no help for `{}`\n\n{}",
                block[0],
                self.stderr
            );
        }
        self
    }
}

/// Every file below a folder, by its path in it. What can't be read counts as empty.
pub(crate) fn files_in(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                if path.file_name().unwrap() != ".git" {
                    folders.push(path);
                }
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_owned();
            files.insert(name, fs::read(&path).unwrap_or_default());
        }
    }
    files
}

/// Copies a folder, its links as links.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (source, place) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if source.is_symlink() {
            symlink(fs::read_link(&source).unwrap(), &place).unwrap();
        } else if source.is_dir() {
            copy(&source, &place);
        } else {
            fs::copy(&source, &place).unwrap();
        }
    }
}

/// The text of a `data:` URL.
fn decoded(url: &str) -> String {
    if let Some(text) = url.strip_prefix("data:;base64,") {
        return String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    }
    let mut pieces = url.strip_prefix("data:,").unwrap().split('%');
    let mut bytes = pieces.next().unwrap().as_bytes().to_owned();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(piece[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}
