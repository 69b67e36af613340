//! The message of a commit of rendered files.

use std::fmt::Write as _;

use crate::git::ObjectId;
use crate::plan::cost::Cost;

/// What fits into a line of `git log` and of a forge's list.
const WIDTH: usize = 71;

/// How many nodes are told one by one.
const LISTED: usize = 100;

/// What changes for which node, sorted by name, and of what it was rendered. A node of which no file changes may be among
/// them, since its stick has to be written anew.
pub(super) fn message(nodes: &[(&str, Cost)], from: ObjectId) -> String {
    let mut text = subject(nodes, from);
    text.push_str("\n\n");
    for (node, cost) in nodes.iter().take(LISTED) {
        let _ = writeln!(text, "{node}: {}", cost.words());
    }
    match nodes.len().saturating_sub(LISTED) {
        0 => {}
        more => drop(writeln!(text, "and {more} more")),
    }
    if !nodes.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "Rendered from {from}.");
    text
}

/// The commit of which was rendered what comes with this message; `None` where it is another's.
pub(super) fn rendered_from(message: &str) -> Option<ObjectId> {
    let last = message.trim_end().lines().next_back()?;
    let from = last.strip_prefix("Rendered from ")?.strip_suffix('.')?;
    ObjectId::from_str(from).ok()
}

fn subject(nodes: &[(&str, Cost)], from: ObjectId) -> String {
    if nodes.is_empty() {
        let from = from.to_string();
        return format!("Take over {}, which changes no node", &from[..7]);
    }
    let are_gone = nodes.iter().all(|(_, cost)| *cost == Cost::Removed);
    let verb = if are_gone { "Remove" } else { "Render" };
    let names: Vec<&str> = nodes.iter().map(|(name, _)| *name).collect();
    // A name has a letter at least, so no more of them fit.
    let most = names.len().min(WIDTH / 3);
    let fitting = (1..=most)
        .rev()
        .map(|shown| format!("{verb} {}", listed(&names, shown)));
    let mut fitting = fitting.filter(|subject| subject.len() <= WIDTH);
    let all = || format!("{verb} {} nodes", names.len());
    fitting.next().unwrap_or_else(all)
}

fn listed(names: &[&str], shown: usize) -> String {
    let (shown, rest) = names.split_at(shown);
    match (shown, rest.len()) {
        ([one], 0) => (*one).to_owned(),
        ([most @ .., last], 0) => format!("{} and {last}", most.join(", ")),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject_of(names: &[&str], cost: Cost) -> String {
        let nodes: Vec<(&str, Cost)> = names.iter().map(|name| (*name, cost)).collect();
        subject(&nodes, ObjectId::ZERO_SHA1)
    }

    #[test]
    fn the_subject_names_as_many_nodes_as_fit() {
        for (names, said) in [
            (&["a"][..], "Render a"),
            (&["a", "b"], "Render a and b"),
            (&["a", "b", "c"], "Render a, b and c"),
        ] {
            assert_eq!(subject_of(names, Cost::Reboot), said);
        }
        assert_eq!(subject_of(&["a", "b"], Cost::Removed), "Remove a and b");
        let long = "n".repeat(63);
        assert_eq!(subject_of(&[&long], Cost::Reboot), format!("Render {long}"));
        assert_eq!(subject_of(&[&long, "b"], Cost::Reboot), "Render 2 nodes");
        for count in [5, 9, 10, 100, 10_000] {
            let names: Vec<String> = (0..count).map(|number| format!("edge{number}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let said = subject_of(&names, Cost::Reboot);
            assert!(
                said.len() <= WIDTH && said.starts_with("Render edge0, edge1, "),
                "{said}"
            );
            let more = count - said.matches("edge").count();
            assert!(
                more == 0 || said.ends_with(&format!(" and {more} more")),
                "{said}"
            );
        }
    }

    #[test]
    fn the_body_says_what_it_costs_and_ends() {
        let names: Vec<String> = (0..1000).map(|number| format!("n{number}")).collect();
        let nodes: Vec<(&str, Cost)> = names
            .iter()
            .map(|name| (name.as_str(), Cost::ReflashFirst))
            .collect();
        let said = message(&nodes, ObjectId::ZERO_SHA1);
        assert!(
            said.contains("\n\nn0: to re-flash first\nn1: to "),
            "{said}"
        );
        let end = format!("\nand 900 more\n\nRendered from {}.\n", "0".repeat(40));
        assert!(said.ends_with(&end), "{said}");
        assert_eq!(rendered_from(&said), Some(ObjectId::ZERO_SHA1));
        assert_eq!(rendered_from("Mend it\n"), None);
    }
}
