//! Who runs the tool: under sudo, the person behind root.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command};

use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The user who called sudo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoker {
    /// The user's name.
    pub name: String,
    /// The user's id.
    pub uid: u32,
    /// The user's primary group.
    pub gid: u32,
    /// The user's home directory, as the password file has it.
    pub home: PathBuf,
}

impl Invoker {
    /// The user behind this process; `None` where it is not root, or root called it without sudo.
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
                name: std::env::var("SUDO_USER").ok()?,
                uid,
                gid: std::env::var("SUDO_GID").ok()?.parse().ok()?,
                home: std::env::var_os("SUDO_HOME")?.into(),
            })
        })
    }

    /// Whether sudo called this process, and for whom can't be told: a user of a directory service, whose home older
    /// versions of sudo don't pass on.
    #[must_use]
    pub fn is_unknown() -> bool {
        let is_root = rustix::process::geteuid().is_root();
        let uid = std::env::var_os("SUDO_UID").filter(|uid| uid != "0");
        is_root && uid.is_some() && Self::detect().is_none()
    }

    /// Starts a program as this user for good: with the user's groups and no more, and with what sudo took out of the
    /// environment or put into it as the user has it.
    ///
    /// # Errors
    /// This process is not root, or the program can't be started.
    pub fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command
            .env("HOME", &self.home)
            .envs(["USER", "LOGNAME"].map(|name| (name, &self.name)));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SUDO_") {
                command.env_remove(name);
            }
        }
        let group = std::fs::read("/etc/group").unwrap_or_default();
        let mut groups = groups(&self.name, &String::from_utf8_lossy(&group));
        groups.insert(0, Gid::from_raw(self.gid));
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        // On Linux these belong to a thread, and a child has those of the thread that started it. So no other part of
        // this process changes, and nothing of it is left in the child that could lead back to root.
        let started = std::thread::spawn(move || {
            set_thread_groups(&groups)?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
            command.spawn()
        });
        started
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that starts it failed")))
    }

    /// Looks a user up in the text of a password file, see passwd(5).
    fn in_passwd(uid: u32, passwd: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, id, gid, _, home, ..] = fields[..] else {
                return None;
            };
            Some(Self {
                name: name.to_owned(),
                uid: id.parse().ok().filter(|id| *id == uid)?,
                gid: gid.parse().ok()?,
                home: home.into(),
            })
        })
    }
}

/// The groups that a user is a member of, in the text of a group file, see group(5).
fn groups(user: &str, group: &str) -> Vec<Gid> {
    let lines = group.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, id, members] = fields[..] else {
            return None;
        };
        let is_member = !user.is_empty() && members.split(',').any(|member| member == user);
        Some(Gid::from_raw(id.parse().ok().filter(|_| is_member)?))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_id_among_broken_lines() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n# note\nbroken:x:1000\n\
                      ada:x:1000:1001:Ada,,,:/home/ada:/bin/bash\n";
        let ada = Invoker {
            name: "ada".to_owned(),
            uid: 1000,
            gid: 1001,
            home: "/home/ada".into(),
        };
        assert_eq!(Invoker::in_passwd(1000, passwd), Some(ada));
        assert_eq!(Invoker::in_passwd(7, passwd), None);
    }

    #[test]
    fn groups_are_those_whose_member_the_user_is() {
        let group = "root:x:0:\nplugdev:x:46:ada,bob\nbroken:x\nadam:x:7:adam\nusb:x:9:bob,ada\n";
        assert_eq!(groups("ada", group), [46, 9].map(Gid::from_raw));
        assert_eq!(groups("", group), []);
    }
}
