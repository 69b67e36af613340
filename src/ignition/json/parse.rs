//! From text to a tree with places, by Go's rules.

use std::ops::Range;

/// A value with its place: a text, number or word as a whole, a list or object from after its bracket.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) span: Range<usize>,
    pub(super) content: Content<'a>,
}

#[derive(Debug)]
pub(super) enum Content<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(String),
    Array(Vec<Node<'a>>),
    Object(Vec<Entry<'a>>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node<'a>,
}

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    pub(super) message: String,
}

/// Deeper nesting than any config has; a tree this deep is still safe to walk and to drop.
const MAX_DEPTH: usize = 256;

pub(super) fn parse(text: &str) -> Result<Node<'_>, SyntaxError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    parser.skip_space();
    let root = parser.value()?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(root),
        Some(_) => Err(parser.unexpected("after the config")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, place: &str) -> SyntaxError {
        let message = match self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
        {
            Some(found) => format!("unexpected character {found:?} {place}"),
            None => "unexpected end of the JSON".to_owned(),
        };
        SyntaxError {
            at: self.at,
            message,
        }
    }

    fn value(&mut self) -> Result<Node<'a>, SyntaxError> {
        let start = self.at;
        let content = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Content::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Content::Bool(true))?,
            Some(b'f') => self.word("false", Content::Bool(false))?,
            Some(b'n') => self.word("null", Content::Null)?,
            _ => return Err(self.unexpected("where a value begins")),
        };
        let inside = usize::from(matches!(content, Content::Array(_) | Content::Object(_)));
        Ok(Node {
            span: start + inside..self.at,
            content,
        })
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Content<'a>, SyntaxError>,
    ) -> Result<Content<'a>, SyntaxError> {
        if self.depth == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels deep");
            return Err(SyntaxError {
                at: self.at,
                message,
            });
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let content = read(self)?;
        self.depth -= 1;
        Ok(content)
    }

    fn object(&mut self) -> Result<Content<'a>, SyntaxError> {
        let mut entries = Vec::new();
        if self.eat(b'}') {
            return Ok(Content::Object(entries));
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("where a key begins"));
            }
            let key = self.string()?;
            let key_span = start..self.at;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.unexpected("after a key"));
            }
            self.skip_space();
            let value = self.value()?;
            entries.push(Entry {
                key,
                key_span,
                value,
            });
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Content::Object(entries));
            }
            if !self.eat(b',') {
                return Err(self.unexpected("after a value"));
            }
        }
    }

    fn array(&mut self) -> Result<Content<'a>, SyntaxError> {
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Content::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value()?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Content::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.unexpected("after an item"));
            }
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str, content: Content<'a>) -> Result<Content<'a>, SyntaxError> {
        for byte in word.bytes() {
            if !self.eat(byte) {
                return Err(self.unexpected(&format!("in `{word}`")));
            }
        }
        Ok(content)
    }

    fn number(&mut self) -> Result<Content<'a>, SyntaxError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(Content::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unexpected("in a number"));
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let mut out = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let special = |byte: u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
            let length = rest.bytes().position(special).unwrap_or(rest.len());
            out.push_str(&rest[..length]);
            self.at += length;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.unexpected("in a text")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        self.at += 1;
        let plain = match self.peek() {
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.unexpected("after a backslash")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// Four digits, or eight for a pair of surrogates; a lone surrogate is the replacement character.
    fn unicode(&mut self) -> Result<char, SyntaxError> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_first = self.at;
        if self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_first;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, SyntaxError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.unexpected("in `\\u`"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests;
