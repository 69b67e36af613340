//! A project on a disk that stands for a forge, and the forges' runners, as far as a pipeline of shell commands can tell.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_yaml::Value;
use tempfile::TempDir;

use crate::fleet::Fleet;

/// The pipelines' files, from the repository's root.
pub(super) const GITHUB: &str = ".github/workflows/ephemeros.yml";
pub(super) const GITHUB_LOCK: &str = ".github/workflows/ephemeros-lock.yml";
pub(super) const GITLAB: &str = ".gitlab-ci.yml";
pub(super) const FORGEJO: &str = ".forgejo/workflows/ephemeros.yml";
pub(super) const FORGEJO_LOCK: &str = ".forgejo/workflows/ephemeros-lock.yml";

pub(super) const ALL: [&str; 5] = [GITHUB, GITHUB_LOCK, GITLAB, FORGEJO, FORGEJO_LOCK];

/// What a pipeline runs for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    PullRequest,
    Push,
    Schedule,
    /// By hand, with what it is allowed.
    Dispatch(&'static str),
}

/// What came of a run.
pub(super) struct Ran {
    pub(super) succeeded: bool,
    /// What all commands printed.
    pub(super) log: String,
    /// What is shown beside the run, or kept of it.
    pub(super) plan: Option<String>,
    clone: TempDir,
}

impl Ran {
    #[track_caller]
    pub(super) fn succeeds(self) -> Self {
        assert!(self.succeeded, "{}", self.log);
        self
    }

    #[track_caller]
    pub(super) fn fails(self, texts: &[&str]) -> Self {
        assert!(!self.succeeded, "{}", self.log);
        for text in texts {
            assert!(self.log.contains(text), "not said: {text}\n{}", self.log);
        }
        self
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.clone.path().join("clone")
    }
}

/// A fleet with its pipelines, pushed to a bare repository.
pub(super) struct Project {
    pub(super) fleet: Fleet,
    /// Where the forge's API answers.
    pub(super) api: String,
}

impl Project {
    /// In a folder of its repository, or at its root.
    pub(super) fn new(folder: &str) -> Self {
        let fleet = Fleet::empty();
        fleet.git_says(&["init", "--quiet", "--initial-branch=main"]);
        let forges = "--ci=github,gitlab,forgejo";
        let args = ["init", forges, if folder.is_empty() { "." } else { folder }];
        let init = fleet
            .command(&args)
            .env("https_proxy", "http://127.0.0.1:1");
        init.run().code(0);
        fleet.commit();
        let fleet = fleet.published();
        let origin = fleet.origin();
        let git = |args: &[&str]| {
            fleet.git_says(&[&["-C", origin.to_str().unwrap()], args].concat());
        };
        git(&["config", "receive.advertisePushOptions", "true"]);
        let hook = origin.join("hooks/post-receive");
        fs::write(
            &hook,
            "#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ >>options\nexit 0\n",
        )
        .unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        let project = Self {
            fleet,
            api: "http://127.0.0.1:1".to_owned(),
        };
        // As the cache brings it back.
        let machine = Command::new("uname").arg("-m").output().unwrap().stdout;
        let machine = String::from_utf8(machine).unwrap();
        for root in [".ephemeros", &format!("gitlab/{}", machine.trim())] {
            let bin = project.home().join(root).join("bin");
            fs::create_dir_all(&bin).unwrap();
            symlink(env!("CARGO_BIN_EXE_ephemeros"), bin.join("ephemeros")).unwrap();
        }
        project
    }

    /// The home of a runner.
    pub(super) fn home(&self) -> PathBuf {
        self.fleet.root().with_file_name("runner")
    }

    /// A program that a runner has, in the way of the one of this machine.
    pub(super) fn program(&self, name: &str, script: &str) {
        let path = self.home().join("programs").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/bash\n{script}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The commit of a branch of the bare repository.
    #[track_caller]
    pub(super) fn tip(&self, branch: &str) -> String {
        let origin = self.fleet.origin();
        self.fleet
            .git_says(&["-C", origin.to_str().unwrap(), "rev-parse", branch])
    }

    /// What git says of the bare repository.
    #[track_caller]
    pub(super) fn origin_says(&self, args: &[&str]) -> String {
        let origin = self.fleet.origin();
        self.fleet
            .git_says(&[&["-C", origin.to_str().unwrap()], args].concat())
    }

    /// What was said with pushes.
    pub(super) fn push_options(&self) -> String {
        fs::read_to_string(self.fleet.origin().join("options")).unwrap_or_default()
    }

    /// Commits all that there is to main, and pushes it.
    #[track_caller]
    pub(super) fn push(&self) {
        self.fleet.commit();
        self.fleet.git_says(&["push", "--quiet", "origin", "main"]);
    }

    /// Brings the work tree to what the pipeline pushed.
    pub(super) fn pull(&self) {
        self.fleet
            .git_says(&["pull", "--quiet", "--ff-only", "origin", "main"]);
    }

    /// Makes a pull request of what was changed, with the refs that forges give it.
    #[track_caller]
    pub(super) fn propose(&self) {
        let git = |args: &[&str]| self.fleet.git_says(args);
        git(&["switch", "--quiet", "--create", "topic"]);
        self.fleet.commit();
        git(&[
            "push",
            "--quiet",
            "origin",
            "topic",
            "topic:refs/merge-requests/1/head",
        ]);
        git(&["switch", "--quiet", "--create", "merge", "main"]);
        git(&["merge", "--quiet", "--no-ff", "--message=merge", "topic"]);
        git(&["push", "--quiet", "origin", "merge:refs/pull/1/merge"]);
        git(&["switch", "--quiet", "main"]);
    }

    /// Runs what a pipeline's file has for an event. `env` is what a user has set at the forge.
    pub(super) fn run(&self, file: &str, event: Event) -> Ran {
        let text = self.fleet.read(file);
        let pipeline: Value = serde_yaml::from_str(&text).unwrap();
        let run = Run {
            project: self,
            pipeline: &pipeline,
            event,
            work: TempDir::new().unwrap(),
            log: String::new(),
        };
        fs::create_dir_all(run.temp()).unwrap();
        if file == GITLAB {
            run.gitlab()
        } else {
            run.actions()
        }
    }
}

struct Run<'a> {
    project: &'a Project,
    pipeline: &'a Value,
    event: Event,
    work: TempDir,
    log: String,
}

type Variables = BTreeMap<String, String>;

impl Run<'_> {
    fn clone(&self) -> PathBuf {
        self.work.path().join("clone")
    }

    fn temp(&self) -> PathBuf {
        self.work.path().join("temp")
    }

    fn is_request(&self) -> bool {
        self.event == Event::PullRequest
    }

    fn git(&self, args: &[&str]) {
        let clone = self.clone();
        self.project
            .fleet
            .git_says(&[&["-C", clone.to_str().unwrap()], args].concat());
    }

    /// An empty clone.
    fn begin_clone(&self) {
        fs::create_dir_all(self.clone()).unwrap();
        let url = format!("file://{}", self.project.fleet.origin().display());
        self.git(&["init", "--quiet", "--initial-branch=none"]);
        self.git(&["remote", "add", "origin", &url]);
    }

    /// Runs commands in the folder `folder`, with what was set; whether they succeed.
    fn shell(&mut self, script: &str, folder: &Path, variables: &Variables) -> bool {
        let path = self.work.path().join("script");
        fs::write(&path, script).unwrap();
        let mut bash = Command::new("bash");
        let ran = bash
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&path)
            .current_dir(folder)
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("CI", "true")
            .env("HOME", self.project.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(variables)
            .output()
            .unwrap();
        for text in [ran.stdout, ran.stderr] {
            self.log.push_str(&String::from_utf8(text).unwrap());
        }
        ran.status.success()
    }

    /// Where programs are found.
    fn path(&self) -> String {
        let own = self.project.home().join("programs");
        format!("{}:{}", own.display(), std::env::var("PATH").unwrap())
    }

    fn end(self, succeeded: bool, plan: Option<String>) -> Ran {
        Ran {
            succeeded,
            log: self.log,
            plan,
            clone: self.work,
        }
    }
}

/// GitHub's and Forgejo's.
impl Run<'_> {
    fn actions(mut self) -> Ran {
        let name = self.event_name();
        let jobs = self.pipeline["jobs"].as_mapping().unwrap().clone();
        let on = &self.pipeline["on"];
        assert!(on.get(name).is_some(), "it does not run for `{name}`");
        let jobs: Vec<Value> = jobs.into_iter().map(|(_, job)| job).collect();
        let mut jobs = jobs.iter().filter(|job| self.holds(job));
        let (Some(job), None) = (jobs.next(), jobs.next()) else {
            panic!("not one job for `{name}`");
        };
        let mut variables = self.actions_variables();
        variables.extend(self.variables(&self.pipeline["env"]));
        let defaults = &self.pipeline["defaults"]["run"];
        assert_eq!(defaults["shell"], "bash");
        let folder = defaults["working-directory"].as_str().unwrap_or_default();
        let mut plan = None;
        for step in job["steps"].as_sequence().unwrap() {
            if let Some(action) = step["uses"].as_str() {
                plan = plan.or(self.act(action, &step["with"]));
                continue;
            }
            let mut own = variables.clone();
            own.extend(self.variables(&step["env"]));
            let folder = self.clone().join(folder);
            let script = step["run"].as_str().unwrap().to_owned();
            assert!(
                !script.contains("${{"),
                "an expression in a shell: {script}"
            );
            if !self.shell(&script, &folder, &own) {
                return self.end(false, plan);
            }
            // What a step adds is there for the next one.
            let added = fs::read_to_string(&variables["GITHUB_PATH"]).unwrap_or_default();
            let path: Vec<&str> = added.lines().collect();
            variables.insert("PATH".to_owned(), [path.join(":"), self.path()].join(":"));
        }
        let summary = fs::read_to_string(&variables["GITHUB_STEP_SUMMARY"]).ok();
        self.end(true, plan.or(summary))
    }

    fn event_name(&self) -> &'static str {
        match self.event {
            Event::PullRequest => "pull_request",
            Event::Push => "push",
            Event::Schedule => "schedule",
            Event::Dispatch(_) => "workflow_dispatch",
        }
    }

    fn reference(&self) -> &'static str {
        if self.is_request() {
            "refs/pull/1/merge"
        } else {
            "refs/heads/main"
        }
    }

    fn actions_variables(&self) -> Variables {
        let temp = self.temp();
        let text = |path: &str| temp.join(path).display().to_string();
        let base = if self.is_request() { "main" } else { "" };
        let head = if self.is_request() { "topic" } else { "" };
        [
            ("PATH", self.path()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", self.project.api.clone()),
            ("GITHUB_BASE_REF", base.to_owned()),
            ("GITHUB_HEAD_REF", head.to_owned()),
            ("GITHUB_EVENT_NAME", self.event_name().to_owned()),
            ("GITHUB_REF", self.reference().to_owned()),
            ("GITHUB_REPOSITORY", "acme/fleet".to_owned()),
            ("GITHUB_RUN_NUMBER", "7".to_owned()),
            ("GITHUB_SERVER_URL", "https://forge.example.net".to_owned()),
            ("GITHUB_PATH", text("path")),
            ("GITHUB_STEP_SUMMARY", text("summary")),
            ("RUNNER_TEMP", temp.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn variables(&self, written: &Value) -> Variables {
        let written = written.as_mapping().into_iter().flatten();
        written
            .map(|(name, value)| {
                let text = self.expand(value.as_str().unwrap());
                (name.as_str().unwrap().to_owned(), text)
            })
            .collect()
    }

    /// A text with its expressions evaluated. One that a runner would have to be asked for is not known here.
    fn expand(&self, text: &str) -> String {
        let expression = Regex::new(r"\$\{\{ (.*?) \}\}").unwrap();
        let value = |found: &regex::Captures<'_>| self.value(&found[1]);
        expression.replace_all(text, value).into_owned()
    }

    fn value(&self, name: &str) -> String {
        match name {
            "github.event_name" => self.event_name().to_owned(),
            "github.ref" => self.reference().to_owned(),
            "github.token" | "secrets.EPHEMEROS_TOKEN || github.token" => "a-token".to_owned(),
            "inputs.allow" => match self.event {
                Event::Dispatch(allow) => allow.to_owned(),
                _ => String::new(),
            },
            "runner.temp" => self.temp().display().to_string(),
            "env.EPHEMEROS_VERSION" | "runner.os" | "runner.arch" => name.to_owned(),
            _ => panic!("unknown expression `{name}`"),
        }
    }

    /// Whether a job's condition holds.
    fn holds(&self, job: &Value) -> bool {
        let condition = job["if"].as_str().unwrap_or("github.ref == github.ref");
        condition.split(" && ").all(|part| {
            let (is_equal, sides) = match part.split_once(" == ") {
                Some(sides) => (true, sides),
                None => (false, part.split_once(" != ").unwrap()),
            };
            let side = |side: &str| match side.strip_prefix('\'') {
                Some(text) => text.trim_end_matches('\'').to_owned(),
                None => self.value(side),
            };
            (side(sides.0) == side(sides.1)) == is_equal
        })
    }

    /// What an action does. One gives something back that is kept.
    fn act(&self, action: &str, with: &Value) -> Option<String> {
        let name = action
            .split('@')
            .next()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        match name {
            "checkout" => self.check_out(with),
            "cache" => assert_eq!(with["path"], "~/.ephemeros"),
            "upload-artifact" => {
                let path = self.expand(with["path"].as_str().unwrap());
                return Some(fs::read_to_string(path).unwrap());
            }
            _ => panic!("unknown action `{action}`"),
        }
        None
    }

    /// As the action does: all branches and a detached merge for a pull request, one commit where no depth is said.
    fn check_out(&self, with: &Value) {
        self.begin_clone();
        let wanted = with["ref"].as_str().map(|it| self.expand(it));
        let wanted = wanted.unwrap_or_else(|| self.reference().to_owned());
        let branch = wanted.trim_start_matches("refs/heads/");
        let depth: &[&str] = match with["fetch-depth"].as_i64() {
            Some(0) => &["+refs/heads/*:refs/remotes/origin/*"],
            _ => &["--depth=1"],
        };
        if self.is_request() {
            let place = "+refs/pull/1/merge:refs/remotes/pull/1/merge";
            self.git(&[&["fetch", "--quiet", "origin", place], depth].concat());
            self.git(&[
                "checkout",
                "--quiet",
                "--detach",
                "refs/remotes/pull/1/merge",
            ]);
        } else {
            let place = format!("+refs/heads/{branch}:refs/remotes/origin/{branch}");
            self.git(&[&["fetch", "--quiet", "origin", &place], depth].concat());
            let from = format!("refs/remotes/origin/{branch}");
            self.git(&["checkout", "--quiet", "-B", branch, &from]);
        }
    }
}

/// GitLab's.
impl Run<'_> {
    fn gitlab(mut self) -> Ran {
        let variables = self.gitlab_variables();
        let all = self.pipeline.as_mapping().unwrap().clone();
        let is_job =
            |name: &str, job: &Value| !name.starts_with('.') && job.get("script").is_some();
        let fits = |rules: &Value| {
            let mut rules = rules.as_sequence().unwrap().iter();
            rules.any(|rule| matches(rule["if"].as_str().unwrap(), &variables))
        };
        assert!(
            fits(&self.pipeline["workflow"]["rules"]),
            "there is no pipeline"
        );
        let jobs: Vec<Value> = all
            .into_iter()
            .filter(|(name, job)| is_job(name.as_str().unwrap(), job) && fits(&job["rules"]))
            .map(|(_, job)| job)
            .collect();
        let [job] = &jobs[..] else {
            panic!("{} jobs", jobs.len());
        };
        self.begin_clone();
        // No branch but the one that the pipeline is for, and no more of it than GitLab's depth where none is said.
        let place = if self.is_request() {
            "+refs/merge-requests/1/head:refs/merge-requests/1/head"
        } else {
            "+refs/heads/main:refs/remotes/origin/main"
        };
        let depth = variables.get("GIT_DEPTH").map_or("20", String::as_str);
        let depth = match depth {
            "0" => None,
            depth => Some(format!("--depth={depth}")),
        };
        let fetch = ["fetch", "--quiet", "origin", place];
        self.git(&[&fetch[..], depth.as_deref().as_slice()].concat());
        self.git(&["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
        let cached = self.clone().join(".ephemeros");
        symlink(self.project.home().join("gitlab"), cached).unwrap();
        let mut lines = self.inherited(job, "before_script");
        lines.extend(self.inherited(job, "script"));
        let folder = self.clone();
        let succeeded = self.shell(&lines.join("\n"), &folder, &variables);
        let kept = &job["artifacts"]["paths"][0];
        let plan = kept
            .as_str()
            .and_then(|it| fs::read_to_string(folder.join(it)).ok());
        self.end(succeeded, plan)
    }

    fn gitlab_variables(&self) -> Variables {
        let (source, branch) = match self.event {
            Event::PullRequest => ("merge_request_event", None),
            Event::Push => ("push", Some("main")),
            Event::Schedule => ("schedule", Some("main")),
            Event::Dispatch(_) => ("web", Some("main")),
        };
        let origin = self.project.fleet.origin();
        let url = format!("file://{}", origin.display());
        let mut variables: Variables = [
            ("PATH", self.path()),
            ("GITLAB_CI", "true".to_owned()),
            ("CI_PIPELINE_SOURCE", source.to_owned()),
            ("CI_PROJECT_DIR", self.clone().display().to_string()),
            ("CI_PROJECT_URL", url.trim_end_matches(".git").to_owned()),
            ("CI_SERVER_HOST", "forge.example.net".to_owned()),
            ("CI_JOB_URL", "https://forge.example.net/jobs/7".to_owned()),
            ("CI_JOB_TOKEN", "a-token".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let written = self.pipeline["variables"].as_mapping().unwrap();
        for (name, value) in written {
            let text = value.as_str().unwrap().to_owned();
            variables.insert(name.as_str().unwrap().to_owned(), text);
        }
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        match branch {
            Some(branch) => set("CI_COMMIT_BRANCH", branch),
            None => set("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        };
        if let Event::Dispatch(allow) = self.event {
            set("EPHEMEROS_ALLOW", allow);
        }
        variables
    }

    /// A job's lines, or those of the last that it extends.
    fn inherited(&self, job: &Value, key: &str) -> Vec<String> {
        if let Some(lines) = job.get(key) {
            return self.lines(lines);
        }
        let above = match &job["extends"] {
            Value::Sequence(all) => all.last().unwrap(),
            one => one,
        };
        self.inherited(&self.pipeline[above.as_str().unwrap()], key)
    }

    fn lines(&self, lines: &Value) -> Vec<String> {
        let each = |line: &Value| match line {
            Value::Tagged(tagged) => {
                assert_eq!(tagged.tag, "!reference");
                let place = tagged.value.as_sequence().unwrap();
                let at = |index: usize| place[index].as_str().unwrap();
                self.lines(&self.pipeline[at(0)][at(1)])
            }
            line => vec![line.as_str().unwrap().to_owned()],
        };
        lines.as_sequence().unwrap().iter().flat_map(each).collect()
    }
}

/// Whether GitLab's condition holds.
fn matches(condition: &str, variables: &Variables) -> bool {
    condition.split(" && ").all(|part| {
        let (is_equal, (name, text)) = match part.split_once(" == ") {
            Some(sides) => (true, sides),
            None => (false, part.split_once(" != ").unwrap()),
        };
        let value = variables.get(name.trim_start_matches('$'));
        let value = value.map_or("", String::as_str);
        (value == text.trim_matches('"')) == is_equal
    })
}
