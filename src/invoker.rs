//! Who runs the tool: under sudo, the person behind root.

use std::path::PathBuf;

/// The user who called sudo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoker {
    /// The user's id.
    pub uid: u32,
    /// The user's primary group.
    pub gid: u32,
    /// The user's home directory, as the password file has it.
    pub home: PathBuf,
}

impl Invoker {
    /// The user behind this process; `None` where it is not root, or root called it without sudo.
    ///
    /// Ask before privileges are dropped, and keep the answer.
    #[must_use]
    pub fn detect() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let uid = std::env::var("SUDO_UID").ok()?.parse().ok()?;
        if uid == 0 {
            return None;
        }
        let passwd = std::fs::read("/etc/passwd").unwrap_or_default();
        // A user who stands in a directory service only: newer versions of sudo pass the home on.
        Self::in_passwd(uid, &String::from_utf8_lossy(&passwd)).or_else(|| {
            Some(Self {
                uid,
                gid: std::env::var("SUDO_GID").ok()?.parse().ok()?,
                home: std::env::var_os("SUDO_HOME")?.into(),
            })
        })
    }

    /// Looks a user up in the text of a password file, see passwd(5).
    fn in_passwd(uid: u32, passwd: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [_, _, id, gid, _, home, ..] = fields[..] else {
                return None;
            };
            Some(Self {
                uid: id.parse().ok().filter(|id| *id == uid)?,
                gid: gid.parse().ok()?,
                home: home.into(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_id_among_broken_lines() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n# note\nbroken:x:1000\n\
                      ada:x:1000:1001:Ada,,,:/home/ada:/bin/bash\n";
        let ada = Invoker {
            uid: 1000,
            gid: 1001,
            home: "/home/ada".into(),
        };
        assert_eq!(Invoker::in_passwd(1000, passwd), Some(ada));
        assert_eq!(Invoker::in_passwd(7, passwd), None);
    }
}
