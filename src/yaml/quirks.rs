//! Where yaml.v3 and the parser differ.

use super::parse::{Mistake, mistake};

/// yaml.v3 takes a tab between a key and its value, the parser does not. The text with spaces in its place.
pub(super) fn without_tab(text: &str, mistake: &Mistake) -> Option<String> {
    if !mistake.message.starts_with("':' must be followed by") {
        return None;
    }
    let before = text.get(..mistake.span.start)?;
    let value = before.trim_end_matches([' ', '\t']);
    let spaces = " ".repeat(before.len() - value.len());
    (!spaces.is_empty()).then(|| format!("{value}{spaces}{}", &text[before.len()..]))
}

/// Breaks lines in YAML 1.1, and not in 1.2.
pub(super) const NEXT_LINE: char = '\u{85}';
pub(super) const LINE_BREAKS_OF_1_1: [char; 3] = [NEXT_LINE, '\u{2028}', '\u{2029}'];

/// In quotes a line break is a space, and each further one a line end.
pub(super) fn fold_next_lines(text: &str) -> String {
    let mut lines = text
        .split(NEXT_LINE)
        .map(|line| line.trim_matches([' ', '\t']));
    let mut folded = lines.next().unwrap_or_default().to_owned();
    let mut empty = false;
    for line in lines {
        match line {
            "" => folded.push('\n'),
            line if empty => folded.push_str(line),
            line => folded.extend([" ", line]),
        }
        empty = line.is_empty();
    }
    folded
}

/// YAML 1.2 takes `\/` in double quotes, yaml.v3 does not.
pub(super) fn has_escaped_slash(quoted: &str) -> bool {
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.next() == Some('/') {
            return true;
        }
    }
    false
}

/// Control characters, and directives for another YAML.
pub(super) fn reject_what_go_rejects(text: &str) -> Result<(), Mistake> {
    let forbidden = |character: char| {
        character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')
            || matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    if let Some((start, found)) = text
        .char_indices()
        .find(|(_, character)| forbidden(*character))
    {
        let message = format!(
            "control character U+{:04X} is not allowed",
            u32::from(found)
        );
        return Err(mistake(start..start + found.len_utf8(), message));
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(version) = line.strip_prefix("%YAML") {
            let version = version.split('#').next().unwrap_or_default().trim();
            if version != "1.1" {
                let span = start..start + line.trim_end().len();
                return Err(mistake(
                    span,
                    format!("YAML {version} is not supported, only 1.1"),
                ));
            }
        }
        if !line.starts_with(['#', '%', '\n', '\r']) {
            break;
        }
        start += line.len();
    }
    Ok(())
}
