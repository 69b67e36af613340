//! What Linux gets at `boot`, on every way there: a command line that isn't cut off, and the initrd that it names.

use super::Body;
use crate::diagnostic::Diagnostic;
use crate::ipxe::evaluate::End;
use crate::ipxe::image::{Boot, Image};

/// The longest kernel command line that is let through, in bytes. Linux takes 2,048 on x86, iPXE on BIOS
/// cuts off silently one byte earlier, and a kernel may have some dozens built in.
pub const MAX_CMDLINE: usize = 1900;

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for run in body.runs.all() {
        if let End::Boots(boot) = &run.end {
            for one in [too_long(body, boot), initrd(body, boot)]
                .into_iter()
                .flatten()
            {
                // The same command, reached in another way.
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
    }
    found
}

fn too_long(body: &Body, boot: &Boot) -> Option<Diagnostic> {
    let kernel = &boot.kernel;
    // On UEFI the image's name stands before the arguments.
    let len = kernel.name.len() + " ".len() + kernel.cmdline.len();
    (len > MAX_CMDLINE).then(|| {
        Diagnostic::error(format!(
            "the kernel command line is {len} bytes long, and {MAX_CMDLINE} are safe"
        ))
        .at(body.source, kernel.span.clone())
        .help("Linux and iPXE cut it off without a word: drop kernel arguments, or move what they say into the config")
    })
}

fn initrd(body: &Body, boot: &Boot) -> Option<Diagnostic> {
    let named: Vec<&str> = boot
        .kernel
        .cmdline
        .split(' ')
        .filter_map(|arg| arg.strip_prefix("initrd="))
        .flat_map(|names| names.split(','))
        .collect();
    let at = |diagnostic: Diagnostic| diagnostic.at(body.source, boot.kernel.span.clone());
    if named.contains(&"initrd.magic") {
        return Some(
            at(Diagnostic::warning(
                "Flatcar does not start with `initrd=initrd.magic`",
            ))
            .help("name the image that `initrd` fetches instead"),
        );
    }
    let is_fetched = |name: &&str| boot.initrds.iter().any(|image| image.name == **name);
    if let Some(missing) = named.iter().find(|name| !is_fetched(name)) {
        return Some(
            at(Diagnostic::error(format!(
                "`initrd={missing}` names no image that is there at `boot`"
            )))
            .help(help_for_initrd(&boot.initrds)),
        );
    }
    let first = boot.initrds.first()?;
    named.is_empty().then(|| {
        at(Diagnostic::error(
            "the kernel has no `initrd=`, so on UEFI it starts without one",
        ))
        .label(body.source, first.span.clone(), "this image is never used")
        .help(help_for_initrd(&boot.initrds))
    })
}

fn help_for_initrd(images: &[Image]) -> String {
    match images.first() {
        Some(image) => format!(
            "add `initrd={}`: the name is the last part of the URL, or what `--name` says",
            image.name
        ),
        None => "fetch one with `initrd`, and don't go on to `boot` when that fails".into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::messages;

    const INITRD: &str = "initrd --timeout 9000 http://m/i.img || exit 1\nboot\n";

    fn with_kernel(args: &str) -> Vec<String> {
        messages(&format!(
            "#!ipxe\nkernel --timeout 9000 http://m/vmlinuz {args} || exit 1\n{INITRD}"
        ))
    }

    #[test]
    fn the_kernel_must_name_the_initrd() {
        assert_eq!(
            with_kernel("quiet"),
            ["error: the kernel has no `initrd=`, so on UEFI it starts without one"]
        );
        assert_eq!(
            with_kernel("initrd=main"),
            ["error: `initrd=main` names no image that is there at `boot`"]
        );
        assert_eq!(
            with_kernel("initrd=initrd.magic"),
            ["warning: Flatcar does not start with `initrd=initrd.magic`"]
        );
        assert_eq!(with_kernel("initrd=i.img quiet"), [""; 0]);
    }

    #[test]
    fn a_boot_without_the_initrd_that_failed_is_found() {
        let text = "#!ipxe\nkernel --timeout 9000 http://m/k initrd=i || exit 1\ninitrd --timeout 9000 http://m/i ||\nboot\n";
        assert_eq!(
            messages(text),
            ["error: `initrd=i` names no image that is there at `boot`"]
        );
    }

    #[test]
    fn a_long_command_line_is_cut_off() {
        let args = |len: usize| format!("initrd=i.img {}", "a".repeat(len));
        // `vmlinuz ` and `initrd=i.img ` are 21 bytes.
        assert_eq!(with_kernel(&args(1900 - 21)), [""; 0]);
        assert_eq!(
            with_kernel(&args(1901 - 21)),
            ["error: the kernel command line is 1901 bytes long, and 1900 are safe"]
        );
    }
}
