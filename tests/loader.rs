//! Loaders as they are on this machine.

use std::env;

use ephemeros::ipxe::loader::{Places, find, load, suggest_install};
use ephemeros::os::Arch;

use crate::repository::skipped;

#[test]
fn a_loader_of_this_machine_is_read() {
    let search = find(&Places {
        variable: env::var_os("EPHEMEROS_IPXE_DIR").map(Into::into),
        home: env::home_dir(),
        ..Places::default()
    });
    let search = search.unwrap();
    for arch in Arch::ALL {
        let Some(found) = search.loader(arch) else {
            let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
            let help = suggest_install(&os_release);
            skipped(
                &format!("a real loader for {arch}"),
                &format!("there is none: {help}"),
            );
            continue;
        };
        let loader = &found.loader;
        assert_eq!(loader.arch, arch);
        assert!(
            loader.reads_autoexec && !loader.drives_one_card(),
            "{found:?}",
            found = found.path
        );
        let version = loader.version.as_deref().unwrap_or_default();
        assert!(
            version.starts_with(|c: char| c.is_ascii_digit()),
            "{version}"
        );
        assert!(
            loader
                .build
                .as_deref()
                .is_some_and(|build| build.ends_with(".efi")),
            "{loader:?}"
        );
        assert_eq!(load(&found.path, arch).unwrap(), *found);
    }
    for bad in &search.passed_over {
        skipped(&bad.path.display().to_string(), &bad.flaw.to_string());
    }
}
