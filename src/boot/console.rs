//! The text of a serial port, in lines.

/// Takes what comes, in pieces of any length.
#[derive(Default)]
pub struct Lines {
    begun: Vec<u8>,
}

/// A line longer than this is cut there: nobody writes one, and all of it is kept in memory.
const LONGEST: usize = 4096;

impl Lines {
    /// The lines that are whole now, without what only a terminal heeds.
    pub fn take(&mut self, piece: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        for byte in piece {
            if *byte != b'\n' {
                self.begun.push(*byte);
            }
            if *byte == b'\n' || self.begun.len() >= LONGEST {
                whole.push(plain(&self.begun));
                self.begun.clear();
            }
        }
        whole
    }

    /// The line that is not whole yet: what asks for a name has no line end.
    #[must_use]
    pub fn begun(&self) -> String {
        plain(&self.begun)
    }
}

/// A text without escape sequences (ECMA-48, 5.4) and control characters.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut chars = text.chars();
    let mut plain = String::new();
    while let Some(char) = chars.next() {
        if char != '\x1b' {
            plain.extend(Some(char).filter(|it| !it.is_control() || *it == '\t'));
            continue;
        }
        if chars.next() == Some('[') {
            for next in chars.by_ref() {
                if ('@'..='~').contains(&next) {
                    break;
                }
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_plain_however_they_come() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"\x1b[2J\x1b[01;01HOne\r"), [""; 0]);
        assert_eq!(lines.begun(), "One");
        let whole = lines.take(b"\n[\x1b[0;32m  OK  \x1b[0m] Two\r\n\x1bcThree\n\x1b[");
        assert_eq!(whole, ["One", "[  OK  ] Two", "Three"]);
        assert_eq!(lines.take(b"0mn1 login: "), [""; 0]);
        assert_eq!(lines.begun(), "n1 login: ");
        assert_eq!(lines.take(&[b'x'; 5000]).len(), 1);
    }
}
