//! `boot`: a node in a virtual machine, before anything is pushed or written to a stick.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::{Failure, Outcome};
use crate::boot::{become_program, relay};
use crate::cli;
use crate::ui::Ui;

mod ask;
mod console;
mod file;
mod hardware;
mod local;
mod node;
mod session;
mod teller;
mod until;

pub(super) fn run(args: &cli::Boot, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    if let Some(port) = args.relay {
        // Its standard error leads to the machine, which is not to be told anything.
        return relay(port)
            .map(|()| Outcome::Done)
            .map_err(|_| Failure::Said);
    }
    if let Some(parent) = args.child_of {
        let error = become_program(parent, &args.program);
        return Err(Failure::problem(
            format!("it can't be started: {error}"),
            None,
        ));
    }
    let Some(what) = &args.what else {
        return Err(Failure::Said);
    };
    // A node's name is a DNS label, in which neither a `.` nor a `/` can stand.
    if what.as_bytes().iter().any(|byte| b"./".contains(byte)) {
        return file::run(args, Path::new(what), start, ui);
    }
    node::run(args, &what.to_string_lossy(), start, ui)
}
