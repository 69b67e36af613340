//! `status`: what the URLs serve that nodes fetch from, against what was committed.

use std::path::Path;
use std::time::Duration;

use super::fetched::expected;
use super::{Failure, Outcome, load, settle, status_text};
use crate::cli;
use crate::fleet::file::ScriptAt;
use crate::plan::base;
use crate::status::{Expected, FileStatus, Manner, NodeStatus, Report, Role, Served, judge, probe};
use crate::ui::Ui;

pub(super) fn run(args: &cli::Status, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    settle(std::mem::take(&mut loaded.diagnostics), ui)?;
    let nodes = loaded.select(&args.nodes.patterns())?;
    let base = base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?;
    let (Some(repo), Some(commit)) = (&loaded.repo, base.commit) else {
        return Err(Failure::problem(
            "nothing was committed yet, so there is nothing that nodes should be served",
            Some("run `ephemeros render`, commit and push"),
        ));
    };
    let wanted = nodes
        .iter()
        .map(|node| (node.name.as_str(), node.stick.script == ScriptAt::Git));
    let files = expected(&loaded, &base, wanted, args.raw_url.as_deref())?;
    let served = ask(&files, |it| base.files.contains_key(&it.path), args, ui)?;
    let both: Vec<_> = files
        .iter()
        .zip(served.iter().map(Option::as_ref))
        .collect();
    let verdicts = judge(repo, &loaded.fleet.root, &base, &both)?;
    let mut told = both.into_iter().zip(verdicts).peekable();
    let mut rows = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(((config, of_config), verdict)) = told.next() else {
            break;
        };
        let script = told.next_if(|((file, _), _)| file.role == Role::Script);
        rows.push(NodeStatus::new(
            &node.name,
            of_config.and_then(|it| it.digest.clone()),
            FileStatus::new(config, of_config, verdict),
            script.map(|((file, served), verdict)| FileStatus::new(file, served, verdict)),
        ));
    }
    let report = Report::new(base.name, commit.to_string(), rows);
    if ui.json() {
        let json = serde_json::to_string_pretty(&report);
        let json = json.map_err(|error| Failure::problem(error, None))?;
        ui.result(&format!("{json}\n"))?;
    } else {
        ui.result(&status_text::write(&report, ui.styled(), ui.verbose()))?;
    }
    if report.is_good() {
        Ok(Outcome::Done)
    } else {
        Err(Failure::Said)
    }
}

/// Asks for those files of which `is_asked` says so, and whose URLs are known.
fn ask(
    files: &[Expected],
    is_asked: impl Fn(&Expected) -> bool,
    args: &cli::Status,
    ui: &Ui,
) -> Result<Vec<Option<Served>>, Failure> {
    let manner = Manner {
        jobs: usize::from(args.jobs),
        timeout: Duration::from_secs(args.timeout),
    };
    let asked = files.iter().enumerate().filter(|(_, file)| is_asked(file));
    let (places, urls): (Vec<usize>, Vec<&str>) = asked
        .filter_map(|(place, file)| Some((place, file.url.as_deref()?)))
        .unzip();
    let answers = probe(&urls, manner, ui, |at, asked| {
        Served::of(files[places[at]].role, &asked)
    })?;
    let mut served: Vec<_> = files.iter().map(|_| None).collect();
    for (place, answer) in places.into_iter().zip(answers) {
        served[place] = Some(answer);
    }
    Ok(served)
}
