//! `completions` and `man`: what they say is the command line, without what is hidden in it.

use std::fs;
use std::process::Command;

use crate::fleet::Fleet;

/// What bash offers behind these words, the last of which is begun.
fn offered(fleet: &Fleet, words: &[&str]) -> Vec<String> {
    let script = fleet.run(&["completions", "bash"]).code(0).stdout;
    let path = fleet.home().join("script");
    fs::write(&path, script).unwrap();
    let ask = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))\n\
               _ephemeros \"$1\" \"${*: -1}\" \"${*: -2:1}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-c", ask, "bash"]);
    bash.arg(&path).arg("ephemeros").args(words);
    let ran = bash.output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let printed = String::from_utf8(ran.stdout).unwrap();
    printed.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let fleet = Fleet::new();
    assert_eq!(offered(&fleet, &["sche"]), ["schema"]);
    assert_eq!(offered(&fleet, &["secrets", "set", "--exp"]), ["--expires"]);
    assert_eq!(
        offered(&fleet, &["show", "n1", "--stage", "i"]),
        ["ignition", "ipxe"]
    );
    // There is an option of this name, and it is hidden.
    assert_eq!(offered(&fleet, &["flash", "--o"]), [""; 0]);
}

#[test]
fn no_shell_is_told_what_is_hidden() {
    let fleet = Fleet::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = fleet.run(&["completions", shell]).code(0).stdout;
        let has = |word: &str| script.contains(word);
        assert!(has("unpushed") && has("rekey"), "{shell}");
        for hidden in [
            "opened",
            "relay",
            "old versions of",
            "No value is an argument",
        ] {
            assert!(!has(hidden), "{hidden} for {shell}");
        }
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let fleet = Fleet::new();
    let wrote = fleet.run(&["man", "pages/man1"]).code(0);
    let folder = fleet.root().join("pages/man1");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let told = format!("wrote {} pages to pages/man1\n", names.len());
    assert_eq!(wrote.stderr, told);
    for name in [
        "ephemeros.1",
        "ephemeros-flash.1",
        "ephemeros-secrets-set.1",
    ] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    assert!(!names.iter().any(|it| it.contains("help")), "{names:?}");

    let page = fs::read_to_string(folder.join("ephemeros-flash.1")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(".TH ephemeros-flash 1 \" \" \"ephemeros {version}\" Ephemeros\n");
    assert!(page.contains(&title), "{page}");
    assert!(
        page.contains("ephemeros flash\\fR [OPTIONS] <NODE|FILE> <DEVICE>"),
        "{page}"
    );
    assert!(
        page.contains("unpushed") && !page.contains("opened"),
        "{page}"
    );

    let printed = fleet.run(&["man"]).code(0).stdout;
    assert_eq!(
        printed,
        fs::read_to_string(folder.join("ephemeros.1")).unwrap()
    );
}

#[test]
fn manual_pages_go_to_a_folder() {
    let fleet = Fleet::new();
    let before = fleet.read("fleet.toml");
    let run = fleet.run(&["man", "fleet.toml"]).code(1);
    assert!(
        run.stderr.contains("`fleet.toml` is no folder"),
        "{}",
        run.stderr
    );
    assert_eq!(fleet.read("fleet.toml"), before);
}
