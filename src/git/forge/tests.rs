#![allow(clippy::unwrap_used)]

mod form;
mod refused;
mod table;

use super::*;
use Forge::{Azure, Bitbucket, Cgit, GitHub, GitLab, Gitea, Gitee, Gitweb, Sourcehut};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const PATH: &str = "ignition/n1.ign";

/// The URL of `PATH` on a branch, with the branch as `main`, and of a commit, with its id as `COMMIT`.
fn urls(remote: &str, said: Option<Forge>) -> (Forge, String, String) {
    let location =
        Location::of(remote, said).unwrap_or_else(|refusal| panic!("{remote}: {refusal}"));
    let commit = Revision::Commit(COMMIT.parse().unwrap());
    (
        location.forge,
        location.raw_url(Revision::Branch("main"), PATH).unwrap(),
        location
            .raw_url(commit, PATH)
            .unwrap()
            .replace(COMMIT, "COMMIT"),
    )
}

fn on_branch(remote: &str, said: Option<Forge>, branch: &str, path: &str) -> String {
    let location = Location::of(remote, said).unwrap();
    location.raw_url(Revision::Branch(branch), path).unwrap()
}

fn refusal(remote: &str, said: Option<Forge>) -> Refusal {
    Location::of(remote, said).unwrap_err()
}
