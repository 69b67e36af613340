//! What a binary of iPXE can do, read from its bytes: here one for UEFI.
//!
//! The headers are those of "PE Format" in Microsoft's documentation of Windows; their values for EFI are in the UEFI
//! specification, chapter 2.1.1. What iPXE leaves in the rest is from `src/core/version.c` and
//! `src/interface/efi/efi_autoexec.c` of its sources, and was seen in the binaries of Debian 12, 13 and sid.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use memchr::memmem;

use super::feature::Feature;
use super::kernel;
use super::target::Target;
use crate::os::Arch;

/// No version and no name of a build is longer, in bytes.
const LONGEST_TEXT: usize = 120;

/// Where the number of the subsystem stands in the optional header, in PE32 and PE32+ alike.
const SUBSYSTEM: usize = 68;

/// An iPXE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loader {
    /// The machines that it runs on.
    pub target: Target,
    /// As the binary has it: `2.0.0+dfsg-5`, `1.21.1+ (g3fe6)`.
    pub version: Option<String>,
    /// The name that it was built as, which tells its network drivers: `ipxe.efi`, `snp.efi`, `snponly.efi`.
    pub build: Option<String>,
    /// Whether it runs `autoexec.ipxe` of the stick it was started from. On a BIOS it gets that as its initrd.
    pub reads_autoexec: bool,
    /// Whether a script was built into it. iPXE runs that one and leaves `autoexec.ipxe` alone.
    pub has_own_script: bool,
    /// What it was built with.
    pub features: BTreeSet<Feature>,
}

/// Why a file is no loader. It follows the name of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALoader {
    /// Neither a PE file for EFI nor a kernel.
    #[error("is neither an EFI program nor a Linux kernel for x86")]
    NoProgram,
    /// The firmware would not start it from a stick.
    #[error("is an EFI driver, and a stick needs a program")]
    Driver,
    /// The most common mix-up: the `ipxe.efi` of `bin-i386-efi`.
    #[error("is for 32-bit x86, and a stick needs one for 64 bits")]
    X86,
    /// A machine that no stick is made for.
    #[error("is for {}, and a stick needs one for amd64 or arm64", machine(*.0))]
    Machine(u16),
    /// A file that was copied or downloaded in part.
    #[error("is cut off: it has {is} bytes, and its headers tell of {should}")]
    CutOff {
        /// Its size in bytes.
        is: usize,
        /// The least that it must have.
        should: usize,
    },
    /// Another program for EFI.
    #[error("is an EFI program, but not iPXE")]
    NotIpxe,
    /// A real kernel, or an iPXE so old that it is packed in another way.
    #[error("is a Linux kernel, but not iPXE")]
    NotIpxeKernel,
}

/// Reads what a binary can do. Only iPXE for a machine that sticks are made for is a [`Loader`]; one that is too old
/// is, too.
pub fn read(bytes: &[u8]) -> Result<Loader, NotALoader> {
    if let Some(header) = kernel::Header::read(bytes) {
        return kernel::read(&header, bytes);
    }
    let headers = Headers::read(bytes).ok_or(NotALoader::NoProgram)?;
    match headers.subsystem {
        10 => {}
        11 | 12 => return Err(NotALoader::Driver),
        _ => return Err(NotALoader::NoProgram),
    }
    let arch = match headers.machine {
        0x8664 => Arch::Amd64,
        0xaa64 => Arch::Arm64,
        0x014c => return Err(NotALoader::X86),
        other => return Err(NotALoader::Machine(other)),
    };
    let (is, should) = (bytes.len(), headers.end);
    if is < should {
        return Err(NotALoader::CutOff { is, should });
    }
    if !is_ipxe(bytes) {
        return Err(NotALoader::NotIpxe);
    }
    let sbat = headers.section(bytes, b".sbat\0\0\0").and_then(read_sbat);
    let (build, version) = sbat.unwrap_or_else(|| (find_build(bytes), find_version(bytes)));
    Ok(Loader {
        target: Target::Uefi(arch),
        version,
        build,
        reads_autoexec: knows_autoexec(bytes),
        has_own_script: holds_script(bytes),
        features: Feature::find(bytes),
    })
}

impl Loader {
    /// Whether it was built with something.
    #[must_use]
    pub fn knows(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether it drives only the network card that it was loaded from, as `snponly.efi` does
    /// (`src/drivers/net/efi/snponly.c` of iPXE): started from a stick, it has no card at all.
    #[must_use]
    pub fn drives_one_card(&self) -> bool {
        self.build_is("snponly")
    }

    /// Among several loaders the one of the lowest rank is to be taken: iPXE's plain build, then others that bring
    /// drivers. `snp.efi` comes after them: it drives what the firmware drives, and many a firmware drives no card
    /// where its own network boot is off. openSUSE has nothing else for arm64.
    pub(super) fn rank(&self) -> u8 {
        if self.build_is("ipxe") {
            0
        } else if self.build_is("snp") {
            2
        } else if self.drives_one_card() {
            3
        } else {
            1
        }
    }

    fn build_is(&self, stem: &str) -> bool {
        let build = self.build.as_deref().unwrap_or_default();
        build.strip_suffix(".efi").unwrap_or(build) == stem
    }
}

impl fmt::Display for Loader {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match &self.version {
            Some(version) => write!(out, "iPXE {version}"),
            None => out.write_str("iPXE of an unknown version"),
        }
    }
}

/// What is of use in the headers.
struct Headers<'a> {
    machine: u16,
    subsystem: u16,
    /// The table of the sections, 40 bytes each.
    sections: Vec<&'a [u8]>,
    /// The first byte in the file after this table and all sections.
    end: usize,
}

impl<'a> Headers<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let start = bytes.strip_prefix(b"MZ").and(u32_at(bytes, 0x3c))?;
        let pe = bytes.get(start..)?.strip_prefix(b"PE\0\0")?;
        let optional = pe.get(20..)?;
        matches!(u16_at(optional, 0)?, 0x10b | 0x20b).then_some(())?;
        let table = optional.get(usize::from(u16_at(pe, 16)?)..)?;
        let count = usize::from(u16_at(pe, 2)?);
        let sections: Vec<&[u8]> = table.chunks_exact(40).take(count).collect();
        let ends = sections.iter().filter_map(|it| range_in_file(it));
        let table_end = bytes.len() - table.len() + 40 * count;
        let end = ends.map(|range| range.end).fold(table_end, usize::max);
        Some(Self {
            machine: u16_at(pe, 0)?,
            subsystem: u16_at(optional, SUBSYSTEM)?,
            sections,
            end,
        })
    }

    fn section(&self, bytes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
        let section = self.sections.iter().find(|it| it.starts_with(name))?;
        bytes.get(range_in_file(section)?)
    }
}

/// Where a section stands in the file; `None` where it is only in memory.
fn range_in_file(section: &[u8]) -> Option<Range<usize>> {
    let (size, start) = (u32_at(section, 16)?, u32_at(section, 20)?);
    (size > 0).then_some(start..start.saturating_add(size))
}

/// Reads `ipxe,1,iPXE,<build>,<version>,<URL>` among the lines of the section that Secure Boot reads, which iPXE has
/// since the end of 2024 (`SBAT.md` of the project shim).
fn read_sbat(section: &[u8]) -> Option<(Option<String>, Option<String>)> {
    let end = section.iter().position(|byte| *byte == 0);
    let section = &section[..end.unwrap_or(section.len())];
    section.split(|byte| *byte == b'\n').find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b',').collect();
        match fields[..] {
            [b"ipxe", _, _, build, version, ..] => Some((text(build), text(version))),
            _ => None,
        }
    })
}

/// The name in iPXE's debug record (`RSDS`), whose GUID and age are zeros.
pub(super) fn find_build(bytes: &[u8]) -> Option<String> {
    const RECORD: &[u8] = b"RSDS\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let at = memmem::find(bytes, RECORD)? + RECORD.len();
    let name = bytes.get(at..)?.split(|byte| *byte == 0).next()?;
    text(name)
}

/// The first text that has the form of iPXE's version. Nothing else in it begins with three numbers and two dots.
fn find_version(bytes: &[u8]) -> Option<String> {
    let strings = bytes.split(|byte| *byte == 0);
    strings.filter_map(text).find(|text| is_version(text))
}

fn is_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.splitn(3, '.').collect();
    let [major, minor, rest] = parts[..] else {
        return false;
    };
    let patch = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    is_number(major)
        && is_number(minor)
        && patch.len() < rest.len()
        && (patch.is_empty() || patch.starts_with(['+', '-', '~', ' ']))
}

/// The name stands there in UTF-16 in the first builds that know it, and at the end of `file:/autoexec.ipxe` in those
/// of 2024 and later.
fn knows_autoexec(bytes: &[u8]) -> bool {
    let name = b"autoexec.ipxe\0";
    let wide: Vec<u8> = name.iter().flat_map(|byte| [*byte, 0]).collect();
    holds(bytes, name) || holds(bytes, &wide)
}

/// By these six bytes iPXE knows a script, however it was branded.
pub(super) fn is_ipxe(bytes: &[u8]) -> bool {
    holds(bytes, b"#!ipxe\0")
}

pub(super) fn holds_script(bytes: &[u8]) -> bool {
    const MAGIC: &[u8] = b"#!ipxe";
    let after = memmem::find_iter(bytes, MAGIC).map(|at| bytes.get(at + MAGIC.len()));
    after.flatten().any(u8::is_ascii_whitespace)
}

pub(super) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    memmem::find(bytes, needle).is_some()
}

/// A text that can be shown as it is.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let shown = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let good = (1..=LONGEST_TEXT).contains(&bytes.len()) && bytes.iter().all(shown);
    good.then(|| String::from_utf8_lossy(bytes).into_owned())
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let rest = bytes.get(at..)?;
    rest.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let chunk = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*chunk)).ok()
}

/// The names of the machines that iPXE and firmware are built for.
fn machine(number: u16) -> String {
    let name = match number {
        0x01c0 | 0x01c2 | 0x01c4 => "32-bit ARM",
        0x0200 => "Itanium",
        0x0ebc => "EFI byte code",
        0x5032 => "32-bit RISC-V",
        0x5064 => "64-bit RISC-V",
        0x6232 => "32-bit LoongArch",
        0x6264 => "64-bit LoongArch",
        _ => return format!("an unknown machine ({number:#06x})"),
    };
    name.to_owned()
}
