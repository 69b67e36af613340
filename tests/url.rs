//! Where a node fetches: `show --stage url`, from the remote, the fleet, the command line and the environment.

use std::fs;

use crate::fleet::{Fleet, Run};
use crate::repository::{is_root, skipped};

/// What must never be seen.
const TOKEN: &str = "s3kr1t";

/// A repository with this in `fleet.toml`, and this as its `origin`.
fn from(git: &str, origin: &str) -> Fleet {
    let fleet = Fleet::new().fleet(git);
    fleet.renders();
    fleet.git().remote("origin", origin)
}

const MAIN: &str = "[git]\nbranch = \"main\"\n";

#[track_caller]
fn shows(fleet: &Fleet, url: &str) {
    let run = fleet.run(&["show", "n1", "--stage", "url"]).code(0);
    assert_eq!(run.stdout, format!("{url}\n"), "{}", run.stderr);
}

#[track_caller]
fn refuses(fleet: &Fleet, says: &[&str]) -> Run {
    let run = fleet
        .run(&["show", "n1", "--stage", "url"])
        .code(1)
        .says(says);
    assert_eq!(run.stdout, "");
    // Whoever only plans hears it as a warning, with the same line to add.
    let plan = fleet.run(&["plan"]).code(0);
    assert!(plan.stderr.contains("warning: "), "{}", plan.stderr);
    run
}

#[test]
fn the_url_of_the_issue() {
    let fleet = Fleet::new()
        .fleet(MAIN)
        .node("node1337", "templates = [\"base.bu\"]\n")
        .git()
        .published();
    fleet.git_says(&[
        "remote",
        "set-url",
        "origin",
        "git@github.com:acme/fleet.git",
    ]);
    let run = fleet.run(&["show", "node1337", "--stage", "url"]).code(0);
    assert_eq!(
        run.stdout,
        "https://raw.githubusercontent.com/acme/fleet/main/ignition/node1337.ign\n"
    );
    assert_eq!(run.stderr, "");
}

#[test]
fn forges_are_told_by_their_hosts() {
    for (origin, url) in [
        (
            "https://github.com/acme/fleet",
            "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign",
        ),
        (
            "ssh://git@github.com:22/acme/fleet.git",
            "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign",
        ),
        (
            "git@gitlab.com:group/sub/subsub/fleet.git",
            "https://gitlab.com/group/sub/subsub/fleet/-/raw/main/ignition/n1.ign",
        ),
        (
            "ssh://git@gitlab.example.com:2222/group/fleet.git",
            "https://gitlab.example.com/group/fleet/-/raw/main/ignition/n1.ign",
        ),
        (
            "https://codeberg.org/acme/fleet.git",
            "https://codeberg.org/acme/fleet/raw/branch/main/ignition/n1.ign",
        ),
        (
            "git@bitbucket.org:acme/fleet.git",
            "https://bitbucket.org/acme/fleet/raw/main/ignition/n1.ign",
        ),
        (
            "git@git.sr.ht:~acme/fleet",
            "https://git.sr.ht/~acme/fleet/blob/main/ignition/n1.ign",
        ),
        (
            "git@gitee.com:acme/fleet.git",
            "https://gitee.com/acme/fleet/raw/main/ignition/n1.ign",
        ),
    ] {
        shows(&from(MAIN, origin), url);
    }
}

#[test]
fn the_fleet_says_what_a_host_does_not() {
    let forge = |forge: &str| format!("{MAIN}forge = \"{forge}\"\n");
    for (name, url) in [
        (
            "gitea",
            "https://git.acme.net/acme/fleet/raw/branch/main/ignition/n1.ign",
        ),
        (
            "forgejo",
            "https://git.acme.net/acme/fleet/raw/branch/main/ignition/n1.ign",
        ),
        (
            "gitlab",
            "https://git.acme.net/acme/fleet/-/raw/main/ignition/n1.ign",
        ),
        (
            "github",
            "https://git.acme.net/raw/acme/fleet/main/ignition/n1.ign",
        ),
        (
            "cgit",
            "https://git.acme.net/acme/fleet/plain/ignition/n1.ign?h=main",
        ),
    ] {
        shows(&from(&forge(name), "git@git.acme.net:acme/fleet"), url);
    }
}

#[test]
fn branches_are_encoded() {
    for (branch, shown) in [
        ("release/2026", "release/2026"),
        ("a#b", "a%23b"),
        ("100%", "100%25"),
        ("\u{fc}ber", "%C3%BCber"),
    ] {
        for key in ["branch", "publish"] {
            let fleet = from(
                &format!("[git]\n{key} = \"{branch}\"\n"),
                "git@gitlab.com:acme/fleet",
            );
            let url = format!("https://gitlab.com/acme/fleet/-/raw/{shown}/ignition/n1.ign");
            shows(&fleet, &url);
        }
    }
}

#[test]
fn a_branch_with_a_space_is_no_branch_and_never_a_broken_url() {
    let fleet = Fleet::new()
        .fleet("[git]\nbranch = \"my branch\"\n")
        .git()
        .remote("origin", "git@github.com:acme/fleet");
    // Git has no such branch, so either it is refused or encoded.
    let run = fleet
        .run(&["show", "n1", "--stage", "url"])
        .hides("panicked");
    assert!(!run.stdout.trim_end().contains(' '), "{}", run.stdout);
}

#[test]
fn a_subfolder_of_the_repository_is_part_of_the_path() {
    let outer = Fleet::new();
    let inner = outer.root().join("my sites/north");
    crate::fleet::copy(&Fleet::new().fleet(MAIN).root(), &inner);
    let outer = outer.git().remote("origin", "git@github.com:acme/fleet");
    let run = outer
        .command(&["show", "n1", "--stage", "url"])
        .folder(inner)
        .run()
        .code(0);
    assert_eq!(
        run.stdout,
        "https://raw.githubusercontent.com/acme/fleet/main/my%20sites/north/ignition/n1.ign\n"
    );
}

#[test]
fn the_published_branch_is_before_the_branch_before_the_remote_s_head() {
    let fleet = Fleet::new().git().published();
    fleet.git_says(&["remote", "set-url", "origin", "git@github.com:acme/fleet"]);
    let url =
        |branch| format!("https://raw.githubusercontent.com/acme/fleet/{branch}/ignition/n1.ign");
    shows(&fleet, &url("main"));
    let fleet = fleet.fleet("[git]\nbranch = \"trunk\"\n");
    shows(&fleet, &url("trunk"));
    let fleet = fleet.fleet("[git]\nbranch = \"trunk\"\npublish = \"live\"\n");
    shows(&fleet, &url("live"));
}

#[test]
fn what_is_checked_out_does_not_count() {
    let fleet = from(MAIN, "git@github.com:acme/fleet");
    let url = "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign";
    fleet.git_says(&["checkout", "--quiet", "--detach"]);
    shows(&fleet, url);
    fleet.git_says(&["checkout", "--quiet", "-b", "feature/x"]);
    shows(&fleet, url);
}

#[test]
fn without_a_known_branch_the_line_is_told() {
    let fleet = from("", "git@github.com:acme/fleet");
    refuses(
        &fleet,
        &["error: which branch ", "[git]\n", "branch = \"main\"\n"],
    );
}

#[test]
fn without_a_remote_the_line_is_told() {
    let fleet = Fleet::new().fleet(MAIN);
    let says = [
        "error: there is no git remote",
        "git remote add origin",
        "[git]\n",
        "url = \"https://HOST/OWNER/REPOSITORY\"\n",
    ];
    refuses(&fleet, &says);
    refuses(&fleet.git(), &says);
}

#[test]
fn a_remote_that_serves_no_files_is_told_with_the_line() {
    for origin in [
        "/srv/git/fleet.git",
        "../fleet.git",
        "file:///srv/fleet.git",
    ] {
        refuses(
            &from(MAIN, origin),
            &[
                "error: the git remote is a local path",
                "[git]\n",
                "raw_url = \"https://HOST/{{ path }}\"\n",
            ],
        );
    }
    refuses(
        &from(MAIN, "ext::sh -c x"),
        &["error: ", "raw_url = \"https://HOST/{{ path }}\"\n"],
    );
}

#[test]
fn a_host_that_can_t_be_told_gets_the_line() {
    refuses(
        &from(MAIN, "git@git.acme.net:acme/fleet.git"),
        &[
            "error: can't tell which forge `git.acme.net` is\n",
            "[git]\n",
            "forge = \"gitea\"\n",
            "raw_url = \"https://git.acme.net/{{ path }}\"\n",
        ],
    );
}

#[test]
fn an_unknown_forge_a_wrong_one_and_a_path_that_is_no_repository_are_told() {
    let forge = |forge: &str| format!("{MAIN}forge = \"{forge}\"\n");
    let run = Fleet::new()
        .fleet(&forge("gitlba"))
        .git()
        .remote("origin", "git@git.acme.net:a/b")
        .run(&["show", "n1", "--stage", "url"])
        .code(1);
    run.says(&["error: ", "gitlba", "gitlab"]);
    refuses(
        &from(&forge("gitlab"), "git@github.com:a/b"),
        &[
            "error: `github.com` is github, not gitlab\n",
            "[git]\n",
            "forge = \"github\"\n",
        ],
    );
    refuses(
        &from(MAIN, "git@github.com:fleet"),
        &["error: ", "OWNER/REPOSITORY", "[git]\n", "url = \""],
    );
    refuses(
        &from(&MAIN.replace("main", "a/b"), "git@bitbucket.org:a/b"),
        &[
            "error: bitbucket serves no files of a branch with a slash, `a/b`\n",
            "publish = \"live\"\n",
        ],
    );
}

#[test]
fn of_several_remotes_origin_counts_or_the_one_that_the_fleet_names() {
    let fleet = from(MAIN, "git@github.com:me/fleet.git")
        .remote("upstream", "git@github.com:acme/fleet.git");
    let url =
        |owner| format!("https://raw.githubusercontent.com/{owner}/fleet/main/ignition/n1.ign");
    shows(&fleet, &url("me"));
    let fleet = fleet.fleet(&format!("{MAIN}remote = \"upstream\"\n"));
    shows(&fleet, &url("acme"));
    fleet.git_says(&["remote", "remove", "upstream"]);
    refuses(
        &fleet,
        &[
            "error: there is no git remote `upstream` here\n",
            "git remote add upstream URL",
            "[git]\n",
            "remote = \"origin\"\n",
        ],
    );
}

#[test]
fn of_several_remotes_without_origin_none_is_guessed() {
    let fleet = Fleet::new().fleet(MAIN).git();
    let fleet = fleet.remote("forge", "git@github.com:acme/fleet");
    shows(
        &fleet,
        "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign",
    );
    let fleet = fleet.remote("mirror", "git@gitlab.com:acme/fleet");
    refuses(
        &fleet,
        &[
            "error: there are several git remotes and none is `origin`: `forge`, `mirror`\n",
            "[git]\n",
            "remote = \"forge\"\n",
        ],
    );
}

#[test]
fn instead_of_is_applied_as_git_does() {
    let fleet = from(MAIN, "gh:acme/fleet").gitconfig(
        "[url \"git@github.com:\"]\n\tinsteadOf = gh:\n\
         [url \"https://gitlab.com/group/\"]\n\tinsteadOf = gh:acme/\n\
         [url \"https://codeberg.org/\"]\n\tpushInsteadOf = gh:\n",
    );
    // The longest one wins.
    shows(
        &fleet,
        "https://gitlab.com/group/fleet/-/raw/main/ignition/n1.ign",
    );
    let fleet = from(MAIN, "gh:acme/fleet").gitconfig("[include]\n\tpath = ~/work.inc\n");
    fs::write(
        fleet.home().join("work.inc"),
        "[url \"git@github.com:\"]\n\tinsteadOf = gh:\n",
    )
    .unwrap();
    shows(
        &fleet,
        "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign",
    );
}

#[test]
fn the_fleet_s_own_url_is_before_the_remote() {
    let fleet = from(
        &format!("{MAIN}url = \"https://github.com/acme/fleet\"\n"),
        "git@gitlab.com:me/fork",
    );
    shows(
        &fleet,
        "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign",
    );
    let fleet = fleet.fleet(&format!(
        "{MAIN}url = \"https://github.com/acme/fleet\"\nraw_url = \"https://cdn.example.net/x/{{{{ path }}}}?v=1\"\n"
    ));
    shows(&fleet, "https://cdn.example.net/x/ignition/n1.ign?v=1");
}

#[test]
fn a_raw_url_of_the_command_line_is_before_that_of_the_environment_and_the_fleet() {
    let fleet = from(
        &format!("{MAIN}raw_url = \"https://fleet.example.net/{{{{ path }}}}\"\n"),
        "git@github.com:a/b",
    );
    let show = ["show", "n1", "--stage", "url"];
    let env = |args: &[&str]| {
        let tool = fleet.command(args);
        let tool = tool.env("EPHEMEROS_RAW_URL", "https://env.example.net/{{ path }}");
        tool.run().code(0).stdout
    };
    shows(&fleet, "https://fleet.example.net/ignition/n1.ign");
    assert_eq!(env(&show), "https://env.example.net/ignition/n1.ign\n");
    let option = [
        "--raw-url",
        "https://option.example.net/{{ commit }}/{{ path }}",
    ];
    let head = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(
        env(&[&show[..], &option].concat()),
        format!("https://option.example.net/{head}/ignition/n1.ign\n")
    );
    fleet
        .command(&show)
        .env("EPHEMEROS_RAW_URL", "")
        .run()
        .code(0)
        .prints(&["https://fleet."]);
}

#[test]
fn a_raw_url_may_name_the_content_itself() {
    use sha2::{Digest as _, Sha512};
    let fleet = from(MAIN, "git@github.com:a/b");
    let digest = Sha512::digest(fs::read(fleet.root().join("ignition/n1.ign")).unwrap());
    let digits = digest
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let args = [
        "show",
        "n1",
        "--stage",
        "url",
        "--raw-url",
        "https://x.net/{{ sha512 }}",
    ];
    let run = fleet.run(&args).code(0);
    assert_eq!(run.stdout, format!("https://x.net/{digits}\n"));
}

#[test]
fn a_raw_url_for_once_needs_no_remote_and_warns_of_none() {
    let fleet = Fleet::new();
    let args = [
        "show",
        "n1",
        "--stage",
        "url",
        "--raw-url",
        "https://x.net/{{ path }}",
    ];
    let run = fleet.run(&args).code(0);
    assert_eq!(run.stdout, "https://x.net/ignition/n1.ign\n");
    assert_eq!(run.stderr, "");
}

#[test]
fn what_is_wrong_in_the_settings_is_shown_once_where_it_stands() {
    for (setting, message) in [
        ("publish = \"HEAD\"", "this can't be the name of a branch"),
        (
            "publish = \"refs/heads/live\"",
            "this can't be the name of a branch",
        ),
        ("publish = \"li ve\"", "this can't be the name of a branch"),
        ("branch = \"-x\"", "this can't be the name of a branch"),
        ("branch = \"\"", "this can't be the name of a branch"),
        (
            "raw_url = \"https://x.net/{{ pth }}\"",
            "`raw_url` can't be filled in: `pth` is not known",
        ),
        (
            "raw_url = \"https://me:pw@x.net/{{ path }}\"",
            "`raw_url` is of no use: it holds credentials, which would be public",
        ),
        (
            "raw_url = \"x.net/{{ path }}\"",
            "`raw_url` is of no use: it is no ",
        ),
        (
            "raw_url = \"https://x.net/{{ path\"",
            "`raw_url` can't be filled in: ",
        ),
    ] {
        let fleet = Fleet::new().fleet(&format!("[git]\n{setting}\n"));
        for command in ["plan", "check", "render"] {
            let run = fleet.run(&[command]).code(1).helps().mistakes(1);
            let run = run.says(&[&format!("error: {message}"), "--> fleet.toml:"]);
            assert_eq!(run.stderr.matches(message).count(), 1, "{}", run.stderr);
            run.hides("pw@");
        }
    }
}

#[test]
fn a_plan_shows_nothing_that_a_render_would_refuse() {
    let token = ["glpat", "-", "Zx9fQw3rTy7uIo1pAs5d"].concat();
    let template = format!("https://x.net/{{{{ path }}}}?private_token={token}");
    let fleet = Fleet::new().fleet(&format!("{MAIN}raw_url = \"{template}\"\n"));
    for form in [&["plan"][..], &["plan", "--markdown"], &["plan", "--json"]] {
        let run = fleet.run(form).code(1).hides(&token);
        assert!(!run.stdout.contains(&token));
        run.mistakes(1);
    }
}

#[test]
fn a_raw_url_that_can_t_be_one_is_refused() {
    let fleet = from(MAIN, "git@github.com:a/b");
    for (template, says) in [
        ("https://x.net/{{ pth }}", "raw_url"),
        ("https://x.net/{{ path", "raw_url"),
        ("no url {{ path }}", "raw_url"),
        ("ftp://x.net/{{ path }}", "raw_url"),
        ("https://x.net/the same for all", "raw_url"),
        ("https://x.net/a b/{{ path }}", "raw_url"),
        ("https://x.net/{{ path }}\nboot", "raw_url"),
    ] {
        let args = ["show", "n1", "--stage", "url", "--raw-url", template];
        let run = fleet.run(&args);
        assert_eq!(run.code, Some(1), "{template:?} gives {}", run.stdout);
        run.says(&["error: ", says]);
    }
}

#[test]
fn no_command_shows_a_token() {
    let commands: &[&[&str]] = &[
        &["show", "n1", "--stage", "url"],
        &["show", "n1", "--stage", "url", "--json"],
        &["show", "n1", "--stage", "ipxe"],
        &["show", "n1", "--stage", "cmdline"],
        &["show", "n1", "--stage", "profile"],
        &["plan"],
        &["plan", "-v"],
        &["plan", "--json"],
        &["render", "-v"],
        &["render", "--check", "--json"],
        &["check"],
    ];
    let fork = Fleet::new()
        .fleet(MAIN)
        .git()
        .remote("a", &format!("https://u:{TOKEN}@github.com/a/b"))
        .remote("b", &format!("https://u:{TOKEN}@gitlab.com/a/b"));
    let rewritten = from(MAIN, "gh:acme/fleet").gitconfig(&format!(
        "[url \"https://{TOKEN}@github.com/\"]\n\tinsteadOf = gh:\n"
    ));
    let pushed = from(MAIN, "git@github.com:acme/fleet");
    let elsewhere = format!("https://u:{TOKEN}@gitlab.com/x/y");
    pushed.git_says(&["config", "remote.origin.pushurl", &elsewhere]);
    let mut fleets = vec![fork, rewritten, pushed];
    for origin in [
        "https://TOKEN@github.com/acme/fleet",
        "https://user:TOKEN@github.com/acme/fleet.git",
        "https://user:TOKEN@git.acme.net/acme/fleet",
        "https://user:TOKEN@github.com/a/b/c/d",
        "https://user:TOKEN@github.com",
        "https://user:TOKEN@/a/b",
        "https://user:TOKEN@host:99999/a/b",
        "https://user:TOKEN@[::1/a/b",
        "https://user:TOKEN@host/%zz/b",
        "ssh://user:TOKEN@git.acme.net:22/a/b",
        "user:TOKEN@git.acme.net:a/b",
        "https://user:TOKEN@x@github.com/a/b",
        "https://user:a/TOKEN@github.com/a/b",
        "https://github.com/a/b?private_token=TOKEN",
        "https://github.com/a/b#TOKEN",
        "ftp://user:TOKEN@host/a/b",
        "http::https://user:TOKEN@host/a/b",
        "https:user:TOKEN@host/a/b",
    ] {
        fleets.push(from(MAIN, &origin.replace("TOKEN", TOKEN)));
    }
    for fleet in fleets {
        for command in commands {
            let run = fleet.run(command).hides(TOKEN).hides("panicked");
            assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        }
        for path in ["ignition/n1.ign", "ipxe/n1.ipxe"] {
            assert!(!fleet.read(path).contains(TOKEN), "{path}");
        }
    }
}

#[test]
fn a_token_in_the_fleet_or_in_a_raw_url_reaches_no_url() {
    for line in [
        "url = \"https://user:TOKEN@github.com/acme/fleet\"",
        "url = \"https://TOKEN@git.acme.net/acme/fleet\"",
        "raw_url = \"https://user:TOKEN@cdn.example.net/{{ path }}\"",
        "raw_url = \"https://user:TOKEN@cdn.example.net/{{ pth }}\"",
        "[os]\nmirrors = [\"https://user:TOKEN@cdn.example.net/\"]",
    ] {
        let line = line.replace("TOKEN", TOKEN);
        let fleet = Fleet::new().fleet(&format!("{MAIN}{line}\n"));
        for args in [
            &["show", "n1", "--stage", "url"][..],
            &["plan", "-v"],
            &["show", "n1", "--stage", "ipxe"],
        ] {
            fleet.run(args).hides(TOKEN);
        }
        fleet.run(&["render"]);
        for text in fleet
            .files()
            .into_iter()
            .filter(|(path, _)| path.starts_with("ipxe"))
        {
            assert!(!String::from_utf8_lossy(&text.1).contains(TOKEN));
        }
    }
    let fleet = from(MAIN, "git@github.com:a/b");
    let template = format!("https://user:{TOKEN}@cdn.example.net/{{{{ path }}}}");
    fleet
        .run(&["show", "n1", "--stage", "url", "--raw-url", &template])
        .hides(TOKEN);
}

/// The tool as if `sudo` of user 4321 had called it.
fn under_sudo(fleet: &Fleet, home: &std::path::Path, passwd: bool, args: &[&str]) -> Run {
    let tool = env!("CARGO_BIN_EXE_ephemeros");
    let mut command = if passwd {
        let entry = format!("made-up:x:4321:4321::{}:/bin/sh\n", home.display());
        let file = fleet.root().with_file_name("passwd");
        fs::write(&file, entry).unwrap();
        let mut unshare = fleet.program("unshare");
        let script = "mount --bind \"$1\" /etc/passwd && shift && exec \"$@\"";
        unshare.args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "sh",
        ]);
        unshare.arg(file).arg(tool);
        unshare
    } else {
        let mut command = fleet.program(tool);
        command.env("SUDO_HOME", home);
        command
    };
    let output = command
        .args(args)
        .env("SUDO_UID", "4321")
        .env("SUDO_GID", "4321")
        .env("SUDO_USER", "made-up")
        .output()
        .unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn owned_by(fleet: &Fleet, owner: &str) {
    let mut chown = fleet.program("chown");
    assert!(chown.args(["-R", owner, "."]).status().unwrap().success());
}

#[test]
fn under_sudo_the_configuration_is_that_of_the_user_who_called_it() {
    if !is_root("sudo") {
        return;
    }
    // Root would go elsewhere.
    let fleet =
        from(MAIN, "gh:acme/fleet").gitconfig("[url \"git@gitlab.com:\"]\n\tinsteadOf = gh:\n");
    owned_by(&fleet, "4321:4321");
    let home = fleet.root().with_file_name("invoker");
    fs::create_dir(&home).unwrap();
    fs::write(
        home.join(".gitconfig"),
        "[url \"git@github.com:\"]\n\tinsteadOf = gh:\n",
    )
    .unwrap();
    let mut ways = vec![false];
    let probe = fleet.program("unshare").args(["--mount", "true"]).status();
    if probe.is_ok_and(|status| status.success()) {
        ways.push(true);
    } else {
        skipped("a made-up password file", "no private mounts here");
    }
    for passwd in ways {
        let run = under_sudo(&fleet, &home, passwd, &["show", "n1", "--stage", "url"]).code(0);
        assert_eq!(
            run.stdout, "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign\n",
            "password file: {passwd}"
        );
    }
}

#[test]
fn under_sudo_a_repository_of_a_third_one_gets_the_line() {
    if !is_root("sudo") {
        return;
    }
    let fleet = from(MAIN, "git@github.com:acme/fleet");
    owned_by(&fleet, "4322:4322");
    let home = fleet.root().with_file_name("invoker");
    fs::create_dir(&home).unwrap();
    let path = fleet.root().canonicalize().unwrap();
    let run = under_sudo(&fleet, &home, false, &["show", "n1", "--stage", "url"]).code(1);
    let line = format!(
        "sudo git config --global --add safe.directory {}\n",
        path.display()
    );
    let run = run.says(&["belongs to somebody else", &line]);
    assert_eq!(run.stdout, "");
}
