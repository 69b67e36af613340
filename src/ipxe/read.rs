//! A script, split as iPXE splits it (`src/image/script.c` and `src/core/exec.c` there). iPXE knows neither
//! quotes nor escapes: a line is words between white space, and `||`, `&&` and `;` count only as words.

use std::ops::Range;

/// A whole script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Whether it begins with `#!ipxe` and white space; without it iPXE refuses the file.
    pub has_magic: bool,
    /// The lines, those that end in `\` joined with the next.
    pub lines: Vec<Line>,
    /// The `\` at the very end of the file, where no line follows: iPXE fails there.
    pub dangling: Option<Range<usize>>,
}

/// A line: a label or none, then commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Without its colon.
    pub label: Option<Token>,
    /// In the order they stand; iPXE runs an empty one, too, and it succeeds.
    pub commands: Vec<Command>,
    /// The first word that begins with `#`: it and all behind it in the line are ignored.
    pub comment: Option<Token>,
    /// All of it.
    pub span: Range<usize>,
}

/// A command with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// On what it depends.
    pub when: When,
    /// The name first. Settings are not expanded: iPXE does that after it has split.
    pub words: Vec<Token>,
}

/// When a command runs, by what stands before it in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// First in the line, or after `;`.
    Always,
    /// After `&&`: the last command that ran has succeeded.
    Succeeded,
    /// After `||`: it has failed.
    Failed,
}

/// A word, and the bytes of the script it stands on, which may be more: a `\` at the end of a line can stand
/// within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// As iPXE sees it.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
}

impl Script {
    /// Every command with its line.
    pub fn commands(&self) -> impl Iterator<Item = (&Line, &Command)> {
        self.lines
            .iter()
            .flat_map(|line| line.commands.iter().map(move |command| (line, command)))
    }

    /// The line that `goto` finds, by its index: the first with that label.
    #[must_use]
    pub fn find_label(&self, label: &str) -> Option<usize> {
        let is_it = |line: &Line| line.label.as_ref().is_some_and(|found| found.text == label);
        self.lines.iter().position(is_it)
    }
}

impl Command {
    /// The command's name, or nothing where the command is empty.
    #[must_use]
    pub fn name(&self) -> Option<&Token> {
        self.words.first()
    }

    /// The words after the name.
    #[must_use]
    pub fn args(&self) -> &[Token] {
        self.words.get(1..).unwrap_or_default()
    }

    /// From the first word to the last.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        let (first, last) = (self.words.first()?, self.words.last()?);
        Some(first.span.start..last.span.end)
    }
}

/// Reads a script. It never fails: what iPXE would trip over is in the result.
#[must_use]
pub fn read(text: &str) -> Script {
    let mut script = Script {
        has_magic: has_magic(text),
        lines: Vec::new(),
        dangling: None,
    };
    let mut line = Joined::default();
    let mut start = 0;
    let mut offset = 0;
    for physical in text.split_inclusive('\n') {
        let content = physical.strip_suffix('\n').unwrap_or(physical);
        line.parts.push((line.text.len(), offset));
        line.text.push_str(content);
        let end = offset + content.len();
        offset += physical.len();
        if line.text.ends_with('\r') {
            line.text.pop();
        }
        if line.text.ends_with('\\') {
            let at = line.offset(line.text.len() - 1);
            line.text.pop();
            script.dangling = Some(at..at + 1);
            continue;
        }
        script.dangling = None;
        script.lines.push(split_line(&line, start..end));
        line.text.clear();
        line.parts.clear();
        start = offset;
    }
    script
}

/// A line over as many lines of the file as it takes.
#[derive(Default)]
struct Joined {
    text: String,
    /// Where each of those begins, in the text and in the file.
    parts: Vec<(usize, usize)>,
}

impl Joined {
    /// Where a byte of the text stands in the file.
    fn offset(&self, at: usize) -> usize {
        let part = self.parts.iter().rfind(|(begin, _)| *begin <= at);
        part.map_or(at, |(begin, offset)| offset + at - begin)
    }

    fn words(&self) -> impl Iterator<Item = Token> {
        let mut at = 0;
        // White space is one byte, and no part of another character.
        let words = self.text.as_bytes();
        let words = words.split(|byte| is_space(char::from(*byte)));
        words.filter_map(move |word| {
            let begin = at;
            at += word.len() + 1;
            let last = (begin + word.len()).checked_sub(1)?;
            (!word.is_empty()).then(|| Token {
                text: self.text[begin..=last].to_owned(),
                span: self.offset(begin)..self.offset(last) + 1,
            })
        })
    }
}

fn has_magic(text: &str) -> bool {
    // iPXE still takes the name that it had when it was young.
    ["#!ipxe", "#!gpxe"]
        .iter()
        .filter_map(|magic| text.strip_prefix(magic))
        .any(|rest| rest.starts_with(is_space))
}

/// C's `isspace`.
pub(super) fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t'..='\r')
}

fn split_line(line: &Joined, span: Range<usize>) -> Line {
    let mut words = line.words().peekable();
    let label = words
        .next_if(|first| first.text.starts_with(':'))
        .map(|colon| Token {
            text: colon.text[1..].to_owned(),
            span: colon.span,
        });
    let mut commands = vec![Command {
        when: When::Always,
        words: Vec::new(),
    }];
    let mut comment = None;
    for word in words {
        let when = match word.text.as_str() {
            "||" => When::Failed,
            "&&" => When::Succeeded,
            ";" => When::Always,
            text if text.starts_with('#') => {
                comment = Some(word);
                break;
            }
            _ => {
                if let Some(command) = commands.last_mut() {
                    command.words.push(word);
                }
                continue;
            }
        };
        commands.push(Command {
            when,
            words: Vec::new(),
        });
    }
    Line {
        label,
        commands,
        comment,
        span,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        read(text)
            .commands()
            .map(|(_, command)| command.words.iter().map(|word| word.text.clone()).collect())
            .filter(|words: &Vec<String>| !words.is_empty())
            .collect()
    }

    #[test]
    fn white_space_splits_and_quotes_do_not_hold() {
        assert_eq!(words("set x a\"b \t c\"d"), [["set", "x", "a\"b", "c\"d"]]);
    }

    #[test]
    fn operators_count_only_as_words() {
        let line = &read("a x||y || b && c ; d;").lines[0];
        let when: Vec<_> = line.commands.iter().map(|command| command.when).collect();
        assert_eq!(
            when,
            [When::Always, When::Failed, When::Succeeded, When::Always]
        );
        assert_eq!(line.commands[0].args()[0].text, "x||y");
        assert_eq!(line.commands[3].name().unwrap().text, "d;");
    }

    #[test]
    fn a_word_that_begins_with_a_hash_ends_the_line() {
        let text = "kernel a#b c #d || e\nboot";
        assert_eq!(words(text), [vec!["kernel", "a#b", "c"], vec!["boot"]]);
        let comment = read(text).lines[0].comment.clone().unwrap();
        assert_eq!(&text[comment.span], "#d");
    }

    #[test]
    fn a_backslash_at_the_end_joins_even_inside_a_word() {
        let text = "kernel a\\\nb \\\r\n  c\r\nboot\\";
        let script = read(text);
        assert_eq!(words(text), [vec!["kernel", "ab", "c"]]);
        assert_eq!(
            &text[script.lines[0].commands[0].args()[0].span.clone()],
            "a\\\nb"
        );
        assert_eq!(script.dangling, Some(text.len() - 1..text.len()));
    }

    #[test]
    fn labels_may_carry_a_command() {
        let script = read("#!ipxe\n  :start echo é\n:\n");
        assert_eq!(script.find_label("start"), Some(1));
        assert_eq!(script.find_label(""), Some(2));
        assert_eq!(script.lines[1].commands[0].args()[0].text, "é");
    }

    #[test]
    fn the_first_line_needs_white_space_after_it() {
        assert!(read("#!ipxe\n").has_magic);
        assert!(read("#!ipxe\r\n").has_magic);
        assert!(!read("#!ipxe").has_magic);
        assert!(!read("#!ipxe2\n").has_magic);
        assert!(!read("\u{feff}#!ipxe\n").has_magic);
    }
}
