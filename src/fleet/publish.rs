//! Where nodes fetch: the URL of a rendered file, from what `[git]` says and where the clone came from.

use minijinja::UndefinedBehavior;

use super::file::Git;
use super::manifest::Manifest;
use super::pins::is_public;
use crate::diagnostic::Diagnostic;
use crate::git::ObjectId;
use crate::git::forge::{Forge, Location, Refusal, Revision, encode_path};
use crate::git::remote::is_branch_name;

/// What a clone knows of where it came from.
pub struct Upstream {
    /// The remote's URL, with `insteadOf` applied. It may hold credentials.
    pub url: String,
    /// The branch that the remote's HEAD names.
    pub head_branch: Option<String>,
}

/// The file whose URL is asked for.
pub struct Published<'a> {
    /// Its path in the repository.
    pub path: &'a str,
    /// Its SHA-512, in hex digits; empty where it is not known. Few ask for it.
    pub sha512: &'a dyn Fn() -> String,
    /// The commit that holds it, for a `raw_url` that asks for one.
    pub commit: Option<ObjectId>,
}

/// Why there is no URL. It holds no credentials.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoUrl {
    /// There is no remote, and `fleet.toml` names no URL.
    #[error("there is no git remote, so nodes can't be told where to fetch")]
    NoRemote,
    /// Nobody says which branch.
    #[error("which branch nodes fetch from is not known")]
    NoBranch,
    /// The forge serves nothing, or can't be told.
    #[error(transparent)]
    Forge(#[from] Refusal),
    /// `raw_url` is a broken template.
    #[error("`raw_url` can't be filled in: {0}")]
    Template(String),
    /// What `raw_url` comes to is of no use.
    #[error("`raw_url` is of no use: {0}")]
    Useless(&'static str),
}

impl NoUrl {
    /// The lines to write.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoRemote => {
                "add a remote (`git remote add origin …`), or say it in fleet.toml\n[git]\n\
                 url = \"https://HOST/OWNER/REPOSITORY\""
                    .to_owned()
            }
            Self::NoBranch => "say it in fleet.toml\n[git]\nbranch = \"main\"".to_owned(),
            Self::Forge(refusal) => refusal.help(),
            Self::Useless(_) => {
                "nodes fetch it as it stands, and everybody may read it: `https://HOST/…/{{ path }}`".to_owned()
            }
            Self::Template(_) => {
                "it may use `{{ path }}`, `{{ sha512 }}` and, once there is a commit, `{{ commit }}`".to_owned()
            }
        }
    }
}

/// The URL that a stick is told.
///
/// # Errors
/// Why there is none.
pub fn url(git: &Git, upstream: Option<&Upstream>, file: &Published<'_>) -> Result<String, NoUrl> {
    if let Some(template) = &git.raw_url {
        return fill_in(template, file);
    }
    let remote = git
        .url
        .as_deref()
        .or(upstream.map(|upstream| upstream.url.as_str()))
        .ok_or(NoUrl::NoRemote)?;
    let forge = git.forge.as_deref().map(Forge::parse).transpose()?;
    let location = Location::of(remote, forge)?;
    let head = upstream.and_then(|upstream| upstream.head_branch.as_deref());
    let branch = published(git, head).ok_or(NoUrl::NoBranch)?;
    Ok(location.raw_url(Revision::Branch(branch), file.path)?)
}

/// The branch that people push to: `head` is what the remote's HEAD names.
#[must_use]
pub fn merged<'a>(git: &'a Git, head: Option<&'a str>) -> Option<&'a str> {
    git.branch.as_deref().or(head)
}

/// The branch that nodes fetch from, the same one mostly.
#[must_use]
pub fn published<'a>(git: &'a Git, head: Option<&'a str>) -> Option<&'a str> {
    git.publish.as_deref().or_else(|| merged(git, head))
}

/// The branch that nodes fetch from, where it is another one than people push to: `theirs`, where `[git]` does not name it.
#[must_use]
pub fn elsewhere<'a>(git: &'a Git, theirs: Option<&str>) -> Option<&'a str> {
    let publish = git.publish.as_deref()?;
    (merged(git, theirs) != Some(publish)).then_some(publish)
}

/// Whether `fleet.toml` fixes the URL by itself, the same in every clone. One that names a commit it does not.
#[must_use]
pub fn is_fixed(git: &Git) -> bool {
    match &git.raw_url {
        Some(template) => !asks_for_commit(template),
        None => git.url.is_some(),
    }
}

/// Whether a `raw_url` names the commit: then it is another one after each.
#[must_use]
pub fn asks_for_commit(template: &str) -> bool {
    asks_for(template, "commit")
}

/// Whether a `raw_url` uses a variable.
#[must_use]
pub fn asks_for(template: &str, variable: &str) -> bool {
    let engine = minijinja::Environment::new();
    engine
        .template_from_str(template)
        .is_ok_and(|template| template.undeclared_variables(false).contains(variable))
}

/// The URL that `fleet.toml` fixes by itself, the same in every clone; `None` where it fixes none.
#[must_use]
pub fn fixed_url(git: &Git, file: &Published<'_>) -> Option<Result<String, NoUrl>> {
    is_fixed(git).then(|| url(git, None, file))
}

/// Checks `[git]`, as far as it can be wrong in every clone.
pub(super) fn check(manifest: &Manifest, mistakes: &mut Vec<Diagnostic>) {
    let item = |key| manifest.document.find(&["git", key]);
    if let Some(item) = item("forge")
        && let Some(Err(error)) = item.text().map(Forge::parse)
    {
        mistakes.push(item.error(error.to_string()).help(error.help()));
    }
    for item in ["branch", "publish"].into_iter().filter_map(item) {
        if item.text().is_some_and(|name| !is_branch_name(name)) {
            mistakes.push(
                item.error("this can't be the name of a branch")
                    .help("write it as `git branch` shows it: `main`"),
            );
        }
    }
    let sample = Published {
        path: "ignition/node.ign",
        sha512: &|| "0".to_owned(),
        commit: Some(ObjectId::ZERO_SHA1),
    };
    if let Some(item) = item("raw_url")
        && let Some(template) = item.text()
        && let Err(error) = fill_in(template, &sample)
    {
        let mistake = if is_public(template) {
            item.error(error.to_string())
        } else {
            item.hidden_error(error.to_string())
        };
        mistakes.push(mistake.help(error.help()));
    }
}

fn fill_in(template: &str, file: &Published<'_>) -> Result<String, NoUrl> {
    let mut engine = minijinja::Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    let broken = |error: minijinja::Error| {
        let detail = error.detail().map(str::to_owned);
        NoUrl::Template(detail.unwrap_or_else(|| error.kind().to_string()))
    };
    let parsed = engine.template_from_str(template).map_err(broken)?;
    let is_known = |name: &String| match name.as_str() {
        "commit" => file.commit.is_some(),
        name => ["path", "sha512"].contains(&name),
    };
    let asked = parsed.undeclared_variables(false);
    if let Some(unknown) = asked.iter().filter(|name| !is_known(name)).min() {
        return Err(NoUrl::Template(format!("`{unknown}` is not known")));
    }
    let context = minijinja::context! {
        path => encode_path(file.path),
        sha512 => (file.sha512)(),
        commit => file.commit.map(|commit| commit.to_string()),
    };
    let url = parsed.render(context).map_err(broken)?;
    check_url(&url, template).map_err(NoUrl::Useless)?;
    Ok(url)
}

/// A URL that iPXE and Ignition take, another one for each file, and without credentials.
fn check_url(url: &str, template: &str) -> Result<(), &'static str> {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
        .ok_or("it is no `http://` or `https://` URL")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("it holds credentials, which would be public");
    }
    if host.is_empty() || url.contains(|c: char| !c.is_ascii_graphic() || c == '\\') {
        return Err("it is no URL");
    }
    if url.contains("${") {
        return Err("it holds `${`, which iPXE would fill in");
    }
    if !template.contains("path") && !template.contains("sha512") {
        return Err("it is the same for every file: `{{ path }}` is missing");
    }
    Ok(())
}
