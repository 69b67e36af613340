//! What of a stick is to be written to a drive.

use std::ops::Range;

use super::{Drive, Extent, PAGE, Stamp, StampError, blocks, length, pieces};
use crate::progress::{Progress, Stopped};
use crate::stick::disk::Disk;
use crate::stick::layout::{MIB, Part};

/// What is to be written to a drive: the body, and then what makes it boot, in the order in which that is written: the backup
/// table, the table, the boot code.
#[derive(Debug, Default)]
pub struct ToWrite {
    pub(super) body: Vec<Range<u64>>,
    pub(super) ends: Vec<Range<u64>>,
}

impl ToWrite {
    /// All of it, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.body.iter().chain(&self.ends).map(length).sum()
    }
}

/// Finds out what of a stick, which was laid out for a drive of this size, is to be written to it.
///
/// # Errors
/// The drive is of another size or can't be read, or the user stopped it.
pub fn to_write(
    stick: &mut Disk,
    drive: &mut dyn Drive,
    extent: Extent,
    progress: &dyn Progress,
) -> Result<ToWrite, StampError> {
    let (size, sector) = (stick.size(), stick.sector());
    let mut stamp = Stamp::new(stick, drive, progress)?;
    let secrets = Part::Secrets.range(sector);
    let all = ToWrite {
        body: stamp.stick.laid_out(MIB..size - MIB, secrets),
        ends: vec![size - MIB..size, sector.bytes()..MIB, 0..sector.bytes()],
    };
    match extent {
        Extent::All => Ok(all),
        Extent::Changes => stamp.missing(&all),
    }
}

/// What of it the drive does not hold, where the stick has become another one since.
///
/// # Errors
/// The drive can't be read, or the user stopped it.
pub fn still_to_write(
    what: &ToWrite,
    stick: &mut Disk,
    drive: &mut dyn Drive,
    progress: &dyn Progress,
) -> Result<ToWrite, StampError> {
    Stamp::new(stick, drive, progress)?.missing(what)
}

impl Stamp<'_> {
    /// What of it the drive does not hold. What makes it boot is written whole, if anything is.
    fn missing(&mut self, what: &ToWrite) -> Result<ToWrite, StampError> {
        self.progress.start_bytes("comparing", what.bytes());
        let body = self.changed(&what.body)?;
        if body.is_empty() && self.changed(&what.ends)?.is_empty() {
            return Ok(ToWrite::default());
        }
        let ends = what.ends.clone();
        Ok(ToWrite { body, ends })
    }

    /// The parts that the drive does not hold yet.
    fn changed(&mut self, parts: &[Range<u64>]) -> Result<Vec<Range<u64>>, StampError> {
        let mut changed = Vec::new();
        for block in parts.iter().flat_map(blocks) {
            if self.progress.stopped() {
                return Err(Stopped.into());
            }
            self.compare(&block)?;
            let is_changed = |piece: &Range<u64>| {
                let inside = |at: u64| usize::try_from(at - block.start).unwrap_or(0);
                let piece = inside(piece.start)..inside(piece.end);
                self.wanted[piece.clone()] != self.there[piece]
            };
            changed.extend(pieces(&block, PAGE).into_iter().filter(is_changed));
            self.progress.advance(self.wanted.len());
        }
        Ok(changed)
    }
}
