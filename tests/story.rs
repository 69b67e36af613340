//! The loop, as people and a pipeline go it together: from an empty folder, by a pull request and a rotated secret, to a plan in
//! which nothing is left to do. The forge is a bare repository, and a web server that gives its files as a raw URL does.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::drives::{Attached, MIB};
use crate::fleet::Fleet;
use crate::image::loaders;
use crate::web::{Answer, Web};

const GITCONFIG: &str = "[user]\nname = Test\nemail = test@example.com\n";

const ROLE: &str = r#"
[roles.heartbeat]
templates = ["heartbeat.bu"]
variables = ["TOKEN"]
env_file = "heartbeat_env"
"#;

const TEMPLATE: &str = "variant: flatcar\nversion: 1.0.0\nsystemd:\n  units:\n    - name: heartbeat.timer\n      \
    enabled: true\n      contents: |\n        [Timer]\n        OnUnitActiveSec=5min\n";

/// Where people push to, and nodes fetch from.
struct Forge {
    repository: PathBuf,
    web: Web,
}

impl Forge {
    fn new(desk: &Fleet) -> Self {
        let repository = desk.origin();
        let path = repository.to_str().unwrap();
        desk.git_says(&["init", "--quiet", "--bare", "--initial-branch=main", path]);
        let served = repository.clone();
        let web = Web::start(move |asked| {
            let file = asked.path.strip_prefix("/raw/main/").unwrap_or_default();
            match show(&served, &format!("main:{file}")) {
                Some(bytes) => Answer::whole(&bytes),
                None => Answer::status(404),
            }
        });
        Self { repository, web }
    }

    /// A clone, with git as its user has set it up.
    fn clone(&self) -> Fleet {
        let clone = Fleet::empty().gitconfig(GITCONFIG);
        let (from, to) = (&self.repository, clone.root());
        let paths = [from.to_str().unwrap(), to.to_str().unwrap()];
        clone.git_says(&[&["clone", "--quiet"], &paths[..]].concat());
        clone
    }

    fn main(&self) -> String {
        let id = show(&self.repository, "main^{commit}").unwrap();
        String::from_utf8_lossy(&id).into_owned()
    }

    /// What the pipeline does after a merge, in a clone of its own.
    fn pipeline(&self) {
        let clone = self.clone();
        clone.run(&["check"]).code(0);
        clone.run(&["render", "--push"]).code(0);
    }
}

/// An object of a repository, as git prints it.
fn show(repository: &Path, object: &str) -> Option<Vec<u8>> {
    let mut git = Command::new("git");
    git.args(["--git-dir", repository.to_str()?, "cat-file", "-p", object]);
    let ran = git.output().unwrap();
    ran.status.success().then_some(ran.stdout)
}

impl Fleet {
    /// Writes a stick, with `more` options, and commits its record.
    #[track_caller]
    fn flashes(&self, node: &str, drive: &Attached, loaders: &Path, more: &[&str]) -> String {
        let ipxe = loaders.to_str().unwrap();
        let args = ["flash", node, drive.path(), "--yes", "--ipxe", ipxe];
        let record = ["--record", "--commit", "--json"];
        let all = [&args[..], &record, more].concat();
        let run = self.command(&all).without_terminal().run().code(0);
        let said: Value = serde_json::from_str(&run.stdout).unwrap();
        said["stick"].as_str().unwrap().to_owned()
    }

    /// What the plan says of each node: its cost, and the sticks that don't do.
    #[track_caller]
    fn plan_of(&self) -> Vec<(String, String, Vec<String>)> {
        let plan: Value = serde_json::from_str(&self.plans(&["--json"])).unwrap();
        let nodes = plan["nodes"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let told = nodes.map(|node| {
            let sticks = node["sticks"].as_array().unwrap().iter();
            let stale = sticks.filter(|stick| stick["verdict"] != "current");
            let mut stale: Vec<String> = stale.map(|stick| text(&stick["id"])).collect();
            stale.sort();
            (text(&node["node"]), text(&node["cost"]), stale)
        });
        told.collect()
    }
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[test]
fn from_an_empty_folder_to_a_plan_with_nothing_in_it() {
    let Some(loaders) = loaders() else { return };
    let [Some(one), Some(spare), Some(two)] = [0; 3].map(|_| Attached::new(150 * MIB, &[])) else {
        return;
    };

    // A fleet of two nodes, with a secret each.
    let desk = Fleet::empty().gitconfig(GITCONFIG);
    desk.run(&["secrets", "keygen"]).code(0);
    desk.run(&["init", "--node", "edge1"]).code(0);
    let forge = Forge::new(&desk);
    let desk = desk.remote("origin", forge.repository.to_str().unwrap());
    let url = format!("raw_url = \"{}/raw/main/{{{{ path }}}}\"", forge.web.url);
    desk.replace("fleet.toml", "\n[os]\n", &format!("\n{url}\n\n[os]\n"));
    desk.write("fleet.toml", desk.read("fleet.toml") + ROLE);
    desk.write("templates/heartbeat.bu", TEMPLATE);
    for node in ["edge1", "edge2"] {
        desk.write(&format!("nodes/{node}.toml"), "roles = [\"heartbeat\"]\n");
        let set = desk.command(&["secrets", "set", node, "TOKEN"]);
        set.stdin(format!("token of {node}")).run().code(0);
    }
    desk.commit();
    desk.git_says(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    forge.pipeline();
    desk.git_says(&["pull", "--quiet"]);
    desk.run(&["status"]).code(0);

    // Three sticks: the first node has a spare one.
    let active = desk.flashes("edge1", &one, &loaders, &[]);
    let other = desk.flashes("edge1", &spare, &loaders, &[]);
    desk.run(&["sticks", "spare", &other]).code(0);
    desk.run(&["sticks", "active", &active]).code(0);
    desk.commit();
    let of_two = desk.flashes("edge2", &two, &loaders, &[]);
    desk.git_says(&["push", "--quiet"]);
    desk.run(&["plan", "--detailed-exitcode"]).code(0);

    // A change of a template, by a pull request: its plan is made in a clone without a branch and without a key.
    let author = forge.clone();
    author.git_says(&["switch", "--quiet", "--create", "slower"]);
    author.replace("templates/heartbeat.bu", "5min", "10min");
    author.commit();
    author.git_says(&["push", "--quiet", "origin", "slower"]);
    let reviewed = forge.clone();
    reviewed.git_says(&["checkout", "--quiet", "--detach", "origin/slower"]);
    let markdown = reviewed.plans(&["--markdown"]);
    for told in [
        "Plan: 2 to reboot",
        "heartbeat.timer",
        "-OnUnitActiveSec=5min",
        "+OnUnitActiveSec=10min",
    ] {
        assert!(markdown.contains(told), "{told} in\n{markdown}");
    }

    // It is merged. The pipeline renders, once; then nodes are served what the commit holds.
    author.git_says(&["push", "--quiet", "origin", "slower:main"]);
    forge.pipeline();
    let rendered = forge.main();
    forge.pipeline();
    assert_eq!(forge.main(), rendered);
    desk.git_says(&["pull", "--quiet"]);
    desk.run(&["status"]).code(0);
    desk.run(&["plan", "--detailed-exitcode"]).code(0);

    // A secret is rotated: exactly the sticks that carry it are to be written anew.
    let set = desk.command(&["secrets", "set", "edge1", "TOKEN"]);
    set.stdin("another token").run().code(0);
    desk.commit();
    let nothing = || Vec::<String>::new();
    let edge1 = |cost: &str, sticks| ("edge1".to_owned(), cost.to_owned(), sticks);
    let edge2 = ("edge2".to_owned(), "nothing".to_owned(), nothing());
    let stale = sorted(vec![active.clone(), other.clone()]);
    assert_eq!(desk.plan_of(), [edge1("reflash", stale), edge2.clone()]);
    desk.run(&["render", "--push"]).code(0);

    // They are, and nothing is left to do.
    assert_eq!(desk.flashes("edge1", &one, &loaders, &["--update"]), active);
    let left = edge1("reflash", vec![other.clone()]);
    assert_eq!(desk.plan_of(), [left, edge2.clone()]);
    assert_eq!(
        desk.flashes("edge1", &spare, &loaders, &["--update"]),
        other
    );
    assert_eq!(desk.plan_of(), [edge1("nothing", nothing()), edge2]);
    desk.git_says(&["push", "--quiet"]);
    desk.run(&["plan", "--detailed-exitcode"]).code(0);
    desk.run(&["status"]).code(0);
    desk.run(&["inspect", two.path()])
        .code(0)
        .prints(&[&of_two]);
}
