//! Programs on a terminal: what they ask is answered.

use std::process::Stdio;

use crate::fleet::Fleet;

/// Runs a program on a terminal that controls it. For each step it waits for a text that was not there yet, then until
/// what is typed is not shown, or is, runs the shell's line, and types. Says how it ended, and what was on the screen.
const DIALOGUE: &str = r"
import json, os, pty, signal, subprocess, sys, termios, time
signal.alarm(120)
steps, between = json.loads(sys.argv[1]), sys.argv[2]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
screen, seen = b'', 0
def read():
    global screen
    try:
        piece = os.read(fd, 4096)
    except OSError:
        piece = b''
    screen += piece
    return piece
for wanted, typed, shown in steps:
    while wanted.encode() not in screen[seen:] and read():
        pass
    at = screen.find(wanted.encode(), seen)
    if at < 0:
        break
    seen = at + len(wanted)
    deadline = time.time() + 10
    echoes = lambda: bool(termios.tcgetattr(fd)[3] & termios.ECHO)
    while echoes() != shown and time.time() < deadline:
        time.sleep(0.01)
    if echoes() != shown:
        screen += b'WRONG ECHO'
    subprocess.run(['sh', '-ec', between], check=True)
    os.write(fd, typed.encode())
while read():
    pass
_, status = os.waitpid(pid, 0)
if not termios.tcgetattr(fd)[3] & termios.ECHO:
    screen += b'WRONG ECHO'
sys.stdout.write('%s\n' % os.waitstatus_to_exitcode(status))
sys.stdout.flush()
sys.stdout.buffer.write(screen)
";

/// A program that is asked for secrets only. The exit code, and what was on the screen.
pub(crate) fn dialogue(fleet: &Fleet, steps: &[(&str, &str)], command: &[&str]) -> (i32, String) {
    let hidden = |&(wanted, typed): &(_, _)| (wanted, typed, false);
    let steps: Vec<_> = steps.iter().map(hidden).collect();
    full_dialogue(fleet, &steps, command)
}

/// A dialogue in which some answers are shown.
pub(crate) fn full_dialogue(
    fleet: &Fleet,
    steps: &[(&str, &str, bool)],
    command: &[&str],
) -> (i32, String) {
    dialogue_meanwhile(fleet, "", steps, command)
}

/// One in which something happens, by a line of the shell, between a question and its answer.
pub(crate) fn dialogue_meanwhile(
    fleet: &Fleet,
    between: &str,
    steps: &[(&str, &str, bool)],
    command: &[&str],
) -> (i32, String) {
    let steps = serde_json::to_string(steps).unwrap();
    let mut python = fleet.program("python3");
    python.args(["-c", DIALOGUE, &steps, between]).args(command);
    let output = python.stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (code, screen) = text.split_once('\n').unwrap();
    assert!(!screen.contains("WRONG ECHO"), "{screen}");
    (code.parse().unwrap(), screen.to_owned())
}

/// The tool on a terminal, which shows no secret that is typed.
pub(crate) fn tool(fleet: &Fleet, steps: &[(&str, &str)], args: &[&str]) -> (i32, String) {
    let (code, screen) = dialogue(
        fleet,
        steps,
        &[&[env!("CARGO_BIN_EXE_ephemeros")], args].concat(),
    );
    for (_, typed) in steps {
        assert!(!screen.contains(typed.trim()), "{screen}");
    }
    (code, screen)
}
