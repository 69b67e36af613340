//! Words in `$'…'`, with the escapes of C: bash quotes so what no other quotes can hold on one line.

use super::{Mistake, MistakeKind, Reader, Value};

impl Reader<'_> {
    /// `$'…'`
    pub(super) fn ansi_quoted(&mut self, value: &mut Value) -> Result<(), Mistake> {
        let unclosed = self.mistake(MistakeKind::Unclosed, 2);
        self.at += 2;
        while let Some(next) = self.next() {
            match next {
                '\'' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => self.ansi_escape(value)?,
                other => self.plain(value, other),
            }
        }
        Err(unclosed)
    }

    fn ansi_escape(&mut self, value: &mut Value) -> Result<(), Mistake> {
        let start = self.at;
        self.at += 1;
        let Some(next) = self.next() else {
            return Ok(());
        };
        if next.is_digit(8) {
            // What is more than a byte loses its highest bit.
            value.push((self.number(8, 3).unwrap_or_default() & 0xff) as u8);
            return Ok(());
        }
        self.at += next.len_utf8();
        let single = match next {
            'a' => 0x07,
            'b' => 0x08,
            'e' | 'E' => 0x1b,
            'f' => 0x0c,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 0x0b,
            '\\' | '\'' | '"' | '?' => next as u8,
            'x' => match self.number(16, 2) {
                Some(byte) => (byte & 0xff) as u8,
                None => {
                    value.extend(b"\\x");
                    return Ok(());
                }
            },
            'u' | 'U' => {
                let Some(code) = self.number(16, if next == 'u' { 4 } else { 8 }) else {
                    value.push(b'\\');
                    value.push_char(next);
                    return Ok(());
                };
                let span = start..self.at;
                let kind = MistakeKind::Escape;
                let character = char::from_u32(code).ok_or(Mistake { kind, span })?;
                value.push_char(character);
                return Ok(());
            }
            'c' => {
                let span = start..self.at;
                let kind = MistakeKind::Escape;
                return Err(Mistake { kind, span });
            }
            other => {
                value.push(b'\\');
                value.push_char(other);
                return Ok(());
            }
        };
        value.push(single);
        Ok(())
    }

    /// The number that stands here, of so many digits at most.
    fn number(&mut self, radix: u32, most: usize) -> Option<u32> {
        let digits = self.rest().chars().take(most);
        let length = digits.take_while(|it| it.is_digit(radix)).count();
        let number = u32::from_str_radix(&self.rest()[..length], radix).ok()?;
        self.at += length;
        Some(number)
    }
}
