//! What iPXE may have been built without, as far as a stick's scripts need it.

use std::collections::BTreeSet;

use super::binary::holds;

/// A part of iPXE that a build can lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// It fetches `https` URLs.
    Https,
    /// `iflinkwait`, which a static address takes: settings alone open no card.
    Cards,
    /// IPv6, and addresses of it that a script sets.
    Ipv6,
    /// `vcreate`.
    Vlan,
    /// `ntp`. Debian 13's 1.21.1 has none, 2.0 has.
    Ntp,
    /// `initrd FILE PATH mkdir=-1`, which puts a file of its own into the initrd, below folders that it makes. UEFI builds
    /// have it since the beginning of 2025.
    InitrdFiles,
}

impl Feature {
    /// Each with what is in a binary that has it: all of the texts. They are the names of commands, which iPXE has in no
    /// other place, of settings and options, and the message of `ntp`, whose name is the end of other words, too.
    const MARKS: [(Self, &[&[u8]]); 6] = [
        (Self::Https, &[b"HTTPS\0"]),
        (Self::Cards, &[b"iflinkwait\0"]),
        (Self::Ipv6, &[b"IPv6\0", b"gateway6\0"]),
        (Self::Vlan, &[b"vcreate\0"]),
        (Self::Ntp, &[b"Could not get time and date: "]),
        (Self::InitrdFiles, &[b"mkdir=\0"]),
    ];

    /// Those of a binary, by its bytes as they are in memory.
    pub(super) fn find(bytes: &[u8]) -> BTreeSet<Self> {
        let known = |marks: &[&[u8]]| marks.iter().all(|mark| holds(bytes, mark));
        let found = Self::MARKS.into_iter().filter(|(_, marks)| known(marks));
        found.map(|(feature, _)| feature).collect()
    }
}
