//! `reproduce.sh`, and what people keep in its place: assignments, alone or before the stick maker.

use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::diagnostic::Diagnostic;
use crate::env_file::is_variable_name;
use crate::shell_words::{self, Word};
use crate::source::Source;

/// What the variables were for.
const STICK_MAKER: &[u8] = b"build_pxe_stick.sh";

/// What may stand before assignments and changes nothing of them.
const BEFORE: [&[u8]; 3] = [b"sudo", b"env", b"export"];

/// `NAME=value`.
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: Zeroizing<Vec<u8>>,
    /// Where the name stands.
    pub(super) span: Range<usize>,
}

/// The assignments of a script in their order. `source` is for the places of mistakes, and shows nothing.
pub(super) fn read(
    script: &str,
    source: &Arc<Source>,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Assignment> {
    let (commands, wrong) = shell_words::read(script);
    let mut found: Vec<Diagnostic> = wrong
        .into_iter()
        .map(|it| {
            Diagnostic::error(it.kind.to_string())
                .at(source, it.span)
                .help(it.kind.help())
        })
        .collect();
    let mut assignments = Vec::new();
    for words in commands {
        let mut may_prefix = true;
        for word in words {
            if may_prefix && BEFORE.contains(&word.value.as_slice()) {
                continue;
            }
            may_prefix = false;
            match name(script, &word) {
                Some(name) => assignments.push(Assignment {
                    span: word.span.start..word.span.start + name.len(),
                    value: Zeroizing::new(word.value[name.len() + 1..].to_vec()),
                    name,
                }),
                // What follows are its own arguments.
                None if is_stick_maker(&word) => break,
                None => {
                    let message = "this is neither `NAME=value` nor `./build_pxe_stick.sh`";
                    found.push(Diagnostic::error(message).at(source, word.span).help(
                        "a space in a value needs quotes; other commands are not read, so take them out",
                    ));
                    break;
                }
            }
        }
    }
    found.sort_by_key(|it| it.labels.first().map(|label| label.span.start));
    mistakes.extend(found);
    assignments
}

/// The name of the variable, where a word is an assignment: nothing of it may be quoted.
fn name(script: &str, word: &Word) -> Option<String> {
    let (name, _) = script[word.span.clone()].split_once('=')?;
    is_variable_name(name).then(|| name.to_owned())
}

fn is_stick_maker(word: &Word) -> bool {
    word.value.rsplit(|byte| *byte == b'/').next() == Some(STICK_MAKER)
}
