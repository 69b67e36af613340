//! Texts of other people inside Markdown: what a forge shows of them is these texts, and nothing in them is obeyed.

use std::fmt::Write as _;

/// A text in one line, in `<code>`, where forges look neither for `@names` nor for `#123`. Every character that Markdown or
/// HTML could take for its own is spelt by its number, so it holds in a paragraph, a table and an HTML block alike.
pub(super) fn code(text: &str) -> String {
    let mut code = "<code>".to_owned();
    let text = visible(text).replace('\n', "<U+000A>");
    let mut last = ' ';
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let is_plain = match char {
            // `www.` begins a link, and `https:`.
            '.' => !matches!(last, 'w' | 'W'),
            ':' => chars.peek().is_none_or(|next| *next == ' '),
            _ => char.is_alphanumeric() || " -/,;=()'+%?!".contains(char),
        };
        if is_plain || !char.is_ascii() {
            code.push(char);
        } else {
            // Writing to a string can't fail, here and below.
            let _ = write!(code, "&#{};", u32::from(char));
        }
        last = char;
    }
    code + "</code>"
}

/// A sentence of the tool's own, in which what stands between backticks is from elsewhere.
pub(super) fn sentence(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return code(text);
    }
    let pieces = pieces.iter().enumerate();
    pieces
        .map(|(at, piece)| match at % 2 {
            0 => plain(piece),
            _ => code(piece),
        })
        .collect()
}

fn plain(text: &str) -> String {
    let code = code(text);
    let code = code.strip_prefix("<code>").unwrap_or(&code);
    code.strip_suffix("</code>").unwrap_or(code).to_owned()
}

/// A block of code in a language, in a fence that nothing inside can close.
pub(super) fn block(language: &str, text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!(
        "{fence}{language}\n{}\n{fence}\n",
        text.trim_end_matches('\n')
    )
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

/// A text in which every character is seen that is obeyed and not seen: control characters, those that turn the order of
/// others around, and those without any width.
fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for char in text.chars() {
        let is_hidden = matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if is_hidden || char.is_control() && !matches!(char, '\t' | '\n') {
            let _ = write!(seen, "<U+{:04X}>", u32::from(char));
        } else {
            seen.push(char);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_code_is_left_for_markdown_or_html() {
        for (text, expected) in [
            ("file /etc/a", "file /etc/a"),
            ("a|b`c", "a&#124;b&#96;c"),
            ("</code><img src=x>", "&#60;/code&#62;&#60;img src=x&#62;"),
            (
                "@ada #12 _a_ *b* ~c~",
                "&#64;ada &#35;12 &#95;a&#95; &#42;b&#42; &#126;c&#126;",
            ),
            ("https://a.b www.a", "https&#58;//a.b www&#46;a"),
            ("[a](b) &amp; \\|", "&#91;a&#93;(b) &#38;amp; &#92;&#124;"),
            (
                "a\nb\u{202e}c\u{1b}[1m\u{200b}",
                "a&#60;U+000A&#62;b&#60;U+202E&#62;c&#60;U+001B&#62;&#91;1m&#60;U+200B&#62;",
            ),
            ("größe 漢字", "größe 漢字"),
        ] {
            assert_eq!(code(text), format!("<code>{expected}</code>"));
        }
    }

    #[test]
    fn a_sentence_keeps_what_it_quotes() {
        assert_eq!(
            sentence("run `git push`; <now>"),
            "run <code>git push</code>; &#60;now&#62;"
        );
        assert_eq!(sentence("odd ` one"), "<code>odd &#96; one</code>");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(block("diff", "+a\n"), "```diff\n+a\n```\n");
        assert_eq!(
            block("", "a ```` b\n```\n"),
            "`````\na ```` b\n```\n`````\n"
        );
        assert_eq!(block("", "a\rb"), "```\na<U+000D>b\n```\n");
    }
}
