//! What is told apart, refused and hidden.

use super::*;

#[test]
fn a_self_hosted_forge_is_told_by_a_whole_label_and_by_no_guess() {
    for (host, forge) in [
        ("gitlab.example.com", GitLab),
        ("code.gitlab.example.com", GitLab),
        ("GitLab", GitLab),
        ("gitea.lan", Gitea),
        ("forgejo.example.org", Gitea),
        ("forgejo.gitea.lan", Gitea),
        ("gitweb.example.org", Gitweb),
        ("gitlab.com.example.net", GitLab),
    ] {
        assert_eq!(
            Location::of(&format!("git@{host}:o/r"), None)
                .unwrap()
                .forge,
            forge
        );
    }
    for host in [
        "git.example.com",
        "my-gitlab.example.com",
        "gitlab.gitea.lan",
        "gist.github.com",
        "x.gitlab.com",
        "notgithub.com",
        "10.0.0.2",
        "work",
    ] {
        let refused = refusal(&format!("git@{host}:o/r"), None);
        assert_eq!(
            refused.to_string(),
            format!("can't tell which forge `{host}` is")
        );
        assert!(refused.help().contains("\n[git]\n"));
        assert!(refused.help().contains("\nforge = \"gitea\"\n"));
        assert!(
            refused
                .help()
                .ends_with(&format!("\nraw_url = \"https://{host}/{{{{ path }}}}\""))
        );
    }
    assert!(
        refusal("git@work:o/r", None)
            .help()
            .contains("\nurl = \"https://HOST/")
    );
}

#[test]
fn what_fleet_toml_says_is_checked() {
    for name in Forge::names() {
        let forge = Forge::parse(name).unwrap();
        assert_eq!(Forge::parse(forge.name()), Ok(forge));
    }
    assert!(Forge::names().is_sorted());
    let misspelt = Forge::parse("GitLub").unwrap_err();
    assert_eq!(misspelt.to_string(), "unknown forge `GitLub`");
    assert_eq!(
        misspelt.help(),
        "a similar name exists\n[git]\nforge = \"github\""
    );
    assert_eq!(
        Forge::parse("perforce").unwrap_err().help(),
        "the known ones are azure, bitbucket, cgit, forgejo, gitea, gitee, github, gitlab, gitweb, sourcehut"
    );
    let wrong = refusal("git@github.com:o/r", Some(Gitea));
    assert_eq!(wrong.to_string(), "`github.com` is github, not gitea");
    assert!(wrong.help().ends_with("\n[git]\nforge = \"github\""));
}

#[test]
fn what_no_web_server_stands_beside_is_refused() {
    for (remote, what) in [
        ("/srv/git/r.git", "a local path"),
        ("../r", "a local path"),
        ("./a:b", "a local path"),
        ("~/r.git", "a local path"),
        ("r", "a local path"),
        ("file:///srv/git/r.git", "a local path"),
        ("rsync://h/r", "a `rsync://` URL"),
        (
            "codecommit::eu-west-1://R",
            "one of the helper `codecommit::`",
        ),
        ("ext::ssh -i key %S r", "one of the helper `ext::`"),
        (
            "https://u:p@git-codecommit.eu-west-1.amazonaws.com/v1/repos/R",
            "AWS CodeCommit",
        ),
        (
            "ssh://K@git-codecommit.eu-west-1.amazonaws.com/v1/repos/R",
            "AWS CodeCommit",
        ),
    ] {
        let refused = refusal(remote, None);
        assert_eq!(
            refused.to_string(),
            format!("the git remote is {what}, which serves no files over HTTP")
        );
        assert!(
            refused
                .help()
                .ends_with("\n[git]\nraw_url = \"https://HOST/{{ path }}\"")
        );
    }
}

#[test]
fn a_path_that_is_no_repository_is_refused() {
    for (remote, said) in [
        ("git@github.com:R", None),
        ("git@github.com:a/b/c", None),
        ("https://github.com/", None),
        ("https://github.com", None),
        ("git@gitlab.com:.git", None),
        ("git@git.sr.ht:u/R", None),
        ("https://bitbucket.org/scm/a/b", None),
        ("https://h.example/p/r", Some(Bitbucket)),
        ("ssh://git@h.example/scm/p/r", Some(Bitbucket)),
        ("ssh://git@h.example/srv/git/o/r", Some(Gitea)),
        ("https://dev.azure.com/Org/Proj/R", None),
        ("https://dev.azure.com/_git/R", None),
        ("h.example:", Some(Cgit)),
    ] {
        let refused = refusal(remote, said);
        assert!(
            matches!(refused, Refusal::Shape { .. }),
            "{remote}: {refused}"
        );
        assert!(refused.help().contains("\n[git]\nurl = "));
    }
    let location = Location::of("git@bitbucket.org:W/R", None).unwrap();
    let slash = location.raw_url(Revision::Branch("a/b"), "f").unwrap_err();
    assert!(slash.help().contains("\n[git]\npublish = "));
}

#[test]
fn hostile_remotes_are_refused_or_encoded_and_never_panic() {
    for remote in [
        "",
        " ",
        ":",
        "::",
        "://",
        "@",
        "[",
        "[]",
        "[]:",
        "[::1",
        "[::1]",
        "[::1]:",
        "[::1]x:p",
        "a[b:c]d:e",
        "https://",
        "https:///o/r",
        "https://:443/o/r",
        "https://h:99999/o/r",
        "https://h:x/o/r",
        "https://@/o/r",
        "https://[::1/o/r",
        "https://[::1]x/o/r",
        "https://[fe80::1%25eth0]/o/r",
        "https://h/../../o/r",
        "https://h/%2e%2e/r",
        "https://h/o/%00",
        "https://h/o/%ff",
        "https://h/o/r?x=1",
        "https://h/o/r#f",
        "https://h\n/o/r",
        "git@h\u{0}:o/r",
        "git@bücher.example:o/r",
        "git@h h:o/r",
        "git@-\u{202e}:o/r",
        "ssh://git@h:/o/../r",
        "é:é",
        "[é]:é",
        "%:%",
        "https://%67ithub.com/o/r",
        "git@h:o/\u{7}",
    ] {
        let refused = Location::of(remote, Some(Gitea)).map_err(|refused| {
            assert!(!refused.help().is_empty());
            assert!(!refused.to_string().chars().any(char::is_control));
        });
        assert!(refused.is_err(), "{remote:?} gave {refused:?}");
    }
    let odd = on_branch(
        "git@h:$(id)/${x}&&'\"",
        Some(Gitea),
        "${net0/ip} || shell",
        "#",
    );
    assert_eq!(
        odd,
        "https://h/%24%28id%29/%24%7Bx%7D%26%26%27%22/raw/branch/%24%7Bnet0/ip%7D%20%7C%7C%20shell/%23"
    );
}

#[test]
fn credentials_reach_neither_urls_nor_messages() {
    for remote in [
        "https://SECRET@github.com/o/r",
        "https://u:SECRET@h.example/o/r",
        "https://u:SEC@RET@h.example/o/r",
        "https://u:SECRET/SECRET@h.example/o/r",
        "https://u:1/SECRET@h.example/o/r",
        "https://me@x.org:SEC/SECRET@h.example/o/r",
        "https://u:SECRET@h.example:port/o/r",
        "https://h.example/o/r?private_token=SECRET",
        "https://SECRET@h.example/o/r@v#SECRET",
        "ssh://git:SECRET@h.example/o/r",
        "ftp://u:SECRET@h.example/o/r",
        "codecommit::https://u:SECRET@h.example/o/r",
        "u:SECRET@github.com/o/r",
        "https://u:SECRET@",
    ] {
        let shown = without_credentials(remote);
        assert!(!shown.contains("SECRET"), "{shown}");
        assert!(matches!(shown, Cow::Owned(_)));
        for said in [None, Some(Gitea)] {
            let told = match Location::of(remote, said) {
                Ok(location) => location.raw_url(Revision::Branch("b"), "f").unwrap(),
                Err(refused) => format!("{refused} {} {refused:?}", refused.help()),
            };
            assert!(!told.contains("SECRET"), "{told}");
        }
    }
    for remote in [
        "git@github.com:o/r",
        "ssh://git@h.example:7999/o/r",
        "https://h.example:8443/~u/r",
        "https://h.example/o/r@v",
        "/srv/a@b",
        "",
    ] {
        assert_eq!(without_credentials(remote), remote);
    }
    assert_eq!(without_credentials("https://u:p@h/o/r?x"), "https://h/o/r");
}

#[test]
fn one_repository_by_two_protocols_is_one() {
    assert!(same_repository(
        "git@github.com:o/r.git",
        "https://t@GitHub.com/o/r"
    ));
    assert!(same_repository(
        "ssh://git@ssh.github.com:443/o/r",
        "github.com:o/r"
    ));
    assert!(same_repository("/srv/r", "/srv/r"));
    assert!(!same_repository(
        "git@github.com:o/r",
        "git@github.com:me/r"
    ));
    assert!(!same_repository("/srv/r", "/srv/q"));
}
