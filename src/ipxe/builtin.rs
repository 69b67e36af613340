//! The boot script that serves where a fleet has no `templates/boot.ipxe` of its own.

/// A minijinja template, to be rendered with strict undefined, `trim_blocks`, `lstrip_blocks` and
/// `keep_trailing_newline`. It sees:
///
/// | name | what |
/// | --- | --- |
/// | `node.name` | the node |
/// | `boot.mirrors` | base URLs of the release in the order to try, none ending in a slash |
/// | `boot.kernel`, `boot.initrd` | file names below each of them |
/// | `boot.rootfs` | a file name too, or none: Fedora CoreOS fetches it from inside the initrd |
/// | `boot.kernel_args` | tokens, all but `initrd=`, `ignition.config.url=` and `ephemeros.config=` |
/// | `boot.config_url` | the config's URL where the fleet fixes it, or none: then the stick has set `${config-url}` |
/// | `config.digest` | says which config this is |
pub const BODY: &str = include_str!("boot.ipxe");

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use minijinja::syntax::SyntaxConfig;
    use minijinja::value::Value;
    use minijinja::{Environment, UndefinedBehavior, context};

    use super::*;
    use crate::diagnostic::fold;
    use crate::ipxe::{End, Script, lint, read, run};
    use crate::source::Source;

    /// The body as the fleet's engine renders it.
    pub(in crate::ipxe) fn render(boot: Value) -> String {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut syntax = SyntaxConfig::builder();
        syntax
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true);
        engine.set_syntax(syntax.build().unwrap());
        let config = context! { digest => "0123456789ab" };
        engine
            .render_str(
                BODY,
                context! { node => context! { name => "n1" }, boot, config },
            )
            .unwrap()
    }

    pub(in crate::ipxe) fn flatcar(config_url: Option<&str>) -> String {
        render(context! {
            mirrors => ["http://10.0.0.2/flatcar", "http://stable.example/flatcar"],
            kernel => "flatcar_production_pxe.vmlinuz",
            initrd => "flatcar_production_pxe_image.cpio.gz",
            rootfs => (),
            kernel_args => ["flatcar.first_boot=1", "console=ttyS0,115200n8", "sshkey=\"ssh-ed25519 AAAA me\""],
            config_url,
        })
    }

    fn fedora() -> String {
        render(context! {
            mirrors => ["https://builds.example/x86_64"],
            kernel => "live-kernel.x86_64",
            initrd => "live-initramfs.x86_64.img",
            rootfs => "live-rootfs.x86_64.img",
            kernel_args => ["ignition.firstboot", "ignition.platform.id=metal"],
            config_url => (),
        })
    }

    pub(in crate::ipxe) fn stick() -> BTreeMap<String, String> {
        let set = [
            ("node", "n1"),
            ("config-url", "https://git.example/n1.ign"),
            ("script-url", "https://git.example/n1.ipxe"),
        ];
        set.map(|(name, value)| (name.into(), value.into())).into()
    }

    fn script(text: &str) -> Script {
        read(text)
    }

    #[test]
    fn flatcar_gets_its_whole_command_line() {
        let run = run(&script(&flatcar(None)), &stick(), &|_| false);
        assert_eq!(
            run.cmdline(),
            Some(
                "initrd=flatcar_production_pxe_image.cpio.gz \
                 ignition.config.url=https://git.example/n1.ign ephemeros.config=0123456789ab \
                 flatcar.first_boot=1 console=ttyS0,115200n8 sshkey=\"ssh-ed25519 AAAA me\""
            )
        );
    }

    #[test]
    fn fedora_fetches_the_root_file_system_from_the_same_server() {
        let run = run(&script(&fedora()), &stick(), &|_| false);
        assert_eq!(
            run.cmdline(),
            Some(
                "initrd=live-initramfs.x86_64.img \
                 ignition.config.url=https://git.example/n1.ign ephemeros.config=0123456789ab \
                 coreos.live.rootfs_url=https://builds.example/x86_64/live-rootfs.x86_64.img \
                 ignition.firstboot ignition.platform.id=metal"
            )
        );
    }

    #[test]
    fn a_url_in_the_fleet_beats_the_one_on_the_stick() {
        let text = flatcar(Some("https://new.example/n1.ign"));
        let run = run(&script(&text), &stick(), &|_| false);
        let cmdline = run.cmdline().unwrap();
        assert!(cmdline.contains("ignition.config.url=https://new.example/n1.ign "));
    }

    #[test]
    fn kernel_and_initrd_never_come_from_two_servers() {
        // The third fetch is the second mirror's kernel.
        for failing in [0, 1] {
            let run = run(&script(&flatcar(None)), &stick(), &|fetch| fetch == failing);
            let End::Boots(boot) = run.end else {
                panic!("does not boot")
            };
            assert!(boot.kernel.url.starts_with("http://stable.example/"));
            assert_eq!(boot.initrds.len(), 1);
            assert!(boot.initrds[0].url.starts_with("http://stable.example/"));
        }
    }

    #[test]
    fn fails_when_nothing_can_be_fetched_or_the_url_is_missing() {
        let script = script(&flatcar(None));
        assert_eq!(run(&script, &stick(), &|_| true).end, End::Fails);
        let without_url = run(&script, &BTreeMap::new(), &|_| false);
        assert_eq!(without_url.end, End::Fails);
        assert_eq!(without_url.fetches, []);
    }

    #[test]
    fn lint_finds_nothing_in_it() {
        for text in [
            flatcar(None),
            flatcar(Some("https://new.example/n1.ign")),
            fedora(),
        ] {
            let source = Source::rendered("boot.ipxe", text, "n1");
            let found = fold(lint(&source, &stick()));
            let found: String = found.iter().map(|one| one.to_text(false)).collect();
            assert_eq!(found, "");
        }
    }
}
