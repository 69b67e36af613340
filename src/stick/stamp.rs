//! Stamping a stick onto a drive, in an order in which no fault leaves a mixture that boots: first the old stick is made
//! one that can't boot, then everything is written and read back, and what makes the new one boot comes last.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;

use zeroize::Zeroizing;

use super::disk::Disk;
use super::layout::{MIB, Sector};
use crate::progress::{Progress, Stopped};
pub use to_write::{ToWrite, still_to_write, to_write};

mod to_write;

/// What is compared and written anew as a whole, in bytes.
const PAGE: u64 = 4096;

/// What is written and read at once, at most, in bytes.
pub(super) const BLOCK: u64 = 4 * MIB;

/// A drive that holds to an order.
pub trait Drive {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// Its sectors; `None` where a stick can't be laid out for them.
    fn sector(&self) -> Option<Sector>;

    /// Reads what it holds, past every cache of this machine.
    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()>;

    /// Writes all of it, whole sectors, or fails.
    fn write(&mut self, at: u64, from: &[u8]) -> io::Result<()>;

    /// Writes zeros, as whole sectors. Many drives know a faster way than to be sent them.
    fn zero(&mut self, part: &Range<u64>) -> io::Result<()> {
        self.write(part.start, &zeros(part))
    }

    /// Comes back when everything that was written is where it stays.
    fn flush(&mut self) -> io::Result<()>;
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of the stick, and zeros over old signatures at both ends of the drive.
    All,
    /// What is not there yet.
    Changes,
}

/// Why a drive was not stamped, or not to the end. Unless nothing was written yet, it does not boot.
#[derive(Debug, thiserror::Error)]
pub enum StampError {
    /// The stick was laid out for another one.
    #[error("the stick was made for a drive of {0} bytes, and this one has {1}")]
    Size(u64, u64),
    /// The stick was laid out for drives of another kind.
    #[error("the stick was made for a drive with sectors of {} bytes", .0.bytes())]
    Sector(Sector),
    /// The drive failed.
    #[error("the drive can't {action} at byte {at}: {cause}")]
    Drive {
        /// What it was asked to do.
        action: &'static str,
        /// Where.
        at: u64,
        /// What it says.
        cause: io::Error,
    },
    /// The drive holds other bytes than were written.
    #[error("the drive does not hold what was written to it, at byte {0}")]
    Differs(u64),
    /// The user stopped it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Writes that much of a stick, and reads it back. Gives how many bytes were written.
///
/// # Errors
/// The drive is of another size, or fails, or lies; or the user stopped it.
pub fn stamp(
    what: &ToWrite,
    stick: &mut Disk,
    drive: &mut dyn Drive,
    extent: Extent,
    progress: &dyn Progress,
) -> Result<u64, StampError> {
    let mut stamp = Stamp::new(stick, drive, progress)?;
    if what.bytes() == 0 {
        return Ok(0);
    }
    // It is written, and read back.
    progress.start_bytes("writing", 2 * what.bytes());
    stamp.disable(extent)?;
    stamp.write(&what.body, true)?;
    stamp.read_back(&what.body, true)?;
    // From here on the stick is good in a moment, and would boot though it was said to be none.
    stamp.write(&what.ends, false)?;
    stamp.read_back(&what.ends, false)?;
    Ok(stamp.written)
}

/// Whether something may boot from a drive: it has the mark of a boot sector, or one of both partition tables.
///
/// # Errors
/// The drive can't be read.
pub fn may_boot(drive: &mut dyn Drive) -> io::Result<bool> {
    let sector = drive.sector().unwrap_or(Sector::Of512).bytes();
    let mut first = vec![0; usize::try_from(2 * sector).unwrap_or(0)];
    drive.read(0, &mut first)?;
    let mut last = vec![0; usize::try_from(sector).unwrap_or(0)];
    drive.read(drive.size().saturating_sub(sector), &mut last)?;
    let table = b"EFI PART";
    let (boot, first) = first.split_at(last.len());
    Ok(boot[510..512] == [0x55, 0xaa] || first.starts_with(table) || last.starts_with(table))
}

struct Stamp<'a> {
    stick: &'a mut Disk,
    drive: &'a mut dyn Drive,
    progress: &'a dyn Progress,
    written: u64,
    /// A block of the stick, and the same one of the drive. They may hold secrets.
    wanted: Zeroizing<Vec<u8>>,
    there: Zeroizing<Vec<u8>>,
}

fn length(part: &Range<u64>) -> u64 {
    part.end - part.start
}

fn zeros(part: &Range<u64>) -> Vec<u8> {
    vec![0; usize::try_from(length(part)).unwrap_or(0)]
}

/// Compared as wholes, which is much faster than byte by byte.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes
        .chunks(ZEROS.len())
        .all(|chunk| *chunk == ZEROS[..chunk.len()])
}

fn failed(action: &'static str, at: u64) -> impl FnOnce(io::Error) -> StampError {
    move |cause| StampError::Drive { action, at, cause }
}

impl<'a> Stamp<'a> {
    fn new(
        stick: &'a mut Disk,
        drive: &'a mut dyn Drive,
        progress: &'a dyn Progress,
    ) -> Result<Self, StampError> {
        if drive.size() != stick.size() {
            return Err(StampError::Size(stick.size(), drive.size()));
        }
        if drive.sector() != Some(stick.sector()) {
            return Err(StampError::Sector(stick.sector()));
        }
        Ok(Self {
            stick,
            drive,
            progress,
            written: 0,
            wanted: Zeroizing::new(Vec::new()),
            there: Zeroizing::new(Vec::new()),
        })
    }

    /// Whatever boots from the drive, does not any more.
    fn disable(&mut self, extent: Extent) -> Result<(), StampError> {
        let (size, sector) = (self.drive.size(), self.stick.sector().bytes());
        let parts = match extent {
            Extent::All => [0..MIB, size - MIB..size],
            Extent::Changes => [0..2 * sector, size - sector..size],
        };
        for part in parts {
            self.drive
                .zero(&part)
                .map_err(failed("write", part.start))?;
        }
        self.drive.flush().map_err(failed("flush", 0))
    }

    fn write(&mut self, parts: &[Range<u64>], may_stop: bool) -> Result<(), StampError> {
        for block in parts.iter().flat_map(blocks) {
            if may_stop && self.progress.stopped() {
                return Err(Stopped.into());
            }
            self.lay_out(&block)?;
            let done = if is_zero(&self.wanted) {
                self.drive.zero(&block)
            } else {
                self.drive.write(block.start, &self.wanted)
            };
            done.map_err(failed("write", block.start))?;
            self.written += length(&block);
            self.progress.advance(self.wanted.len());
        }
        self.drive.flush().map_err(failed("flush", 0))
    }

    fn read_back(&mut self, parts: &[Range<u64>], may_stop: bool) -> Result<(), StampError> {
        for block in parts.iter().flat_map(blocks) {
            if may_stop && self.progress.stopped() {
                return Err(Stopped.into());
            }
            self.compare(&block)?;
            if self.wanted != self.there {
                let pairs = self.wanted.iter().zip(self.there.iter());
                let same = pairs.take_while(|(wanted, there)| wanted == there).count();
                return Err(StampError::Differs(block.start + same as u64));
            }
            self.progress.advance(self.wanted.len());
        }
        Ok(())
    }

    /// Reads a block of the drive beside that of the stick.
    fn compare(&mut self, block: &Range<u64>) -> Result<(), StampError> {
        self.lay_out(block)?;
        self.there.resize(self.wanted.len(), 0);
        self.drive
            .read(block.start, &mut self.there)
            .map_err(failed("read", block.start))
    }

    fn lay_out(&mut self, block: &Range<u64>) -> Result<(), StampError> {
        let length = usize::try_from(length(block)).unwrap_or(0);
        if self.wanted.capacity() == 0 {
            // Room for any block, so that no copy is left behind when a larger one comes.
            let room = usize::try_from(BLOCK).unwrap_or(0);
            self.wanted.reserve_exact(room);
            self.there.reserve_exact(room);
        }
        self.wanted.resize(length, 0);
        self.stick
            .seek(SeekFrom::Start(block.start))
            .and_then(|_| self.stick.read_exact(&mut self.wanted))
            .map_err(failed("be laid out", block.start))
    }
}

/// A part in blocks that a drive takes at once.
fn blocks(part: &Range<u64>) -> Vec<Range<u64>> {
    pieces(part, BLOCK)
}

/// A part cut at multiples of a length.
fn pieces(part: &Range<u64>, length: u64) -> Vec<Range<u64>> {
    let mut pieces = Vec::new();
    let mut start = part.start;
    while start < part.end {
        let end = ((start / length + 1) * length).min(part.end);
        pieces.push(start..end);
        start = end;
    }
    pieces
}

#[cfg(test)]
mod tests;
