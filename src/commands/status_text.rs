//! A status as people read it: each verdict once, with the nodes that have it, the good one first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::style::{GREEN, RED, Style, YELLOW};
use crate::diagnostic::printable;
use crate::status::{FileStatus, Kind, NodeStatus, Report, Verdict, server_of};

/// How many nodes are named for one verdict.
const NAMED: usize = 8;

/// What equal nodes have in common: the verdicts on their files, and the servers that redirects lead to.
type Found<'a> = (&'a Verdict, Option<&'a Verdict>, Vec<&'a str>);

pub(super) fn write(report: &Report, styled: bool, verbose: bool) -> String {
    let style = Style(styled);
    let mut text = format!("Asked for what {} holds.\n\n", printable(&report.base));
    let mut groups: BTreeMap<Found<'_>, Vec<&NodeStatus>> = BTreeMap::new();
    for node in &report.nodes {
        groups.entry(found(node)).or_default().push(node);
    }
    for ((config, script, led_to), nodes) in groups {
        let colour = match nodes[0].verdict {
            Kind::Committed => GREEN,
            Kind::Ahead | Kind::Older => YELLOW,
            _ => RED,
        };
        for line in headings(config, script) {
            let _ = writeln!(text, "{}", style.paint(colour, &printable(&line)));
        }
        for server in led_to {
            let _ = writeln!(text, "  redirected to {}", printable(server));
        }
        write_nodes(&mut text, &nodes, verbose);
        let mut helps: Vec<&str> = Vec::new();
        for help in [Some(config), script]
            .into_iter()
            .flatten()
            .filter_map(Verdict::help)
        {
            if !helps.contains(&help) {
                helps.push(help);
            }
        }
        for line in helps.into_iter().flat_map(str::lines) {
            let _ = writeln!(text, "  {line}");
        }
        text.push('\n');
    }
    write_summary(&mut text, report);
    text
}

fn found(node: &NodeStatus) -> Found<'_> {
    let script = node.script.as_ref();
    let mut led_to: Vec<&str> = [Some(&node.config), script]
        .into_iter()
        .flatten()
        .filter_map(|file| file.redirected_to.as_deref().map(server_of))
        .collect();
    led_to.dedup();
    (&node.config.of, script.map(|it| &it.of), led_to)
}

/// What is said of config and script, in one line where it is the same.
fn headings(config: &Verdict, script: Option<&Verdict>) -> Vec<String> {
    match script {
        None if *config == Verdict::Committed => vec![config.to_string()],
        None => vec![format!("config: {config}")],
        Some(script) if script == config && *config == Verdict::Committed => {
            vec![config.to_string()]
        }
        Some(script) if script == config => vec![format!("config and boot script: {config}")],
        Some(script) => vec![
            format!("config: {config}"),
            format!("boot script: {script}"),
        ],
    }
}

/// Each with the short name of its config, and with the URL where something may be wrong with that.
fn write_nodes(text: &mut String, nodes: &[&NodeStatus], verbose: bool) {
    let shown = if verbose { nodes.len() } else { NAMED };
    let width = nodes.iter().take(shown).map(|node| node.node.len()).max();
    let width = width.unwrap_or(0);
    for node in nodes.iter().take(shown) {
        let mut line = format!("{:width$}", node.node);
        if let Some(digest) = &node.digest {
            let _ = write!(line, "  config {digest}");
        }
        let files = [Some(&node.config), node.script.as_ref()];
        let is_doubtful = |file: &&FileStatus| file.verdict > Kind::Older;
        let mut doubtful = files.into_iter().flatten().filter(is_doubtful);
        if let Some(url) = doubtful.find_map(|file| file.url.as_ref()) {
            let _ = write!(line, "  {}", printable(url));
        }
        let _ = writeln!(text, "    {}", line.trim_end());
    }
    if nodes.len() > shown {
        let _ = writeln!(text, "    and {} more", nodes.len() - shown);
    }
}

fn write_summary(text: &mut String, report: &Report) {
    let counts = report.summary.iter();
    let counts: Vec<String> = counts
        .map(|(kind, count)| format!("{count} {}", kind.words()))
        .collect();
    if counts.is_empty() {
        text.push_str("Status: there are no nodes.\n");
        return;
    }
    let _ = writeln!(text, "Status: {}.", counts.join(", "));
}
