//! The programs and the firmware of virtual machines: where they are, and what to install where they are not.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::os::Arch;
use crate::os_release;

/// UEFI as two files: its code, and the variables that a machine begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uefi {
    /// The code.
    pub code: PathBuf,
    /// The variables.
    pub variables: PathBuf,
}

/// Where packages put UEFI for x86-64: Debian and Ubuntu; Fedora; Arch, now and before; openSUSE; QEMU's own.
const AMD64: [(&str, &str); 9] = [
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    (
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
        "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd",
    ),
    (
        "/usr/share/qemu/ovmf-x86_64-4m-code.bin",
        "/usr/share/qemu/ovmf-x86_64-4m-vars.bin",
    ),
    (
        "/usr/share/qemu/ovmf-x86_64-code.bin",
        "/usr/share/qemu/ovmf-x86_64-vars.bin",
    ),
    (
        "/usr/share/qemu/edk2-x86_64-code.fd",
        "/usr/share/qemu/edk2-i386-vars.fd",
    ),
    (
        "/run/current-system/sw/share/qemu/edk2-x86_64-code.fd",
        "/run/current-system/sw/share/qemu/edk2-i386-vars.fd",
    ),
];

/// The same for AArch64.
const ARM64: [(&str, &str); 6] = [
    (
        "/usr/share/AAVMF/AAVMF_CODE.fd",
        "/usr/share/AAVMF/AAVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
        "/usr/share/edk2/aarch64/vars-template-pflash.raw",
    ),
    (
        "/usr/share/edk2/aarch64/QEMU_CODE.fd",
        "/usr/share/edk2/aarch64/QEMU_VARS.fd",
    ),
    (
        "/usr/share/qemu/aavmf-aarch64-code.bin",
        "/usr/share/qemu/aavmf-aarch64-vars.bin",
    ),
    (
        "/usr/share/qemu/edk2-aarch64-code.fd",
        "/usr/share/qemu/edk2-arm-vars.fd",
    ),
    (
        "/run/current-system/sw/share/qemu/edk2-aarch64-code.fd",
        "/run/current-system/sw/share/qemu/edk2-arm-vars.fd",
    ),
];

/// The packages with QEMU and with UEFI, for x86-64 and for AArch64, by the distribution's name.
const PACKAGES: [(&str, [[&str; 2]; 2]); 7] = [
    (
        "debian",
        [
            ["qemu-system-x86", "ovmf"],
            ["qemu-system-arm", "qemu-efi-aarch64"],
        ],
    ),
    (
        "ubuntu",
        [
            ["qemu-system-x86", "ovmf"],
            ["qemu-system-arm", "qemu-efi-aarch64"],
        ],
    ),
    (
        "fedora",
        [
            ["qemu-system-x86-core", "edk2-ovmf"],
            ["qemu-system-aarch64-core", "edk2-aarch64"],
        ],
    ),
    (
        "arch",
        [
            ["qemu-system-x86", "edk2-ovmf"],
            ["qemu-system-aarch64", "edk2-aarch64"],
        ],
    ),
    (
        "opensuse",
        [
            ["qemu-x86", "qemu-ovmf-x86_64"],
            ["qemu-arm", "qemu-uefi-aarch64"],
        ],
    ),
    (
        "alpine",
        [
            ["qemu-system-x86_64", "ovmf"],
            ["qemu-system-aarch64", "aavmf"],
        ],
    ),
    ("nixos", [["qemu", "qemu"], ["qemu", "qemu"]]),
];

/// What may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The program.
    Qemu,
    /// The firmware.
    Uefi,
}

/// QEMU's program for machines of this architecture.
#[must_use]
pub fn program(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "qemu-system-x86_64",
        Arch::Arm64 => "qemu-system-aarch64",
    }
}

/// Finds a program in the folders of `PATH`; a relative one counts for nothing, since others may write there.
#[must_use]
pub fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut places = folders.map(|folder| folder.join(name));
    places.find(|place| {
        let metadata = place.metadata();
        metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    })
}

/// Finds UEFI where packages put it below `root`.
#[must_use]
pub fn find_uefi(arch: Arch, root: &Path) -> Option<Uefi> {
    let places = match arch {
        Arch::Amd64 => &AMD64[..],
        Arch::Arm64 => &ARM64[..],
    };
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    let mut places = places.iter().map(|(code, variables)| Uefi {
        code: below(code),
        variables: below(variables),
    });
    places.find(|uefi| uefi.code.is_file() && uefi.variables.is_file())
}

/// What to install, by the text of `/etc/os-release`.
#[must_use]
pub fn suggest_install(part: Part, arch: Arch, os_release: &str) -> String {
    let arch = match arch {
        Arch::Amd64 => 0,
        Arch::Arm64 => 1,
    };
    match (os_release::find(os_release, &PACKAGES), part) {
        (Some(packages), Part::Qemu) => format!("install the package `{}`", packages[arch][0]),
        (Some(packages), Part::Uefi) => format!("install the package `{}`", packages[arch][1]),
        (None, Part::Qemu) => "install QEMU, https://www.qemu.org/download/".to_owned(),
        (None, Part::Uefi) => {
            "install the package of your distribution with OVMF, which is EDK II for QEMU"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_the_package_of_a_distribution() {
        let suggest = |part, arch, os: &str| suggest_install(part, arch, os);
        let debian = "ID=debian\n";
        assert_eq!(
            suggest(Part::Qemu, Arch::Amd64, debian),
            "install the package `qemu-system-x86`"
        );
        assert_eq!(
            suggest(Part::Uefi, Arch::Arm64, debian),
            "install the package `qemu-efi-aarch64`"
        );
        let mint = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n";
        assert!(suggest(Part::Uefi, Arch::Amd64, mint).contains("`ovmf`"));
        let suse = "ID=\"opensuse-leap\"\n";
        assert!(suggest(Part::Uefi, Arch::Amd64, suse).contains("`qemu-ovmf-x86_64`"));
        for part in [Part::Qemu, Part::Uefi] {
            assert!(suggest(part, Arch::Amd64, "").starts_with("install "));
        }
    }

    #[test]
    fn firmware_is_found_where_both_of_its_files_are() {
        let root = tempfile::tempdir().expect("a folder");
        let put = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "x").expect("written");
        };
        put("usr/share/OVMF/OVMF_CODE_4M.fd");
        assert_eq!(find_uefi(Arch::Amd64, root.path()), None);
        put("usr/share/edk2/ovmf/OVMF_CODE.fd");
        put("usr/share/edk2/ovmf/OVMF_VARS.fd");
        let found = find_uefi(Arch::Amd64, root.path()).expect("it is there");
        assert!(found.code.ends_with("edk2/ovmf/OVMF_CODE.fd"));
        assert_eq!(find_uefi(Arch::Arm64, root.path()), None);
    }

    #[test]
    fn a_program_is_one_that_may_be_run_from_a_folder_with_a_full_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("qemu");
        fs::write(&place, "").expect("written");
        let path = folder.path().as_os_str();
        assert_eq!(find_program("qemu", path), None);
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).expect("may be run");
        assert_eq!(find_program("qemu", path), Some(place));
        assert_eq!(find_program("Cargo.toml", OsStr::new(".:")), None);
    }
}
