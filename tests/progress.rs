//! Who waits sees on a terminal what is going on, and Ctrl-C ends it at once: nothing is left, on the screen or on the disk.

use std::time::{Duration, Instant};

use crate::dialogue::full_dialogue;
use crate::fleet::{Fleet, RECIPIENT};
use crate::rekey;
use crate::repository::{KNOWN_URL, has_program, skipped};
use crate::web::{Answer, Web};

/// Somebody whose private key is nowhere.
const OTHER: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// Begins a line anew, and wipes it: how a bar goes.
const WIPED: &str = "\r\u{1b}[2K";

/// How long a server thinks.
const THINKS: Duration = Duration::from_secs(3);

/// Each of these nodes takes a while to render.
fn slow_to_render() -> Fleet {
    let work = "{% for a in range(500) %}{% for b in range(500) %}{% endfor %}{% endfor %}";
    let butane = format!("# {{{{ node.name }}}}{work}\n");
    let mut fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", &butane);
    for number in 0..100 {
        fleet = fleet.node(&format!("m{number}"), "templates = [\"base.bu\"]\n");
    }
    fleet.git()
}

/// A server that is slow to answer.
fn slow_to_answer() -> Web {
    Web::start(|_| {
        std::thread::sleep(THINKS);
        Answer::whole(b"x")
    })
}

/// The tool on a terminal, with one thread, so that it takes its time. The exit code, and what was on the screen.
fn tool(fleet: &Fleet, steps: &[(&str, &str, bool)], args: &[&str]) -> (i32, String) {
    let tool = ["env", "TERM=xterm", "RAYON_NUM_THREADS=1"];
    let command = [&tool[..], &[env!("CARGO_BIN_EXE_ephemeros")], args].concat();
    full_dialogue(fleet, steps, &command)
}

/// The end of what was on the screen.
fn end(screen: &str) -> &str {
    let at = screen.len().saturating_sub(1000);
    screen.get(at..).unwrap_or(screen)
}

#[track_caller]
fn is_wiped(screen: &str, text: &str) {
    let rest = screen.rsplit(WIPED).next().unwrap();
    assert!(!rest.contains(text), "it stays: {:?}", end(screen));
}

/// It shows the text, and wipes it off before it ends.
#[track_caller]
fn shows(fleet: &Fleet, args: &[&str], code: i32, text: &str) {
    let (ended, screen) = tool(fleet, &[], args);
    assert_eq!(ended, code, "{:?}", end(&screen));
    assert!(screen.contains(text), "not shown: {:?}", end(&screen));
    is_wiped(&screen, text);
}

/// Who waits for the text and types Ctrl-C gets the shell back, and all is as it was.
#[track_caller]
fn stops(fleet: &Fleet, args: &[&str], text: &str) {
    let before = fleet.files();
    let began = Instant::now();
    let (ended, screen) = tool(fleet, &[(text, "\x03", true)], args);
    assert_eq!(ended, 130, "{:?}", end(&screen));
    assert!(began.elapsed() < THINKS, "{:?}", began.elapsed());
    is_wiped(&screen, text);
    assert!(before == fleet.files(), "something has changed");
}

fn has_terminals() -> bool {
    let has = has_program("python3");
    if !has {
        skipped("progress on a terminal", "there is no `python3`");
    }
    has
}

#[test]
fn plan_and_render_show_progress_and_stop() {
    if !has_terminals() {
        return;
    }
    let fleet = slow_to_render();
    for command in ["plan", "render"] {
        stops(&fleet, &[command], "rendering");
    }
    shows(&fleet, &["plan"], 0, "rendering");
    shows(&fleet, &["render"], 0, "rendering");
    let (_, screen) = tool(&fleet, &[], &["plan", "--quiet"]);
    assert!(!screen.contains("rendering"), "{screen:?}");
}

#[test]
fn status_shows_progress_and_stops_while_a_server_thinks() {
    if !has_terminals() {
        return;
    }
    let web = slow_to_answer();
    let url = format!("raw_url = \"{}/{{{{ path }}}}\"\n", web.url);
    let fleet = Fleet::new().fleet(&format!("[git]\n{url}"));
    fleet.renders();
    let fleet = fleet.git();
    let text = "asking for what is served";
    stops(&fleet, &["status"], text);
    shows(&fleet, &["status"], 1, text);
}

#[test]
fn lock_shows_progress_and_stops_while_a_server_thinks() {
    if !has_terminals() {
        return;
    }
    let web = slow_to_answer();
    let artifact = format!("[artifacts.a]\nurl.amd64 = \"{}/a\"\n", web.url);
    let fleet = Fleet::new().fleet(&format!("os.version = \"4593.2.5\"\n{artifact}"));
    let text = "asking for a on amd64";
    stops(&fleet, &["lock"], text);
    shows(&fleet, &["lock"], 0, text);
    assert!(fleet.read("fleet.lock").contains("name = \"a\""));
}

#[test]
fn rekey_shows_progress_and_stops() {
    if !has_terminals() {
        return;
    }
    let fleet = rekey::large(1500, &[RECIPIENT, OTHER]);
    let key = rekey::key(&fleet);
    fleet.replace("fleet.toml", &format!(", \"{OTHER}\""), "");
    let args = ["secrets", "rekey", "-i", key.to_str().unwrap()];
    let text = "encrypting anew";
    stops(&fleet, &args, text);
    shows(&fleet, &args, 0, text);
}

#[test]
fn what_is_quick_shows_no_progress() {
    if !has_terminals() {
        return;
    }
    let fleet = Fleet::committed();
    let (code, screen) = tool(&fleet, &[], &["plan"]);
    assert_eq!(code, 0);
    assert!(!screen.contains(WIPED), "{screen:?}");
}
