//! A script as a part of another one.

use crate::ipxe::read::{Line, Script, When, read};

/// Wherever it would end, it goes on at a label.
pub(super) fn inline(text: &str, end: &str) -> String {
    let script = read(text);
    let lines = script.lines.iter();
    lines.map(|line| inline_line(&script, line, end)).collect()
}

fn inline_line(script: &Script, line: &Line, end: &str) -> String {
    let mut words = Vec::new();
    if let Some(label) = &line.label {
        words.push(format!(":{}", label.text));
    }
    for (number, command) in line.commands.iter().enumerate() {
        if number > 0 {
            words.push(separator(command.when).to_owned());
        }
        match command.name() {
            Some(name) if name.text == "exit" => words.push(format!("goto {end}")),
            _ => words.extend(command.words.iter().map(|word| word.text.clone())),
        }
    }
    if may_fail(script, line) {
        words.push(format!("|| goto {end}"));
    }
    if words.is_empty() {
        return String::new();
    }
    words.join(" ") + "\n"
}

/// Whether a line can fail, which would end the whole script.
fn may_fail(script: &Script, line: &Line) -> bool {
    let Some(last) = line.commands.last() else {
        return false;
    };
    let Some(name) = last.name() else {
        // An empty command succeeds.
        return false;
    };
    let leaves = match name.text.as_str() {
        "exit" => true,
        "goto" => matches!(last.args(), [label] if script.find_label(&label.text).is_some()),
        _ => false,
    };
    let is_alone = line.commands.len() == 1;
    let is_safe = leaves || name.text == "echo";
    !(is_alone && is_safe || last.when == When::Failed && leaves)
}

fn separator(when: When) -> &'static str {
    match when {
        When::Always => ";",
        When::Succeeded => "&&",
        When::Failed => "||",
    }
}
