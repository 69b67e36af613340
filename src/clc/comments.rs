//! The comments of the old config. The YAML reader leaves them out, so they are looked for between the scalars.

use std::collections::HashMap;
use std::ops::Range;

use super::print::Element;
use crate::yaml::{Content, Node};

/// All comments of a text.
pub(super) struct Comments {
    /// Those that stand before everything, with a blank line after them.
    top: Vec<String>,
    /// The line that a comment is for, and the comment.
    of_lines: Vec<(usize, String)>,
}

/// Comments for the top, for parts by their index, and for the end.
pub(super) type Assigned = (Vec<String>, HashMap<usize, Vec<String>>, Vec<String>);

impl Comments {
    /// Finds them: one behind something is for its line, one on a line of its own for the next line with something.
    pub(super) fn find(text: &str, document: &Node) -> Self {
        let mut scalars = Vec::new();
        gather(text, document, &mut scalars);
        let mut comments = Self {
            top: Vec::new(),
            of_lines: Vec::new(),
        };
        let mut pending: Vec<String> = Vec::new();
        let mut offset = 0;
        let mut begun = false;
        let mut number = 0;
        for line in text.split_inclusive('\n') {
            number += 1;
            let start = offset;
            offset += line.len();
            let comment = line.char_indices().find(|(at, c)| {
                let before = line[..*at].chars().next_back();
                *c == '#'
                    && before.is_none_or(|c| matches!(c, ' ' | '\t'))
                    && !scalars.iter().any(|scalar| scalar.contains(&(start + at)))
            });
            let (content, comment) = match comment {
                Some((at, _)) => (&line[..at], Some(line[at..].trim_end().to_owned())),
                None => (line, None),
            };
            let is_blank = content.trim().is_empty();
            match comment {
                Some(comment) if is_blank => pending.push(comment),
                comment if !is_blank => {
                    let mine = pending.drain(..).chain(comment);
                    comments
                        .of_lines
                        .extend(mine.map(|comment| (number, comment)));
                    begun = true;
                }
                _ if !begun => comments.top.append(&mut pending),
                _ => {}
            }
        }
        let end = pending.into_iter().map(|comment| (number + 1, comment));
        comments.of_lines.extend(end);
        comments
    }

    /// Gives each comment to the part of the new config that its line became.
    pub(super) fn assign(self, elements: &[Element]) -> Assigned {
        let mut above: HashMap<usize, Vec<String>> = HashMap::new();
        let mut end = Vec::new();
        for (line, comment) in self.of_lines {
            let begins = elements.iter().find(|it| it.first == line);
            let around = elements
                .iter()
                .filter(|it| it.first <= line && line <= it.last)
                .min_by_key(|it| it.last - it.first);
            let after = elements
                .iter()
                .filter(|it| it.first > line)
                .min_by_key(|it| it.first);
            match begins.or(around).or(after) {
                Some(element) => above.entry(element.index).or_default().push(comment),
                None => end.push(comment),
            }
        }
        (self.top, above, end)
    }
}

/// The places of all scalars, in which a `#` is no comment.
fn gather(text: &str, node: &Node, scalars: &mut Vec<Range<usize>>) {
    match &node.content {
        Content::Scalar { .. } => {
            let mut span = node.span.clone();
            if let Some(end) = end_of_block(text, &span) {
                span.end = end;
            }
            scalars.push(span);
        }
        Content::Sequence(items) => items.iter().for_each(|item| gather(text, item, scalars)),
        Content::Mapping(entries) => {
            for (key, value) in entries {
                gather(text, key, scalars);
                gather(text, value, scalars);
            }
        }
        Content::Alias(_) => {}
    }
}

/// A block goes on as long as its lines are indented as its first one; the parser counts what follows in.
fn end_of_block(text: &str, span: &Range<usize>) -> Option<usize> {
    if !text[span.start..].starts_with(['|', '>']) {
        return None;
    }
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut end = span.start + text[span.start..].find('\n')? + 1;
    let mut wanted = None;
    for line in text[end..].split_inclusive('\n') {
        if !line.trim().is_empty() {
            let found = indentation(line);
            if found < *wanted.get_or_insert(found) || found == 0 {
                break;
            }
        }
        end += line.len();
    }
    Some(end.min(span.end.max(span.start)).max(span.start))
}
