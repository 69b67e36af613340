//! What `ipxe.lkrn` can do, which is iPXE for the BIOS in the form of a Linux kernel.
//!
//! Its header is that of "The Linux/x86 Boot Protocol" (Documentation/arch/x86/boot.rst of Linux). Nearly all of iPXE
//! is packed in it, as LZMA of the parameters in `src/util/zbin.c` of iPXE, without a header: where that begins is
//! found by trying.

use std::io::Read as _;

use lzma_rust2::LzmaReader;

use super::binary::{Loader, NotALoader, find_build, holds_script, is_ipxe, text, u16_at, u32_at};
use super::feature::Feature;
use super::target::Target;

/// The most sectors that a kernel's real-mode part has.
const LONGEST_SETUP: usize = 64;

/// LZMA's parameters: bits of context, bits of position twice, and how far back it may look.
const LZMA: (u32, u32, u32, u32) = (2, 0, 0, 1 << 24);

/// Nothing that is packed is larger when it is opened, in bytes.
const LARGEST: u64 = 16 << 20;

/// What decides whether a place can be the start, in bytes; and how far back that looks.
const TRIAL: (u64, u32) = (2048, 4096);

/// Reads what a kernel can do. Only iPXE is a [`Loader`].
pub(super) fn read(header: &Header, bytes: &[u8]) -> Result<Loader, NotALoader> {
    let (is, should) = (bytes.len(), header.end);
    if is < should {
        return Err(NotALoader::CutOff { is, should });
    }
    let opened = open(&bytes[header.setup_end..]).ok_or(NotALoader::NotIpxeKernel)?;
    Ok(Loader {
        target: Target::Bios,
        version: header.version.clone(),
        build: find_build(&opened),
        reads_autoexec: true,
        has_own_script: holds_script(&opened),
        features: Feature::find(&opened),
    })
}

/// What is of use in a kernel's header.
pub(super) struct Header {
    /// Where the real-mode part ends.
    setup_end: usize,
    /// The least that the file must have, in bytes.
    end: usize,
    version: Option<String>,
}

impl Header {
    /// `None` where it is no kernel for x86, or one from before there were initrds.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        (bytes.get(0x202..0x206)? == b"HdrS").then_some(())?;
        (u16_at(bytes, 0x1fe)? == 0xaa55).then_some(())?;
        (u16_at(bytes, 0x206)? >= 0x200 && bytes.get(0x211)? & 1 == 1).then_some(())?;
        let setup = usize::from(*bytes.get(0x1f1)?) + 1;
        (2..=LONGEST_SETUP).contains(&setup).then_some(())?;
        let setup_end = setup * 512;
        // Counted in units of 16 bytes, the last of which may not be whole.
        let payload = u32_at(bytes, 0x1f4)?.saturating_mul(16);
        let version = 0x200 + usize::from(u16_at(bytes, 0x20e)?);
        let version = bytes.get(version..)?.split(|byte| *byte == 0).next()?;
        Some(Self {
            setup_end,
            end: setup_end.saturating_add(payload).saturating_sub(15),
            version: text(version),
        })
    }
}

/// Opens the packed part in which iPXE's texts are.
fn open(payload: &[u8]) -> Option<Vec<u8>> {
    let places = (0..payload.len()).step_by(4);
    // LZMA begins with a zero.
    let mut starts = places.filter(|at| payload[*at] == 0);
    starts.find_map(|at| {
        let packed = &payload[at..];
        let tried = unpack(packed, TRIAL.1, TRIAL.0)?;
        (tried.len() as u64 == TRIAL.0).then_some(())?;
        unpack(packed, LZMA.3, LARGEST).filter(|opened| is_ipxe(opened))
    })
}

/// At most so many bytes of what is packed; `None` where it is something else.
fn unpack(packed: &[u8], dictionary: u32, most: u64) -> Option<Vec<u8>> {
    let (lc, lp, pb, _) = LZMA;
    let reader = LzmaReader::new(packed, u64::MAX, lc, lp, pb, dictionary, None).ok()?;
    // Some three times as much as it was; what is growing is copied again and again.
    let mut opened = Vec::with_capacity(4 * packed.len().min(usize::try_from(most).unwrap_or(0)));
    reader.take(most).read_to_end(&mut opened).ok()?;
    Some(opened)
}
