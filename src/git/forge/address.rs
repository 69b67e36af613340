//! A remote's URL in any form that git takes, read as git reads it.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::encode::decode;
use super::refusal::Refusal;

/// Where a repository is, without user, password and ssh's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Lower case; IPv6 in brackets.
    pub(super) host: String,
    /// Scheme, host and port of the web server beside it.
    pub(super) web: String,
    /// Decoded, without `.git`.
    pub(super) path: Vec<String>,
    /// Whether `.git` was written.
    pub(super) dot_git: bool,
    /// Whether it is an `http` or `https` URL, whose path is what the web server knows.
    pub(super) http: bool,
}

/// Other names, for ssh on the port of https, of hosts whose web server is elsewhere.
const SSH_HOSTS: [(&str, &str); 7] = [
    ("altssh.bitbucket.org", "bitbucket.org"),
    ("altssh.gitlab.com", "gitlab.com"),
    ("ssh.dev.azure.com", "dev.azure.com"),
    ("ssh.github.com", "github.com"),
    ("vs-ssh.visualstudio.com", "dev.azure.com"),
    ("www.github.com", "github.com"),
    ("www.gitlab.com", "gitlab.com"),
];

impl Address {
    pub(super) fn parse(remote: &str) -> Result<Self, Refusal> {
        let unreadable = |why| Refusal::Unreadable {
            remote: shown(remote),
            why,
        };
        if remote.is_empty() || remote.chars().any(char::is_control) {
            return Err(unreadable("it is empty or holds a control character"));
        }
        let Written {
            scheme,
            authority,
            path,
        } = written(remote)?;
        check(&scheme, authority, path).map_err(unreadable)?;
        let (host, port) = host_and_port(authority).map_err(unreadable)?;
        // What stands after the colon of `host:path` is taken as it is, but Azure encodes it.
        let encoded =
            scheme != SCP || host == "ssh.dev.azure.com" || host.ends_with("visualstudio.com");
        let other = SSH_HOSTS.iter().find(|(name, _)| *name == host);
        let host = other.map_or(host, |(_, host)| (*host).to_owned());
        if host.starts_with("git-codecommit.") && host.contains(".amazonaws.com") {
            return Err(not_served("AWS CodeCommit"));
        }
        let mut path = segments(path, encoded).map_err(unreadable)?;
        let stem = path.last().and_then(|last| last.strip_suffix(".git"));
        let stem = stem.map(str::to_owned);
        let dot_git = stem.is_some();
        if let Some(stem) = stem {
            path.pop();
            path.extend(Some(stem).filter(|stem| !stem.is_empty()));
        }
        let web = match (scheme.as_str(), port) {
            ("http", None | Some(80)) => format!("http://{host}"),
            ("http", Some(port)) => format!("http://{host}:{port}"),
            ("https", Some(port)) if port != 443 => format!("https://{host}:{port}"),
            _ => format!("https://{host}"),
        };
        Ok(Self {
            host,
            web,
            path,
            dot_git,
            http: scheme.starts_with("http"),
        })
    }
}

/// Stands for the scheme of `host:path`.
const SCP: &str = "";

/// The parts of a remote as they are written, the scheme in lower case.
struct Written<'a> {
    scheme: String,
    authority: &'a str,
    path: &'a str,
}

/// Takes a remote apart in git's order: a helper, a URL, `host:path` with the colon before any slash, a path.
fn written(remote: &str) -> Result<Written<'_>, Refusal> {
    if let Some((helper, _)) = remote.split_once("::")
        && is_scheme(helper)
    {
        return Err(not_served(&format!("one of the helper `{helper}::`")));
    }
    if let Some((scheme, rest)) = remote.split_once("://")
        && is_scheme(scheme)
    {
        let scheme = scheme.to_ascii_lowercase();
        return match scheme.as_str() {
            "http" | "https" | "git" | "ssh" | "git+ssh" | "ssh+git" => {
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                Ok(Written {
                    scheme,
                    authority,
                    path,
                })
            }
            "file" => Err(not_served("a local path")),
            other => Err(not_served(&format!("a `{other}://` URL"))),
        };
    }
    let (authority, path) = scp_like(remote).ok_or_else(|| not_served("a local path"))?;
    Ok(Written {
        scheme: SCP.to_owned(),
        authority,
        path,
    })
}

/// Refuses what may hold a piece of a password, or of a token, in its path.
fn check(scheme: &str, authority: &str, path: &str) -> Result<(), &'static str> {
    let http = scheme.starts_with("http");
    if http && path.contains(['?', '#']) {
        Err("it has a query")
    } else if http && authority.contains(':') && path.contains('@') {
        Err("an `@` after a slash must be written `%40`")
    } else if scheme == SCP && !authority.contains('@') && path.contains('@') {
        Err("it has an `@` after the colon, and no `https://` before")
    } else {
        Ok(())
    }
}

fn segments(path: &str, encoded: bool) -> Result<Vec<String>, &'static str> {
    let mut segments = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let text = if encoded {
            decode(segment).ok_or("its path is not UTF-8")?
        } else {
            segment.to_owned()
        };
        if text == "." || text == ".." || text.chars().any(char::is_control) {
            return Err("its path can't stand in a URL");
        }
        segments.push(text);
    }
    Ok(segments)
}

fn not_served(what: &str) -> Refusal {
    Refusal::NotServed {
        what: what.to_owned(),
    }
}

/// A remote without user and password, fit to be shown; borrowed where it holds none.
///
/// Where a mistake hides where the password ends, too much is taken away, never too little.
#[must_use]
pub fn without_credentials(remote: &str) -> Cow<'_, str> {
    let (start, secret_user) = match remote.find("://") {
        Some(at) => (at + 3, !remote[..at].to_ascii_lowercase().contains("ssh")),
        None => (0, false),
    };
    let (scheme, rest) = remote.split_at(start);
    let query = rest.find(['?', '#']).filter(|_| start > 0);
    let rest = &rest[..query.unwrap_or(rest.len())];
    let at = rest.find('@');
    let before_at = |c| at.is_some_and(|at| rest[..at].contains(c));
    let secret = before_at(':') || secret_user && !before_at('/');
    let user_ends = rest.rfind('@').filter(|_| secret);
    match (user_ends, query) {
        (None, None) => Cow::Borrowed(remote),
        (user, _) => Cow::Owned(format!("{scheme}{}", &rest[user.map_or(0, |at| at + 1)..])),
    }
}

fn shown(remote: &str) -> String {
    without_credentials(remote).escape_debug().to_string()
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// `user@host:path`, `[user@host:port]:path`, `user@[::1]:path`.
fn scp_like(remote: &str) -> Option<(&str, &str)> {
    let bracket = remote
        .find('[')
        .filter(|at| !remote[..*at].contains([':', '/']));
    let host_ends = match bracket {
        Some(at) => at + remote[at..].find(']')?,
        None => 0,
    };
    let colon = host_ends + remote[host_ends..].find(':')?;
    if remote[host_ends..colon].contains('/') {
        return None;
    }
    let authority = &remote[..colon];
    let inner = authority
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    // Brackets hold an IPv6 address, or git's own `[host:port]`.
    let authority = match inner {
        Some(inner) if inner.parse::<Ipv6Addr>().is_err() => inner,
        _ => authority,
    };
    Some((authority, &remote[colon + 1..]))
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), &'static str> {
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("its host is cut off")?;
        let address: Ipv6Addr = address.parse().map_err(|_| "its host is no address")?;
        let port = port.strip_prefix(':').unwrap_or(port);
        (format!("[{address}]"), port)
    } else {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if host.is_empty() || !host.chars().all(fits) {
            return Err("its host can't stand in a URL");
        }
        (host, port)
    };
    match port {
        "" => Ok((host, None)),
        digits => match digits.parse() {
            Ok(port) => Ok((host, Some(port))),
            Err(_) => Err("its port is no number"),
        },
    }
}
