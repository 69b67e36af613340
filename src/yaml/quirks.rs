//! Where yaml.v3 and the parser differ.

use super::parse::{Mistake, mistake};

/// The text in a form that the parser takes, where its complaint is one that yaml.v3 does not have. Every byte keeps
/// its place.
pub(super) fn repair(text: &str, mistake: &Mistake) -> Option<String> {
    let (before, after) = text.split_at_checked(mistake.span.start)?;
    match mistake.message.as_str() {
        "invalid indentation in quoted scalar" => unfold(before, after),
        "invalid indentation" | "invalid indentation in flow construct" => {
            join_lines(before, after)
        }
        message if message.starts_with("':' must be followed by") => {
            let key = before.trim_end_matches([' ', '\t']);
            with_spaces(key, before.len() - key.len(), after)
        }
        _ => None,
    }
}

/// What stands in brackets may be indented less than its key: the line goes on where the one before it ends.
fn join_lines(before: &str, after: &str) -> Option<String> {
    let joined = before.trim_end_matches([' ', '\t', '\r', '\n']);
    let last_line = joined.rsplit('\n').next().unwrap_or_default();
    // After a comment the line would be part of it.
    if last_line.contains('#') || !before[joined.len()..].contains('\n') {
        return None;
    }
    with_spaces(joined, before.len() - joined.len(), after)
}

fn with_spaces(before: &str, count: usize, after: &str) -> Option<String> {
    (count > 0).then(|| format!("{before}{}{after}", " ".repeat(count)))
}

/// In a text that is read there are no control characters, so these can stand for what was repaired.
const NOTHING: char = '\u{1}';
const LINE_END: char = '\u{2}';

/// Escapes that may be one of them.
const ESCAPED: [&str; 3] = ["\\x0", "\\u000", "\\U0000000"];

/// Lines of a quoted text may be indented less than its key: they are folded into one.
fn unfold(before: &str, after: &str) -> Option<String> {
    let quote = after
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    let end = 1 + end_of_quoted(&after[1..], quote)?;
    if quote == '"' && ESCAPED.iter().any(|escape| after[..end].contains(escape)) {
        return None;
    }
    let mut unfolded = before.to_owned();
    let mut rest = &after[..end];
    while let Some(line_end) = rest.find('\n') {
        let line = rest[..line_end].trim_end_matches([' ', '\t', '\r']);
        let next = rest[line.len()..].trim_start_matches([' ', '\t', '\r', '\n']);
        let blanks = &rest[line.len()..rest.len() - next.len()];
        let breaks = blanks.matches('\n').count();
        if quote == '"' && line.ends_with('\\') {
            // An escaped line end joins lines in another way, which is left to the parser.
            return None;
        }
        unfolded.push_str(line);
        match breaks {
            1 => unfolded.push(' '),
            _ => unfolded.extend(std::iter::repeat_n(LINE_END, breaks - 1)),
        }
        let written = breaks.max(2) - 1;
        unfolded.extend(std::iter::repeat_n(NOTHING, blanks.len() - written));
        rest = next;
    }
    unfolded.push_str(rest);
    unfolded.push_str(&after[end..]);
    after[..end].contains('\n').then_some(unfolded)
}

fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote == '"' {
            characters.next();
        } else if character == quote {
            // Twice is once in single quotes.
            if quote == '"' || characters.next_if(|(_, next)| *next == quote).is_none() {
                return Some(at);
            }
        }
    }
    None
}

/// What a text means that is written in a repaired form. In any other these characters come from escapes.
pub(super) fn read_repaired(text: String, written: &str) -> String {
    if written.contains([NOTHING, LINE_END]) {
        text.replace(NOTHING, "").replace(LINE_END, "\n")
    } else {
        text
    }
}

/// The parser ends the last line of a file where the text does not, if it is indented as much as the block text is.
pub(super) fn has_added_line_end(block: &str, text: &str) -> bool {
    let Some((_, last)) = block.rsplit_once('\n').filter(|(_, last)| !last.is_empty()) else {
        return false;
    };
    if block.split('\n').skip(1).all(is_blank) {
        return text.len() >= block.matches('\n').count();
    }
    text.ends_with('\n') && indentation(last) >= column_of_block(block, text)
}

/// The column that a block text begins in, of which there are only blank lines before it. A tab is no part of what
/// shows it.
pub(super) fn column_of_block(block: &str, text: &str) -> usize {
    let mut lines = block.split('\n');
    let header = lines.next().and_then(|line| line.split('#').next());
    let told = header
        .unwrap_or_default()
        .contains(|digit: char| digit.is_ascii_digit());
    let Some(first) = lines.find(|line| !is_blank(line)) else {
        return 0;
    };
    let column = indentation(first);
    if !told && first[column..].starts_with('\t') {
        return column + 1;
    }
    let read = text.split('\n').find(|line| !is_blank(line));
    column.saturating_sub(indentation(read.unwrap_or_default()))
}

fn is_blank(line: &str) -> bool {
    line.trim_matches([' ', '\r']).is_empty()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
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
