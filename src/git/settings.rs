//! Git's settings as a list, as `git config --list` has them: lowest priority first.

use git2::{Config, ConfigLevel};

use super::error::Error;
use super::repo::Repo;

/// How deep files may include each other, as in git.
const DEEPEST_INCLUDE: usize = 10;

/// Names with lower-case section and key, and values; keys without a value are left out.
pub(super) struct Settings(Vec<(String, String)>);

impl Settings {
    pub(super) fn read(repo: &Repo) -> Result<Self, Error> {
        let mut settings = Self(Vec::new());
        let config = repo.git.config();
        config
            .and_then(|config| settings.add(&config, repo, 0))
            .map_err(|source| repo.failed(source))?;
        Ok(settings)
    }

    /// The middle part and the value of every name `section.….key`.
    pub(super) fn subsections<'a>(
        &'a self,
        section: &str,
        key: &str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| {
            let middle = name.strip_prefix(section)?.strip_prefix('.')?;
            let middle = middle.strip_suffix(key)?.strip_suffix('.')?;
            Some((middle, value.as_str()))
        })
    }

    fn add(&mut self, config: &Config, repo: &Repo, depth: usize) -> Result<(), git2::Error> {
        let mut entries = config.entries(None)?;
        while let Some(entry) = entries.next() {
            let entry = entry?;
            if !entry.has_value() {
                continue;
            }
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let value = String::from_utf8_lossy(entry.value_bytes()).into_owned();
            let person_s =
                depth > 0 || matches!(entry.level(), ConfigLevel::XDG | ConfigLevel::Global);
            // libgit2 reads `~` as the home of this process: right for everybody but an invoker.
            if let (Some(invoker), Some(path), true) =
                (&repo.invoker, value.strip_prefix("~/"), person_s)
                && name == "include.path"
                && depth < DEEPEST_INCLUDE
                && let Ok(included) = Config::open(&invoker.home.join(path))
            {
                self.add(&included, repo, depth + 1)?;
            }
            self.0.push((name, value));
        }
        Ok(())
    }
}
