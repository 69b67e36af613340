//! A virtual machine with a stick in it, and the way into it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use super::servers::Servers;

/// Where a node finds all servers.
pub(super) const SERVER: &str = "10.0.2.100";

/// The address of the bond in the example.
const MAC: &str = "00:00:5e:00:53:37";

pub(super) struct Machine {
    qemu: Mutex<Child>,
    console: Arc<Mutex<Vec<String>>>,
    began: Instant,
    /// For the way in: a port of this machine, and a folder with the private key.
    port: u16,
    folder: PathBuf,
}

impl Machine {
    /// With sticks in the order in which the firmware tries them. The network holds nothing but the servers.
    pub(super) fn start(
        firmware: &str,
        sticks: &[&Path],
        servers: &Servers,
        folder: &Path,
    ) -> Self {
        let port = {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            listener.local_addr().unwrap().port()
        };
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(["-accel", "tcg", "-m", "1024", "-nodefaults", "-nographic"])
            .args(["-serial", "stdio"]);
        if firmware == "uefi" {
            let variables = folder.join("variables.fd");
            std::fs::copy("/usr/share/OVMF/OVMF_VARS_4M.fd", &variables).unwrap();
            let code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
            qemu.args([
                "-drive",
                &format!("if=pflash,format=raw,readonly=on,file={code}"),
            ])
            .arg("-drive")
            .arg(format!("if=pflash,format=raw,file={}", variables.display()));
        }
        for (number, stick) in sticks.iter().enumerate() {
            let file = stick.display();
            let drive = format!("if=none,id=stick{number},format=raw,readonly=on,file={file}");
            let device = format!("virtio-blk-pci,drive=stick{number},bootindex={number}");
            qemu.args(["-drive", &drive, "-device", &device]);
        }
        let forwards = [
            (80, servers.http),
            (443, servers.https),
            (6514, servers.logs),
        ];
        let forwards = forwards
            .map(|(from, to)| format!(",guestfwd=tcp:{SERVER}:{from}-cmd:nc -N 127.0.0.1 {to}"));
        let network = format!(
            "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22{}",
            forwards.concat()
        );
        // The index makes it `eno1`; with an unknown speed a card takes no part in a bond.
        let card =
            format!("virtio-net-pci,netdev=net,mac={MAC},acpi-index=1,speed=1000,duplex=full");
        qemu.args(["-netdev", &network, "-device", &card]);
        let mut qemu = qemu
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let console = Arc::new(Mutex::new(Vec::new()));
        let (output, lines) = (qemu.stdout.take().unwrap(), Arc::clone(&console));
        let began = Instant::now();
        // For whoever looks into a test that fails.
        let shown = std::env::var_os("CHAIN_CONSOLE").is_some();
        thread::spawn(move || {
            // A console's escape sequences mean nothing here.
            let escapes = Regex::new(r"\x1b\[[0-9;=?]*[A-Za-z]|\r|\x1bc|\x00").unwrap();
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = escapes.replace_all(&line, &b""[..]);
                let line = String::from_utf8_lossy(&line).into_owned();
                if shown {
                    let seconds = began.elapsed().as_secs_f32();
                    let _ = writeln!(std::io::stderr(), "{seconds:5.1} {line}");
                }
                lines.lock().unwrap().push(line);
            }
        });
        Self {
            qemu: Mutex::new(qemu),
            console,
            began,
            port,
            folder: folder.to_owned(),
        }
    }

    pub(super) fn console(&self) -> Vec<String> {
        self.console.lock().unwrap().clone()
    }

    /// Waits until something is there, at most so many seconds; then it tells what the machine said.
    #[track_caller]
    pub(super) fn wait<T>(&self, what: &str, seconds: u64, look: impl Fn() -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            if let Some(found) = look() {
                return found;
            }
            let is_off = self.qemu.lock().unwrap().try_wait().unwrap().is_some();
            assert!(
                Instant::now() < end && !is_off,
                "no {what} within {seconds} s, {} s after power-on:\n{}",
                self.began.elapsed().as_secs(),
                self.console().join("\n")
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits for a line that has this in it.
    #[track_caller]
    pub(super) fn says(&self, what: &str, seconds: u64) -> String {
        self.wait(&format!("line `{what}`"), seconds, || {
            let console = self.console.lock().unwrap();
            console.iter().find(|line| line.contains(what)).cloned()
        })
    }

    /// Has nothing said so far with this in it.
    #[track_caller]
    pub(super) fn never_said(&self, what: &str) {
        let console = self.console();
        let is_it = |line: &String| line.contains(what);
        assert!(!console.iter().any(is_it), "{}", console.join("\n"));
    }

    /// Runs a command as root by ssh; exit code and output.
    pub(super) fn try_run(&self, script: &str) -> (Option<i32>, String) {
        self.log_in(&["sudo", "sh", "-s"], script)
    }

    /// Runs a command there as `core`, with an input.
    pub(super) fn log_in(&self, command: &[&str], input: &str) -> (Option<i32>, String) {
        let mut ssh = Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=no",
            ])
            .args(["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"])
            .args(["-o", "ConnectTimeout=20", "-o", "IdentitiesOnly=yes", "-i"])
            .arg(self.folder.join("ssh"))
            // One connection for all of them.
            .args(["-o", "ControlMaster=auto", "-o", "ControlPersist=30", "-o"])
            .arg(format!(
                "ControlPath={}",
                self.folder.join("way-in").display()
            ))
            .args(["-p", &self.port.to_string(), "core@127.0.0.1"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It may be gone by now.
        let _ = ssh.stdin.take().unwrap().write_all(input.as_bytes());
        let output = ssh.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said)
    }

    /// Runs a command as root, which must succeed; what it prints.
    #[track_caller]
    pub(super) fn run(&self, script: &str) -> String {
        let (code, said) = self.try_run(&format!("exec 2>&1\n{script}"));
        assert_eq!(
            code,
            Some(0),
            "{script}\n{said}\n{}",
            self.console().join("\n")
        );
        said.trim_end().to_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let mut qemu = self.qemu.lock().unwrap();
        let _ = qemu.kill();
        let _ = qemu.wait();
    }
}
