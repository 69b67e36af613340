//! From an answer to what is said of it: whether these are the bytes of the commit, and whose else they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::probe::{Answer, Asked};
use super::verdict::{Looks, Place, Verdict};
use crate::git::repo::Repo;
use crate::git::tree::object_id;
use crate::git::{self, ObjectId};
use crate::ignition::Config;
use crate::plan::base::{Base, Content, head};
use crate::render::rendered::config_digest;
use crate::source::Source;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// An Ignition config.
    Config,
    /// The body of a boot script.
    Script,
}

/// A file that nodes fetch.
pub struct Expected {
    /// Where it stands in the fleet.
    pub path: String,
    /// What it is for.
    pub role: Role,
    /// Where it is served; `None` where nobody can know.
    pub url: Option<String>,
}

/// What was served, without the bytes.
pub struct Served {
    /// Where redirects led to, if anywhere.
    pub led_to: Option<String>,
    /// The short name of a config.
    pub digest: Option<String>,
    /// The name that git has for the bytes, or what came instead of a config or script.
    pub content: Result<ObjectId, Verdict>,
}

impl Served {
    /// Looks at an answer.
    #[must_use]
    pub fn of(role: Role, asked: &Asked) -> Self {
        let mut digest = None;
        let content = match &asked.answer {
            Answer::File(bytes) => match text_of(role, bytes) {
                Ok(text) => {
                    digest = (role == Role::Config).then(|| config_digest(text));
                    Ok(object_id(bytes))
                }
                Err(looks) => Err(Verdict::Foreign(role, looks)),
            },
            Answer::Failed(error) => Err(Verdict::of(error)),
            Answer::TimedOut => Err(Verdict::TimedOut),
            Answer::NotAsked => Err(Verdict::NotAsked),
        };
        Self {
            led_to: asked.led_to.clone(),
            digest,
            content,
        }
    }
}

/// The text of a file that is what it should be.
fn text_of(role: Role, bytes: &[u8]) -> Result<&str, Looks> {
    if bytes.is_empty() {
        return Err(Looks::Empty);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Looks::Strange);
    };
    let is_it = match role {
        // Ignition takes only what it can read; iPXE looks at the first line.
        Role::Config => Config::parse(&Source::file("served", text)).0.is_some(),
        Role::Script => text.starts_with("#!ipxe"),
    };
    if is_it {
        Ok(text)
    } else if text.trim_start().starts_with('<') {
        Err(Looks::Page)
    } else {
        Err(Looks::Strange)
    }
}

/// What is said of each file: of those that were asked for by what was served.
///
/// # Errors
/// The repository can't be read.
pub fn judge(
    repo: &Repo,
    root: &Path,
    base: &Base,
    files: &[(&Expected, Option<&Served>)],
) -> Result<Vec<Verdict>, git::Error> {
    let mut verdicts = Vec::with_capacity(files.len());
    let mut strange = BTreeMap::new();
    for (file, served) in files {
        let committed = base.files.get(&file.path);
        verdicts.push(match served.map(|it| &it.content) {
            None => Verdict::Unpublished,
            Some(Err(verdict)) => verdict.clone(),
            Some(Ok(id)) if committed == Some(&Content::Object(*id)) => Verdict::Committed,
            Some(Ok(id)) => {
                strange.insert(file.path.clone(), *id);
                Verdict::Other {
                    shallow: repo.is_shallow(),
                }
            }
        });
    }
    if strange.is_empty() {
        return Ok(verdicts);
    }
    let mut holders = match base.commit {
        Some(commit) => repo.holders(commit, &strange)?,
        None => BTreeMap::new(),
    };
    let head = head(repo)?;
    for ((file, _), verdict) in files.iter().zip(&mut verdicts) {
        let Some(id) = strange.get(&file.path) else {
            continue;
        };
        let on_disk = || fs::read(root.join(&file.path)).ok();
        let in_head = head.as_ref().and_then(|head| head.files.get(&file.path));
        if let Some(holder) = holders.remove(&file.path) {
            *verdict = Verdict::Older(holder);
        } else if in_head == Some(&Content::Object(*id)) {
            *verdict = Verdict::Ahead(Place::Head);
        } else if on_disk().is_some_and(|bytes| object_id(&bytes) == *id) {
            *verdict = Verdict::Ahead(Place::WorkTree);
        }
    }
    Ok(verdicts)
}
