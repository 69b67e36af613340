//! Nothing that was opened gets into a core dump, and nobody else looks into the process.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::secrets::{fleet, ran, set};

#[test]
fn a_process_with_keys_or_values_leaves_no_core_dump_and_shows_nothing_to_others() {
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", "the value").code(0);
    let open = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let fifo = fleet.home().join("fifo");
    ran(fleet.program("mkfifo").arg(&fifo));
    open(&fifo, 0o666);
    open(&fleet.root(), 0o777);
    fs::remove_file(fleet.root().join(".ephemeros.lock")).unwrap();
    // The one waits for its identity, the other for the value.
    for args in [
        &[
            "secrets",
            "get",
            "n1",
            "TOKEN",
            "-i",
            fifo.to_str().unwrap(),
        ][..],
        &["secrets", "set", "defaults", "X_1"],
    ] {
        let mut command = fleet.command_as_nobody(args).process();
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let of_child = |name: &str| format!("/proc/{}/{name}", child.id());
        let deadline = Instant::now() + Duration::from_secs(20);
        let limits = || fs::read_to_string(of_child("limits")).unwrap();
        let is_off = |limits: &str| {
            let mut lines = limits.lines();
            let line = lines.find_map(|line| line.strip_prefix("Max core file size"));
            let words: Vec<&str> = line.unwrap().split_whitespace().collect();
            words[..2] == ["0", "0"]
        };
        // A process that may not be looked into belongs to root there.
        let is_closed = || fs::metadata(of_child("environ")).unwrap().uid() == 0;
        let both = || is_off(&limits()) && is_closed() && child_name(child.id()) == "ephemeros";
        while !both() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let done = (is_off(&limits()), is_closed());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(done, (true, true), "{args:?}");
    }
}

fn child_name(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim().to_owned()
}
