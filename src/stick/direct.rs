//! A drive that is read and written past the cache of this machine.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{
    FallocateFlags, OFlags, fallocate, fcntl_getfl, fcntl_setfl, fdatasync, ioctl_blksszget,
};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::layout::Sector;
use super::stamp::{BLOCK, Drive};

/// Where memory must begin that goes to a drive past the cache: no drive has larger sectors that we write to.
const ALIGNMENT: usize = 4096;

/// An open drive. Whoever opened it for itself keeps it.
pub struct Direct<'a> {
    file: &'a File,
    size: u64,
    sector: Option<Sector>,
    /// Passes on what is read and written, since memory elsewhere begins anywhere. It is wiped, as secrets pass through.
    memory: Zeroizing<Vec<u8>>,
}

impl<'a> Direct<'a> {
    /// Takes an open drive.
    ///
    /// # Errors
    /// It is no drive, or the kernel can't go past its cache.
    pub fn new(mut file: &'a File) -> io::Result<Self> {
        fcntl_setfl(file, fcntl_getfl(file)? | OFlags::DIRECT)?;
        let size = file.seek(SeekFrom::End(0))?;
        let room = usize::try_from(BLOCK).unwrap_or(0) + ALIGNMENT;
        Ok(Self {
            file,
            size,
            sector: Sector::of(ioctl_blksszget(file)?.into()),
            memory: Zeroizing::new(vec![0; room]),
        })
    }

    /// So much memory as a drive takes it.
    fn aligned(&mut self, length: usize) -> &mut [u8] {
        let start = self.memory.as_ptr().align_offset(ALIGNMENT);
        &mut self.memory[start..start + length]
    }
}

impl Drive for Direct<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn sector(&self) -> Option<Sector> {
        self.sector
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let (file, memory) = (self.file, self.aligned(into.len()));
        file.read_exact_at(memory, at)?;
        into.copy_from_slice(memory);
        Ok(())
    }

    fn write(&mut self, at: u64, from: &[u8]) -> io::Result<()> {
        let (file, memory) = (self.file, self.aligned(from.len()));
        memory.copy_from_slice(from);
        file.write_all_at(memory, at)
    }

    fn zero(&mut self, part: &Range<u64>) -> io::Result<()> {
        let flags = FallocateFlags::ZERO_RANGE | FallocateFlags::KEEP_SIZE;
        match fallocate(self.file, flags, part.start, part.end - part.start) {
            // Kernels without it, and drives behind which something else stands.
            Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS | Errno::NODEV) => {}
            done => return Ok(done?),
        }
        let length = usize::try_from(part.end - part.start).unwrap_or(0);
        self.write(part.start, &vec![0; length])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(fdatasync(self.file)?)
    }
}
