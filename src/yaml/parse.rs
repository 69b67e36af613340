//! From text to a tree.

use std::borrow::Cow;
use std::ops::Range;

use self::builder::Builder;
use super::node::Node;
use super::quirks::{reject_what_go_rejects, repair};
use super::{duplicates, layout};

mod builder;

/// What is wrong with a document, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the source.
    pub span: Range<usize>,
    /// As a diagnostic's message.
    pub message: String,
    /// An earlier place that it collides with.
    pub earlier: Option<Range<usize>>,
}

/// Reads the first document of a text; whatever follows it is ignored, as yaml.v3 does.
///
/// # Errors
/// One mistake of syntax, or all keys that are given twice.
pub fn parse(written: &str) -> Result<Node, Vec<Mistake>> {
    reject_what_go_rejects(written).map_err(|mistake| vec![mistake])?;
    let mut text = Cow::Borrowed(written);
    let mut read = 0;
    loop {
        let mut builder = Builder::new(&text);
        match builder.run() {
            Ok(Some(root)) => {
                layout::check(written, &builder.pieces, root.span.end)
                    .map_err(|mistake| vec![mistake])?;
                let repaired = matches!(text, Cow::Owned(_));
                if repaired && layout::lost_text(written, &text, &builder.pieces) {
                    return Err(vec![mistake(root.span, "lines with odd indentation")]);
                }
                let duplicates = duplicates::find(&root);
                return if duplicates.is_empty() {
                    Ok(root)
                } else {
                    Err(duplicates)
                };
            }
            Ok(None) => return Err(vec![mistake(0..0, "the document is empty")]),
            Err(mistake) => match repair(&text, &mistake) {
                Some(_) if read > MAX_READ => {
                    let message = "too many lines with odd indentation";
                    return Err(vec![self::mistake(mistake.span, message)]);
                }
                Some(better) => {
                    read += text.len();
                    text = better.into();
                }
                None => return Err(vec![mistake]),
            },
        }
    }
}

/// Each repair costs reading the text once more; these bytes take about a second.
const MAX_READ: usize = 1 << 25;

/// A mistake that collides with nothing.
pub(super) fn mistake(span: Range<usize>, message: impl Into<String>) -> Mistake {
    Mistake {
        span,
        message: message.into(),
        earlier: None,
    }
}

#[cfg(test)]
mod tests;
