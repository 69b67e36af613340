//! A virtual machine as QEMU is told of it.

use std::ffi::{OsStr, OsString};
use std::net::Ipv4Addr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use super::firmware::Uefi;
use super::lan::Lan;
use crate::os::Arch;
use crate::stick::Sector;

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor itself.
    Kvm,
    /// QEMU, which takes several times as long.
    Tcg,
}

/// Where the screen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// There is none: all is said at the serial port.
    None,
    /// In the terminal, which is QEMU's then.
    Curses,
    /// In a window.
    Gtk,
}

/// A machine with a stick in it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its processor.
    pub arch: Arch,
    /// Its UEFI; `None` for a BIOS.
    pub uefi: Option<Uefi>,
    /// Its screen.
    pub display: Display,
    /// Its memory, in MiB.
    pub memory: u32,
    /// The stick, which is read and never written.
    pub stick: PathBuf,
    /// What the stick was laid out for.
    pub sector: Sector,
    /// Whether it may start once more by itself.
    pub may_reboot: bool,
    /// Its network card.
    pub card: Card,
}

/// A network card, and all that it leads to.
#[derive(Clone, Debug, Default)]
pub struct Card {
    /// Its MAC address, if it must be this one.
    pub mac: Option<String>,
    /// The number in its name in Linux: 1 for `eno1`.
    pub index: u16,
    /// The network.
    pub lan: Lan,
    /// The machine's own address, where it has one without asking.
    pub own: Option<Ipv4Addr>,
    /// Whether the network leads to others.
    pub is_open: bool,
    /// The port of the loopback here that leads to the machine's ssh.
    pub ssh_port: Option<u16>,
    /// The port of the loopback here where the local server is.
    pub server_port: Option<u16>,
}

impl Machine {
    /// The arguments of QEMU. `relay` is the start of a command that leads its standard input and output to a port; it has
    /// neither spaces nor commas in a word.
    #[must_use]
    pub fn args(&self, accelerator: Accelerator, relay: &str) -> Vec<OsString> {
        let mut args = Args(self.base(accelerator));
        match self.display {
            Display::None => args.add("-display none"),
            Display::Curses => args.add("-vga std -display curses"),
            Display::Gtk if self.arch == Arch::Amd64 => args.add("-vga std -display gtk"),
            Display::Gtk => {
                args.add("-device virtio-gpu-pci -device qemu-xhci -device usb-kbd -display gtk");
            }
        }
        match self.display {
            // The terminal is QEMU's, and its errors stand beside the console.
            Display::Curses => args.add("-chardev file,id=console,path=/proc/self/fd/2"),
            _ => args.add("-chardev stdio,id=console,signal=off"),
        }
        args.add("-serial chardev:console");
        if !self.may_reboot {
            args.add("-no-reboot");
        }
        args.add("-drive");
        args.file("if=none,id=stick,format=raw,snapshot=on,file=", &self.stick);
        let sector = self.sector.bytes();
        args.add(&format!(
            "-device virtio-blk-pci,drive=stick,bootindex=0,logical_block_size={sector},physical_block_size={sector} \
             -device virtio-rng-pci"
        ));
        args.add("-netdev");
        args.0.push(self.card.network(relay).into());
        args.add("-device");
        args.0.push(self.card.device(self.arch).into());
        args.0
    }

    /// The arguments for a look whether the firmware runs at all.
    #[must_use]
    pub fn trial(&self, accelerator: Accelerator) -> Vec<OsString> {
        let bare = Self {
            display: Display::None,
            memory: 512,
            ..self.clone()
        };
        let mut args = Args(bare.base(accelerator));
        args.add("-display none -serial stdio -no-reboot");
        args.0
    }

    /// What its firmware says soon after it was switched on, where there is no stick.
    #[must_use]
    pub fn sign_of_life(&self) -> &'static str {
        match self.uefi {
            // It begins by clearing the screen.
            Some(_) => "\x1b",
            None => "Booting from",
        }
    }

    fn base(&self, accelerator: Accelerator) -> Vec<OsString> {
        let mut args = Args(Vec::new());
        let is_kvm = accelerator == Accelerator::Kvm;
        args.add(match (self.arch, is_kvm) {
            (_, true) => "-accel kvm -cpu host",
            (Arch::Amd64, false) => "-accel tcg",
            (Arch::Arm64, false) => "-accel tcg -cpu cortex-a57",
        });
        // SeaBIOS, and so all that uses the BIOS's screen, prints to the serial port where there are no graphics.
        let graphics = match self.display {
            Display::None => "off",
            _ => "on",
        };
        args.add(&match (self.arch, is_kvm) {
            (Arch::Amd64, _) => format!("-machine pc,graphics={graphics}"),
            (Arch::Arm64, true) => "-machine virt,gic-version=max".to_owned(),
            (Arch::Arm64, false) => "-machine virt".to_owned(),
        });
        let memory = self.memory;
        args.add(&format!("-m {memory} -nodefaults -monitor none"));
        if let Some(uefi) = &self.uefi {
            args.add("-drive");
            args.file("if=pflash,format=raw,readonly=on,file=", &uefi.code);
            args.add("-drive");
            args.file("if=pflash,format=raw,snapshot=on,file=", &uefi.variables);
        }
        args.0
    }
}

impl Card {
    fn network(&self, relay: &str) -> String {
        let mut network = format!("user,id=net,{}", self.lan.options());
        if !self.is_open {
            network += ",restrict=on";
        }
        if let Some(port) = self.ssh_port {
            let own = self.own.map(|own| own.to_string()).unwrap_or_default();
            network += &format!(",hostfwd=tcp:127.0.0.1:{port}-{own}:22");
        }
        if let Some(port) = self.server_port {
            let server = self.lan.server;
            network += &format!(",guestfwd=tcp:{server}:80-cmd:{relay} {port}");
        }
        network
    }

    fn device(&self, arch: Arch) -> String {
        // With a speed that is not known a card takes no part in a bond.
        let mut device = "virtio-net-pci,netdev=net,romfile=,speed=1000,duplex=full".to_owned();
        if arch == Arch::Amd64 {
            device += &format!(",acpi-index={}", self.index.max(1));
        }
        if let Some(mac) = &self.mac {
            device += &format!(",mac={mac}");
        }
        device
    }
}

/// Arguments on their way.
struct Args(Vec<OsString>);

impl Args {
    /// Some, with spaces between.
    fn add(&mut self, words: &str) {
        self.0.extend(words.split_whitespace().map(OsString::from));
    }

    /// One that ends in the name of a file; a comma in that is written twice.
    fn file(&mut self, start: &str, path: &std::path::Path) {
        let mut arg = start.as_bytes().to_vec();
        for byte in OsStr::as_bytes(path.as_os_str()) {
            arg.push(*byte);
            if *byte == b',' {
                arg.push(b',');
            }
        }
        self.0.push(OsString::from_vec(arg));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            arch: Arch::Amd64,
            uefi: None,
            display: Display::None,
            memory: 1024,
            stick: PathBuf::from("/a,b/stick.img"),
            sector: Sector::Of512,
            may_reboot: false,
            card: Card {
                server_port: Some(4321),
                ssh_port: Some(2222),
                ..Card::default()
            },
        }
    }

    fn text(args: &[OsString]) -> String {
        let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn a_machine_reaches_the_local_server_alone_unless_it_is_told_to() {
        let mut machine = machine();
        let args = text(&machine.args(Accelerator::Tcg, "/proc/1/exe relay"));
        assert!(args.contains(",restrict=on,"), "{args}");
        assert!(args.contains(",hostfwd=tcp:127.0.0.1:2222-:22,"), "{args}");
        let server = ",guestfwd=tcp:10.0.2.100:80-cmd:/proc/1/exe relay 4321";
        assert!(args.contains(server), "{args}");
        machine.card.is_open = true;
        assert!(!text(&machine.args(Accelerator::Tcg, "")).contains("restrict"));
    }

    #[test]
    fn the_stick_is_never_written_and_commas_in_names_are_no_options() {
        let args = text(&machine().args(Accelerator::Tcg, ""));
        let stick = "-drive if=none,id=stick,format=raw,snapshot=on,file=/a,,b/stick.img ";
        assert!(args.contains(stick), "{args}");
        assert!(args.contains(" -no-reboot "), "{args}");
    }

    #[test]
    fn a_trial_has_the_same_firmware_and_no_stick() {
        let mut machine = machine();
        machine.uefi = Some(Uefi {
            code: "/code".into(),
            variables: "/variables".into(),
        });
        let args = text(&machine.trial(Accelerator::Kvm));
        assert!(args.contains("-accel kvm -cpu host "), "{args}");
        assert!(args.contains("readonly=on,file=/code "), "{args}");
        assert!(
            !args.contains("stick") && !args.contains("netdev"),
            "{args}"
        );
    }
}
