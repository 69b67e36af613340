//! The files that nodes fetch, with their URLs, as `status` and `plan --live` ask for them.

use super::published::{Publisher, Refused};
use super::{Failure, Loaded};
use crate::plan::base::{Base, Content};
use crate::render::rendered::{ignition_path, script_path, sha512};
use crate::status::{Expected, Role};

/// The files of nodes: each one's config and, where `has_script` says so, its boot script behind that. A URL is that of what
/// the base holds.
pub(super) fn expected<'a>(
    loaded: &Loaded,
    base: &Base,
    nodes: impl IntoIterator<Item = (&'a str, bool)>,
    raw_url: Option<&str>,
) -> Result<Vec<Expected>, Failure> {
    let mut publisher = Publisher::find(&loaded.fleet, loaded.repo.as_ref(), raw_url)?;
    if let Some(commit) = base.commit {
        publisher = publisher.at(commit);
    }
    let by_content = publisher.asks_for_content();
    let mut files = Vec::new();
    for (node, has_script) in nodes {
        let script = has_script.then(|| (Role::Script, script_path(node)));
        let config = (Role::Config, ignition_path(node));
        for (role, path) in [config].into_iter().chain(script) {
            let digest = if by_content {
                committed_digest(loaded, base, &path)?
            } else {
                Some(String::new())
            };
            let url = digest.map(|digest| publisher.url(&path, &digest));
            let url = url.transpose().map_err(Refused::NoUrl)?;
            files.push(Expected { path, role, url });
        }
    }
    Ok(files)
}

/// The digest of what the base holds; `None` where it has no such file.
fn committed_digest(loaded: &Loaded, base: &Base, path: &str) -> Result<Option<String>, Failure> {
    let (Some(repo), Some(Content::Object(id))) = (&loaded.repo, base.files.get(path)) else {
        return Ok(None);
    };
    let text = repo.blob(*id)?;
    Ok(Some(sha512(&String::from_utf8_lossy(&text))))
}
