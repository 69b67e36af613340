//! The tree of a YAML document.

use std::ops::Range;
use std::rc::Rc;

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Bytes of the source.
    pub span: Range<usize>,
    /// The tag as written, the core schema's in its short form: `!!int`, `!mine`.
    pub tag: Option<Box<str>>,
    /// What it holds.
    pub content: Content,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// A text; what it means depends on what is asked for, see [`crate::yaml::scalar`].
    Scalar {
        /// The text without quotes and indentation.
        text: String,
        /// Written without quotes or block indicator, so it may be a number or null.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order written.
    Mapping(Vec<(Node, Node)>),
    /// `*name`: the anchored node, whose spans are those of the anchor's place.
    Alias(Rc<Node>),
}

impl Node {
    /// The node that an alias stands for, or the node itself.
    #[must_use]
    pub fn target(&self) -> &Self {
        match &self.content {
            Content::Alias(node) => node.target(),
            _ => self,
        }
    }

    /// Whether it is `*name`.
    #[must_use]
    pub fn is_alias(&self) -> bool {
        matches!(self.content, Content::Alias(_))
    }

    /// The text of a scalar, whatever it means.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.target().content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The keys and values of a mapping.
    #[must_use]
    pub fn entries(&self) -> Option<&[(Self, Self)]> {
        match &self.target().content {
            Content::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it is the merge key `<<`; in quotes it is a key like any other.
    #[must_use]
    pub fn is_merge_key(&self) -> bool {
        let Content::Scalar { text, plain } = &self.content else {
            return false;
        };
        let merges = match self.tag.as_deref() {
            None | Some("!") => *plain,
            Some(tag) => tag == "!!merge",
        };
        merges && text == "<<"
    }

    /// What it is, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        const SHOWN: usize = 20;
        match &self.target().content {
            Content::Sequence(_) => "a list".to_owned(),
            Content::Mapping(_) => "a mapping".to_owned(),
            Content::Alias(_) => "an alias".to_owned(),
            Content::Scalar { text, .. } if text.chars().count() <= SHOWN => format!("`{text}`"),
            Content::Scalar { text, .. } => {
                format!("`{}…`", text.chars().take(SHOWN).collect::<String>())
            }
        }
    }
}
