//! `goto` and its labels. iPXE takes the first label of a name, and fails where there is none.

use std::collections::{HashMap, HashSet};

use super::Body;
use crate::diagnostic::Diagnostic;
use crate::ipxe::read::Token;

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut labels: HashMap<&str, &Token> = HashMap::new();
    for label in body
        .script
        .lines
        .iter()
        .filter_map(|line| line.label.as_ref())
    {
        if let Some(first) = labels.get(label.text.as_str()) {
            found.push(
                Diagnostic::error(format!("the label `{}` stands twice", label.text))
                    .label(
                        body.source,
                        label.span.clone(),
                        "iPXE never comes here by `goto`",
                    )
                    .label(body.source, first.span.clone(), "it always finds this one")
                    .help("rename one of them"),
            );
        } else {
            labels.insert(&label.text, label);
        }
    }
    let mut used = HashSet::new();
    for target in targets(body) {
        if target.text.contains("${") {
            // Any label may be meant.
            return found;
        }
        used.insert(target.text.as_str());
        if !labels.contains_key(target.text.as_str()) {
            found.push(
                Diagnostic::error(format!("there is no label `{}`", target.text))
                    .at(body.source, target.span.clone())
                    .help(format!(
                        "write a line `:{}`, or name a label that there is",
                        target.text
                    )),
            );
        }
    }
    let mut unused: Vec<&Token> = labels
        .into_values()
        .filter(|label| !used.contains(label.text.as_str()))
        .collect();
    unused.sort_by_key(|label| label.span.start);
    found.extend(unused.into_iter().map(|label| {
        Diagnostic::warning(format!("nothing goes to the label `{}`", label.text))
            .at(body.source, label.span.clone())
            .help("remove it, or write the `goto` that was meant")
    }));
    found
}

fn targets<'a>(body: &'a Body) -> impl Iterator<Item = &'a Token> {
    body.script
        .commands()
        .filter(|(_, command)| command.name().is_some_and(|name| name.text == "goto"))
        .filter_map(|(_, command)| command.args().first())
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::found;

    #[test]
    fn labels_are_missing_double_or_unused() {
        assert_eq!(
            found("isset ${config-url} || goto fial\n:fail"),
            [
                "error: there is no label `fial`",
                "warning: nothing goes to the label `fail`"
            ]
        );
        assert_eq!(
            found("isset ${config-url} || goto a\n:a\n:a"),
            ["error: the label `a` stands twice"]
        );
        assert_eq!(found("isset ${config-url} || goto a\n:a"), [""; 0]);
    }

    #[test]
    fn a_target_that_is_put_together_may_be_any_label() {
        assert_eq!(
            found("set n 1\niseq ${n} 1 && goto next_${n}\n:next_1\n:next_2"),
            [""; 0]
        );
    }
}
