//! `plan --live`: what a forge serves, as the base.

use crate::fleet::Run;
use crate::status::{CONFIG, Forge, SCRIPT};
use crate::web::Answer;

fn plan(forge: &Forge, args: &[&str]) -> Run {
    forge.fleet.run(&[&["plan", "--live"], args].concat())
}

#[test]
fn the_base_is_what_is_served() {
    let forge = Forge::new();
    let old = [CONFIG, SCRIPT].map(|path| (path, forge.fleet.read(&path[1..])));
    plan(&forge, &[]).code(0).prints(&[
        &format!("Compared with what {} serves.\n", forge.web.url),
        "Plan: 1 unchanged.\n",
    ]);
    forge.change("two", "zwei");
    forge.push();
    forge
        .fleet
        .run(&["plan"])
        .code(0)
        .prints(&["Plan: 1 unchanged.\n"]);
    for (path, text) in &old {
        forge.says(path, Answer::whole(text.as_bytes()));
    }
    let run = plan(&forge, &[]).code(0);
    run.prints(&[
        "~ file /etc/a  on n1\n",
        "    -two\n    +zwei\n",
        "Plan: 1 to reboot.\n",
    ]);
    // What no commit holds is compared with just so.
    let strange = old[0].1.replace("two", "deux");
    assert_ne!(strange, old[0].1);
    forge.says(CONFIG, Answer::whole(strange.as_bytes()));
    plan(&forge, &[])
        .code(0)
        .prints(&["    -deux\n    +zwei\n"]);
}

#[test]
fn what_is_not_there_is_new_and_where_nothing_is_that_is_said() {
    let forge = Forge::with(2, "");
    for path in ["/ignition/n2.ign", "/ipxe/n2.ipxe"] {
        forge.says(path, Answer::status(404));
    }
    let run = plan(&forge, &[]).code(0);
    run.prints(&[
        "+ node n2\n",
        "Plan: 1 to flash for the first time, 1 unchanged.\n",
    ])
    .hides("nothing is served");
    for path in [CONFIG, SCRIPT] {
        forge.says(path, Answer::status(404));
    }
    let run = plan(&forge, &[]).code(0);
    run.says(&["note: nothing is served at all", "private"]);
}

#[test]
fn a_node_that_the_fleet_has_no_more_counts_while_it_is_served() {
    let forge = Forge::with(2, "");
    std::fs::remove_file(forge.fleet.root().join("nodes/n2.toml")).unwrap();
    plan(&forge, &[])
        .code(0)
        .prints(&["Plan: 1 removed, 1 unchanged.\n"]);
    for path in ["/ignition/n2.ign", "/ipxe/n2.ipxe"] {
        forge.says(path, Answer::status(404));
    }
    plan(&forge, &[]).code(0).prints(&["Plan: 1 unchanged.\n"]);
}

#[test]
fn all_that_can_not_be_fetched_is_named_and_nothing_compared() {
    let forge = Forge::with(3, "");
    forge.says("/ignition/n1.ign", Answer::status(403));
    forge.says("/ignition/n2.ign", Answer::status(403));
    forge.says("/ipxe/n3.ipxe", Answer::whole(b"<html>"));
    let url = &forge.web.url;
    let run = plan(&forge, &[]).code(1).says(&[
        "error: no boot script: a web page, as of a login:",
        &format!("{url}/ipxe/n3.ipxe\n"),
        "error: refused: 403 Forbidden:",
        &format!("{url}/ignition/n1.ign\n"),
        &format!("{url}/ignition/n2.ign\n"),
        "make the repository public",
        "error: what is served is not known of 3 files; nothing was compared\n",
        "leave out `--live`",
    ]);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_script_on_the_stick_is_that_of_the_commit() {
    let forge = Forge::with(1, "[stick]\nscript = \"stick\"\n");
    plan(&forge, &[]).code(0).prints(&["Plan: 1 unchanged.\n"]);
    assert_eq!(forge.web.paths(), [CONFIG]);
}

#[test]
fn it_is_one_base_or_another() {
    let forge = Forge::new();
    plan(&forge, &["--against", "HEAD"])
        .code(64)
        .says(&["--against"]);
}
