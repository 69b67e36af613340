//! FACTS D.6, row by row.

use super::*;

/// What fleet.toml says, what the forge is, its remotes, the URLs on a branch and of a commit.
struct Row(
    Option<Forge>,
    Forge,
    &'static [&'static str],
    &'static str,
    &'static str,
);

const ROWS: &[Row] = &[
    Row(
        None,
        GitHub,
        &[
            "git@github.com:O/R",
            "git@github.com:O/R.git",
            "git@github.com:/O/R.git/",
            "github.com:O/R",
            "ssh://git@github.com/O/R",
            "ssh://git@github.com:22/O/R.git",
            "ssh://git@ssh.github.com:443/O/R.git",
            "git+ssh://git@github.com/O/R",
            "https://github.com/O/R",
            "https://github.com/O/R.git",
            "https://github.com:443/O/R.git/",
            "https://token@github.com/O/R",
            "https://user:p%40ss@github.com/O/R.git",
            "https://x-access-token:p@ss@github.com/O/R.git",
            "HTTPS://GitHub.COM./O//R.git",
            "git://github.com/O/R.git",
            "http://github.com/O/R",
            "https://www.github.com/O/R",
        ],
        "https://raw.githubusercontent.com/O/R/main/ignition/n1.ign",
        "https://raw.githubusercontent.com/O/R/COMMIT/ignition/n1.ign",
    ),
    Row(
        None,
        GitHub,
        &[
            "git@github.example.com:O/R.git",
            "https://github.example.com/O/R",
        ],
        "https://github.example.com/raw/O/R/main/ignition/n1.ign",
        "https://github.example.com/raw/O/R/COMMIT/ignition/n1.ign",
    ),
    Row(
        None,
        GitLab,
        &[
            "git@gitlab.com:G/S/T/R.git",
            "ssh://git@altssh.gitlab.com:443/G/S/T/R.git",
            "https://oauth2:glpat-x@gitlab.com/G/S/T/R.git",
            "http://gitlab.com/G/S/T/R",
        ],
        "https://gitlab.com/G/S/T/R/-/raw/main/ignition/n1.ign",
        "https://gitlab.com/G/S/T/R/-/raw/COMMIT/ignition/n1.ign",
    ),
    Row(
        Some(GitLab),
        GitLab,
        &[
            "git@code.example.com:G/R.git",
            "ssh://git@code.example.com:2222/G/R",
        ],
        "https://code.example.com/G/R/-/raw/main/ignition/n1.ign",
        "https://code.example.com/G/R/-/raw/COMMIT/ignition/n1.ign",
    ),
    Row(
        None,
        Gitea,
        &["git@codeberg.org:O/R.git", "https://codeberg.org/O/R"],
        "https://codeberg.org/O/R/raw/branch/main/ignition/n1.ign",
        "https://codeberg.org/O/R/raw/commit/COMMIT/ignition/n1.ign",
    ),
    Row(
        Some(Gitea),
        Gitea,
        &[
            "git@[2001:DB8::1]:O/R.git",
            "ssh://git@[2001:db8::1]:2222/O/R.git",
        ],
        "https://[2001:db8::1]/O/R/raw/branch/main/ignition/n1.ign",
        "https://[2001:db8::1]/O/R/raw/commit/COMMIT/ignition/n1.ign",
    ),
    Row(
        None,
        Bitbucket,
        &[
            "git@bitbucket.org:W/R.git",
            "ssh://git@altssh.bitbucket.org:443/W/R",
            "https://u@bitbucket.org/W/R.git",
        ],
        "https://bitbucket.org/W/R/raw/main/ignition/n1.ign",
        "https://bitbucket.org/W/R/raw/COMMIT/ignition/n1.ign",
    ),
    Row(
        Some(Bitbucket),
        Bitbucket,
        &[
            "ssh://git@git.example.com:7999/PROJ/R.git",
            "https://git.example.com/scm/PROJ/R.git",
        ],
        "https://git.example.com/projects/PROJ/repos/R/raw/ignition/n1.ign?at=refs%2Fheads%2Fmain",
        "https://git.example.com/projects/PROJ/repos/R/raw/ignition/n1.ign?at=COMMIT",
    ),
    Row(
        None,
        Bitbucket,
        &[
            "ssh://git@bitbucket.example.com:7999/~ada/R.git",
            "https://bitbucket.example.com/scm/~ada/R.git",
        ],
        "https://bitbucket.example.com/users/ada/repos/R/raw/ignition/n1.ign?at=refs%2Fheads%2Fmain",
        "https://bitbucket.example.com/users/ada/repos/R/raw/ignition/n1.ign?at=COMMIT",
    ),
    Row(
        None,
        Sourcehut,
        &[
            "git@git.sr.ht:~u/R",
            "https://git.sr.ht/~u/R",
            "ssh://git@git.sr.ht/~u/R",
        ],
        "https://git.sr.ht/~u/R/blob/main/ignition/n1.ign",
        "https://git.sr.ht/~u/R/blob/COMMIT/ignition/n1.ign",
    ),
    Row(
        None,
        Azure,
        &[
            "git@ssh.dev.azure.com:v3/Org/My%20Proj/R",
            "ssh://git@ssh.dev.azure.com/v3/Org/My%20Proj/R",
            "Org@vs-ssh.visualstudio.com:v3/Org/My%20Proj/R",
            "https://Org@dev.azure.com/Org/My%20Proj/_git/R",
            "https://Org:pat@dev.azure.com/Org/My Proj/_git/_full/R",
        ],
        "https://dev.azure.com/Org/My%20Proj/_apis/git/repositories/R/items?path=/ignition/n1.ign\
             &versionDescriptor.versionType=branch&versionDescriptor.version=main&api-version=7.1&%24format=octetStream",
        "https://dev.azure.com/Org/My%20Proj/_apis/git/repositories/R/items?path=/ignition/n1.ign\
             &versionDescriptor.versionType=commit&versionDescriptor.version=COMMIT&api-version=7.1&%24format=octetStream",
    ),
    Row(
        None,
        Gitee,
        &["git@gitee.com:O/R.git", "https://gitee.com/O/R.git"],
        "https://gitee.com/O/R/raw/main/ignition/n1.ign",
        "https://gitee.com/O/R/raw/COMMIT/ignition/n1.ign",
    ),
    Row(
        Some(Cgit),
        Cgit,
        &[
            "git@git.example.org:R",
            "https://git.example.org/R/",
            "git://git.example.org/R",
        ],
        "https://git.example.org/R/plain/ignition/n1.ign?h=main",
        "https://git.example.org/R/plain/ignition/n1.ign?id=COMMIT",
    ),
    Row(
        Some(Gitweb),
        Gitweb,
        &["git@git.example.org:R.git", "https://git.example.org/R"],
        "https://git.example.org/?p=R.git;a=blob_plain;f=ignition/n1.ign;hb=main",
        "https://git.example.org/?p=R.git;a=blob_plain;f=ignition/n1.ign;hb=COMMIT",
    ),
];

#[test]
fn every_forge_serves_branch_and_commit() {
    for Row(said, forge, remotes, branch, commit) in ROWS {
        for remote in *remotes {
            let (is, on_branch, of_commit) = urls(remote, *said);
            let expected = (*forge, (*branch).to_owned(), (*commit).to_owned());
            assert_eq!((is, on_branch, of_commit), expected, "{remote}");
        }
    }
}
