//! `sticks`.

use clap::Subcommand;

use super::Nodes;

/// `sticks`.
#[derive(Subcommand, Debug)]
pub enum Sticks {
    /// List the sticks that are recorded: whose each is, and whether it has to be written anew
    List(Nodes),
    /// Say that the node boots from this stick now; the one before becomes spare
    Active {
        /// The stick's id, or at least four of its first digits
        id: String,
    },
    /// Say that this stick lies ready for when the active one breaks
    Spare {
        /// The stick's id, or at least four of its first digits
        id: String,
    },
    /// Say that nobody knows who has this stick
    Lost {
        /// The stick's id, or at least four of its first digits
        id: String,
    },
    /// Take a stick that is no more out of the record
    Forget {
        /// The stick's id, or at least four of its first digits
        id: String,
    },
}
