//! SIGINT at many moments, once and twice: what writes has written all of it or nothing, and leaves nothing beside.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::fleet::{Fleet, RECIPIENT};
use crate::rekey;
use crate::repository::{KNOWN_URL, THREE_LINES};
use crate::web::{Answer, Web};

const MOMENTS: u32 = 40;

/// Interrupts a command at moments spread over a whole run, and every second time again and again as soon as it writes into
/// `folder`. `ready` gives it something to do, and
/// `is_done` says whether all of that is done. How many runs were stopped, and how many came through.
fn interrupt(
    fleet: &Fleet,
    folder: &str,
    command: &dyn Fn() -> Command,
    ready: &dyn Fn(),
    is_done: &dyn Fn() -> bool,
) -> [u32; 2] {
    let start = || {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).spawn().unwrap()
    };
    let folder = fleet.root().join(folder);
    ready();
    let began = Instant::now();
    assert!(start().wait().unwrap().success());
    let whole = began.elapsed();
    let mut ended = [0, 0];
    for moment in 0..MOMENTS {
        ready();
        let before = fleet.files();
        let mut child = start();
        let pid = Pid::from_child(&child);
        if moment % 2 == 0 {
            // 37 and 40 have no common part: the moments come in no order.
            sleep(whole * (moment * 37 % MOMENTS) / MOMENTS);
            let _ = kill_process(pid, Signal::INT);
        } else {
            // New files stand beside the old ones for a short time: it is waited for.
            while !has_staged(&folder) && child.try_wait().unwrap().is_none() {
                sleep(Duration::from_micros(100));
            }
            sleep(Duration::from_micros(u64::from(moment) * 200));
            for _ in 0..3 {
                let _ = kill_process(pid, Signal::INT);
                sleep(Duration::from_millis(1));
            }
        }
        let code = child.wait().unwrap().code();
        let after = fleet.files();
        assert!(
            before.keys().eq(after.keys()),
            "it left {:?}",
            after
                .keys()
                .filter(|it| !before.contains_key(*it))
                .collect::<Vec<_>>()
        );
        match code {
            // Before it listens, a signal ends it as it ends any process; and what is printed when all is written may be cut
            // off by a second one.
            Some(130) | None if before == after => ended[0] += 1,
            Some(0 | 130) => {
                assert!(is_done(), "it ended in the middle, with {code:?}");
                ended[1] += 1;
            }
            code => panic!("{code:?}"),
        }
    }
    ended
}

fn has_staged(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|it| it.file_name().to_string_lossy().starts_with(".ephemeros-"))
}

#[test]
fn render_is_done_or_not_begun() {
    let mut fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    for number in 0..300 {
        fleet = fleet.node(&format!("m{number}"), "templates = [\"base.bu\"]\n");
    }
    fleet.renders();
    let ready = || {
        let text = fleet.read("templates/base.bu");
        let (from, to) = if text.contains("two") {
            ("two", "zwei")
        } else {
            ("zwei", "two")
        };
        fleet.renders();
        fleet.replace("templates/base.bu", from, to);
    };
    let is_done = || fleet.run(&["render", "--check"]).code == Some(0);
    let [stopped, _] = interrupt(
        &fleet,
        "ignition",
        &|| fleet.process(&["render"]),
        &ready,
        &is_done,
    );
    assert!(stopped > 10, "only {stopped} were stopped");
}

#[test]
fn a_render_removes_what_a_killed_one_left() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    fleet.renders();
    let before = fleet.files();
    for left in ["ignition/.ephemeros-x1", "ipxe/.ephemeros-x2"] {
        fleet.write(left, "half");
    }
    fleet.renders();
    assert!(before == fleet.files());
}

#[test]
fn rekey_is_done_or_not_begun() {
    let other = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    let fleet = rekey::large(40, &[RECIPIENT, other]);
    let key = rekey::key(&fleet);
    let args = ["secrets", "rekey", "-q", "-i", key.to_str().unwrap()];
    let toml = fleet.read("fleet.toml");
    let one = toml.replace(&format!(", \"{other}\""), "");
    assert_ne!(one, toml);
    let ready = || {
        fleet.run(&args).code(0);
        let is_one = fleet.read("fleet.toml") == one;
        fleet.write("fleet.toml", if is_one { &toml } else { &one });
    };
    let is_done = || {
        let left = fleet.run(&["secrets", "rekey", "--dry-run"]).code(0);
        left.stdout.is_empty()
    };
    let [stopped, _] = interrupt(&fleet, "nodes", &|| fleet.process(&args), &ready, &is_done);
    assert!(stopped > 10, "only {stopped} were stopped");
}

#[test]
fn lock_is_done_or_not_begun() {
    let web = Web::start(|_| {
        sleep(Duration::from_millis(20));
        Answer::whole(b"x")
    });
    let toml = |name: &str| {
        let url = format!("{}/{name}", web.url);
        format!("os.version = \"4593.2.5\"\n[artifacts.a]\nurl.amd64 = \"{url}\"\n")
    };
    let fleet = Fleet::new().fleet(&toml("a"));
    let tells = |name: &str| fleet.read("fleet.lock").contains(&format!("/{name}\""));
    let ready = || {
        fleet.run(&["lock"]).code(0);
        let next = if tells("a") { "b" } else { "a" };
        fleet.write(
            "fleet.toml",
            format!("{}{}", crate::fleet::HEAD, toml(next)),
        );
    };
    let is_done = || {
        fleet
            .run(&["lock", "--dry-run", "--json"])
            .stdout
            .contains("\"changes\": []")
    };
    let [stopped, _] = interrupt(&fleet, ".", &|| fleet.process(&["lock"]), &ready, &is_done);
    assert!(stopped > 10, "only {stopped} were stopped");
    assert!(Path::new(&fleet.root()).join("fleet.lock").exists());
}

#[test]
fn plan_and_status_only_read() {
    let mut fleet = Fleet::new().butane("base.bu", THREE_LINES);
    let web = Web::start(|_| {
        sleep(Duration::from_millis(20));
        Answer::status(404)
    });
    let url = format!("[git]\nraw_url = \"{}/{{{{ path }}}}\"\n", web.url);
    fleet = fleet.fleet(&url);
    for number in 0..50 {
        fleet = fleet.node(&format!("m{number}"), "templates = [\"base.bu\"]\n");
    }
    fleet.renders();
    let fleet = fleet.git();
    let before = fleet.files();
    for command in ["plan", "status"] {
        let mut stopped = 0;
        for wait in 0..40 {
            let mut tool = fleet.process(&[command]);
            let mut child = tool
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            sleep(Duration::from_millis(wait));
            let _ = kill_process(Pid::from_child(&child), Signal::INT);
            let code = child.wait().unwrap().code();
            stopped += u32::from(code == Some(130));
            assert!(
                [None, Some(0), Some(1), Some(130)].contains(&code),
                "{code:?}"
            );
        }
        assert!(stopped > 0, "{command} was never stopped");
    }
    assert!(before == fleet.files());
    assert_eq!(fleet.git_says(&["status", "--porcelain"]), "");
}
