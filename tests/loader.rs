//! Loaders as they are on this machine.

use std::env;

use ephemeros::ipxe::loader::{Feature, Places, Target, find, load, suggest_install};

use crate::repository::skipped;

#[test]
fn a_loader_of_this_machine_is_read() {
    let places = Places {
        variable: env::var_os("EPHEMEROS_IPXE_DIR").map(Into::into),
        home: env::home_dir(),
        ..Places::default()
    };
    let search = find(&places, &Target::ALL).unwrap();
    for target in Target::ALL {
        let Some(found) = search.loader(target) else {
            let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
            let help = suggest_install(&os_release);
            skipped(
                &format!("a real loader for {target}"),
                &format!("there is none: {help}"),
            );
            continue;
        };
        let loader = &found.loader;
        assert_eq!(loader.target, target);
        assert!(
            loader.reads_autoexec && !loader.drives_one_card(),
            "{found:?}",
            found = found.path
        );
        // No distribution leaves these out.
        for feature in [Feature::Vlan, Feature::Cards, Feature::Ipv6] {
            assert!(loader.knows(feature), "{feature:?}: {loader:?}");
        }
        let version = loader.version.as_deref().unwrap_or_default();
        assert!(
            version.starts_with(|c: char| c.is_ascii_digit()),
            "{version}"
        );
        let build = loader.build.as_deref();
        assert!(
            target == Target::Bios || build.is_some_and(|build| build.ends_with(".efi")),
            "{loader:?}"
        );
        assert_eq!(load(&found.path, target).unwrap(), *found);
    }
    for bad in &search.passed_over {
        skipped(&bad.path.display().to_string(), &bad.flaw.to_string());
    }
}
