//! The one request to the kernel that no library has. It is the only unsafe code of the tool.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use rustix::ioctl::{NoArg, ioctl, opcode};

/// `BLKRRPART` of `linux/fs.h`: read the partition table anew.
const BLKRRPART: rustix::ioctl::Opcode = opcode::none(0x12, 95);

/// Lets the kernel read a drive's partition table anew. It takes root.
///
/// # Errors
/// A partition of it is in use, or the kernel says no.
pub fn reread_partitions(drive: &File) -> io::Result<()> {
    // SAFETY: `BLKRRPART` takes no argument and returns nothing: no memory of this process is touched.
    let done = unsafe { ioctl(drive, NoArg::<BLKRRPART>::new()) };
    Ok(done?)
}
