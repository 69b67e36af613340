//! `plan --live`: what the URLs serve, as the base of a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::fetched::expected;
use super::{Failure, Loaded, count};
use crate::fleet::file::ScriptAt;
use crate::plan::base::{self, Base, Content};
use crate::plan::compare::removed;
use crate::render::rendered::script_path;
use crate::status::{Answer, Expected, Manner, Served, Verdict, probe, server_of};
use crate::ui::Ui;

/// What nodes would fetch now, those that the patterns name and, without patterns, those that the fleet has no more; and what is
/// to be said beside.
pub(super) fn base(
    loaded: &Loaded,
    patterns: &[String],
    ui: &Ui,
) -> Result<(Base, Option<String>), Failure> {
    let committed = base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?;
    let gone = if patterns.is_empty() {
        removed(&committed, |node| loaded.manifest.nodes.contains_key(node))
    } else {
        Vec::new()
    };
    let fetches_script = |node: &str| {
        let node = loaded.fleet.node(node);
        node.is_none_or(|node| node.stick.script == ScriptAt::Git)
    };
    let nodes = loaded.select(patterns)?;
    let names: Vec<&str> = nodes.iter().map(|it| it.name.as_str()).collect();
    let all = names.iter().copied().chain(gone.iter().map(String::as_str));
    let files = expected(
        loaded,
        &committed,
        all.map(|it| (it, fetches_script(it))),
        None,
    )?;
    let mut live = BTreeMap::new();
    // A script that nobody fetches is what it was when it was committed.
    for node in names.iter().filter(|node| !fetches_script(node)) {
        let path = script_path(node);
        if let Some(content) = committed.files.get(&path) {
            live.insert(path, content.clone());
        }
    }
    let asked: Vec<(&Expected, &str)> = files
        .iter()
        .filter_map(|file| Some((file, file.url.as_deref()?)))
        .collect();
    let urls: Vec<&str> = asked.iter().map(|(_, url)| *url).collect();
    let answers = probe(&urls, Manner::default(), ui, |at, answer| {
        let file = asked[at].0;
        let served = Served::of(file.role, &answer);
        served.content.map(
            |id| match (committed.files.get(&file.path), answer.answer) {
                // What git has need not be kept.
                (Some(Content::Object(there)), _) if *there == id => Content::Object(id),
                (_, Answer::File(bytes)) => Content::Bytes(bytes),
                _ => Content::Object(id),
            },
        )
    })?;
    let mut failed: BTreeMap<Verdict, Vec<&str>> = BTreeMap::new();
    let mut missing = 0;
    for ((file, url), answer) in asked.iter().zip(answers) {
        match answer {
            Ok(content) => drop(live.insert(file.path.clone(), content)),
            Err(Verdict::NotFound(_)) => missing += 1,
            Err(verdict) => failed.entry(verdict).or_default().push(url),
        }
    }
    refuse(failed, ui)?;
    let servers: BTreeSet<&str> = urls.iter().copied().map(server_of).collect();
    let servers: Vec<&str> = servers.into_iter().collect();
    let name = format!("what {} serves", servers.join(" and "));
    let hint = (missing > 0 && missing == urls.len()).then(|| {
        "nothing is served at all: where the repository is private forges say 404; `ephemeros status` says what to do"
            .to_owned()
    });
    Ok((
        Base {
            name,
            files: live,
            ..committed
        },
        hint,
    ))
}

/// Names every URL that gave nothing to compare with.
fn refuse(failed: BTreeMap<Verdict, Vec<&str>>, ui: &Ui) -> Result<(), Failure> {
    let number: usize = failed.values().map(Vec::len).sum();
    if number == 0 {
        return Ok(());
    }
    for (verdict, urls) in failed {
        let urls: Vec<String> = urls.iter().map(|url| format!("\n  {url}")).collect();
        ui.error(&format!("{verdict}:{}", urls.concat()), verdict.help());
    }
    Err(Failure::problem(
        format!(
            "what is served is not known of {}; nothing was compared",
            count(number, "file")
        ),
        Some("leave out `--live` to compare with what was pushed last"),
    ))
}
