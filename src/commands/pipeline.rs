//! What a pipeline says of the pull request that it runs for.

use crate::plan::pipeline::PullRequest;

/// GitHub has it for pull requests alone, and Forgejo and Gitea have it from there; the other is GitLab's.
const TARGETS: [&str; 2] = ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"];

/// Where the merge request left its target branch. The target itself has gone on since then, perhaps.
const BASE: &str = "CI_MERGE_REQUEST_DIFF_BASE_SHA";

/// The pull request, where there is one.
pub(super) fn pull_request() -> PullRequest {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let target = TARGETS.into_iter().find_map(set);
    PullRequest {
        target: target.map(|it| it.strip_prefix("refs/heads/").unwrap_or(&it).to_owned()),
        base: set(BASE),
    }
}
