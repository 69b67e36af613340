//! From events to a tree.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::{Mistake, mistake};
use crate::yaml::layout::{Kind, Piece};
use crate::yaml::node::{Content, Node};
use crate::yaml::quirks::{
    LINE_BREAKS_OF_1_1, NEXT_LINE, column_of_block, end_of_quoted, fold_next_lines,
    has_added_line_end, has_escaped_slash, read_repaired,
};

/// Deeper nesting than any config has; a tree this deep is still safe to walk and to drop.
const MAX_DEPTH: usize = 256;

/// Builds a tree from events.
pub(super) struct Builder<'a> {
    text: &'a str,
    /// The byte of each character; empty where they are the same.
    bytes: Vec<usize>,
    open: Vec<Open>,
    /// Anchored nodes with their height.
    anchors: HashMap<usize, (Rc<Node>, usize)>,
    /// Every scalar so far.
    pub(super) pieces: Vec<Piece>,
}

/// A list or mapping that has begun.
struct Open {
    anchor: usize,
    node: Node,
    key: Option<Node>,
    /// It is in brackets, or in something that is.
    flow: bool,
    /// The first column of lines that go on with a text in it.
    column: usize,
    /// How many levels are below it, those behind aliases too.
    height: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(byte, _)| byte).collect()
        };
        Self {
            text,
            bytes,
            open: Vec::new(),
            anchors: HashMap::new(),
            pieces: Vec::new(),
        }
    }

    /// The root of the first document; `None` when there is none.
    pub(super) fn run(&mut self) -> Result<Option<Node>, Mistake> {
        let mut parser = Parser::new_from_str(self.text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            let (anchor, node, height) = match event {
                Event::DocumentEnd | Event::StreamEnd => return Ok(None),
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
                Event::Alias(anchor) => {
                    let (node, height) = self.alias(anchor, span)?;
                    (0, node, height)
                }
                Event::Scalar(text, style, anchor, tag) => (
                    anchor,
                    self.scalar(text, style, anchor, tag.as_deref(), span)?,
                    0,
                ),
                Event::SequenceStart(anchor, tag) => {
                    self.begin(anchor, tag.as_deref(), Content::Sequence(Vec::new()), span)?;
                    continue;
                }
                Event::MappingStart(anchor, tag) => {
                    self.begin(anchor, tag.as_deref(), Content::Mapping(Vec::new()), span)?;
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(open) = self.open.pop() else {
                        return Ok(None);
                    };
                    let mut node = open.node;
                    node.span.end = self.byte(span.end.index()).max(node.span.start);
                    (open.anchor, node, open.height)
                }
            };
            if anchor > 0 {
                let anchored = (Rc::new(node.clone()), height);
                self.anchors.insert(anchor, anchored);
            }
            if let Some(root) = self.add(node, height) {
                return Ok(Some(root));
            }
        }
        Ok(None)
    }

    fn begin(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
        span: Span,
    ) -> Result<(), Mistake> {
        let node = self.node(content, tag, anchor, span);
        if self.open.len() == MAX_DEPTH {
            return Err(mistake(
                node.span,
                format!("more than {MAX_DEPTH} levels deep"),
            ));
        }
        let (in_flow, outer) = self
            .open
            .last()
            .map_or((false, 0), |open| (open.flow, open.column));
        let flow = in_flow || self.text[self.byte(span.start.index())..].starts_with(['[', '{']);
        self.open.push(Open {
            anchor,
            node,
            key: None,
            flow,
            column: if flow { outer } else { span.start.col() + 1 },
            height: 0,
        });
        Ok(())
    }

    /// Puts a finished node where it belongs; gives it back when it is the root.
    fn add(&mut self, node: Node, height: usize) -> Option<Node> {
        let Some(open) = self.open.last_mut() else {
            return Some(node);
        };
        open.height = open.height.max(height + 1);
        match &mut open.node.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping(entries) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            Content::Scalar { .. } | Content::Alias(_) => {}
        }
        None
    }

    /// The node of an alias, and its height.
    fn alias(&self, anchor: usize, span: Span) -> Result<(Node, usize), Mistake> {
        let span = self.range(span);
        let Some((target, height)) = self.anchors.get(&anchor) else {
            let anchored = self.open.iter().find(|open| open.anchor == anchor);
            let span = anchored.map_or(span, |open| open.node.span.clone());
            return Err(mistake(span, "an anchor that contains itself"));
        };
        if *height >= MAX_DEPTH {
            let message = format!("aliases lead more than {MAX_DEPTH} levels deep");
            return Err(mistake(span, message));
        }
        let node = Node {
            span,
            tag: None,
            content: Content::Alias(Rc::clone(target)),
        };
        Ok((node, height + 1))
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Node, Mistake> {
        let quoted = matches!(style, ScalarStyle::DoubleQuoted | ScalarStyle::SingleQuoted);
        let range = self.range(span);
        let written = &self.text[range.clone()];
        // Without these the text is ASCII.
        let may_be_odd = !self.bytes.is_empty();
        if may_be_odd && !quoted && text.contains(LINE_BREAKS_OF_1_1) {
            return Err(mistake(
                range,
                "a line separator character outside of quotes",
            ));
        }
        if style == ScalarStyle::DoubleQuoted && has_escaped_slash(written) {
            return Err(mistake(range, "unknown escape `\\/`"));
        }
        let mut text = read_repaired(text.into_owned(), written);
        if may_be_odd && quoted && written.contains(NEXT_LINE) {
            text = fold_next_lines(&text);
        }
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let begins = if block {
            self.start_of_block(range.start)
        } else {
            range.start
        };
        let start = if anchor > 0 || tag.is_some() {
            self.after_properties(begins..range.end)
        } else {
            begins
        };
        let written = &self.text[start..range.end];
        let kind = match style {
            ScalarStyle::Plain => Kind::Plain(self.open.last().map_or(0, |open| open.column)),
            _ if block => Kind::Block(column_of_block(written, &text)),
            _ => Kind::Quoted,
        };
        // The parser adds the blanks and the comment behind a quoted text.
        let quote = written
            .chars()
            .next()
            .filter(|first| quoted && matches!(first, '"' | '\''));
        let end = quote
            .and_then(|quote| end_of_quoted(&written[1..], quote))
            .map_or(range.end, |end| start + end + 2);
        self.pieces.push(Piece {
            span: start..end,
            kind,
        });
        if block && range.end == self.text.len() && has_added_line_end(written, &text) {
            text.pop();
        }
        let content = Content::Scalar {
            text,
            plain: style == ScalarStyle::Plain,
        };
        let mut node = self.node(content, tag, anchor, span);
        if block {
            node.span.start = if anchor > 0 || tag.is_some() {
                self.start_of_properties(begins)
            } else {
                begins
            };
        }
        Ok(node)
    }

    fn node(&self, content: Content, tag: Option<&Tag>, anchor: usize, span: Span) -> Node {
        let mut span = self.range(span);
        if anchor > 0 || tag.is_some() {
            span.start = self.start_of_properties(span.start);
        }
        let tag = tag.map(|tag| {
            let handle = if tag.is_yaml_core_schema() {
                "!!"
            } else {
                &tag.handle
            };
            let text = format!("{handle}{}", tag.suffix);
            text.replace("tag:yaml.org,2002:", "!!").into_boxed_str()
        });
        Node { span, tag, content }
    }

    /// A block begins at its indicator, the parser says where its first line does.
    fn start_of_block(&self, start: usize) -> usize {
        let before = self.text[..start].trim_end();
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let header = before[line..].match_indices(['|', '>']).find(|(at, _)| {
            let rest = before[line + at..].trim_start_matches(['|', '>', '+', '-']);
            let rest = rest
                .trim_start_matches(|digit: char| digit.is_ascii_digit())
                .trim_start_matches(['+', '-']);
            rest.is_empty() || rest.trim_start().starts_with('#') && rest.starts_with([' ', '\t'])
        });
        header.map_or(start, |(at, _)| line + at)
    }

    /// A value begins at its anchor or tag, which the parser leaves out.
    fn start_of_properties(&self, start: usize) -> usize {
        let mut start = start;
        loop {
            let before = self.text[..start].trim_end();
            let word = before
                .rfind([' ', '\t', '\n', '\r'])
                .map_or(0, |space| space + 1);
            if !before[word..].starts_with(['&', '!']) {
                return start;
            }
            start = word;
        }
    }

    /// Where a value begins that the parser takes to begin at its anchor or tag.
    fn after_properties(&self, span: Range<usize>) -> usize {
        let mut rest = &self.text[span.clone()];
        while rest.starts_with(['&', '!']) {
            let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest = rest[word..].trim_start();
        }
        span.end - rest.len()
    }

    fn syntax(&self, error: &ScanError) -> Mistake {
        let start = self.byte(error.marker().index());
        let width = self.text[start..].chars().next().map_or(0, char::len_utf8);
        mistake(start..start + width, error.info())
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }

    /// The parser counts characters.
    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() {
            character.min(self.text.len())
        } else {
            self.bytes
                .get(character)
                .copied()
                .unwrap_or(self.text.len())
        }
    }
}
