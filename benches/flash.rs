//! What it takes to write a stick, beside `dd` of as many bytes with `conv=fsync` and reading them back. It takes root, since it
//! writes to files that are attached as drives; `cargo bench --bench flash`. A dry run is all but the writing: the stick is made.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const ROUNDS: usize = 15;

const SIZE: u64 = 160 << 20;

fn main() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("this writes to loop devices: run it as root");
    }
    let folder = TempDir::new_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let at = |name: &str| folder.path().join(name);
    copy_example(&at("fleet"), &at("key"));
    let drive = Loop::new(&at("drive"));
    let node = [
        "flash",
        "node1337",
        &drive.0,
        "--yes",
        "--quiet",
        "--unpushed",
        "-i",
        "../key",
    ];
    let image = [
        "image", "node1337", "--quiet", "-o", "../n.img", "-i", "../key",
    ];
    let file = ["flash", "../n.img", &drive.0, "--yes", "--quiet"];
    let tool = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ephemeros"));
        command.args(args).current_dir(at("fleet"));
        command.env("EPHEMEROS_RAW_URL", "https://git.example/{{ path }}");
        command
    };
    timed(tool(&image));
    println!("  of a   MiB        dd     flash  ratio   dry run");
    for (what, args) in [("node", &node[..]), ("file", &file)] {
        let mut dry = tool(&[args, &["--dry-run", "--json"]].concat());
        let said: serde_json::Value =
            serde_json::from_slice(&dry.output().unwrap().stdout).unwrap();
        let bytes = said["to_write"].as_u64().unwrap();
        // The bytes of a stick, as many as are written.
        timed(tool(args));
        fs::write(
            at("bytes"),
            &fs::read(at("drive")).unwrap()[..usize::try_from(bytes).unwrap()],
        )
        .unwrap();
        let (mut copied, mut flashed, mut tried) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            copied.push(
                timed(dd(&[
                    &format!("if={}", at("bytes").display()),
                    &format!("of={}", drive.0),
                    "conv=fsync",
                ])) + timed(dd(&[
                    &format!("if={}", drive.0),
                    "of=/dev/null",
                    "iflag=direct,count_bytes",
                    &format!("count={bytes}"),
                ])),
            );
            flashed.push(timed(tool(args)));
            tried.push(timed(tool(&[args, &["--dry-run"]].concat())));
        }
        let [copied, flashed, tried] = [copied, flashed, tried].map(median);
        println!(
            "{what:>6} {:>5} {:>6} ms {:>6} ms {:>6.2} {:>6} ms",
            bytes >> 20,
            copied.as_millis(),
            flashed.as_millis(),
            flashed.as_secs_f64() / copied.as_secs_f64(),
            tried.as_millis(),
        );
    }
}

fn copy_example(fleet: &Path, key: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(fleet).unwrap();
    for name in [
        "fleet.toml",
        "fleet.lock",
        "nodes",
        "templates",
        "ignition",
        "ipxe",
    ] {
        timed(with(Command::new("cp"), |cp| {
            cp.arg("-r").arg(root.join(name)).arg(fleet)
        }));
    }
    let from = root.join("tests/identity/demo.age.key");
    timed(with(Command::new("install"), |it| {
        it.args(["-m", "600"]).arg(from).arg(key)
    }));
}

fn with(mut command: Command, add: impl FnOnce(&mut Command) -> &mut Command) -> Command {
    add(&mut command);
    command
}

fn dd(args: &[&str]) -> Command {
    with(Command::new("dd"), |dd| {
        dd.args(["bs=4M", "status=none"]).args(args)
    })
}

/// A file that is attached as a drive until this is dropped.
struct Loop(String);

impl Loop {
    fn new(file: &Path) -> Self {
        File::create(file).unwrap().set_len(SIZE).unwrap();
        let ran = Command::new("losetup")
            .args(["--find", "--show"])
            .arg(file)
            .output()
            .unwrap();
        Self(String::from_utf8(ran.stdout).unwrap().trim().to_owned())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

fn timed(mut command: Command) -> Duration {
    let began = Instant::now();
    let ran = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(ran.success(), "{command:?}");
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
