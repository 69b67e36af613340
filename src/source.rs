//! A text that people wrote or the tool rendered, kept whole so that a mistake in it can be shown.

use std::ops::Range;
use std::sync::Arc;

/// A named text. Spans into it are byte ranges.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user knows it, relative to the fleet's root.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// The node that the text was rendered for; `None` where a person wrote it.
    pub rendered_for: Option<String>,
    hidden: Vec<Range<usize>>,
}

/// A place as people count it: both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// Bytes of a text, as a range in half its space: a fleet has millions. What lies beyond 4 GiB is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        let short = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(range.start),
            end: short(range.end),
        }
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start as usize..span.end as usize
    }
}

impl Position {
    /// Where a byte offset of a text stands; an offset past the end is the end.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl Source {
    /// A text as it stands in a file.
    #[must_use]
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Self::hiding(name, text, Vec::new())
    }

    /// A text that was made from the template `name` for one node.
    #[must_use]
    pub fn rendered(name: impl Into<String>, text: impl Into<String>, node: &str) -> Arc<Self> {
        let mut text = text.into();
        // There are as many as nodes.
        text.shrink_to_fit();
        Arc::new(Self {
            name: name.into(),
            text,
            rendered_for: Some(node.to_owned()),
            hidden: Vec::new(),
        })
    }

    /// A text whose byte ranges `hidden` must never be shown.
    #[must_use]
    pub fn hiding(
        name: impl Into<String>,
        text: impl Into<String>,
        hidden: Vec<Range<usize>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
            rendered_for: None,
            hidden,
        })
    }

    /// The same text with further byte ranges that must never be shown.
    #[must_use]
    pub fn hiding_too(&self, hidden: impl IntoIterator<Item = Range<usize>>) -> Arc<Self> {
        Arc::new(Self {
            name: self.name.clone(),
            text: self.text.clone(),
            rendered_for: self.rendered_for.clone(),
            hidden: self.hidden.iter().cloned().chain(hidden).collect(),
        })
    }

    /// The text as it may be shown: what is hidden is stars, byte for byte, line ends kept.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut bytes = self.text.clone().into_bytes();
        for range in &self.hidden {
            for byte in &mut bytes[range.clone()] {
                if !matches!(byte, b'\n' | b'\r') {
                    *byte = b'*';
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Where a byte offset stands; an offset past the end is the end.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        Position::of(&self.text, offset)
    }

    /// The line that holds a byte offset, as it may be shown.
    #[must_use]
    pub fn line_at(&self, offset: usize) -> String {
        let line = self.position(offset).line;
        self.shown()
            .lines()
            .nth(line - 1)
            .unwrap_or_default()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::file("a", "é\nxyé!\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(7), Position { line: 2, column: 4 });
        assert_eq!(source.position(999), Position { line: 3, column: 1 });
    }

    #[test]
    fn hidden_bytes_are_stars_and_lines_stay() {
        let source = Source::hiding("a", "k = \"pä\ns\"\n", std::iter::once(5..9).collect());
        assert_eq!(source.shown(), "k = \"***\n*\"\n".replace("\n*\"", "\ns\""));
        assert_eq!(source.line_at(6), "k = \"***");
    }
}
