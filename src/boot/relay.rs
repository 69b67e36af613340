//! The way from a virtual machine to the local server: QEMU starts a process of it for each connection.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::thread;

/// The most that is passed on at once.
const PIECE: usize = 64 * 1024;

/// Passes standard input on to a port of the loopback, and what comes from there to standard output, until the server has
/// said all.
///
/// # Errors
/// One of the two can't be reached any more. Nobody is to be told: standard error leads to the machine, too.
pub fn relay(port: u16) -> io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    server.set_nodelay(true)?;
    let mut up = server.try_clone()?;
    // Not the buffered ones: what came must not wait for more.
    let mut guest_in = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut guest_out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    thread::spawn(move || {
        let _ = pass(&mut guest_in, &mut up);
        let _ = up.shutdown(Shutdown::Write);
    });
    pass(&mut server, &mut guest_out)
}

fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => to.write_all(&piece[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
