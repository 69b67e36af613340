//! The syntax of unit files, as go-systemd reads it: laxer than systemd in places, stricter in others.

use crate::ignition::report::Problem;

const UNCLOSED: Problem = (
    "the name of a section without `]`",
    "write it as `[Service]`",
);
const AFTER_SECTION: Problem = (
    "text behind the name of a section",
    "begin a new line after `]`",
);
const NO_OPTION: Problem = (
    "a line that is no option, section or comment",
    "write `Name=value`, or begin it with `#`",
);
const TOO_LONG: Problem = (
    "a line of 2048 bytes or more",
    "break it with a backslash: systemd would cut it off",
);

/// systemd cuts longer lines off; go-systemd refuses them.
const LINE_LIMIT: usize = 2048;

/// Whether a unit file has options in a section `[Install]`.
///
/// # Errors
/// What is wrong with its syntax.
pub fn has_install_section(text: &str) -> Result<bool, Problem> {
    let mut installs = false;
    // Whatever stands before the first section is ignored, except that a comment hides a `[`.
    let mut rest = skip_to_section(text)?;
    while let Some(after_bracket) = rest.strip_prefix('[') {
        let (section, after) = after_bracket.split_once(']').ok_or(UNCLOSED)?;
        let (garbage, after) = line(after)?;
        if !garbage.trim().is_empty() {
            return Err(AFTER_SECTION);
        }
        let (options, after) = skip_options(after)?;
        installs |= options && section == "Install";
        rest = after;
    }
    Ok(installs)
}

/// From the beginning of the text to its first `[`.
fn skip_to_section(mut text: &str) -> Result<&str, Problem> {
    loop {
        match text.chars().next() {
            None | Some('[') => return Ok(text),
            Some('#' | ';') => text = continued_line(text)?,
            Some(other) => text = &text[other.len_utf8()..],
        }
    }
}

/// From the end of a section's name to the next `[` or the end; and whether there was an option.
fn skip_options(mut text: &str) -> Result<(bool, &str), Problem> {
    let mut any = false;
    loop {
        text = text.trim_start();
        match text.chars().next() {
            None | Some('[') => return Ok((any, text)),
            Some('#' | ';') => text = continued_line(text)?,
            Some(_) => {
                let end = text.find(['=', '\n', '\r']).ok_or(NO_OPTION)?;
                let Some(value) = text[end..].strip_prefix('=') else {
                    return Err(NO_OPTION);
                };
                line(text)?;
                text = option_value(value)?;
                any = true;
            }
        }
    }
}

/// A value ends with a line that does not end in a backslash.
fn option_value(mut text: &str) -> Result<&str, Problem> {
    loop {
        let (value, after) = line(text)?;
        text = after;
        if value.trim().is_empty() || !value.ends_with('\\') {
            return Ok(text);
        }
    }
}

/// Skips a comment; a backslash at its end continues it.
fn continued_line(mut text: &str) -> Result<&str, Problem> {
    loop {
        let (comment, after) = line(text)?;
        text = after;
        if !comment.strip_suffix(' ').unwrap_or(comment).ends_with('\\') {
            return Ok(text);
        }
    }
}

/// One line without its end, and what follows it.
fn line(text: &str) -> Result<(&str, &str), Problem> {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    if line.len() >= LINE_LIMIT {
        return Err(TOO_LONG);
    }
    Ok((line, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_install_section() {
        assert_eq!(
            has_install_section("[Unit]\nA=b\n[Install]\nWantedBy=x\n"),
            Ok(true)
        );
        assert_eq!(has_install_section("[Install]\n# nothing\n"), Ok(false));
        assert_eq!(
            has_install_section("text before\n; [Install]\n[Unit]\nA=b \\\n [Install]\n"),
            Ok(false)
        );
        assert_eq!(has_install_section(""), Ok(false));
    }

    #[test]
    fn refuses_what_go_systemd_refuses() {
        assert_eq!(has_install_section("[Unit\nA=b"), Err(UNCLOSED));
        assert_eq!(has_install_section("[Unit] x\n"), Err(AFTER_SECTION));
        assert_eq!(has_install_section("[Unit]\nno equals\n"), Err(NO_OPTION));
        assert_eq!(has_install_section("[Unit]\nno end"), Err(NO_OPTION));
        let long = |length| format!("[Unit]\nA={}\n", "x".repeat(length));
        assert_eq!(has_install_section(&long(2046)), Err(TOO_LONG));
        assert_eq!(has_install_section(&long(2045)), Ok(false));
    }
}
