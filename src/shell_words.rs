//! The words of a shell script that is nothing but words, as bash reads them: what its `printf %q` wrote comes back byte
//! for byte. Nothing is run or expanded: where bash would do that is a mistake.
//!
//! The rules are those of bash(1), "QUOTING"; an escape in `$'…'` that bash does not know stands for itself.

use std::ops::Range;

use zeroize::Zeroizing;

mod ansi;

/// One word of a command. It may be a secret: it is not `Debug`, and wiped when dropped.
pub struct Word {
    /// What it comes to.
    pub value: Zeroizing<Vec<u8>>,
    /// The bytes of the script that it is written in.
    pub span: Range<usize>,
}

/// A place where bash would do more than read a word. It holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is there.
    pub kind: MistakeKind,
    /// The bytes of the script.
    pub span: Range<usize>,
}

/// What stands where only words may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MistakeKind {
    /// A variable, a command's output, a home folder, braces.
    #[error("bash would expand this, and nothing is expanded here")]
    Expansion,
    /// `;`, `&`, `|`, a redirection, a subshell.
    #[error("bash would not take this as part of a word")]
    Operator,
    /// A quote that nothing closes.
    #[error("this quote is not closed")]
    Unclosed,
    /// `\u` with no character of that number, or `\c`.
    #[error("this escape stands for no character")]
    Escape,
}

impl MistakeKind {
    /// What to do about it.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Expansion => {
                "write what it comes to; what is meant as it stands goes between single quotes"
            }
            Self::Operator => "put the value between single quotes; other commands are not read",
            Self::Unclosed => {
                "close it, or put a backslash before it where it belongs to the value"
            }
            Self::Escape => "write the character itself",
        }
    }
}

/// The words of each command, and all mistakes, of which a line shows the first. A command with a mistake is left out.
#[must_use]
pub fn read(script: &str) -> (Vec<Vec<Word>>, Vec<Mistake>) {
    let mut reader = Reader { script, at: 0 };
    let mut commands = Vec::new();
    let mut mistakes = Vec::new();
    while reader.at < script.len() {
        let mut words = Vec::new();
        let mut is_broken = false;
        loop {
            match reader.word() {
                Ok(Some(word)) => words.push(word),
                Ok(None) => break,
                Err(mistake) => {
                    reader.pass_line(&mistake);
                    mistakes.push(mistake);
                    is_broken = true;
                }
            }
        }
        if !is_broken && !words.is_empty() {
            commands.push(words);
        }
    }
    (commands, mistakes)
}

struct Reader<'a> {
    script: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.script[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The next word of this command; `None` at its end, which is passed.
    fn word(&mut self) -> Result<Option<Word>, Mistake> {
        loop {
            if let Some(length) = self.continued() {
                self.at += length;
            } else if let Some(length) = self.line_end() {
                self.at += length;
                return Ok(None);
            } else if self.rest().starts_with([' ', '\t']) {
                self.at += 1;
            } else if self.rest().starts_with('#') {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else {
                break;
            }
        }
        let start = self.at;
        let mut value = Value::new();
        // Where bash looks for `~`: at the beginning, and behind these two.
        let mut may_be_home = true;
        while let Some(next) = self.next() {
            if let Some(length) = self.continued() {
                self.at += length;
                continue;
            }
            if self.line_end().is_some() || matches!(next, ' ' | '\t') {
                break;
            }
            match next {
                '\\' => self.escaped(&mut value)?,
                '\'' => self.single_quoted(&mut value)?,
                '"' => self.double_quoted(&mut value)?,
                '$' if self.rest().starts_with("$'") => self.ansi_quoted(&mut value)?,
                '$' => self.dollar(&mut value)?,
                '`' | '{' => return Err(self.mistake(MistakeKind::Expansion, 1)),
                '~' if may_be_home => return Err(self.mistake(MistakeKind::Expansion, 1)),
                ';' | '&' | '|' | '<' | '>' | '(' | ')' => {
                    return Err(self.mistake(MistakeKind::Operator, 1));
                }
                other => self.plain(&mut value, other),
            }
            may_be_home = matches!(next, '=' | ':');
        }
        Ok(Some(Word {
            value: value.0,
            span: start..self.at,
        }))
    }

    /// The length of a backslash and the line end that it takes away; at the text's end there may be none.
    fn continued(&self) -> Option<usize> {
        let rest = self.rest();
        let whole = ["\\\n", "\\\r\n"].into_iter();
        let at_end = ["\\", "\\\r"].into_iter();
        let found = whole
            .filter(|it| rest.starts_with(it))
            .chain(at_end.filter(|it| rest == *it));
        found.map(str::len).next()
    }

    /// The length of the line end that stands here, or of the text's end.
    fn line_end(&self) -> Option<usize> {
        match self.rest() {
            "" => Some(0),
            "\r" => Some(1),
            rest if rest.starts_with('\n') => Some(1),
            rest if rest.starts_with("\r\n") => Some(2),
            _ => None,
        }
    }

    fn mistake(&self, kind: MistakeKind, length: usize) -> Mistake {
        Mistake {
            kind,
            span: self.at..self.at + length,
        }
    }

    /// Goes on after a mistake: on the next line, where that belongs to the same command; else at the end of this one.
    fn pass_line(&mut self, mistake: &Mistake) {
        if mistake.kind == MistakeKind::Unclosed {
            self.at = self.script.len();
            return;
        }
        let rest = self.rest();
        let end = rest.find('\n').unwrap_or(rest.len());
        let is_continued = rest[..end].trim_end_matches('\r').ends_with('\\');
        self.at += if is_continued {
            (end + 1).min(rest.len())
        } else {
            end
        };
    }

    fn plain(&mut self, value: &mut Value, character: char) {
        value.push_char(character);
        self.at += character.len_utf8();
    }

    fn escaped(&mut self, value: &mut Value) -> Result<(), Mistake> {
        self.at += 1;
        match self.next() {
            Some(next) => self.plain(value, next),
            None => return Err(self.mistake(MistakeKind::Unclosed, 0)),
        }
        Ok(())
    }

    fn single_quoted(&mut self, value: &mut Value) -> Result<(), Mistake> {
        let inside = self.at + 1;
        let Some(length) = self.script[inside..].find('\'') else {
            return Err(self.mistake(MistakeKind::Unclosed, 1));
        };
        value.extend(&self.script.as_bytes()[inside..inside + length]);
        self.at = inside + length + 1;
        Ok(())
    }

    fn double_quoted(&mut self, value: &mut Value) -> Result<(), Mistake> {
        let unclosed = self.mistake(MistakeKind::Unclosed, 1);
        self.at += 1;
        while let Some(next) = self.next() {
            match next {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '`' => return Err(self.mistake(MistakeKind::Expansion, 1)),
                '$' if self.rest().starts_with("$\"") => self.plain(value, '$'),
                '$' => self.dollar(value)?,
                '\\' if self.rest().len() > 1 && self.continued().is_some() => {
                    self.at += self.continued().unwrap_or_default();
                }
                '\\' => {
                    self.at += 1;
                    match self.next() {
                        Some(it @ ('$' | '`' | '"' | '\\')) => self.plain(value, it),
                        _ => value.push(b'\\'),
                    }
                }
                other => self.plain(value, other),
            }
        }
        Err(unclosed)
    }

    /// A `$` that begins nothing stands for itself.
    fn dollar(&mut self, value: &mut Value) -> Result<(), Mistake> {
        let names = |next: char| next.is_ascii_alphanumeric() || "_{([\"*@#?-$!".contains(next);
        let after = self.rest()[1..].chars().next();
        if after.is_some_and(names) {
            return Err(self.mistake(MistakeKind::Expansion, 1));
        }
        self.plain(value, '$');
        Ok(())
    }
}

/// A value that grows, and leaves no copy behind when it does.
struct Value(Zeroizing<Vec<u8>>);

impl Value {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::new()))
    }

    fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    fn push_char(&mut self, character: char) {
        self.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn extend(&mut self, bytes: &[u8]) {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(64.max(2 * length)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
