//! Text that systemd reads: environment files, and single words in the lines of a unit.
//!
//! The rules are those that systemd 252 was seen to apply (`systemd.exec(5)` on `EnvironmentFile=`, `systemd.syntax(7)` on quoting,
//! `systemd.service(5)` on command lines). Where systemd would refuse the whole file, only logging it, is an error here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use zeroize::Zeroizing;

/// The longest `NAME=value` that Linux takes at `execve`, in bytes: `MAX_ARG_STRLEN`, 32 pages of 4 KiB, less the final NUL.
pub const MAX_ASSIGNMENT: usize = 32 * 4096 - 1;

/// Why a variable can't be handed to a service. It never holds the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// Not a name that systemd takes.
    #[error("the name must be letters, digits and `_`, and not begin with a digit")]
    Name,
    /// The value is not text.
    #[error("its value is not UTF-8")]
    NotUtf8,
    /// NUL ends a variable.
    #[error("its value holds a NUL byte")]
    Nul,
    /// systemd takes no code points that Unicode reserves as noncharacters.
    #[error("its value holds the noncharacter U+{:04X}", u32::from(*.0))]
    Noncharacter(char),
    /// The kernel would refuse to start the service.
    #[error(
        "name and value take {0} bytes, and Linux takes no more than {MAX_ASSIGNMENT} in one variable"
    )]
    TooLong(usize),
}

impl EnvError {
    /// What to do about it.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Name => "give the variable a name like `K3S_TOKEN`",
            _ => "hand it over as a file of its own: `[roles.<role>.files]`",
        }
    }
}

/// Whether systemd takes this as the name of a variable.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text of a file for `EnvironmentFile=` from which systemd reads back exactly these values, sorted by name.
/// It may hold secrets, so it is wiped when dropped.
///
/// # Errors
/// Every variable that can't be written, by its name.
pub fn write_env_file<'a>(
    variables: &BTreeMap<&'a str, &[u8]>,
) -> Result<Zeroizing<String>, Vec<(&'a str, EnvError)>> {
    // Room for the worst case, so that no half-written copy of a secret is left behind when the text grows.
    let room = variables
        .iter()
        .map(|(name, value)| name.len() + 2 * value.len() + r#"="""#.len() + 1);
    let mut text = Zeroizing::new(String::with_capacity(room.sum()));
    let mut mistakes = Vec::new();
    for (name, value) in variables {
        match check_variable(name, value) {
            Ok(value) => {
                text.push_str(name);
                text.push_str("=\"");
                for character in value.chars() {
                    // The four that systemd, like a shell, unescapes in double quotes; all else stands for itself.
                    if matches!(character, '"' | '\\' | '`' | '$') {
                        text.push('\\');
                    }
                    text.push(character);
                }
                text.push_str("\"\n");
            }
            Err(mistake) => mistakes.push((*name, mistake)),
        }
    }
    if mistakes.is_empty() {
        Ok(text)
    } else {
        Err(mistakes)
    }
}

/// The value, where an environment file can hold it under this name.
pub fn check_variable<'v>(name: &str, value: &'v [u8]) -> Result<&'v str, EnvError> {
    if !is_variable_name(name) {
        return Err(EnvError::Name);
    }
    let length = name.len() + "=".len() + value.len();
    if length > MAX_ASSIGNMENT {
        return Err(EnvError::TooLong(length));
    }
    let value = str::from_utf8(value).map_err(|_| EnvError::NotUtf8)?;
    check_characters(value)?;
    Ok(value)
}

fn check_characters(value: &str) -> Result<(), EnvError> {
    for character in value.chars() {
        if character == '\0' {
            return Err(EnvError::Nul);
        }
        if is_noncharacter(character) {
            return Err(EnvError::Noncharacter(character));
        }
    }
    Ok(())
}

/// The code points that Unicode sets aside for good (Unicode 16, 23.7).
fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

/// Where in a unit a quoted word stands: only command lines give `$` a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitLine {
    /// `Environment=` and other settings that are split into words.
    Setting,
    /// `ExecStart=` and its like.
    Command,
}

/// One word of a unit's line, in double quotes, which systemd takes as exactly `value`: `%` is no specifier, and in a
/// command line `$` names no variable. For `Environment=` the word is the whole assignment, `NAME=value`.
///
/// # Errors
/// [`EnvError::Nul`] and [`EnvError::Noncharacter`], as in an environment file.
pub fn quote_systemd(value: &str, line: UnitLine) -> Result<String, EnvError> {
    check_characters(value)?;
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for character in value.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_ascii_control() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(control));
            }
            '%' => quoted.push_str("%%"),
            '$' if line == UnitLine::Command => quoted.push_str("$$"),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(name: &str, value: &[u8]) -> Result<String, EnvError> {
        write_env_file(&BTreeMap::from([(name, value)]))
            .map(|text| text.to_string())
            .map_err(|mistakes| mistakes[0].1)
    }

    // Each of these texts was read by systemd 252 and came back as the value.
    #[test]
    fn quotes_what_systemd_would_change() {
        for (value, text) in [
            ("", r#"A="""#),
            ("plain", r#"A="plain""#),
            (" both ends ", r#"A=" both ends ""#),
            ("# no comment; 'x'", r##"A="# no comment; 'x'""##),
            (r#"a"b\c`d$e"#, r#"A="a\"b\\c\`d\$e""#),
            ("${HOME} %n !", r#"A="\${HOME} %n !""#),
            ("one\n\ttwo\n", "A=\"one\n\ttwo\n\""),
            ("ends in \\", r#"A="ends in \\""#),
            ("back\\\nslash", "A=\"back\\\\\nslash\""),
            ("ä€😀\u{85}\u{feff}", "A=\"ä€😀\u{85}\u{feff}\""),
            ("a\r\n\x01\x7f", "A=\"a\r\n\x01\x7f\""),
        ] {
            let expected = format!("{text}\n");
            assert_eq!(
                written("A", value.as_bytes()),
                Ok(expected),
                "for {value:?}"
            );
        }
    }

    #[test]
    fn refuses_what_systemd_would_drop() {
        assert_eq!(written("A", b"a\0"), Err(EnvError::Nul));
        assert_eq!(written("A", b"\xff"), Err(EnvError::NotUtf8));
        for noncharacter in ['\u{fdd0}', '\u{ffff}', '\u{1fffe}'] {
            assert_eq!(
                written("A", noncharacter.to_string().as_bytes()),
                Err(EnvError::Noncharacter(noncharacter))
            );
        }
        for name in ["", "1A", "A-B", "A B", "É", "A=B"] {
            assert_eq!(written(name, b"x"), Err(EnvError::Name), "for {name:?}");
        }
    }

    #[test]
    fn takes_as_much_as_the_kernel_does() {
        let longest = vec![b'x'; MAX_ASSIGNMENT - "A=".len()];
        assert!(written("A", &longest).is_ok());
        let length = MAX_ASSIGNMENT + 1;
        assert_eq!(written("AB", &longest), Err(EnvError::TooLong(length)));
    }

    #[test]
    fn sorts_by_name_and_finds_every_mistake() {
        let variables = BTreeMap::from([("B", &b"2"[..]), ("A_1", b"1"), ("_", b"3")]);
        let text = write_env_file(&variables).unwrap();
        assert_eq!(*text, "A_1=\"1\"\nB=\"2\"\n_=\"3\"\n");
        let variables = BTreeMap::from([("A", &b"\0"[..]), ("B", b"2"), ("9", b"3")]);
        assert_eq!(
            write_env_file(&variables),
            Err(vec![("9", EnvError::Name), ("A", EnvError::Nul)])
        );
    }

    // These too were read by systemd 252, from `Environment=` and `ExecStart=`.
    #[test]
    fn quotes_a_word_of_a_unit() {
        let value = "a \"b\" 'c' \\d 100% $HOME ${X} $$\n\t\r;";
        assert_eq!(
            quote_systemd(value, UnitLine::Setting).unwrap(),
            r#""a \"b\" 'c' \\d 100%% $HOME ${X} $$\x0a\x09\x0d;""#
        );
        assert_eq!(
            quote_systemd(value, UnitLine::Command).unwrap(),
            r#""a \"b\" 'c' \\d 100%% $$HOME $${X} $$$$\x0a\x09\x0d;""#
        );
        assert_eq!(quote_systemd("", UnitLine::Command).unwrap(), r#""""#);
        assert_eq!(quote_systemd("\0", UnitLine::Setting), Err(EnvError::Nul));
    }
}
