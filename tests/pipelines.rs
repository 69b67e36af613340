//! The pipelines that `init` writes. Their forges would take them, they hold no key to anything, and their commands do what
//! they say, in clones as the forges' runners make them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use regex::Regex;
use serde_yaml::Value;

use self::runner::{ALL, Event, FORGEJO, FORGEJO_LOCK, GITHUB, GITHUB_LOCK, GITLAB, Project};
use crate::repository::{has_program, skipped};
use crate::web::{Answer, Web};

mod runner;

/// One file of each forge for what comes of a push and of a pull request.
const EACH: [&str; 3] = [GITHUB, GITLAB, FORGEJO];

/// Where `tools/setup test` puts them.
fn linter(name: &str) -> Option<Command> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/linters/bin")
        .join(name);
    if !path.exists() {
        skipped(
            &format!("what {name} says of pipelines"),
            "`tools/setup test` installs it",
        );
        return None;
    }
    Some(Command::new(path))
}

#[track_caller]
fn assert_passes(mut linter: Command) {
    let ran = linter.output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// All files of a fleet at the root of its repository, and of one in a folder.
fn projects() -> [Project; 2] {
    ["", "sites/north"].map(Project::new)
}

#[test]
fn every_forge_takes_its_files() {
    for project in projects() {
        for file in ALL {
            let Some(mut check) = linter("check-jsonschema") else {
                return;
            };
            if file == GITLAB {
                check.args([
                    "--builtin-schema",
                    "vendor.gitlab-ci",
                    "--data-transform",
                    "gitlab-ci",
                ]);
            } else {
                // Forgejo takes what GitHub takes, and no more.
                check.args(["--builtin-schema", "vendor.github-workflows"]);
            }
            check.arg(project.fleet.root().join(file));
            assert_passes(check);
        }
    }
}

#[test]
fn a_security_linter_finds_nothing() {
    let project = Project::new("");
    for (file, config) in [
        (GITHUB, "rules: {}"),
        (GITHUB_LOCK, "rules: {}"),
        // Forgejo knows no `permissions`.
        (FORGEJO, "rules: {excessive-permissions: {disable: true}}"),
        (
            FORGEJO_LOCK,
            "rules: {excessive-permissions: {disable: true}}",
        ),
    ] {
        let Some(mut zizmor) = linter("zizmor") else {
            return;
        };
        let settings = project.home().join("zizmor.yml");
        fs::write(&settings, config).unwrap();
        zizmor.args([
            "--offline",
            "--no-progress",
            "--persona=pedantic",
            "--config",
        ]);
        zizmor.arg(settings).arg(project.fleet.root().join(file));
        assert_passes(zizmor);
    }
}

/// The commands of every job.
fn scripts(pipeline: &Value) -> Vec<String> {
    let steps = |job: &Value| -> Vec<String> {
        let steps = job["steps"].as_sequence().into_iter().flatten();
        let run = steps.filter_map(|step| step["run"].as_str().map(str::to_owned));
        let lines = |key: &str| {
            let lines = job[key].as_sequence().into_iter().flatten();
            let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
            lines.join("\n")
        };
        run.chain([lines("before_script"), lines("script")])
            .filter(|script| !script.is_empty())
            .collect()
    };
    let jobs = pipeline.get("jobs").unwrap_or(pipeline);
    let jobs = jobs.as_mapping().unwrap().iter();
    jobs.flat_map(|(_, job)| steps(job)).collect()
}

#[test]
fn the_shell_in_them_is_clean() {
    if !has_program("shellcheck") {
        skipped("shellcheck of pipelines", "`tools/setup test` installs it");
        return;
    }
    let project = Project::new("");
    let mut checked = 0;
    for file in ALL {
        let pipeline: Value = serde_yaml::from_str(&project.fleet.read(file)).unwrap();
        for script in scripts(&pipeline) {
            let path = project.home().join("script");
            fs::write(&path, format!("set -eo pipefail\n{script}\n")).unwrap();
            let mut check = Command::new("shellcheck");
            // What git's credential helper is set to is expanded when git runs it.
            check.args(["--shell=bash", "--exclude=SC2016"]).arg(&path);
            assert_passes(check);
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked} scripts");
}

#[test]
fn no_strangers_code_meets_a_token_that_can_write() {
    let project = Project::new("");
    let pinned = Regex::new(r"^\S+@[0-9a-f]{40} # v\d").unwrap();
    for file in ALL {
        let text = project.fleet.read(file);
        for word in [
            "pull_request_target",
            "workflow_run",
            "github.event.",
            "@main",
            "latest",
        ] {
            assert!(!text.contains(word), "{word} in {file}");
        }
        let mut uses = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- uses: "));
        assert!(uses.all(|uses| pinned.is_match(uses)), "{file}");
        let pipeline: Value = serde_yaml::from_str(&text).unwrap();
        for script in scripts(&pipeline) {
            assert!(!script.contains("${{"), "{file}: {script}");
        }
    }
    let github: Value = serde_yaml::from_str(&project.fleet.read(GITHUB)).unwrap();
    let none = serde_yaml::Mapping::new();
    assert_eq!(github["permissions"], Value::Mapping(none));
    let plan = serde_yaml::to_string(&github["jobs"]["plan"]["permissions"]).unwrap();
    assert_eq!(plan, "contents: read\n");
    for file in [GITHUB, FORGEJO] {
        let pipeline: Value = serde_yaml::from_str(&project.fleet.read(file)).unwrap();
        let plan = &pipeline["jobs"]["plan"];
        assert_eq!(plan["steps"][0]["with"]["persist-credentials"], false);
        let text = serde_yaml::to_string(plan).unwrap();
        assert!(
            !text.contains("token") && !text.contains("secrets."),
            "{text}"
        );
    }
    let gitlab: Value = serde_yaml::from_str(&project.fleet.read(GITLAB)).unwrap();
    let plan = serde_yaml::to_string(&gitlab["plan"]).unwrap();
    assert!(
        !plan.contains("TOKEN") && plan.contains("extends: .ephemeros\n"),
        "{plan}"
    );
}

#[test]
fn the_tool_is_installed_in_this_version_once() {
    let project = Project::new("");
    let version = env!("CARGO_PKG_VERSION");
    for (file, root) in [
        (GITHUB, ".ephemeros"),
        (GITLAB, "gitlab"),
        (FORGEJO, ".ephemeros"),
    ] {
        fs::remove_dir_all(project.home().join(root)).unwrap();
        fs::create_dir_all(project.home().join(root)).unwrap();
        let calls = project.home().join("calls");
        let tool = env!("CARGO_BIN_EXE_ephemeros");
        // The options, then a root, then what is to be installed.
        project.program(
            "cargo",
            &format!(
                "[ \"$1 $2 $3 $5\" = \"install --locked --root ephemeros@{version}\" ] || exit 1\n\
                 echo \"$PWD\" >>{}\nmkdir -p \"$4/bin\" && ln -s {tool} \"$4/bin/ephemeros\"\n",
                calls.display()
            ),
        );
        for _ in 0..2 {
            project.run(file, Event::Push).succeeds();
        }
        let calls_made = fs::read_to_string(&calls).unwrap();
        assert_eq!(calls_made.lines().count(), 1, "{file}: {calls_made}");
        // Where a pull request's files can't say how.
        assert!(!calls_made.contains("/clone"), "{file}: {calls_made}");
        fs::remove_file(&calls).unwrap();
    }
}

#[test]
fn a_push_is_rendered_committed_and_pushed_and_that_is_all() {
    for file in EACH {
        let project = Project::new("");
        let before = project.tip("main");
        project.run(file, Event::Push).succeeds();
        let after = project.tip("main");
        assert_ne!(after, before, "{file}");
        assert_eq!(project.origin_says(&["rev-parse", "main~1"]), before);
        let changed = project.origin_says(&["diff", "--name-only", "main~1", "main"]);
        assert_eq!(changed, "ignition/node1.ign\nipxe/node1.ipxe", "{file}");
        project.run(file, Event::Push).succeeds();
        assert_eq!(project.tip("main"), after, "{file}: a second run");
        // It is what a user would have rendered.
        project.pull();
        project.fleet.run(&["render", "--check"]).code(0);
    }
}

#[test]
fn a_gitlab_push_starts_no_pipeline_and_holds_no_token_in_a_file() {
    let project = Project::new("");
    let ran = project.run(GITLAB, Event::Push).succeeds();
    assert!(
        project.push_options().contains("=ci.skip\n"),
        "{}",
        project.push_options()
    );
    let config = fs::read_to_string(ran.folder().join(".git/config")).unwrap();
    assert!(!config.contains("a-token"), "{config}");
    for (token, password) in [("", "a-token"), ("another", "another")] {
        let mut fill = Command::new("bash");
        fill.args([
            "-c",
            "printf 'protocol=https\\nhost=h\\n\\n' | git credential fill",
        ])
        .current_dir(ran.folder())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", project.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("CI_JOB_TOKEN", "a-token");
        if !token.is_empty() {
            fill.env("EPHEMEROS_TOKEN", token);
        }
        let filled = String::from_utf8(fill.output().unwrap().stdout).unwrap();
        let expected = format!("username=gitlab-ci-token\npassword={password}\n");
        assert!(filled.ends_with(&expected), "{filled}");
    }
}

#[test]
fn what_is_rendered_goes_to_the_branch_that_nodes_fetch_from() {
    for file in EACH {
        let project = Project::new("");
        project
            .fleet
            .replace("fleet.toml", "# publish = \"live\"", "publish = \"live\"");
        project.push();
        let main = project.tip("main");
        project.run(file, Event::Push).succeeds();
        assert_eq!(project.tip("main"), main, "{file}");
        let files = project.origin_says(&["ls-tree", "-r", "--name-only", "live"]);
        assert!(files.contains("ignition/node1.ign"), "{file}: {files}");
        let live = project.tip("live");
        project.run(file, Event::Push).succeeds();
        assert_eq!(project.tip("live"), live, "{file}: a second run");
        // A change of it is planned against what nodes fetch.
        change_a_greeting(&project);
        project.propose();
        let ran = project.run(file, Event::PullRequest).succeeds();
        assert_plans_the_change(&ran.plan.unwrap(), file);
    }
}

fn change_a_greeting(project: &Project) {
    let old = "It has no disk";
    project
        .fleet
        .replace("templates/base.bu", old, "It still has no disk");
}

#[track_caller]
fn assert_plans_the_change(plan: &str, file: &str) {
    for text in ["node1", "/etc/motd", "It still has no disk"] {
        assert!(plan.contains(text), "{file}: no {text} in\n{plan}");
    }
    // One that has a base, and so does not take all for new.
    assert!(!plan.contains("/etc/hostname"), "{file}:\n{plan}");
}

#[test]
fn a_pull_request_is_checked_and_its_plan_is_shown() {
    for file in EACH {
        let project = Project::new("");
        project.run(file, Event::Push).succeeds();
        project.pull();
        let main = project.tip("main");
        change_a_greeting(&project);
        project.propose();
        let ran = project.run(file, Event::PullRequest).succeeds();
        assert_plans_the_change(&ran.plan.unwrap(), file);
        assert_eq!(project.tip("main"), main, "{file}");
    }
}

#[test]
fn a_mistake_in_a_pull_request_fails_it() {
    let project = Project::new("");
    project.fleet.replace("templates/base.bu", "overwrite: true\n      mode: 0644\n      contents:\n        inline: |\n          {{ node.hostname", "overwrit: true\n      contents:\n        inline: |\n          {{ node.hostname");
    project.propose();
    for file in EACH {
        project
            .run(file, Event::PullRequest)
            .fails(&["error: unused key `overwrit`", "templates/base.bu"]);
    }
}

#[test]
fn a_removal_waits_until_somebody_allows_it() {
    for file in EACH {
        let project = Project::new("");
        project.run(file, Event::Push).succeeds();
        project.pull();
        fs::rename(
            project.fleet.root().join("nodes/node1.toml"),
            project.fleet.root().join("nodes/node2.toml"),
        )
        .unwrap();
        project.push();
        let before = project.tip("main");
        project.run(file, Event::Push).fails(&["node1", "--allow"]);
        assert_eq!(project.tip("main"), before, "{file}");
        project.run(file, Event::Dispatch("node1")).succeeds();
        let files = project.origin_says(&["ls-tree", "-r", "--name-only", "main", "ignition"]);
        assert_eq!(files, "ignition/node2.ign", "{file}");
    }
}

#[test]
fn a_fleet_in_a_folder_has_its_pipelines_at_the_root() {
    for file in EACH {
        let project = Project::new("sites/north");
        project.run(file, Event::Push).succeeds();
        let changed = project.origin_says(&["diff", "--name-only", "main~1", "main"]);
        assert_eq!(
            changed, "sites/north/ignition/node1.ign\nsites/north/ipxe/node1.ipxe",
            "{file}"
        );
    }
}

/// A fleet with an artifact that its server can replace.
fn with_an_artifact(project: &mut Project, is_new: &Arc<AtomicBool>) -> Web {
    let is_new = Arc::clone(is_new);
    let web = Web::start(move |asked| match asked.path.as_str() {
        "/hello" if is_new.load(Ordering::Relaxed) => Answer::file(asked, b"new"),
        "/hello" => Answer::file(asked, b"old"),
        "/repos/acme/fleet/pulls" if asked.before == 0 => Answer::status(201),
        "/repos/acme/fleet/pulls" if asked.before == 1 => Answer::status(409),
        _ => Answer::status(403),
    });
    project.api.clone_from(&web.url);
    let fleet = &project.fleet;
    fleet.replace(
        "fleet.toml",
        "version = \"current\"",
        "version = \"4593.2.5\"",
    );
    let text = fleet.read("fleet.toml");
    let artifact = format!("\n[artifacts.hello]\nurl.amd64 = \"{}/hello\"\n", web.url);
    fleet.write("fleet.toml", text + &artifact);
    fleet.run(&["lock", "--update"]).code(0);
    project.push();
    web
}

#[test]
fn a_pin_that_moves_becomes_a_pull_request() {
    for file in [GITHUB_LOCK, GITLAB, FORGEJO_LOCK] {
        let mut project = Project::new("");
        let is_new = Arc::new(AtomicBool::new(false));
        let web = with_an_artifact(&mut project, &is_new);
        let home = project.home();
        // The first time there is no pull request, the second time there is.
        project.program(
            "gh",
            &format!(
                "cd {}\necho \"$*\" >>gh\ncase \"$1 $2\" in\n\"pr list\") [ ! -e opened ] || echo 5 ;;\n\
                 \"pr create\") touch opened ;;\nesac\n[ -n \"$GH_TOKEN\" ]\n",
                home.display()
            ),
        );
        let main = project.tip("main");
        project.run(file, Event::Schedule).succeeds();
        let branches = project.origin_says(&["branch", "--format=%(refname:short)"]);
        assert_eq!(branches, "main", "{file}: nothing has moved");

        is_new.store(true, Ordering::Relaxed);
        let ran = project.run(file, Event::Schedule).succeeds();
        assert!(ran.plan.is_some(), "{file}");
        assert_eq!(project.tip("main"), main, "{file}");
        let changed = project.origin_says(&["diff", "--name-only", "main", "ephemeros-lock"]);
        assert_eq!(changed, "fleet.lock", "{file}");
        let message = project.origin_says(&["log", "-1", "--format=%B", "ephemeros-lock"]);
        assert!(
            message.starts_with("Move fleet.lock to what is published now\n\nhello on amd64"),
            "{message}"
        );

        // Once more, on top of what main is then: the branch is brought up to date.
        project.fleet.write("note", "x");
        project.push();
        project.run(file, Event::Schedule).succeeds();
        assert_eq!(
            project.origin_says(&["rev-parse", "ephemeros-lock~1"]),
            project.tip("main")
        );

        let asked = web.asked();
        let asked: Vec<_> = asked
            .iter()
            .filter(|it| it.path.ends_with("/pulls"))
            .collect();
        let gh = fs::read_to_string(home.join("gh")).unwrap_or_default();
        let options = project.push_options();
        match file {
            GITHUB_LOCK => {
                let calls: Vec<&str> = gh.lines().collect();
                assert!(
                    calls[1]
                        .starts_with("pr create --head ephemeros-lock --base main --title Move"),
                    "{gh}"
                );
                assert!(
                    calls[3].starts_with("api --silent --method PATCH repos/acme/fleet/pulls/5"),
                    "{gh}"
                );
                assert_eq!(calls.len(), 4, "{gh}");
            }
            FORGEJO_LOCK => {
                assert_eq!(asked.len(), 2);
                assert_eq!(asked[0].method, "POST");
                assert_eq!(asked[0].headers["authorization"], "token a-token");
                let body: serde_json::Value = serde_json::from_slice(&asked[0].body).unwrap();
                assert_eq!(body["head"], "ephemeros-lock");
                assert_eq!(body["base"], "main");
                assert_eq!(
                    body["body"],
                    "The plan is an artifact of https://forge.example.net/acme/fleet/actions/runs/7"
                );
                // An answer that is neither fails.
                project.run(file, Event::Schedule).fails(&[]);
            }
            _ => {
                assert_eq!(
                    options.matches("=merge_request.create\n").count(),
                    2,
                    "{options}"
                );
                assert!(
                    options.contains("=merge_request.target=main\n"),
                    "{options}"
                );
                assert!(!options.contains("ci.skip"), "{options}");
            }
        }
    }
}
