//! Where the secrets volume may be mounted, whatever the distribution.

/// Nothing can be mounted anywhere below: read-only, or not a file system.
const CLOSED: &[&str] = &[
    "/bin", "/dev", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr",
];

/// A mount exactly here would hide what the system needs.
const NEEDED: &[&str] = &[
    "/boot",
    "/etc",
    "/home",
    "/opt",
    "/root",
    "/run",
    "/tmp",
    "/var",
    "/var/home",
    "/var/lib",
    "/var/log",
    "/var/roothome",
    "/var/tmp",
];

/// # Errors
/// Why not, as a clause that follows "because".
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    let Some(below_root) = path.strip_prefix('/') else {
        return Err("a mount point is an absolute path");
    };
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    if !below_root.split('/').all(plain) {
        return Err("a mount point has no empty, `.` or `..` part");
    }
    let inside = |top: &str| path == top || path.starts_with(&format!("{top}/"));
    if CLOSED.iter().any(|top| inside(top)) {
        return Err("nothing can be mounted there");
    }
    if NEEDED.contains(&path) {
        return Err("the volume would hide what the system keeps there");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::os::Distro;

    #[test]
    fn flatcar_takes_a_mount_almost_anywhere() {
        for path in ["/secrets", "/opt/secrets", "/var/secrets", "/userdata"] {
            assert_eq!(Distro::Flatcar.check_mount(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn fedora_coreos_takes_a_mount_under_var_alone() {
        assert_eq!(Distro::FedoraCoreos.check_mount("/var/secrets"), Ok(()));
        for path in ["/secrets", "/etc/secrets", "/variable/secrets"] {
            assert!(Distro::FedoraCoreos.check_mount(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_the_system_needs_stays_visible() {
        let refused = [
            "/",
            "",
            "secrets",
            "/secrets/",
            "/a//b",
            "/a/../etc",
            "/usr/secrets",
            "/proc",
            "/etc",
            "/var",
            "/var/lib",
        ];
        for path in refused {
            for distro in Distro::ALL {
                assert!(distro.check_mount(path).is_err(), "{path} on {distro}");
            }
        }
    }
}
