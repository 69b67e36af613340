//! `transpile`, `validate` and `merge`: single configs, without a fleet and without git, and all that can go wrong with them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::failures::can_mount;
use crate::fleet::{BUTANE, Fleet, Run};

const FILE: &str = "storage:\n  files:\n    - path: /a\n      contents: {inline: <a>}\n";
const JSON: &str = "{\"ignition\":{\"version\":\"3.3.0\"},\"storage\":{\"files\":[{\"path\":\"/a\",\
    \"contents\":{\"compression\":\"\",\"source\":\"data:,%3Ca%3E\"}}]}}\n";
const IGNITION: &str = "{\"ignition\": {\"version\": \"3.4.0\"}}\n";

/// A folder with `a.bu`, which is fine, `warn.bu`, `bad.bu`, and `a.ign`.
fn folder() -> Fleet {
    Fleet::empty()
        .file("a.bu", format!("{BUTANE}{FILE}"))
        .file("warn.bu", format!("{BUTANE}storge: 1\n"))
        .file(
            "bad.bu",
            format!("{BUTANE}storage: {{files: [{{path: a}}]}}\n"),
        )
        .file("a.ign", IGNITION)
}

/// It fails with these words and help, prints nothing, and leaves every file as it was.
#[track_caller]
fn refuses(folder: &Fleet, args: &[&str], code: i32, says: &str) -> Run {
    let before = folder.files();
    let run = folder
        .run(args)
        .code(code)
        .says(&["error: ", says])
        .hides("panicked");
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.trim_end().lines().count() > 1,
        "no help: {}",
        run.stderr
    );
    assert!(before == folder.files(), "something changed");
    run
}

#[test]
fn a_config_is_read_from_a_file_or_from_standard_input() {
    let folder = folder();
    for args in [
        &["transpile", "a.bu"][..],
        &["transpile", "--input", "a.bu"],
    ] {
        assert_eq!(folder.run(args).code(0).stdout, JSON);
    }
    for args in [
        &["transpile"][..],
        &["transpile", ""],
        &["transpile", "-o", "", "-d", ""],
    ] {
        let text = format!("{BUTANE}{FILE}");
        assert_eq!(folder.command(args).stdin(text).run().code(0).stdout, JSON);
    }
}

#[test]
fn pretty_is_as_go_indents() {
    let run = folder().run(&["transpile", "-p", "a.bu"]).code(0);
    let expected = "{\n  \"ignition\": {\n    \"version\": \"3.3.0\"\n  },\n  \"storage\": {\n    \"files\": [\n      {\n        \
        \"path\": \"/a\",\n        \"contents\": {\n          \"compression\": \"\",\n          \"source\": \
        \"data:,%3Ca%3E\"\n        }\n      }\n    ]\n  }\n}\n";
    assert_eq!(run.stdout, expected);
}

#[test]
fn strict_takes_no_warning_and_check_prints_nothing() {
    let folder = folder();
    let run = folder.run(&["transpile", "warn.bu"]).code(0);
    run.says(&["warning: unused key `storge`"])
        .prints(&["3.3.0"]);
    let strict = folder
        .run(&["transpile", "-s", "warn.bu", "-o", "out"])
        .code(1);
    assert_eq!(strict.stdout, "");
    strict.says(&[
        "warning: unused key",
        "error: the config has warnings",
        "`--strict`",
    ]);
    let check = folder
        .run(&["transpile", "-c", "a.bu", "-o", "out"])
        .code(0);
    assert_eq!(check.stdout + &check.stderr, "");
    refuses(
        &folder,
        &["transpile", "-c", "bad.bu"],
        1,
        "the path is not absolute",
    );
    assert!(!folder.root().join("out").exists());
}

#[test]
fn raw_errors_are_one_line_each() {
    let folder = folder();
    let run = folder.run(&["transpile", "--raw-errors", "bad.bu"]).code(1);
    let mut lines = run.stderr.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("error at $.storage.files.0.path, line 3 col 26: "),
        "{first}"
    );
    assert_eq!(lines.next(), Some("Error translating config: 1 mistake"));
    assert_eq!(lines.next(), None);
    let run = folder
        .run(&["transpile", "--raw-errors", "-s", "warn.bu"])
        .code(1);
    run.says(&[
        "warning at $.storge, line 3 col 1: ",
        "\nConfig produced warnings and --strict was specified\n",
    ]);
}

#[test]
fn what_was_found_is_json_too() {
    let folder = folder();
    let json = |args: &[&str], code| -> serde_json::Value {
        let run = folder.run(&[&["--json"], args].concat()).code(code);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let bad = json(&["transpile", "bad.bu"], 1);
    assert_eq!(bad["mistakes"][0]["path"], "$.storage.files.0.path");
    assert_eq!(bad["mistakes"][0]["places"][0]["line"], 3);
    assert_eq!(json(&["transpile", "--raw-errors", "bad.bu"], 1), bad);
    let warned = json(&["transpile", "warn.bu"], 0);
    assert_eq!(warned["config"]["ignition"]["version"], "3.3.0");
    assert_eq!(warned["mistakes"][0]["severity"], "warning");
    let strict = json(&["transpile", "warn.bu", "--strict"], 1);
    assert_eq!(strict["mistakes"], warned["mistakes"]);
    assert_eq!(strict["config"], serde_json::Value::Null);
    assert_eq!(
        json(&["validate", "a.ign"], 0)["mistakes"],
        serde_json::json!([])
    );
    let merged = json(&["merge", "a.ign", "a.ign"], 0);
    assert_eq!(merged["config"]["ignition"]["version"], "3.4.0");
}

#[test]
fn a_file_is_written_whole_with_the_mode_of_butane() {
    let folder = folder();
    let write = |mask: &str| {
        let script = format!(
            "umask {mask}; '{}' transpile a.bu -o out",
            env!("CARGO_BIN_EXE_ephemeros")
        );
        let status = folder
            .program("sh")
            .args(["-c", &script])
            .current_dir(folder.root())
            .status();
        assert!(status.unwrap().success());
    };
    let mode = || {
        fs::metadata(folder.root().join("out"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    write("002");
    assert_eq!(mode(), 0o644);
    fs::remove_file(folder.root().join("out")).unwrap();
    write("077");
    assert_eq!((mode(), folder.read("out")), (0o600, JSON.to_owned()));
    let folder = folder.mode("out", 0o640);
    folder
        .run(&["transpile", "a.bu", "--output", "out"])
        .code(0);
    let left = fs::metadata(folder.root().join("out"))
        .unwrap()
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(left, 0o640);
}

#[test]
fn a_link_is_written_through() {
    let folder = folder()
        .file("there", "old")
        .link("link", "there")
        .link("new", "made");
    for name in ["link", "new"] {
        folder.run(&["transpile", "a.bu", "-o", name]).code(0);
        assert!(folder.root().join(name).is_symlink());
    }
    assert_eq!(
        (folder.read("there"), folder.read("made")),
        (JSON.to_owned(), JSON.to_owned())
    );
    let folder = folder.link("round", "round");
    refuses(
        &folder,
        &["transpile", "a.bu", "-o", "round"],
        1,
        "can't write `round`: its links",
    );
}

#[test]
fn a_device_and_a_pipe_are_written_to_and_not_replaced() {
    let folder = folder();
    let run = folder
        .run(&["transpile", "a.bu", "-o", "/dev/stdout"])
        .code(0);
    assert_eq!(run.stdout, JSON);
    refuses(
        &folder,
        &["transpile", "a.bu", "-o", "/dev/full"],
        1,
        "can't write `/dev/full`: No space left",
    );
    let script = format!(
        "mkfifo pipe; cat pipe > out & '{}' transpile a.bu -o pipe && wait && test -p pipe",
        env!("CARGO_BIN_EXE_ephemeros")
    );
    let status = folder
        .program("bash")
        .args(["-c", &script])
        .current_dir(folder.root())
        .status();
    assert!(status.unwrap().success());
    assert_eq!(folder.read("out"), JSON);
}

#[test]
fn a_pipe_is_read_as_butane_reads_it() {
    let folder = folder();
    let script = format!(
        "'{}' transpile <(cat a.bu)",
        env!("CARGO_BIN_EXE_ephemeros")
    );
    let mut bash = folder.program("bash");
    let output = bash
        .args(["-c", &script])
        .current_dir(folder.root())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), JSON);
}

#[test]
fn an_input_that_can_t_be_read_is_named() {
    let folder = folder();
    for command in ["transpile", "validate"] {
        refuses(
            &folder,
            &[command, "nope"],
            1,
            "can't read `nope`: No such file",
        );
        refuses(
            &folder,
            &[command, "."],
            1,
            "can't read `.`: it is a folder",
        );
        refuses(
            &folder,
            &[command, "/dev/zero"],
            1,
            "can't read `/dev/zero`: it is longer than 64 MiB",
        );
    }
    refuses(&folder, &["transpile", "-"], 1, "can't read `-`").says(&["leave FILE out"]);
    refuses(&folder, &["merge", "a.ign", "nope"], 1, "can't read `nope`");
    let folder = folder.mode("a.bu", 0o000);
    let run = folder
        .command_as_nobody(&["transpile", "a.bu"])
        .run()
        .code(1);
    run.says(&[
        "error: can't read `a.bu`: Permission denied",
        "\n  name one file",
    ]);
}

#[test]
fn an_input_that_is_no_config_is_shown() {
    let long = |count, text: &str| text.repeat(count);
    for (text, says) in [
        (Vec::new(), "the document is empty"),
        (b"a: b\nc: \xff\xfe".to_vec(), "<stdin>:2:4"),
        (b"\xff\xfe\0".to_vec(), "the config is no text"),
        (long(200_000, "[").into(), "recursion limit exceeded"),
        (long(200_000, "- ").into(), "levels deep"),
        (long(100_000, "{a: ").into(), "recursion limit exceeded"),
        (
            format!("{BUTANE}a: {}", long(100_000, "!!x ")).into(),
            "error: ",
        ),
        (IGNITION.into(), "`variant` is missing"),
    ] {
        let run = folder().command(&["transpile"]).stdin(&text).run().code(1);
        let shown = String::from_utf8_lossy(&text[..text.len().min(20)]).into_owned();
        assert!(run.stderr.contains(says), "{shown}: {}", run.stderr);
        run.says(&["= help: ", "1 mistake"]).hides("panicked");
    }
    for (text, says) in [
        (Vec::new(), "the text is empty"),
        (long(200_000, "[").into(), "levels deep"),
        (long(100_000, "{\"a\":").into(), "levels deep"),
        (b"\xff".to_vec(), "<stdin>:1:1"),
        (BUTANE.into(), "<stdin>:1:1"),
        (
            IGNITION.replace("3.4", "9.4").into(),
            "`ignition.version` is not supported",
        ),
    ] {
        let run = folder().command(&["validate"]).stdin(&text).run().code(1);
        run.says(&["error: ", says, "= help: "]).hides("panicked");
    }
}

#[test]
fn an_output_that_can_t_be_written_is_named() {
    let folder = folder().file("folder/x", "");
    let folder = folder.link("same", "a.bu");
    for (out, code, says) in [
        ("no/out", 1, "can't write `no/out`: there is no folder `no`"),
        (
            "a.ign/out",
            1,
            "can't write `a.ign/out`: there is no folder `a.ign`",
        ),
        ("folder", 1, "folder: is a directory"),
        ("a.bu", 64, "`a.bu` is the config that is read"),
        ("./folder/../same", 64, "is the config that is read"),
    ] {
        refuses(&folder, &["transpile", "a.bu", "-o", out], code, says);
    }
    for input in [["a.ign", "warn.bu"], ["warn.bu", "a.ign"]] {
        refuses(
            &folder,
            &["merge", input[0], input[1], "-o", "a.ign"],
            64,
            "is the config that is read",
        );
    }
    let folder = folder.mode("folder", 0o555);
    let run = folder
        .command_as_nobody(&["transpile", "a.bu", "-o", "folder/out"])
        .run()
        .code(1);
    run.says(&[
        "error: can't write ",
        "folder/out: Permission denied",
        "\n  ",
    ]);
    // A failure leaves an earlier result alone.
    let folder = folder.file("out", "old");
    refuses(
        &folder,
        &["transpile", "bad.bu", "-o", "out"],
        1,
        "the path is not absolute",
    );
}

#[test]
fn a_full_disk_leaves_the_old_result() {
    if !can_mount("a full disk for transpile") {
        return;
    }
    let folder = folder().file("disk/x", "");
    let tool = env!("CARGO_BIN_EXE_ephemeros");
    let script = format!(
        "mount -t tmpfs -o size=16k none disk && echo old > disk/out
        cat /dev/zero > disk/ballast 2>/dev/null
        '{tool}' transpile a.bu -o disk/out; code=$?
        ls -A disk; cat disk/out; exit $code"
    );
    let mut unshare = folder.program("unshare");
    unshare.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    let output = unshare.current_dir(folder.root()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("error: can't write ") && said.contains("disk/out: No space left"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "ballast\nout\nold\n"
    );
}

#[test]
fn a_wrong_command_line_is_64() {
    let folder = folder();
    for args in [
        &["transpile", "--bogus"][..],
        &["transpile", "a.bu", "warn.bu"],
        &["transpile", "a.bu", "--input", "warn.bu"],
        &["validate", "a.ign", "a.ign"],
        &["merge", "a.ign"],
        &["merge", "-", "-"],
    ] {
        refuses(&folder, args, 64, "");
    }
    // The last of two flags holds, as for `butane`.
    folder
        .run(&["transpile", "-s", "-s", "-o", "x", "-o", "y", "a.bu"])
        .code(0);
    assert!(!folder.root().join("x").exists() && folder.root().join("y").exists());
    folder.run(&["transpile", "-r", "a.bu"]).code(0);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder();
    let mut tool = Command::new(env!("CARGO_BIN_EXE_ephemeros"));
    let tool = tool.args(["transpile", "a.bu"]).current_dir(folder.root());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = tool.stdout(writer).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn validate_says_where() {
    let folder = folder().file(
        "bad.ign",
        IGNITION.replace("}}", "}, \"storage\": {\"files\": [{\"path\": \"a\"}]}}"),
    );
    let run = folder.run(&["validate", "a.ign"]).code(0);
    assert_eq!(run.stdout + &run.stderr, "");
    refuses(
        &folder,
        &["validate", "bad.ign"],
        1,
        "the path is not absolute",
    )
    .says(&["bad.ign:1:"]);
    let text = IGNITION.replace("}}", "}, \"strage\": 1}");
    let run = folder.command(&["validate", "-"]).stdin(text).run().code(0);
    run.says(&["warning: unused key `strage`", "<stdin>:1:"]);
}

#[test]
fn a_merge_says_which_file_is_wrong() {
    let bad =
        "{\"ignition\": {\"version\": \"3.4.0\"}, \"storage\": {\"files\": [{\"path\": \"a\"}]}}";
    let folder = folder().file("bad.ign", bad).file("empty.ign", "");
    refuses(&folder, &["merge", "a.ign", "bad.ign"], 1, "bad.ign:1:");
    refuses(&folder, &["merge", "bad.ign", "a.ign"], 1, "bad.ign:1:");
    refuses(
        &folder,
        &["merge", "a.ign", "empty.ign"],
        1,
        "empty.ign:1:1",
    );
    let both = refuses(&folder, &["merge", "bad.ign", "empty.ign"], 1, "bad.ign:1:");
    both.says(&["empty.ign:1:1"]).mistakes(2);
}

#[test]
fn a_merge_that_comes_to_nothing_good_is_an_error() {
    let config = |sections: &str| {
        format!("{{\"ignition\": {{\"version\": \"3.3.0\"}}, \"storage\": {sections}}}")
    };
    let folder = folder()
        .file(
            "parent.ign",
            config("{\"links\": [{\"path\": \"/a\", \"target\": \"/b\"}]}"),
        )
        .file("child.ign", config("{\"files\": [{\"path\": \"/a/c\"}]}"));
    for name in ["parent.ign", "child.ign"] {
        folder.run(&["validate", name]).code(0);
    }
    refuses(
        &folder,
        &["merge", "parent.ign", "child.ign"],
        1,
        "merged, `$.storage",
    );
}

#[test]
fn the_second_config_lies_over_the_first() {
    let user = |shell: &str| {
        let user = format!("{{\"name\": \"core\", \"shell\": \"/bin/{shell}\"}}");
        IGNITION.replace("}}", &format!("}}, \"passwd\": {{\"users\": [{user}]}}}}"))
    };
    let folder = folder()
        .file("below.ign", user("sh"))
        .file("over.ign", user("bash"));
    let run = folder.run(&["merge", "below.ign", "over.ign"]).code(0);
    run.prints(&["\"shell\":\"/bin/bash\""]).hides("/bin/sh");
}

#[test]
fn a_merge_takes_the_newer_spec_and_one_config_from_standard_input() {
    let older = IGNITION.replace("3.4", "3.1");
    let folder = folder();
    for args in [["merge", "-", "a.ign"], ["merge", "a.ign", "-"]] {
        let run = folder.command(&args).stdin(&older).run().code(0);
        assert_eq!(run.stdout, "{\"ignition\":{\"version\":\"3.4.0\"}}\n");
    }
    folder
        .run(&["merge", "a.ign", "a.ign", "-p", "-o", "out"])
        .code(0);
    assert_eq!(
        folder.read("out"),
        "{\n  \"ignition\": {\n    \"version\": \"3.4.0\"\n  }\n}\n"
    );
}
