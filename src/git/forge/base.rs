//! The part of a forge's URLs that is the same for every file of a repository.

use super::Forge;
use super::address::Address;
use super::encode::encode;
use super::refusal::Refusal;

/// What the bases of Bitbucket Cloud begin with, and those of Data Center don't.
pub(super) const BITBUCKET_CLOUD: &str = "https://bitbucket.org/";

/// What stands before the revision and the path.
pub(super) fn of(forge: Forge, address: &Address) -> Result<String, Refusal> {
    let encoded: Vec<String> = address.path.iter().map(|segment| encode(segment)).collect();
    let path: Vec<&str> = encoded.iter().map(String::as_str).collect();
    let web = &address.web;
    let (base, wants) = match forge {
        Forge::GitHub => (github(address, &path), "OWNER/REPOSITORY"),
        Forge::GitLab => (gitlab(web, &path), "GROUP/REPOSITORY"),
        Forge::Gitea => (gitea(address, &path), "OWNER/REPOSITORY"),
        Forge::Gitee => (gitee(web, &path), "OWNER/REPOSITORY"),
        Forge::Bitbucket if address.host == "bitbucket.org" => {
            (bitbucket_cloud(&path), "WORKSPACE/REPOSITORY")
        }
        Forge::Bitbucket => (bitbucket_data_center(address, &path), "PROJECT/REPOSITORY"),
        Forge::Sourcehut => (sourcehut(web, &path), "~OWNER/REPOSITORY"),
        Forge::Azure => (
            azure(address, &path),
            "ORGANISATION/PROJECT/_git/REPOSITORY",
        ),
        Forge::Cgit => (cgit(address, &path), "REPOSITORY"),
        Forge::Gitweb => (gitweb(web, &path), "REPOSITORY.git"),
    };
    base.ok_or_else(|| Refusal::Shape {
        forge,
        host: address.host.clone(),
        path: address.path.join("/"),
        wants,
    })
}

fn github(address: &Address, path: &[&str]) -> Option<String> {
    let [owner, repository] = path else {
        return None;
    };
    Some(if address.host == "github.com" {
        format!("https://raw.githubusercontent.com/{owner}/{repository}")
    } else {
        format!("{}/raw/{owner}/{repository}", address.web)
    })
}

fn gitlab(web: &str, path: &[&str]) -> Option<String> {
    (path.len() > 1).then(|| format!("{web}/{}", path.join("/")))
}

fn gitea(address: &Address, path: &[&str]) -> Option<String> {
    // It may live below its host's root, which only the web server's own URLs tell.
    let fits = path.len() == 2 || path.len() > 2 && address.http;
    fits.then(|| format!("{}/{}", address.web, path.join("/")))
}

fn gitee(web: &str, path: &[&str]) -> Option<String> {
    (path.len() == 2).then(|| format!("{web}/{}", path.join("/")))
}

fn bitbucket_cloud(path: &[&str]) -> Option<String> {
    (path.len() == 2).then(|| format!("{BITBUCKET_CLOUD}{}", path.join("/")))
}

fn bitbucket_data_center(address: &Address, path: &[&str]) -> Option<String> {
    let (above, project, repository) = match path {
        [above @ .., "scm", project, repository] if address.http => (above, project, repository),
        [project, repository] if !address.http => (&[] as &[&str], project, repository),
        _ => return None,
    };
    let owner = match project.strip_prefix('~') {
        Some(user) => ["users", user],
        None => ["projects", project],
    };
    let parts = [
        &[address.web.as_str()],
        above,
        &owner,
        &["repos", repository],
    ];
    Some(parts.concat().join("/"))
}

fn sourcehut(web: &str, path: &[&str]) -> Option<String> {
    match path {
        [owner, repository] if owner.starts_with('~') => {
            Some(format!("{web}/{owner}/{repository}"))
        }
        _ => None,
    }
}

fn azure(address: &Address, path: &[&str]) -> Option<String> {
    const CLOUD: &str = "https://dev.azure.com";
    let organisation = address.host.strip_suffix(".visualstudio.com");
    let (project, repository) = match path {
        // Over ssh; `v3` is the version of that protocol.
        ["v3", organisation, project, repository] if address.host == "dev.azure.com" => {
            (format!("{CLOUD}/{organisation}/{project}"), *repository)
        }
        // The second segment only says how much a clone fetches.
        [above @ .., "_git", repository]
        | [above @ .., "_git", "_full" | "_optimized", repository] => {
            let (web, above) = match (organisation, above) {
                (Some(organisation), ["DefaultCollection", above @ ..] | above) => {
                    (format!("{CLOUD}/{organisation}"), above)
                }
                (None, [organisation, above @ ..]) => {
                    (format!("{}/{organisation}", address.web), above)
                }
                (None, []) => return None,
            };
            match above {
                // A project's first repository has its name, and may stand for it.
                [] => (format!("{web}/{repository}"), *repository),
                _ => (format!("{web}/{}", above.join("/")), *repository),
            }
        }
        _ => return None,
    };
    Some(format!("{project}/_apis/git/repositories/{repository}"))
}

fn cgit(address: &Address, path: &[&str]) -> Option<String> {
    // cgit knows a repository by one name, with `.git` or without: by the one that people clone.
    let suffix = if address.dot_git { ".git" } else { "" };
    (!path.is_empty()).then(|| format!("{}/{}{suffix}", address.web, path.join("/")))
}

fn gitweb(web: &str, path: &[&str]) -> Option<String> {
    (!path.is_empty()).then(|| format!("{web}/?p={}.git", path.join("/")))
}
