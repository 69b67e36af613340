//! A new repository.

use super::{Program, ProgramError};

/// The first branch where git's settings name none.
const BRANCH: &str = "main";

/// The branch that a new repository begins with: `init.defaultBranch`, else `main`.
#[must_use]
pub fn first_branch(program: &Program) -> String {
    let setting = program.call("config").args(["--get", "init.defaultBranch"]);
    let said = setting.ask().ok().filter(|it| it.code == Some(0));
    let branch = said.map(|it| it.text()).filter(|branch| {
        let name = format!("refs/heads/{branch}");
        git2::Reference::is_valid_name(&name)
    });
    branch.unwrap_or_else(|| BRANCH.to_owned())
}

/// Makes the program's folder a repository, which belongs to the user.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn create(program: &Program, branch: &str) -> Result<(), ProgramError> {
    let branch = format!("--initial-branch={branch}");
    let init = program.call("init").args(["--quiet", &branch]);
    init.run().map(drop)
}
