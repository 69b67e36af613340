//! What the local server gives beside a fleet's files.

use super::reporter;
use super::stand_in::FOLDER;
use crate::site::{Body, Content, Tree, Trouble};

/// A fleet's rendered files, where one config tells how its node is.
pub struct Reporting<'a> {
    /// The files.
    pub files: &'a dyn Tree,
    /// The path of the config.
    pub config: String,
    /// Where the node posts its reports.
    pub url: String,
}

impl Tree for Reporting<'_> {
    fn find(&self, path: &str) -> Result<Option<Content>, Trouble> {
        let found = self.files.find(path)?;
        if path != self.config {
            return Ok(found);
        }
        let Some(Body::Bytes(bytes)) = found.map(|content| content.body) else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        let with = reporter::add(&text, &self.url)
            .ok_or_else(|| Trouble::here("the config can't be read, so nothing is added to it"))?;
        Ok(Some(Content::of(path, with.into_bytes())))
    }
}

/// What secret URLs lead to: it is there, whatever is asked for.
pub struct StandIns;

impl Tree for StandIns {
    fn find(&self, path: &str) -> Result<Option<Content>, Trouble> {
        let is_below = path
            .strip_prefix(FOLDER)
            .is_some_and(|it| it.starts_with('/'));
        Ok(is_below.then(|| Content::of(path, b"ok\n".to_vec())))
    }
}
