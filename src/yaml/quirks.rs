//! Where yaml.v3 and the parser differ.

use memchr::memchr2;

use super::parse::{Mistake, mistake};

/// The text in a form that the parser takes, where its complaint is one that yaml.v3 does not have. Every byte keeps
/// its place.
pub(super) fn repair(text: &str, mistake: &Mistake) -> Option<String> {
    let (before, after) = text.split_at_checked(mistake.span.start)?;
    match mistake.message.as_str() {
        "invalid indentation in quoted scalar" => unfold(before, after),
        "tabs disallowed within this context (block indentation)" => {
            let start = before.trim_end_matches([' ', '\t']).len();
            with_spaces(&before[..start], before.len() - start, after)
        }
        "a byte order mark must not appear inside a document" => {
            let rest = after.strip_prefix(BYTE_ORDER_MARK)?;
            Some(format!("{before}{MARK}{NOTHING}{NOTHING}{rest}"))
        }
        "comments must be separated from other tokens by whitespace"
            if before.ends_with(['[', ']', '{', '}', ',', '"', '\'']) =>
        {
            let comment = after.find('\n').unwrap_or(after.len());
            with_spaces(before, comment, &after[comment..])
        }
        // In quotes, where leading blanks mean nothing.
        "tab cannot be used as indentation" => {
            let rest = after.trim_start_matches([' ', '\t']);
            with_spaces(before, after.len() - rest.len(), rest)
        }
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

/// What stands in brackets may be indented less than its key: the line goes on where the one before it ends. Comments
/// in between give way.
fn join_lines(before: &str, after: &str) -> Option<String> {
    let blanks = [' ', '\t', '\r', '\n'];
    let mut joined = before.trim_end_matches(blanks);
    if !before[joined.len()..].contains('\n') {
        return None;
    }
    let mut commented = false;
    loop {
        let last_line = joined.rsplit('\n').next().unwrap_or_default();
        let Some(comment) = start_of_comment(last_line) else {
            break;
        };
        joined = joined[..joined.len() - last_line.len() + comment].trim_end_matches(blanks);
        commented = true;
    }
    let ends = joined.ends_with(['[', '{', ',', ':']);
    if commented && !ends && !after.starts_with([',', ']', '}']) {
        // A comment ends a text, a line end does not.
        return None;
    }
    with_spaces(joined, before.len() - joined.len(), after)
}

/// Where in a line of a flow collection a comment begins.
fn start_of_comment(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some('"'), '\\') => {
                characters.next();
            }
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') if " \t\r[{,:'\"".contains(before) => quote = Some(character),
            (None, '#') if matches!(before, ' ' | '\t' | '\r') => return Some(at),
            _ => {}
        }
        before = character;
    }
    None
}

fn with_spaces(before: &str, count: usize, after: &str) -> Option<String> {
    (count > 0).then(|| format!("{before}{}{after}", " ".repeat(count)))
}

/// In a text that is read there are no control characters, so these can stand for what was repaired.
const NOTHING: char = '\u{1}';
const LINE_END: char = '\u{2}';
const MARK: char = '\u{3}';

/// A character like others behind the beginning of a text.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

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
        let escaped = quote == '"' && backslashes(line) % 2 == 1;
        let escapes_blank = escaped && !blanks.starts_with('\n') && !blanks.starts_with("\r\n");
        if escapes_blank || blanks.ends_with('\n') && is_mark(next) {
            return None;
        }
        unfolded.push_str(&line[..line.len() - usize::from(escaped)]);
        if breaks == 1 && !escaped {
            unfolded.push(' ');
        }
        unfolded.extend(std::iter::repeat_n(LINE_END, breaks - 1));
        let nothing = if escaped {
            blanks.len() + 2 - breaks
        } else {
            blanks.len() + 1 - breaks.max(2)
        };
        unfolded.extend(std::iter::repeat_n(NOTHING, nothing));
        rest = next;
    }
    unfolded.push_str(rest);
    unfolded.push_str(&after[end..]);
    after[..end].contains('\n').then_some(unfolded)
}

fn backslashes(line: &str) -> usize {
    line.len() - line.trim_end_matches('\\').len()
}

/// Whether a line begins as one between documents.
fn is_mark(line: &str) -> bool {
    ["---", "..."].iter().any(|mark| {
        line.strip_prefix(mark)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    })
}

/// Where in what follows an opening quote the closing one is.
pub(super) fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
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
    if memchr2(NOTHING as u8, LINE_END as u8, written.as_bytes()).is_some() {
        text.replace(NOTHING, "")
            .replace(LINE_END, "\n")
            .replace(MARK, "\u{feff}")
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

/// The column in which the lines of a block text begin. Where the first one has to show it, no tab may stand before it.
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
            || matches!(character, '\u{fffe}' | '\u{ffff}')
    };
    // Most texts are plain all through, which shows in their bytes.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let plain = text.bytes().position(|byte| !is_plain(byte));
    let plain = plain.unwrap_or(text.len());
    if let Some((start, found)) = text[plain..]
        .char_indices()
        .map(|(at, character)| (plain + at, character))
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
