//! Prints the new config, with the old one's comments, and notes where each part comes from.

use std::collections::HashMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::comments::Comments;
use super::piece::{Map, Origin, Piece, Yaml};
use super::scalar::{self, Form};

/// Parts of the new text with the parts of the old one that they come from.
pub(super) type Places = Vec<(Range<usize>, Range<usize>)>;

const STEP: usize = 2;

/// Prints a config.
pub(super) fn print(map: &Map, comments: Comments, old: &str) -> (String, Places) {
    let mut lines = Lines::new(old);
    lines.map(map);
    let (top, above, end) = comments.assign(&lines.elements);
    let mut printer = Printer {
        out: String::new(),
        places: Vec::new(),
        above,
        count: 0,
        open: false,
    };
    for comment in &top {
        printer.line(0, comment);
    }
    if !top.is_empty() {
        printer.blank();
    }
    printer.map(map, 0);
    if !end.is_empty() {
        printer.blank();
    }
    for comment in &end {
        printer.line(0, comment);
    }
    (printer.out, printer.places)
}

/// The lines of the old text that a part of the new one comes from.
pub(super) struct Element {
    pub(super) index: usize,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Walks the parts in the order in which they are printed.
struct Lines<'a> {
    old: &'a str,
    elements: Vec<Element>,
    count: usize,
}

impl<'a> Lines<'a> {
    fn new(old: &'a str) -> Self {
        Self {
            old,
            elements: Vec::new(),
            count: 0,
        }
    }

    fn map(&mut self, map: &Map) {
        map.entries.iter().for_each(|(_, piece)| self.piece(piece));
    }

    fn piece(&mut self, piece: &Piece) {
        if let Some(from) = &piece.from {
            let end = from.value.end.saturating_sub(1).max(from.start);
            self.elements.push(Element {
                index: self.count,
                first: self.line(from.start),
                last: self.line(end),
            });
        }
        self.count += 1;
        match &piece.value {
            Yaml::Map(map) => self.map(map),
            Yaml::List(items) => items.iter().for_each(|item| self.piece(item)),
            _ => {}
        }
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.old.get(..offset).unwrap_or(self.old);
        before.matches('\n').count() + 1
    }
}

struct Printer {
    out: String,
    places: Places,
    above: HashMap<usize, Vec<String>>,
    count: usize,
    /// What was printed last takes blank lines as its own.
    open: bool,
}

impl Printer {
    fn line(&mut self, indent: usize, text: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.out.push_str(text);
        self.out.push('\n');
        self.open = false;
    }

    fn blank(&mut self) {
        if !self.open {
            self.out.push('\n');
        }
    }

    fn map(&mut self, map: &Map, indent: usize) {
        for (key, piece) in &map.entries {
            if indent == 0 && matches!(piece.value, Yaml::Map(_)) {
                self.blank();
            }
            self.comments(indent);
            self.out.push_str(&" ".repeat(indent));
            self.entry(key, piece, indent);
        }
    }

    fn comments(&mut self, indent: usize) {
        for comment in self.above.remove(&self.count).unwrap_or_default() {
            self.line(indent, &comment);
        }
        self.count += 1;
    }

    /// A key and its value; the indentation stands already.
    fn entry(&mut self, key: &str, piece: &Piece, indent: usize) {
        let start = self.out.len();
        self.out.push_str(key);
        self.out.push(':');
        self.value(&piece.value, indent);
        self.place(start, piece.from.as_ref());
    }

    fn place(&mut self, start: usize, from: Option<&Origin>) {
        if let Some(from) = from {
            self.places
                .push((start..self.out.len(), from.value.clone()));
        }
    }

    fn value(&mut self, value: &Yaml, indent: usize) {
        match value {
            Yaml::Word(word) => self.line(1, word),
            Yaml::Bytes(bytes) => {
                let text = STANDARD.encode(bytes);
                self.line(1, &format!("!!binary \"{text}\""));
            }
            Yaml::Text(text) => self.text(text, indent),
            Yaml::Map(map) => {
                self.out.push('\n');
                self.map(map, indent + STEP);
            }
            Yaml::List(items) => {
                self.out.push('\n');
                let mut long = false;
                for item in items {
                    if long {
                        self.blank();
                    }
                    self.item(item, indent + STEP);
                    long = holds_block(&item.value);
                }
            }
        }
    }

    fn item(&mut self, item: &Piece, indent: usize) {
        self.comments(indent);
        self.out.push_str(&" ".repeat(indent));
        let start = self.out.len();
        self.out.push('-');
        match &item.value {
            Yaml::Map(map) => {
                // The first key stands in the line of the dash.
                let mut lead = 1;
                for (key, piece) in &map.entries {
                    let comments = self.above.remove(&self.count).unwrap_or_default();
                    self.count += 1;
                    if lead == 1 && !comments.is_empty() {
                        self.out.push('\n');
                        lead = indent + STEP;
                    }
                    for comment in &comments {
                        self.line(indent + STEP, comment);
                    }
                    self.out.push_str(&" ".repeat(lead));
                    self.entry(key, piece, indent + STEP);
                    lead = indent + STEP;
                }
            }
            value => self.value(value, indent),
        }
        self.place(start, item.from.as_ref());
    }

    fn text(&mut self, text: &str, indent: usize) {
        let (header, keeps) = match scalar::form(text) {
            Form::Line(line) => return self.line(1, &line),
            Form::Block { header, keeps } => (header, keeps),
        };
        self.line(1, &header);
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        for line in lines {
            match line {
                "" => self.out.push('\n'),
                line => self.line(indent + STEP, line),
            }
        }
        self.open = keeps;
    }
}

/// Whether something in it is printed over several lines.
fn holds_block(value: &Yaml) -> bool {
    match value {
        Yaml::Text(text) => matches!(scalar::form(text), Form::Block { .. }),
        Yaml::Map(map) => map
            .entries
            .iter()
            .any(|(_, piece)| holds_block(&piece.value)),
        Yaml::List(items) => items.iter().any(|item| holds_block(&item.value)),
        _ => false,
    }
}
