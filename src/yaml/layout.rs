//! What stands between the scalars of a document: the parser is laxer there than yaml.v3.

use std::ops::Range;

use memchr::memchr;

use super::parse::{Mistake, mistake};
use super::quirks::BYTE_ORDER_MARK;

/// A scalar that takes at least one byte.
pub(super) struct Piece {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

/// What decides where a tab may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without quotes; a line that goes on with it begins in this column or later.
    Plain(usize),
    Quoted,
    /// With the column of its text.
    Block(usize),
}

/// Finds what yaml.v3 refuses.
///
/// Behind the end of the root only what comes next matters.
pub(super) fn check(text: &str, pieces: &[Piece], end: usize) -> Result<(), Mistake> {
    let mut walk = Walk {
        text,
        at: 0,
        flow: 0,
        indents: true,
        state: State::Directives,
    };
    for piece in pieces.iter().filter(|piece| !piece.span.is_empty()) {
        walk.gap(piece.span.start)?;
        if walk.state == State::Over {
            return Ok(());
        }
        walk.piece(piece)?;
    }
    walk.gap(end)?;
    if walk.state != State::Over {
        walk.state = State::Closing;
    }
    walk.gap(text.len())
}

/// Whether a part of a quoted text was taken for a comment and repaired away.
pub(super) fn lost_text(written: &str, repaired: &str, pieces: &[Piece]) -> bool {
    let hashes = |text: &str| text.matches('#').count();
    let mut quoted = pieces.iter().filter(|piece| piece.kind == Kind::Quoted);
    quoted
        .any(|piece| hashes(&written[piece.span.clone()]) != hashes(&repaired[piece.span.clone()]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a document.
    Directives,
    /// After `---`.
    Begun,
    /// In its contents.
    Contents,
    /// Up to what follows them.
    Closing,
    /// Behind the first document, where nothing matters.
    Over,
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// How many brackets are open.
    flow: usize,
    /// Whether white space is indentation, which a tab can't be.
    indents: bool,
    state: State,
}

impl Walk<'_> {
    fn gap(&mut self, end: usize) -> Result<(), Mistake> {
        while self.at < end && self.state != State::Over {
            let rest = &self.text[self.at..end];
            let first = rest.chars().next().unwrap_or_default();
            match first {
                '\n' | '\r' => self.indents = self.flow == 0,
                '\t' if self.indents && self.flow == 0 => return Err(tab(self.at)),
                ' ' | '\t' | ',' => {}
                BYTE_ORDER_MARK => return Err(byte_order_mark(self.at)),
                '#' => {
                    self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
                    continue;
                }
                _ => {
                    self.at += self.word(rest)?;
                    continue;
                }
            }
            self.at += first.len_utf8();
        }
        Ok(())
    }

    /// Reads what is no white space, and says how long it is.
    fn word(&mut self, rest: &str) -> Result<usize, Mistake> {
        let in_flow = self.flow > 0;
        let ends = |character| match character {
            ' ' | '\t' | '\n' | '\r' => true,
            ',' | '[' | ']' | '{' | '}' => in_flow,
            _ => false,
        };
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let begins_line = self.begins_line(self.at);
        if begins_line && matches!(word, "---" | "...") {
            return self.mark(word);
        }
        if begins_line && word.starts_with('%') {
            return self.directive(word, rest);
        }
        if self.state == State::Closing {
            self.state = State::Over;
            return Ok(word.len().max(1));
        }
        self.state = State::Contents;
        match rest.chars().next().unwrap_or_default() {
            '[' | '{' => self.flow += 1,
            ']' | '}' => self.flow = self.flow.saturating_sub(1),
            // After a key it is followed by a value on the same line, else by indentation.
            ':' => return Ok(1),
            '-' | '?' => {
                self.indents = self.flow == 0;
                return Ok(1);
            }
            '&' | '*' => {
                self.indents = false;
                self.name(word)?;
                return Ok(word.len());
            }
            first => {
                self.indents = false;
                return Ok(word.len().max(first.len_utf8()));
            }
        }
        self.indents = false;
        Ok(1)
    }

    fn begins_line(&self, at: usize) -> bool {
        at == 0 || self.text[..at].ends_with(['\n', '\r'])
    }

    /// The name of an anchor; the parser takes any character.
    fn name(&self, word: &str) -> Result<(), Mistake> {
        let name = word[1..].trim_end_matches(':');
        let allowed =
            |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if name.chars().all(allowed) && !(word.starts_with('&') && word.ends_with(':')) {
            return Ok(());
        }
        Err(mistake(
            self.at..self.at + word.len(),
            format!("`{word}`: names of anchors have only letters, digits, `-` and `_`"),
        ))
    }

    fn mark(&mut self, word: &str) -> Result<usize, Mistake> {
        self.indents = false;
        self.state = match (self.state, word) {
            (State::Directives, "---") => State::Begun,
            (State::Directives, _) => {
                return Err(mistake(self.at..self.at + 3, "the document is empty"));
            }
            _ => State::Over,
        };
        Ok(word.len())
    }

    /// Skips a line that begins with a percent sign.
    fn directive(&mut self, word: &str, rest: &str) -> Result<usize, Mistake> {
        if !matches!(word, "%YAML" | "%TAG") {
            let message = format!("unknown directive `{word}`");
            return Err(mistake(self.at..self.at + word.len(), message));
        }
        if self.state != State::Directives {
            self.state = State::Over;
        }
        Ok(rest.find('\n').unwrap_or(rest.len()))
    }

    fn piece(&mut self, piece: &Piece) -> Result<(), Mistake> {
        self.state = State::Contents;
        self.at = self.at.max(piece.span.end);
        self.indents = false;
        match piece.kind {
            Kind::Quoted => {}
            Kind::Plain(_)
                if self.begins_line(piece.span.start)
                    && self.text[piece.span.clone()].starts_with(BYTE_ORDER_MARK) =>
            {
                return Err(byte_order_mark(piece.span.start));
            }
            Kind::Plain(column) => {
                let blanks = &self.text[self.at..];
                let blanks =
                    blanks.len() - blanks.trim_start_matches([' ', '\t', '\n', '\r']).len();
                let line_ends = self.lines(piece.span.start..self.at + blanks, column)?;
                self.indents = line_ends && self.flow == 0;
                self.at += blanks;
            }
            Kind::Block(column) => {
                self.lines(piece.span.clone(), column)?;
                self.indents = true;
            }
        }
        Ok(())
    }

    /// Lines after the first are indented with spaces; says whether the last one is blank, and not the first.
    fn lines(&self, span: Range<usize>, column: usize) -> Result<bool, Mistake> {
        let text = &self.text[span.clone()];
        let mut lines = text.split_inclusive(['\n', '\r']);
        if memchr(b'\t', text.as_bytes()).is_some() {
            let mut start = span.start;
            for (number, line) in lines.clone().enumerate() {
                let indented = line.len() - line.trim_start_matches(' ').len();
                if number > 0 && indented < column && line[indented..].starts_with('\t') {
                    return Err(tab(start + indented));
                }
                start += line.len();
            }
        }
        Ok(lines.next_back().is_some_and(|last| {
            last.ends_with(['\n', '\r']) || last.len() < text.len() && last.trim().is_empty()
        }))
    }
}

fn tab(at: usize) -> Mistake {
    mistake(at..at + 1, "a tab where only spaces may stand")
}

/// At the start of a line yaml.v3 skips it, which no config needs.
fn byte_order_mark(at: usize) -> Mistake {
    let span = at..at + BYTE_ORDER_MARK.len_utf8();
    mistake(span, "a byte order mark between values")
}
