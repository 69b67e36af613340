//! How URLs are written: encoding, scheme, port.

use super::*;

#[test]
fn each_segment_is_encoded_as_the_forge_reads_it() {
    let branch = "fix/ä b#1%?&";
    let path = "a b/ü#%41.ign";
    let (b, v) = (
        "fix/%C3%A4%20b%231%25%3F%26",
        "fix%2F%C3%A4%20b%231%25%3F%26",
    );
    let p = "a%20b/%C3%BC%23%2541.ign";
    for (remote, said, url) in [
        (
            "git@github.com:O/R",
            None,
            format!("https://raw.githubusercontent.com/O/R/refs/heads/{b}/{p}"),
        ),
        (
            "git@gitlab.com:O/R",
            None,
            format!("https://gitlab.com/O/R/-/raw/{b}/{p}"),
        ),
        (
            "git@codeberg.org:O/R",
            None,
            format!("https://codeberg.org/O/R/raw/branch/{b}/{p}"),
        ),
        (
            "git@git.sr.ht:~o/R",
            None,
            format!("https://git.sr.ht/~o/R/blob/{b}/{p}"),
        ),
        (
            "git@gitee.com:O/R",
            None,
            format!("https://gitee.com/O/R/raw/{b}/{p}"),
        ),
        (
            "h.example:P/R",
            Some(Bitbucket),
            format!("https://h.example/projects/P/repos/R/raw/{p}?at=refs%2Fheads%2F{v}"),
        ),
        (
            "h.example:R",
            Some(Cgit),
            format!("https://h.example/R/plain/{p}?h={v}"),
        ),
        (
            "h.example:R",
            Some(Gitweb),
            format!("https://h.example/?p=R.git;a=blob_plain;f={p};hb={v}"),
        ),
        (
            "git@ssh.dev.azure.com:v3/O/P/R",
            None,
            format!(
                "https://dev.azure.com/O/P/_apis/git/repositories/R/items?path=/{p}&versionDescriptor.versionType=branch\
             &versionDescriptor.version={v}&api-version=7.1&%24format=octetStream"
            ),
        ),
    ] {
        assert_eq!(on_branch(remote, said, branch, path), url);
    }
    // What the remote's own path holds is encoded anew: once, from what git makes of it.
    assert_eq!(
        on_branch(
            "https://gitlab.com/G/a%2Fb%20c/d#e"
                .split('#')
                .next()
                .unwrap(),
            None,
            "main",
            "f"
        ),
        "https://gitlab.com/G/a%2Fb%20c/d/-/raw/main/f"
    );
    assert_eq!(
        on_branch("git@gitlab.com:G/a%20c;d?e", None, "main", "f"),
        "https://gitlab.com/G/a%2520c%3Bd%3Fe/-/raw/main/f"
    );
}

#[test]
fn github_names_a_branch_in_full_where_it_could_be_read_otherwise() {
    let raw = "https://raw.githubusercontent.com/O/R";
    for (branch, named) in [
        ("main", "main"),
        ("v1.2_x-y", "v1.2_x-y"),
        ("a/b", "refs/heads/a/b"),
        ("deadbeef", "refs/heads/deadbeef"),
        (COMMIT, &format!("refs/heads/{COMMIT}")),
        ("HEAD", "refs/heads/HEAD"),
        ("ü", "refs/heads/%C3%BC"),
    ] {
        let url = on_branch("git@github.com:O/R", None, branch, "f");
        assert_eq!(url, format!("{raw}/{named}/f"));
    }
}

/// The web server beside ssh and git:// is taken to speak https; where the remote is a web server's own URL,
/// that is what answers, plain http too. A public forge is never asked in the clear.
#[test]
fn scheme_and_port_are_the_web_server_s() {
    let expected = |web: &str| format!("{web}/o/r/raw/branch/main/f");
    for (remote, web) in [
        ("ssh://git@git.lan:2222/o/r", "https://git.lan"),
        ("git://git.lan:9418/o/r", "https://git.lan"),
        ("[git@git.lan:2222]:o/r", "https://git.lan"),
        ("https://git.lan:8443/o/r", "https://git.lan:8443"),
        ("https://git.lan:443/o/r", "https://git.lan"),
        ("http://git.lan:3000/o/r", "http://git.lan:3000"),
        ("http://git.lan:80/o/r", "http://git.lan"),
        ("http://10.0.0.2/o/r.git", "http://10.0.0.2"),
        ("https://u:p@[::1]:3000/o/r", "https://[::1]:3000"),
        ("https://git.lan/forge/o/r", "https://git.lan/forge"),
    ] {
        assert_eq!(
            on_branch(remote, Some(Gitea), "main", "f"),
            expected(web),
            "{remote}"
        );
    }
    let public = on_branch("http://codeberg.org:8080/o/r", None, "main", "f");
    assert_eq!(public, expected("https://codeberg.org"));
}

#[test]
fn a_repository_s_path_is_the_web_server_s() {
    for (remote, said, start) in [
        (
            "https://h.example:8443/git/scm/p/r",
            Some(Bitbucket),
            "https://h.example:8443/git/projects/p/repos/r/raw/f?",
        ),
        (
            "https://tfs.example/tfs/Coll/Proj/_git/R",
            Some(Azure),
            "https://tfs.example/tfs/Coll/Proj/_apis/git/repositories/R/items?",
        ),
        (
            "https://dev.azure.com/Org/_git/Proj",
            None,
            "https://dev.azure.com/Org/Proj/_apis/git/repositories/Proj/items?",
        ),
        (
            "https://Org.visualstudio.com/My%20Proj/_git/R",
            None,
            "https://dev.azure.com/org/My%20Proj/_apis/git/repositories/R/items?",
        ),
        (
            "https://org.visualstudio.com/DefaultCollection/P/_git/_optimized/R",
            None,
            "https://dev.azure.com/org/P/_apis/git/repositories/R/items?",
        ),
        (
            "https://git.example.org/pub/scm/x.git",
            Some(Cgit),
            "https://git.example.org/pub/scm/x.git/plain/f?",
        ),
    ] {
        let url = on_branch(remote, said, "b", "f");
        assert!(url.starts_with(start), "{remote}: {url}");
    }
}
